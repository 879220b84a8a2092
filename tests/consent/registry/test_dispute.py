"""Disputes: whatever is tried, in any order, the states stay those of the drawing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tercet.consent.registry.dispute import (
    DAYS_TO_ANSWER,
    DAYS_TO_SETTLE,
    UNSETTLED,
    Act,
    Dispute,
    DisputeKind,
    DisputeState,
    Role,
    after,
    later_by,
    next_state,
    role_of,
)
from tercet.core.errors import RefusedError

START = "2026-01-01T00:00:00Z"
DRAWN = {
    (DisputeState.OPEN, Act.ANSWER): DisputeState.ANSWERED,
    **{
        (state, act): end
        for state in (DisputeState.OPEN, DisputeState.ANSWERED)
        for act, end in {
            Act.UPHOLD: DisputeState.UPHELD,
            Act.REJECT: DisputeState.REJECTED,
            Act.SHARE: DisputeState.SHARED,
            Act.EXPIRE: DisputeState.EXPIRED,
        }.items()
    },
}


def make(*, challenger_is_later: bool = True, later: tuple[str, ...] = ("b1",)) -> Dispute:
    return Dispute(
        dispute_id="d",
        kind=DisputeKind.EXACT_COPY,
        state=DisputeState.OPEN,
        opened_at=START,
        deadline=later_by(START, DAYS_TO_ANSWER),
        earlier=("a1", "a2"),
        later=later,
        challenger_key="B",
        respondent_key="A",
        challenger_is_later=challenger_is_later,
    )


@given(st.sampled_from(DisputeState), st.sampled_from(Act), st.sampled_from(Role))
def test_no_way_but_those_drawn(state: DisputeState, act: Act, role: Role) -> None:
    try:
        found = next_state(state, act, role)
    except RefusedError:
        return
    assert DRAWN[state, act] is found


def test_a_party_can_only_give_in() -> None:
    for role, act in ((Role.CHALLENGER, Act.UPHOLD), (Role.RESPONDENT, Act.REJECT),
                      (Role.CHALLENGER, Act.ANSWER), (Role.RESPONDENT, Act.SHARE)):  # fmt: skip
        with pytest.raises(RefusedError, match="may not"):
            next_state(DisputeState.OPEN, act, role)


def test_what_falls_when_a_dispute_is_settled() -> None:
    for challenger_is_later in (True, False):
        dispute = make(challenger_is_later=challenger_is_later)
        upheld = after(dispute, Act.UPHOLD, Role.KEEPER, START)
        rejected = after(dispute, Act.REJECT, Role.KEEPER, START)
        assert upheld.set_aside == dispute.challenged
        assert rejected.set_aside == dispute.challenging
        assert set(upheld.set_aside).isdisjoint(rejected.set_aside)


def test_an_uncontested_expiry_leaves_the_earlier_claim_whoever_challenged() -> None:
    for challenger_is_later in (True, False):
        dispute = make(challenger_is_later=challenger_is_later)
        with pytest.raises(RefusedError, match="open until"):
            after(dispute, Act.EXPIRE, Role.KEEPER, START)
        expired = after(dispute, Act.EXPIRE, Role.KEEPER, dispute.deadline)
        assert expired.set_aside == ("b1",)
    nobody = after(make(later=()), Act.EXPIRE, Role.KEEPER, make().deadline)
    assert nobody.set_aside == ()


def test_shares_must_name_every_claim_and_fit() -> None:
    dispute = make()
    shared = after(dispute, Act.SHARE, Role.KEEPER, START,
                   (("a1", 2500), ("a2", 2500), ("b1", 5000)))  # fmt: skip
    assert shared.set_aside == ()
    for wrong in (
        (("a1", 2500), ("b1", 5000)),
        (("a1", 5000), ("a2", 2500), ("b1", 5000)),
        (("a1", 0), ("a2", 2500), ("b1", 5000)),
        (("a1", 1), ("a1", 1), ("b1", 5000)),
    ):
        with pytest.raises(RefusedError):
            after(dispute, Act.SHARE, Role.KEEPER, START, wrong)
    with pytest.raises(RefusedError):
        after(make(later=()), Act.SHARE, Role.KEEPER, START, (("a1", 1), ("a2", 1)))


def test_whose_key_it_is() -> None:
    assert role_of(make(), "A", "K") is Role.RESPONDENT
    assert role_of(make(), "B", "K") is Role.CHALLENGER
    assert role_of(make(), "K", "K") is Role.KEEPER
    with pytest.raises(RefusedError):
        role_of(make(), "C", "K")


class Course(RuleBasedStateMachine):
    """Anybody tries anything while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.dispute = make()
        self.now = START
        self.states = [DisputeState.OPEN]

    @rule(days=st.integers(0, 50))
    def wait(self, days: int) -> None:
        self.now = later_by(self.now, days)

    @rule(act=st.sampled_from(Act), role=st.sampled_from(Role))
    def attempt(self, act: Act, role: Role) -> None:
        shares = (("a1", 1), ("a2", 1), ("b1", 1)) if act is Act.SHARE else ()
        try:
            changed = after(self.dispute, act, role, self.now, shares)
        except RefusedError:
            return
        assert DRAWN[self.dispute.state, act] is changed.state
        self.dispute = changed
        self.states.append(changed.state)

    @precondition(lambda self: self.dispute.state in UNSETTLED)
    @rule()
    def it_can_always_end(self) -> None:
        ended = after(self.dispute, Act.EXPIRE, Role.KEEPER, max(self.now, self.dispute.deadline))
        assert ended.state is DisputeState.EXPIRED

    @invariant()
    def settled_is_settled_and_has_no_deadline(self) -> None:
        assert len(self.states) <= 3
        assert all(state in UNSETTLED for state in self.states[:-1])
        assert bool(self.dispute.deadline) == (self.dispute.state in UNSETTLED)

    @invariant()
    def while_unsettled_nothing_falls(self) -> None:
        if self.dispute.state in UNSETTLED:
            assert self.dispute.set_aside == ()

    @invariant()
    def it_never_lasts_longer_than_both_deadlines(self) -> None:
        if self.dispute.state in UNSETTLED:
            start = datetime(2026, 1, 1, tzinfo=UTC)
            last = start + timedelta(days=DAYS_TO_ANSWER + DAYS_TO_SETTLE)
            assert datetime.fromisoformat(self.dispute.deadline) <= last


TestCourse = Course.TestCase
