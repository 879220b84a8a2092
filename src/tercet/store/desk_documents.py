"""What a desk keeps beside its negotiations: parties, offers, agreements and their ends.

Each function is called inside one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.exchange_content import agreement_under_way
from tercet.consent.licences.messages import CARRIES_AGREEMENT, CARRIES_OFFER, Message
from tercet.consent.licences.negotiation import State
from tercet.consent.licences.negotiation_side import Happening, Negotiation
from tercet.consent.licences.offer import offer_of
from tercet.consent.licences.party import party_of
from tercet.consent.licences.party_history import PartyHistory, PartyVersion
from tercet.consent.licences.signing import Document, document_sha256, signatures_of
from tercet.consent.licences.standing import offered_terms
from tercet.core.canonical import canonical_json
from tercet.core.errors import ConflictError, IntegrityError, RefusedError
from tercet.core.strict_json import read_canonical_object
from tercet.store.desk_schema import (
    AGREEMENT_SIGNATURES,
    AGREEMENTS,
    AGREEMENTS_FINAL,
    NEGOTIATIONS,
    OFFERS,
    OFFERS_WITHDRAWN,
    PARTY_VERSIONS,
    RESERVES,
    TERMINATIONS,
)

TERMINATIONS_MAX = 100  # of one agreement by the same signers; proposals cost nothing


class AgreementKnownError(ConflictError):
    """An agreement with the id of another one."""

    code = "agreement-id-taken"


class TerminationsError(RefusedError):
    """One more termination of an agreement than is kept of who signed it."""

    code = "too-many-terminations"


class NotFinalError(ConflictError):
    """An agreement that was negotiated here, and not to its end."""

    code = "agreement-not-final"


@dataclass(frozen=True, slots=True)
class KeptAgreement:
    """An agreement as a desk has it: the document with every signature that it has seen.

    ``seen_at`` is when the last of the signatures came; ``signed_at`` says it for each party.
    ``final_at`` is when the negotiation was finalized, empty before: then it grants nothing.
    ``superseded_by`` is a later final agreement that takes its place, empty for none.
    """

    id: str
    sha256: str
    document: dict[str, Any]
    pid: str
    assigner: str
    assignee: str
    repertoire: str
    supersedes: str
    seen_at: str
    signed_at: dict[str, str]
    final_at: str
    superseded_by: str


@dataclass(frozen=True, slots=True)
class KeptOffer:
    """An offer as a desk has it. ``pid`` is the negotiation it was made in, empty for none."""

    id: str
    maker: str
    licensor: str
    licensee: str
    repertoire: str
    valid_until: str
    pid: str
    document: dict[str, Any]
    seen_at: str
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class KeptTermination:
    """A termination as a desk has it."""

    document: dict[str, Any]
    signers: tuple[str, ...]
    seen_at: str


def party_histories(connection: Connection, party: str = "") -> dict[str, PartyHistory]:
    """Return what is known of all parties, or of one, by id."""
    query = select(PARTY_VERSIONS).order_by(PARTY_VERSIONS.c.party, PARTY_VERSIONS.c.version)
    if party:
        query = query.where(PARTY_VERSIONS.c.party == party)
    versions: dict[str, list[PartyVersion]] = {}
    for row in connection.execute(query):
        document = json.loads(row.document)  # ours: it was read strictly when it came in
        version = PartyVersion(party_of(document), document, row.received_at)
        versions.setdefault(row.party, []).append(version)
    return {each: PartyHistory(tuple(those)) for each, those in versions.items()}


def knows_party(connection: Connection, party: str) -> bool:
    """Say whether a party is known."""
    query = select(PARTY_VERSIONS.c.party).where(PARTY_VERSIONS.c.party == party)
    return connection.execute(query.limit(1)).scalar() is not None


def count_parties(connection: Connection) -> int:
    """Return how many parties are known."""
    query = select(func.count()).where(PARTY_VERSIONS.c.version == 1)
    return int(connection.execute(query).scalar_one())


def names_of_others(connection: Connection, party: str) -> dict[str, str]:
    """Return the names that all parties but one have now, by id."""
    latest = func.max(PARTY_VERSIONS.c.version)  # SQLite: the other columns are of that row
    query = select(PARTY_VERSIONS.c.party, PARTY_VERSIONS.c.name, latest).group_by(
        PARTY_VERSIONS.c.party
    )
    return {row.party: row.name for row in connection.execute(query) if row.party != party}


def add_party_versions(connection: Connection, before: int, history: PartyHistory) -> None:
    """Write the versions of a party behind the first ``before`` ones."""
    for version in history.versions[before:]:
        connection.execute(
            insert(PARTY_VERSIONS).values(
                party=version.party.id,
                version=version.party.version,
                name=version.party.name,
                sha256=version.sha256,
                document=canonical_json(version.document),
                received_at=version.received_at,
            )
        )


def add_offer(connection: Connection, document: Document, at: str, *, pid: str = "") -> None:
    """Keep an offer; the same one in the same place is kept once. Raises ConflictError."""
    offer = offer_of(document)
    terms = offered_terms(offer)
    known = select(OFFERS.c.sha256).where(OFFERS.c.offer_id == offer.id, OFFERS.c.pid == pid)
    kept = connection.execute(known).scalars().all()
    if offer.sha256 in kept:
        return
    if kept:
        raise ConflictError(f"another offer has the id {offer.id}", hint="make one with a new id")
    connection.execute(
        insert(OFFERS).values(
            offer_id=offer.id,
            sha256=offer.sha256,
            maker=next((each.party for each in signatures_of(document)), ""),
            licensor=terms.licensor.id,
            licensee="" if terms.licensee is None else terms.licensee.id,
            repertoire=terms.repertoire.sha256,
            made_at=offer.made_at,
            valid_until=offer.valid_until,
            pid=pid,
            document=canonical_json(document),
            seen_at=at,
        )
    )


def offers_in(
    connection: Connection, *, published: bool = True, licensor: str = "", offer_id: str = ""
) -> tuple[KeptOffer, ...]:
    """Return offers, the latest first: those published, or also those made in negotiations."""
    query = (
        select(OFFERS, OFFERS_WITHDRAWN.c.at.label("withdrawn_at"))
        .outerjoin(OFFERS_WITHDRAWN, OFFERS_WITHDRAWN.c.offer_id == OFFERS.c.offer_id)
        .order_by(OFFERS.c.number.desc())
    )
    if published:
        query = query.where(OFFERS.c.pid == "")
    if licensor:
        query = query.where(OFFERS.c.licensor == licensor)
    if offer_id:
        query = query.where(OFFERS.c.offer_id == offer_id)
    return tuple(_kept_offer(row) for row in connection.execute(query))


def withdraw_offer(connection: Connection, offer_id: str, at: str) -> None:
    """Note that a published offer is taken back; who has it may hold its maker to it until then."""
    known = select(OFFERS_WITHDRAWN.c.at).where(OFFERS_WITHDRAWN.c.offer_id == offer_id)
    if connection.execute(known).scalar() is None:
        connection.execute(insert(OFFERS_WITHDRAWN).values(offer_id=offer_id, at=at))


def set_reserve(connection: Connection, subject: str, price: bytes, at: str) -> None:
    """Keep what this party would still take for an offer or in a negotiation."""
    connection.execute(delete(RESERVES).where(RESERVES.c.subject == subject))
    connection.execute(insert(RESERVES).values(subject=subject, price=price, at=at))


def reserve_of(connection: Connection, subject: str) -> bytes:
    """Return a reserve as it was kept, empty for none."""
    query = select(RESERVES.c.price).where(RESERVES.c.subject == subject)
    return bytes(connection.execute(query).scalar() or b"")


def keep_documents(connection: Connection, before: Negotiation, after: Negotiation) -> None:
    """Keep the offers and the agreement of the messages that took effect."""
    for entry in after.entries[len(before.entries) :]:
        message = entry.message
        if entry.happening is Happening.APPLIED and message is not None and message.document:
            _keep_document(connection, after.pid, message, entry.at)
    if after.state is State.FINALIZED and before.state is not State.FINALIZED:
        document = read_canonical_object(agreement_under_way(after))
        add_final(connection, document["id"], after.entries[-1].at)


def add_agreement(connection: Connection, document: Document, at: str, *, pid: str = "") -> None:
    """Keep an agreement with its signatures, each with the time it was first seen.

    Raises AgreementKnownError where another one has its id.
    """
    agreement = agreement_of(document)
    sha256 = document_sha256(document)
    query = select(AGREEMENTS.c.sha256).where(AGREEMENTS.c.agreement_id == agreement.id)
    known = connection.execute(query).scalar()
    if known not in (None, sha256):
        raise AgreementKnownError(f"another agreement has the id {agreement.id}")
    if known is None:
        connection.execute(
            insert(AGREEMENTS).values(
                agreement_id=agreement.id,
                sha256=sha256,
                pid=pid,
                assigner=agreement.assigner,
                assignee=agreement.assignee,
                repertoire=agreement.terms.repertoire.sha256,
                supersedes=agreement.supersedes,
                document=canonical_json({**document, "signatures": []}),
                seen_at=at,
            )
        )
    _add_signatures(connection, agreement.id, document, at)


def check_may_be_taken(connection: Connection, agreement_id: str) -> None:
    """Make sure that an agreement was not negotiated here without being finalized."""
    found = agreements_in(connection, agreement_id=agreement_id, final=False)
    if found and found[0].pid and not found[0].final_at:
        raise NotFinalError(
            f"the negotiation of {agreement_id} was not finalized",
            hint="a provider may end it until then, though both have signed",
        )


def add_final(connection: Connection, agreement_id: str, at: str) -> None:
    """Note that an agreement stands."""
    query = select(AGREEMENTS_FINAL.c.at).where(AGREEMENTS_FINAL.c.agreement_id == agreement_id)
    if connection.execute(query).scalar() is None:
        connection.execute(insert(AGREEMENTS_FINAL).values(agreement_id=agreement_id, at=at))


def agreements_in(
    connection: Connection, *, agreement_id: str = "", final: bool = True
) -> tuple[KeptAgreement, ...]:
    """Return agreements in the order they came: those that were finalized, or all."""
    query = select(AGREEMENTS, AGREEMENTS_FINAL.c.at.label("final_at")).outerjoin(
        AGREEMENTS_FINAL, AGREEMENTS_FINAL.c.agreement_id == AGREEMENTS.c.agreement_id
    )
    if agreement_id:
        query = query.where(AGREEMENTS.c.agreement_id == agreement_id)
    if final:
        query = query.where(AGREEMENTS_FINAL.c.at.is_not(None))
    query = query.order_by(AGREEMENTS.c.seen_at, AGREEMENTS.c.agreement_id)
    signatures = _signatures(connection, agreement_id)
    later = _superseding(connection)
    return tuple(
        _kept_agreement(row, signatures.get(row.agreement_id, []), later)
        for row in connection.execute(query)
    )


def is_superseding(connection: Connection, agreement_id: str, except_pid: str) -> bool:
    """Say whether an agreement has been, or is just being, superseded by another negotiation."""
    ends = (NEGOTIATIONS.c.state == "FINALIZED") | (NEGOTIATIONS.c.pending_step == "finalize")
    query = select(NEGOTIATIONS.c.pid).where(
        NEGOTIATIONS.c.supersedes == agreement_id, NEGOTIATIONS.c.pid != except_pid, ends
    )
    taken_in = agreement_id in _superseding(connection)
    return taken_in or connection.execute(query.limit(1)).scalar() is not None


def add_termination(connection: Connection, document: Document, at: str) -> None:
    """Keep a termination as it is signed; with one more signature it is kept once more.

    Raises TerminationsError where these signers left too many before.
    """
    signers = " ".join(sorted({each.party for each in signatures_of(document)}))
    sha256 = document_sha256(document)
    query = select(TERMINATIONS.c.sha256).where(
        TERMINATIONS.c.agreement_id == document["agreement"], TERMINATIONS.c.signers == signers
    )
    known = connection.execute(query).scalars().all()
    if sha256 not in known:
        if len(known) >= TERMINATIONS_MAX:
            raise TerminationsError(
                f"expected at most {TERMINATIONS_MAX} terminations by the same, got one more",
                hint="sign one of those that are here",
            )
        connection.execute(
            insert(TERMINATIONS).values(
                agreement_id=document["agreement"],
                sha256=sha256,
                signers=signers,
                document=canonical_json(document),
                seen_at=at,
            )
        )


def terminations_of(connection: Connection, agreement_id: str) -> tuple[KeptTermination, ...]:
    """Return the terminations of an agreement in the order they came, effective or not."""
    query = select(TERMINATIONS).where(TERMINATIONS.c.agreement_id == agreement_id)
    return tuple(
        KeptTermination(
            read_canonical_object(row.document), tuple(row.signers.split()), row.seen_at
        )
        for row in connection.execute(query.order_by(TERMINATIONS.c.number))
    )


def _keep_document(connection: Connection, pid: str, message: Message, at: str) -> None:
    document = read_canonical_object(message.document)
    if message.step in CARRIES_OFFER:
        add_offer(connection, document, at, pid=pid)
    elif message.step in CARRIES_AGREEMENT:
        add_agreement(connection, document, at, pid=pid)


def _add_signatures(connection: Connection, agreement_id: str, document: Document, at: str) -> None:
    query = select(AGREEMENT_SIGNATURES.c.key_id, AGREEMENT_SIGNATURES.c.jws).where(
        AGREEMENT_SIGNATURES.c.agreement_id == agreement_id
    )
    known = {row.key_id: row.jws for row in connection.execute(query)}
    for each in signatures_of(document):
        if known.get(each.key_id, each.jws) != each.jws:
            raise IntegrityError(f"another signature by the key {each.key_id} is known")
        if each.key_id not in known:
            connection.execute(
                insert(AGREEMENT_SIGNATURES).values(
                    agreement_id=agreement_id,
                    party=each.party,
                    key_id=each.key_id,
                    jws=each.jws,
                    seen_at=at,
                )
            )


def _signatures(connection: Connection, agreement_id: str) -> dict[str, list[Row[Any]]]:
    query = select(AGREEMENT_SIGNATURES).order_by(AGREEMENT_SIGNATURES.c.number)
    if agreement_id:
        query = query.where(AGREEMENT_SIGNATURES.c.agreement_id == agreement_id)
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.agreement_id, []).append(row)
    return found


def _superseding(connection: Connection) -> dict[str, str]:
    """Which final agreement of the same two took the place of which, the first to do so."""
    old = AGREEMENTS.alias("old")
    same = (old.c.agreement_id == AGREEMENTS.c.supersedes) & (
        (old.c.assigner == AGREEMENTS.c.assigner) & (old.c.assignee == AGREEMENTS.c.assignee)
    )
    query = (
        select(AGREEMENTS.c.supersedes, AGREEMENTS.c.agreement_id)
        .join(AGREEMENTS_FINAL, AGREEMENTS_FINAL.c.agreement_id == AGREEMENTS.c.agreement_id)
        .join(old, same)
        .order_by(AGREEMENTS_FINAL.c.at.desc(), AGREEMENTS.c.agreement_id.desc())
    )
    return {row.supersedes: row.agreement_id for row in connection.execute(query)}


def _kept_agreement(
    row: Row[Any], signatures: Iterable[Row[Any]], later: dict[str, str]
) -> KeptAgreement:
    first: dict[str, Row[Any]] = {}  # who signs again, by another key, adds nothing
    for each in signatures:
        first.setdefault(each.party, each)
    signed = list(first.values())
    carried = [{"party": s.party, "key_id": s.key_id, "jws": s.jws} for s in signed]
    return KeptAgreement(
        id=row.agreement_id,
        sha256=row.sha256,
        document=json.loads(row.document) | {"signatures": carried},
        pid=row.pid,
        assigner=row.assigner,
        assignee=row.assignee,
        repertoire=row.repertoire,
        supersedes=row.supersedes,
        seen_at=max([row.seen_at, *(each.seen_at for each in signed)]),
        signed_at={each.party: each.seen_at for each in signed},
        final_at=row.final_at or "",
        superseded_by=later.get(row.agreement_id, ""),
    )


def _kept_offer(row: Row[Any]) -> KeptOffer:
    return KeptOffer(
        id=row.offer_id,
        maker=row.maker,
        licensor=row.licensor,
        licensee=row.licensee,
        repertoire=row.repertoire,
        valid_until=row.valid_until,
        pid=row.pid,
        document=json.loads(row.document),
        seen_at=row.seen_at,
        is_withdrawn=row.withdrawn_at is not None,
    )
