"""The exchange of a negotiation: courses, places, answers, deadlines and forgeries."""

from __future__ import annotations

import pytest
from negotiation_examples import AT, CHECKS, message, side

from tercet.consent.licences.exchange import Applied, acknowledge, prepare, receive
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.negotiation_side import Negotiation

C, P = Role.CONSUMER, Role.PROVIDER
Sides = dict[Role, Negotiation]

COURSES: dict[str, tuple[tuple[Role, Step], ...]] = {
    "request, agreed": (
        (C, Step.REQUEST), (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE)),
    "offer, accepted": (
        (P, Step.OFFER), (C, Step.ACCEPT), (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE)),
    "two rounds": (
        (C, Step.REQUEST), (P, Step.OFFER), (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT),
        (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE)),
    "refused by the consumer": ((P, Step.OFFER), (C, Step.TERMINATE)),
    "refused by the provider": ((C, Step.REQUEST), (P, Step.TERMINATE)),
}  # fmt: skip


def sides() -> Sides:
    return {role: side(role) for role in Role}


def send(both: Sides, sender: Role, step: Step, number: int) -> None:
    """One message with its answer."""
    sent = message(both[sender], step, number)
    both[sender] = prepare(both[sender], sent, CHECKS, AT)
    outcome = receive(both[sender.other], sent, CHECKS, AT)
    assert isinstance(outcome, Applied), outcome
    both[sender.other] = outcome.negotiation
    both[sender] = acknowledge(both[sender], outcome.answer, AT)


def course(*steps: tuple[Role, Step]) -> Sides:
    both = sides()
    for number, (sender, step) in enumerate(steps):
        send(both, sender, step, number)
    return both


@pytest.mark.parametrize("name", COURSES)
def test_a_course_ends_alike_on_both_sides(name: str) -> None:
    both = course(*COURSES[name])
    consumer, provider = both[C], both[P]
    last = COURSES[name][-1][1]
    expected = State.TERMINATED if last is Step.TERMINATE else State.FINALIZED
    assert consumer.state is provider.state is expected
    assert consumer.applied == provider.applied
    assert (consumer.consumer_pid, consumer.provider_pid) == (
        provider.consumer_pid,
        provider.provider_pid,
    )
