"""The offers that a server shows: those of a registry, and those that its desk published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.consent.licences.published_offer import PublishedOffer, check_offer, open_offers
from tercet.core.errors import MissingError
from tercet.flows.desk import now_text
from tercet.store.desk import Desk
from tercet.store.registry import Registry
from tercet.store.registry_offers import (
    OfferQuery,
    find_offers,
    fits_offer,
    offer_named,
    repertoire_path,
)

if TYPE_CHECKING:
    from tercet.store.desk_documents import KeptOffer

OFFERS_MAX = 100  # of one answer


@dataclass(frozen=True, slots=True)
class OfferPage:
    """Offers in the order of their ids; ``has_more`` says whether others come after them."""

    offers: tuple[PublishedOffer, ...]
    has_more: bool


class OfferShelf:
    """Gives out published offers. Each is checked anew, signature and all, when it is asked for."""

    def __init__(
        self,
        registry: Path | None = None,
        desk: Path | None = None,
        clock: Callable[[], str] = now_text,
    ) -> None:
        self._registry = registry
        self._desk = desk
        self._clock = clock

    def find(
        self, *, owner: str = "", usage: str = "", modality: str = "", limit: int = OFFERS_MAX,
        after: str = "",
    ) -> OfferPage:  # fmt: skip
        """Return offers in force: by owner (id, or part of a name), usage, modality that goes in.

        ``after`` is the id that the page begins behind.
        """
        query = OfferQuery(self._clock(), owner, usage, modality, limit + 1, after)
        found = {each.id: each for each in self._registered(query)}
        for each in open_offers(list(self._of_desk()), query.at):
            if fits_offer(each, query):
                found.setdefault(each.id, each)
        current = tuple(found[name] for name in sorted(found))
        return OfferPage(current[:limit], len(current) > limit)

    def all(self, most: int = 200) -> tuple[PublishedOffer, ...]:
        """Return all offers in force, up to a number, for the rate card."""
        return self.find(limit=most).offers

    def one(self, offer_id: str) -> PublishedOffer:
        """Return one offer, also one that has ended. Raises MissingError."""
        for each in self._of_desk(offer_id):
            return each
        if self._registry is None:
            raise MissingError(f"there is no offer {offer_id[:80]!r}")
        return offer_named(Registry.open(self._registry), offer_id)

    def works(self, offer_id: str) -> Path:
        """Return the file of an offer's works. Raises MissingError."""
        sha256 = self.one(offer_id).terms.repertoire.sha256
        if self._registry is not None:
            path = repertoire_path(Registry.open(self._registry), sha256)
            if path.is_file():
                return path
        if self._desk is not None:
            return Desk.open(self._desk).repertoires.path(sha256)
        raise MissingError(f"the works of {offer_id[:80]!r} are not here")

    def _registered(self, query: OfferQuery) -> list[PublishedOffer]:
        if self._registry is None or not (self._registry / "registry.sqlite").is_file():
            return []
        return find_offers(Registry.open(self._registry), query)

    def _of_desk(self, offer_id: str = "") -> Iterator[PublishedOffer]:
        if self._desk is None:
            return
        desk = Desk.open(self._desk)
        try:
            kept = desk.offers(published=True, licensor=desk.party, offer_id=offer_id)
            yield from (_published(desk, each) for each in kept if not each.is_withdrawn)
        finally:
            desk.close()


def _published(desk: Desk, kept: KeptOffer) -> PublishedOffer:
    versions = desk.party_history(kept.maker).versions
    return check_offer(kept.document, [each.document for each in versions], kept.seen_at)
