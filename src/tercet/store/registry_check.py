"""Checking a registry: everything is worked out anew from the log, and every difference named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select, text

from tercet.consent.registry.documents import document_id, read_document
from tercet.consent.registry.replay import Replay
from tercet.consent.registry.work_record import work_document
from tercet.core.errors import IntegrityError, TercetError
from tercet.core.ids import sha256_hex
from tercet.store import registry_log
from tercet.store.registry_log import BEFORE_ALL, LogEntry, is_signed
from tercet.store.registry_offers import offer_records
from tercet.store.registry_reader import RegistryReader
from tercet.store.registry_rows import LIVE, dispute_of, work_of
from tercet.store.registry_schema import CLAIMS, DISPUTES, EVIDENCE, REJECTIONS, SIDES, WORKS


def check_findable(registry: RegistryReader) -> None:
    """Raise IntegrityError where works can no longer be found whose fingerprints were written.

    Cheap, unlike `differences`: nothing may clear for want of what the registry has lost.
    """
    with registry.database.reading() as connection:
        lost = next(_missing_fingerprints(connection, registry), "")
    if not lost:
        return
    with registry.database.reading() as connection:  # a withdrawal in between is no loss
        lost = next(_missing_fingerprints(connection, registry), "")
    if lost:
        raise IntegrityError(
            f"{registry.folder} has lost fingerprints: {lost}",
            hint="`tercet registry verify` names all; restore the registry from a copy",
        )


def differences(registry: RegistryReader, *, seen: str = "") -> list[str]:
    """Return everything that does not hold, in words; an empty list: all of it does.

    Checked are the database's own structure, the chain of the log, every signature, who said what
    they may say, all tables against the log, shares, and the fingerprints' segments. ``seen`` is a
    head of the log that was noted before: it must still be in it.
    """
    with registry.database.reading() as connection:
        found = [f"database: {row[0]}" for row in connection.execute(text("PRAGMA quick_check"))
                 if row[0] != "ok"]  # fmt: skip
        if found:
            return found
        replay = Replay()
        found += _log_problems(connection, replay, seen)
        found += replay.problems
        for part in (
            _work_problems(connection, replay),
            _claim_problems(connection, replay),
            _dispute_problems(connection, replay),
            _other_problems(connection, replay),
            replay.share_problems(),
            _missing_fingerprints(connection, registry),
        ):
            found += _as_far_as_it_can_be_read(part)
    return found + [f"fingerprints: {problem}" for problem in registry.fingerprints.check()]


def _as_far_as_it_can_be_read(problems: Iterable[str]) -> Iterator[str]:
    """Yield problems; a table that holds what no registry writes is one more."""
    try:
        yield from problems
    except (TercetError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"a table cannot be read: {type(error).__name__}: {error}"


def _log_problems(connection: Connection, replay: Replay, seen: str) -> Iterator[str]:
    """Check chain and signatures, and let ``replay`` take every document that holds."""
    chain = BEFORE_ALL
    is_seen = not seen
    expected = 0
    for entry in registry_log.entries(connection):
        if entry.position != expected:
            yield f"log: expected entry {expected}, got {entry.position}"
        expected = entry.position + 1
        right = registry_log.link(entry.position, entry.type, entry.digest, chain)
        if entry.chain != right:
            yield f"log entry {entry.position}: the chain is broken"
        chain = entry.chain
        is_seen = is_seen or chain == seen
        document, problem = _document(entry)
        if problem:
            yield f"log entry {entry.position}: {problem}"
        else:
            replay.take(entry.position, document)
    if not expected:
        yield "log: it is empty"
    if not is_seen:
        yield f"log: the head {seen} that was noted before is not in it"


def _document(entry: LogEntry) -> tuple[dict[str, Any], str]:
    if sha256_hex(entry.document) != entry.digest:
        return {}, "the digest is not that of its document"
    try:
        document = read_document(entry.document)
    except IntegrityError as error:
        return {}, error.message
    if document.get("type") != entry.type:
        return {}, f"expected a document of type {entry.type}"
    return document, "" if is_signed(document) else "the signature does not hold"


# ---- tables ---------------------------------------------------------------------------------


def _other_problems(connection: Connection, replay: Replay) -> Iterator[str]:
    evidence = {
        (row.claim_id, row.kind, row.value): (row.checked, row.checked_at)
        for row in connection.execute(select(EVIDENCE))
    }
    yield from _different("evidence", replay.checks, evidence)
    rejections = {(row.item_sha256, row.work) for row in connection.execute(select(REJECTIONS))}
    yield from _different("offer", replay.offers, offer_records(connection))
    for item, work in sorted(replay.rejections ^ rejections):
        yield f"not-a-match decision on {item} and work {work}: log and table differ"


def _work_problems(connection: Connection, replay: Replay) -> Iterator[str]:
    seen = set()
    for row in connection.execute(select(WORKS)):
        seen.add(row.number)
        logged = replay.works.get(row.number)
        signed = ("public_key", "signature")
        bare = {name: value for name, value in (logged or {}).items() if name not in signed}
        if bare != work_document(work_of(row)):
            yield f"work {row.number}: it is not as the log has it"
    for number in sorted(set(replay.works) - seen):
        yield f"work {number}: it is in the log and not in the table"


def _claim_problems(connection: Connection, replay: Replay) -> Iterator[str]:
    names = ("work", "sha256", "public_key", "owner", "share_basis_points", "state", "previous")
    logged = {
        claim_id: tuple(getattr(claim, name) for name in names)
        for claim_id, claim in replay.claims.items()
    }
    rows = {}
    for row in connection.execute(select(CLAIMS)):
        rows[row.claim_id] = tuple(getattr(row, name) for name in names)
        document = read_document(registry_log.document_at(connection, row.log_index))
        if document_id(document) != row.claim_id:
            yield f"claim {row.claim_id}: its place in the log holds another document"
    yield from _different("claim", logged, rows)


def _dispute_problems(connection: Connection, replay: Replay) -> Iterator[str]:
    rows = {}
    for row in connection.execute(select(DISPUTES)):
        dispute = dispute_of(row.document)
        rows[row.dispute_id] = dispute
        if (row.state, row.deadline) != (str(dispute.state), dispute.deadline):
            yield f"dispute {row.dispute_id}: its columns differ from its document"
    yield from _different("dispute", replay.disputes, rows)
    sides = {(row.dispute_id, row.claim_id) for row in connection.execute(select(SIDES))}
    logged = {
        (name, claim)
        for name, dispute in replay.disputes.items()
        for claim in (*dispute.earlier, *dispute.later)
    }
    for name, claim in sorted(sides ^ logged):
        yield f"dispute {name}: log and table differ on the side of claim {claim}"


def _different(kind: str, logged: Mapping[Any, Any], rows: Mapping[Any, Any]) -> Iterator[str]:
    for name in sorted({*logged, *rows}):
        if logged.get(name) != rows.get(name):
            shown = name if isinstance(name, str) else ", ".join(map(str, name))
            yield f"{kind} {shown}: log and table differ"


# ---- fingerprints ---------------------------------------------------------------------------


def _missing_fingerprints(connection: Connection, registry: RegistryReader) -> Iterator[str]:
    """Yield works that a claim stands on and that could no longer be found."""
    query = (
        select(WORKS.c.number, WORKS.c.methods)
        .join(CLAIMS, CLAIMS.c.work == WORKS.c.number)
        .where(CLAIMS.c.state == LIVE, WORKS.c.methods != "[]")
        .distinct()
    )
    expected: dict[str, set[int]] = {}
    for number, methods in connection.execute(query):
        for method in methods.strip('["]').split('","'):
            expected.setdefault(method, set()).add(number)
    if not expected:
        return
    try:
        reader = registry.fingerprints.reader()
    except IntegrityError as error:
        yield f"fingerprints: {error.message}"
        return
    for method, numbers in sorted(expected.items()):
        for number in sorted(numbers - set(reader.works(method).tolist())):
            yield f"work {number}: its fingerprint by {method} is missing"
