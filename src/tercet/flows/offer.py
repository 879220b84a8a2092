"""offer: an owner's terms, made public: signed, in a registry, and as files for their site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tercet.consent.licences.offer import offer_document
from tercet.consent.licences.offer_files import (
    OfferedWorks,
    OfferFiles,
    file_names,
    offer_files,
    uuid_of,
)
from tercet.consent.licences.published_offer import PublishedOffer, check_offer
from tercet.consent.licences.repertoire import Repertoire, repertoire_bytes
from tercet.consent.licences.signing import Document, Signer, signed
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.errors import InputError, StorageError
from tercet.core.terms import Terms
from tercet.flows.rate_card import rate_card_page
from tercet.store.files import write_atomically

RATE_CARD = "rate-card.html"


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """What is to be offered: ``terms`` of ``works``, until ``valid_until``.

    ``offer_id`` ("urn:uuid:...") and the times are given, so that the same draft gives the same
    document. ``previous`` is the id of an offer that this one takes the place of.
    """

    terms: Terms
    works: Repertoire
    offer_id: str
    made_at: str
    valid_until: str
    previous: str = ""


def make_offer(draft: OfferDraft, signer: Signer, parties: Sequence[Document]) -> OfferedWorks:
    """Sign an offer and check it as anybody would. ``parties`` are the maker's own documents.

    Raises InputError for a time that has passed, and what `check_offer` raises.
    """
    if draft.valid_until <= draft.made_at:
        raise InputError(
            f"expected an offer valid until after {draft.made_at}, got {draft.valid_until}",
            hint="give a later time with --valid-until",
        )
    document = offer_document(
        offer_id=draft.offer_id,
        made_at=draft.made_at,
        valid_until=draft.valid_until,
        terms=terms_fields(draft.terms),
        previous=draft.previous,
    )
    published = check_offer(signed(document, signer), parties, draft.made_at)
    return OfferedWorks(published, repertoire_bytes(draft.works))


def site_files(
    offers: Sequence[OfferedWorks], site: str, *, address: str = "", allows_search: bool = True
) -> OfferFiles:
    """Return the files for a site, the rate card among them; see `offer_files`."""
    made = offer_files(offers, site, address=address, allows_search=allows_search)
    published = [each.published for each in offers]
    title = published[0].terms.licensor.name
    card = rate_card_page(published, title, _places).encode()
    return OfferFiles({**made.files, RATE_CARD: card}, made.unsaid)


def _places(published: PublishedOffer) -> tuple[str, str]:
    sha256 = published.terms.repertoire.sha256
    return f"offers/{uuid_of(published)}.json", f"offers/{sha256}.txt"


def write_site_files(files: OfferFiles, folder: Path) -> tuple[str, ...]:
    """Write the files below ``folder`` and return their names. Raises StorageError."""
    names = file_names(files.files)
    try:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, files.files[name])
    except OSError as error:
        raise StorageError(
            f"cannot write below {folder}: {error.strerror or error}",
            hint="choose another folder with -o",
        ) from error
    return names
