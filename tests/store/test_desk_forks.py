"""A desk keeps what contradicts the known version of a party, and is not led by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk_examples import AT, card, make_desks
from negotiation_examples import OWNER, STRANGER

from tercet.consent.licences.negotiation import Role
from tercet.consent.licences.party import party_document, party_of, renewed
from tercet.consent.licences.party_history import PartyForkError, PartySignatureError
from tercet.consent.licences.signing import Document, signed
from tercet.store.desk import Desk
from tercet.store.desk_forks import FORKS_MAX

LATER = "2026-11-23T10:00:00Z"


def version_two(name: str) -> Document:
    party = renewed(party_of(card(OWNER)), AT, name=name)
    return signed(party_document(party), OWNER.signer)


def test_a_fork_is_refused_and_kept_as_evidence(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[Role.CONSUMER]
    good, fork = version_two("Owner of Films"), version_two("Owner of Songs")
    desk.take_parties([good], AT)
    for at in (LATER, LATER.replace("23", "24")):
        with pytest.raises(PartyForkError):
            desk.take_parties([card(OWNER), fork], at)
    (kept,) = Desk.open(tmp_path / Role.CONSUMER).party_forks(OWNER.id)
    assert (kept.party, kept.version, kept.received_at) == (OWNER.id, 2, LATER)
    assert kept.document == fork
    assert desk.party_history(OWNER.id).latest.name == "Owner of Films"


def test_what_its_party_did_not_sign_is_not_kept(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[Role.CONSUMER]
    desk.take_parties([version_two("Owner of Films")], AT)
    party = renewed(party_of(card(OWNER)), AT, name="Owner of Nothing")
    forged = signed(party_document(party), STRANGER.signer)
    with pytest.raises(PartySignatureError):
        desk.take_parties([forged], LATER)
    assert desk.party_forks() == ()


def test_evidence_has_an_end(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[Role.CONSUMER]
    desk.take_parties([version_two("Owner of Films")], AT)
    for at in range(FORKS_MAX + 2):
        with pytest.raises(PartyForkError):
            desk.take_parties([version_two(f"Owner of Film {at}")], LATER)
    assert len(desk.party_forks(OWNER.id)) == FORKS_MAX
