"""The clearing of one batch: rows in, the same number of rows out, each with one verdict.

Everything a row's verdict depends on becomes a Finding with a small number; `decide` runs once
for each distinct combination of findings, and the result is joined back by indexing.
Paths are matched in `row_matching`, which tells rows apart; what is said there is then read once
for each kind of row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent import row_matching_plain
from tercet.consent.evaluation import UNIVERSAL
from tercet.consent.facts import Facts, State
from tercet.consent.paths import normalise_path
from tercet.consent.policy import Policy, decide
from tercet.consent.row_matching import (
    ESCAPED,
    ODD,
    PathMatcher,
    UrlCuts,
    second_octets,
)
from tercet.consent.rulebook import NOTHING, Finding, Rulebook
from tercet.consent.site_index import NOT_SURVEYED, URL_INVALID, SiteIndex
from tercet.consent.urls import split_url
from tercet.core.declaration import Matching
from tercet.core.verdict import Outcome, Verdict

Array = np.ndarray[Any, np.dtype[Any]]

OUTCOMES = tuple(Outcome)
_MODES = {
    Matching.LONGEST: row_matching_plain.LONGEST,
    Matching.FIRST: row_matching_plain.FIRST,
    Matching.STRICTEST: row_matching_plain.STRICTEST,
}
UNSURVEYED = Finding(Facts(frozenset({State.NOT_SURVEYED})))
INVALID = Finding(Facts(frozenset({State.URL_INVALID})))
SOURCELESS = Finding(Facts(frozenset({State.NO_SOURCE})))
ITEM_UNASKED = Finding(Facts(frozenset({State.ITEM_NOT_ASKED})))
FAULTY = Finding(Facts(frozenset({State.ROW_FAULT})))


class Interned:
    """Numbers for values, in order of appearance."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = []
        self._number: dict[Any, int] = {}
        for value in values:
            self.number(value)

    def number(self, value: Any) -> int:
        """Return the number of ``value``, a new one when it is new."""
        number = self._number.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@dataclass(frozen=True, slots=True)
class Ground:
    """One place where something is said about rows: the site, the item itself, a column.

    ``finding`` numbers each row's finding; ``id_start`` is where the ids of its declarations
    begin in the shard's list of ids.
    """

    finding: Array
    id_start: Array


@dataclass(frozen=True, slots=True)
class DecidedRows:
    """Verdicts of some rows by number, and what evidence they rest on.

    ``site`` is the site's number, negative when there is none. ``evidence`` are positions in
    the shard's list of declaration ids; row i has those from ``evidence_start[i]`` on.
    """

    verdict: Array
    site: Array
    evidence: Array
    evidence_start: Array


