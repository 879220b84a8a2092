"""Prices of a fetch: read exactly or not at all, and never a right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.signals.fetch_price import price_of, read_headers
from tercet.core.declaration import Carrier, Source
from tercet.core.money import Money

SOURCE = Source("https://example.org/", Carrier.HEADER)


def test_the_documented_price() -> None:
    assert price_of("USD 0.01") == Money("USD", 10_000)


@given(st.integers(0, 10**12 - 1), st.integers(0, 999_999))
def test_amounts_are_exact_to_the_micro_unit(whole: int, micros: int) -> None:
    assert price_of(f"EUR {whole}.{micros:06d}") == Money("EUR", whole * 1_000_000 + micros)


@pytest.mark.parametrize(
    "value",
    ["0.01", "USD", "USD0.01", "USD 0,01", "USD -1", "USD +1", "USD 1e3", "USD NaN", "US 1",
     "USDC 1", "USD 0.0000001", "USD 1 2", "$1", "USD ١", "USD 1_000", "USD 9999999999999", ""],
)  # fmt: skip
def test_what_is_no_price_is_not_guessed(value: str) -> None:
    assert price_of(value) is None
    (declaration,) = read_headers(f"crawler-price: {value}".encode(), SOURCE)
    assert declaration.fault


@given(st.binary(max_size=200))
def test_any_bytes_are_survived_and_nothing_is_permitted(raw: bytes) -> None:
    for block in (raw, b"crawler-price: " + raw, b"HTTP/1.1 402 x\r\n" + raw):
        for declaration in read_headers(block, SOURCE):
            assert declaration.advisory
            assert all(s.permissions == () for r in declaration.readings for s in r.statements)


def test_many_fields_are_bounded() -> None:
    assert len(read_headers(b"crawler-price: USD 1\n" * 5_000, SOURCE)) == 100
