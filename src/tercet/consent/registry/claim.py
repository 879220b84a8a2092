"""`tercet/claim@1`: an owner's signed statement that a work is theirs, and under which terms.

    {"type": "tercet/claim@1", "made_at": RFC 3339, "previous": claim id or "",
     "work": {"sha256", "iscc", "medium", "title", "creators": [...], "identifiers": {...},
              "source_url"},
     "owner": {"name", "isni", "email", "url"}, "share_basis_points": 1..10000, "basis": ...,
     "evidence": [{"kind", "value", "sha256", "covers_all"}],
     "terms": [{"usage", "permission", "conditions": [...]}],
     "public_key": Base64, "signature": {...}}

Its id is the SHA-256 of its canonical JSON without the signature. What a check of the evidence
found is no part of it: that is the registry's own, later statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tercet.consent.registry.identifiers import Identifiers
from tercet.consent.registry.match_document import UsageTerms
from tercet.core.condition import condition_fields, condition_from_fields
from tercet.core.errors import InputError, IntegrityError
from tercet.core.usage import Permission, Usage
from tercet.core.work import Medium

CLAIM_TYPE = "tercet/claim@1"
WITHDRAWAL_TYPE = "tercet/withdrawal@1"
WHOLE_BASIS_POINTS = 10_000
Terms = tuple[UsageTerms, ...]


class Basis(StrEnum):
    """Why the work is the owner's. Stable strings."""

    AUTHOR = "author"
    EMPLOYER = "employer"
    ASSIGNMENT = "assignment"
    COLLECTIVE_MANDATE = "collective mandate"
    OTHER = "other"


class EvidenceKind(StrEnum):
    """What an owner points to. Stable strings."""

    DOMAIN = "domain control"  # value: the host
    STATEMENT = "signed statement"  # value: the file's name, with its SHA-256
    IDENTIFIER = "registered identifier"  # value: "scheme:identifier"
    MANDATE = "mandate of a collective"  # value: the collective, with the SHA-256 of the mandate


class Check(StrEnum):
    """What came of checking evidence."""

    UNCHECKED = "unchecked"
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for a claim.

    ``covers_all`` with DOMAIN: the owner says that everything published at that host is theirs,
    under the claim's terms; else the domain only speaks for the work itself.
    """

    kind: EvidenceKind
    value: str
    sha256: str = ""
    covers_all: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Who claims: a name, and what else they want to be known by."""

    name: str
    isni: str = ""
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """The work a claim is on, as the claimant describes it; ``sha256`` says which bytes."""

    sha256: str
    medium: Medium
    iscc: str = ""
    title: str = ""
    creators: tuple[str, ...] = ()
    identifiers: Identifiers = ()
    source_url: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim before it is signed. ``share_basis_points`` is the owner's part of 10,000.

    ``previous`` is the id of the claim that this one amends, "" when it is the first.
    """

    subject: Subject
    owner: Owner
    terms: Terms
    made_at: str
    share_basis_points: int = WHOLE_BASIS_POINTS
    basis: Basis = Basis.AUTHOR
    evidence: tuple[Evidence, ...] = field(default=())
    previous: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.share_basis_points <= WHOLE_BASIS_POINTS:
            raise InputError(
                f"expected a share of 1 to {WHOLE_BASIS_POINTS} basis points, "
                f"got {self.share_basis_points}",
                hint="100 % are 10000 basis points",
            )
        if not self.owner.name.strip():
            raise InputError("a claim needs an owner's name", hint="give it with --owner NAME")


def claim_document(claim: Claim) -> dict[str, Any]:
    """Return a claim as the fields of its document, not yet signed."""
    subject, owner = claim.subject, claim.owner
    return {
        "type": CLAIM_TYPE,
        "made_at": claim.made_at,
        "previous": claim.previous,
        "work": {
            "sha256": subject.sha256,
            "iscc": subject.iscc,
            "medium": str(subject.medium),
            "title": subject.title,
            "creators": list(subject.creators),
            "identifiers": dict(subject.identifiers),
            "source_url": subject.source_url,
        },
        "owner": {name: getattr(owner, name) for name in Owner.__slots__},
        "share_basis_points": claim.share_basis_points,
        "basis": str(claim.basis),
        "evidence": [
            {
                "kind": str(each.kind),
                "value": each.value,
                "sha256": each.sha256,
                "covers_all": each.covers_all,
            }
            for each in claim.evidence
        ],
        "terms": [
            {
                "usage": str(each.usage),
                "permission": str(each.permission),
                "conditions": [condition_fields(condition) for condition in each.conditions],
            }
            for each in claim.terms
        ],
    }


def claim_of(document: Mapping[str, Any]) -> Claim:
    """Return the claim a document states. Raises IntegrityError when it is no claim."""
    try:
        if document["type"] != CLAIM_TYPE:
            raise ValueError(f"expected {CLAIM_TYPE}, got {document['type']!r}")
        work = document["work"]
        subject = Subject(
            sha256=work["sha256"],
            medium=Medium(work["medium"]),
            iscc=work["iscc"],
            title=work["title"],
            creators=tuple(work["creators"]),
            identifiers=tuple(sorted(work["identifiers"].items())),
            source_url=work["source_url"],
        )
        return Claim(
            subject=subject,
            owner=Owner(**document["owner"]),
            terms=tuple(_terms_of(each) for each in document["terms"]),
            made_at=document["made_at"],
            share_basis_points=document["share_basis_points"],
            basis=Basis(document["basis"]),
            evidence=tuple(
                Evidence(EvidenceKind(e["kind"]), e["value"], e["sha256"], e["covers_all"])
                for e in document["evidence"]
            ),
            previous=document["previous"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise IntegrityError(f"not a claim: {error}") from error


def _terms_of(fields: Mapping[str, Any]) -> UsageTerms:
    return UsageTerms(
        Usage(fields["usage"]),
        Permission(fields["permission"]),
        tuple(condition_from_fields(condition) for condition in fields["conditions"]),
    )


def withdrawal_document(claim_id: str, made_at: str, reason: str) -> dict[str, Any]:
    """Return the document, not yet signed, by which an owner takes a claim back."""
    return {"type": WITHDRAWAL_TYPE, "claim": claim_id, "made_at": made_at, "reason": reason}


def says_the_same(one: Claim, other: Claim) -> bool:
    """Say whether two claims differ in nothing but their date, their history and their iscc.

    Another release of the ISCC library may name the same bytes anew; nothing is claimed by that.
    """
    return _lasting(one) == _lasting(other)


def _lasting(claim: Claim) -> dict[str, Any]:
    fields = claim_document(claim)
    fields["work"] = {name: value for name, value in fields["work"].items() if name != "iscc"}
    return {name: v for name, v in fields.items() if name not in ("made_at", "previous")}
