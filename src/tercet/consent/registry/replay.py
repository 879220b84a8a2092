"""The state of a registry, worked out from its log alone: what the tables must hold.

Whoever has the log can do this without trusting the tables: every document is taken in its turn,
and what its signer was not entitled to say, or what could not follow, is a problem in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tercet.consent.registry.claim import (
    CLAIM_TYPE,
    WHOLE_BASIS_POINTS,
    WITHDRAWAL_TYPE,
    claim_of,
)
from tercet.consent.registry.dispute import (
    EVENT_TYPE,
    UNSETTLED,
    Act,
    Dispute,
    DisputeKind,
    DisputeState,
    Role,
    after,
    role_of,
)
from tercet.consent.registry.documents import document_id
from tercet.consent.registry.offer_record import (
    PUBLICATION_TYPE,
    RETRACTION_TYPE,
    OfferRecord,
    take_publication,
    take_retraction,
)
from tercet.consent.registry.work_record import WORK_TYPE
from tercet.core.errors import TercetError

REGISTRY_TYPE = "tercet/registry@1"
REJECTION_TYPE = "tercet/rejection@1"
CHECK_TYPE = "tercet/evidence-check@1"

Document = Mapping[str, Any]


@dataclass(slots=True)
class ReplayedClaim:
    """A claim as the log leaves it."""

    work: int
    sha256: str
    public_key: str
    owner: str
    share_basis_points: int
    state: str
    previous: str


@dataclass(slots=True)
class Replay:
    """The state so far; ``problems`` say what in the log does not hold, with its position."""

    keeper: str = ""
    works: dict[int, Document] = field(default_factory=dict)
    claims: dict[str, ReplayedClaim] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    checks: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    rejections: set[tuple[str, int]] = field(default_factory=set)
    offers: dict[str, OfferRecord] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, position: int, document: Document) -> None:
        """Take the next document of the log, whose signature was checked."""
        step = _STEPS.get(str(document.get("type")))
        try:
            if step is None:
                raise ValueError(f"unknown type {document.get('type')!r}")
            step(self, document)
        except (KeyError, TypeError, ValueError, AttributeError, TercetError) as error:
            self.problems.append(f"log entry {position}: {error}")

    def share_problems(self) -> Iterable[str]:
        """Yield what is claimed above the whole and not in dispute."""
        disputed = {
            claim
            for dispute in self.disputes.values()
            if dispute.state in UNSETTLED
            for claim in (*dispute.earlier, *dispute.later)
        }
        totals: dict[str, int] = {}
        held: set[str] = set()
        for claim_id, claim in self.claims.items():
            if claim.state == "live":
                totals[claim.sha256] = totals.get(claim.sha256, 0) + claim.share_basis_points
                if claim_id in disputed:
                    held.add(claim.sha256)
        for sha256, total in totals.items():
            if total > WHOLE_BASIS_POINTS and sha256 not in held:
                yield f"{total} basis points are claimed of {sha256}, and no dispute is open"


def _registry(state: Replay, document: Document) -> None:
    if state.keeper:
        raise ValueError("the registry is made a second time")
    state.keeper = document["public_key"]


def _work(state: Replay, document: Document) -> None:
    number = document["number"]
    if number in state.works:
        raise ValueError(f"work {number} is registered twice")
    state.works[number] = document


def _claim(state: Replay, document: Document) -> None:
    claim = claim_of(document)
    claim_id, number = document_id(document), document["number"]
    work = state.works[number]
    if work["sha256"] != claim.subject.sha256:
        raise ValueError(f"the claim is on other bytes than work {number}")
    if claim.previous:
        before = _own_claim(state, claim.previous, document["public_key"])
        before.state = "amended"
    state.claims[claim_id] = ReplayedClaim(
        number, claim.subject.sha256, document["public_key"], claim.owner.name,
        claim.share_basis_points, "live", claim.previous,
    )  # fmt: skip
    for each in claim.evidence:
        state.checks[claim_id, str(each.kind), each.value] = ("unchecked", "")


def _own_claim(state: Replay, claim_id: str, public_key: str) -> ReplayedClaim:
    claim = state.claims.get(claim_id)
    if claim is None:
        raise ValueError(f"there is no claim {claim_id}")
    if claim.public_key != public_key:
        raise ValueError(f"claim {claim_id} is another key's")
    if claim.state != "live":
        raise ValueError(f"claim {claim_id} is {claim.state}")
    return claim


def _withdrawal(state: Replay, document: Document) -> None:
    _own_claim(state, document["claim"], document["public_key"]).state = "withdrawn"


def _dispute(state: Replay, document: Document) -> None:
    if document["act"] == "open":
        _open(state, document)
        return
    dispute = state.disputes[document["dispute"]]
    act, role = Act(document["act"]), Role(document["role"])
    if act is not Act.EXPIRE:
        actual = role_of(dispute, document["public_key"], state.keeper)
        if actual is not role:
            raise ValueError(f"the {actual} acts as the {role}")
    shares = tuple((claim, share) for claim, share in document["shares"])
    changed = after(dispute, act, role, document["at"], shares)
    if changed.deadline != document["deadline"]:
        raise ValueError(f"expected the deadline {changed.deadline!r}")
    state.disputes[dispute.dispute_id] = changed
    for claim_id in changed.set_aside:
        claim = state.claims[claim_id]
        claim.state = "set_aside" if claim.state == "live" else claim.state
    for claim_id, share in changed.shares:
        state.claims[claim_id].share_basis_points = share


def _open(state: Replay, document: Document) -> None:
    if document["challenger_key"] != document["public_key"]:
        raise ValueError("a dispute is opened in somebody else's name")
    sides = (*document["earlier"], *document["later"])
    keys = {document["challenger_key"], document["respondent_key"]}
    if not all(state.claims[claim].public_key in keys for claim in sides):
        raise ValueError("a dispute names claims of neither party")
    dispute = Dispute(
        dispute_id=document_id(document),
        kind=DisputeKind(document["kind"]),
        state=DisputeState.OPEN,
        opened_at=document["at"],
        deadline=document["deadline"],
        earlier=tuple(document["earlier"]),
        later=tuple(document["later"]),
        challenger_key=document["challenger_key"],
        respondent_key=document["respondent_key"],
        challenger_is_later=document["challenger_is_later"],
    )
    state.disputes[dispute.dispute_id] = dispute


def _rejection(state: Replay, document: Document) -> None:
    if document["work"] not in state.works:
        raise ValueError(f"there is no work {document['work']}")
    state.rejections.add((document["item_sha256"], document["work"]))


def _check(state: Replay, document: Document) -> None:
    key = (document["claim"], document["kind"], document["value"])
    if key not in state.checks:
        raise ValueError("a check of evidence that no claim names")
    state.checks[key] = (document["found"], document["at"])


def _publication(state: Replay, document: Document) -> None:
    take_publication(state.offers, document)


def _retraction(state: Replay, document: Document) -> None:
    take_retraction(state.offers, state.keeper, document)


_STEPS: dict[str, Callable[[Replay, Document], None]] = {
    REGISTRY_TYPE: _registry,
    WORK_TYPE: _work,
    CLAIM_TYPE: _claim,
    WITHDRAWAL_TYPE: _withdrawal,
    EVENT_TYPE: _dispute,
    REJECTION_TYPE: _rejection,
    CHECK_TYPE: _check,
    PUBLICATION_TYPE: _publication,
    RETRACTION_TYPE: _retraction,
}
