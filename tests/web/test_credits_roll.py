"""The credits of a page: nobody is lost, the largest stand first, and the page stays a page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.credit import WHOLE_PARTS
from tercet.web.credits_roll import FIRST_MAX, REST_MAX, WORKS_MAX, credits_roll, share_text


def line(at: int, owner: str, parts: int, method: str = "equal") -> dict[str, Any]:
    return {
        "work": f"{at:064x}", "title": f"Work {at}", "owner": owner, "licence": "public domain",
        "share_parts": parts, "method": method,
    }  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5000)), max_size=600))
def test_everybody_is_counted(owned: list[tuple[int, int]]) -> None:
    listed = [line(at, f"owner {owner}", parts) for at, (owner, parts) in enumerate(owned)]
    roll = credits_roll({"credits": listed}, "/credits.json")
    owners = {owner for owner, _ in owned}
    assert roll.owner_count == len(owners)
    assert roll.work_count == len(owned)
    assert len(roll.first) + len(roll.rest) + roll.left_out == len(owners)
    assert len(roll.first) <= FIRST_MAX
    assert len(roll.rest) <= REST_MAX
    shares = [each.share_parts for each in (*roll.first, *roll.rest)]
    assert shares == sorted(shares, reverse=True)
    assert all(len(each.works) <= WORKS_MAX for each in (*roll.first, *roll.rest))
    if not roll.left_out:
        assert sum(shares) == sum(parts for _, parts in owned)
        assert sum(each.work_count for each in (*roll.first, *roll.rest)) == len(owned)


def test_nobody_known_is_said_and_not_left_blank() -> None:
    roll = credits_roll({"credits": []}, "/credits.json")
    assert "nobody can be credited" in roll.method
    assert roll.owner_count == 0


@pytest.mark.parametrize(
    ("parts", "text"),
    [(WHOLE_PARTS, "100 %"), (410_000, "41 %"), (7_000, "0.7 %"), (999, "below 0.1 %"), (0, "0 %")],
)
def test_shares_in_words(parts: int, text: str) -> None:
    assert share_text(parts) == text


def test_long_names_and_unknown_methods() -> None:
    roll = credits_roll({"credits": [line(1, "o" * 5000, WHOLE_PARTS, "shapley")]}, "")
    assert len(roll.first[0].owner) == 200
    assert "shapley" in roll.method
    assert credits_roll({"credits": [line(1, "", 1)]}, "").first[0].owner == "unnamed"
