"""Two parties, their keys, offers and agreements, for tests of negotiations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tercet.consent.licences.exchange_content import agreement_under_way, offer_on_table
from tercet.consent.licences.messages import Message, signed_message
from tercet.consent.licences.negotiation import Role, Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.offer import offer_document
from tercet.consent.licences.party import party_id_of
from tercet.consent.licences.signing import Signer, check_signature, signatures_of, signed
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError
from tercet.core.strict_json import read_canonical_object
from tercet.core.terms import Grant, PartyName, Period, Price, Purpose, RepertoireName, Terms
from tercet.core.usage import Usage

AT = "2026-11-22T10:00:00Z"
LATER = "2026-11-23T10:00:00Z"
UNTIL = "2026-12-22T10:00:00Z"
TOO_LATE = "2026-12-22T10:00:01Z"


def uuid(number: int, kind: int = 0) -> str:
    """Return the id of something."""
    return f"urn:uuid:{kind:08x}-0000-4000-8000-{number:012x}"


@dataclass(frozen=True)
class Person:
    """A party with its key."""

    name: str
    signer: Signer

    @property
    def id(self) -> str:
        return self.signer.party


def person(name: str, seed: int) -> Person:
    """Return the party whose key has this seed."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    raw = key.public_key().public_bytes_raw()
    return Person(name, Signer(party_id_of(raw), raw, key.sign))


OWNER = person("Owner", 1)
STUDIO = person("Studio", 2)
STRANGER = person("Stranger", 3)
PEOPLE = {Role.PROVIDER: OWNER, Role.CONSUMER: STUDIO}


class KnownKeys:
    """Checks that know the keys of some parties, and which agreements may be amended."""

    def __init__(self, *people: Person, amendable: tuple[str, ...] = ()) -> None:
        self.keys = {each.id: each.signer.public_raw for each in people}
        self.amendable = amendable

    def check_signed(self, document: Mapping[str, Any], party: str) -> None:
        for signature in signatures_of(document):
            if signature.party == party and party in self.keys:
                return check_signature(document, signature, self.keys[party])
        raise IntegrityError(f"expected a signature of {party}, got none")

    def check_supersedes(self, agreement: str, provider: str, consumer: str, pid: str) -> None:
        if agreement not in self.amendable:
            raise IntegrityError(f"expected an agreement that stands, got {agreement}")

    def check_agreement_id(self, agreement: str, pid: str) -> None:
        if agreement == uuid(0xBAD, 0xA):
            raise IntegrityError(f"another agreement has the id {agreement}")


CHECKS = KnownKeys(OWNER, STUDIO)


def terms(price: int = 1_000_000, repertoire: str = "ab" * 32) -> Terms:
    """Return terms between the two at a price in micro-euros."""
    return Terms(
        licensor=PartyName(OWNER.id, OWNER.name),
        licensee=PartyName(STUDIO.id, STUDIO.name),
        repertoire=RepertoireName(repertoire, 3),
        grant=Grant(
            usages=(Usage.TRAIN_GENERATIVE,),
            purposes=(Purpose.PRETRAIN,),
            period=Period("2027-01-01", "2029-01-01"),
        ),
        price=Price(currency="EUR", fixed_micros=price),
    )


def offer(
    maker: Person, number: int, *, price: int = 1_000_000, previous: str = "", until: str = UNTIL
) -> bytes:
    """Return a signed offer as bytes."""
    document = offer_document(
        offer_id=uuid(number, 0xF),
        made_at=AT,
        valid_until=until,
        terms=terms_fields(terms(price)),
        previous=previous,
    )
    return canonical_json(signed(document, maker.signer))


def agreement(side: Negotiation, **changes: Any) -> dict[str, Any]:
    """Return the agreement that follows from the offer on the table, unsigned."""
    on_table = offer_on_table(side)
    return {
        "type": "tercet/agreement@1",
        "id": uuid(1, 0xA),
        "negotiation": {"consumer_pid": side.consumer_pid, "provider_pid": side.provider_pid},
        "made_at": AT,
        "terms": read_canonical_object(on_table.terms),
        "offer_sha256": on_table.sha256,
        "supersedes": side.supersedes,
        "parties": {"assigner": side.provider, "assignee": side.consumer},
        "signatures": [],
        **changes,
    }


def side(role: Role, pid: int = 0) -> Negotiation:
    """Return a side that has not begun."""
    mine, other = PEOPLE[role], PEOPLE[role.other]
    return Negotiation(
        role, uuid(pid or (1 if role is Role.CONSUMER else 2), 0xB), mine.id, other.id
    )


def message(
    of: Negotiation, step: Step, number: int, document: bytes | None = None, **changes: Any
) -> Message:
    """Return the signed message of a side; its document follows from the state."""
    plain = Message(
        step=step,
        sender=of.role,
        message_id=uuid(number, 0xC + (of.role is Role.PROVIDER)),
        sent_at=AT,
        party=of.party,
        consumer_pid=of.consumer_pid,
        provider_pid=of.provider_pid,
        follows=of.head,
        address=f"https://{of.role}.example/dsp",
        document=_document(of, step, number) if document is None else document,
    )
    return signed_message(replace(plain, **changes), PEOPLE[of.role].signer)


def _document(of: Negotiation, step: Step, number: int) -> bytes:
    me = PEOPLE[of.role]
    if step in (Step.REQUEST, Step.OFFER):
        previous = offer_on_table(of).id if of.last_offer is not None else ""
        numbered = number * 2 + (of.role is Role.PROVIDER)
        return offer(me, numbered, price=1_000_000 + number, previous=previous)
    if step is Step.AGREE:
        return canonical_json(signed(agreement(of), me.signer))
    if step is Step.VERIFY:
        return canonical_json(signed(read_canonical_object(agreement_under_way(of)), me.signer))
    return agreement_under_way(of) if step is Step.FINALIZE else b""
