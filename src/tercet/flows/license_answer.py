"""Answers without a person: an owner's desk takes what is at least its reserve, counters the rest.

What an owner would still take never leaves the desk: a counter-offer is made of the published offer
alone, so that it is the same whatever the reserve is. That a request was taken tells that it was
enough, of course; so one party may try a few times only, and then a person answers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

from tercet.consent.licences.coverage import covers
from tercet.consent.licences.exchange_content import offer_on_table
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.offer import offer_of
from tercet.consent.licences.standing import offered_terms
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, MissingError, TercetError
from tercet.core.strict_json import read_json_object
from tercet.core.terms import Price, Terms
from tercet.flows.desk import OpenDesk
from tercet.flows.license import accept, counter, offers_of, sign

COUNTERS_MAX = 3  # in one negotiation, and then a person answers
NEGOTIATIONS_MAX = 5  # begun with one party within DAYS that are answered without a person
DAYS = 30
_NOT_AMOUNTS = {"currency", "base", "deductions", "cap_micros"}
AMOUNTS = tuple(field.name for field in fields(Price) if field.name not in _NOT_AMOUNTS)
"""The parts of a price of which more is better for the owner."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was done in a negotiation: a step, or None where it is left to a person, and why."""

    pid: str
    peer: str
    step: Step | None
    words: str = ""


def keep_reserve(desk: OpenDesk, subject: str, reserve: dict[str, int]) -> None:
    """Keep what is still taken for a published offer, or in one negotiation.

    ``reserve`` are amounts of a price by name; what it does not name must be as offered. Raises
    InputError for names that are no amounts.
    """
    for name, amount in reserve.items():
        if name not in AMOUNTS or isinstance(amount, bool) or amount < 0:
            raise InputError(
                f"expected amounts of a price that are not negative, got {name}: {amount}",
                hint=f"one of {', '.join(AMOUNTS)}",
            )
    if not subject.startswith("urn:uuid:"):
        raise InputError(f"expected the id of an offer or a negotiation, got {subject!r:.60}")
    if not desk.store.offers(offer_id=subject) and all(
        subject != each.pid for each in desk.store.negotiations()
    ):
        raise MissingError(
            f"there is no published offer and no negotiation {subject[:80]!r} in this desk",
            hint="`tercet license show` lists negotiations, `tercet offer list` offers",
        )
    desk.store.set_reserve(subject, canonical_json(reserve), desk.clock())


def answer_all(desk: OpenDesk) -> tuple[Answered, ...]:
    """Answer every negotiation in which it is our turn as provider, and say what was done."""
    mine = [each for each in desk.store.negotiations() if each.role is Role.PROVIDER]
    due = [each for each in mine if not each.pending_step and each.state in _OUR_TURN]
    return tuple(_answer(desk, each.pid) for each in due)


_OUR_TURN = (State.REQUESTED, State.ACCEPTED, State.VERIFIED)


def _answer(desk: OpenDesk, pid: str) -> Answered:
    negotiation = desk.store.negotiation(pid)
    try:
        step, words = _step(desk, negotiation)
    except TercetError as error:
        step, words = None, f"{error.code}: {error.message}"
    return Answered(pid, negotiation.peer, step, words)


def _step(desk: OpenDesk, negotiation: Negotiation) -> tuple[Step | None, str]:
    if negotiation.state is State.ACCEPTED:  # our own offer, which binds us
        sign(desk, negotiation.pid)
        return Step.AGREE, ""
    if negotiation.state is State.VERIFIED:
        sign(desk, negotiation.pid)
        return Step.FINALIZE, ""
    published = _published(desk, negotiation)
    if published is None:
        return None, "it answers no published offer of ours that is open"
    if _count_recent(desk, negotiation.peer) > NEGOTIATIONS_MAX:
        return None, f"{NEGOTIATIONS_MAX} negotiations with this party were begun in {DAYS} days"
    asked = offered_terms(offer_on_table(negotiation))
    if is_enough(published, asked, _reserve(desk, negotiation)):
        accept(desk, negotiation.pid)
        return Step.AGREE, ""
    mine = [each for each in offers_of(negotiation) if each.maker is Role.PROVIDER]
    if len(mine) >= COUNTERS_MAX:
        return None, f"{COUNTERS_MAX} counter-offers were made"
    counter(desk, negotiation.pid, replace(published, licensee=asked.licensee))
    return Step.OFFER, ""


def is_enough(published: Terms, asked: Terms, reserve: dict[str, int]) -> bool:
    """Say whether a request asks for no more than was published, and pays at least the reserve.

    It may ask for less. Duties must be those that were published; of the price, amounts may be
    lower, down to the reserve.
    """
    ours = replace(published, licensee=asked.licensee)
    if covers(ours, asked):
        return False
    if replace(asked, grant=ours.grant, price=ours.price) != ours:
        return False
    amounts = {name: getattr(ours.price, name) for name in AMOUNTS}
    if replace(asked.price, **amounts) != ours.price:
        return False
    return all(
        getattr(asked.price, name) >= reserve.get(name, offered)
        for name, offered in amounts.items()
    )


def _published(desk: OpenDesk, negotiation: Negotiation) -> Terms | None:
    """Return the terms of our published offer that the negotiation began with."""
    first = next((each for each in offers_of(negotiation)), None)
    if first is None or not first.offer.previous:
        return None
    at = desk.clock()
    for kept in desk.store.offers(licensor=desk.store.party, offer_id=first.offer.previous):
        made = offer_of(kept.document)
        is_ours = kept.maker == desk.store.party and not kept.licensee
        if is_ours and not kept.is_withdrawn and made.is_open(at):
            return offered_terms(made)
    return None


def _count_recent(desk: OpenDesk, peer: str) -> int:
    now = datetime.strptime(desk.clock(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    since = (now - timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return sum(each.opened_at >= since for each in desk.store.negotiations(peer=peer))


def _reserve(desk: OpenDesk, negotiation: Negotiation) -> dict[str, int]:
    first = offers_of(negotiation)[0].offer.previous
    raw = desk.store.reserve(negotiation.pid) or desk.store.reserve(first)
    return read_json_object(raw) if raw else {}
