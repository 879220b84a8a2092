"""`tercet/letter@1`: an open letter, and `tercet/letter-signature@1`: that somebody signs it.

    {"type": "tercet/letter@1", "id": "urn:uuid:...", "made_at": RFC 3339, "language": "en",
     "title": ..., "text": ..., "text_sha256": SHA-256 of the text in UTF-8,
     "initiator": {"id", "name"}, "closes_on": date or "",
     "proposal": null or {"collective": {"id", "name"}, "usages": [...],
                          "cut_basis_points": ..., "notice_days": ..., "end": date or ""},
     "signatures": [the initiator's]}

The letter's hash is the SHA-256 of its canonical JSON without ``signatures``: who signs names it,
so no word of title, text or proposal can be changed under a signature. ``proposal`` is the mandate
that signatories are asked to give: one step turns a signature into it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tercet.consent.licences.closed_fields import (
    DOCUMENT_ID,
    SHA256,
    ClosedFields,
    DocumentError,
    kind_in,
)
from tercet.consent.licences.mandate import (
    NOTICE_DAYS_MAX,
    WHOLE_BASIS_POINTS,
    party_fields,
    party_of,
)
from tercet.consent.licences.person_text import person_text, prose_text
from tercet.core.ids import sha256_hex
from tercet.core.terms import PartyName
from tercet.core.usage import Usage

LETTER_TYPE = "tercet/letter@1"
SIGNATURE_TYPE = "tercet/letter-signature@1"
WITHDRAWAL_TYPE = "tercet/letter-withdrawal@1"
TITLE_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 50_000
PERSON_CHARACTERS_MAX = 120
PROFESSION_CHARACTERS_MAX = 80
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
COUNTRY = re.compile(r"[A-Z]{2}")

_LETTER_FIELDS = (
    "type", "id", "made_at", "language", "title", "text", "text_sha256", "initiator", "closes_on",
    "proposal",
)  # fmt: skip
_PROPOSAL_FIELDS = ("collective", "usages", "cut_basis_points", "notice_days", "end")
_SIGNATURE_FIELDS = (
    "type", "id", "letter", "made_at", "name", "profession", "country", "visibility",
)  # fmt: skip
_WITHDRAWAL_FIELDS = ("type", "signature", "letter", "made_at")


class Visibility(StrEnum):
    """What others may see of a signatory. Stable strings; the default favours who says nothing."""

    NAMED = "named"  # name, profession and country, in every export
    COUNTED = "counted"  # in the counts by profession and country; never by name
    HIDDEN = "hidden"  # in totals only


@dataclass(frozen=True, slots=True)
class Proposal:
    """The mandate that a letter asks its signatories to give."""

    collective: PartyName
    usages: tuple[Usage, ...]
    cut_basis_points: int = 0
    notice_days: int = 0
    end: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """An open letter. ``closes_on`` is the first day on which nobody can sign it any more."""

    id: str
    made_at: str
    language: str
    title: str
    text: str
    initiator: PartyName
    closes_on: str = ""
    proposal: Proposal | None = None

    def is_open_on(self, day: str) -> bool:
        """Say whether it can be signed on a day."""
        return not self.closes_on or day < self.closes_on


@dataclass(frozen=True, slots=True)
class LetterSignature:
    """That somebody signs: who they say they are, and what others may see of it.

    ``letter`` is the letter's hash. ``country`` is an ISO 3166-1 code or "".
    """

    id: str
    letter: str
    made_at: str
    name: str
    profession: str = ""
    country: str = ""
    visibility: Visibility = Visibility.COUNTED


def letter_document(letter: Letter) -> dict[str, Any]:
    """Return a letter as the fields of its document, not yet signed."""
    proposal = letter.proposal
    return {
        "type": LETTER_TYPE,
        "id": letter.id,
        "made_at": letter.made_at,
        "language": letter.language,
        "title": letter.title,
        "text": letter.text,
        "text_sha256": sha256_hex(letter.text.encode()),
        "initiator": party_fields(letter.initiator),
        "closes_on": letter.closes_on,
        "proposal": None if proposal is None else {
            "collective": party_fields(proposal.collective),
            "usages": [str(usage) for usage in proposal.usages],
            "cut_basis_points": proposal.cut_basis_points,
            "notice_days": proposal.notice_days,
            "end": proposal.end,
        },
    }  # fmt: skip


def letter_of(document: Mapping[str, Any]) -> Letter:
    """Return the letter a document states, whoever signed it. Raises DocumentError."""
    fields = ClosedFields(_unsigned(document), "letter", _LETTER_FIELDS)
    fields.constant("type", LETTER_TYPE)
    text = prose_text(fields.text("text", TEXT_CHARACTERS_MAX, required=True), "letter.text")
    fields.constant("text_sha256", sha256_hex(text.encode()))
    proposal = fields.raw("proposal")
    return Letter(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=fields.time("made_at"),
        language=fields.matching("language", LANGUAGE, "a language such as en or vi"),
        title=person_text(fields.text("title", TITLE_CHARACTERS_MAX, required=True),
                          "letter.title"),
        text=text,
        initiator=party_of(fields.raw("initiator"), "letter.initiator"),
        closes_on=fields.day("closes_on", empty=True),
        proposal=None if proposal is None else _proposal_of(proposal),
    )  # fmt: skip


def _proposal_of(value: object) -> Proposal:
    fields = ClosedFields(value, "letter.proposal", _PROPOSAL_FIELDS)
    usages = fields.items("usages", kind_in(Usage), len(Usage))
    if not usages or list(usages) != sorted(set(usages)):
        raise DocumentError("expected sorted usages, each once, at letter.proposal.usages")
    return Proposal(
        collective=party_of(fields.raw("collective"), "letter.proposal.collective"),
        usages=usages,
        cut_basis_points=fields.integer("cut_basis_points", 0, WHOLE_BASIS_POINTS),
        notice_days=fields.integer("notice_days", 0, NOTICE_DAYS_MAX),
        end=fields.day("end", empty=True),
    )


def signature_document(signature: LetterSignature) -> dict[str, Any]:
    """Return a signature as the fields of its document; who has a key signs it."""
    return {
        "type": SIGNATURE_TYPE,
        "id": signature.id,
        "letter": signature.letter,
        "made_at": signature.made_at,
        "name": signature.name,
        "profession": signature.profession,
        "country": signature.country,
        "visibility": str(signature.visibility),
    }


def signature_of(document: Mapping[str, Any]) -> LetterSignature:
    """Return the signature a document states, not yet proved by anything. Raises DocumentError."""
    fields = ClosedFields(_unsigned(document), "signature", _SIGNATURE_FIELDS)
    fields.constant("type", SIGNATURE_TYPE)
    return LetterSignature(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        letter=fields.matching("letter", SHA256, "the hash of a letter"),
        made_at=fields.time("made_at"),
        name=person_text(fields.text("name", PERSON_CHARACTERS_MAX, required=True),
                         "signature.name"),
        profession=person_text(fields.text("profession", PROFESSION_CHARACTERS_MAX),
                               "signature.profession"),
        country=fields.matching("country", COUNTRY, "a country such as VN", empty=True),
        visibility=fields.choice("visibility", Visibility),
    )  # fmt: skip


def letter_withdrawal_document(signature: str, letter: str, made_at: str) -> dict[str, Any]:
    """Return the document, not yet signed, by which who signed with a key takes it back."""
    return {"type": WITHDRAWAL_TYPE, "signature": signature, "letter": letter, "made_at": made_at}


def withdrawn_signature(document: Mapping[str, Any]) -> str:
    """Return the id of the signature that a withdrawal is about. Raises DocumentError."""
    fields = ClosedFields(_unsigned(document), "withdrawal", _WITHDRAWAL_FIELDS)
    fields.constant("type", WITHDRAWAL_TYPE)
    fields.matching("letter", SHA256, "the hash of a letter")
    fields.time("made_at")
    return fields.matching("signature", DOCUMENT_ID, "the id of a signature")


def _unsigned(document: Mapping[str, Any]) -> object:
    if not isinstance(document, Mapping):
        return document
    return {name: value for name, value in document.items() if name != "signatures"}
