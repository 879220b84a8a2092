"""Policies as data, and the one function that decides: facts and policy in, verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.facts import ALL_CONDITIONS, CONDITION_BITS, Facts, Standing, State
from tercet.consent.licences.obstacle import EXCLUSIVE_TO_ANOTHER, obstacles_in
from tercet.core.condition import ConditionKind
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome, Verdict


class Choice(StrEnum):
    """What a policy may say for a case it has to settle."""

    BLOCKED = "blocked"
    HELD = "held"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Policy:
    """A legal and ethical regime as data, versioned and dated. Not legal advice.

    ``reservations_from`` and ``grants_from`` name signals; None means all of them. Where
    ``must_ask_items`` holds, nothing clears before its own headers, page and metadata were read.
    """

    id: str
    version: str
    date: str
    title: str
    summary: str
    usages: frozenset[Usage]
    silence: Choice
    ambiguity: Choice
    grants_from: frozenset[str]
    reservations_from: frozenset[str] | None
    reservations_except: frozenset[str]
    conditions_met: frozenset[ConditionKind]
    must_ask_items: bool
    assertion: str
    sources: tuple[tuple[str, str], ...]
    sha256: str

    def binds(self, signal: str) -> bool:
        """Say whether a denial by ``signal`` blocks under this policy."""
        named = self.reservations_from is None or signal in self.reservations_from
        return named and signal not in self.reservations_except

    def met(self) -> int:
        """Return the conditions the operator meets, as bits."""
        bits = Standing.NONE
        for kind in self.conditions_met:
            bits |= CONDITION_BITS[kind]
        return bits


_AGREEMENT = "agreement"
_REGISTRY = "registry"
LIFTED = "lifted_by_agreement"
_UNCERTAIN = Standing.UNREADABLE | Standing.MAY_DENY | Standing.HOLDS


def decide(facts: Facts, policy: Policy) -> Verdict:
    """Return the verdict for ``facts``. Pure, total and closed.

    The order is the law: what cannot be read is held; what somebody else holds exclusively is
    blocked; what an agreement grants clears unless a registered work of others stands in it; a
    binding denial blocks (or is offered where a price is known); what was not checked is held;
    then a grant clears; silence is last. Nothing clears whose own headers and metadata were not
    looked at, unless the policy says so or its owner has signed.
    """
    unusable = [state for state in (State.ROW_FAULT, State.URL_INVALID) if state in facts.states]
    if unusable:
        return Verdict(Outcome.HELD, tuple(str(state) for state in unusable))
    said = facts.by_signal()
    agreed = said.pop(_AGREEMENT, Standing.NONE)
    standings = sorted(said.items())
    if agreed & Standing.DENIES:
        return Verdict(Outcome.BLOCKED, (EXCLUSIVE_TO_ANOTHER,), (_AGREEMENT,))
    if agreed & _UNCERTAIN:
        return Verdict(Outcome.HELD, (f"unreadable_{_AGREEMENT}",), (_AGREEMENT,))
    if agreed & Standing.ALLOWS:
        return _agreed(agreed, facts, standings, policy)
    return _with_agreements(_declared(facts, standings, policy), agreed)


def _agreed(agreed: int, facts: Facts, standings: list[tuple[str, int]], policy: Policy) -> Verdict:
    """Clear what an agreement grants, unless works of others stand in it, or may.

    Who signs a licence lifts what is said at the place and in the file, by whomever: that was said
    to everybody, and this to the one who asks. Claims on registered works are another's word; those
    that the licensor may lift are no part of ``facts`` any more (see flows/agreement_rows).
    """
    claims = [each for each in standings if each[0] == _REGISTRY]
    stands = _denied(claims, policy) or _held(Facts(), claims, policy)
    if stands is not None:
        return stands
    if State.UNCOMPARED in facts.states:
        return Verdict(Outcome.HELD, (str(State.UNCOMPARED),))
    duties = [f"duty_{kind}" for kind, bit in CONDITION_BITS.items() if agreed & bit]
    return Verdict(Outcome.CLEARED, (f"granted_by_{_AGREEMENT}", *duties), (_AGREEMENT,))


def _with_agreements(verdict: Verdict, agreed: int) -> Verdict:
    """Say beside a verdict which agreements name the item and grant nothing, and why."""
    if verdict.outcome is Outcome.CLEARED:
        lifted = bool(agreed & Standing.LIFTS)
        reasons: tuple[str, ...] = (LIFTED,) * lifted
    else:
        reasons = obstacles_in(agreed)
    if not reasons:
        return verdict
    deciding = (*verdict.deciding, _AGREEMENT)
    return Verdict(verdict.outcome, (*verdict.reasons, *reasons), deciding)


def _declared(facts: Facts, standings: list[tuple[str, int]], policy: Policy) -> Verdict:
    """Decide by what is declared to everybody."""
    denied = _denied(standings, policy)
    if denied is not None:
        return denied
    held = _held(facts, standings, policy)
    if held is not None:
        return held
    verdict = _granted(standings, policy) or _silent(facts, policy)
    if verdict.outcome is Outcome.CLEARED and policy.must_ask_items:
        return _asked(facts, verdict)
    return verdict


def _asked(facts: Facts, verdict: Verdict) -> Verdict:
    """Hold what would be cleared while the item itself, where a denial may stand, is unread."""
    if State.ITEM_NOT_ASKED not in facts.states:
        return verdict
    return Verdict(Outcome.HELD, (str(State.ITEM_NOT_ASKED),), verdict.deciding)


def _unmet(standing: int, policy: Policy) -> int:
    """Return the conditions of a conditional grant that the operator does not meet."""
    if not standing & Standing.CONDITIONAL:
        return Standing.NONE
    conditions = standing & ALL_CONDITIONS
    return (conditions or Standing.OTHER) & ~policy.met()


def _denied(standings: list[tuple[str, int]], policy: Policy) -> Verdict | None:
    """A binding denial, a possible one where the policy says so, or a licence not yet had."""
    reasons: list[str] = []
    deciding: list[str] = []
    for signal, standing in standings:
        found = _denial_reasons(signal, standing, policy)
        if found:
            reasons += found
            deciding.append(signal)
    if not reasons:
        return None
    priced = [signal for signal, standing in standings if standing & Standing.PRICED]
    if priced:
        reasons += [f"offer_from_{signal}" for signal in priced]
        return Verdict(Outcome.OFFERED, tuple(reasons), tuple(sorted({*deciding, *priced})))
    return Verdict(Outcome.BLOCKED, tuple(reasons), tuple(deciding))


def _denial_reasons(signal: str, standing: int, policy: Policy) -> list[str]:
    if not policy.binds(signal):
        return []
    if standing & Standing.DENIES:
        return [f"denied_by_{signal}"]
    if standing & Standing.MAY_DENY and policy.ambiguity is Choice.BLOCKED:
        return [f"may_be_denied_by_{signal}"]
    unmet = _unmet(standing, policy)
    return _condition_reasons(unmet, signal) if unmet else []


def _condition_reasons(unmet: int, signal: str) -> list[str]:
    kinds = [kind for kind, bit in CONDITION_BITS.items() if unmet & bit]
    return [f"conditions_of_{signal}"] + [f"needs_{kind}" for kind in kinds]


def _held(facts: Facts, standings: list[tuple[str, int]], policy: Policy) -> Verdict | None:
    reasons = [
        str(state) for state in (State.NOT_SURVEYED, State.UNCHECKED) if state in facts.states
    ]
    deciding: list[str] = []
    for signal, standing in standings:
        if not (policy.binds(signal) or signal in policy.grants_from):
            continue
        if standing & Standing.UNREADABLE:
            reasons.append(f"unreadable_{signal}")
            deciding.append(signal)
        if standing & Standing.HOLDS and policy.binds(signal):
            reasons.append(f"held_by_{signal}")
            deciding.append(signal)
        if standing & Standing.MAY_DENY and policy.binds(signal):
            reasons.append(f"may_be_denied_by_{signal}")
            deciding.append(signal)
    return Verdict(Outcome.HELD, tuple(reasons), tuple(deciding)) if reasons else None


def _granted(standings: list[tuple[str, int]], policy: Policy) -> Verdict | None:
    reasons: list[str] = []
    deciding: list[str] = []
    duties = Standing.NONE
    for signal, standing in standings:
        grants = standing & (Standing.ALLOWS | Standing.CONDITIONAL)
        if signal not in policy.grants_from or not grants or _unmet(standing, policy):
            continue
        reasons.append(f"granted_by_{signal}")
        deciding.append(signal)
        if standing & Standing.CONDITIONAL:
            duties |= standing & ALL_CONDITIONS
    if not reasons:
        return _licence_lacking(standings, policy)
    reasons += [f"duty_{kind}" for kind, bit in CONDITION_BITS.items() if duties & bit]
    return Verdict(Outcome.CLEARED, tuple(reasons), tuple(deciding))


def _licence_lacking(standings: list[tuple[str, int]], policy: Policy) -> Verdict | None:
    """Where silence does not clear, name the conditions that stand between item and grant."""
    if policy.silence is Choice.CLEARED:
        return None
    for signal, standing in standings:
        unmet = _unmet(standing, policy)
        if signal in policy.grants_from and unmet:
            reasons = (*_condition_reasons(unmet, signal), "no_grant")
            if standing & Standing.PRICED:
                return Verdict(Outcome.OFFERED, (*reasons, f"offer_from_{signal}"), (signal,))
            return Verdict(Outcome.BLOCKED, reasons, (signal,))
    return None


def _silent(facts: Facts, policy: Policy) -> Verdict:
    if policy.silence is not Choice.CLEARED:
        return Verdict(Outcome(policy.silence), ("no_grant",))
    if State.NO_SOURCE in facts.states:
        return Verdict(Outcome.HELD, (str(State.NO_SOURCE),))
    return Verdict(Outcome.CLEARED, ("no_reservation_found",))
