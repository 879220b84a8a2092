"""What a desk holds of mandates: those given to it or by it, snapshots, and notices to members.

Every method is one transaction. Documents are checked before they are kept: signed by who must, by
a key that counts, under a name that is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from tercet.consent.licences.collective import Snapshot, check_parts, snapshot_of
from tercet.consent.licences.mandate import (
    HeldMandate,
    Mandate,
    mandate_of,
    revocation_of,
)
from tercet.consent.licences.notice import Notice, notice_of
from tercet.consent.licences.repertoire import Repertoire, read_repertoire
from tercet.consent.licences.signing import Document, document_sha256
from tercet.consent.licences.standing import Standing, StandingError, check_signers
from tercet.core.canonical import canonical_json
from tercet.core.errors import ConflictError, MissingError
from tercet.core.strict_json import read_canonical_object
from tercet.core.terms import PartyName
from tercet.store.desk import Desk
from tercet.store.desk_mandates_schema import MANDATES, NOTICES, REVOCATIONS, SNAPSHOTS


class MandateTakenError(ConflictError):
    """Another document has this id."""

    code = "mandate-id-taken"


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice with its signed document, and when it was handed over ("": not yet)."""

    notice: Notice
    document: dict[str, Any]
    delivered_at: str


class Mandates:
    """The mandates of one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._database = desk.database

    # ---- mandates ------------------------------------------------------------------------------

    def take(self, document: Document, at: str) -> HeldMandate:
        """Keep a mandate. Raises DocumentError, StandingError, MandateTakenError."""
        mandate = mandate_of(document)
        self._check_signed(document, mandate.member, mandate.made_at, at, "mandate")
        with self._database.writing() as connection:
            known = _mandate_row(connection, mandate.id)
            if known is not None and known.sha256 != document_sha256(document):
                raise MandateTakenError(f"another mandate has the id {mandate.id}")
            if known is None:
                connection.execute(
                    insert(MANDATES).values(
                        mandate_id=mandate.id,
                        sha256=document_sha256(document),
                        member=mandate.member.id,
                        collective=mandate.collective.id,
                        document=canonical_json(dict(document)),
                        received_at=at,
                    )
                )
        return self.held(mandate.id)

    def revoke(self, document: Document, at: str) -> HeldMandate:
        """Keep a revocation; of a second one of the same mandate the first counts.

        Raises DocumentError, StandingError, MissingError for the mandate, ConflictError where it
        is not of who gave it.
        """
        revocation = revocation_of(document)
        held = self.held(revocation.mandate)
        if revocation.member.id != held.mandate.member.id:
            raise ConflictError(
                f"the mandate {held.mandate.id} was given by {held.mandate.member.id}: nobody else "
                "revokes it"
            )
        self._check_signed(document, revocation.member, revocation.made_at, at, "revocation")
        with self._database.writing() as connection:
            if not _revoked_at(connection, revocation.mandate):
                connection.execute(
                    insert(REVOCATIONS).values(
                        mandate_id=revocation.mandate,
                        document=canonical_json(dict(document)),
                        received_at=at,
                    )
                )
        return self.held(revocation.mandate)

    def held(self, mandate_id: str) -> HeldMandate:
        """Return one mandate with its revocation. Raises MissingError."""
        with self._database.reading() as connection:
            row = _mandate_row(connection, mandate_id)
            if row is None:
                raise MissingError(f"no mandate {mandate_id[:80]} here")
            return _held(row, _revoked_at(connection, mandate_id))

    def document(self, mandate_id: str) -> dict[str, Any]:
        """Return the signed document of a mandate. Raises MissingError."""
        with self._database.reading() as connection:
            row = _mandate_row(connection, mandate_id)
        if row is None:
            raise MissingError(f"no mandate {mandate_id[:80]} here")
        return read_canonical_object(row.document)

    def revocation_document(self, mandate_id: str) -> dict[str, Any] | None:
        """Return the signed document by which a mandate was revoked, None where it was not."""
        query = select(REVOCATIONS.c.document).where(REVOCATIONS.c.mandate_id == mandate_id)
        with self._database.reading() as connection:
            raw = connection.execute(query).scalar()
        return None if raw is None else read_canonical_object(raw)

    def all(self, *, collective: str = "", member: str = "") -> tuple[HeldMandate, ...]:
        """Return the mandates given to a collective, or by a member, in the order of their ids."""
        query = (
            select(MANDATES, REVOCATIONS.c.received_at.label("revoked_at"))
            .outerjoin(REVOCATIONS, REVOCATIONS.c.mandate_id == MANDATES.c.mandate_id)
            .order_by(MANDATES.c.mandate_id)
        )
        if collective:
            query = query.where(MANDATES.c.collective == collective)
        if member:
            query = query.where(MANDATES.c.member == member)
        with self._database.reading() as connection:
            return tuple(_held(row, row.revoked_at or "") for row in connection.execute(query))

    # ---- snapshots -----------------------------------------------------------------------------

    def take_snapshot(self, document: Document, at: str) -> Snapshot:
        """Keep a snapshot whose lists of works lie in the desk, and are what it says.

        Raises DocumentError, StandingError, MissingError for a list, ConflictError.
        """
        snapshot = snapshot_of(document)
        self._check_signed(document, snapshot.collective, snapshot.made_at, at, "snapshot")
        whole = self.works(snapshot.repertoire.sha256)
        check_parts(snapshot, whole, self.parts(snapshot))
        with self._database.writing() as connection:
            query = select(SNAPSHOTS.c.sha256).where(SNAPSHOTS.c.snapshot_id == snapshot.id)
            known = connection.execute(query).scalar()
            if known not in (None, document_sha256(document)):
                raise MandateTakenError(f"another snapshot has the id {snapshot.id}")
            if known is None:
                connection.execute(
                    insert(SNAPSHOTS).values(
                        snapshot_id=snapshot.id,
                        sha256=document_sha256(document),
                        collective=snapshot.collective.id,
                        repertoire=snapshot.repertoire.sha256,
                        document=canonical_json(dict(document)),
                        received_at=at,
                    )
                )
        return snapshot

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot. Raises MissingError."""
        return snapshot_of(self.snapshot_document(snapshot_id))

    def snapshot_document(self, snapshot_id: str) -> dict[str, Any]:
        """Return a snapshot's signed document. Raises MissingError."""
        query = select(SNAPSHOTS.c.document).where(SNAPSHOTS.c.snapshot_id == snapshot_id)
        with self._database.reading() as connection:
            raw = connection.execute(query).scalar()
        if raw is None:
            raise MissingError(f"no snapshot {snapshot_id[:80]} here")
        return read_canonical_object(raw, bytes_max=len(raw))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return all snapshots, the latest last."""
        query = select(SNAPSHOTS.c.document).order_by(SNAPSHOTS.c.received_at)
        with self._database.reading() as connection:
            found = connection.execute(query).scalars().all()
        return tuple(snapshot_of(read_canonical_object(raw, bytes_max=len(raw))) for raw in found)

    def works(self, sha256: str) -> Repertoire:
        """Return a list of works of the desk. Raises MissingError, IntegrityError."""
        return read_repertoire(self.desk.repertoires.read(sha256), sha256)

    def parts(self, snapshot: Snapshot) -> tuple[Repertoire, ...]:
        """Return the works of each part of a snapshot, in its order."""
        return tuple(self.works(part.repertoire.sha256) for part in snapshot.parts)

    # ---- notices -------------------------------------------------------------------------------

    def add_notices(self, documents: Iterable[Document]) -> int:
        """Keep signed notices that were not kept before; return how many are new."""
        added = 0
        with self._database.writing() as connection:
            for document in documents:
                notice = notice_of(document)
                same = select(NOTICES.c.notice_id).where(NOTICES.c.notice_id == notice.id)
                if connection.execute(same).scalar() is not None:
                    continue
                added += 1
                connection.execute(
                    insert(NOTICES).values(
                        notice_id=notice.id,
                        mandate_id=notice.mandate,
                        member=notice.member.id,
                        document=canonical_json(dict(document)),
                        made_at=notice.made_at,
                        delivered_at="",
                    )
                )
        return added

    def notices(self, *, waiting: bool = False, member: str = "") -> tuple[KeptNotice, ...]:
        """Return the notices: all, those not handed over yet, or those of one member."""
        query = select(NOTICES).order_by(NOTICES.c.made_at, NOTICES.c.notice_id)
        if waiting:
            query = query.where(NOTICES.c.delivered_at == "")
        if member:
            query = query.where(NOTICES.c.member == member)
        with self._database.reading() as connection:
            return tuple(_kept_notice(row) for row in connection.execute(query))

    def mark_delivered(self, notice_ids: Iterable[str], at: str) -> None:
        """Note that notices were handed over; the first time counts."""
        with self._database.writing() as connection:
            for notice_id in notice_ids:
                connection.execute(
                    NOTICES.update()
                    .where(NOTICES.c.notice_id == notice_id, NOTICES.c.delivered_at == "")
                    .values(delivered_at=at)
                )

    def _check_signed(
        self, document: Document, signer: PartyName, made_at: str, at: str, what: str
    ) -> None:
        try:
            parties = {signer.id: self.desk.party_history(signer.id)}
        except MissingError:
            parties = {}
        standing = check_signers(document, (signer.id,), parties, made_at, at)
        if standing is Standing.VALID and signer.name not in parties[signer.id].names:
            standing = Standing.OTHER_NAME
        if standing is not Standing.VALID:
            raise StandingError(standing, what)


def _mandate_row(connection: Connection, mandate_id: str) -> Row[Any] | None:
    return connection.execute(select(MANDATES).where(MANDATES.c.mandate_id == mandate_id)).first()


def _revoked_at(connection: Connection, mandate_id: str) -> str:
    query = select(REVOCATIONS.c.received_at).where(REVOCATIONS.c.mandate_id == mandate_id)
    return str(connection.execute(query).scalar() or "")


def _held(row: Row[Any], revoked_at: str) -> HeldMandate:
    mandate: Mandate = mandate_of(read_canonical_object(row.document))
    return HeldMandate(mandate, row.sha256, revoked_at[:10])


def _kept_notice(row: Row[Any]) -> KeptNotice:
    document = read_canonical_object(row.document)
    return KeptNotice(notice_of(document), document, row.delivered_at)
