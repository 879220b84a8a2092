"""Courses of a negotiation, taken by both sides as values, for tests."""

from __future__ import annotations

from negotiation_examples import AT, CHECKS, KnownKeys, message, side

from tercet.consent.licences.exchange import Applied, Refused, acknowledge, prepare, receive
from tercet.consent.licences.messages import Message
from tercet.consent.licences.negotiation import Role, Step
from tercet.consent.licences.negotiation_side import Negotiation

C, P = Role.CONSUMER, Role.PROVIDER
Sides = dict[Role, Negotiation]
Steps = tuple[tuple[Role, Step], ...]

REQUESTED: Steps = ((C, Step.REQUEST),)
OFFERED: Steps = ((P, Step.OFFER),)
ACCEPTED: Steps = (*OFFERED, (C, Step.ACCEPT))
AGREED: Steps = (*ACCEPTED, (P, Step.AGREE))
VERIFIED: Steps = (*AGREED, (C, Step.VERIFY))
FINALIZED: Steps = (*VERIFIED, (P, Step.FINALIZE))
COURSES: dict[str, Steps] = {
    "request, agreed": (
        *REQUESTED, (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE)),
    "offer, accepted": FINALIZED,
    "two rounds": (
        *REQUESTED, (P, Step.OFFER), (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT),
        (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE)),
    "refused by the consumer": (*OFFERED, (C, Step.TERMINATE)),
    "refused by the provider": (*REQUESTED, (P, Step.TERMINATE)),
}  # fmt: skip


def send(both: Sides, sender: Role, step: Step, number: int) -> Message:
    """One message with its answer."""
    sent = message(both[sender], step, number)
    both[sender] = prepare(both[sender], sent, CHECKS, AT)
    outcome = receive(both[sender.other], sent, CHECKS, AT)
    assert isinstance(outcome, Applied), outcome
    both[sender.other] = outcome.negotiation
    both[sender] = acknowledge(both[sender], outcome.answer, AT)
    return sent


def course(steps: Steps) -> Sides:
    both = {role: side(role) for role in Role}
    for number, (sender, step) in enumerate(steps):
        send(both, sender, step, number)
    return both


def refused(
    before: Negotiation, sent: Message, *, at: str = AT, checks: KnownKeys = CHECKS
) -> Refused:
    outcome = receive(before, sent, checks, at)
    assert isinstance(outcome, Refused), outcome
    assert outcome.answer.code == outcome.error.code
    return outcome
