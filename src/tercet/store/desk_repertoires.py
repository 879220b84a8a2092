"""The lists of works of a desk: files named by the SHA-256 of their bytes."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import insert, select

from tercet.core.errors import IntegrityError, MissingError, StorageError
from tercet.core.ids import sha256_hex
from tercet.store.desk_database import DeskDatabase
from tercet.store.desk_schema import REPERTOIRES
from tercet.store.files import sha256_of_file, sync_folder, write_atomically

_NAME = re.compile(r"[0-9a-f]{64}")


class DeskRepertoires:
    """The folder `repertoires` of a desk."""

    def __init__(self, folder: Path, database: DeskDatabase) -> None:
        self.folder = folder
        self.database = database

    def add(self, raw: bytes, at: str) -> str:
        """Keep a repertoire's bytes; return their SHA-256. Its form is not looked at here.

        Raises StorageError.
        """
        sha256 = sha256_hex(raw)
        path = self.folder / f"{sha256}.txt"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not path.is_file():
                write_atomically(path, raw)
                sync_folder(self.folder)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
        with self.database.writing() as connection:
            known = select(REPERTOIRES.c.sha256).where(REPERTOIRES.c.sha256 == sha256)
            if connection.execute(known).scalar() is None:
                connection.execute(
                    insert(REPERTOIRES).values(sha256=sha256, bytes=len(raw), seen_at=at)
                )
        return sha256

    def path(self, sha256: str) -> Path:
        """Return where a repertoire lies. Raises MissingError."""
        path = self.folder / f"{sha256}.txt"
        if not _NAME.fullmatch(sha256) or not path.is_file():
            raise MissingError(
                f"no repertoire {sha256[:64]} here", hint="ask the other party for the list"
            )
        return path

    def read(self, sha256: str) -> bytes:
        """Return a repertoire's bytes. Raises MissingError, IntegrityError, StorageError."""
        path = self.path(sha256)
        try:
            if sha256_of_file(path) != sha256:
                raise IntegrityError(f"expected {path} to have the digest it is named by")
            return path.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error

    def all(self) -> tuple[str, ...]:
        """Return the names of all repertoires, in order."""
        with self.database.reading() as connection:
            query = select(REPERTOIRES.c.sha256).order_by(REPERTOIRES.c.sha256)
            return tuple(connection.execute(query).scalars())
