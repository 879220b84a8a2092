"""The functions of hamming_index.c in numpy: the same arrays in, the same hits out."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Found = tuple[Array, Array, Array]

_PAIRS_MAX = 1 << 20
"""Pairs of query and entry whose distances are computed at once: some 40 MB."""


def slot_values(codes: Array, lookup: Array) -> Array:
    """Return for each code the bits of one slot, uint32: ``lookup[b, v]`` is what octet b gives."""
    values = np.zeros(len(codes), np.uint32)
    for octet in range(codes.shape[1]):
        values |= lookup[octet][codes[:, octet]]
    return values


def fill_row(values: Array, row: Array) -> None:
    """Fill the row of one slot: the bounds of each bucket, then the entries bucket by bucket."""
    size = len(row) - len(values) - 1
    row[0] = 0
    row[1 : size + 1] = np.cumsum(np.bincount(values, minlength=size))
    row[size + 1 :] = np.argsort(values, kind="stable")


def distances(left: Array, right: Array) -> Array:
    """Return the Hamming distances of pairs of codes, uint16, broadcast as ``left ^ right``."""
    words = np.ascontiguousarray(left).view(np.uint64) ^ np.ascontiguousarray(right).view(np.uint64)
    apart: Array = np.bitwise_count(words).sum(axis=-1, dtype=np.uint16)
    return apart


def scan(codes: Array, queries: Array, radius: int) -> Found:
    """Compare every query with every code. Ordered by query, then entry."""
    step = max(1, _PAIRS_MAX // max(1, len(queries)))
    parts = []
    for start in range(0, len(codes), step):
        apart = distances(queries[:, None], codes[None, start : start + step])
        query, entry = np.nonzero(apart <= radius)
        parts.append((query, entry + start, apart[query, entry].astype(np.uint8)))
    return ordered(parts)


def probe(
    codes: Array, rows: Array, queries: Array, values: Array, masks: Array, mask_counts: Array,
    radius: int, candidates_max: int, heavy: Array,
) -> Found | None:  # fmt: skip
    """Look up every query in its buckets and compare it with what lies there.

    A query that has more than ``candidates_max`` candidates is marked in ``heavy`` instead. None:
    the rows are damaged.
    """
    step = max(1, _PAIRS_MAX // int(mask_counts.sum() + 1))
    parts = []
    for start in range(0, len(queries), step):
        bounds = _bounds(rows, len(codes), values[start : start + step], masks, mask_counts)
        if bounds is None:
            return None
        first, length = bounds
        total = length.sum(axis=1)
        heavy[start : start + step] = total > candidates_max
        for row in np.flatnonzero(total <= candidates_max).tolist():
            entry = np.unique(_members(rows.reshape(-1), first[row], length[row]))
            if len(entry) and entry[-1] >= len(codes):
                return None
            apart = distances(queries[start + row], codes[entry])
            near = apart <= radius
            query = np.full(np.count_nonzero(near), start + row, np.int64)
            parts.append((query, entry[near], apart[near].astype(np.uint8)))
    return ordered(parts)


def _bounds(
    rows: Array, count: int, values: Array, masks: Array, mask_counts: Array
) -> tuple[Array, Array] | None:
    """Return where the buckets of each query begin in the flat rows, and how long they are."""
    width = rows.shape[1]
    first, length = [], []
    for slot, mask_count in enumerate(mask_counts.tolist()):
        bucket = (values[:, slot, None] ^ masks[:mask_count]).astype(np.int64)
        low, high = (rows[slot][at].astype(np.int64) for at in (bucket, bucket + 1))
        if np.any(low > high) or np.any(high > count):
            return None
        first.append(low + (slot * width + width - count))
        length.append(high - low)
    return np.concatenate(first, axis=1), np.concatenate(length, axis=1)


def _members(flat: Array, first: Array, length: Array) -> Array:
    """Return what stands in the runs ``flat[first : first + length]``, one after the other."""
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    members: Array = flat[np.arange(total) + np.repeat(first - (ends - length), length)]
    return members.astype(np.int64)


def ordered(parts: list[Found]) -> Found:
    """Join hits, ordered by query, then entry."""
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    query, entry, apart = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((entry, query))
    return query[order].astype(np.int64), entry[order].astype(np.int64), apart[order]
