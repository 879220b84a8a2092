"""`tercet/mandate@1`: a member lets a collective license works; opt-in, and for members alone.

    {"type": "tercet/mandate@1", "id": "urn:uuid:...", "made_at": RFC 3339,
     "member": {"id", "name"}, "collective": {"id", "name"},
     "works": {"sha256", "work_count", "exclusions": [...]}, "usages": [...],
     "excluded_licensees": [party ids], "cut_basis_points": 0..10000,
     "start": date, "end": date or "", "notice_days": 0..3650,
     "letter": SHA-256 of the open letter it came of, or "", "contact": mail address or "",
     "signatures": [the member's]}

``works.sha256`` names a repertoire; "" means all works that the member has registered. A licensee
in ``excluded_licensees`` never gets the member's works. ``cut_basis_points`` is what the collective
keeps of the member's money. A revocation (`tercet/mandate-revocation@1`) takes effect on later
snapshots at once, and on running agreements ``notice_days`` after the collective had it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from tercet.consent.licences.closed_fields import (
    DOCUMENT_ID,
    PARTY_ID,
    SHA256,
    ClosedFields,
    DocumentError,
    kind_in,
    text_matching,
)
from tercet.consent.licences.repertoire import RepertoireError, normal_line
from tercet.core.terms import PartyName, RepertoireName
from tercet.core.usage import Usage

MANDATE_TYPE = "tercet/mandate@1"
REVOCATION_TYPE = "tercet/mandate-revocation@1"
WHOLE_BASIS_POINTS = 10_000
NOTICE_DAYS_MAX = 3650
EXCLUSIONS_MAX = 10_000
LICENSEES_MAX = 1_000
NAME_CHARACTERS_MAX = 300
REASON_CHARACTERS_MAX = 2_000
WORKS_MAX = 2**40
_MAIL_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAIL_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAIL = re.compile(
    rf"(?!.*=\?)(?=[^@]{{1,64}}@.{{1,189}}\Z){_MAIL_NAME}(\.{_MAIL_NAME})*"
    rf"@{_MAIL_HOST}(\.{_MAIL_HOST})*"
)
"""What is taken for a mail address: a dot-atom at a host (RFC 5322, 3.4.1), in ASCII.

Nothing that could begin a header or a list, and no encoded word (RFC 2047): it would be decoded,
to another address or to several, where the message is written.
"""

_PARTY_FIELDS = ("id", "name")
_WORKS_FIELDS = ("sha256", "work_count", "exclusions")
_MANDATE_FIELDS = (
    "type", "id", "made_at", "member", "collective", "works", "usages", "excluded_licensees",
    "cut_basis_points", "start", "end", "notice_days", "letter", "contact",
)  # fmt: skip
_REVOCATION_FIELDS = ("type", "id", "made_at", "mandate", "member", "collective", "reason")


@dataclass(frozen=True, slots=True)
class Mandate:
    """What one member lets one collective do. An empty ``works.sha256`` means all their works."""

    id: str
    made_at: str
    member: PartyName
    collective: PartyName
    usages: tuple[Usage, ...]
    start: str
    works: RepertoireName = field(default_factory=RepertoireName)
    excluded_licensees: tuple[str, ...] = ()
    cut_basis_points: int = 0
    end: str = ""
    notice_days: int = 0
    letter: str = ""
    contact: str = ""

    @property
    def covers_all_works(self) -> bool:
        """Say whether it is for everything the member has registered."""
        return not self.works.sha256

    def __post_init__(self) -> None:
        if not self.usages:
            raise DocumentError("expected at least one usage at mandate.usages, got none")
        if self.end and self.end <= self.start:
            raise DocumentError(
                f"mandate.end {self.end} is not after mandate.start {self.start}",
                hint="the end is the first day on which it no longer holds",
            )
        if self.member.id == self.collective.id:
            raise DocumentError("a party gives no mandate to itself")


@dataclass(frozen=True, slots=True)
class Revocation:
    """A member takes a mandate back."""

    id: str
    made_at: str
    mandate: str
    member: PartyName
    collective: PartyName
    reason: str = ""


class MandateState(StrEnum):
    """How a mandate stands on a day. Stable strings; only IN_FORCE brings works."""

    IN_FORCE = "in force"
    NOT_BEGUN = "not begun"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class HeldMandate:
    """A mandate in a collective's hands: the SHA-256 of its document, and whether it was revoked.

    ``revoked_on`` is the day the collective had the revocation, "" while there is none: a member
    cannot shorten the notice by an earlier date in the document.
    """

    mandate: Mandate
    sha256: str
    revoked_on: str = ""

    def state_on(self, day: str) -> MandateState:
        """Return how it stands for snapshots taken on ``day``. A revocation counts at once."""
        if self.revoked_on:
            return MandateState.REVOKED
        if day < self.mandate.start:
            return MandateState.NOT_BEGUN
        if self.mandate.end and day >= self.mandate.end:
            return MandateState.ENDED
        return MandateState.IN_FORCE

    @property
    def lapses_on(self) -> str:
        """The first day on which running agreements no longer hold by it, "" while not known."""
        ends = [self.mandate.end] if self.mandate.end else []
        if self.revoked_on:
            ends.append(day_after(self.revoked_on, self.mandate.notice_days))
        return min(ends, default="")

    def carries_on(self, day: str) -> bool:
        """Say whether running agreements hold by it on ``day``."""
        return day >= self.mandate.start and (not self.lapses_on or day < self.lapses_on)


def mailbox_of(address: str) -> str:
    """Return whose mail an address is, as far as it shows: case, and what follows a plus, do not
    make another person (RFC 5233).
    """
    name, _, host = address.casefold().partition("@")
    return f"{name.partition('+')[0] or name}@{host}"


def day_after(day: str, days: int) -> str:
    """Return the date ``days`` after another. Beyond the year 9999: that year's last day."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return date.max.isoformat()


