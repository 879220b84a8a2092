"""Parties, keys and offers for tests, made by hand: no desk is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tercet.consent.licences.offer_files import OfferedWorks
from tercet.consent.licences.party import new_party, party_document, party_id_of
from tercet.consent.licences.repertoire import Repertoire, repertoire_of
from tercet.consent.licences.signing import Signer, signed
from tercet.core.terms import (
    WORLD,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Price,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage
from tercet.flows.offer import OfferDraft, make_offer

MADE_AT = "2026-11-22T10:00:00Z"
VALID_UNTIL = "2027-11-22T00:00:00Z"
OFFER_ID = "urn:uuid:6b5b9f6e-5b1e-4f0a-9c39-0d5f0a3f7a11"
TRAINING = (Usage.TRAIN_GENERATIVE, Usage.TRAIN_NONGENERATIVE)


def signer_of(seed: int = 1) -> Signer:
    """Return the signer of a party whose key comes of a number."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Signer(party_id_of(public), public, key.sign)


def party_documents(signer: Signer, name: str = "Owner", address: str = "") -> list[dict[str, Any]]:
    """Return the documents of a party: one version."""
    party = new_party(name, address, MADE_AT, [signer.public_raw])
    return [signed(party_document(party), signer)]


def works_of(*lines: str) -> Repertoire:
    """Return a repertoire of lines."""
    return repertoire_of(lines)


def terms_for(
    signer: Signer, works: Repertoire, price: Price, name: str = "Owner", **grant: Any
) -> Terms:
    """Return terms of an offer to everybody; training, everywhere, for two years."""
    given: dict[str, Any] = {
        "usages": TRAINING,
        "territory": Territory((WORLD,)),
        "period": Period("2027-01-01", "2029-01-01"),
        "models": ModelScope(Versions.ANY),
    }
    return Terms(
        licensor=PartyName(signer.party, name),
        repertoire=RepertoireName(works.sha256, works.work_count),
        grant=Grant(**(given | grant)),
        price=price,
    )


def offered(
    *lines: str,
    price: Price | None = None,
    seed: int = 1,
    offer_id: str = OFFER_ID,
    previous: str = "",
    licensor: PartyName | None = None,
    name: str = "Owner",
    **grant: Any,
) -> OfferedWorks:
    """Return a signed offer of the works of these lines."""
    signer, works = signer_of(seed), works_of(*lines)
    asked = price or Price("EUR", per_work_micros=50_000)
    terms = terms_for(signer, works, asked, name, **grant)
    terms = replace(terms, licensor=licensor or terms.licensor)
    draft = OfferDraft(terms, works, offer_id, MADE_AT, VALID_UNTIL, previous)
    return make_offer(draft, signer, party_documents(signer, name))
