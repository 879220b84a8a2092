"""Signed offers in a registry: published, found by what they grant, taken back.

    registry.sqlite           the log, and `published_offers`: made when the first is published
    repertoires/<sha256>.txt  the works that offers are about

The table can be made again from the log; `tercet registry verify` compares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, exists, inspect, select

from tercet.consent.licences.names import check_not_alike
from tercet.consent.licences.published_offer import PublishedOffer, published_offer_of
from tercet.consent.registry.offer_record import (
    LIVE,
    PUBLICATION_TYPE,
    RETRACTED,
    OfferRecord,
    publication_document,
    retraction_document,
)
from tercet.core.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    MissingError,
    RefusedError,
    TercetError,
)
from tercet.core.ids import sha256_hex
from tercet.store import registry_log
from tercet.store.files import write_atomically
from tercet.store.registry_reader import RegistryReader
from tercet.store.registry_writes import Signing

_METADATA = MetaData()
_OFFERS = Table(
    "published_offers",
    _METADATA,
    Column("offer_id", String, primary_key=True),
    Column("public_key", String, nullable=False),
    Column("maker", String, nullable=False, index=True),
    Column("name", String, nullable=False),  # of the maker
    Column("valid_until", String, nullable=False, index=True),
    Column("usages", String, nullable=False),  # JSON list
    Column("modalities", String, nullable=False),  # JSON list
    Column("previous", String, nullable=False, index=True),  # the offer it takes the place of
    Column("state", String, nullable=False),  # live, retracted
    Column("log_index", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class OfferQuery:
    """Which offers are asked for; "" asks for all. ``at`` is now: what ended before is left out.

    ``owner`` is a party's id or a part of its name, whatever its case; ``modality`` what goes in.
    """

    at: str
    owner: str = ""
    usage: str = ""
    modality: str = ""
    limit: int = 1_000
    after: str = ""


def publish_offer(
    registry: RegistryReader,
    published: PublishedOffer,
    repertoire: bytes,
    signing: Signing,
    *,
    confirmed: frozenset[str] = frozenset(),
) -> bool:
    """Publish an offer with its works; False when it was published before.

    ``confirmed`` are ids of parties of a name like the maker's that a person told apart from it.
    Raises InputError when the works are not those that the terms name, ConflictError for an
    offer that was taken back, NameLookalikeError for a name that is taken for another's.
    """
    named = published.terms.repertoire.sha256
    if sha256_hex(repertoire) != named:
        raise InputError(
            f"expected the works {named}, as the terms name them, got {sha256_hex(repertoire)}",
            hint="give the list of works that the offer was made with",
        )
    with registry.database.writing() as connection:
        _METADATA.create_all(connection, checkfirst=True)
        before = _row(connection, published.id)
        if before is not None and before.state != LIVE:
            raise ConflictError(f"offer {published.id} was taken back", hint="make a new one")
        if before is not None:
            return False
        maker = published.maker
        check_not_alike(maker.id, maker.name, _names(connection, maker.id), confirmed)
        path = repertoire_path(registry, named)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, repertoire)
        document = signing.sign(publication_document(published, signing.at))
        grant = published.terms.grant
        connection.execute(
            _OFFERS.insert(),
            {
                "offer_id": published.id,
                "public_key": signing.public_key,
                "maker": published.maker.id,
                "name": published.maker.name,
                "valid_until": published.offer.valid_until,
                "usages": json.dumps(sorted(map(str, grant.usages))),
                "modalities": json.dumps(sorted(map(str, grant.modalities_in))),
                "previous": published.offer.previous,
                "state": LIVE,
                "log_index": registry_log.append(connection, document),
            },
        )
    return True


def retract_offer(registry: RegistryReader, offer_id: str, reason: str, signing: Signing) -> None:
    """Take an offer back. Only who published it can, or the keeper of the registry."""
    keeper = registry.keeper()
    with registry.database.writing() as connection:
        row = _row(connection, offer_id)
        if row is None:
            raise _unknown(offer_id)
        if row.state != LIVE:
            raise ConflictError(f"offer {offer_id} was taken back before")
        if signing.public_key not in (row.public_key, keeper):
            raise RefusedError(
                "only the key that published an offer can take it back",
                hint="give that key with --key",
            )
        document = signing.sign(retraction_document(offer_id, signing.at, reason))
        registry_log.append(connection, document)
        connection.execute(
            _OFFERS.update().where(_OFFERS.c.offer_id == offer_id).values(state=RETRACTED)
        )


def find_offers(
    registry: RegistryReader, query: OfferQuery, *, skips_altered: bool = False
) -> list[PublishedOffer]:
    """Return the offers in force that fit a query, by their ids, checked anew.

    Those whose maker put a later one in their place are left out. One that is not as it was signed
    raises what it is refused for, or is left out too with ``skips_altered``.
    """
    found: list[PublishedOffer] = []
    with registry.database.reading() as connection:
        for row in _rows(connection, query):
            try:
                published = _published(connection, row) if _may_fit(row, query) else None
            except (TercetError, ValueError, KeyError, TypeError):
                if not skips_altered:
                    raise
                continue
            if published is not None and fits_offer(published, query):
                found.append(published)
            if len(found) >= query.limit:
                break
    return found


def offer_named(registry: RegistryReader, offer_id: str) -> PublishedOffer:
    """Return one offer that was not taken back, also when it has ended. Raises MissingError."""
    with registry.database.reading() as connection:
        row = _row(connection, offer_id)
        if row is None or row.state != LIVE:
            raise _unknown(offer_id)
        return _published(connection, row)


def repertoire_path(registry: RegistryReader, sha256: str) -> Path:
    """Return where the works of an offer lie, or would lie."""
    return registry.folder / "repertoires" / f"{sha256}.txt"


def offer_records(connection: Connection) -> dict[str, OfferRecord]:
    """Return what the table holds, to be compared with what the log says."""
    if not inspect(connection).has_table(_OFFERS.name):
        return {}
    return {
        row.offer_id: OfferRecord(row.public_key, row.maker, row.valid_until, row.state)
        for row in connection.execute(select(_OFFERS))
    }


def _rows(connection: Connection, query: OfferQuery) -> Iterator[Any]:
    if not inspect(connection).has_table(_OFFERS.name):
        return
    later = _OFFERS.alias()
    replaced = exists().where(
        later.c.previous == _OFFERS.c.offer_id,
        later.c.maker == _OFFERS.c.maker,
        later.c.state == LIVE,
        later.c.valid_until > query.at,
    )
    wanted = (
        select(_OFFERS)
        .where(_OFFERS.c.state == LIVE, _OFFERS.c.valid_until > query.at)
        .where(_OFFERS.c.offer_id > query.after, ~replaced)
        .order_by(_OFFERS.c.offer_id)
    )
    yield from connection.execution_options(yield_per=1000).execute(wanted)


def _names(connection: Connection, but: str) -> dict[str, str]:
    """Return the names under which other parties offer here, by their ids."""
    query = select(_OFFERS.c.maker, _OFFERS.c.name).where(_OFFERS.c.maker != but).distinct()
    return {row.maker: row.name for row in connection.execute(query)}


def _row(connection: Connection, offer_id: str) -> Any:
    if not inspect(connection).has_table(_OFFERS.name):
        return None
    return connection.execute(select(_OFFERS).where(_OFFERS.c.offer_id == offer_id)).first()


def _published(connection: Connection, row: Any) -> PublishedOffer:
    """Read an offer from the log, and check it, signature and all: tables can be edited."""
    published = _checked(registry_log.document_at(connection, row.log_index))
    if published is None or published.id != row.offer_id:
        raise IntegrityError(
            f"the log has another document at {row.log_index} than the offer {row.offer_id}",
            hint="`tercet registry verify` tells what differs",
        )
    return published


@lru_cache(maxsize=512)  # the same bytes are checked once: it takes about a millisecond
def _checked(raw: bytes) -> PublishedOffer | None:
    document = json.loads(raw)
    if document.get("type") != PUBLICATION_TYPE:
        return None
    return published_offer_of(document["published"], document["at"])


def fits_offer(published: PublishedOffer, query: OfferQuery) -> bool:
    """Say whether an offer is what a query asks for, and its maker still stands by it."""
    grant, asked = published.terms.grant, query.owner.strip().casefold()
    is_by = asked in (published.maker.id, "") or asked in published.terms.licensor.name.casefold()
    return (
        is_by
        and (not query.usage or query.usage in grant.usages)
        and (not query.modality or query.modality in grant.modalities_in)
        and published.offer.is_open(query.at)
        and published.id > query.after
    )


def _may_fit(row: Any, query: OfferQuery) -> bool:
    """Look at the columns first: to check a signature costs more."""
    has_usage = not query.usage or query.usage in json.loads(row.usages)
    return has_usage and (not query.modality or query.modality in json.loads(row.modalities))


def _unknown(offer_id: str) -> MissingError:
    return MissingError(f"there is no offer {offer_id[:80]!r}", hint="GET /v1/offers lists them")
