"""The registry's log: documents in the order in which they came, chained by their digests.

    chain(0) = H(0, type, digest, 64 zeros), chain(n) = H(n, type, digest, chain(n - 1))

where H is the SHA-256 of the canonical JSON of its four values. Whoever knows the head and the
number of entries can tell whether anything before was changed, left out or put in.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from tercet.consent.registry.documents import signed_bytes
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.store.keys import signature_holds
from tercet.store.registry_schema import LOG

BEFORE_ALL = "0" * 64


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry; ``document`` is its canonical JSON, ``digest`` that of the document."""

    position: int
    type: str
    document: bytes
    digest: str
    chain: str


@dataclass(frozen=True, slots=True)
class LogHead:
    """How many entries the log has, and the chain value of the last."""

    entries: int
    chain: str


def append(connection: Connection, document: Mapping[str, Any]) -> int:
    """Append a document and return its position."""
    before = head(connection)
    raw = canonical_json(dict(document))
    digest = sha256_hex(raw)
    connection.execute(
        LOG.insert(),
        {
            "position": before.entries,
            "type": document["type"],
            "document": raw,
            "digest": digest,
            "chain": link(before.entries, document["type"], digest, before.chain),
        },
    )
    return before.entries


def head(connection: Connection) -> LogHead:
    """Return the head of the log."""
    row = connection.execute(
        select(LOG.c.position, LOG.c.chain).order_by(LOG.c.position.desc()).limit(1)
    ).first()
    return LogHead(row.position + 1, row.chain) if row else LogHead(0, BEFORE_ALL)


def link(position: int, kind: str, digest: str, previous: str) -> str:
    """Return the chain value of an entry."""
    return sha256_hex(
        canonical_json({"index": position, "type": kind, "digest": digest, "previous": previous})
    )


def entries(connection: Connection, start: int = 0, stop: int | None = None) -> Iterator[LogEntry]:
    """Yield the entries from ``start`` up to, not including, ``stop``, in order."""
    query = select(LOG).where(LOG.c.position >= start).order_by(LOG.c.position)
    if stop is not None:
        query = query.where(LOG.c.position < stop)
    for row in connection.execution_options(yield_per=1000).execute(query):
        raw = row.document if isinstance(row.document, bytes) else str(row.document).encode()
        yield LogEntry(row.position, row.type, raw, row.digest, row.chain)


def document_at(connection: Connection, position: int) -> bytes:
    """Return the document at a position of the log."""
    found: bytes = connection.execute(
        select(LOG.c.document).where(LOG.c.position == position)
    ).scalar_one()
    return found


def is_signed(document: Mapping[str, Any]) -> bool:
    """Say whether a document is signed by the key it names."""
    try:
        signature = document["signature"]
        if signature["public_key"] != document["public_key"]:
            return False
        public_raw = base64.b64decode(signature["public_key"], validate=True)
        value = base64.b64decode(signature["value"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False
    return signature_holds(public_raw, value, signed_bytes(document))
