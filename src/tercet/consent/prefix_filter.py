"""A vectorised first look at paths: which rows might match a narrower rule of their rulebook.

Nine rows in ten match none, and asking Python about each would be the cost of the whole clearing.
The filter keeps, for every rulebook, the first octets of its patterns in one hashed bit set
(Bloom, 1970), and for patterns that begin with a wildcard a literal piece to look for. It may let
a row through for nothing; it never drops a row that matches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LENGTHS = (1, 2, 3, 4, 6, 8)
"""Prefix lengths looked up, in octets after the first slash; a rule uses the longest that fits."""

_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_ALWAYS, _EMPTY = 1, 2


@dataclass(frozen=True, slots=True)
class PrefixFilter:
    """Which rows might match a narrower rule of their rulebook.

    ``bits`` is the hashed set; ``modes`` marks rulebooks with rules that neither prefix nor
    piece can find, or that match the empty path; ``pieces`` are by rulebook the literal pieces
    of the patterns that begin with a wildcard: one of them must occur where such a rule matches.
    """

    bits: Array
    shift: np.uint64
    modes: Array
    pieces: dict[int, tuple[str, ...]]

    @classmethod
    def build(cls, patterns_of: Iterable[tuple[int, tuple[bytes, ...]]], size: int) -> PrefixFilter:
        """Build from (rulebook number, its narrow patterns) for rulebooks 0 .. size - 1."""
        modes = np.zeros(max(size, 1), dtype=np.uint8)
        pieces: dict[int, dict[str, None]] = {}
        books: list[int] = []
        words: list[int] = []
        lengths: list[int] = []
        for book, patterns in patterns_of:
            for pattern in patterns:
                length, word = _key(pattern)
                if length:
                    books.append(book)
                    words.append(word)
                    lengths.append(length)
                elif pattern == b"/$":
                    modes[book] |= _EMPTY
                elif pattern[:1] not in (b"/", b"*", b"$", b""):
                    continue  # no path begins so
                elif piece := _piece(pattern):
                    pieces.setdefault(book, {})[piece] = None
                else:
                    modes[book] |= _ALWAYS
        width = max(16, (len(books) * 16).bit_length())
        bits = np.zeros(1 << width, dtype=np.bool_)
        keys = np.array(words, dtype=np.uint64)
        salt = _salt(np.array(books, dtype=np.uint64), np.array(lengths, dtype=np.uint64))
        shift = np.uint64(64 - width)
        for slots in _two_slots(keys, salt, shift):
            bits[slots] = True
        return cls(bits, shift, modes, {book: tuple(found) for book, found in pieces.items()})

    def by_prefix(self, books: Array, words: Array, lengths: Array) -> Array:
        """Return which rows may match by their first octets.

        ``books`` are rulebook numbers, ``words`` the eight octets after the first slash as
        little-endian integers, ``lengths`` how many octets the path has there.
        """
        modes = self.modes[books]
        found: Array = (modes & _ALWAYS != 0) | ((modes & _EMPTY != 0) & (lengths == 0))
        known = books.astype(np.uint64)
        for length in LENGTHS:
            keys, salt = words & _MASKS[length], _salt(known, np.uint64(length))
            first = _mixed(keys, salt)
            likely = np.flatnonzero(self.bits[first >> self.shift] & (lengths >= length))
            second = _remixed(first[likely]) >> self.shift
            found[likely[self.bits[second]]] = True
        return found

    def by_piece(self, books: Array, paths: str, bounds: Array) -> Array:
        """Return which rows hold a piece that a rule of their rulebook needs.

        ``books`` are sorted; row i's path is ``paths[bounds[i]:bounds[i + 1]]``. A piece that
        lies across two rows lets the first one through.
        """
        found = np.zeros(len(books), dtype=np.bool_)
        edges = np.flatnonzero(np.diff(books, prepend=-1, append=-1))
        ends = bounds.tolist()
        for first, last in pairwise(edges.tolist()):
            for piece in self.pieces.get(int(books[first]), ()):
                at = paths.find(piece, ends[first], ends[last])
                while at >= 0:
                    row = bisect_right(ends, at, first, last) - 1
                    found[row] = True
                    at = paths.find(piece, ends[row + 1], ends[last])
        return found


def _salt(books: Array, length: Array | np.uint64) -> Array:
    with np.errstate(over="ignore"):
        salt: Array = (books * np.uint64(16) + length) * _MULTIPLIERS[1]
    return salt


def _mixed(words: Array, salt: Array) -> Array:
    with np.errstate(over="ignore"):
        mixed: Array = ((words ^ (words >> np.uint64(29))) * _MULTIPLIERS[0]) ^ salt
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MULTIPLIERS[0]
    return mixed


def _remixed(mixed: Array) -> Array:
    """Return a second, independent hash: two must be set, which squares the false ones away."""
    with np.errstate(over="ignore"):
        again: Array = (mixed ^ (mixed >> np.uint64(31))) * _MULTIPLIERS[1]
    return again


def _two_slots(words: Array, salt: Array, shift: np.uint64) -> tuple[Array, Array]:
    mixed = _mixed(words, salt)
    return mixed >> shift, _remixed(mixed) >> shift


def _key(pattern: bytes) -> tuple[int, int]:
    """Return (prefix length, prefix as an integer); length 0 when no prefix can find it."""
    literal = pattern.split(b"*", 1)[0].removesuffix(b"$")
    if not literal.startswith(b"/"):
        return 0, 0
    octets = literal[1:9]
    length = max((n for n in LENGTHS if n <= len(octets)), default=0)
    return length, int.from_bytes(octets[:length], "little")


def _piece(pattern: bytes) -> str:
    """Return the longest literal piece of a pattern with a wildcard, "" when it tells nothing."""
    if b"*" not in pattern:
        return ""
    piece = max(pattern.removesuffix(b"$").split(b"*"), key=len)
    return "" if piece == b"/" else piece.decode("latin-1")
