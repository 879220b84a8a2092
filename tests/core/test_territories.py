"""Countries and currencies against what the Unicode CLDR says of them, by babel."""

from __future__ import annotations

from datetime import date

from babel import Locale
from babel.core import get_global

from tercet.core.currencies import CURRENCIES
from tercet.core.territories import TERRITORIES

STATE = date(2026, 11, 22)
NOT_ASSIGNED = {  # two letters that CLDR names and ISO 3166-1 does not assign
    "AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ",
}  # fmt: skip
NOT_PAID_WITH = {"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "X" * 3}  # funds, none
WITHDRAWN_LATER_THAN_CLDR_KNOWS = {"BGN"}  # Bulgaria pays in euro since 2026-01-01


def test_every_country_is_one_that_cldr_names() -> None:
    named = {code for code in Locale("en").territories if len(code) == 2 and code.isalpha()}
    assert len(TERRITORIES) == 249  # ISO 3166-1: officially assigned alpha-2 codes
    assert named - NOT_ASSIGNED == TERRITORIES
    assert all(code in Locale("vi").territories for code in TERRITORIES)


def test_every_currency_is_one_that_some_country_has_now() -> None:
    current = {
        currency
        for entries in get_global("territory_currencies").values()
        for currency, start, end, is_tender in entries
        if is_tender and (end is None or date(*end) > STATE)
    }
    assert {"EUR", "USD", "VND", "SEK"} <= current
    assert current - NOT_PAID_WITH - WITHDRAWN_LATER_THAN_CLDR_KNOWS == CURRENCIES
