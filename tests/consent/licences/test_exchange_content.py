"""What messages of a negotiation may say: offers, agreements, deadlines, amendments; forgeries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from negotiation_courses import (
    ACCEPTED,
    AGREED,
    OFFERED,
    REQUESTED,
    VERIFIED,
    C,
    P,
    Steps,
    course,
    refused,
)
from negotiation_examples import (
    AT,
    CHECKS,
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

from tercet.consent.licences.exchange import Applied, acknowledge, prepare, receive
from tercet.consent.licences.exchange_content import agreement_under_way
from tercet.consent.licences.negotiation import Role, Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.signing import signed
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.errors import TercetError
from tercet.core.strict_json import read_canonical_object


def signed_by(of: Negotiation, document: dict[str, Any]) -> bytes:
    people = {OWNER.id: OWNER, STUDIO.id: STUDIO}
    return canonical_json(signed(document, people[of.party].signer))


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
