"""From trials to what bench/identify.py prints: a table per medium, and the lines of the claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.identify_edits import Edit
from bench.identify_trials import BANDS, NOTHING, Key, Outcome, Peer, Score, Trial

CERTAIN, LIKELY = BANDS.index("certain"), BANDS.index("likely")


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares of the queries of one edit that were found."""

    queries: int
    certain: float
    likely: float
    no_false: float
    peers: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is claimed of one medium. ``mean`` and ``worst`` are over the reference's list."""

    medium: str
    rows: dict[str, Recall]
    pairs: int
    false: dict[str, tuple[tuple[str, str, str, float], ...]]
    floor: Key
    mean: Recall
    worst: tuple[str, float]
    others_mean: Recall | None
    fingerprint_s: float
    match_s: float


def findings(
    medium: str, outcome: Outcome, edits: Sequence[Edit], peers: Sequence[Peer], kind: str = ""
) -> Findings:
    """Count everything; ``kind`` limits the recall, not the false matches, to some originals."""
    trials = outcome.trials
    floor = max((key for trial in trials for _, key in trial.false), default=NOTHING)
    floors = {peer.name: _peer_floor(trials, peer.name) for peer in peers}
    asked: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        if not trial.edit.startswith("stranger") and kind in {"", trial.kind}:
            asked[trial.edit].append(trial)
    rows = {
        edit.title: _recall(asked[edit.title], floor, floors, peers)
        for edit in edits
        if asked[edit.title]
    }
    listed = [edit for edit in edits if edit.listed and edit.title in rows]
    others = [edit for edit in edits if not edit.listed and edit.title in rows]
    worst = min(((e.title, rows[e.title].certain) for e in listed if e.strict),
                key=lambda row: row[1], default=("", 0.0))  # fmt: skip
    looked_at = [trial for trial in trials if trial.fingerprint_s]
    return Findings(
        medium, rows, sum(trial.pairs for trial in trials), _false(trials), floor,
        _mean([rows[edit.title] for edit in listed]), worst,
        _mean([rows[edit.title] for edit in others]) if others else None,
        sum(t.fingerprint_s for t in looked_at) / max(1, len(looked_at)),
        sum(t.match_s for t in looked_at) / max(1, len(looked_at)),
    )  # fmt: skip


def _false(trials: Iterable[Trial]) -> dict[str, tuple[tuple[str, str, str, float], ...]]:
    found: dict[str, list[tuple[str, str, str, float]]] = {band: [] for band in BANDS}
    for trial in trials:
        for name, (band, score) in trial.false:
            found[BANDS[band]].append((trial.item, trial.edit, name, score))
    return {band: tuple(sorted(rows)) for band, rows in found.items()}


def _peer_floor(trials: Iterable[Trial], name: str) -> float:
    scores = (trial.peers.get(name) for trial in trials)
    return max((s.unrelated for s in scores if s and s.unrelated is not None), default=-1.0)


def _recall(
    trials: Sequence[Trial], floor: Key, floors: dict[str, float], peers: Sequence[Peer]
) -> Recall:
    def share(values: Sequence[bool]) -> float:
        return sum(values) / len(values) if values else float("nan")

    shares = {}
    for peer in peers:
        scores = [t.peers[peer.name] for t in trials if peer.name in t.peers]
        own = [score.own for score in scores if score.own is not None]
        shares[peer.name] = (
            share([value >= peer.threshold for value in own]),
            share([value > floors[peer.name] for value in own]),
        )
    return Recall(
        len(trials),
        share([t.own[0] >= CERTAIN for t in trials]),
        share([t.own[0] >= LIKELY for t in trials]),
        share([t.own > floor for t in trials]),
        shares,
    )


def _mean(rows: Sequence[Recall]) -> Recall:
    def mean(values: Iterable[float]) -> float:
        real = [value for value in values if value == value]  # noqa: PLR0124  (NaN: not asked)
        return sum(real) / len(real) if real else float("nan")

    names = rows[0].peers if rows else {}
    return Recall(
        sum(row.queries for row in rows),
        mean(row.certain for row in rows),
        mean(row.likely for row in rows),
        mean(row.no_false for row in rows),
        {
            name: (mean(r.peers[name][0] for r in rows), mean(r.peers[name][1] for r in rows))
            for name in names
        },
    )


def best_peer(found: Findings) -> tuple[str, float]:
    """Return the peer with the best mean over the list, at zero false matches or as advised."""
    values = ((name, max(pair)) for name, pair in found.mean.peers.items())
    return max((row for row in values if row[1] == row[1]),
               key=lambda row: row[1], default=("none", 0.0))  # fmt: skip


