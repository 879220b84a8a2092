"""What a desk holds of agreements, all at once: for a clearing there may be thousands."""

from __future__ import annotations

import os
from contextlib import nullcontext
from hashlib import sha256

from sqlalchemy import select, text

from tercet.core.strict_json import read_canonical_object
from tercet.store.desk import Desk
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


_ROWS = 1000
_STATE_TABLES = (
    "settings", "party_versions", "agreements", "agreement_signatures", "agreements_final",
    "terminations", "mandates", "mandate_revocations", "collective_snapshots",
)  # fmt: skip


def desk_state(desk: Desk) -> str:
    """Return a digest of all that the standing of agreements depends on. Raises StorageError.

    Of lists of works it takes name, size and time: their bytes have a digest of their own.
    """
    seen = sha256()
    with desk.database.reading() as connection:
        known = text("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = set(connection.execute(known).scalars())
        for table in _STATE_TABLES:
            seen.update(table.encode())
            if table in names:
                rows = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY rowid")
                while some := rows.cursor.fetchmany(_ROWS):  # as the driver has them: thousands
                    seen.update(repr(some).encode())
    folder = desk.repertoires.folder
    with os.scandir(folder) if folder.is_dir() else nullcontext(()) as files:
        lists = sorted((each.name, each.stat()) for each in files if each.name.endswith(".txt"))
    for name, status in lists:
        seen.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest()
