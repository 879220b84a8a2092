"""Searching within a Hamming radius finds what comparing everything finds; nothing more or less."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints import hamming_index
from tercet.consent.fingerprints.hamming_index import (
    DamagedIndexError,
    HammingIndex,
    Plan,
    build,
    flips_of,
    permutation,
    pieces,
    plan_for,
    search,
)

Array = np.ndarray[Any, np.dtype[Any]]
KINDS = {"plainly": 0, "popcnt": 1, "avx512": 2}
FIXTURE = settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture(autouse=True, params=["numpy", *KINDS])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(hamming_index, "_library", None)
        return
    if not hamming_index.COMPILED:
        pytest.skip("no C compiler was there when Tercet was installed")
    if KINDS[request.param] > hamming_index._call("counting_kind"):
        pytest.skip("this processor cannot")
    monkeypatch.setattr(hamming_index, "KIND_MAX", KINDS[request.param])


@pytest.fixture
def always_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets would be compared one by one: let them be looked up all the same."""
    monkeypatch.setattr(hamming_index, "looking_up_pays", lambda flips, plan, count: plan.slots)
    monkeypatch.setattr(hamming_index, "CANDIDATE_COST", 1)


def numbers(codes: Array) -> list[int]:
    return [int.from_bytes(code.tobytes(), "big") for code in codes]


def by_comparing(codes: Array, queries: Array, radius: int) -> list[tuple[int, int, int]]:
    entries = numbers(codes)
    return [
        (at, entry, apart)
        for at, query in enumerate(numbers(queries))
        for entry, code in enumerate(entries)
        if (apart := (query ^ code).bit_count()) <= radius
    ]


def triples(near: hamming_index.Near) -> list[tuple[int, int, int]]:
    columns = (near.query.tolist(), near.entry.tolist(), near.distance.tolist())
    return list(zip(*columns, strict=True))


