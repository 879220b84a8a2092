"""A desk's SQLite file: made where it is not yet; tables that came later are added."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from tercet.core.errors import InputError
from tercet.store import (  # noqa: F401 (tables)
    desk_forks,
    desk_mandates_schema,
    desk_names,
    letters_schema,
)
from tercet.store.desk_schema import METADATA, SCHEMA_VERSION, TRIGGERS
from tercet.store.sqlite_database import SqliteDatabase

FILE_NAME = "desk.sqlite"


class DeskDatabase(SqliteDatabase):
    """The database of a desk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "desk")

    def create(self) -> None:
        """Make the file, its tables and its triggers where they are not yet. Raises InputError."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)  # reserves stand in it; what SQLite puts beside it is alike
        with self.writing() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            _check_version(self.path, version or SCHEMA_VERSION)
            METADATA.create_all(connection)
            query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            known = set(connection.execute(query).scalars())
            for name, statement in TRIGGERS.items():
                if name not in known:
                    connection.execute(text(statement))
            connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))

    def is_whole(self) -> bool:
        """Say whether all tables and triggers of this version of Tercet are there."""
        with self.reading() as connection:
            query = text("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")
            return set(connection.execute(query).scalars()) >= {*METADATA.tables, *TRIGGERS}

    def check(self) -> None:
        """Raise InputError where there is no desk, or one of another version."""
        if not self.path.is_file():
            raise InputError(
                f"no desk in {self.path.parent}", hint="`tercet desk make` makes one; check --desk"
            )
        with self.reading() as connection:
            _check_version(self.path, connection.execute(text("PRAGMA user_version")).scalar_one())


def _check_version(path: Path, version: int) -> None:
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has desk version {version}, this tercet reads {SCHEMA_VERSION}",
            hint="use the tercet that made it, or a newer one",
        )
