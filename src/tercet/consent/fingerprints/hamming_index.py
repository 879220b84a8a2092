"""All 256-bit codes within a Hamming radius of a query: exact, by multi-index hashing.

Norouzi, Punjani, Fleet: "Fast Exact Search in Hamming Space with Multi-Index Hashing" (2014).
A code is cut into m slots. Two codes within radius r = m*s + a (0 <= a < m) agree in one of the
first a+1 slots up to s bits, or in one of the others up to s-1 bits, by the pigeonhole principle:
so looking up these few neighbours of each slot's value finds every code, and comparing the whole
codes leaves only the near ones. Small sets are compared one by one. docs/fingerprints/index.md.

`hamming_index.c` is compiled when Tercet is installed, if the machine has a C compiler.
`COMPILED` says so; without it numpy gives the same answers, slower.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from tercet.consent.fingerprints import hamming_index_plain as plain
from tercet.consent.fingerprints.fingerprint import CODE_BYTES

Array = np.ndarray[Any, np.dtype[Any]]

VERSION = 1
"""Of the permutation and the layout of the rows: what another version wrote is built anew."""

CODE_BITS = 8 * CODE_BYTES
SCAN_ENTRIES_MAX = 4096
"""Up to so many codes, comparing with each is as fast as looking up (bench/index.py)."""
MIDDLE_ENTRIES_MAX = 1_000_000
"""Beyond, eleven wide slots with two flipped bits meet fewer candidates (bench/index.py)."""
CANDIDATE_COST = 32
"""A looked-up bucket or candidate costs as much as so many codes of a scan: it is a random access
(8 to 24 ns, against 0.26 ns)."""
QUERIES_AT_ONCE = 512
PIECE_HITS = 1 << 18
KIND_MAX = 2
"""How bits may be counted: 0 plainly, 1 by the processor's popcnt, 2 by its AVX-512."""


def _load() -> ctypes.CDLL | None:
    place = Path(__file__).with_name("libhamming_index.so")
    try:
        return ctypes.CDLL(str(place))
    except OSError:
        return None


_library = _load()
COMPILED = _library is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """How codes are cut: ``slots`` of ``bits`` each; no slots: every code is compared."""

    slots: int
    bits: int


@dataclass(frozen=True, slots=True)
class HammingIndex:
    """Codes, uint8 (n, 32), and for each slot one row of uint32.

    A row is the 2**bits + 1 bounds of the buckets, then the n entries, bucket by bucket.
    """

    codes: Array
    rows: Array

    @property
    def plan(self) -> Plan:
        """Return how the codes are cut."""
        slots, width = self.rows.shape
        return Plan(slots, (width - 1 - len(self.codes)).bit_length() - 1 if slots else 0)


@dataclass(frozen=True, slots=True)
class Near:
    """Rows of queries and entries that are near each other, by query, then entry."""

    query: Array  # int64
    entry: Array  # int64
    distance: Array  # uint8


class DamagedIndexError(ValueError):
    """The rows of an index hold what no index holds: their bytes were changed."""


def plan_for(count: int) -> Plan:
    """Return the cut that is fastest for ``count`` codes."""
    if count <= SCAN_ENTRIES_MAX:
        return Plan(0, 0)
    if count <= MIDDLE_ENTRIES_MAX:
        return Plan(16, min(16, (count - 1).bit_length()))
    return Plan(11, min(23, (count - 1).bit_length()))


def rows_of(codes: Array, plan: Plan) -> Iterator[Array]:
    """Give the row of each slot, one after the other: memory for one row is enough."""
    for lookup in _lookups(plan):
        yield fill_row(_slot_values(codes, lookup), plan.bits)


def fill_row(values: Array, bits: int) -> Array:
    """Return 2**bits + 1 bounds of buckets, then the entries by their values' buckets, uint32.

    Entry i belongs to bucket ``values[i]``, uint32 below 2**bits.
    """
    row = np.empty((1 << bits) + 1 + len(values), np.uint32)
    if _library is None:
        plain.fill_row(values, row)
    else:
        _call("fill_row", len(values), values, 1 << bits, row)
    return row