def flipped(code: Array, bits: list[int]) -> Array:
    copy = code.copy()
    for bit in bits:
        copy[bit // 8] ^= 0x80 >> bit % 8
    return copy


@st.composite
def code_sets(draw: st.DrawFn) -> tuple[Array, Array]:
    """Codes and queries that are copies of a few, some bits apart: clusters and duplicates."""
    seeds = st.sampled_from([bytes(32), b"\xff" * 32, b"\x00\xff" * 16]) | st.binary(
        min_size=32, max_size=32
    )
    bases = [np.frombuffer(raw, np.uint8) for raw in draw(st.lists(seeds, min_size=1, max_size=3))]
    one = st.tuples(
        st.sampled_from(range(len(bases))), st.lists(st.integers(0, 255), max_size=45)
    ).map(lambda pair: flipped(bases[pair[0]], pair[1]))
    codes = draw(st.lists(one, max_size=40))
    queries = draw(st.lists(one, max_size=6))
    empty = np.zeros((0, 32), np.uint8)
    return np.concatenate([empty, *[code[None] for code in codes]]), np.concatenate(
        [empty, *[code[None] for code in queries]]
    )


plans = st.builds(Plan, st.sampled_from([11, 16]), st.integers(1, 9)) | st.just(Plan(0, 0))
radii = st.integers(0, 66) | st.sampled_from([23, 24, 31, 32, 33, 254, 255])


@FIXTURE
@given(code_sets(), plans, radii)
def test_all_that_is_near_is_found(
    always_looked_up: None, codes_queries: tuple[Array, Array], plan: Plan, radius: int
) -> None:
    codes, queries = codes_queries
    found = triples(search(build(codes, plan), queries, radius))
    assert found == by_comparing(codes, queries, radius)


@FIXTURE
@given(code_sets(), plans)
def test_compiled_and_plain_rows_are_the_same(
    codes_queries: tuple[Array, Array], plan: Plan
) -> None:
    codes, _ = codes_queries
    rows = build(codes, plan).rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming_index, "_library", None)
        assert np.array_equal(rows, build(codes, plan).rows)


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 4096, 4097, 20_000])
@pytest.mark.parametrize("radius", [0, 24, 31, 32, 40])
def test_every_size_as_it_is_planned(count: int, radius: int) -> None:
    random = np.random.default_rng(count)
    codes = random.integers(0, 256, (count, 32), dtype=np.uint8)
    queries = np.stack(
        [
            flipped(codes[random.integers(count)], random.permutation(256)[:apart].tolist())
            for apart in range(48)
        ]
    )
    apart = np.bitwise_count(queries[:, None] ^ codes[None, :: max(1, count // 512)]).sum(axis=2)
    index = build(codes)
    assert index.plan == plan_for(count)
    near = search(index, queries, radius)
    assert {row for row in range(48) if row <= radius} <= set(near.query.tolist())
    step = max(1, count // 512)
    sampled = near.entry % step == 0
    wanted = np.argwhere(apart <= radius)
    assert np.array_equal(
        np.stack([near.query[sampled], near.entry[sampled] // step], axis=1), wanted
    )


def test_one_bucket_that_eats_everything() -> None:
    """All codes share most bits, so buckets hold all of them: then each is compared, once."""
    random = np.random.default_rng(7)
    codes = np.zeros((9000, 32), np.uint8)
    codes[:, :3] = random.integers(0, 256, (9000, 3), dtype=np.uint8)
    queries = np.concatenate([codes[:5], flipped(codes[5], [200, 201, 202])[None]])
    index = build(codes, Plan(16, 13))
    assert triples(search(index, queries, 3)) == by_comparing(codes, queries, 3)


def test_a_million_equal_codes_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming_index, "PIECE_HITS", 1000)
    codes = np.zeros((5000, 32), np.uint8)
    queries = np.zeros((6, 32), np.uint8)
    index = build(codes)
    assert index.plan.slots
    sizes = [len(near.query) for near in pieces(index, queries, 31)]
    assert sum(sizes) == 6 * 5000
    if hamming_index._library is not None:
        assert max(sizes) == 5000
    assert np.array_equal(search(index, queries, 31).entry, np.tile(np.arange(5000), 6))


def test_many_hits_of_queries_that_are_looked_up(
    monkeypatch: pytest.MonkeyPatch, always_looked_up: None
) -> None:
    monkeypatch.setattr(hamming_index, "PIECE_HITS", 1)
    random = np.random.default_rng(3)
    codes = np.repeat(random.integers(0, 256, (40, 32), dtype=np.uint8), 5, axis=0)
    index = build(codes, Plan(16, 8))
    found = triples(search(index, codes[::5], 20))
    assert found == by_comparing(codes, codes[::5], 20)


@FIXTURE
@given(st.data())
@example(None)
def test_damaged_rows_never_lead_outside(always_looked_up: None, data: Any) -> None:
    """Whatever the rows hold, what is found is near, or the damage is told."""
    random = np.random.default_rng(1)
    codes = random.integers(0, 256, (300, 32), dtype=np.uint8)
    index = build(codes, Plan(16, 8))
    rows = index.rows.copy()
    if data is None:
        rows[:] = 0xFFFFFFFF
    else:
        for _ in range(data.draw(st.integers(1, 20))):
            at = data.draw(st.integers(0, rows.size - 1))
            rows.reshape(-1)[at] = data.draw(st.integers(0, 2**32 - 1) | st.integers(0, 300))
    try:
        found = triples(search(HammingIndex(codes, rows), codes[:20], 31))
    except DamagedIndexError:
        return
    assert set(found) <= set(by_comparing(codes, codes[:20], 31))


@given(st.integers(0, 255), st.sampled_from([11, 16]), st.randoms(use_true_random=False))
def test_any_spread_of_the_differences_leaves_a_slot_within_its_flips(
    radius: int, slots: int, random: Any
) -> None:
    """The pigeonhole principle, Norouzi et al., proposition 1 and corollary."""
    apart = [0] * slots
    for _ in range(radius):
        apart[random.randrange(slots)] += 1
    flips = flips_of(radius, Plan(slots, 16))
    assert any(count <= flip for count, flip in zip(apart, flips, strict=True))
    even = [flip + 1 for flip in flips]  # the dearest spread that would escape
    assert sum(even) == radius + 1


def test_the_permutation_and_the_rows_are_those_of_version_1() -> None:
    """Stored indexes rest on them: another order of bits needs another version."""
    assert sorted(permutation()) == list(range(256))
    assert hamming_index.VERSION == 1
    assert sha256(bytes(permutation())).hexdigest()[:16] == "e4534e5dbe34cf74"
    codes = np.arange(64 * 32, dtype=np.uint32).astype(np.uint8).reshape(64, 32)
    rows = build(codes, Plan(11, 6)).rows
    assert sha256(rows.tobytes()).hexdigest()[:16] == "8cde66c394b2aaf0"


@pytest.mark.parametrize(
    ("queries", "radius"),
    [(np.zeros((1, 31), np.uint8), 3), (np.zeros((1, 32), np.uint8), -1),
     (np.zeros((1, 32), np.uint8), 256)],
)  # fmt: skip
def test_what_cannot_be_asked(queries: Array, radius: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        search(build(np.zeros((1, 32), np.uint8)), queries, radius)
