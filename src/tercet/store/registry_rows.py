"""Rows of the registry's tables as values, and the questions asked of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from tercet.consent.registry.claim import claim_of
from tercet.consent.registry.conflicts import StandingClaim
from tercet.consent.registry.dispute import UNSETTLED, Dispute, DisputeKind, DisputeState
from tercet.consent.registry.documents import document_id, read_document
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.work import Medium
from tercet.store.registry_log import is_signed
from tercet.store.registry_schema import CLAIMS, DISPUTES, LOG, SIDES, WORKS

LIVE = "live"
WITHDRAWN = "withdrawn"
AMENDED = "amended"
SET_ASIDE = "set_aside"
_ID_DIGITS_MIN = 8
_ASKED_AT_ONCE = 500  # SQLite's limit of variables is 999 where it is old


def work_values(work: WorkRecord) -> dict[str, Any]:
    """Return a work as the values of its row."""
    return {
        "number": work.number,
        "medium": str(work.medium),
        "sha256": work.sha256,
        "title": work.title,
        "creators": _text(work.creators),
        "identifiers": _text(dict(work.identifiers)),
        "source_url": work.source_url,
        "iscc": work.iscc,
        "bytes": work.bytes,
        "path": work.path,
        "registered_at": work.registered_at,
        "methods": _text(work.methods),
        "unfit": _text(work.unfit),
        "flags": _text(work.flags),
    }


def work_of(row: Row[Any]) -> WorkRecord:
    """Return the work of a row."""
    return WorkRecord(
        number=row.number,
        medium=Medium(row.medium),
        sha256=row.sha256,
        title=row.title,
        creators=tuple(json.loads(row.creators)),
        identifiers=tuple(sorted(json.loads(row.identifiers).items())),
        source_url=row.source_url,
        iscc=row.iscc,
        bytes=row.bytes,
        path=row.path,
        registered_at=row.registered_at,
        methods=tuple(json.loads(row.methods)),
        unfit=tuple(json.loads(row.unfit)),
        flags=tuple(json.loads(row.flags)),
    )


def _text(value: object) -> str:
    return canonical_json(value).decode()


# ---- claims ---------------------------------------------------------------------------------


def standing_claims(connection: Connection, **where: object) -> list[StandingClaim]:
    """Return the live claims whose columns have the given values, in the order of the log."""
    query = (
        select(CLAIMS, LOG.c.document, WORKS.c.methods)
        .join(LOG, LOG.c.position == CLAIMS.c.log_index)
        .join(WORKS, WORKS.c.number == CLAIMS.c.work)
        .where(CLAIMS.c.state == LIVE)
        .order_by(CLAIMS.c.log_index)
    )
    for name, value in where.items():
        query = query.where(CLAIMS.c[name] == value)
    return [_standing(row) for row in connection.execute(query)]


def _standing(row: Row[Any]) -> StandingClaim:
    """Return a claim as its owner signed it. Raises IntegrityError for one that was altered."""
    document = read_document(row.document)
    signed = (document.get("public_key"), document.get("number"), document_id(document))
    if signed != (row.public_key, row.work, row.claim_id) or not is_signed(document):
        raise IntegrityError(
            f"claim {row.claim_id} on work {row.work} is not what its owner signed",
            hint="`tercet registry verify` names all that differs; restore it from a copy",
        )
    return StandingClaim(
        claim_id=row.claim_id,
        claim=claim_of(document),
        public_key=row.public_key,
        work=row.work,
        fingerprinted=row.methods != "[]",
        share_basis_points=row.share_basis_points,
    )


def was_set_aside(connection: Connection, sha256: str, public_key: str) -> bool:
    """Say whether a dispute decided against a claim of this key on these bytes."""
    query = select(
        exists().where(
            CLAIMS.c.sha256 == sha256,
            CLAIMS.c.public_key == public_key,
            CLAIMS.c.state == SET_ASIDE,
        )
    )
    return bool(connection.execute(query).scalar_one())


def live_numbers(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Return those of ``numbers`` whose work has a claim that stands."""
    found: set[int] = set()
    for asked in _chunks(sorted(set(numbers))):
        query = select(CLAIMS.c.work).where(CLAIMS.c.work.in_(asked), CLAIMS.c.state == LIVE)
        found.update(connection.execute(query.distinct()).scalars())
    return found


