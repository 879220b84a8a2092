"""Equal keys: entries in buckets by a few mixed bits of their uint64 key, compared in full.

One table of the kind `hamming_index` has, a few bytes an entry; nothing is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tercet.consent.fingerprints.hamming_index import DamagedIndexError, fill_row

Array = np.ndarray[Any, np.dtype[Any]]

VERSION = 1
"""Of the mixing and the layout of the row."""
BITS_MAX = 26
PIECE_ENTRIES = 1 << 18
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: Knuth, TAOCP 3, 6.4


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """Keys, uint64 (n,), and a row: 2**bits + 1 bounds of buckets, then the n entries, uint32."""

    keys: Array
    row: Array


def build(keys: Array) -> KeyIndex:
    """Index keys, uint64 (n,), fewer than 2**32 of them."""
    keys = np.asarray(keys)
    if keys.ndim != 1 or keys.dtype != np.uint64 or len(keys) >= 1 << 32:
        raise ValueError(f"expected fewer than 2**32 uint64 keys, got {keys.dtype} {keys.shape}")
    return KeyIndex(keys, row_of(keys))


def row_of(keys: Array) -> Array:
    """Return the row of a table over ``keys``."""
    bits = max(1, min(BITS_MAX, len(keys).bit_length()))
    return fill_row(_buckets(keys, bits).astype(np.uint32), bits)


def search(index: KeyIndex, queries: Array) -> tuple[Array, Array]:
    """Return (query row, entry), int64, of all that are equal: by query, then entry."""
    none = np.zeros(0, np.int64)
    found = [(none, none), *pieces(index, queries)]
    return np.concatenate([rows for rows, _ in found]), np.concatenate([at for _, at in found])


def pieces(index: KeyIndex, queries: Array) -> Iterator[tuple[Array, Array]]:
    """Give what `search` returns in pieces of whole queries, in bounded memory.

    One piece comes from about a quarter of a million entries, or from one query that has more.
    Raises DamagedIndexError.
    """
    count = len(index.keys)
    size = len(index.row) - count - 1
    buckets = _buckets(np.ascontiguousarray(queries, np.uint64), size.bit_length() - 1)
    low, high = (index.row[at].astype(np.int64) for at in (buckets, buckets + 1))
    if np.any(low > high) or np.any(high > count):
        raise DamagedIndexError("bounds of buckets are out of range")
    ends = np.cumsum(high - low)
    first = 0
    while first < len(queries):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + PIECE_ENTRIES, side="right")))
        rows = np.arange(first, last)
        yield _equal(index, queries, rows, low[rows] + size + 1, (high - low)[rows])
        first = last


def _equal(
    index: KeyIndex, queries: Array, rows: Array, first: Array, length: Array
) -> tuple[Array, Array]:
    """Return those entries in the buckets of ``rows`` whose keys are equal to the queries'."""
    ends = np.cumsum(length)
    at = np.arange(int(ends[-1])) + np.repeat(first - (ends - length), length)
    entry, query = index.row[at].astype(np.int64), np.repeat(rows, length)
    if len(entry) and int(entry.max()) >= len(index.keys):
        raise DamagedIndexError("entries in buckets are out of range")
    equal = index.keys[entry] == queries[query]
    return query[equal], entry[equal]


def _buckets(keys: Array, bits: int) -> Array:
    """Return the bucket of each key, int64: the uppermost bits of its product with _MIX."""
    mixed: Array = (keys ^ keys >> np.uint64(32)) * _MIX >> np.uint64(64 - bits)
    return mixed.astype(np.int64)
