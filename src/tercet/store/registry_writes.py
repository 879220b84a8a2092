"""What changes a registry: each function is called inside one write transaction.

Whatever is written to a table is also a signed document in the log, so that the tables can be made
again from the log, and checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from tercet.consent.fingerprints.fingerprint import Fingerprint
from tercet.consent.registry.claim import (
    Check,
    Claim,
    EvidenceKind,
    claim_document,
    withdrawal_document,
)
from tercet.consent.registry.conflicts import Decision, StandingClaim, Step, decide
from tercet.consent.registry.dispute import (
    DAYS_TO_ANSWER,
    EVENT_TYPE,
    Act,
    Dispute,
    DisputeKind,
    DisputeState,
    Role,
    after,
    later_by,
)
from tercet.consent.registry.documents import Signer, document_id, public_text, signed
from tercet.consent.registry.replay import CHECK_TYPE, REJECTION_TYPE
from tercet.consent.registry.work_record import WorkRecord, work_document
from tercet.store import registry_log
from tercet.store.registry_rows import (
    AMENDED,
    SET_ASIDE,
    WITHDRAWN,
    dispute_values,
    disputes_of_claims,
    disputes_where,
    standing_claims,
    was_set_aside,
    work_values,
)
from tercet.store.registry_schema import (
    CLAIMS,
    DISPUTES,
    EVIDENCE,
    NUMBERS,
    REJECTIONS,
    SIDES,
    WORKS,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A work to register, with the claims on it: not yet numbered, not yet signed.

    ``near_copies`` are numbers of other works of which this one is a copy, though not the same
    bytes.
    """

    work: WorkRecord
    claims: tuple[Claim, ...]
    fingerprints: tuple[Fingerprint, ...] = ()
    preview: bytes = b""
    near_copies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a registration; ``number`` is 0 when there is no work of this owner's."""

    step: Step
    number: int = 0
    claim_ids: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and when: RFC 3339 in UTC."""

    key: Signer
    at: str

    @property
    def public_key(self) -> str:
        """The public key as it stands in documents."""
        return public_text(self.key)

    def sign(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document, signed."""
        return signed(document, self.key)


def reserve(connection: Connection, count: int) -> int:
    """Take ``count`` work numbers that nobody else gets; return the first."""
    first: int = connection.execute(
        select(NUMBERS.c.next).where(NUMBERS.c.name == "works")
    ).scalar_one()
    connection.execute(NUMBERS.update().where(NUMBERS.c.name == "works").values(next=first + count))
    return first


def decide_on(
    connection: Connection, registration: Registration, signing: Signing, *, amend: bool
) -> Decision:
    """Return what registering comes to as the registry now stands."""
    sha256 = registration.work.sha256
    return decide(
        registration.claims,
        signing.public_key,
        standing_claims(connection, sha256=sha256),
        fingerprinted=bool(registration.work.methods),
        amend=amend,
        set_aside_before=was_set_aside(connection, sha256, signing.public_key),
    )


def add(
    connection: Connection,
    registration: Registration,
    signing: Signing,
    *,
    number: int,
    amend: bool,
    may_dispute: bool,
) -> Registered | None:
    """Register one work under ``number``, or say why it is not registered.

    None: the work needs a number and a place for its fingerprints, and ``number`` is 0.
    """
    decision = decide_on(connection, registration, signing, amend=amend)
    near = _near_claims(connection, registration, signing)
    others = tuple(sorted({claim.work for claim in (*decision.others, *near)}))
    if decision.step in (Step.UNCHANGED, Step.DIFFERS, Step.SETTLED):
        mine = decision.mine[0].work if decision.mine else 0
        return Registered(decision.step, mine, others=others)
    conflicts = decision.step is Step.CONFLICT
    if (conflicts or near) and not may_dispute:
        return Registered(Step.CONFLICT, others=others)
    if disputes_of_claims(connection, (claim.claim_id for claim in decision.mine)):
        return Registered(Step.DIFFERS, decision.mine[0].work, others=others)
    place = home_of(decision, fingerprinted=bool(registration.work.methods))
    if not place and not number:
        return None
    work = replace(registration.work, number=place or number)
    if not place:
        _insert_work(connection, work, signing)
    claim_ids = _insert_claims(connection, work.number, registration.claims, decision.mine, signing)
    disputes = _open_disputes(connection, decision.others if conflicts else (), claim_ids,
                              DisputeKind.EXACT_COPY, signing)  # fmt: skip
    disputes += _open_disputes(connection, near, claim_ids, DisputeKind.NEAR_COPY, signing)
    step = Step.AMEND if decision.mine else decision.step
    return Registered(step, work.number, claim_ids, disputes, others)


