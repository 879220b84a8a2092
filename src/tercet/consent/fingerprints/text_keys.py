"""The keys of a text: sampled n-grams of its words, and a mark for every word.

N-grams are sampled by winnowing (Schleimer, Wilkerson, Aiken 2003, "Winnowing: local algorithms
for document fingerprinting"): the least hash of every window of ``WINDOW`` n-grams is kept, so
any shared run of ``WINDOW + n - 1`` words shares a key, wherever it stands. Texts of a page or less
keep every n-gram, so that a short quotation meets all of what the longer text has kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tercet.consent.fingerprints.text_letters import mix
from tercet.consent.fingerprints.words import CHARACTER, HAN, WORD, Words

Array = np.ndarray[Any, np.dtype[Any]]

GRAM_WORDS, GRAM_IDEOGRAPHS, GRAM_SIGNS = 5, 8, 16
"""Words of one n-gram: of words; of text with ideographs; of kana, Thai, Khmer and their kin."""
IDEOGRAPHS_MIN = 3
"""Ideographs among 8 signs that make them say as much as 5 words; else 16 signs are taken."""
WINDOW = 4
"""N-grams of which one at least is kept: any shared run of 8 words shares a key."""
SHORT_WORDS = 512
"""Texts of up to so many words, about a page, keep all n-grams."""
SYMBOL_SHARE_MAX = 0.6
"""Symbols and digits for each word around a word above which it is code, a listing or a table:
1 to 2 % of the words of prose with citations and of user help, 7 % of a book on system
administration (measured on three such books)."""
_SURROUNDINGS = 8  # words on either side looked at for that
_REPEAT_REACH = 4  # a word that stood among the four before says nothing new

NOTHING, FAINT, HALF, FULL = range(4)
"""How much an equal word says: nothing (boilerplate), 1/4 (numbers, single letters, signs, what
stood just before, words of listings), 1/2 (up to three letters, ideographs), 1. In a comparison the
work's words decide, so nothing that is put into an item makes them say less."""
WEIGHTS = np.array([0.0, 0.25, 0.5, 1.0])
MARKS_A_KEY = 4

_BASE = 0x2545F4914F6CDD1D  # odd: nothing is lost by multiplying modulo 2^64
_NEVER = np.uint64(2**64 - 1)
_POWERS = {width: np.uint64(pow(_BASE, width, 1 << 64)) for width in (1, 2, 4, 8)}


class Grams(NamedTuple):
    """N-grams of a text: for each word where one begins, its hash and how many words it spans.

    ``telling``: it has enough words that say something.
    """

    hashes: Array  # uint64
    sizes: Array  # int64
    telling: Array  # bool


def grams_of(words: Words, weights: Array) -> Grams:
    """Return the n-gram that begins at each word; ``weights`` as `word_weights` gives them."""
    count = len(words)
    unspaced = _running(words.kinds >= CHARACTER)
    sizes = np.full(count, GRAM_WORDS, np.int64)
    if unspaced[-1]:
        signs = _within(unspaced, GRAM_WORDS) > 0
        sizes[signs] = GRAM_SIGNS
        ideographs = _within(_running(words.kinds == HAN), GRAM_IDEOGRAPHS)
        sizes[signs & (ideographs >= IDEOGRAPHS_MIN)] = GRAM_IDEOGRAPHS
    hashes = _rolled(words.hashes, sizes, bool(unspaced[-1]))
    saying = weights >= HALF
    if unspaced[-1]:
        saying |= (words.kinds == CHARACTER) & (weights >= FAINT)
    said = _running(saying)
    ends = np.arange(count) + sizes
    content = said[np.minimum(ends, count)] - said[:-1]
    telling = (ends <= count) & (2 * content > sizes)
    return Grams(hashes, sizes, telling)


def _running(flags: Array) -> Array:
    running = np.zeros(len(flags) + 1, np.int64)
    np.cumsum(flags, out=running[1:])
    return running


def _within(running: Array, reach: int) -> Array:
    """Return for each position how many of the next ``reach`` are flagged."""
    ends = np.minimum(np.arange(reach, len(running) - 1 + reach), len(running) - 1)
    return running[ends] - running[:-1]


def _rolled(hashes: Array, sizes: Array, unspaced: bool) -> Array:
    """Return the hash of the n-gram at each position; short at the end of the text."""
    doubled = [hashes]
    for width in (1, 2, 4, 8) if unspaced else (1, 2):
        doubled.append(doubled[-1] + _POWERS[width] * _ahead(doubled[-1], width))
    rolled = doubled[2] + _POWERS[4] * _ahead(hashes, 4)
    if unspaced:
        rolled = np.where(sizes == GRAM_IDEOGRAPHS, doubled[3], rolled)
        rolled = np.where(sizes == GRAM_SIGNS, doubled[4], rolled)
    return mix(rolled)


def _ahead(values: Array, by: int) -> Array:
    moved = np.zeros_like(values)
    moved[: max(0, len(values) - by)] = values[by:]
    return moved


def word_weights(words: Words) -> Array:
    """Return NOTHING, FAINT, HALF or FULL for each word."""
    weights = np.where(words.letters >= 4, FULL, HALF).astype(np.uint8)
    weights[words.letters <= 1] = FAINT
    weights[words.kinds != WORD] = FAINT
    weights[words.kinds == HAN] = HALF
    repeated = np.zeros(len(words), bool)
    for back in range(1, _REPEAT_REACH + 1):
        repeated[back:] |= words.hashes[back:] == words.hashes[:-back]
    weights[repeated & (words.kinds == WORD)] = FAINT
    return weights


def is_listing(words: Words) -> Array:
    """Return which words stand in code, listings or tables: among many symbols and digits."""
    at = np.arange(len(words))
    last = np.minimum(at + _SURROUNDINGS, len(words) - 1)
    first = np.maximum(at - _SURROUNDINGS, 0)
    between = words.symbols[last] - words.symbols[first]
    listed: Array = between > SYMBOL_SHARE_MAX * np.maximum(last - first, _SURROUNDINGS)
    return listed


def winnowed(grams: Grams, window: int = WINDOW, short_words: int = SHORT_WORDS) -> Array:
    """Return the positions of the n-grams that are kept, each hash once, in the text's order."""
    hashes = np.where(grams.telling, grams.hashes, _NEVER)
    count = len(hashes)
    kept = grams.telling
    if count > short_words:
        least = hashes.copy()
        for ahead in range(1, min(window, count)):
            np.minimum(least[:-ahead], hashes[ahead:], out=least[:-ahead])
        greatest = least.copy()
        for back in range(1, min(window, count)):
            np.maximum(greatest[back:], least[:-back], out=greatest[back:])
        kept = kept & (hashes == greatest)
    at = np.flatnonzero(kept)
    _, first = np.unique(hashes[at], return_index=True)
    return at[np.sort(first)]


def marks_of(words: Words, weights: Array) -> Array:
    """Return a uint16 for each word: 14 bits of its hash and how much it says."""
    low = (words.hashes & np.uint64(0x3FFF)).astype(np.uint16)
    return low << np.uint16(2) | weights.astype(np.uint16)
