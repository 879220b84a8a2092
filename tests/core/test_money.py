"""Money is exact: decimal text in, micro-units out, nothing rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.core.money import MICROS, Money, parse_money

AMOUNTS = st.integers(-(10**18) + 1, 10**18 - 1)


@pytest.mark.parametrize(
    ("amount", "micros", "shown"),
    [
        ("0.02", 20_000, "EUR 0.02"),
        ("0.1", 100_000, "EUR 0.10"),
        (" 1e3 ", 1_000_000_000, "EUR 1000.00"),
        ("0.000001", 1, "EUR 0.000001"),
        ("-2.5", -2_500_000, "EUR -2.50"),
        ("0", 0, "EUR 0.00"),
        ("1.100000", 1_100_000, "EUR 1.10"),
    ],
)
def test_amounts(amount: str, micros: int, shown: str) -> None:
    money = parse_money(amount, "eur")
    assert money == Money("EUR", micros)
    assert str(money) == shown


@given(AMOUNTS)
def test_what_is_shown_is_what_is_meant(micros: int) -> None:
    money = Money("EUR", micros)
    assert parse_money(str(money).removeprefix("EUR "), "EUR") == money


@given(AMOUNTS)
def test_the_decimal_value_is_kept_exactly(micros: int) -> None:
    text = format(Decimal(micros) / MICROS, "f")
    assert parse_money(text, "USD").amount_micros == micros


@pytest.mark.parametrize("amount", ["", "x", "NaN", "Infinity", "0.0000001", "1e12", "1e999999"])
def test_amounts_that_are_refused(amount: str) -> None:
    with pytest.raises(InputError):
        parse_money(amount, "EUR")


@pytest.mark.parametrize("currency", ["", "EU", "EURO", "€", "EU1", "ЕUR"])
def test_currencies_that_are_refused(currency: str) -> None:
    with pytest.raises(InputError):
        parse_money("1", currency)