def home_of(decision: Decision, *, fingerprinted: bool) -> int:
    """Return the number of the work that new claims go to, 0 when they need a new one."""
    for claim in (*decision.mine, *decision.others):
        if claim.fingerprinted or not fingerprinted:
            return claim.work
    return 0


def _near_claims(
    connection: Connection, registration: Registration, signing: Signing
) -> tuple[StandingClaim, ...]:
    found: list[StandingClaim] = []
    for number in registration.near_copies:
        claims = standing_claims(connection, work=number)
        if any(claim.public_key == signing.public_key for claim in claims):
            continue  # the owner's own earlier version, or a work they hold a share of
        found += [c for c in claims if c.claim.subject.sha256 != registration.work.sha256]
    return tuple(found)


def _insert_work(connection: Connection, work: WorkRecord, signing: Signing) -> None:
    connection.execute(WORKS.insert(), work_values(work))
    registry_log.append(connection, signing.sign(work_document(work)))


def _insert_claims(
    connection: Connection,
    number: int,
    claims: Sequence[Claim],
    replaced: Sequence[StandingClaim],
    signing: Signing,
) -> tuple[str, ...]:
    """Write claims; those of the same owner that they replace no longer stand."""
    before = {claim.claim.owner.name: claim.claim_id for claim in replaced}
    ids = tuple(
        _insert_claim(
            connection,
            number,
            replace(claim, previous=before.pop(claim.owner.name, "")),
            signing,
        )
        for claim in claims
    )
    for claim_id in before.values():
        withdraw(connection, claim_id, "no longer named when the work was registered again",
                 signing)  # fmt: skip
    return ids


def _insert_claim(connection: Connection, number: int, claim: Claim, signing: Signing) -> str:
    document = signing.sign(claim_document(claim) | {"number": number})
    claim_id = document_id(document)
    connection.execute(
        CLAIMS.insert(),
        {
            "claim_id": claim_id,
            "work": number,
            "sha256": claim.subject.sha256,
            "public_key": signing.public_key,
            "owner": claim.owner.name,
            "share_basis_points": claim.share_basis_points,
            "state": "live",
            "previous": claim.previous,
            "log_index": registry_log.append(connection, document),
        },
    )
    for each in dict.fromkeys(claim.evidence):
        connection.execute(
            EVIDENCE.insert().values(
                claim_id=claim_id,
                kind=str(each.kind),
                value=each.value,
                covers_all=int(each.covers_all),
                checked=str(Check.UNCHECKED),
                checked_at="",
            )
        )
    if claim.previous:
        set_state(connection, [claim.previous], AMENDED)
    return claim_id


def set_state(connection: Connection, claim_ids: Sequence[str], state: str) -> None:
    """Set the state of claims that stood."""
    for claim_id in claim_ids:
        connection.execute(
            CLAIMS.update()
            .where(CLAIMS.c.claim_id == claim_id, CLAIMS.c.state == "live")
            .values(state=state)
        )


def withdraw(connection: Connection, claim_id: str, reason: str, signing: Signing) -> None:
    """Take a claim back; a dispute in which a side has no claim left is given up by that side."""
    document = signing.sign(withdrawal_document(claim_id, signing.at, reason))
    registry_log.append(connection, document)
    set_state(connection, [claim_id], WITHDRAWN)
    for dispute in disputes_of_claims(connection, [claim_id]):
        side = dispute.earlier if claim_id in dispute.earlier else dispute.later
        if not _any_live(connection, side):
            gives_in = claim_id in dispute.challenged
            act, role = (Act.UPHOLD, Role.RESPONDENT) if gives_in else (Act.REJECT, Role.CHALLENGER)
            act_in(connection, dispute, act, role, "the claims were withdrawn", signing)


def _any_live(connection: Connection, claim_ids: Sequence[str]) -> bool:
    query = select(CLAIMS.c.claim_id).where(
        CLAIMS.c.claim_id.in_(claim_ids), CLAIMS.c.state == "live"
    )
    return connection.execute(query.limit(1)).first() is not None


# ---- disputes -------------------------------------------------------------------------------


def _open_disputes(
    connection: Connection,
    others: Sequence[StandingClaim],
    claim_ids: tuple[str, ...],
    kind: DisputeKind,
    signing: Signing,
) -> tuple[str, ...]:
    by_key: dict[str, list[str]] = {}
    for claim in others:
        by_key.setdefault(claim.public_key, []).append(claim.claim_id)
    return tuple(
        open_dispute(
            connection,
            new_dispute(kind, earlier, claim_ids, respondent_key=key, signing=signing),
            "",
            signing,
        )
        for key, earlier in by_key.items()
    )