def mandate_document(mandate: Mandate) -> dict[str, Any]:
    """Return a mandate as the fields of its document, not yet signed."""
    return {
        "type": MANDATE_TYPE,
        "id": mandate.id,
        "made_at": mandate.made_at,
        "member": party_fields(mandate.member),
        "collective": party_fields(mandate.collective),
        "works": repertoire_fields(mandate.works),
        "usages": [str(usage) for usage in mandate.usages],
        "excluded_licensees": list(mandate.excluded_licensees),
        "cut_basis_points": mandate.cut_basis_points,
        "start": mandate.start,
        "end": mandate.end,
        "notice_days": mandate.notice_days,
        "letter": mandate.letter,
        "contact": mandate.contact,
    }


def mandate_of(document: Mapping[str, Any]) -> Mandate:
    """Return the mandate a document states, whoever signed it. Raises DocumentError."""
    fields = ClosedFields(_unsigned(document), "mandate", _MANDATE_FIELDS)
    fields.constant("type", MANDATE_TYPE)
    usages = fields.items("usages", kind_in(Usage), len(Usage))
    party_id = text_matching(PARTY_ID, "a party's id")
    excluded = fields.items("excluded_licensees", party_id, LICENSEES_MAX)
    if list(usages) != sorted(set(usages)) or list(excluded) != sorted(set(excluded)):
        raise DocumentError("the lists of a mandate are sorted, and nothing stands in them twice")
    return Mandate(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=fields.time("made_at"),
        member=party_of(fields.raw("member"), "mandate.member"),
        collective=party_of(fields.raw("collective"), "mandate.collective"),
        works=repertoire_of(fields.raw("works"), "mandate.works"),
        usages=usages,
        excluded_licensees=excluded,
        cut_basis_points=fields.integer("cut_basis_points", 0, WHOLE_BASIS_POINTS),
        start=fields.day("start"),
        end=fields.day("end", empty=True),
        notice_days=fields.integer("notice_days", 0, NOTICE_DAYS_MAX),
        letter=fields.matching("letter", SHA256, "a SHA-256", empty=True),
        contact=fields.matching("contact", MAIL, "a mail address", empty=True),
    )


def revocation_document(revocation: Revocation) -> dict[str, Any]:
    """Return a revocation as the fields of its document, not yet signed."""
    return {
        "type": REVOCATION_TYPE,
        "id": revocation.id,
        "made_at": revocation.made_at,
        "mandate": revocation.mandate,
        "member": party_fields(revocation.member),
        "collective": party_fields(revocation.collective),
        "reason": revocation.reason,
    }


def revocation_of(document: Mapping[str, Any]) -> Revocation:
    """Return the revocation a document states, whoever signed it. Raises DocumentError."""
    fields = ClosedFields(_unsigned(document), "revocation", _REVOCATION_FIELDS)
    fields.constant("type", REVOCATION_TYPE)
    return Revocation(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=fields.time("made_at"),
        mandate=fields.matching("mandate", DOCUMENT_ID, "the id of a mandate"),
        member=party_of(fields.raw("member"), "revocation.member"),
        collective=party_of(fields.raw("collective"), "revocation.collective"),
        reason=fields.text("reason", REASON_CHARACTERS_MAX),
    )


def party_fields(party: PartyName) -> dict[str, str]:
    """Return who a party is, as it stands in documents."""
    return {"id": party.id, "name": party.name}


def party_of(value: object, where: str) -> PartyName:
    """Return who is meant. Raises DocumentError."""
    fields = ClosedFields(value, where, _PARTY_FIELDS)
    return PartyName(
        fields.matching("id", PARTY_ID, "an id such as urn:tercet:party:0123456789abcdef"),
        fields.text("name", NAME_CHARACTERS_MAX, required=True),
    )


def repertoire_fields(repertoire: RepertoireName) -> dict[str, Any]:
    """Return which works, as it stands in documents."""
    return {
        "sha256": repertoire.sha256,
        "work_count": repertoire.work_count,
        "exclusions": list(repertoire.exclusions),
    }


def repertoire_of(value: object, where: str) -> RepertoireName:
    """Return which works are meant. Raises DocumentError."""
    fields = ClosedFields(value, where, _WORKS_FIELDS)
    exclusions = fields.items("exclusions", _work_line, EXCLUSIONS_MAX)
    if list(exclusions) != sorted(set(exclusions)):
        raise DocumentError(f"{where}.exclusions must be sorted, each work once")
    return RepertoireName(
        fields.matching("sha256", SHA256, "a SHA-256", empty=True),
        fields.integer("work_count", 0, WORKS_MAX),
        exclusions,
    )


def _work_line(value: object, where: str) -> str:
    try:
        normal = normal_line(str(value))
    except RepertoireError as error:
        raise DocumentError(f"{where}: {error.message}") from error
    if normal != value:
        raise DocumentError(f"expected {normal:.200} at {where}, got it in another form")
    return normal


def _unsigned(document: Mapping[str, Any]) -> object:
    if not isinstance(document, Mapping):
        return document
    return {name: value for name, value in document.items() if name != "signatures"}
