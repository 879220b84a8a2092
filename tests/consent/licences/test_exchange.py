"""The exchange of a negotiation: courses, places, answers, and who says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from negotiation_courses import (
    ACCEPTED,
    AGREED,
    COURSES,
    FINALIZED,
    OFFERED,
    REQUESTED,
    VERIFIED,
    C,
    P,
    Steps,
    course,
    refused,
    send,
)
from negotiation_examples import (
    AT,
    CHECKS,
    LATER,
    OWNER,
    STRANGER,
    STUDIO,
    TOO_LATE,
    KnownKeys,
    message,
    offer,
    side,
    uuid,
)

from tercet.consent.licences.exchange import (
    Applied,
    Duplicate,
    abandon,
    acknowledge,
    compare,
    prepare,
    receive,
)
from tercet.consent.licences.exchange_content import agreement_under_way
from tercet.consent.licences.messages import signed_message
from tercet.consent.licences.negotiation import Role, State, Step, possible_steps
from tercet.consent.licences.negotiation_side import MESSAGES_MAX, Happening
from tercet.core.errors import TercetError

# ---- courses --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COURSES)
def test_a_course_ends_alike_on_both_sides(name: str) -> None:
    both = course(COURSES[name])
    consumer, provider = both[C], both[P]
    last = COURSES[name][-1][1]
    expected = State.TERMINATED if last is Step.TERMINATE else State.FINALIZED
    assert consumer.state is provider.state is expected
    assert consumer.applied == provider.applied
    assert consumer.consumer_pid == provider.consumer_pid
    assert consumer.provider_pid == provider.provider_pid
    assert len(consumer.entries) == len(COURSES[name])


@pytest.mark.parametrize("steps", [OFFERED, REQUESTED, ACCEPTED, AGREED, VERIFIED, FINALIZED])
def test_nobody_may_do_what_the_state_forbids(steps: Steps) -> None:
    both = course(steps)
    for role in Role:
        for step in set(Step) - set(possible_steps(both[role].state, role)):
            document = offer(OWNER, 99) if step in (Step.REQUEST, Step.OFFER) else b""
            document = agreement_under_way(both[role]) or document
            sent = message(both[role], step, 90, document)
            with pytest.raises(TercetError):
                prepare(both[role], sent, CHECKS, AT)
            outcome = refused(both[role.other], sent)
            assert outcome.answer.code in ("bad-transition", "negotiation-ended")
            assert outcome.negotiation.state is both[role.other].state


def test_a_sender_moves_only_when_it_is_acknowledged() -> None:
    both = course(OFFERED)
    sent = message(both[C], Step.ACCEPT, 5)
    waiting = prepare(both[C], sent, CHECKS, AT)
    assert waiting.state is State.OFFERED
    outcome = receive(both[P], sent, CHECKS, AT)
    assert outcome.negotiation.state is State.ACCEPTED
    assert acknowledge(waiting, outcome.answer, AT).state is State.ACCEPTED
    with pytest.raises(TercetError) as caught:
        prepare(waiting, message(both[C], Step.REQUEST, 6), CHECKS, AT)
    assert caught.value.code == "message-under-way"


def test_an_answer_to_another_message_changes_nothing() -> None:
    both = course(OFFERED)
    sent = message(both[C], Step.ACCEPT, 5)
    waiting = prepare(both[C], sent, CHECKS, AT)
    answer = receive(both[P], sent, CHECKS, AT).answer
    assert acknowledge(waiting, replace(answer, message_id=uuid(8)), AT) is waiting
    assert acknowledge(both[C], answer, AT) is both[C]


# ---- the same message again, late or early --------------------------------------------------


@pytest.mark.parametrize("length", range(1, len(FINALIZED) + 1))
def test_a_message_that_comes_again_has_one_effect_and_the_same_answer(length: int) -> None:
    both = course(FINALIZED[: length - 1])
    sender, step = FINALIZED[length - 1]
    sent = message(both[sender], step, 50)
    first = receive(both[sender.other], sent, CHECKS, AT)
    again = receive(first.negotiation, sent, CHECKS, TOO_LATE)
    assert isinstance(again, Duplicate)
    assert again.answer == first.answer
    assert again.negotiation is first.negotiation


def test_every_old_message_is_answered_as_it_was_and_moves_nothing() -> None:
    both = {role: side(role) for role in Role}
    sent = [send(both, sender, step, at) for at, (sender, step) in enumerate(FINALIZED)]
    for each in sent:
        outcome = receive(both[each.sender.other], each, CHECKS, LATER)
        assert isinstance(outcome, Duplicate)
        assert outcome.negotiation.state is State.FINALIZED


def test_what_was_answered_is_answered_although_the_key_is_gone() -> None:
    both = course(ACCEPTED)
    sent = message(both[P], Step.AGREE, 5)
    after = receive(both[C], sent, CHECKS, AT)
    again = receive(after.negotiation, sent, KnownKeys(STUDIO), LATER)
    assert again.answer == after.answer


def test_another_message_with_a_known_id_is_refused() -> None:
    both = course(OFFERED)
    taken = both[P].applied[-1].message_id
    other = message(both[P], Step.TERMINATE, 9, message_id=taken)
    assert refused(both[C], other).answer.code == "message-id-reused"


def test_what_comes_before_our_answer_is_to_be_sent_again() -> None:
    both = course(OFFERED)
    accept = message(both[C], Step.ACCEPT, 5)
    waiting = prepare(both[C], accept, CHECKS, AT)
    provider = receive(both[P], accept, CHECKS, AT).negotiation
    agree = message(provider, Step.AGREE, 6)
    early = refused(waiting, agree)
    assert (early.answer.code, early.answer.retry) == ("too-early", True)
    assert early.answer.state is State.OFFERED
    assert early.negotiation is waiting
    again = receive(provider, accept, CHECKS, AT)
    moved = acknowledge(waiting, again.answer, AT)
    assert isinstance(receive(moved, agree, CHECKS, AT), Applied)


def test_what_was_refused_for_good_stays_refused() -> None:
    """A late copy cannot do what its sender has given up."""
    both = course(OFFERED)
    accept = message(both[C], Step.ACCEPT, 5)
    waiting = prepare(both[C], accept, CHECKS, AT)
    outcome = refused(both[P], accept, at=TOO_LATE)
    assert outcome.answer.code == "offer-lapsed"
    given_up = acknowledge(waiting, outcome.answer, AT)
    assert given_up.pending is None
    assert given_up.state is State.OFFERED
    assert given_up.entries[-1].happening is Happening.REFUSED
    again = receive(outcome.negotiation, accept, CHECKS, AT)  # by a clock that was put back
    assert again.answer == outcome.answer
    assert again.negotiation.state is State.OFFERED


def test_terminations_that_cross_end_both() -> None:
    both = course(OFFERED)
    sent = {role: message(both[role], Step.TERMINATE, 5) for role in Role}
    waiting = {role: prepare(both[role], sent[role], CHECKS, AT) for role in Role}
    for role in Role:
        outcome = receive(waiting[role], sent[role.other], CHECKS, AT)
        assert isinstance(outcome, Applied)
        ended = outcome.negotiation
        assert ended.state is State.TERMINATED
        assert ended.pending is None
        assert [entry.happening for entry in ended.entries[-2:]] == ["withdrawn", "applied"]


def test_who_terminates_takes_nothing_else_any_more() -> None:
    both = course(OFFERED)
    closing = prepare(both[P], message(both[P], Step.TERMINATE, 5), CHECKS, AT)
    outcome = refused(closing, message(both[C], Step.ACCEPT, 6))
    assert (outcome.answer.code, outcome.answer.retry) == ("closing", True)


# ---- both sides differ ----------------------------------------------------------------------


def test_who_lost_its_memory_makes_both_terminate() -> None:
    """The provider comes back from an old copy of its desk, and goes on from there."""
    both = course(REQUESTED)
    old = both[P]
    send(both, P, Step.OFFER, 5)
    other = message(old, Step.OFFER, 6)
    outcome = refused(both[C], other)
    assert outcome.answer.code == "states-differ"
    assert outcome.negotiation.state is State.TERMINATED
    assert outcome.negotiation.entries[-1].message == other
    forgetful = acknowledge(prepare(old, other, CHECKS, AT), outcome.answer, AT)
    assert forgetful.state is State.TERMINATED
    assert [entry.happening for entry in forgetful.entries[-2:]] == ["withdrawn", "differed"]


def test_who_is_told_of_an_end_ends_too() -> None:
    both = course(REQUESTED)
    sent = message(both[P], Step.OFFER, 5)
    gone = course((*REQUESTED, (C, Step.TERMINATE)))[C]
    outcome = refused(gone, sent)
    assert outcome.answer.code == "negotiation-ended"
    told = acknowledge(prepare(both[P], sent, CHECKS, AT), outcome.answer, AT)
    assert told.state is State.TERMINATED


def test_nothing_ends_a_negotiation_that_is_being_finalized() -> None:
    """The consumer may have it already: it would be final there and terminated here."""
    both = course(VERIFIED)
    finalizing = prepare(both[P], message(both[P], Step.FINALIZE, 5), CHECKS, AT)
    stray = message(both[C], Step.TERMINATE, 6, follows=uuid(1234))
    outcome = refused(finalizing, stray)
    assert outcome.answer.code == "closing"
    assert outcome.negotiation is finalizing
    assert compare(finalizing, State.AGREED, finalizing, AT) is finalizing
    assert compare(finalizing, State.FINALIZED, finalizing, AT) is finalizing
    lost = replace(outcome.answer, message_id=finalizing.pending.message_id, code="states-differ",
                   state=State.VERIFIED, retry=False)  # fmt: skip
    assert acknowledge(finalizing, lost, AT) is finalizing


def test_one_step_between_both_is_no_difference_and_two_are() -> None:
    both = course(OFFERED)
    waiting = prepare(both[C], message(both[C], Step.ACCEPT, 5), CHECKS, AT)
    for said in (State.OFFERED, State.ACCEPTED, None):
        assert compare(waiting, said, waiting, AT) is waiting
    for said in (State.REQUESTED, State.AGREED, State.TERMINATED):
        ended = compare(waiting, said, waiting, AT)
        assert ended.state is State.TERMINATED
        assert ended.entries[-1].happening is Happening.DIFFERED
        assert compare(waiting, said, both[C], AT) is waiting  # overtaken by our own step
    final = course(FINALIZED)[C]
    assert compare(final, State.TERMINATED, final, AT) is final


def test_an_acknowledgement_of_another_state_is_a_difference() -> None:
    both = course(OFFERED)
    sent = message(both[C], Step.ACCEPT, 5)
    waiting = prepare(both[C], sent, CHECKS, AT)
    answer = receive(both[P], sent, CHECKS, AT).answer
    assert acknowledge(waiting, replace(answer, state=State.AGREED), AT).state is State.TERMINATED
    other = replace(answer, provider_pid=uuid(4321))
    assert acknowledge(waiting, other, AT).state is State.TERMINATED


def test_only_what_was_never_answered_can_be_abandoned() -> None:
    fresh = prepare(side(C), message(side(C), Step.REQUEST, 1), CHECKS, AT)
    assert abandon(fresh, "no answer", AT).state is State.TERMINATED
    with pytest.raises(TercetError, match="never answered"):
        abandon(course(REQUESTED)[C], "no answer", AT)


def test_a_negotiation_cannot_be_made_endless_but_can_be_ended() -> None:
    consumer = course(REQUESTED)[C]
    entries = consumer.entries[:1] * MESSAGES_MAX
    long = replace(consumer, entries=entries)
    provider = replace(course(REQUESTED)[P], entries=entries)
    assert refused(long, message(provider, Step.OFFER, 5)).answer.code == "negotiation-too-long"
    assert isinstance(receive(long, message(provider, Step.TERMINATE, 5), CHECKS, AT), Applied)


# ---- who says it ----------------------------------------------------------------------------


def test_the_message_of_a_stranger_tells_him_nothing() -> None:
    both = course(OFFERED)
    sent = message(both[C], Step.ACCEPT, 5)
    unsigned = replace(sent, signatures=())
    by_stranger = signed_message(unsigned, STRANGER.signer)
    as_stranger = signed_message(replace(unsigned, party=STRANGER.id), STRANGER.signer)
    with_others_name = signed_message(unsigned, replace(STRANGER.signer, party=STUDIO.id))
    for forged in (unsigned, by_stranger, as_stranger, with_others_name):
        outcome = refused(both[P], forged)
        assert outcome.answer.state is None
        assert outcome.negotiation is both[P]


@pytest.mark.parametrize(
    "change",
    [
        {"step": Step.TERMINATE},
        {"sent_at": LATER},
        {"follows": uuid(99)},
        {"message_id": uuid(98)},
        {"address": "https://elsewhere.example/"},
    ],
)
def test_no_field_of_a_message_can_be_altered(change: dict[str, Any]) -> None:
    both = course(OFFERED)
    altered = replace(message(both[C], Step.ACCEPT, 5), **change)
    assert refused(both[P], altered).answer.code == "signature-wrong"


def test_an_acceptance_cannot_be_carried_to_another_negotiation() -> None:
    """Replayed acceptance: same offer, same parties, another negotiation."""
    both = course(OFFERED)
    accept = message(both[C], Step.ACCEPT, 5)
    elsewhere = replace(both[P], pid=uuid(77, 0xB))
    assert refused(elsewhere, accept).answer.code == "wrong-sender"
    renamed = replace(accept, provider_pid=elsewhere.pid)
    assert refused(elsewhere, renamed).answer.code == "signature-wrong"


def test_an_acceptance_is_of_the_offer_it_follows_and_no_later_one() -> None:
    both = course((*REQUESTED, (P, Step.OFFER)))
    accept = message(both[C], Step.ACCEPT, 5)
    send(both, C, Step.REQUEST, 6)
    send(both, P, Step.OFFER, 7)
    assert refused(both[P], accept).answer.code == "states-differ"
