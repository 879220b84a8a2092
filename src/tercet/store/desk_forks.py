"""Forks: party documents that were refused because another one of their version is known.

Both are signed by a key of their party, so either it says different things to different people, or
somebody else has its key. The one that came second has no effect, and is kept as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, String, Table, insert, select

from tercet.consent.licences.party import party_of
from tercet.consent.licences.signing import Document, document_sha256
from tercet.core.canonical import canonical_json
from tercet.core.strict_json import read_canonical_object
from tercet.store.desk_schema import METADATA, append_only

FORKS_MAX = 100  # of one party; who has its key can make more without end

PARTY_FORKS = append_only(
    Table(
        "party_forks",
        METADATA,
        Column("sha256", String, primary_key=True),
        Column("party", String, nullable=False, index=True),
        Column("version", Integer, nullable=False),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),
    )
)


@dataclass(frozen=True, slots=True)
class Fork:
    """A document that contradicts the known version of its party, and when it came."""

    party: str
    version: int
    document: dict[str, Any]
    received_at: str


def add_fork(connection: Connection, document: Document, at: str) -> None:
    """Keep a document of a fork, once."""
    party, name = party_of(document), document_sha256(document)
    kept = select(PARTY_FORKS.c.sha256).where(PARTY_FORKS.c.party == party.id)
    known = connection.execute(kept).scalars().all()
    if name in known or len(known) >= FORKS_MAX:
        return
    connection.execute(
        insert(PARTY_FORKS).values(
            sha256=name,
            party=party.id,
            version=party.version,
            document=canonical_json(document),
            received_at=at,
        )
    )


def forks_of(connection: Connection, party: str = "") -> tuple[Fork, ...]:
    """Return the forks of one party, or of all, as they came."""
    query = select(PARTY_FORKS).order_by(PARTY_FORKS.c.received_at, PARTY_FORKS.c.sha256)
    if party:
        query = query.where(PARTY_FORKS.c.party == party)
    return tuple(
        Fork(row.party, row.version, read_canonical_object(row.document), row.received_at)
        for row in connection.execute(query)
    )
