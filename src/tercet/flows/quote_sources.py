"""Where a quote's prices come from besides the sites: registries, files of offers, the desk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.negotiation import TERMINAL, Role
from tercet.consent.licences.offer import offer_of
from tercet.consent.licences.published_offer import (
    PUBLISHED_OFFER_BYTES_MAX,
    PublishedOffer,
    open_offers,
    read_published_offer,
)
from tercet.consent.licences.repertoire import RepertoireError, RepertoireSwappedError
from tercet.consent.licences.signing import Document
from tercet.consent.licences.standing import Standing, check_agreement
from tercet.consent.licences.terms_schema import terms_of
from tercet.core.errors import InputError, IntegrityError, MissingError
from tercet.core.strict_json import read_json_object
from tercet.core.terms import Terms
from tercet.flows.desk import OpenDesk, open_desk
from tercet.flows.license_repertoires import need_repertoire
from tercet.flows.quote import PricedTerms, priced_first
from tercet.store.files import sha256_of_file
from tercet.store.registry import Registry
from tercet.store.registry_offers import OfferQuery, find_offers

_OFFERS_MAX = 1_000_000


def signed_terms(
    registries: Iterable[Path], files: Iterable[Path], now: str
) -> tuple[PricedTerms, ...]:
    """Return the signed offers in force of registries and files.

    Each offer once. Raises InputError for a file or a registry that cannot be read, and what an
    offer is refused for.
    """
    found: dict[str, PublishedOffer] = {}
    for folder in registries:
        for each in find_offers(Registry.open(folder), OfferQuery(now, limit=_OFFERS_MAX)):
            found.setdefault(each.id, each)
    for file in files:
        published = read_published_offer(_bytes_of(file), now)
        found.setdefault(published.id, published)
    return tuple(PricedTerms(each.id, "offer", each.terms) for each in open_offers(found.values(),
                 now))  # fmt: skip


def desk_terms(folder: Path, now: str, *, allow_local: bool = False) -> tuple[PricedTerms, ...]:
    """Return what the party of a desk has agreed to, and what it negotiates, as licensee.

    Agreements come first: those that are final, valid, in force or yet to begin, and that nothing
    ended or took the place of. Of a running negotiation it is the offer on the table, whoever made
    it; a list of works that is not here yet is asked of the other side, and where it cannot be had
    there is no ``repertoire``. Raises InputError where there is no desk.
    """
    desk = open_desk(folder, allow_local=allow_local)
    try:
        return priced_first((*_agreed(desk, now), *_negotiated(desk)))
    finally:
        desk.store.close()


def _agreed(desk: OpenDesk, now: str) -> Iterator[PricedTerms]:
    store = desk.store
    parties = store.parties()
    for kept in store.agreements():
        if kept.assignee != store.party or kept.superseded_by:
            continue
        standing = check_agreement(
            kept.document, parties, None, kept.seen_at, signed_at=kept.signed_at
        )
        ended = store.terminated_on(kept.id)
        terms = agreement_of(kept.document).terms
        over = terms.grant.period.end and terms.grant.period.end <= now[:10]
        if standing is Standing.VALID and not over and not (ended and ended <= now[:10]):
            yield PricedTerms(kept.id, "agreement", terms, _works_of(desk, terms))


def _negotiated(desk: OpenDesk) -> Iterator[PricedTerms]:
    for listed in desk.store.negotiations():
        if listed.role is not Role.CONSUMER or listed.state in TERMINAL or listed.state is None:
            continue
        negotiation = desk.store.negotiation(listed.pid)
        offer = negotiation.last_offer
        if offer is not None:
            terms = _offered(read_json_object(offer.document))
            works = _works_of(desk, terms, negotiation.peer_address)
            yield PricedTerms(listed.pid, listed.state.lower(), terms, works)


def _offered(document: Document) -> Terms:
    offer_of(document)
    return terms_of(document["terms"])


def _works_of(desk: OpenDesk, terms: Terms, address: str = "") -> Path | None:
    """Return the file of the works, None where it cannot be had. Raises IntegrityError."""
    named = terms.repertoire
    try:
        if address:
            need_repertoire(desk, named, address)
        path = desk.store.repertoires.path(named.sha256)
    except (MissingError, RepertoireError, RepertoireSwappedError):
        return None
    if sha256_of_file(path) != named.sha256:
        raise IntegrityError(
            f"expected {path} to have the digest it is named by",
            hint="fetch the list of works from the other party again",
        )
    return path


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(PUBLISHED_OFFER_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    return raw
