"""Text: sampled n-grams find a work, words laid beside each other verify it and bound the passage.

Tracks: ``grams`` (indexed, uint64) with the place (word); ``words`` (stored only): a key holds the
marks of four words, 16 bits each, its place the first character of the first of them, the
distances to the other three (8 bits each) and the lengths of the four (6 bits each), as whole
numbers. The extent is (characters, words).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tercet.consent.fingerprints.fingerprint import (
    Band,
    Fingerprint,
    Hits,
    Match,
    Region,
    Track,
    UndecodableError,
    Unfit,
)
from tercet.consent.fingerprints.text_alignment import Passage, joined, passages
from tercet.consent.fingerprints.text_boilerplate import boilerplate_words
from tercet.consent.fingerprints.text_keys import (
    FAINT,
    GRAM_WORDS,
    MARKS_A_KEY,
    NOTHING,
    WEIGHTS,
    grams_of,
    is_listing,
    marks_of,
    winnowed,
    word_weights,
)
from tercet.consent.fingerprints.text_sharing import without_shared
from tercet.consent.fingerprints.words import Words, words_of
from tercet.core.work import Medium

Array = np.ndarray[Any, np.dtype[Any]]

NAME = "text-1"
CHARACTERS_MAX = 1 << 23
"""Longer texts are refused: they take 0.6 GB and 1.3 s. The Bible has 4.3 million characters. (The
places are float32, exact up to twice as many.)"""
WORDS_MIN = 12
"""Texts of fewer words claim nothing: a title or a saying is anybody's."""
EVIDENCE_MIN = 8.0
"""A text whose distinct words weigh less can never be found with certainty: it claims nothing."""
GRAMS_MIN = 6
COMMON_SHARE_MIN, OWN_RUN_WORDS_MIN, OWN_WORDS_MIN = 0.4, 20, 50
"""A text of which so great a share is a licence or another text in the list, with fewer than 50
words in runs of 20 beside it, is boilerplate. With 50 it is not, however much boilerplate is
appended: an excerpt of that length must be found."""
CANDIDATES_MAX = 64
WORKS_A_GRAM_MAX = 50
"""A phrase in more registered works is a common one. Not fewer: whoever registers as many texts
around somebody's passage would make it common."""

CERTAIN_EVIDENCE, LIKELY_EVIDENCE, POSSIBLE_EVIDENCE = 24.0, 12.0, 8.0
PASSAGE_EVIDENCE_MIN = 6.0
PASSAGES_MAX = 256
WHOLE_SHARE_MIN, CHANGED_SHARE_MIN = 0.8, 0.02  # when an edit is worth naming


def fingerprint(text: str) -> Fingerprint:
    """Return the fingerprint of ``text``; raises UndecodableError beyond CHARACTERS_MAX."""
    if len(text) > CHARACTERS_MAX:
        message = f"expected a text of at most {CHARACTERS_MAX:,} characters, got {len(text):,}"
        raise UndecodableError(message, hint="register its chapters as works of their own")
    words = words_of(text)
    extent = (float(len(text)), float(len(words)))
    if len(words) < WORDS_MIN:
        return _unfit(extent, Unfit.TOO_SHORT if len(words) else Unfit.BLANK)
    weights = word_weights(words)
    grams = grams_of(words, weights)
    common = boilerplate_words(grams)
    if common is not None:
        weights[common] = NOTHING
        grams.telling[common] = False
        if _is_boilerplate(common):
            return _unfit(extent, Unfit.BOILERPLATE)
    kept = winnowed(grams)
    marks = marks_of(words, weights)
    worth = float(WEIGHTS[np.unique(marks) & 3].sum())
    marks = marks_of(words, np.where(is_listing(words), np.minimum(weights, FAINT), weights))
    if len(kept) < GRAMS_MIN or worth < EVIDENCE_MIN:
        return _unfit(extent, Unfit.LOW_TEXTURE)
    places = kept.astype(np.float32).reshape(-1, 1)
    tracks = {"grams": Track(grams.hashes[kept], places), "words": _packed(words, marks)}
    return Fingerprint(NAME, tracks, extent)


def _is_boilerplate(common: Array) -> bool:
    """Whether too little is left beside what everybody may repeat."""
    if common.mean() < COMMON_SHARE_MIN:
        return False
    edges = np.flatnonzero(np.diff(common, prepend=True, append=True))
    own = np.diff(edges)[::2]
    left = int(own[own >= OWN_RUN_WORDS_MIN].sum())
    return left < OWN_WORDS_MIN


def _unfit(extent: tuple[float, ...], reason: Unfit) -> Fingerprint:
    nothing = Track(np.zeros(0, np.uint64), np.zeros((0, 1), np.float32))
    nowhere = Track(np.zeros(0, np.uint64), np.zeros((0, 3), np.float32))
    return Fingerprint(NAME, {"grams": nothing, "words": nowhere}, extent, (reason,))