def table(found: Findings, edits: Sequence[Edit], peers: Sequence[Peer]) -> str:
    """Return the Markdown table of one medium."""
    titles = ["edit", "queries", "certain", "likely or surer", "at zero false"]
    titles += [f"{peer.name}: advised / zero false" for peer in peers]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for edit in edits:
        if edit.title in found.rows:
            name = f"**{edit.title}**" if edit.listed else edit.title
            lines.append(_line(name, found.rows[edit.title]))
    lines.append(_line("mean of the reference's list (bold)", found.mean))
    if found.others_mean:
        lines.append(_line("mean of the others", found.others_mean))
    return "\n".join(lines)


def _line(name: str, row: Recall) -> str:
    cells = [name, str(row.queries), *map(_share, (row.certain, row.likely, row.no_false))]
    cells += [f"{_share(advised)} / {_share(none)}" for advised, none in row.peers.values()]
    return f"| {' | '.join(cells)} |"


def _share(value: float) -> str:
    return "not asked" if value != value else f"{value:.2f}"  # noqa: PLR0124  (NaN)


def claims(found: Findings, outcome: Outcome) -> str:
    """Return the lines that answer the targets."""
    peer, value = best_peer(found)
    counts = {band: len(rows) for band, rows in found.false.items()}
    phrases = [band for trial in outcome.trials for band, _ in trial.phrases]
    problems = sum(bool(trial.problem) for trial in outcome.trials)
    lines = [
        f"{found.medium}: mean recall over the reference's list: certain {found.mean.certain:.3f},"
        f" likely or surer {found.mean.likely:.3f}, at zero false {found.mean.no_false:.3f}",
        f"{found.medium}: worst of them (blends aside): {found.worst[0]} {found.worst[1]:.2f}",
        f"{found.medium}: false matches in {found.pairs:,} unrelated pairs: certain"
        f" {counts['certain']}, likely {counts['likely']}, possible {counts['possible']};"
        f" matches of relatives {sum(t.related for t in outcome.trials)},"
        f" of texts that share a phrase {len(phrases)} (certain {phrases.count(CERTAIN)})",
        f"{found.medium}: best peer {peer} {value:.3f};"
        f" ratio {found.mean.certain / value if value else float('inf'):.2f}",
        f"{found.medium}: {outcome.registered} works, {len(outcome.unfit)} of them unfit;"
        f" {outcome.stored_bytes / max(1, outcome.registered) / 1000:.1f} kB a work;"
        f" {problems} queries unfit or undecodable",
        f"{found.medium}: CPU a query: fingerprint {found.fingerprint_s * 1000:.1f} ms,"
        f" search and verify {found.match_s * 1000:.1f} ms",
    ]
    for band in ("certain", "likely"):
        lines += _named(band, found.false[band])
    return "\n".join(lines)


def _named(band: str, rows: Iterable[tuple[str, str, str, float]]) -> list[str]:
    """Return the false matches pair by pair, the highest score and the edits of each pair."""
    pairs: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for item, edit, name, score in rows:
        pairs[item, name].append((score, edit))
    return [
        f"  false, {band}: {item} as {name}: {len(found)} times, up to {max(found)[0]:g}"
        f" ({max(found)[1]})"
        for (item, name), found in sorted(pairs.items(), key=lambda row: -max(row[1])[0])[:40]
    ]


def misses(outcome: Outcome, edits: Sequence[Edit]) -> str:
    """Return, for each edit of the list, the queries that were not found with certainty."""
    lines = []
    for edit in (edit for edit in edits if edit.listed):
        missed = [t for t in outcome.trials if t.edit == edit.title and t.own[0] < CERTAIN]
        lines += [
            f"  missed: {edit.title}: {t.item} ({t.kind}):"
            f" {t.problem or (BANDS[t.own[0]] if t.own[0] >= 0 else 'nothing')} {t.own[1]:g}"
            for t in missed
        ]
    return "\n".join(lines)


def fields_of(found: Findings) -> dict[str, Any]:
    """Return the findings as JSON values."""
    rows = {name: _fields(row) for name, row in found.rows.items()}
    return {
        "medium": found.medium, "edits": rows, "unrelated_pairs": found.pairs,
        "false": found.false, "mean": _fields(found.mean), "worst": found.worst,
        "others_mean": _fields(found.others_mean) if found.others_mean else None,
        "fingerprint_s": found.fingerprint_s, "match_s": found.match_s,
    }  # fmt: skip


def _fields(row: Recall) -> dict[str, Any]:
    return {
        "queries": row.queries, "certain": row.certain, "likely": row.likely,
        "no_false": row.no_false,
        "peers": {name: {"advised": a, "no_false": n} for name, (a, n) in row.peers.items()},
    }  # fmt: skip


__all__ = ["Findings", "Score", "best_peer", "claims", "fields_of", "findings", "table"]
