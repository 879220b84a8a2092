"""An offer: terms that its maker stands by until a time. `tercet/offer@1`.

A reserve price is never in it: what a party would still take stays in its desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import DOCUMENT_ID, ClosedFields
from tercet.consent.licences.signing import Document, document_sha256
from tercet.core.canonical import canonical_json

OFFER_TYPE = "tercet/offer@1"
_UUID = "an id such as urn:uuid:00000000-0000-4000-8000-000000000000"
_FIELDS = ("type", "id", "made_at", "valid_until", "terms", "previous", "signatures")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as it was read. ``terms`` are the canonical JSON of its terms.

    ``previous`` is the offer that this one answers or takes the place of, empty for none;
    ``sha256`` the digest of the document unsigned, by which an agreement names it.
    """

    id: str
    made_at: str
    valid_until: str
    terms: bytes
    previous: str
    sha256: str

    def is_open(self, at: str) -> bool:
        """Say whether its maker still stands by it: until ``valid_until``, which is not in it."""
        return at < self.valid_until


def offer_document(
    *, offer_id: str, made_at: str, valid_until: str, terms: dict[str, Any], previous: str = ""
) -> dict[str, Any]:
    """Return an offer of these terms, not signed yet."""
    return {
        "type": OFFER_TYPE,
        "id": offer_id,
        "made_at": made_at,
        "valid_until": valid_until,
        "terms": terms,
        "previous": previous,
        "signatures": [],
    }


def offer_of(document: Document) -> Offer:
    """Read an offer. Raises DocumentError. Its terms and signatures are not checked here."""
    fields = ClosedFields(document, "offer", _FIELDS)
    fields.constant("type", OFFER_TYPE)
    made_at, valid_until = fields.time("made_at"), fields.time("valid_until")
    if valid_until <= made_at:
        raise fields.wrong("valid_until", f"a time after {made_at}")
    if not isinstance(fields.raw("terms"), dict):
        raise fields.wrong("terms", "an object")
    return Offer(
        id=fields.matching("id", DOCUMENT_ID, _UUID),
        made_at=made_at,
        valid_until=valid_until,
        terms=canonical_json(fields.raw("terms")),
        previous=fields.matching("previous", DOCUMENT_ID, _UUID, empty=True),
        sha256=document_sha256(document),
    )
