"""A registry's SQLite file: made where it is not yet, and read only in the version known here."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from tercet.core.errors import InputError
from tercet.store.registry_schema import METADATA, NUMBERS, SCHEMA_VERSION, TRIGGERS
from tercet.store.sqlite_database import SqliteDatabase


class RegistryDatabase(SqliteDatabase):
    """The database of a registry."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "registry")

    def create(self) -> bool:
        """Make the file and its tables where they are not yet; say whether they were made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if version:
                _check_version(self.path, version)
                return False
            METADATA.create_all(connection)
            for trigger in TRIGGERS:
                connection.execute(text(trigger))
            connection.execute(NUMBERS.insert().values(name="works", next=1))
            connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
        return True

    def check(self) -> None:
        """Raise InputError where there is no registry, or one of another version."""
        if not self.path.is_file():
            raise InputError(
                f"no registry in {self.path.parent}",
                hint="`tercet register` makes one; check the path",
            )
        with self.reading() as connection:
            _check_version(self.path, connection.execute(text("PRAGMA user_version")).scalar_one())


def _check_version(path: Path, version: int) -> None:
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has registry version {version}, this tercet reads {SCHEMA_VERSION}",
            hint="use the tercet that made it, or a newer one",
        )
