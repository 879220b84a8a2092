"""What one key has in a registry: the works on which claims of it stand, undisputed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from tercet.consent.registry.claim import Check, EvidenceKind
from tercet.store.registry_reader import RegistryReader
from tercet.store.registry_rows import LIVE, disputed_works
from tercet.store.registry_schema import CLAIMS, EVIDENCE


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


def domains_of(registry: RegistryReader, public_keys: Iterable[str]) -> list[str]:
    """Return the hosts that these keys claim as a whole, and whose control was verified."""
    query = (
        select(EVIDENCE.c.value)
        .distinct()
        .join(CLAIMS, CLAIMS.c.claim_id == EVIDENCE.c.claim_id)
        .where(CLAIMS.c.public_key.in_(list(public_keys)), CLAIMS.c.state == LIVE)
        .where(EVIDENCE.c.kind == str(EvidenceKind.DOMAIN), EVIDENCE.c.covers_all == 1)
        .where(EVIDENCE.c.checked == str(Check.VERIFIED))
        .order_by(EVIDENCE.c.value)
    )
    with registry.database.reading() as connection:
        return [str(row[0]) for row in connection.execute(query)]
