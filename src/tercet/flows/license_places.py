"""Where the other side is, and what it offers: by address, folder, party or offer."""

from __future__ import annotations

import re
from pathlib import Path

from tercet.consent.licences.party_history import PartyHistory
from tercet.consent.licences.published_offer import (
    PUBLISHED_OFFER_BYTES_MAX,
    PublishedOffer,
    check_offer,
    read_published_offer,
)
from tercet.consent.licences.terms_schema import terms_of
from tercet.consent.licences.terms_toml import read_terms_toml
from tercet.core.errors import InputError, MissingError
from tercet.core.limits import DOCUMENT_BYTES_MAX
from tercet.core.strict_json import read_json_object
from tercet.core.terms import PartyName, Terms
from tercet.flows.desk import OpenDesk, add_party, fetch_party
from tercet.flows.license import Peer
from tercet.flows.license_post import FILE_SCHEME, checked_address, send
from tercet.store.desk import Desk

_PID_PREFIX = "urn:uuid:"
_PARTY_PREFIX = "urn:tercet:party:"
_ABBREVIATED = re.compile(r"[0-9a-f-]{4,36}")
_API_SUFFIX = "/dsp"


def peer_at(desk: OpenDesk, place: str) -> Peer:
    """Return who is at a place: an address, the folder of a desk, or a known party's id.

    Its documents are fetched and taken in. Raises InputError.
    """
    if place.startswith(_PARTY_PREFIX):
        known = desk.store.party_history(place).latest
        return Peer(known.id, known.address)
    if place.startswith(("https://", "http://")):
        address = checked_address(place, allow_local=desk.allow_local)
    else:
        folder = Path(place.removeprefix(FILE_SCHEME)).resolve()
        address = f"{FILE_SCHEME}{folder}"
        if not folder.is_dir():
            raise InputError(
                f"expected an address, the folder of a desk or a party's id, got {place[:80]!r}"
            )
    history = add_party(desk, fetch_party(desk, address))
    return Peer(history.id, history.latest.address or address)


def negotiation_id(desk: OpenDesk, text: str) -> str:
    """Return the whole id of a negotiation of ours from its beginning. Raises MissingError."""
    wanted = text.strip().lower().removeprefix(_PID_PREFIX)
    every = [each.pid for each in desk.store.negotiations()]
    found = [pid for pid in every if pid.removeprefix(_PID_PREFIX).startswith(wanted)]
    if not _ABBREVIATED.fullmatch(wanted) or len(found) != 1:
        raise MissingError(
            f"expected the id of one negotiation, {text[:80]!r} fits {len(found) if wanted else 0}",
            hint="`tercet license show` lists them; four characters may be enough",
        )
    return found[0]


def offer_at(desk: OpenDesk, named: str, peer: Peer | None = None) -> PublishedOffer:
    """Return a published offer: a file, or an id known here or to the other side.

    It is checked as anybody would, and kept in the desk. Raises InputError.
    """
    found = _offer_from(desk, named, peer)
    add_party(desk, found.parties)
    desk.store.add_offer(found.document, desk.clock())
    return found


def terms_in(path: Path, *, licensor: PartyName | None = None) -> Terms:
    """Read terms from a file: TOML as people write it, or the JSON of tercet/terms@1.

    ``licensor`` stands in where a TOML file names none. Raises InputError.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if path.suffix.lower() == ".toml":
        return read_terms_toml(raw, path.name, licensor=licensor)
    return terms_of(read_json_object(raw))


def _offer_from(desk: OpenDesk, named: str, peer: Peer | None) -> PublishedOffer:
    at = desk.clock()
    if not named.startswith(_PID_PREFIX):
        try:
            with Path(named).open("rb") as file:
                return read_published_offer(file.read(PUBLISHED_OFFER_BYTES_MAX + 1), at)
        except OSError as error:
            raise InputError(f"cannot read {named}: {error.strerror or error}") from error
    if (here := _in_desk(desk.store, named, at)) is not None:
        return here
    address = peer.address if peer else ""
    if address.startswith(FILE_SCHEME):
        there = _in_desk(Desk.open(Path(address.removeprefix(FILE_SCHEME))), named, at)
        if there is not None:
            return there
    elif address:
        base = checked_address(address, allow_local=desk.allow_local).removesuffix(_API_SUFFIX)
        reply = send("GET", f"{base}/v1/offers/{named}", allow_local=desk.allow_local)
        if reply.is_good:
            return read_published_offer(reply.body, at)
    raise MissingError(
        f"there is no published offer {named[:60]} here" + (", nor there" if address else ""),
        hint="give the file of the offer, or the address of who makes it",
    )


def _in_desk(store: Desk, offer_id: str, at: str) -> PublishedOffer | None:
    kept = [each for each in store.offers(offer_id=offer_id) if not each.is_withdrawn]
    if not kept:
        return None
    maker: PartyHistory = store.party_history(kept[0].maker)
    return check_offer(kept[0].document, [each.document for each in maker.versions], at)
