"""Earlier answers of the survey, kept beside its evidence so that what is fresh is not asked twice.

One SQLite file; the bytes lie in the blob store. Losing it costs requests, never evidence.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tercet.consent.capture import Capture, Captured
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.caching import Stored
from tercet.core.declaration import Carrier
from tercet.core.errors import IntegrityError, StorageError
from tercet.store.blobs import BlobStore

_SCHEMA = """
CREATE TABLE IF NOT EXISTS responses (
  key TEXT PRIMARY KEY,
  stored_at REAL NOT NULL,
  fresh_until REAL NOT NULL,
  etag TEXT NOT NULL,
  last_modified TEXT NOT NULL,
  captures TEXT NOT NULL
) WITHOUT ROWID
"""
_GET = """
SELECT captures, stored_at, fresh_until, etag, last_modified FROM responses WHERE key = ?
"""
_PUT = "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?)"


class ResponseStore:
    """A ``ResponseCache`` on disk. Raises StorageError when the disk fails."""

    def __init__(self, path: Path, blobs: BlobStore) -> None:
        self._path = path
        self._blobs = blobs
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:  # a broken cache is thrown away: it is only a cache
            path.unlink(missing_ok=True)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_SCHEMA)
        return connection

    def get(self, key: str) -> tuple[Stored, tuple[bytes, ...]] | None:
        """Return what is kept under ``key`` with its bytes; None when any of it is missing."""
        row = self._run(_GET, (_text(key),)).fetchone()
        if row is None:
            return None
        try:
            captures = tuple(_capture(fields) for fields in json.loads(row[0]))
            raws = tuple(self._blobs.get(c.raw_sha256) if c.raw_sha256 else b"" for c in captures)
        except (IntegrityError, ValueError, TypeError, KeyError):
            return None
        return Stored(captures, *row[1:]), raws

    def put(self, key: str, entry: Stored, captured: tuple[Captured, ...]) -> None:
        """Keep an answer with its bytes, in place of an earlier one."""
        for capture, raw in captured:
            if capture.raw_sha256:
                self._blobs.put(raw)
        captures = json.dumps([asdict(capture) for capture in entry.captures])
        values = (
            _text(key),
            entry.stored_at,
            entry.fresh_until,
            _text(entry.etag),
            _text(entry.last_modified),
            captures,
        )
        self._run(_PUT, values)

    def commit(self) -> None:
        """Make what was put survive a kill."""
        try:
            self._connection.commit()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._connection.close()

    def _run(self, query: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            f"cannot use {self._path}: {error}",
            hint="free some space; the file may be deleted, it is only a cache",
        )


def _capture(fields: dict[str, Any]) -> Capture:
    given = fields | {
        "resource": Resource(fields["resource"]),
        "carrier": Carrier(fields["carrier"]),
        "failure": Failure(fields["failure"]) if fields["failure"] else None,
        "redirects": tuple(fields["redirects"]),
    }
    return Capture(**given)


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()
