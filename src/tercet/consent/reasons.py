"""Reason codes in plain words. Codes are stable; docs/reasons.md is generated from here."""

from __future__ import annotations

from tercet.consent.facts import State
from tercet.consent.licences.obstacle import OBSTACLE_WORDS
from tercet.consent.policy import LIFTED
from tercet.consent.signals import SIGNALS
from tercet.core.condition import ConditionKind

_PLAIN = {
    "no_grant": "nothing found gives permission; silence is not consent",
    "no_reservation_found": "every place was asked and no reservation was found",
    str(State.ROW_FAULT): "the row or file could not be read",
    str(State.URL_INVALID): "the URL cannot be understood",
    str(State.NOT_SURVEYED): "the site was never asked: run `tercet survey`",
    str(State.UNCHECKED): "a place where permission is declared could not be read",
    str(State.ITEM_NOT_ASKED): "its own headers, page and metadata were never looked at",
    str(State.NO_SOURCE): "a local file without a known source: no site could be asked",
    str(State.UNCOMPARED): "it could not be compared with the registry: works of others may be "
    "in it",
    LIFTED: "a claim of the owner stands in no way: an agreement with the owner lifts it",
    **{str(obstacle): words for obstacle, words in OBSTACLE_WORDS.items()},
}
CONDITION_WORDS: dict[ConditionKind, str] = {
    ConditionKind.ATTRIBUTION: "naming the creator",
    ConditionKind.SHARE_ALIKE: "sharing what is made under the same licence",
    ConditionKind.NON_COMMERCIAL: "non-commercial use only",
    ConditionKind.NO_DERIVATIVES: "no adaptations",
    ConditionKind.PAYMENT: "payment",
    ConditionKind.CONTRIBUTION: "a contribution",
    ConditionKind.LICENCE: "a licence to be obtained first",
    ConditionKind.REPORTING: "reports of use",
    ConditionKind.PURPOSE: "certain users or purposes only",
    ConditionKind.GEOGRAPHY: "certain countries only",
    ConditionKind.OTHER: "other conditions, see the declaration",
}
"""What each condition asks for."""
_BY_SIGNAL = {
    "denied_by_": "denied by {}",
    "may_be_denied_by_": "denied by one of two readings of {}",
    "granted_by_": "permitted by {}",
    "conditions_of_": "conditions of {} are not met",
    "held_by_": "held for {}: a likely match or a dispute, which a person must settle",
    "unreadable_": "something is said by {} that could not be read",
    "offer_from_": "a price is offered by {}",
}


def explain_reason(code: str) -> str:
    """Return ``code`` in plain words; unknown codes come back as they are."""
    if code in _PLAIN:
        return _PLAIN[code]
    titles = {signal.name: signal.title for signal in SIGNALS}
    for prefix, text in _BY_SIGNAL.items():
        name = code.removeprefix(prefix)
        if name != code and name in titles:
            return text.format(titles[name])
    for prefix, text in (("needs_", "condition: {}"), ("duty_", "duty: {}")):
        name = code.removeprefix(prefix)
        if name != code and name in set(ConditionKind):
            return text.format(CONDITION_WORDS[ConditionKind(name)])
    return code


def all_reasons() -> tuple[str, ...]:
    """Return every reason code there can be."""
    signals = [signal.name for signal in SIGNALS]
    by_signal = [prefix + name for prefix in _BY_SIGNAL for name in signals]
    kinds = [prefix + kind for kind in ConditionKind for prefix in ("needs_", "duty_")]
    return (*_PLAIN, *by_signal, *kinds)
