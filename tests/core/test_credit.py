"""Shares of a million: nothing is created or lost in splitting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.credit import WHOLE_PARTS, split_parts
from tercet.core.errors import InputError

WEIGHTS = st.lists(st.integers(0, 10**18), min_size=1, max_size=60).filter(any)


@given(WEIGHTS)
def test_nothing_is_created_or_lost(weights: list[int]) -> None:
    assert sum(split_parts(weights)) == WHOLE_PARTS


@given(WEIGHTS)
def test_nobody_is_a_whole_part_away_from_what_is_due(weights: list[int]) -> None:
    """The quota rule, which the method of the largest remainder keeps."""
    total = sum(weights)
    for weight, share in zip(weights, split_parts(weights), strict=True):
        assert abs(share * total - weight * WHOLE_PARTS) < total


@given(WEIGHTS)
def test_more_pixels_never_give_a_smaller_share(weights: list[int]) -> None:
    shares = split_parts(weights)
    ordered = sorted(zip(weights, shares, strict=True))
    assert [share for _, share in ordered] == sorted(shares)


def test_hamiltons_own_example() -> None:
    """The textbook case: 100,000 votes, ten seats (Balinski and Young, Fair Representation)."""
    votes = [47_000, 16_000, 15_900, 12_000, 6_000, 3_100]
    assert split_parts(votes, 10) == (5, 2, 1, 1, 1, 0)


def test_ties_go_to_the_earlier() -> None:
    assert split_parts([1, 1, 1]) == (333_334, 333_333, 333_333)


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_nothing_to_split_by(weights: list[int]) -> None:
    with pytest.raises(InputError, match="one above zero"):
        split_parts(weights)
