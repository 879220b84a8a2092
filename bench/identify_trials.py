"""The protocol: register originals, query edited copies of some of them, and strangers.

The registry is the real one: `FingerprintSegments` in a folder, searched and verified as
`tercet match` does. A peer scores the same items against the same originals. Everything runs in
forked processes of one thread each.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from bench.identify_edits import Edit, generator_for
from bench.identify_media import Original

from tercet.consent.fingerprints.fingerprint import Fingerprint, Method, UndecodableError, probes
from tercet.store.fingerprint_segments import FingerprintSegments
from tercet.store.fingerprint_segments_reader import FingerprintReader

BANDS = ("possible", "likely", "certain")
Key = tuple[int, float]
NOTHING: Key = (-1, 0.0)
OTHERS_MAX = 5
LOADED_MAX = 8
EDITS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool. ``score`` returns likeness to some stored codes, higher is more alike.

    ``threshold``: its recommended one. A costly peer is asked only for the first
    ``originals_max`` originals, against their own and ``others_max`` unrelated works.
    """

    name: str
    code: Callable[[Any], Any]
    score: Callable[[Any, Sequence[Any]], np.ndarray]
    threshold: float
    originals_max: int = 10**9
    others_max: int = 10**9


@dataclass(frozen=True, slots=True)
class Subject:
    """One medium: how an original is loaded, made an item, fingerprinted, edited.

    ``load`` gives what edits take; ``item`` turns what an edit made into what is identified
    (the bytes of a file, or a text).
    """

    medium: str
    load: Callable[[Original], Any]
    item: Callable[[Any], Any]
    fingerprint: Callable[[Any], Fingerprint]
    method: Method
    edits: tuple[Edit, ...]
    peers: tuple[Peer, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What one tool said of one item: its own work, and the best unrelated one."""

    own: float | None
    unrelated: float | None
    unrelated_name: str = ""
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """One query. ``own`` is the key (band, score) of its own work; ``false`` are unrelated ones.

    ``related`` counts the matches with relatives, ``phrases`` are those with texts that share a
    phrase.
    ``problem``: why it was not looked at (unfit, or an error); then it found nothing.
    """

    edit: str
    item: str
    kind: str
    own: Key
    false: tuple[tuple[str, Key], ...]
    pairs: int
    related: int
    phrases: tuple[Key, ...] = ()
    problem: str = ""
    fingerprint_s: float = 0.0
    match_s: float = 0.0
    peers: dict[str, Score] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which originals are registered, which of these are queried, and which never registered."""

    registered: tuple[Original, ...]
    queried: tuple[Original, ...]
    strangers: tuple[Original, ...]
    related: dict[str, set[str]]
    phrases: dict[str, set[str]]


@dataclass(slots=True)
class State:
    """What the forked processes find when they start."""

    subject: Subject
    plan: Plan
    works: dict[int, Original]
    reader: FingerprintReader | None = None
    codes: dict[str, list[Any]] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()


_state: list[State] = []


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was measured of one medium."""

    trials: tuple[Trial, ...]
    unfit: tuple[tuple[str, str], ...]
    registered: int
    register_s: float
    stored_bytes: int


def run(
    subject: Subject, plan: Plan, edits: tuple[Edit, ...], processes: int,
    budget_s: float = float("inf"),
) -> Outcome:  # fmt: skip
    """Register, query, and return what came out; asking stops when ``budget_s`` is used up."""
    works = dict(enumerate(plan.registered, 1))
    _state[:] = [State(subject, plan, works, edits=edits)]
    with tempfile.TemporaryDirectory(prefix="tercet-bench-") as name:
        unfit, register_s, stored_bytes = _register(Path(name), processes)
        _state[0].reader = FingerprintSegments(Path(name)).reader()
        trials: list[Trial] = []
        print(f"{subject.medium}: {len(works)} works registered", file=sys.stderr, flush=True)
        started = time.monotonic()
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            for found in pool.imap(_query, _tasks(plan, edits)):
                trials += found
                if time.monotonic() - started > budget_s:
                    pool.terminate()
                    break
    return Outcome(tuple(trials), tuple(unfit), len(works), register_s, stored_bytes)


def _tasks(
    plan: Plan, edits: tuple[Edit, ...]
) -> Iterable[tuple[Original, tuple[Edit, ...], bool]]:
    """Return what to ask, in random order: a run cut short is still a fair sample."""
    tasks = []
    for at, one in enumerate([*plan.queried, *plan.strangers]):
        registered = at < len(plan.queried)
        asked = edits if registered else (AS_IS, *edits[:: max(1, len(edits) // 4)])
        tasks += [
            (one, asked[start : start + EDITS_AT_ONCE], registered)
            for start in range(0, len(asked), EDITS_AT_ONCE)
        ]
    return [tasks[at] for at in np.random.default_rng(1).permutation(len(tasks))]


def _register(folder: Path, processes: int) -> tuple[list[tuple[str, str]], float, int]:
    state = _state[0]
    unfit, cpu_s, stored = [], 0.0, []
    state.codes = {peer.name: [] for peer in state.subject.peers}
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        done = pool.imap(_registered, state.works.items(), chunksize=4)
        for work, found, codes, seconds in done:
            cpu_s += seconds
            if isinstance(found, str):
                unfit.append((state.works[work].name, found))
            else:
                stored.append((work, found))
            for name, code in codes.items():
                state.codes[name].append(code)
    method = state.subject.method
    FingerprintSegments(folder).write(stored, {method.name: dict(method.radii)})
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return unfit, cpu_s, size


def _registered(
    row: tuple[int, Original],
) -> tuple[int, Fingerprint | str, dict[str, Any], float]:
    subject = _state[0].subject
    item = subject.item(subject.load(row[1]))
    start = time.process_time()
    found = fingerprint_of(subject, item)
    seconds = time.process_time() - start
    return row[0], found, {peer.name: peer.code(item) for peer in subject.peers}, seconds


def fingerprint_of(subject: Subject, item: Any) -> Fingerprint | str:
    """Return the fingerprint, or in words why there is none."""
    try:
        found = subject.fingerprint(item)
    except UndecodableError as error:
        return f"undecodable: {error.message}"
    return ", ".join(found.unfit) if found.unfit else found


def _query(task: tuple[Original, tuple[Edit, ...], bool]) -> list[Trial]:
    """Return the trials of some edits of one original, or of a stranger."""
    original, edits, registered = task
    content = _loaded(original)
    return [_trial(_state[0], original, content, edit, registered) for edit in edits]


@lru_cache(maxsize=LOADED_MAX)
def _loaded(original: Original) -> Any:
    return _state[0].subject.load(original)


def _unchanged(content: Any, _random: np.random.Generator, _other: Any) -> Any:
    return content


AS_IS = Edit("as it is", "", _unchanged)


def _trial(state: State, original: Original, content: Any, edit: Edit, registered: bool) -> Trial:
    random = generator_for(edit.title, original.name)
    others = [one for one in state.plan.strangers[:OTHERS_MAX] if one != original]
    other = others[int(random.integers(len(others)))]
    made = edit.make(content, random, _loaded(other))
    item = state.subject.item(made)
    related = state.plan.related[original.name] | state.plan.related[other.name]
    start = time.process_time()
    found = fingerprint_of(state.subject, item)
    middle = time.process_time()
    matches = [] if isinstance(found, str) else match(state, found)
    seconds = time.process_time() - middle
    sharing = state.plan.phrases[original.name] | state.plan.phrases[other.name]
    own, false, relatives, phrases = NOTHING, [], 0, []
    for name, key in matches:
        if registered and name == original.name:
            own = key
        elif name in related:
            relatives += 1
        elif name in sharing:
            phrases.append(key)
        else:
            false.append((name, key))
    unrelated = [work for work, one in state.works.items() if one.name not in related]
    return Trial(
        edit.title if registered else f"stranger, {edit.title}", original.name,
        original.kind or original.language,
        own, tuple(false), len(unrelated), relatives, tuple(phrases),
        found if isinstance(found, str) else "", middle - start, seconds,
        _peer_scores(state, original, item, unrelated, registered),
    )  # fmt: skip


def match(state: State, query: Fingerprint) -> list[tuple[str, Key]]:
    """Return the names and keys of the works found in an item, as `tercet match` finds them."""
    if state.reader is None:
        raise ValueError("expected a registry, got none: register first")
    method, found = state.subject.method, []
    hits = {
        name: state.reader.search(
            method.name, name, asked.keys, method.radii[name], method.work_count_max[name]
        )
        for name, asked in probes(method, query).items()
        if len(asked)
    }
    for work in method.candidates(query, hits):
        stored = state.reader.fingerprint(work, method.name)
        matched = None if stored is None else method.verify(query, work, stored)
        if matched is not None:
            key = (BANDS.index(matched.band), float(matched.score))
            found.append((state.works[work].name, key))
    return found


def _peer_scores(
    state: State, original: Original, item: Any, unrelated: list[int], registered: bool
) -> dict[str, Score]:
    scores = {}
    place = state.plan.queried.index(original) if registered else 0
    own = next((w for w, one in state.works.items() if one.name == original.name), None)
    for peer in state.subject.peers:
        if place >= peer.originals_max or (peer.originals_max < 10**9 and not registered):
            continue
        others = unrelated
        if peer.others_max < len(unrelated):
            random = generator_for(peer.name, original.name)
            others = [unrelated[at] for at in random.permutation(len(unrelated))]
            others = others[: peer.others_max]
        rows = ([own] if own and registered else []) + others
        stored = [state.codes[peer.name][work - 1] for work in rows]
        values = peer.score(peer.code(item), stored)
        mine = float(values[0]) if own and registered else None
        rest = values[1:] if mine is not None else values
        best = int(np.argmax(rest)) if len(rest) else -1
        scores[peer.name] = Score(
            mine, float(rest[best]) if best >= 0 else None,
            state.works[others[best]].name if best >= 0 else "", len(rest),
        )  # fmt: skip
    return scores
