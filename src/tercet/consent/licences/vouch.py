"""`tercet/vouch@1`: a collective says of people that they are its members and sign a letter.

    {"type": "tercet/vouch@1", "id": "urn:uuid:...", "made_at": RFC 3339, "letter": its hash,
     "collective": {"id", "name"},
     "signatories": [{"id", "name", "profession", "country", "visibility"}],
     "signatures": [the collective's]}

An id that the letter's keeper knows already verifies that signature; any other one is a signature
that the collective took itself, by its own means, and hands over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import DOCUMENT_ID, SHA256, ClosedFields, DocumentError
from tercet.consent.licences.letter import (
    COUNTRY,
    PERSON_CHARACTERS_MAX,
    PROFESSION_CHARACTERS_MAX,
    LetterSignature,
    Visibility,
)
from tercet.consent.licences.mandate import party_fields, party_of
from tercet.consent.licences.person_text import person_text
from tercet.core.terms import PartyName

VOUCH_TYPE = "tercet/vouch@1"
VOUCH_BYTES_MAX = 256 * 1024 * 1024
VOUCHED_MAX = 1_000_000
_FIELDS = ("type", "id", "made_at", "letter", "collective", "signatories")
_PERSON_FIELDS = ("id", "name", "profession", "country", "visibility")


@dataclass(frozen=True, slots=True)
class Vouch:
    """A collective's word for people; ``letter`` is the letter's hash."""

    id: str
    made_at: str
    letter: str
    collective: PartyName
    signatories: tuple[LetterSignature, ...]


def vouch_document(vouch: Vouch) -> dict[str, Any]:
    """Return a vouch as the fields of its document, not yet signed."""
    return {
        "type": VOUCH_TYPE,
        "id": vouch.id,
        "made_at": vouch.made_at,
        "letter": vouch.letter,
        "collective": party_fields(vouch.collective),
        "signatories": [
            {
                "id": each.id,
                "name": each.name,
                "profession": each.profession,
                "country": each.country,
                "visibility": str(each.visibility),
            }
            for each in vouch.signatories
        ],
    }


def vouch_of(document: Mapping[str, Any]) -> Vouch:
    """Return the vouch a document states, whoever signed it. Raises DocumentError."""
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    fields = ClosedFields(unsigned, "vouch", _FIELDS)
    fields.constant("type", VOUCH_TYPE)
    made_at = fields.time("made_at")
    letter = fields.matching("letter", SHA256, "the hash of a letter")

    def person(value: object, where: str) -> LetterSignature:
        person = ClosedFields(value, where, _PERSON_FIELDS)
        return LetterSignature(
            id=person.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
            letter=letter,
            made_at=made_at,
            name=person_text(person.text("name", PERSON_CHARACTERS_MAX, required=True), where),
            profession=person_text(person.text("profession", PROFESSION_CHARACTERS_MAX), where),
            country=person.matching("country", COUNTRY, "a country such as VN", empty=True),
            visibility=person.choice("visibility", Visibility),
        )

    signatories = fields.items("signatories", person, VOUCHED_MAX)
    if len({each.id for each in signatories}) != len(signatories):
        raise DocumentError("an id stands twice in vouch.signatories")
    return Vouch(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=made_at,
        letter=letter,
        collective=party_of(fields.raw("collective"), "vouch.collective"),
        signatories=signatories,
    )
