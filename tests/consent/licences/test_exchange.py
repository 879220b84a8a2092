"""The exchange of a negotiation: courses, places, answers, deadlines and forgeries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from negotiation_examples import (
    AT,
    CHECKS,
    LATER,
    OWNER,
    STRANGER,
    STUDIO,
    TOO_LATE,
    KnownKeys,
    agreement,
    message,
    offer,
    side,
    terms,
    uuid,
)

from tercet.consent.licences.exchange import (
    Applied,
    Duplicate,
    Refused,
    abandon,
    acknowledge,
    compare,
    prepare,
    receive,
)
from tercet.consent.licences.exchange_content import agreement_under_way
from tercet.consent.licences.messages import Message, signed_message
from tercet.consent.licences.negotiation import Role, State, Step, possible_steps
from tercet.consent.licences.negotiation_side import MESSAGES_MAX, Happening, Negotiation
from tercet.consent.licences.signing import signed
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.errors import TercetError
from tercet.core.strict_json import read_canonical_object

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


def signed_by(of: Negotiation, document: dict[str, Any]) -> bytes:
    people = {OWNER.id: OWNER, STUDIO.id: STUDIO}
    return canonical_json(signed(document, people[of.party].signer))


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


# ---- what is offered ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (offer(OWNER, 9, until="2026-11-22T10:00:00Z"), "bad-document"),
        (offer(OWNER, 9, until="2026-11-22T10:00:01Z"), "offer-lapsed"),
        (offer(STUDIO, 9), "other-signer"),
        (offer(STRANGER, 9), "other-signer"),
    ],
)
def test_an_offer_is_signed_by_its_maker_and_open(document: bytes, code: str) -> None:
    sent = message(side(P), Step.OFFER, 1, document)
    assert refused(side(C), sent, at="2026-11-22T10:00:01Z").answer.code == code


@pytest.mark.parametrize("who", ["licensor", "licensee"])
def test_an_offer_is_between_the_two_who_negotiate(who: str) -> None:
    fields = terms_fields(terms())
    fields[who]["id"] = STRANGER.id
    document = read_canonical_object(offer(OWNER, 9)) | {"terms": fields, "signatures": []}
    sent = message(side(P), Step.OFFER, 1, canonical_json(signed(document, OWNER.signer)))
    assert refused(side(C), sent).answer.code == "wrong-parties"


def test_an_offer_that_names_no_licensee_is_not_negotiated() -> None:
    fields = terms_fields(replace(terms(), licensee=None))
    document = read_canonical_object(offer(OWNER, 9)) | {"terms": fields, "signatures": []}
    sent = message(side(P), Step.OFFER, 1, canonical_json(signed(document, OWNER.signer)))
    assert refused(side(C), sent).answer.code == "wrong-parties"


def test_terms_that_contradict_themselves_are_no_offer() -> None:
    fields = terms_fields(terms())
    fields["price"]["share_basis_points"] = 10_001
    document = read_canonical_object(offer(OWNER, 9)) | {"terms": fields, "signatures": []}
    sent = message(side(P), Step.OFFER, 1, canonical_json(signed(document, OWNER.signer)))
    assert refused(side(C), sent).answer.code == "share-over-whole"


def test_a_counter_offer_answers_the_offer_before_it_under_an_id_of_its_own() -> None:
    both = course(OFFERED)
    last = read_canonical_object(both[C].applied[0].document)["id"]
    for document in (
        offer(STUDIO, 50),
        offer(STUDIO, 50, previous=uuid(3)),
        canonical_json(
            signed(
                read_canonical_object(offer(STUDIO, 50, previous=last))
                | {"id": last, "signatures": []},
                STUDIO.signer,
            )
        ),
    ):
        assert refused(both[P], message(both[C], Step.REQUEST, 5, document)).answer.code == (
            "other-offer"
        )


# ---- what is signed -------------------------------------------------------------------------


def altered(of: Negotiation, change: str) -> dict[str, Any]:
    other = terms_fields(terms(price=1))
    swapped = agreement(of)["terms"] | {
        "repertoire": {"sha256": "cd" * 32, "work_count": 3, "exclusions": []}
    }
    changes: dict[str, dict[str, Any]] = {
        "price": {"terms": other},
        "repertoire": {"terms": swapped},
        "offer": {"offer_sha256": "00" * 32},
        "negotiation": {
            "negotiation": {"consumer_pid": of.consumer_pid, "provider_pid": uuid(5, 0xB)}
        },
        "amendment": {"supersedes": uuid(6, 0xA)},
        "id of another": {"id": uuid(0xBAD, 0xA)},
    }
    return agreement(of, **changes[change])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("price", "other-text"),
        ("repertoire", "other-text"),
        ("offer", "other-text"),
        ("negotiation", "other-text"),
        ("amendment", "other-text"),
        ("id of another", "integrity"),
    ],
)
def test_an_agreement_says_what_was_offered_and_accepted(change: str, code: str) -> None:
    both = course(ACCEPTED)
    document = signed_by(both[P], altered(both[P], change))
    sent = message(both[P], Step.AGREE, 5, document)
    assert refused(both[C], sent).answer.code == code
    with pytest.raises(TercetError):
        prepare(both[P], sent, CHECKS, AT)


def test_an_agreement_is_signed_by_the_provider_alone_at_first() -> None:
    both = course(ACCEPTED)
    text = agreement(both[P])
    by_both = signed(signed(text, OWNER.signer), STUDIO.signer)
    for document in (text, signed(text, STUDIO.signer), by_both):
        sent = message(both[P], Step.AGREE, 5, canonical_json(document))
        assert refused(both[C], sent).answer.code == "other-signer"


@pytest.mark.parametrize("change", ["price", "unsigned", "provider left out", "stranger added"])
def test_a_verification_is_the_signed_text_with_one_more_signature(change: str) -> None:
    both = course(AGREED)
    text = read_canonical_object(agreement_under_way(both[C]))
    documents: dict[str, Any] = {
        "price": signed(signed(altered(both[C], "price"), OWNER.signer), STUDIO.signer),
        "unsigned": text,
        "provider left out": signed(text | {"signatures": []}, STUDIO.signer),
        "stranger added": signed(signed(text, STUDIO.signer), STRANGER.signer),
    }
    sent = message(both[C], Step.VERIFY, 5, canonical_json(documents[change]))
    assert refused(both[P], sent).answer.code == "other-text"


def test_a_verification_signed_by_another_key_is_refused() -> None:
    both = course(AGREED)
    text = read_canonical_object(agreement_under_way(both[C]))
    forged = signed(text, replace(STRANGER.signer, party=STUDIO.id))
    sent = message(both[C], Step.VERIFY, 5, canonical_json(forged))
    assert refused(both[P], sent).answer.code == "signature-key"


def test_a_finalization_is_of_the_text_that_both_signed() -> None:
    both = course(VERIFIED)
    assert (
        refused(
            both[C], message(both[P], Step.FINALIZE, 5, both[C].applied[2].document)
        ).answer.code
        == "other-text"
    )
    other = altered(both[P], "price")
    forged = canonical_json(signed(signed(other, OWNER.signer), STUDIO.signer))
    assert refused(both[C], message(both[P], Step.FINALIZE, 6, forged)).answer.code == "other-text"


# ---- deadlines ------------------------------------------------------------------------------


def test_an_offer_binds_until_its_deadline_and_not_on_it() -> None:
    both = course(OFFERED)
    accept = message(both[C], Step.ACCEPT, 5)
    before, on_it = "2026-12-22T09:59:59Z", "2026-12-22T10:00:00Z"
    assert isinstance(receive(both[P], accept, CHECKS, before), Applied)
    assert refused(both[P], accept, at=on_it).answer.code == "offer-lapsed"
    with pytest.raises(TercetError, match="open until"):
        prepare(both[C], accept, CHECKS, on_it)


def test_a_request_can_be_agreed_to_until_its_deadline() -> None:
    both = course(REQUESTED)
    sent = message(both[P], Step.AGREE, 5)
    assert refused(both[C], sent, at=TOO_LATE).answer.code == "offer-lapsed"


@pytest.mark.parametrize(
    ("steps", "sender", "step"),
    [(ACCEPTED, P, Step.AGREE), (AGREED, C, Step.VERIFY), (VERIFIED, P, Step.FINALIZE)],
)
def test_nobody_waits_for_a_signature_for_ever(steps: Steps, sender: Role, step: Step) -> None:
    both = course(steps)
    sent = message(both[sender], step, 5)
    in_time, late = "2026-12-22T09:59:59Z", "2026-12-22T10:00:00Z"  # 30 days
    assert isinstance(receive(both[sender.other], sent, CHECKS, in_time), Applied)
    assert refused(both[sender.other], sent, at=late).answer.code == "offer-lapsed"


# ---- amendments -----------------------------------------------------------------------------


def test_an_amendment_names_what_it_takes_the_place_of_from_its_first_message() -> None:
    old = uuid(1, 0xEE)
    knowing = KnownKeys(OWNER, STUDIO, amendable=(old,))
    first = message(side(C), Step.REQUEST, 1, supersedes=old)
    assert refused(side(P), first).answer.code == "integrity"
    waiting = prepare(side(C), first, knowing, AT)
    outcome = receive(side(P), first, knowing, AT)
    consumer = acknowledge(waiting, outcome.answer, AT)
    assert consumer.supersedes == outcome.negotiation.supersedes == old
    plain = signed_by(outcome.negotiation, agreement(outcome.negotiation, supersedes=""))
    sent = message(outcome.negotiation, Step.AGREE, 2, plain)
    assert refused(consumer, sent, checks=knowing).answer.code == "other-text"
    good = message(outcome.negotiation, Step.AGREE, 3)
    assert isinstance(receive(consumer, good, knowing, AT), Applied)
    assert refused(consumer, good).answer.code == "integrity"  # no more amendable meanwhile