class Clearing:
    """Decides batches under one policy for one usage. Deterministic; keeps only memory aids."""

    def __init__(self, sites: SiteIndex, policy: Policy) -> None:
        self.sites = sites
        self.policy = policy
        self.findings = Interned(NOTHING, UNSURVEYED, INVALID, SOURCELESS, FAULTY, ITEM_UNASKED)
        self.verdicts = Interned()
        self._everywhere = np.array(
            [self.findings.number(book.everywhere) for book in sites.rulebooks] or [0],
            dtype=np.int32,
        )
        ruled = [bool(book.ruled) for book in sites.rulebooks] or [False]
        self._ruled = np.array(ruled, dtype=np.bool_)
        self._matcher = path_matcher(sites.rulebooks)
        self._answers: dict[tuple[int, int], int] = {}
        self._decided: dict[tuple[int, ...], int] = {}

    def site_ground(self, urls: pa.Array, faulty: Array) -> tuple[Ground, Array]:
        """Return what the sites say of each row, and the site numbers.

        ``urls`` may hold nulls: those rows have no source. ``faulty`` rows are not looked at.
        """
        absent = pc.is_null(urls).to_numpy(zero_copy_only=False)
        texts = pc.fill_null(urls, "")
        cuts = UrlCuts.of(texts)
        site, respelt = self.sites.find(cuts, texts)
        site[absent | faulty] = URL_INVALID
        known = np.maximum(site, 0)
        if len(self.sites.book):
            book = self.sites.book[known]
            finding = self._everywhere[book]
            ruled = np.where((site >= 0) & self._ruled[book], book, -1)
            self._follow_paths(cuts, texts, respelt, ruled, finding)
        else:
            finding = np.zeros(len(urls), dtype=np.int32)
        finding[site == NOT_SURVEYED] = self.findings.number(UNSURVEYED)
        finding[site == URL_INVALID] = self.findings.number(INVALID)
        finding[absent] = self.findings.number(SOURCELESS)
        finding[faulty] = self.findings.number(FAULTY)
        start = self.sites.id_start[known] if len(self.sites.book) else np.zeros(len(urls), int)
        return Ground(finding, start), site

    def _follow_paths(
        self,
        cuts: UrlCuts,
        texts: pa.Array,
        respelt: dict[int, str],
        book: Array,
        finding: Array,
    ) -> None:
        """Let the narrower rules of each row's rulebook (-1: none) have their say.

        ``respelt`` are the paths of URLs that were normalised one by one.
        """
        strange = cuts.flags & (ODD | ESCAPED) != 0
        strange[list(respelt)] = True
        plain = np.where(strange, -1, book)
        keys = self._matcher.keys(cuts.data, cuts.host_end, cuts.end, plain)
        rows = np.flatnonzero(keys)
        start, end = cuts.host_end[rows], cuts.end[rows]
        self._answer(book[rows], keys[rows], cuts.data, start, end, finding, rows)
        rows = np.flatnonzero(strange & (book >= 0))
        odd = cuts.flags & ODD != 0
        odd[list(respelt)] = True
        normal = [
            _respelt_path(row, texts, respelt) if odd[row] else normalise_path(cuts.path(row))
            for row in rows.tolist()
        ]
        sizes = np.array([len(path) for path in normal], dtype=np.int64)
        end = np.cumsum(sizes)
        data = np.frombuffer(b"".join(normal) or b"/", dtype=np.uint8)
        keys = self._matcher.keys(data, end - sizes, end, book[rows])
        self._answer(book[rows], keys, data, end - sizes, end, finding, rows)

    def _answer(
        self,
        book: Array,
        keys: Array,
        data: Array,
        start: Array,
        end: Array,
        finding: Array,
        rows: Array,
    ) -> None:
        """Set the findings of ``rows``; those of one rulebook with one key have the same."""
        known, rulebooks = self._answers, self.sites.rulebooks
        answers = []
        for at, asked in enumerate(zip(book.tolist(), keys.tolist(), strict=True)):
            answer = known.get(asked)
            if answer is None:
                path = data[start[at] : end[at]].tobytes()
                answer = known[asked] = self.findings.number(rulebooks[asked[0]].at(path))
            answers.append(answer)
        finding[rows] = answers

    def asking_ground(self, asked: Array) -> Ground:
        """Return the ground on which rows stand that were not ``asked`` themselves."""
        finding = np.where(asked, self.findings.number(NOTHING), self.findings.number(ITEM_UNASKED))
        return Ground(finding.astype(np.int32), np.zeros(len(asked), dtype=np.int64))

    def decide_rows(self, grounds: Sequence[Ground], site: Array) -> DecidedRows:
        """Join the grounds of each row and decide once per distinct combination."""
        combined, inverse = _distinct([ground.finding for ground in grounds])
        numbers = np.array([self._decide(tuple(row)) for row in combined], dtype=np.int32)
        counts = np.zeros(len(site), dtype=np.int64)
        parts = []
        decided = [self._positions_of(tuple(row)) for row in combined]
        for at, ground in enumerate(grounds):
            positions = [each[at] for each in decided]
            sizes = np.array([len(p) for p in positions], dtype=np.int64)
            if not sizes.any():
                continue
            flat = np.array([p for group in positions for p in group], dtype=np.int64)
            first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
            parts.append((sizes[inverse], first[inverse], flat, ground.id_start))
            counts += sizes[inverse]
        start = np.concatenate(([0], np.cumsum(counts)))
        return DecidedRows(numbers[inverse], site, _gathered(parts, start), start)

    def _decide(self, findings: tuple[int, ...]) -> int:
        number = self._decided.get(findings)
        if number is None:
            facts = Facts()
            for finding in findings:
                facts |= self.findings.values[finding].facts
            number = self.verdicts.number(decide(facts, self.policy))
            self._decided[findings] = number
        return number

    def _positions_of(self, findings: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Return for each ground the positions of the declarations that decided."""
        verdict: Verdict = self.verdicts.values[self._decide(findings)]
        return tuple(
            tuple(
                position
                for signal, positions in self.findings.values[finding].speakers
                if signal in verdict.deciding
                for position in positions
            )
            for finding in findings
        )


def _respelt_path(row: int, texts: pa.Array, respelt: dict[int, str]) -> bytes:
    path = respelt.get(row)
    if path is None:
        split = split_url(texts[row].as_py())
        path = split.path if split else "/"
    return normalise_path(path.encode())


def path_matcher(rulebooks: Sequence[Rulebook]) -> PathMatcher:
    """Lay the path rules of all rulebooks side by side."""
    readings = [book.readings for book in rulebooks]
    every = [reading for group in readings for reading in group]
    text = b"".join(reading.patterns for reading in every)
    patterns = text.split(b"\n")[:-1]
    octets = np.frombuffer(text or b"\n", dtype=np.uint8)
    bounds = _bounds([len(pattern) + 1 for pattern in patterns])
    modes = [_MODES[reading.matching] for reading in every]
    return PathMatcher(
        reading_of_book=_bounds([len(group) for group in readings]),
        matching=np.array(modes, dtype=np.uint8),
        rule_of_reading=_bounds([len(reading.standings) for reading in every]),
        broad=np.array([pattern in UNIVERSAL for pattern in patterns], dtype=np.uint8),
        second=second_octets(bounds, octets),
        pattern=bounds,
        text=octets,
    )


def _bounds(sizes: list[int]) -> Array:
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64)


def _distinct(columns: list[Array]) -> tuple[list[list[int]], Array]:
    """Return the distinct combinations of the columns and each row's number among them."""
    present, inverse = _compact(columns[0])
    combined = present.reshape(-1, 1)
    for column in columns[1:]:
        values, index = _compact(column)
        if len(values) == 1:
            combined = np.column_stack((combined, np.full(len(combined), values[0])))
            continue
        pairs, inverse = np.unique(inverse * np.int64(len(values)) + index, return_inverse=True)
        combined = np.column_stack((combined[pairs // len(values)], values[pairs % len(values)]))
    return combined.tolist(), inverse


def _compact(column: Array) -> tuple[Array, Array]:
    """Return the distinct small numbers in ``column`` and each row's index among them."""
    if len(column) and column.min() == column.max():
        return column[:1].astype(np.int64), np.zeros(len(column), dtype=np.int64)
    used = np.zeros(int(column.max(initial=0)) + 1, dtype=np.bool_)
    used[column] = True
    index = np.cumsum(used) - 1
    return np.flatnonzero(used), index[column]


def _gathered(parts: list[tuple[Array, Array, Array, Array]], start: Array) -> Array:
    """Lay the positions of all grounds side by side, row by row."""
    gathered = np.empty(int(start[-1]), dtype=np.int64)
    filled = start[:-1].copy()
    for sizes, first, flat, id_start in parts:
        if sizes.min(initial=1) == sizes.max(initial=1) == 1:  # most often: one each
            gathered[filled] = flat[first] + id_start
            filled += 1
            continue
        rows = np.repeat(np.arange(len(sizes)), sizes)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        gathered[filled[rows] + within] = flat[first[rows] + within] + id_start[rows]
        filled += sizes
    return gathered