def new_dispute(
    kind: DisputeKind,
    earlier: Sequence[str],
    later: Sequence[str],
    *,
    respondent_key: str,
    signing: Signing,
    challenger_is_later: bool = True,
) -> Dispute:
    """Return a dispute that the signer brings now; it has no id before it is written."""
    return Dispute(
        dispute_id="",
        kind=kind,
        state=DisputeState.OPEN,
        opened_at=signing.at,
        deadline=later_by(signing.at, DAYS_TO_ANSWER),
        earlier=tuple(earlier),
        later=tuple(later),
        challenger_key=signing.public_key,
        respondent_key=respondent_key,
        challenger_is_later=challenger_is_later,
    )


def open_dispute(connection: Connection, dispute: Dispute, text: str, signing: Signing) -> str:
    """Write a new dispute; return its id, that of the document which opens it."""
    document = signing.sign(
        {
            "type": EVENT_TYPE,
            "act": "open",
            "dispute": "",
            "kind": str(dispute.kind),
            "at": dispute.opened_at,
            "deadline": dispute.deadline,
            "earlier": list(dispute.earlier),
            "later": list(dispute.later),
            "challenger_key": dispute.challenger_key,
            "respondent_key": dispute.respondent_key,
            "challenger_is_later": dispute.challenger_is_later,
            "text": text,
        }
    )
    named = replace(dispute, dispute_id=document_id(document))
    registry_log.append(connection, document)
    connection.execute(DISPUTES.insert(), dispute_values(named))
    for claim_id in sorted({*named.earlier, *named.later}):
        connection.execute(SIDES.insert().values(dispute_id=named.dispute_id, claim_id=claim_id))
    return named.dispute_id


def act_in(
    connection: Connection,
    dispute: Dispute,
    act: Act,
    role: Role,
    text: str,
    signing: Signing,
    shares: tuple[tuple[str, int], ...] = (),
) -> Dispute:
    """Act in a dispute and let what follows from it take effect. Raises RefusedError."""
    changed = after(dispute, act, role, signing.at, shares)
    registry_log.append(
        connection,
        signing.sign(
            {
                "type": EVENT_TYPE,
                "act": str(act),
                "dispute": dispute.dispute_id,
                "role": str(role),
                "at": signing.at,
                "deadline": changed.deadline,
                "shares": [list(share) for share in changed.shares],
                "text": text,
            }
        ),
    )
    values = dispute_values(changed)
    connection.execute(
        DISPUTES.update().where(DISPUTES.c.dispute_id == dispute.dispute_id).values(**values)
    )
    set_state(connection, changed.set_aside, SET_ASIDE)
    for claim_id, share in changed.shares:
        connection.execute(
            CLAIMS.update().where(CLAIMS.c.claim_id == claim_id).values(share_basis_points=share)
        )
    return changed


def due(connection: Connection, at: str) -> list[Dispute]:
    """Return the disputes whose deadline has passed."""
    return [each for each in disputes_where(connection, unsettled=True) if each.deadline <= at]


def expire_due(connection: Connection, signing: Signing) -> list[Dispute]:
    """Let every dispute expire whose deadline has passed."""
    return [
        act_in(connection, dispute, Act.EXPIRE, Role.KEEPER, "the deadline passed", signing)
        for dispute in due(connection, signing.at)
    ]


# ---- what people and checks found -----------------------------------------------------------


def reject(
    connection: Connection, item_sha256: str, number: int, who: str, signing: Signing
) -> bool:
    """Write that a person looked and found no match; False when it was known already."""
    known = select(REJECTIONS.c.work).where(
        REJECTIONS.c.item_sha256 == item_sha256, REJECTIONS.c.work == number
    )
    if connection.execute(known).first() is not None:
        return False
    document = {
        "type": REJECTION_TYPE,
        "item_sha256": item_sha256,
        "work": number,
        "who": who,
        "at": signing.at,
    }
    connection.execute(
        REJECTIONS.insert(),
        {
            "item_sha256": item_sha256,
            "work": number,
            "who": who,
            "at": signing.at,
            "log_index": registry_log.append(connection, signing.sign(document)),
        },
    )
    return True


def record_check(
    connection: Connection, claim_id: str, domain: str, found: Check, note: str, signing: Signing
) -> None:
    """Write what a check of a claim's domain evidence found."""
    document = {
        "type": CHECK_TYPE,
        "claim": claim_id,
        "kind": str(EvidenceKind.DOMAIN),
        "value": domain,
        "found": str(found),
        "note": note,
        "at": signing.at,
    }
    registry_log.append(connection, signing.sign(document))
    connection.execute(
        EVIDENCE.update()
        .where(
            EVIDENCE.c.claim_id == claim_id,
            EVIDENCE.c.kind == str(EvidenceKind.DOMAIN),
            EVIDENCE.c.value == domain,
        )
        .values(checked=str(found), checked_at=signing.at)
    )
