"""How much of an item a work makes up: never more than it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.fingerprints.fingerprint import Region
from tercet.consent.fingerprints.regions import covers_per_mille, region_fields
from tercet.core.canonical import canonical_json

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
LARGER = ((-1.0, -1.0), (3.0, -1.0), (3.0, 3.0), (-1.0, 3.0))
MIRRORED = tuple((1 - x, y) for x, y in HALF)


@pytest.mark.parametrize(
    ("regions", "length", "expected"),
    [
        ([], 0, 0),
        ([Region(quad=WHOLE)], 0, 1000),
        ([Region(quad=HALF)], 0, 500),
        ([Region(quad=HALF), Region(quad=HALF)], 0, 500),
        ([Region(quad=HALF), Region(quad=MIRRORED)], 0, 1000),
        ([Region(quad=LARGER)], 0, 1000),  # the item shows a part of the work
        ([Region(start_s=0.0, end_s=5.0)], 10, 500),
        ([Region(start_s=0.0, end_s=5.0), Region(start_s=4.0, end_s=6.0)], 10, 600),
        ([Region(start_s=-3.0, end_s=99.0)], 10, 1000),
        ([Region(quad=HALF, start_s=0.0, end_s=5.0)], 10, 250),
        ([Region(quad=HALF, start_s=0.0, end_s=10.0), Region(quad=MIRRORED, start_s=5.0,
                                                             end_s=10.0)], 10, 750),
        ([Region(start_character=10, end_character=20)], 40, 250),
        ([Region(start_s=5.0, end_s=1.0)], 10, 0),
    ],
)  # fmt: skip
def test_by_hand(regions: list[Region], length: float, expected: int) -> None:
    assert covers_per_mille(regions, length) == pytest.approx(expected, abs=1)


ranges = st.tuples(st.floats(-5, 40), st.floats(-5, 40)).map(
    lambda pair: Region(start_s=min(pair), end_s=max(pair))
)


@given(st.lists(ranges, max_size=6), st.lists(ranges, max_size=3), st.floats(0.1, 40))
def test_more_regions_never_cover_less(
    some: list[Region], more: list[Region], length: float
) -> None:
    fewer, all_of_them = covers_per_mille(some, length), covers_per_mille(some + more, length)
    assert 0 <= fewer <= all_of_them + 1 <= 1001


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**40),
)
def test_fields_are_canonical_and_say_where(x: float, start_s: float, character: int) -> None:
    region = Region(((x, 0.25),) * 4, start_s, start_s, character, character + 7)
    fields = json.loads(canonical_json(region_fields(region)))
    assert fields["end_character"] - fields["start_character"] == 7
    assert fields["quad_per_mille"][0][1] == 250
    assert region_fields(Region()) == {}