def numbers_by_sha256(connection: Connection, digests: Iterable[str]) -> dict[str, list[int]]:
    """Return the live works of each SHA-256 that has any, in ascending order."""
    found: dict[str, list[int]] = {}
    for asked in _chunks(sorted({digest.lower() for digest in digests})):
        query = (
            select(CLAIMS.c.sha256, CLAIMS.c.work)
            .where(CLAIMS.c.sha256.in_(asked), CLAIMS.c.state == LIVE)
            .distinct()
            .order_by(CLAIMS.c.work)
        )
        for digest, work in connection.execute(query):
            found.setdefault(digest, []).append(work)
    return found


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _ASKED_AT_ONCE):
        yield values[start : start + _ASKED_AT_ONCE]


def registered_digests(connection: Connection, public_key: str, digests: Iterable[str]) -> set[str]:
    """Return those SHA-256 on which a claim of this key stands."""
    found: set[str] = set()
    for asked in _chunks(sorted(set(digests))):
        query = select(CLAIMS.c.sha256).where(
            CLAIMS.c.public_key == public_key,
            CLAIMS.c.state == LIVE,
            CLAIMS.c.sha256.in_(asked),
        )
        found.update(connection.execute(query.distinct()).scalars())
    return found


def all_claims(connection: Connection, number: int) -> list[tuple[StandingClaim, str]]:
    """Return every claim ever made on a work, with its state, in the order of the log."""
    query = (
        select(CLAIMS, LOG.c.document, WORKS.c.methods)
        .join(LOG, LOG.c.position == CLAIMS.c.log_index)
        .join(WORKS, WORKS.c.number == CLAIMS.c.work)
        .where(CLAIMS.c.work == number)
        .order_by(CLAIMS.c.log_index)
    )
    return [(_standing(row), row.state) for row in connection.execute(query)]


def claim_row(connection: Connection, claim_id: str) -> Row[Any]:
    """Return the row of the claim whose id begins with ``claim_id``. Raises InputError."""
    asked = claim_id.lower()
    if len(asked) < _ID_DIGITS_MIN or not set(asked) <= set("0123456789abcdef"):
        raise InputError(
            f"expected {_ID_DIGITS_MIN} hex digits of a claim's id or more, got {claim_id[:80]!r}",
            hint="`tercet registry show NUMBER` shows the claims of a work",
        )
    rows = connection.execute(select(CLAIMS).where(CLAIMS.c.claim_id.startswith(asked))).all()
    if len(rows) != 1:
        raise InputError(f"{len(rows) or 'no'} claims begin with {claim_id}")
    return rows[0]


# ---- disputes -------------------------------------------------------------------------------


def dispute_values(dispute: Dispute) -> dict[str, Any]:
    """Return a dispute as the values of its row."""
    fields = {name: getattr(dispute, name) for name in Dispute.__slots__}
    fields |= {"kind": str(dispute.kind), "state": str(dispute.state)}
    return {
        "dispute_id": dispute.dispute_id,
        "state": str(dispute.state),
        "deadline": dispute.deadline,
        "document": _text(fields),
    }


def dispute_of(text: str) -> Dispute:
    """Return the dispute of a row's document."""
    fields = json.loads(text)
    fields["kind"] = DisputeKind(fields["kind"])
    fields["state"] = DisputeState(fields["state"])
    for name in ("earlier", "later"):
        fields[name] = tuple(fields[name])
    fields["shares"] = tuple((claim, share) for claim, share in fields["shares"])
    return Dispute(**fields)


