"""Publishing offers: into the desk, a registry, and a folder to upload; taking them back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tercet.consent.licences.offer_files import OfferedWorks, OfferFiles, origin_of
from tercet.consent.licences.repertoire import Repertoire, read_repertoire, repertoire_of
from tercet.consent.licences.terms_schema import terms_of
from tercet.consent.licences.terms_toml import read_terms_toml
from tercet.core.errors import InputError, MissingError
from tercet.core.limits import REPERTOIRE_BYTES_MAX, TEXT_FILE_BYTES_MAX
from tercet.core.strict_json import read_json_object
from tercet.core.terms import PartyName, RepertoireName, Terms
from tercet.flows.desk import OpenDesk
from tercet.flows.offer import OfferDraft, make_offer, site_files, write_site_files
from tercet.store.registry import Registry, Signing
from tercet.store.registry_offers import publish_offer, retract_offer


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What is asked: offer the works of ``terms_files`` at ``site``, signed by ``desk``'s party.

    ``works_file`` and ``works`` name the works, as lines of a repertoire; without either it is
    everything at ``site``. ``confirmed`` are parties of a name like this one's. ``registry`` and
    ``out`` are None where nothing is to be put there.
    """

    desk: OpenDesk
    terms_files: tuple[Path, ...]
    site: str
    valid_until: str
    works_file: Path | None = None
    works: tuple[str, ...] = ()
    address: str = ""
    replaces: str = ""
    allows_search: bool = True
    registry: Registry | None = None
    signing: Signing | None = None
    confirmed: frozenset[str] = frozenset()
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: the offers, the files of the site, and their names below ``out``."""

    offers: tuple[OfferedWorks, ...]
    files: OfferFiles
    names: tuple[str, ...]


def publish(request: PublishRequest) -> Published:
    """Sign offers and publish them. Nothing is published unless all of it can be.

    Raises InputError for files that cannot be used, TermsError for terms, and StorageError.
    """
    works = _works(request)
    offers = tuple(_made(request, file, works) for file in request.terms_files)
    address = request.address or request.desk.party.address.removesuffix("/dsp")
    files = site_files(offers, request.site, address=address, allows_search=request.allows_search)
    at = request.desk.clock()
    for each in offers:
        if request.registry is not None and request.signing is not None:
            publish_offer(
                request.registry, each.published, each.repertoire, request.signing,
                confirmed=request.confirmed,
            )  # fmt: skip
        request.desk.store.repertoires.add(each.repertoire, at)
        request.desk.store.add_offer(each.published.document, at)
    names = write_site_files(files, request.out) if request.out else ()
    return Published(offers, files, names)


def withdraw(
    desk: OpenDesk, offer_id: str, reason: str, registry: Registry | None, signing: Signing | None
) -> None:
    """Take a published offer back, in the desk and in the registry. Raises MissingError."""
    at = desk.clock()
    if registry is None and not desk.store.offers(offer_id=offer_id):
        raise MissingError(
            f"there is no published offer {offer_id[:80]!r} in this desk",
            hint="`tercet offer publish --json` and `tercet offer list` tell the ids",
        )
    if registry is not None and signing is not None:
        retract_offer(registry, offer_id, reason, signing)
    desk.store.withdraw_offer(offer_id, at)


def _made(request: PublishRequest, file: Path, works: Repertoire) -> OfferedWorks:
    desk = request.desk
    draft = OfferDraft(
        terms=_terms(file, desk, works),
        works=works,
        offer_id=desk.make_id(),
        made_at=desk.clock(),
        valid_until=request.valid_until,
        previous=request.replaces,
    )
    return make_offer(draft, desk.signer(), [each.document for each in desk.history.versions])


def _terms(file: Path, desk: OpenDesk, works: Repertoire) -> Terms:
    raw = _bytes_of(file, TEXT_FILE_BYTES_MAX)
    party = desk.party
    if file.suffix.lower() == ".json":
        terms = terms_of(read_json_object(raw))
    else:
        terms = read_terms_toml(
            raw,
            str(file),
            licensor=PartyName(party.id, party.name),
            repertoire=RepertoireName(works.sha256, works.work_count),
        )
    if terms.repertoire.sha256 != works.sha256:
        raise InputError(
            f"{file} is about the works {terms.repertoire.sha256}, the works given are "
            f"{works.sha256}",
            hint="leave the repertoire out of the terms file, or give its list with --works",
        )
    return terms


def _works(request: PublishRequest) -> Repertoire:
    if request.works_file is None:
        return repertoire_of(request.works or (f"site:{origin_of(request.site)}",))
    raw = _bytes_of(request.works_file, REPERTOIRE_BYTES_MAX)
    if raw.startswith(b"tercet/repertoire@1"):
        return read_repertoire(raw)
    lines = raw.decode("utf-8", "replace").splitlines()
    return repertoire_of([*(line.strip() for line in lines if line.strip()), *request.works])


def _bytes_of(file: Path, bytes_max: int) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    if len(raw) > bytes_max:
        raise InputError(f"expected at most {bytes_max:,} bytes in {file}, got more")
    return raw
