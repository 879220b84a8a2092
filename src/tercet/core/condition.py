"""Conditions a grant hangs on, and the offers under which a licence can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tercet.core.money import Money


class ConditionKind(StrEnum):
    """What must be met before a conditional permission holds."""

    ATTRIBUTION = "attribution"
    SHARE_ALIKE = "share_alike"
    NON_COMMERCIAL = "non_commercial"
    NO_DERIVATIVES = "no_derivatives"
    PAYMENT = "payment"
    CONTRIBUTION = "contribution"
    LICENCE = "licence"  # a licence must be obtained first: see the URL
    REPORTING = "reporting"
    PURPOSE = "purpose"  # limited to certain users or purposes
    GEOGRAPHY = "geography"
    OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One condition; ``url`` leads to the terms, ``text`` is their wording (cut to a limit)."""

    kind: ConditionKind
    url: str = ""
    text: str = ""
    price: Money | None = None  # only with PAYMENT, and only where the amount is stated
    price_unit: str = ""  # what the price buys, in the signal's own word, e.g. "training"


def condition_fields(condition: Condition) -> dict[str, Any]:
    """Return a condition as JSON fields."""
    price = condition.price
    return {
        "kind": str(condition.kind),
        "url": condition.url,
        "text": condition.text,
        "price": price and {"currency": price.currency, "amount_micros": price.amount_micros},
        "price_unit": condition.price_unit,
    }


def condition_from_fields(fields: Mapping[str, Any]) -> Condition:
    """Return the condition of ``condition_fields``. Raises ValueError, KeyError or TypeError."""
    price = fields["price"]
    return Condition(
        ConditionKind(fields["kind"]),
        fields["url"],
        fields["text"],
        Money(price["currency"], price["amount_micros"]) if price else None,
        fields["price_unit"],
    )
