"""Disputes: what happens when two claims on one work cannot both be true.

    open ──answer──▶ answered ──┐
      ├──────── uphold ─────────┼──▶ upheld    the challenged claims are set aside
      ├──────── reject ─────────┼──▶ rejected  the challenge fails
      ├──────── share ──────────┼──▶ shared    both stand, with shares that were agreed
      └──────── expire ─────────┴──▶ expired   nobody contested in time: the earlier claims stand

A party may only give in (the respondent upholds, the challenger rejects); the registry's keeper
may decide either way and record agreed shares. Until a dispute is settled the work is held.
The deadlines are data: each event says until when the next one is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tercet.core.errors import RefusedError

EVENT_TYPE = "tercet/dispute-event@1"


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    ANSWERED = "answered"
    UPHELD = "upheld"
    REJECTED = "rejected"
    SHARED = "shared"
    EXPIRED = "expired"


class Act(StrEnum):
    """What can be done in a dispute that is open."""

    ANSWER = "answer"
    UPHOLD = "uphold"
    REJECT = "reject"
    SHARE = "share"
    EXPIRE = "expire"


class Role(StrEnum):
    """Who acts."""

    CHALLENGER = "challenger"
    RESPONDENT = "respondent"
    KEEPER = "keeper"  # of the registry: the key that made it


class DisputeKind(StrEnum):
    """Why a dispute was opened."""

    EXACT_COPY = "exact_copy"  # the same bytes are another owner's, shares above 100 %
    NEAR_COPY = "near_copy"  # a certain match to another owner's work
    BY_HAND = "by_hand"


DAYS_TO_ANSWER = 30
DAYS_TO_SETTLE = 60
DAYS = {DisputeState.OPEN: DAYS_TO_ANSWER, DisputeState.ANSWERED: DAYS_TO_SETTLE}
"""How long a state lasts before the dispute expires, in days."""

UNSETTLED = frozenset({DisputeState.OPEN, DisputeState.ANSWERED})

_OUTCOME = {
    Act.ANSWER: DisputeState.ANSWERED,
    Act.UPHOLD: DisputeState.UPHELD,
    Act.REJECT: DisputeState.REJECTED,
    Act.SHARE: DisputeState.SHARED,
    Act.EXPIRE: DisputeState.EXPIRED,
}
_MAY: dict[Act, frozenset[Role]] = {
    Act.ANSWER: frozenset({Role.RESPONDENT}),
    Act.UPHOLD: frozenset({Role.RESPONDENT, Role.KEEPER}),
    Act.REJECT: frozenset({Role.CHALLENGER, Role.KEEPER}),
    Act.SHARE: frozenset({Role.KEEPER}),
    Act.EXPIRE: frozenset(Role),
}


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute between two sides' claims.

    ``earlier`` and ``later`` are claim ids by the order in which they were registered; ``later``
    is empty when someone without a claim challenges. ``challenger_is_later`` says which side
    opened it. ``deadline`` is when it expires as it now stands, RFC 3339 in UTC; "" once settled.
    ``shares`` are (claim id, basis points) that were agreed.
    """

    dispute_id: str
    kind: DisputeKind
    state: DisputeState
    opened_at: str
    deadline: str
    earlier: tuple[str, ...]
    later: tuple[str, ...]
    challenger_key: str
    respondent_key: str
    challenger_is_later: bool = True
    shares: tuple[tuple[str, int], ...] = ()

    @property
    def challenged(self) -> tuple[str, ...]:
        """The claims that the dispute is brought against."""
        return self.earlier if self.challenger_is_later else self.later

    @property
    def challenging(self) -> tuple[str, ...]:
        """The challenger's own claims."""
        return self.later if self.challenger_is_later else self.earlier

    @property
    def set_aside(self) -> tuple[str, ...]:
        """The claims that no longer stand, as the dispute was settled."""
        if self.state is DisputeState.UPHELD:
            return self.challenged
        if self.state is DisputeState.REJECTED:
            return self.challenging
        return self.later if self.state is DisputeState.EXPIRED and self.earlier else ()


def next_state(state: DisputeState, act: Act, role: Role) -> DisputeState:
    """Return the state after ``act``. Closed: whatever is not allowed raises RefusedError."""
    if state not in UNSETTLED:
        raise RefusedError(
            f"the dispute is settled ({state}); nothing can be done in it any more",
            hint="open a new one where there is a new reason",
        )
    if act is Act.ANSWER and state is not DisputeState.OPEN:
        raise RefusedError("the dispute was answered already", hint="settle it, or let it expire")
    if role not in _MAY[act]:
        raise RefusedError(
            f"the {role} may not {act} in a dispute",
            hint=f"that is for the {' or the '.join(sorted(_MAY[act]))}",
        )
    return _OUTCOME[act]


def after(
    dispute: Dispute, act: Act, role: Role, at: str, shares: tuple[tuple[str, int], ...] = ()
) -> Dispute:
    """Return ``dispute`` after an act at the time ``at``. Raises RefusedError.

    It cannot expire before its deadline, nor be answered after it; shares that were agreed must
    name every claim of both sides, once each.
    """
    state = next_state(dispute.state, act, role)
    if act is Act.EXPIRE and at < dispute.deadline:
        raise RefusedError(f"the dispute is open until {dispute.deadline}, it is {at}")
    if act is Act.ANSWER and at >= dispute.deadline:
        raise RefusedError(f"the time to answer ended at {dispute.deadline}, it is {at}")
    if act is Act.SHARE:
        _check_shares(dispute, shares)
    elif shares:
        raise RefusedError("shares are agreed by sharing, not otherwise")
    deadline = later_by(at, DAYS[state]) if state in UNSETTLED else ""
    return replace(dispute, state=state, deadline=deadline, shares=shares)


def _check_shares(dispute: Dispute, shares: tuple[tuple[str, int], ...]) -> None:
    claims = sorted(dispute.earlier + dispute.later)
    if not dispute.later or sorted(claim for claim, _ in shares) != claims:
        raise RefusedError(
            "expected one share for every claim of both sides",
            hint=f"they are {', '.join(claims)}",
        )
    total = sum(share for _, share in shares)
    if total > 10_000 or any(share < 1 for _, share in shares):
        raise RefusedError(f"expected shares of at most 10000 basis points in all, got {total}")


def role_of(dispute: Dispute, public_key: str, keeper_key: str) -> Role:
    """Return whom a key acts for. Raises RefusedError when it is nobody's in the dispute."""
    if public_key == dispute.challenger_key:
        return Role.CHALLENGER
    if public_key == dispute.respondent_key:
        return Role.RESPONDENT
    if public_key == keeper_key:
        return Role.KEEPER
    raise RefusedError(
        "the key is neither a party's of this dispute nor the registry keeper's",
        hint="choose another with --key",
    )


def later_by(at: str, days: int) -> str:
    """Return the time ``days`` after ``at``; both RFC 3339 in UTC."""
    moment = datetime.fromisoformat(at.replace("Z", "+00:00")) + timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
