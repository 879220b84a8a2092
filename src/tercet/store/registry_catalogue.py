"""What one key has in a registry: the works on which claims of it stand, undisputed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from tercet.store.registry_reader import RegistryReader
from tercet.store.registry_rows import LIVE, disputed_works
from tercet.store.registry_schema import CLAIMS


def catalogue_of(registry: RegistryReader, public_keys: Iterable[str]) -> list[tuple[int, str]]:
    """Return (number, SHA-256) of the works that these keys (Base64) have claims on.

    Only claims that stand count, and no work that an unsettled dispute holds.
    """
    query = select(CLAIMS.c.work, CLAIMS.c.sha256).distinct().order_by(CLAIMS.c.work)
    query = query.where(CLAIMS.c.public_key.in_(list(public_keys)), CLAIMS.c.state == LIVE)
    with registry.database.reading() as connection:
        works = [(int(row[0]), str(row[1])) for row in connection.execute(query)]
        held = disputed_works(connection, [number for number, _ in works])
    return [(number, sha256) for number, sha256 in works if number not in held]
