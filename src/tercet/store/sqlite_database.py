"""A SQLite file of the store: how it is opened, read and written, in one place for all of them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from tercet.core.errors import StorageError

BUSY_TIMEOUT_S = 60.0
_WRITES = "tercet_writes"


class SqliteDatabase:
    """One SQLite file, safe to use after a fork: every process has connections of its own.

    Readers see one state for as long as their block lasts, also while somebody writes. ``what`` is
    what people call it in errors.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self.what = what
        self._engine: Engine | None = None
        self._process = 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state. Raises StorageError."""
        with self._connection(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock; all of it is written at the end, or none.

        What is written is on the disk when the block ends. Raises StorageError.
        """
        with self._connection(writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Close the connections of this process."""
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()
        self._engine = None

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._opened().connect() as connection:
                chosen = connection.execution_options(**{_WRITES: writes})
                with chosen.begin():
                    yield chosen
        except (DatabaseError, sqlite3.DatabaseError) as error:
            cause = error.orig if isinstance(error, DatabaseError) else error
            if isinstance(cause, sqlite3.IntegrityError):
                raise
            raise StorageError(
                f"cannot use the {self.what} {self.path}: {cause}",
                hint="check the disk and the rights; if another process writes, wait for it; if it "
                "is damaged, restore it from a copy",
            ) from error

    def _opened(self) -> Engine:
        if self._engine is None or self._process != os.getpid():
            if self._engine is not None:
                self._engine.dispose(close=False)  # they are the parent's
            self._engine, self._process = _engine(self.path), os.getpid()
        return self._engine

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "what": self.what, "_engine": None, "_process": 0}


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),  # a path may hold what a URL means otherwise
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        poolclass=QueuePool,
    )
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begun
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begun(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
