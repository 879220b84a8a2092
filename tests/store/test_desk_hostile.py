"""A desk against a counter-party with a good key and bad intentions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk_examples import Desks, deliver, drive, make_desks, put_under_way
from negotiation_examples import (
    AT,
    LATER,
    OWNER,
    PEOPLE,
    STUDIO,
    Person,
    agreement,
    message,
    person,
    uuid,
)

from tercet.consent.licences.messages import Message
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.negotiation_side import MESSAGES_MAX
from tercet.consent.licences.party import new_party, party_document, renewed
from tercet.consent.licences.signing import Document, signed
from tercet.consent.licences.standing import Standing, check_agreement
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.core.canonical import canonical_json
from tercet.core.errors import RefusedError, TercetError
from tercet.store.desk import Desk
from tercet.store.desk_documents import TERMINATIONS_MAX, TerminationsError

C, P = Role.CONSUMER, Role.PROVIDER
SHORT = ((C, Step.REQUEST), (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE))
FIRST_MADE_AT = "2026-01-01T00:00:00Z"
NEW = replace(person("Owner", 9).signer, party=OWNER.id)
FIRST_KEY = new_party(OWNER.name, "", FIRST_MADE_AT, [OWNER.signer.public_raw])


def second_version(at: str, **ends: Any) -> Document:
    """Return the owner's second document: another key, and the first one's end."""
    renewed_party = renewed(FIRST_KEY, at, add=[NEW.public_raw], **ends)
    return signed(signed(party_document(renewed_party), OWNER.signer), NEW)


def standing_in(desk: Desk) -> Standing:
    """Return how the one agreement of a desk stands there."""
    (kept,) = desk.agreements()
    return check_agreement(
        kept.document, desk.parties(), None, kept.seen_at, signed_at=kept.signed_at
    )


def test_a_step_that_is_never_ones_turn_cannot_be_said_without_end(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT))
    mine = desks[C].negotiation(pids[C])
    codes = set()
    for number in range(MESSAGES_MAX + 5):
        ending = message(mine, Step.TERMINATE, 1000 + number)  # a provider's right, once accepted
        codes.add(desks[P].receive(ending, AT, new_pid=uuid(9, 0xB)).answer.code)
    assert codes == {"bad-transition", "negotiation-too-long"}
    assert len(desks[P].negotiation(pids[P]).entries) == MESSAGES_MAX
    put_under_way(desks[P], pids[P], Step.TERMINATE, 5000)
    deliver(desks, P, pids[P])
    assert {desks[role].negotiation(pids[role]).state for role in Role} == {State.TERMINATED}


@pytest.mark.parametrize("made_at", [AT, "2099-01-01T00:00:00Z"])
@pytest.mark.parametrize("end", ["revoke", "retire"])
def test_who_signed_first_cannot_void_it_by_giving_up_its_key_before_the_other_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, made_at: str
) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, (C, Step.REQUEST))
    asked = desks[P].negotiation(pids[P])
    document = signed(agreement(asked, made_at=made_at), OWNER.signer)
    desks[P].prepare(message(asked, Step.AGREE, 500, canonical_json(document)), AT)
    deliver(desks, P, pids[P])
    put_under_way(desks[C], pids[C], Step.VERIFY, 501)
    key = OWNER.signer.key_id
    ends: dict[str, Any] = {"revoke": {key: "lost"}} if end == "revoke" else {"retire": [key]}
    for desk in desks.values():
        desk.take_parties([second_version(LATER, **ends)], LATER)
    deliver(desks, C, pids[C], at="2026-11-24T10:00:00Z")
    monkeypatch.setitem(PEOPLE, P, Person(OWNER.name, NEW))
    verified = desks[P].negotiation(pids[P])
    last = message(verified, Step.FINALIZE, 502, sent_at="2026-11-25T10:00:00Z")
    finish(desks, pids, last, "2026-11-25T10:00:00Z")
    assert {standing_in(desks[role]) for role in Role} == {Standing.VALID}


def finish(desks: Desks, pids: dict[Role, str], last: Message, at: str) -> None:
    """Deliver the provider's last message."""
    desks[P].prepare(last, at)
    deliver(desks, P, pids[P], at=at)
    assert {desks[role].negotiation(pids[role]).state for role in Role} == {State.FINALIZED}


def test_an_agreement_handed_over_again_under_another_key_is_not_voided(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    for each in desks.values():
        each.take_parties([second_version(AT)], AT)  # the first key is still good
    drive(desks, *SHORT)
    desk = desks[C]
    (kept,) = desk.agreements()
    unsigned = {**kept.document, "signatures": []}
    again = signed(signed(unsigned, NEW), STUDIO.signer)
    desk.take_agreement(again, LATER)
    assert standing_in(desk) is Standing.VALID
    assert desk.agreements()[0].document == kept.document


def ending(agreement_id: str, on: str, made_at: str, reason: TerminationReason) -> Document:
    """Return the end of an agreement, signed by its licensee."""
    told = Termination(agreement_id, reason, on, made_at)
    return signed(termination_document(told), STUDIO.signer)


def test_a_notice_beyond_the_last_year_is_refused_like_any_other(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    agreement_id = desks[P].agreements()[0].id
    far = ending(agreement_id, "9999-12-30", "9999-12-31T00:00:00Z", TerminationReason.SURRENDER)
    with pytest.raises(TercetError, match="days of notice"):
        desks[P].take_termination(far, AT)


def test_proposals_to_end_an_agreement_have_an_end(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, agreement_id = desks[P], desks[P].agreements()[0].id
    mutual = TerminationReason.MUTUAL
    for minute in range(TERMINATIONS_MAX):
        made_at = f"2026-11-22T{minute // 60:02}:{minute % 60:02}:00Z"
        assert not desk.take_termination(ending(agreement_id, "2027-01-01", made_at, mutual), AT)
    one_more = ending(agreement_id, "2027-01-01", AT, mutual)
    with pytest.raises(TerminationsError) as caught:
        desk.take_termination(one_more, AT)
    assert isinstance(caught.value, RefusedError)
    assert desk.take_termination(signed(one_more, OWNER.signer), AT)  # both may, all the same
    assert desk.terminated_on(agreement_id) == "2027-01-01"


def test_a_proposal_by_a_key_given_up_in_the_same_second_stops_nothing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, agreement_id = desks[C], desks[C].agreements()[0].id
    told = Termination(agreement_id, TerminationReason.MUTUAL, "2027-01-01", LATER)
    desk.take_termination(signed(termination_document(told), OWNER.signer), LATER)
    lost = {OWNER.signer.key_id: "lost"}
    desk.take_parties([second_version(LATER, revoke=lost)], LATER)
    assert desk.terminated_on(agreement_id) == ""
