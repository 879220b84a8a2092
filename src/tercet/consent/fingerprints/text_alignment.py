"""Two texts laid beside each other: from shared n-grams to passages equal word by word.

Shared n-grams are anchors. Anchors on one diagonal (the same shift between the texts) make a
stretch; stretches that follow each other closely make a chain: a passage with words changed, added
or left out. Its ends are carried outwards as long as words agree (X-drop, Altschul et al. 1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tercet.consent.fingerprints.text_keys import WEIGHTS

Array = np.ndarray[Any, np.dtype[Any]]

GAP_WORDS_MAX = 48
"""Words without a shared n-gram inside one passage. With 30 % of the words replaced, an n-gram of
5 survives at one word in six: a gap of 48 happens once in 6,000 words."""
_DRIFT_FREE, _DRIFT_SHARE = 6, 0.5  # words left out or put in: a few, and a share of the gap
_STRETCHES_MAX = 20_000
_OPEN_MAX = 16
_PASSAGES_MAX = 1_000  # looked at word by word: those with most shared n-grams
_REACH_WORDS = 96  # how far an end is carried outwards at once
_RUN_WORDS = 3  # equal words side by side count; single ones are equal by chance


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage of both texts, as half-open ranges of words, and what it is worth.

    ``evidence`` is the weight of the words that are equal in runs, where a word counts once after
    each other word: a refrain says no more the second time. ``equal_words`` counts all equal words.
    """

    item_start: int
    item_end: int
    work_start: int
    work_end: int
    equal_words: int
    evidence: float


@dataclass(slots=True)
class _Stretch:
    """Words [start, end) of the item that stand ``shift`` words later in the work."""

    shift: int
    start: int
    end: int


def passages(item: Array, work: Array, item_at: Array, work_at: Array, width: int) -> list[Passage]:
    """Return the passages two texts share, best first.

    ``item`` and ``work`` are the marks of their words; word ``item_at[i]`` begins an n-gram of at
    least ``width`` words that begins at ``work_at[i]`` as well.
    """
    chains = _chains(_stretches(item_at, work_at, width))
    chains = sorted(chains, key=lambda chain: sum(one.start - one.end for one in chain))
    found = [_passage(item, work, chain) for chain in chains[:_PASSAGES_MAX]]
    return _without_overlaps(sorted(found, key=lambda one: (-one.evidence, one.item_start)))


def joined(found: list[Passage]) -> list[Passage]:
    """Return the passages in the item's order, those joined that only a short gap parts.

    Short is a quarter of the shorter passage: of a long text with many changes one passage is
    told, and the bounds of a quotation stay as they are.
    """
    whole: list[Passage] = []
    for one in sorted(found, key=lambda one: one.item_start):
        last = whole[-1] if whole else None
        if last is not None and _is_continued(last, one):
            equal, evidence = last.equal_words + one.equal_words, last.evidence + one.evidence
            whole[-1] = Passage(
                last.item_start, max(last.item_end, one.item_end),
                last.work_start, max(last.work_end, one.work_end), equal, evidence,
            )  # fmt: skip
        else:
            whole.append(one)
    return whole


def _is_continued(one: Passage, following: Passage) -> bool:
    shorter = min(one.item_end - one.item_start, following.item_end - following.item_start)
    gaps = (following.item_start - one.item_end, following.work_start - one.work_end)
    return min(gaps) >= -GAP_WORDS_MAX and 4 * max(gaps) <= shorter


def _stretches(item_at: Array, work_at: Array, width: int) -> list[_Stretch]:
    """Return the stretches of anchors on one diagonal, in the item's order."""
    shift = work_at - item_at
    order = np.lexsort((item_at, shift))
    shift, start = shift[order], item_at[order]
    breaks = (np.diff(shift) != 0) | (np.diff(start) > GAP_WORDS_MAX)
    first = np.append(0, np.flatnonzero(breaks) + 1)
    last = np.append(first[1:], len(start)) - 1
    if len(first) > _STRETCHES_MAX:  # the longest say most
        kept = np.argsort(start[first] - start[last], kind="stable")[:_STRETCHES_MAX]
        first, last = first[kept], last[kept]
    in_order = np.argsort(start[first], kind="stable")
    columns = zip(
        shift[first][in_order].tolist(),
        start[first][in_order].tolist(),
        (start[last][in_order] + width).tolist(),
        strict=True,
    )
    return [_Stretch(*column) for column in columns]


def _chains(stretches: list[_Stretch]) -> list[list[_Stretch]]:
    """Join stretches that follow each other closely in both texts."""
    chains: list[list[_Stretch]] = []
    open_chains: list[list[_Stretch]] = []
    for stretch in stretches:
        best, best_drift = None, 0
        for chain in open_chains:
            drift = _drift(chain[-1], stretch)
            if drift is not None and (best is None or drift < best_drift):
                best, best_drift = chain, drift
        if best is not None:
            best.append(stretch)
            continue
        open_chains = [
            chain for chain in open_chains if stretch.start - chain[-1].end <= GAP_WORDS_MAX
        ][-_OPEN_MAX + 1 :]
        open_chains.append([stretch])
        chains.append(open_chains[-1])
    return chains


