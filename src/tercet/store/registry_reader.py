"""What can be asked of a registry. Every answer is of one state of it, also while others write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from tercet.consent.registry.claim import Check, Evidence, EvidenceKind
from tercet.consent.registry.conflicts import StandingClaim
from tercet.consent.registry.dispute import Dispute
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.errors import InputError
from tercet.store import registry_log
from tercet.store.fingerprint_segments import FingerprintSegments
from tercet.store.registry_database import RegistryDatabase
from tercet.store.registry_log import LogEntry, LogHead
from tercet.store.registry_rows import (
    LIVE,
    all_claims,
    disputed_works,
    disputes_where,
    live_numbers,
    numbers_by_sha256,
    registered_digests,
    standing_claims,
    work_of,
)
from tercet.store.registry_schema import CLAIMS, EVIDENCE, REJECTIONS, WORKS
from tercet.store.registry_tables import domain_table, hash_table, url_table

if TYPE_CHECKING:
    import pyarrow as pa

DATABASE_NAME = "registry.sqlite"
_NUMBER_MAX = 2**63 - 1  # what SQLite takes


class RegistryReader:
    """A registry's folder, for reading. Cheap to make; safe to hand to other processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fingerprints = FingerprintSegments(folder / "fingerprints")
        self.database = RegistryDatabase(folder / DATABASE_NAME)

    def close(self) -> None:
        """Close this process's connections."""
        self.database.close()

    def work(self, number: int) -> WorkRecord:
        """Return a work, standing or not. Raises InputError for a number that is not taken."""
        with self.database.reading() as connection:
            query = select(WORKS).where(WORKS.c.number == number)
            row = connection.execute(query).first() if number <= _NUMBER_MAX else None
        if row is None:
            raise InputError(
                f"no work {number} in {self.folder}", hint="`tercet registry list` shows them"
            )
        return work_of(row)

    def works(self, after: int = 0, limit: int = 1000) -> list[WorkRecord]:
        """Return up to ``limit`` works with numbers above ``after``, ascending."""
        query = select(WORKS).where(WORKS.c.number > after).order_by(WORKS.c.number).limit(limit)
        with self.database.reading() as connection:
            return [work_of(row) for row in connection.execute(query)]

    def claims(self, number: int) -> list[tuple[StandingClaim, str]]:
        """Return every claim on a work with its state: live, withdrawn, amended or set_aside.

        Unlike `standing`, claims that no longer bind are among them.
        """
        with self.database.reading() as connection:
            return all_claims(connection, number)

    def standing(self, number: int) -> tuple[tuple[StandingClaim, ...], bool]:
        """Return the claims that bind, and whether one of them is in an unsettled dispute."""
        with self.database.reading() as connection:
            claims = tuple(standing_claims(connection, work=number))
            return claims, bool(disputed_works(connection, [number]))

    def live(self, numbers: Iterable[int]) -> set[int]:
        """Return those of ``numbers`` on which a claim stands."""
        with self.database.reading() as connection:
            return live_numbers(connection, numbers)

    def disputed(self, numbers: Iterable[int]) -> set[int]:
        """Return those of ``numbers`` that are held for an unsettled dispute."""
        with self.database.reading() as connection:
            return disputed_works(connection, numbers)

    def works_by_sha256(self, digests: Iterable[str]) -> dict[str, list[int]]:
        """Return the live works of each SHA-256 (64 hex digits) that has any."""
        with self.database.reading() as connection:
            return numbers_by_sha256(connection, digests)

    def registered_by(self, public_key: str, digests: Iterable[str]) -> set[str]:
        """Return those SHA-256 on which a claim of this key stands."""
        with self.database.reading() as connection:
            return registered_digests(connection, public_key, digests)

    def has_claims_of(self, public_key: str) -> bool:
        """Say whether this key ever claimed anything here."""
        query = select(CLAIMS.c.claim_id).where(CLAIMS.c.public_key == public_key).limit(1)
        with self.database.reading() as connection:
            return connection.execute(query).first() is not None

    def hash_table(self) -> pa.Table:
        """Return every live work: work int64, sha256 string (lower-case hex)."""
        with self.database.reading() as connection:
            return hash_table(connection)

    def url_table(self) -> pa.Table:
        """Return the source URLs that live claims name: work int64, url string, as written."""
        with self.database.reading() as connection:
            return url_table(connection)

    def domain_table(self) -> pa.Table:
        """Return the domains that an owner claims as a whole: domain string, work int64.

        Only domains whose control was verified and for which a live claim says ``covers_all``.
        For each different set of terms and owner one work stands for the domain. It is not the
        item: what its owner says of the domain may reserve an item and never grants one.
        """
        with self.database.reading() as connection:
            return domain_table(connection)

    def disputes(self, *, unsettled: bool = False) -> list[Dispute]:
        """Return the disputes, or only those that are not settled."""
        with self.database.reading() as connection:
            return disputes_where(connection, unsettled=unsettled)

    def decisions(self) -> frozenset[tuple[str, int]]:
        """Return what people decided is no match: (SHA-256 of the item, number of the work)."""
        with self.database.reading() as connection:
            query = select(REJECTIONS.c.item_sha256, REJECTIONS.c.work)
            return frozenset((row[0], row[1]) for row in connection.execute(query))

    def head(self) -> LogHead:
        """Return the head of the log: the number of entries and the chain value of the last."""
        with self.database.reading() as connection:
            return registry_log.head(connection)

    def digest(self) -> str:
        """Return the chain value of the log's last entry: it stands for the registry's state."""
        return self.head().chain

    def log(self, start: int = 0, stop: int | None = None) -> list[LogEntry]:
        """Return the log's entries from ``start`` up to, not including, ``stop``."""
        with self.database.reading() as connection:
            return list(registry_log.entries(connection, start, stop))

    def keeper(self) -> str:
        """Return the public key that made the registry, in Base64."""
        first = self.log(0, 1)
        if not first:
            raise InputError(
                f"the registry in {self.folder} was not made to its end",
                hint="`tercet register` completes it",
            )
        document = json.loads(first[0].document)
        return str(document["public_key"])

    def preview(self, number: int) -> bytes:
        """Return a small JPEG of a work, b"" when there is none."""
        try:
            return self.preview_path(number).read_bytes()
        except FileNotFoundError:
            return b""

    def unchecked_domains(self) -> list[tuple[str, str, str]]:
        """Return (claim id, domain, public key) of domain evidence not verified yet."""
        query = (
            select(EVIDENCE.c.claim_id, EVIDENCE.c.value, CLAIMS.c.public_key)
            .join(CLAIMS, CLAIMS.c.claim_id == EVIDENCE.c.claim_id)
            .where(EVIDENCE.c.kind == str(EvidenceKind.DOMAIN), CLAIMS.c.state == LIVE)
            .where(EVIDENCE.c.checked != str(Check.VERIFIED))
        )
        with self.database.reading() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def evidence(self, claim_id: str) -> list[tuple[Evidence, Check, str]]:
        """Return a claim's evidence with what its check found, and when ("" : never)."""
        query = select(EVIDENCE).where(EVIDENCE.c.claim_id == claim_id)
        with self.database.reading() as connection:
            return [
                (
                    Evidence(EvidenceKind(row.kind), row.value, covers_all=bool(row.covers_all)),
                    Check(row.checked),
                    row.checked_at,
                )
                for row in connection.execute(query)
            ]

    def preview_path(self, number: int) -> Path:
        """Return where the preview of a work lies, or would lie."""
        return self.folder / "previews" / f"{number // 1000:06d}" / f"{number}.jpg"
