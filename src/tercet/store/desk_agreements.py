"""What a desk holds of agreements, all at once: for a clearing there may be thousands."""

from __future__ import annotations

from sqlalchemy import select

from tercet.core.strict_json import read_canonical_object
from tercet.store.desk_database import DeskDatabase
from tercet.store.desk_documents import KeptTermination
from tercet.store.desk_schema import TERMINATIONS


def terminations_by_agreement(database: DeskDatabase) -> dict[str, list[KeptTermination]]:
    """Return all terminations by agreement, in the order they came. Raises StorageError."""
    found: dict[str, list[KeptTermination]] = {}
    with database.reading() as connection:
        for row in connection.execute(select(TERMINATIONS).order_by(TERMINATIONS.c.number)):
            document = read_canonical_object(row.document)
            kept = KeptTermination(document, tuple(row.signers.split()), row.seen_at)
            found.setdefault(row.agreement_id, []).append(kept)
    return found
