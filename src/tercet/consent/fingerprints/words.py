"""A text as words: folded, hashed, each with its place in the text. Any script, one numpy pass.

Words of scripts with spaces are runs of letters and digits; in scripts without spaces each
character is a word. The hash of a word is a sum over its letters, each weighed by its position;
marks weigh as their base letter does, so the order in which marks were typed does not matter and
composed and decomposed text (NFC, NFD) are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from tercet.consent.fingerprints.text_letters import (
    DIGIT,
    IDEOGRAPH,
    SEPARATOR,
    SIGN,
    SIGN_MARK,
    TABLE_SIZE,
    TRANSPARENT,
    letter_table,
    mix,
)

Array = np.ndarray[Any, np.dtype[Any]]

WORD, NUMBER, CHARACTER, HAN = range(4)
"""Kinds of words: letters; with a digit in it; one sign of an unspaced script; one ideograph."""

_POSITION_MAX = 63  # letters of a longer word weigh as its 64th: no word of a language has more
_WEIGHTS = mix(np.arange(1, _POSITION_MAX + 2, dtype=np.uint64) * np.uint64(0x9E37)) | np.uint64(1)
_HYPHENS = "-\u2010\u00ad"
_BREAKS = tuple(hyphen + end for hyphen in _HYPHENS for end in "\n\r")
_BROKEN_LINE = re.compile(rf"(?<=[^\W\d_])[{_HYPHENS}]\r?\n[ \t]*(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, in order, as arrays of equal length.

    ``hashes`` uint64, ``starts`` and ``ends`` int64 (code points, half-open), ``kinds`` uint8,
    ``letters`` int32 (how many letters a word has), ``symbols`` int32: how many characters of the
    kind that listings are full of stand before a word's end, counted from the text's beginning.
    """

    hashes: Array
    starts: Array
    ends: Array
    kinds: Array
    letters: Array
    symbols: Array

    def __len__(self) -> int:
        return len(self.hashes)


def words_of(text: str) -> Words:
    """Return the words of ``text``. Total, linear."""
    table = letter_table()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    index, astral = codes.astype(np.intp), None  # numpy looks up by intp fastest
    if not text.isascii() and len(codes) and int(codes.max()) >= TABLE_SIZE:
        astral = (codes >= TABLE_SIZE) & (codes < 0x40000)
        index = np.where(codes < TABLE_SIZE, codes, ord("一" if astral.any() else " "))
        index = np.where((codes >= TABLE_SIZE) & ~astral, 0x200B, index)
    kind = table.kind[index]
    if any(broken in text for broken in _BREAKS):
        for broken in _BROKEN_LINE.finditer(text):
            kind[broken.start() : broken.end()] = TRANSPARENT
    place = np.flatnonzero(kind != TRANSPARENT)
    seen = kind[place]
    before = np.empty_like(seen)
    before[:1], before[1:] = SEPARATOR, seen[:-1]
    part = seen > TRANSPARENT
    begins = (before <= TRANSPARENT) | (seen >= SIGN)
    begins |= (before >= SIGN_MARK) & (seen != SIGN_MARK)
    place, seen, begins = place[part], seen[part], begins[part]
    first = np.flatnonzero(begins)
    if not len(first):
        nothing = np.zeros(0, np.int64)
        return Words(nothing.astype(np.uint64), nothing, nothing, nothing, nothing, nothing)
    ends = np.empty(len(first), np.int64)
    ends[:-1], ends[-1:] = place[first[1:] - 1] + 1, place[-1:] + 1
    letter = index[place]
    hashes, letters = _hashes(letter, first, codes[place] if astral is not None else None)
    top = np.maximum.reduceat(seen, first)
    kinds = np.full(len(first), WORD, np.uint8)
    kinds[(top == SIGN) | (top == SIGN_MARK)] = CHARACTER
    kinds[top == IDEOGRAPH] = HAN
    kinds[top == DIGIT] = NUMBER
    symbols = np.cumsum(table.symbol[index], dtype=np.int32)[ends - 1]
    return Words(hashes, place[first], ends, kinds, letters, symbols)


def _hashes(letter: Array, first: Array, astral: Array | None) -> tuple[Array, Array]:
    """Return the hash and the number of letters of each word."""
    table = letter_table()
    count = table.count[letter]
    at = table.first[letter]
    if int(count.max()) > 1:  # some code points are folded to several letters
        shift = np.cumsum(count, dtype=np.int64) - count
        source = np.repeat(np.arange(len(letter)), count)
        at = at[source] + (np.arange(len(source)) - shift[source])
        first = shift[first]
        astral = None if astral is None else astral[source]
    mixed, base = table.mixed[at], table.base[at]
    if astral is not None:
        mixed = np.where(astral >= TABLE_SIZE, mix(astral.astype(np.uint64)), mixed)
    counted = np.cumsum(base, dtype=np.int32)
    last = np.empty_like(first)
    last[:-1], last[-1:] = first[1:] - 1, len(base) - 1
    before = counted[first] - base[first]
    position = counted - np.repeat(before + 1, last - first + 1)
    if int(position.min()) < 0 or int(position.max()) > _POSITION_MAX:
        position = np.clip(position, 0, _POSITION_MAX)
    hashes = mix(np.add.reduceat(mixed * _WEIGHTS[position], first))
    return hashes, counted[last] - before