def build(codes: Array, plan: Plan | None = None) -> HammingIndex:
    """Index codes, uint8 (n, 32), at most 2**32 - 1 of them."""
    codes = np.ascontiguousarray(codes, np.uint8)
    if codes.ndim != 2 or codes.shape[1] != CODE_BYTES or len(codes) >= 1 << 32:
        raise ValueError(f"expected fewer than 2**32 codes of {CODE_BYTES} bytes, {codes.shape=}")
    cut = plan_for(len(codes)) if plan is None else plan
    rows = np.empty((cut.slots, (1 << cut.bits) + 1 + len(codes)), np.uint32)
    for at, row in enumerate(rows_of(codes, cut)):
        rows[at] = row
    return HammingIndex(codes, rows)


def search(index: HammingIndex, queries: Array, radius: int) -> Near:
    """Return every pair of a query, uint8 (q, 32), and an entry at most ``radius`` bits apart.

    Exact for every radius. Raises DamagedIndexError.
    """
    return _joined(list(pieces(index, queries, radius)))


def pieces(index: HammingIndex, queries: Array, radius: int) -> Iterator[Near]:
    """Give what `search` returns in pieces, each of whole queries, in bounded memory.

    One piece holds the hits of some hundred queries, or those of one that has very many.
    """
    queries = np.ascontiguousarray(queries, np.uint8)
    if queries.shape[1:] != (CODE_BYTES,) or not 0 <= radius < CODE_BITS:
        raise ValueError(f"expected (q, 32) queries, a radius of 0..255: {queries.shape}, {radius}")
    if not len(index.codes):
        return
    flips = flips_of(radius, index.plan)
    pays = looking_up_pays(flips, index.plan, len(index.codes))
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        part = queries[start : start + QUERIES_AT_ONCE]
        near_part = _probe(index, part, radius, flips) if pays else _scan(index.codes, part, radius)
        for near in near_part:
            yield Near(near.query + start, near.entry, near.distance)


def flips_of(radius: int, plan: Plan) -> tuple[int, ...]:
    """Return how many bits may differ in each slot; -1: the slot need not be looked up."""
    most, rest = divmod(radius, max(1, plan.slots))
    return tuple(most if slot <= rest else most - 1 for slot in range(plan.slots))


def looking_up_pays(flips: tuple[int, ...], plan: Plan, count: int) -> bool:
    """Tell whether looking up costs less than comparing each of ``count`` codes."""
    probes = sum(_mask_count(plan.bits, flipped) for flipped in flips)
    candidates = probes * count >> plan.bits
    return plan.slots > 0 and (probes + candidates) * CANDIDATE_COST <= count


def _mask_count(bits: int, flips: int) -> int:
    return sum(comb(bits, count) for count in range(min(bits, flips) + 1))


def _probe(
    index: HammingIndex, queries: Array, radius: int, flips: tuple[int, ...]
) -> Iterator[Near]:
    """Look queries up; compare those with every code that have too many candidates."""
    plan = index.plan
    masks = _masks(plan.bits, max(flips))
    mask_counts = np.array([_mask_count(plan.bits, count) for count in flips], np.int64)
    values = np.stack([_slot_values(queries, lookup) for lookup in _lookups(plan)], axis=1)
    heavy = np.zeros(len(queries), np.uint8)
    candidates_max = len(index.codes) // CANDIDATE_COST
    looked_up = _probe_plain if _library is None else _probe_compiled
    for found in looked_up(
        index, queries, np.ascontiguousarray(values), masks, mask_counts, radius,
        candidates_max, heavy,
    ):  # fmt: skip
        if found is None:
            raise DamagedIndexError("bounds of buckets or entries in them are out of range")
        yield Near(*found)
    rest = np.flatnonzero(heavy)
    for near in _scan(index.codes, queries[rest], radius) if len(rest) else ():
        yield Near(rest[near.query], near.entry, near.distance)


def _probe_plain(
    index: HammingIndex, queries: Array, values: Array, masks: Array, mask_counts: Array,
    radius: int, candidates_max: int, heavy: Array,
) -> Iterator[plain.Found | None]:  # fmt: skip
    yield plain.probe(
        index.codes, index.rows, queries, values, masks, mask_counts, radius, candidates_max, heavy
    )


