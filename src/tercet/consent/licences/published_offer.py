"""`tercet/published-offer@1`: a signed offer with what anybody needs to check it.

    {"type": "tercet/published-offer@1", "offer": {tercet/offer@1, signed},
     "parties": [{tercet/party@1}, ...]}

``parties`` are all versions of the maker's document, the first one first. The offer counts when
its maker is the licensor of its terms, and one key of theirs that is still good signed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.offer import Offer, offer_of
from tercet.consent.licences.party import Party
from tercet.consent.licences.party_history import KeyStanding, key_standing, receive_parties
from tercet.consent.licences.signing import (
    Document,
    SignatureKeyError,
    check_signature,
    signatures_of,
)
from tercet.consent.licences.terms_schema import terms_of
from tercet.core.errors import RefusedError
from tercet.core.strict_json import read_json_object
from tercet.core.terms import Terms

PUBLISHED_OFFER_TYPE = "tercet/published-offer@1"
PUBLISHED_OFFER_BYTES_MAX = 4 * 1024 * 1024
_VERSIONS_MAX = 1_000


class OfferMakerError(RefusedError):
    """An offer that is not by the licensor it names."""

    code = "offer-maker"


class OfferTakenError(RefusedError):
    """An offer to somebody in particular: not one for the open."""

    code = "offer-not-open"


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """An offer that was checked. ``document`` is the signed offer itself, ``maker`` who made it."""

    offer: Offer
    terms: Terms
    maker: Party
    document: Document
    parties: tuple[Document, ...]

    @property
    def id(self) -> str:
        """The offer's id."""
        return self.offer.id

    def fields(self) -> dict[str, Any]:
        """Return it as it is published."""
        return {
            "type": PUBLISHED_OFFER_TYPE,
            "offer": dict(self.document),
            "parties": [dict(each) for each in self.parties],
        }


def published_offer_of(
    document: object, seen_at: str, *, known_names: Mapping[str, str] | None = None
) -> PublishedOffer:
    """Check a published offer and return it.

    ``seen_at`` is when it was first seen here (RFC 3339, UTC). ``known_names`` are names of other
    parties by id, which the maker's must not look like. Raises DocumentError and other errors of
    documents, terms, parties and signatures, OfferMakerError, OfferTakenError.
    """
    fields = ClosedFields(document, "published offer", ("type", "offer", "parties"))
    fields.constant("type", PUBLISHED_OFFER_TYPE)
    signed = _object(fields.raw("offer"), "offer")
    parties = fields.items("parties", _object, _VERSIONS_MAX)
    return check_offer(signed, parties, seen_at, known_names=known_names)


def check_offer(
    signed: Document,
    parties: Sequence[Document],
    seen_at: str,
    *,
    known_names: Mapping[str, str] | None = None,
) -> PublishedOffer:
    """Check a signed offer with its maker's documents; raises what `published_offer_of` does."""
    offer = offer_of(signed)
    terms = terms_of(signed["terms"])
    history = receive_parties(None, parties, seen_at, known_names=known_names)
    if terms.licensor.id != history.id:
        raise OfferMakerError(
            f"expected an offer by its licensor {terms.licensor.id}, got one by {history.id}"
        )
    if terms.licensor.name not in history.names:
        raise OfferMakerError(
            f"expected a name that {history.id} gave itself, got {terms.licensor.name!r:.80}"
        )
    if terms.licensee is not None:
        raise OfferTakenError(
            f"the offer is for {terms.licensee.id} alone",
            hint="an offer in the open names no licensee",
        )
    found = signatures_of(signed)
    if len(found) != 1 or found[0].party != history.id:
        raise OfferMakerError("expected one signature, by the maker of the offer")
    key = history.latest.key(found[0].key_id)
    standing = key_standing(history, found[0].key_id, offer.made_at, seen_at)
    if key is None or standing is not KeyStanding.VALID:
        raise SignatureKeyError(
            f"the key {found[0].key_id} does not count for {history.id}: {standing}",
            hint="ask the owner to sign the offer again",
        )
    check_signature(signed, found[0], key.public_raw)
    return PublishedOffer(offer, terms, history.latest, dict(signed), tuple(map(dict, parties)))


def read_published_offer(raw: bytes, seen_at: str) -> PublishedOffer:
    """Read and check the bytes of a published offer, as `offer.json` has them."""
    return published_offer_of(read_json_object(raw, bytes_max=PUBLISHED_OFFER_BYTES_MAX), seen_at)


def open_offers(offers: Iterable[PublishedOffer], at: str) -> tuple[PublishedOffer, ...]:
    """Return those that their makers still stand by, without those that later ones replace."""
    current = [each for each in offers if each.offer.is_open(at)]
    replaced = {(each.maker.id, each.offer.previous) for each in current if each.offer.previous}
    return tuple(each for each in current if (each.maker.id, each.id) not in replaced)


def _object(value: object, where: str) -> Document:
    if not isinstance(value, dict):
        raise DocumentError(f"expected an object at {where}, got another kind")
    return value