def _drift(last: _Stretch, following: _Stretch) -> int | None:
    """Return by how many words the shift changes, None if ``following`` belongs elsewhere."""
    gap = following.start - last.end
    work_gap = gap + following.shift - last.shift
    drift = abs(following.shift - last.shift)
    if max(gap, work_gap) > GAP_WORDS_MAX or following.end <= last.end:
        return None
    if following.end + following.shift <= last.end + last.shift:
        return None
    return drift if drift <= _DRIFT_FREE + _DRIFT_SHARE * max(gap, work_gap, 0) else None


def _passage(item: Array, work: Array, chain: list[_Stretch]) -> Passage:
    parts = _filled(item, work, chain)
    equal_at: list[Array] = []  # words of the work: how much they say, the work decides
    equal_words = 0
    for part in parts:
        start, end = part.start + part.shift, part.end + part.shift
        same = _same(item[part.start : part.end], work[start:end])
        equal_words += int(same.sum())
        equal_at.append(start + np.flatnonzero(_in_runs(same)))
    at = np.concatenate(equal_at)
    pairs = work[at].astype(np.uint32) | work[np.maximum(at - 1, 0)].astype(np.uint32) << 16
    marks = np.unique(pairs)
    return Passage(
        parts[0].start,
        parts[-1].end,
        parts[0].start + parts[0].shift,
        parts[-1].end + parts[-1].shift,
        equal_words,
        float(WEIGHTS[marks & 3].sum()),
    )


def _same(left: Array, right: Array) -> Array:
    """Return where marks are of one word, one that says something in the work (``right``)."""
    same: Array = ((left ^ right) < 4) & ((right & 3) != 0)
    return same


def _in_runs(same: Array) -> Array:
    """Return which of the equal words stand in a run of ``_RUN_WORDS`` or more."""
    padded = np.concatenate(([False], same, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= _RUN_WORDS
    marks = np.zeros(len(same) + 1, np.int64)
    marks[starts[long]] += 1
    marks[ends[long]] -= 1
    inside: Array = np.cumsum(marks[:-1]) > 0
    return inside


def _filled(item: Array, work: Array, chain: list[_Stretch]) -> list[_Stretch]:
    """Return the chain with its gaps shared out between neighbours and its ends carried out."""
    parts = [_Stretch(one.shift, one.start, one.end) for one in chain]
    for before, after in pairwise(parts):
        if before.shift == after.shift:
            before.end = after.start
        else:
            before.end, after.start = _turn(item, work, before, after)
    parts[0].start = _carried(item, work, parts[0], parts[0].start, -1)
    parts[-1].end = _carried(item, work, parts[-1], parts[-1].end, 1)
    return [part for part in parts if part.end > part.start]


def _turn(item: Array, work: Array, before: _Stretch, after: _Stretch) -> tuple[int, int]:
    """Return where ``before`` ends and ``after`` starts, so that most words are equal."""
    backwards = max(0, before.shift - after.shift)  # words of the item that the work has not
    low = max(before.start, min(before.end, after.start - backwards))
    high = min(after.end, max(after.start, before.end + backwards))
    room = max(1, high - low - backwards)
    here = np.arange(low, low + room)
    one = _same_at(item, work, here, before.shift)
    two = _same_at(item, work, here + backwards, after.shift)
    gain = np.append(0, np.cumsum(one)) + np.append(np.cumsum(two[::-1])[::-1], 0)
    cut = low + int(np.argmax(gain))
    return cut, cut + backwards


def _same_at(item: Array, work: Array, at: Array, shift: int) -> Array:
    inside = (at >= 0) & (at < len(item)) & (at + shift >= 0) & (at + shift < len(work))
    same = np.zeros(len(at), bool)
    same[inside] = _same(item[at[inside]], work[at[inside] + shift])
    return same


def _carried(item: Array, work: Array, part: _Stretch, end: int, step: int) -> int:
    """Carry one end of a stretch outwards: +1 for each equal word, -1 for each other."""
    at = end + step * np.arange(_REACH_WORDS) + (0 if step > 0 else -1)
    at = at[(at >= 0) & (at < len(item)) & (at + part.shift >= 0) & (at + part.shift < len(work))]
    gain = np.cumsum(np.where(_same(item[at], work[at + part.shift]), 1, -1))
    if not len(gain) or gain.max() <= 0:
        return end
    return end + step * (int(np.argmax(gain)) + 1)


def _without_overlaps(found: list[Passage]) -> list[Passage]:
    """Leave out passages that lie inside a better one in the item and in the work's text."""
    kept: list[Passage] = []
    for one in found:
        if not any(_mostly_inside(one, better) for better in kept[:64]):
            kept.append(one)
    return kept


def _mostly_inside(one: Passage, better: Passage) -> bool:
    shared = min(one.item_end, better.item_end) - max(one.item_start, better.item_start)
    return 2 * shared > one.item_end - one.item_start