def _probe_compiled(
    index: HammingIndex, queries: Array, values: Array, masks: Array, mask_counts: Array,
    radius: int, candidates_max: int, heavy: Array,
) -> Iterator[plain.Found | None]:  # fmt: skip
    count, slots = len(index.codes), len(index.rows)
    capacity = max(PIECE_HITS, candidates_max)  # of one query, at least
    found = _room(capacity)
    runs = np.empty(2 * len(masks), np.uint32)
    candidates = np.empty(candidates_max + 1, np.uint32)
    seen = np.zeros(count // 64 + 1, np.uint64)
    hit_count = np.zeros(1, np.int64)
    row = 0
    while 0 <= row < len(queries):
        row = _call(
            "probe", KIND_MAX, count, index.codes, slots, 1 << index.plan.bits, index.rows, row,
            len(queries), queries, values, masks, mask_counts, radius, candidates_max, runs,
            candidates, seen, heavy, capacity, *found, hit_count,
        )  # fmt: skip
        yield None if row < 0 else _found(found, int(hit_count[0]))


def _scan(codes: Array, queries: Array, radius: int) -> Iterator[Near]:
    """Compare every query with every code; halve the queries while their hits do not fit."""
    if _library is None:
        yield Near(*plain.scan(codes, queries, radius))
        return
    capacity = PIECE_HITS if len(queries) > 1 else max(PIECE_HITS, len(codes))
    found = _room(capacity)
    count = _call(
        "scan", KIND_MAX, len(codes), codes, len(queries), queries, radius, capacity, *found
    )
    if count <= capacity:
        yield Near(*_found(found, count))
        return
    half = len(queries) // 2
    yield from _scan(codes, queries[:half], radius)
    for near in _scan(codes, queries[half:], radius):
        yield Near(near.query + half, near.entry, near.distance)


def _room(capacity: int) -> plain.Found:
    """Return arrays for so many hits: query, entry, distance."""
    kinds = (np.int32, np.uint32, np.uint8)
    query, entry, distance = (np.empty(capacity, kind) for kind in kinds)
    return query, entry, distance


def _found(room: plain.Found, count: int) -> plain.Found:
    return plain.ordered([(room[0][:count], room[1][:count], room[2][:count])])


def _joined(parts: list[Near]) -> Near:
    return Near(*plain.ordered([(part.query, part.entry, part.distance) for part in parts]))


def _slot_values(codes: Array, lookup: Array) -> Array:
    if _library is None:
        return plain.slot_values(codes, lookup)
    values = np.empty(len(codes), np.uint32)
    _call("slot_values", len(codes), codes, lookup, values)
    return values


@lru_cache(maxsize=8)
def permutation() -> tuple[int, ...]:
    """Return the order in which bits are dealt to the slots: fixed, and like a random one.

    Neighbouring bits of real codes depend on each other; buckets of permuted codes are as evenly
    filled as those of random codes.
    """
    return tuple(
        sorted(range(CODE_BITS), key=lambda bit: sha256(f"tercet bit {bit}".encode()).digest())
    )


@lru_cache(maxsize=32)
def _lookups(plan: Plan) -> Array:
    """Return for each slot and octet what each value of that octet gives, uint32 (m, 32, 256)."""
    lookups = np.zeros((plan.slots, CODE_BYTES, 256), np.uint32)
    octets = np.arange(256, dtype=np.uint32)
    width = CODE_BITS // plan.slots if plan.slots else 0
    for slot in range(plan.slots):
        for at, bit in enumerate(permutation()[slot * width : slot * width + plan.bits]):
            lookups[slot, bit // 8] |= (octets >> (7 - bit % 8) & 1) << np.uint32(at)
    return lookups


@lru_cache(maxsize=32)
def _masks(bits: int, flips: int) -> Array:
    """Return the numbers below 2**bits with at most ``flips`` bits set, fewest first, uint32."""
    masks = [
        sum(1 << bit for bit in chosen)
        for count in range(flips + 1)
        for chosen in combinations(range(bits), count)
    ]
    return np.array(masks, np.uint32)


def _call(name: str, *values: Any) -> int:
    """Call a compiled function: integers as int64, arrays by their address."""
    converted = [
        ctypes.c_void_p(value.ctypes.data)
        if isinstance(value, np.ndarray)
        else ctypes.c_int64(value)
        for value in values
    ]
    function = getattr(_library, name)
    function.restype = ctypes.c_int64
    return int(function(*converted))
