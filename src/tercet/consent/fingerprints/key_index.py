"""Equal keys: uint64 keys in order, with the entries they stand for, found by bisection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """Keys in ascending order, uint64 (n,), and the entry of each, uint32 (n,)."""

    keys: Array
    entries: Array


def build(keys: Array) -> KeyIndex:
    """Index keys, uint64 (n,), fewer than 2**32 of them. Equal keys keep their order."""
    keys = np.asarray(keys)
    if keys.ndim != 1 or keys.dtype != np.uint64 or len(keys) >= 1 << 32:
        raise ValueError(f"expected fewer than 2**32 uint64 keys, got {keys.dtype} {keys.shape}")
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    return KeyIndex(keys[order], order)


def search(index: KeyIndex, queries: Array) -> tuple[Array, Array]:
    """Return (query row, entry), int64, of all that are equal: by query, then entry."""
    rows, first, count = runs(index, queries)
    return members(index, rows, first, count)


def runs(index: KeyIndex, queries: Array) -> tuple[Array, Array, Array]:
    """Return the rows of the queries that are there, where their run begins, and its length."""
    distinct, inverse = np.unique(np.asarray(queries, np.uint64), return_inverse=True)
    first = np.searchsorted(index.keys, distinct, side="left")
    count = np.searchsorted(index.keys, distinct, side="right") - first
    rows = np.flatnonzero(count[inverse])
    return rows, first[inverse[rows]], count[inverse[rows]]


def members(index: KeyIndex, rows: Array, first: Array, count: Array) -> tuple[Array, Array]:
    """Return (query row, entry) of runs: those of `runs`, or some of them."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    at = np.arange(total) + np.repeat(first - (ends - count), count)
    return np.repeat(rows, count), index.entries[at].astype(np.int64)
