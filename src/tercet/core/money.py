"""Money: integer micro-units of an ISO 4217 currency, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tercet.core.errors import InputError

MICROS = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in micro-units (1 EUR = 1,000,000) of a three-letter currency."""

    currency: str
    amount_micros: int

    def __str__(self) -> str:
        sign = "-" if self.amount_micros < 0 else ""
        whole, part = divmod(abs(self.amount_micros), MICROS)
        digits = f"{part:06d}".rstrip("0").ljust(2, "0")
        return f"{self.currency} {sign}{whole}.{digits}"


def parse_money(amount: str, currency: str) -> Money:
    """Read a decimal ``amount`` exactly.

    Raises InputError when it is not a finite number, is finer than a micro-unit, or the
    currency is not three capital letters.
    """
    code = currency.strip().upper()
    if not _CURRENCY.match(code):
        raise InputError(f"expected a three-letter currency, got {currency[:20]!r}")
    try:
        value = Decimal(amount.strip())
    except InvalidOperation:
        raise InputError(f"expected a decimal amount, got {amount[:40]!r}") from None
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        raise InputError(f"expected an amount below 10^12, got {amount[:40]!r}")
    micros = value * MICROS
    if micros != micros.to_integral_value():
        raise InputError(f"expected at most six decimals, got {amount[:40]!r}")
    return Money(code, int(micros))