def disputes_where(connection: Connection, *, unsettled: bool = False) -> list[Dispute]:
    """Return all disputes, or only those that are not settled."""
    query = select(DISPUTES.c.document).order_by(DISPUTES.c.dispute_id)
    if unsettled:
        query = query.where(DISPUTES.c.state.in_([str(state) for state in UNSETTLED]))
    return [dispute_of(text) for text in connection.execute(query).scalars()]


def disputes_of_claims(connection: Connection, claim_ids: Iterable[str]) -> list[Dispute]:
    """Return the unsettled disputes that any of these claims is part of."""
    found: dict[str, Dispute] = {}
    for asked in _chunks(sorted(set(claim_ids))):
        query = (
            select(DISPUTES.c.document)
            .join(SIDES, SIDES.c.dispute_id == DISPUTES.c.dispute_id)
            .where(SIDES.c.claim_id.in_(asked))
            .where(DISPUTES.c.state.in_([str(state) for state in UNSETTLED]))
        )
        for text in connection.execute(query).scalars():
            dispute = dispute_of(text)
            found[dispute.dispute_id] = dispute
    return [found[name] for name in sorted(found)]


def disputed_works(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Return those of ``numbers`` of which a live claim is in an unsettled dispute."""
    found: set[int] = set()
    for asked in _chunks(sorted(set(numbers))):
        query = (
            select(CLAIMS.c.work)
            .join(SIDES, SIDES.c.claim_id == CLAIMS.c.claim_id)
            .join(DISPUTES, DISPUTES.c.dispute_id == SIDES.c.dispute_id)
            .where(CLAIMS.c.work.in_(asked), CLAIMS.c.state == LIVE)
            .where(DISPUTES.c.state.in_([str(state) for state in UNSETTLED]))
        )
        found.update(connection.execute(query.distinct()).scalars())
    return found


def dispute_named(connection: Connection, dispute_id: str) -> Dispute:
    """Return the dispute whose id begins with ``dispute_id``. Raises InputError."""
    asked = dispute_id.lower()
    if len(asked) < _ID_DIGITS_MIN or not set(asked) <= set("0123456789abcdef"):
        raise InputError(
            f"expected {_ID_DIGITS_MIN} hex digits of a dispute's id or more, "
            f"got {dispute_id[:80]!r}",
            hint="`tercet registry dispute list` shows them",
        )
    query = select(DISPUTES.c.document).where(DISPUTES.c.dispute_id.startswith(asked))
    found = connection.execute(query).scalars().all()
    if len(found) != 1:
        raise InputError(f"{len(found) or 'no'} disputes begin with {dispute_id}")
    return dispute_of(found[0])


def is_challenged(
    connection: Connection, claims: Sequence[StandingClaim], challenger_key: str
) -> bool:
    """Say whether this key has brought a dispute about any of these claims, settled or not."""
    ids = {claim.claim_id for claim in claims}
    query = (
        select(DISPUTES.c.document)
        .join(SIDES, SIDES.c.dispute_id == DISPUTES.c.dispute_id)
        .where(SIDES.c.claim_id.in_(ids))
    )
    disputes = map(dispute_of, connection.execute(query).scalars())
    return any(
        challenger_key == dispute.challenger_key
        or (dispute.state in UNSETTLED and challenger_key == dispute.respondent_key)
        for dispute in disputes
    )


def fallen_works(connection: Connection, disputes: Iterable[Dispute]) -> set[int]:
    """Return the works of claims that disputes set aside, on which no claim stands any more."""
    ids = [claim_id for dispute in disputes for claim_id in dispute.set_aside]
    works: set[int] = set()
    for asked in _chunks(ids):
        query = select(CLAIMS.c.work).where(CLAIMS.c.claim_id.in_(asked))
        works.update(connection.execute(query).scalars())
    return works - live_numbers(connection, works)
