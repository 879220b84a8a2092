"""Offers in a registry's log: when one was published, and when it was taken back.

{"type": "tercet/offer-publication@1", "at": RFC 3339, "published": {tercet/published-offer@1},
 "public_key", "signature"}
{"type": "tercet/offer-retraction@1", "at", "offer": id, "reason", "public_key", "signature"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.published_offer import PublishedOffer, published_offer_of

PUBLICATION_TYPE = "tercet/offer-publication@1"
RETRACTION_TYPE = "tercet/offer-retraction@1"
LIVE, RETRACTED = "live", "retracted"


@dataclass(slots=True)
class OfferRecord:
    """An offer as a log leaves it. ``public_key`` is that of who published it."""

    public_key: str
    maker: str
    valid_until: str
    state: str = LIVE


def publication_document(published: PublishedOffer, at: str) -> dict[str, Any]:
    """Return the document that publishes an offer, not yet signed."""
    return {"type": PUBLICATION_TYPE, "at": at, "published": published.fields()}


def retraction_document(offer_id: str, at: str, reason: str) -> dict[str, Any]:
    """Return the document that takes an offer back, not yet signed."""
    return {"type": RETRACTION_TYPE, "at": at, "offer": offer_id, "reason": reason}


def take_publication(offers: dict[str, OfferRecord], document: Mapping[str, Any]) -> None:
    """Take a publication; raises ValueError or a TercetError for what could not have been."""
    published = published_offer_of(document["published"], document["at"])
    if published.id in offers:
        raise ValueError(f"offer {published.id} is published twice")
    offers[published.id] = OfferRecord(
        document["public_key"], published.maker.id, published.offer.valid_until
    )


def take_retraction(
    offers: dict[str, OfferRecord], keeper: str, document: Mapping[str, Any]
) -> None:
    """Take a retraction: by who published the offer, or the keeper of the registry."""
    record = offers.get(document["offer"])
    if record is None:
        raise ValueError(f"there is no offer {document['offer']}")
    if document["public_key"] not in (record.public_key, keeper):
        raise ValueError(f"offer {document['offer']} is another key's")
    if record.state != LIVE:
        raise ValueError(f"offer {document['offer']} is {record.state}")
    record.state = RETRACTED
