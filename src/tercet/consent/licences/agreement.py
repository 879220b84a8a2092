"""`tercet/agreement@1`: the licence that two parties signed.

    {"type": "tercet/agreement@1", "id": "urn:uuid:...",
     "negotiation": {"consumer_pid", "provider_pid"}, "made_at": RFC 3339,
     "terms": tercet/terms@1, "offer_sha256": the offer that was accepted,
     "supersedes": agreement id or "", "parties": {"assigner", "assignee"},
     "signatures": [assigner's, assignee's]}

It names its negotiation and its offer, so neither side's signature can be carried to another one.
Whether it is signed as it must be is said by standing.check_agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import (
    DOCUMENT_ID,
    PARTY_ID,
    SHA256,
    ClosedFields,
    DocumentError,
)
from tercet.consent.licences.signing import Document
from tercet.consent.licences.terms_schema import terms_fields, terms_of
from tercet.core.terms import Terms

AGREEMENT_TYPE = "tercet/agreement@1"
_UUID = "an id such as urn:uuid:00000000-0000-4000-8000-000000000000"
_MEMBERS = (
    "type", "id", "negotiation", "made_at", "terms", "offer_sha256", "supersedes", "parties",
    "signatures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed. The assigner grants (the licensor), the assignee is granted."""

    id: str
    consumer_pid: str
    provider_pid: str
    made_at: str
    terms: Terms
    offer_sha256: str
    supersedes: str = ""

    @property
    def assigner(self) -> str:
        """The id of the party that grants."""
        return self.terms.licensor.id

    @property
    def assignee(self) -> str:
        """The id of the party that is granted. Raises DocumentError where the terms name none."""
        if self.terms.licensee is None:
            raise DocumentError("expected terms with a licensee in an agreement, got none")
        return self.terms.licensee.id


def agreement_document(agreement: Agreement) -> dict[str, Any]:
    """Return an agreement as the fields of its document, not yet signed. Raises DocumentError."""
    return {
        "type": AGREEMENT_TYPE,
        "id": agreement.id,
        "negotiation": {
            "consumer_pid": agreement.consumer_pid,
            "provider_pid": agreement.provider_pid,
        },
        "made_at": agreement.made_at,
        "terms": terms_fields(agreement.terms),
        "offer_sha256": agreement.offer_sha256,
        "supersedes": agreement.supersedes,
        "parties": {"assigner": agreement.assigner, "assignee": agreement.assignee},
        "signatures": [],
    }


def agreement_of(document: Document) -> Agreement:
    """Return what a document says was agreed; its signatures are not looked at.

    Raises DocumentError, or TermsError for its terms.
    """
    fields = ClosedFields(document, "agreement", _MEMBERS)
    fields.constant("type", AGREEMENT_TYPE)
    pids = ClosedFields(
        fields.raw("negotiation"), "agreement.negotiation", ("consumer_pid", "provider_pid")
    )
    agreement = Agreement(
        id=fields.matching("id", DOCUMENT_ID, _UUID),
        consumer_pid=pids.matching("consumer_pid", DOCUMENT_ID, _UUID),
        provider_pid=pids.matching("provider_pid", DOCUMENT_ID, _UUID),
        made_at=fields.time("made_at"),
        terms=terms_of(fields.raw("terms")),
        offer_sha256=fields.matching("offer_sha256", SHA256, "a SHA-256"),
        supersedes=fields.matching("supersedes", DOCUMENT_ID, _UUID, empty=True),
    )
    _check_parties(agreement, fields)
    return agreement


def _check_parties(agreement: Agreement, fields: ClosedFields) -> None:
    parties = ClosedFields(fields.raw("parties"), "agreement.parties", ("assigner", "assignee"))
    for role in ("assigner", "assignee"):
        named = parties.matching(role, PARTY_ID, "the id of a party")
        if named != getattr(agreement, role):
            raise parties.wrong(role, f"{getattr(agreement, role)}, as the terms say")
    if agreement.assigner == agreement.assignee:
        raise DocumentError("expected an agreement of two parties, got one with itself")
    if agreement.supersedes == agreement.id:
        raise DocumentError("expected an agreement to supersede another one, got itself")
