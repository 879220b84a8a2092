"""How the readings of one declaration join into its standing."""

from __future__ import annotations

import pytest

from tercet.consent.facts import Standing, join_readings

ALLOWS, DENIES, MAY_DENY = Standing.ALLOWS, Standing.DENIES, Standing.MAY_DENY
NONE, UNREADABLE = Standing.NONE, Standing.UNREADABLE


@pytest.mark.parametrize(
    ("readings", "fault", "joined"),
    [
        ([DENIES, DENIES], False, DENIES),  # a denial in every reading is certain
        ([DENIES, NONE], False, MAY_DENY),  # in some it is possible
        ([DENIES, ALLOWS], False, MAY_DENY),  # and then nothing is granted
        ([ALLOWS, ALLOWS], False, ALLOWS),
        ([ALLOWS, NONE], False, NONE),  # a grant needs every reading
        ([ALLOWS], True, UNREADABLE),  # a faulty text never grants
        ([DENIES], True, DENIES | UNREADABLE),  # but its denial stands
        ([NONE, NONE], False, NONE),
    ],
)
def test_readings_join(readings: list[int], fault: bool, joined: int) -> None:
    assert join_readings(readings, fault=fault) == joined


def test_conditions_of_all_readings_must_be_met() -> None:
    paid = Standing.CONDITIONAL | Standing.PAYMENT
    named = Standing.CONDITIONAL | Standing.ATTRIBUTION
    assert join_readings([paid, named], fault=False) == paid | named
