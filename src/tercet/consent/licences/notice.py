"""`tercet/member-notice@1`: what a collective tells a member about works the member mandated.

    {"type": "tercet/member-notice@1", "id": "urn:uuid:...", "made_at": RFC 3339,
     "collective": {"id", "name"}, "member": {"id", "name"}, "mandate": id, "kind": ...,
     "agreement": id or "", "snapshot": id or "", "work_count": ..., "effective_on": date,
     "terms": tercet/terms@1 or null, "signatures": [the collective's]}

The id follows from what the notice is about, so that everybody is told of everything once, however
often it is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from tercet.consent.licences.agreement import Agreement
from tercet.consent.licences.closed_fields import DOCUMENT_ID, ClosedFields
from tercet.consent.licences.collective import Snapshot
from tercet.consent.licences.mandate import WORKS_MAX, HeldMandate, party_fields, party_of
from tercet.consent.licences.terms_schema import terms_fields, terms_of
from tercet.core.terms import PartyName, Terms

NOTICE_TYPE = "tercet/member-notice@1"
_SPACE = UUID("6f4b1d43-9a1c-5c0e-8b63-2c9a4f6d7e10")
_FIELDS = (
    "type", "id", "made_at", "collective", "member", "mandate", "kind", "agreement", "snapshot",
    "work_count", "effective_on", "terms",
)  # fmt: skip


class NoticeKind(StrEnum):
    """What a member is told. Stable strings."""

    LICENSED = "licensed"  # an agreement covers works of the member
    LICENCE_ENDED = "licence ended"
    REVOCATION_RECEIVED = "revocation received"  # running agreements go on until effective_on


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one member is told. ``work_count`` is how many works of theirs it is about."""

    id: str
    made_at: str
    collective: PartyName
    member: PartyName
    mandate: str
    kind: NoticeKind
    agreement: str = ""
    snapshot: str = ""
    work_count: int = 0
    effective_on: str = ""
    terms: Terms | None = None


def licence_notices(
    agreement: Agreement, snapshot: Snapshot, *, made_at: str, ended_on: str = ""
) -> tuple[Notice, ...]:
    """Return what each member whose works an agreement covers is told.

    With ``ended_on`` that it ended on that day, else that it was made, with all its terms.
    """
    kind = NoticeKind.LICENCE_ENDED if ended_on else NoticeKind.LICENSED
    return tuple(
        Notice(
            id=notice_id(kind, part.mandate, agreement.id),
            made_at=made_at,
            collective=snapshot.collective,
            member=part.member,
            mandate=part.mandate,
            kind=kind,
            agreement=agreement.id,
            snapshot=snapshot.id,
            work_count=part.repertoire.work_count,
            effective_on=ended_on or agreement.terms.grant.period.start,
            terms=None if ended_on else agreement.terms,
        )
        for part in snapshot.parts
    )


def revocation_notice(held: HeldMandate, *, made_at: str) -> Notice:
    """Return what a member is told who revoked: from when no running agreement holds any more."""
    mandate = held.mandate
    return Notice(
        id=notice_id(NoticeKind.REVOCATION_RECEIVED, mandate.id, ""),
        made_at=made_at,
        collective=mandate.collective,
        member=mandate.member,
        mandate=mandate.id,
        kind=NoticeKind.REVOCATION_RECEIVED,
        effective_on=held.lapses_on,
    )


def notice_id(kind: NoticeKind, mandate: str, agreement: str) -> str:
    """Return the id of a notice: the same for the same thing (RFC 9562, version 5)."""
    return uuid5(_SPACE, f"{kind} {mandate} {agreement}").urn


def notice_document(notice: Notice) -> dict[str, Any]:
    """Return a notice as the fields of its document, not yet signed."""
    return {
        "type": NOTICE_TYPE,
        "id": notice.id,
        "made_at": notice.made_at,
        "collective": party_fields(notice.collective),
        "member": party_fields(notice.member),
        "mandate": notice.mandate,
        "kind": str(notice.kind),
        "agreement": notice.agreement,
        "snapshot": notice.snapshot,
        "work_count": notice.work_count,
        "effective_on": notice.effective_on,
        "terms": None if notice.terms is None else terms_fields(notice.terms),
    }


def notice_of(document: Mapping[str, Any]) -> Notice:
    """Return the notice a document states, whoever signed it. Raises DocumentError, TermsError."""
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    fields = ClosedFields(unsigned, "notice", _FIELDS)
    fields.constant("type", NOTICE_TYPE)
    terms = fields.raw("terms")
    return Notice(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=fields.time("made_at"),
        collective=party_of(fields.raw("collective"), "notice.collective"),
        member=party_of(fields.raw("member"), "notice.member"),
        mandate=fields.matching("mandate", DOCUMENT_ID, "the id of a mandate"),
        kind=fields.choice("kind", NoticeKind),
        agreement=fields.matching("agreement", DOCUMENT_ID, "an id", empty=True),
        snapshot=fields.matching("snapshot", DOCUMENT_ID, "an id", empty=True),
        work_count=fields.integer("work_count", 0, WORKS_MAX),
        effective_on=fields.day("effective_on", empty=True),
        terms=None if terms is None else terms_of(terms),
    )
