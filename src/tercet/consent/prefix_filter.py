"""A vectorised first look at paths: which rows might match a narrower rule of their rulebook.

Nine rows in ten match none, and asking Python about each would be the cost of the whole clearing.
The filter keeps, for every rulebook, the first octets of its literal patterns in one hashed bit
set (Bloom, 1970). It may let a row through for nothing; it never drops a row that matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LENGTHS = (1, 2, 3, 4, 6, 8)
"""Prefix lengths looked up, in octets after the first slash; a rule uses the longest that fits."""

_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_ALWAYS, _WITH_QUERY = 1, 2


@dataclass(frozen=True, slots=True)
class PrefixFilter:
    """``bits`` is the hashed set, ``modes`` tells rulebooks with rules no prefix can find."""

    bits: Array
    shift: np.uint64
    modes: Array

    @classmethod
    def build(cls, patterns_of: Iterable[tuple[int, tuple[bytes, ...]]], size: int) -> PrefixFilter:
        """Build from (rulebook number, its narrow patterns) for rulebooks 0 .. size - 1."""
        modes = np.zeros(max(size, 1), dtype=np.uint8)
        books: list[int] = []
        words: list[int] = []
        lengths: list[int] = []
        for book, patterns in patterns_of:
            for pattern in patterns:
                length, word = _key(pattern)
                if length == 0:
                    modes[book] |= _WITH_QUERY if b"?" in pattern else _ALWAYS
                    continue
                books.append(book)
                words.append(word)
                lengths.append(length)
        width = max(16, (len(books) * 16).bit_length())
        bits = np.zeros(1 << width, dtype=np.bool_)
        shift = np.uint64(64 - width)
        slots = _slots(
            np.array(words, dtype=np.uint64),
            np.array(books, dtype=np.uint64),
            np.array(lengths, dtype=np.uint64),
            shift,
        )
        bits[slots] = True
        return cls(bits, shift, modes)

    def candidates(self, books: Array, words: Array, lengths: Array, with_query: Array) -> Array:
        """Return which rows need an exact look.

        ``books`` are rulebook numbers, ``words`` the eight octets after the first slash as
        little-endian integers, ``lengths`` how many octets the path has there, ``with_query``
        whether there is a question mark.
        """
        modes = self.modes[books]
        found: Array = (modes & _ALWAYS != 0) | ((modes & _WITH_QUERY != 0) & with_query)
        salt = books.astype(np.uint64)
        for length in LENGTHS:
            slots = _slots(words & _MASKS[length], salt, np.uint64(length), self.shift)
            found |= self.bits[slots] & (lengths >= length)
        return found


def _slots(words: Array, books: Array, length: Array | np.uint64, shift: np.uint64) -> Array:
    with np.errstate(over="ignore"):
        mixed = (words ^ (words >> np.uint64(29))) * _MULTIPLIERS[0]
        mixed ^= (books * np.uint64(16) + length) * _MULTIPLIERS[1]
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MULTIPLIERS[0]
    slots: Array = mixed >> shift
    return slots


def _key(pattern: bytes) -> tuple[int, int]:
    """Return (prefix length, prefix as an integer); length 0 when no prefix can find it."""
    literal = pattern.split(b"*", 1)[0].removesuffix(b"$")
    if not literal.startswith(b"/"):
        return 0, 0
    octets = literal[1:9]
    length = max((n for n in LENGTHS if n <= len(octets)), default=0)
    return length, int.from_bytes(octets[:length], "little")
