"""Conditions a grant hangs on, and the offers under which a licence can be had."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
