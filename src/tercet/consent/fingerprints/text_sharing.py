"""Passages that several registered works of different owners carry prove no single one of them.

Two works may quote the same third text. An item that quotes it as well shares a passage with both,
word by word, and yet copies neither. So a match is certain only by what no other owner's work
explains as well; what remains shared is likely: a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tercet.consent.fingerprints.bands import Band
from tercet.consent.fingerprints.fingerprint import Match

Spans = list[tuple[int, int]]


def without_shared(
    matches: Sequence[Match], owners: Mapping[int, frozenset[str]], certain_score: float
) -> list[Match]:
    """Return the matches of one item, those that rest on shared passages no longer certain.

    ``owners`` gives the owners of each work; works with an owner in common do not contest each
    other (editions of one text), nor do works whose owners are unknown. ``certain_score`` is the
    score a match needs by its own passages.
    """
    return [_settled(match, matches, owners, certain_score) for match in matches]


def _settled(
    match: Match,
    matches: Sequence[Match],
    owners: Mapping[int, frozenset[str]],
    certain_score: float,
) -> Match:
    if match.band is not Band.CERTAIN:
        return match
    mine = owners.get(match.work, frozenset())
    rivals = [
        other
        for other in matches
        if other.band is not Band.POSSIBLE
        and (theirs := owners.get(other.work, frozenset()))
        and not mine & theirs
    ]
    covered = _merged(_spans(match))
    own = _length(covered) - _length(
        _common(covered, _merged([span for rival in rivals for span in _spans(rival)]))
    )
    if not mine or match.score * own >= certain_score * _length(covered):
        return match
    facts = {**match.facts, "shared_works": float(len(rivals))}
    return replace(match, band=Band.LIKELY, facts=facts)


def _spans(match: Match) -> Spans:
    return [
        (region.start_character, region.end_character)
        for region, _ in match.pairs
        if region.start_character is not None and region.end_character is not None
    ]


def _merged(spans: Spans) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _common(left: Spans, right: Spans) -> Spans:
    """Return what two sorted lists of spans have in common."""
    found: Spans = []
    at = other = 0
    while at < len(left) and other < len(right):
        start, end = max(left[at][0], right[other][0]), min(left[at][1], right[other][1])
        if start < end:
            found.append((start, end))
        if left[at][1] < right[other][1]:
            at += 1
        else:
            other += 1
    return found


def _length(spans: Spans) -> int:
    return sum(end - start for start, end in spans)