def _packed(words: Words, marks: Array) -> Track:
    count = len(words)
    room = -count % MARKS_A_KEY
    keys = np.append(marks, np.zeros(room, np.uint16)).astype("<u2").view("<u8").astype(np.uint64)
    starts = np.append(words.starts, np.full(room, words.starts[-1])).reshape(-1, MARKS_A_KEY)
    ends = np.append(words.ends, np.full(room, words.starts[-1])).reshape(-1, MARKS_A_KEY)
    steps = np.minimum(np.diff(starts, axis=1), 255)
    sizes = np.minimum(ends - starts, 63)
    places = np.stack(
        [starts[:, 0], steps @ [65536, 256, 1], sizes @ [1 << 18, 1 << 12, 64, 1]], axis=1
    )
    return Track(keys, places.astype(np.float32))


def _marks(stored: Fingerprint) -> Array:
    """Return the marks of the words, one uint16 each."""
    keys = np.ascontiguousarray(stored.tracks["words"].keys, dtype="<u8")
    return keys.view("<u2")[: int(stored.extent[1])]


def _characters(stored: Fingerprint, start: int, end: int) -> tuple[int, int]:
    """Return the characters that words ``start`` to ``end`` (half-open) take."""
    places = stored.tracks["words"].places
    return _bounds(places, start)[0], _bounds(places, end - 1)[1]


def _bounds(places: Array, word: int) -> tuple[int, int]:
    first, steps, sizes = (int(value) for value in places[word // MARKS_A_KEY])
    nth = word % MARKS_A_KEY
    distance = sum((steps >> 8 * (2 - step)) & 255 for step in range(nth))
    return first + distance, first + distance + ((sizes >> 6 * (3 - nth)) & 63)


@dataclass(frozen=True, slots=True)
class TextMethod:
    """How texts are recognised."""

    name: str = NAME
    medium: Medium = Medium.TEXT

    @property
    def radii(self) -> Mapping[str, int]:
        """N-grams are found when equal."""
        return {"grams": 0}

    @property
    def work_count_max(self) -> Mapping[str, int]:
        """Phrases in more works than this are common ones."""
        return {"grams": WORKS_A_GRAM_MAX}

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works that share n-grams, those first that share most rare ones."""
        found = hits.get("grams")
        if found is None or not len(found):
            return []
        shared = np.bincount(found.query)[found.query]
        works, number = np.unique(found.work, return_inverse=True)
        votes = np.bincount(number, weights=1.0 / shared)
        order = np.argsort(-votes, kind="stable")[:CANDIDATES_MAX]
        return [int(work) for work in works[order]]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Lay the texts beside each other where they share n-grams."""
        mine, theirs = query.tracks["grams"], stored.tracks["grams"]
        _, at, work_at = np.intersect1d(
            mine.keys, theirs.keys, assume_unique=True, return_indices=True
        )
        if not len(at):
            return None
        item_at = mine.places[at, 0].astype(np.int64)
        work_place = theirs.places[work_at, 0].astype(np.int64)
        found = passages(_marks(query), _marks(stored), item_at, work_place, GRAM_WORDS)
        found = [one for one in found if one.evidence >= PASSAGE_EVIDENCE_MIN]
        score = sum(one.evidence for one in found[:1]) + sum(
            one.evidence - PASSAGE_EVIDENCE_MIN for one in found[1:]
        )
        if score < POSSIBLE_EVIDENCE:
            return None
        return _match(query, work, stored, found, score)

    def settle(self, matches: Sequence[Match], owners: Mapping[int, frozenset[str]]) -> list[Match]:
        """Return one item's matches, those that several owners' works explain no longer certain.

        ``owners`` gives the owners of each matched work.
        """
        return without_shared(matches, owners, CERTAIN_EVIDENCE)


def _match(
    query: Fingerprint, work: int, stored: Fingerprint, found: list[Passage], score: float
) -> Match:
    band = Band.POSSIBLE
    if score >= LIKELY_EVIDENCE:
        band = Band.CERTAIN if score >= CERTAIN_EVIDENCE else Band.LIKELY
    pairs = tuple(
        (
            _region(query, one.item_start, one.item_end),
            _region(stored, one.work_start, one.work_end),
        )
        for one in joined(found[:PASSAGES_MAX])
    )
    return Match(
        work, NAME, band, round(score, 2), "distinct words", pairs, _edits(query, stored, found),
        {"passages": len(found), "equal_words": sum(one.equal_words for one in found)},
    )  # fmt: skip


def _region(of: Fingerprint, start: int, end: int) -> Region:
    first, last = _characters(of, start, end)
    return Region(start_character=first, end_character=last)


def _edits(query: Fingerprint, stored: Fingerprint, found: list[Passage]) -> tuple[str, ...]:
    """Name what was done to the work, in plain words."""
    in_work = sum(one.work_end - one.work_start for one in found)
    in_item = sum(one.item_end - one.item_start for one in found)
    equal = sum(one.equal_words for one in found)
    changed = 1 - equal / max(in_work, in_item, 1)
    edits = []
    if in_work < WHOLE_SHARE_MIN * stored.extent[1]:
        edits.append("excerpt")
    if in_item < WHOLE_SHARE_MIN * query.extent[1]:
        edits.append("inside other text")
    found = [one for one in found if one.evidence >= POSSIBLE_EVIDENCE]
    by_item = sorted(found, key=lambda one: one.item_start)
    if any(a.work_start > b.work_start for a, b in pairwise(by_item)):
        edits.append("reordered")
    if changed >= CHANGED_SHARE_MIN:
        edits.append(f"words changed {100 * changed:.0f} %")
    return tuple(sorted(edits))


METHOD = TextMethod()
