"""Prices as people type them, and terms with other prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from tercet.core.errors import InputError
from tercet.core.money import parse_money
from tercet.core.terms import Price, Terms

_MICROS, _BASIS_POINTS = "_micros", "_basis_points"
_ANY_CURRENCY = "EUR"  # amounts are read alike in all of them
SHARE_MAX_BASIS_POINTS = 10_000


def amounts_of(texts: Iterable[str]) -> dict[str, int]:
    """Return amounts of a price from texts such as ``fixed=350`` and ``share=4.5`` (per cent).

    Names are those of Price, with or without their unit. Raises InputError.
    """
    return dict(_amount(text) for text in texts)


def repriced(terms: Terms, texts: Iterable[str], *, currency: str = "") -> Terms:
    """Return terms with other amounts. Raises InputError, also where they then fit no price."""
    amounts: dict[str, Any] = {**amounts_of(texts)}
    price = replace(terms.price, **amounts)
    if currency:
        price = replace(price, currency=currency.upper())
    return replace(terms, price=price)


def _amount(text: str) -> tuple[str, int]:
    name, has_amount, amount = text.partition("=")
    name = name.strip().lower()
    known = [each for each in Price.__slots__ if each.endswith((_MICROS, _BASIS_POINTS))]
    field = next((each for each in known if name in _names(each)), "")
    if not has_amount or not field:
        raise InputError(
            f"expected NAME=AMOUNT, got {text[:80]!r}",
            hint=f"NAME is one of {', '.join(_names(each)[-1] for each in known)}",
        )
    return field, _share(amount) if field.endswith(_BASIS_POINTS) else _micros(amount)


def _names(field: str) -> tuple[str, str]:
    return field, field.removesuffix(_MICROS).removesuffix(_BASIS_POINTS)


def _micros(text: str) -> int:
    micros = parse_money(text, _ANY_CURRENCY).amount_micros
    if micros < 0:
        raise InputError(f"expected an amount that is not negative, got {text[:40]!r}")
    return micros


def _share(text: str) -> int:
    try:
        points = Decimal(text.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        raise InputError(f"expected a share in per cent, got {text[:40]!r}") from None
    if not points.is_finite() or points != points.to_integral_value():
        raise InputError(f"expected at most two decimals, got {text[:40]!r}")
    if not 0 <= points <= SHARE_MAX_BASIS_POINTS:
        raise InputError(f"expected a share of 0 to 100 per cent, got {text[:40]!r}")
    return int(points)
