"""Parties, repertoires and documents that the tests of licences share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.offer import offer_document
from tercet.consent.licences.party import Party, new_party, party_document
from tercet.consent.licences.party_history import PartyHistory, receive_party
from tercet.consent.licences.repertoire import Repertoire, repertoire_of
from tercet.consent.licences.signing import Signer, document_sha256, signed
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.terms import (
    Grant,
    Modality,
    ModelScope,
    PartyName,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage

BEGIN = "2026-01-01T00:00:00Z"
OFFERED = "2026-02-01T00:00:00Z"
AGREED = "2026-02-02T00:00:00Z"
SEEN = "2026-02-02T00:01:00Z"
PIDS = (
    "urn:uuid:00000000-0000-4000-8000-00000000c001",
    "urn:uuid:00000000-0000-4000-8000-00000000a001",
)


@dataclass(frozen=True)
class Key:
    """A key made of a word, so that every run has the same one."""

    word: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.word.encode()).digest())

    @property
    def public_raw(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def signer(self, party: str) -> Signer:
        return Signer(party, self.public_raw, self.private.sign)


def party_signed(party: Party, *keys: Key) -> dict[str, Any]:
    """Return a party's document, signed by these keys in order."""
    document = party_document(party)
    for key in keys:
        document = signed(document, key.signer(party.id))
    return document


def history_of(name: str, *keys: Key, received_at: str = BEGIN) -> PartyHistory:
    """Return a party of one version that all of its keys signed."""
    party = new_party(name, "", BEGIN, [key.public_raw for key in keys])
    return receive_party(None, party_signed(party, *keys), received_at)


OWNER_KEY, STUDIO_KEY, THIEF_KEY = Key("owner"), Key("studio"), Key("thief")
OWNER, STUDIO = history_of("Owner", OWNER_KEY), history_of("Studio", STUDIO_KEY)
THIEF = history_of("Somebody Else", THIEF_KEY)
PARTIES = {each.id: each for each in (OWNER, STUDIO, THIEF)}
WORKS: Repertoire = repertoire_of([f"sha256:{hashlib.sha256(b'work').hexdigest()}"])
REPERTOIRES = {WORKS.sha256: WORKS}


def terms(*, licensee: bool = True) -> Terms:
    """Return terms that grant something for a price."""
    return Terms(
        licensor=PartyName(OWNER.id, "Owner"),
        licensee=PartyName(STUDIO.id, "Studio") if licensee else None,
        repertoire=RepertoireName(WORKS.sha256, WORKS.work_count),
        grant=Grant(
            usages=(Usage.TRAIN_GENERATIVE,),
            purposes=(Purpose.PRETRAIN,),
            modalities_in=(Modality.VIDEO,),
            modalities_out=(Modality.VIDEO,),
            models=ModelScope(Versions.ONE, "house", "1"),
            territory=Territory(("*",)),
            period=Period("2026-03-01", "2028-03-01"),
        ),
        price=Price(currency="EUR", per_minute_micros=2_000_000),
    )


def offer(*, licensee: bool = False, key: Key = OWNER_KEY, party: str = "") -> dict[str, Any]:
    """Return an offer of these terms, signed by its maker."""
    document = offer_document(
        offer_id="urn:uuid:00000000-0000-4000-8000-0000000000f1",
        made_at=OFFERED,
        valid_until="2026-03-01T00:00:00Z",
        terms=terms_fields(terms(licensee=licensee)),
    )
    return signed(document, key.signer(party or OWNER.id))


def agreement(**changes: Any) -> Agreement:
    """Return what both agreed on, with some of it changed."""
    fields: dict[str, Any] = {
        "id": "urn:uuid:00000000-0000-4000-8000-0000000000e1",
        "consumer_pid": PIDS[0],
        "provider_pid": PIDS[1],
        "made_at": AGREED,
        "terms": terms(),
        "offer_sha256": document_sha256(offer()),
    }
    return Agreement(**(fields | changes))


def agreement_signed(**changes: Any) -> dict[str, Any]:
    """Return an agreement that both signed."""
    document = agreement_document(agreement(**changes))
    for key, party in ((OWNER_KEY, OWNER), (STUDIO_KEY, STUDIO)):
        document = signed(document, key.signer(party.id))
    return document


def ending_by(*signers: tuple[Key, PartyHistory], **changes: str) -> dict[str, Any]:
    """Return the end of that agreement, signed by these."""
    fields: dict[str, Any] = {
        "agreement": agreement().id,
        "reason": TerminationReason.MUTUAL,
        "effective_on": "2027-01-01",
        "made_at": "2026-05-01T00:00:00Z",
    }
    document = termination_document(Termination(**(fields | changes)))
    for key, party in signers:
        document = signed(document, key.signer(party.id))
    return document


def ending() -> dict[str, Any]:
    """Return the end of that agreement, signed by both."""
    return ending_by((OWNER_KEY, OWNER), (STUDIO_KEY, STUDIO))
