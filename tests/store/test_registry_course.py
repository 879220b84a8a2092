"""The registry under any course of events: its laws hold after every step, and the log shows it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from registry_examples import by, digest, make, public, registration

from tercet.consent.registry.conflicts import Step
from tercet.consent.registry.dispute import Act, later_by
from tercet.core.errors import RefusedError
from tercet.store.registry_check import differences

OWNERS = ("ann", "bob", "eve")
WORKS = ("one", "two")
START = "2026-01-01T00:00:00Z"


class Course(RuleBasedStateMachine):
    """Three owners and a keeper register, amend, withdraw and dispute two works."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.registry = make(self.folder)
        self.now = START
        self.withdrawn: set[str] = set()

    def teardown(self) -> None:
        self.registry.close()
        shutil.rmtree(self.folder)

    @rule(
        owner=st.sampled_from(OWNERS),
        work=st.sampled_from(WORKS),
        share=st.sampled_from([2500, 5000, 10_000]),
        amend=st.booleans(),
        may_dispute=st.booleans(),
    )
    def register(self, owner: str, work: str, share: int, amend: bool, may_dispute: bool) -> None:
        head = self.registry.digest()
        asked = registration(work, (owner, share))
        (result,) = self.registry.register(
            [asked], by(owner, self.now), amend=amend, may_dispute=may_dispute
        )
        if not result.claim_ids:
            assert self.registry.digest() == head, "what is refused leaves no trace"
        else:
            (again,) = self.registry.register([asked], by(owner, self.now))
            assert again.step is Step.UNCHANGED

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        standing = [
            claim for number in self.numbers() for claim in self.registry.standing(number)[0]
        ]
        if standing:
            claim = data.draw(st.sampled_from(standing))
            owner = next(name for name in OWNERS if public(name) == claim.public_key)
            self.registry.withdraw(claim.claim_id, "", by(owner, self.now))
            self.withdrawn.add(claim.claim_id)

    @precondition(lambda self: self.registry.disputes(unsettled=True))
    @rule(data=st.data(), act=st.sampled_from(Act), who=st.sampled_from([*OWNERS, "keeper"]))
    def act(self, data: st.DataObject, act: Act, who: str) -> None:
        dispute = data.draw(st.sampled_from(self.registry.disputes(unsettled=True)))
        sides = (*dispute.earlier, *dispute.later)
        shares = tuple((claim, 10_000 // len(sides)) for claim in sides)
        head = self.registry.digest()
        try:
            self.registry.act_in_dispute(
                dispute.dispute_id, act, "", by(who, self.now),
                shares if act is Act.SHARE else (),
            )  # fmt: skip
        except RefusedError:
            assert self.registry.digest() == head

    @rule(who=st.sampled_from(OWNERS), data=st.data())
    def challenge(self, who: str, data: st.DataObject) -> None:
        numbers = self.numbers()
        if numbers:
            number = data.draw(st.sampled_from(numbers))
            standing, _ = self.registry.standing(number)
            with contextlib.suppress(RefusedError):
                self.registry.open_dispute(number, "", by(who, self.now))
                assert any(claim.public_key != public(who) for claim in standing)
                assert self.registry.standing(number)[1]

    @rule(days=st.sampled_from([1, 31, 61]))
    def wait(self, days: int) -> None:
        self.now = later_by(self.now, days)
        self.registry.expire_due(by("keeper", self.now))
        assert all(d.deadline > self.now for d in self.registry.disputes(unsettled=True))

    def numbers(self) -> list[int]:
        return [work.number for work in self.registry.works()]

    @invariant()
    def the_log_explains_everything(self) -> None:
        assert differences(self.registry) == []

    @invariant()
    def what_was_withdrawn_never_binds_again(self) -> None:
        for number in self.numbers():
            standing, _ = self.registry.standing(number)
            assert not {claim.claim_id for claim in standing} & self.withdrawn

    @invariant()
    def more_than_the_whole_is_held(self) -> None:
        for work in WORKS:
            for number in self.registry.works_by_sha256([digest(work)]).get(digest(work), ()):
                standing, disputed = self.registry.standing(number)
                assert disputed or sum(c.share_basis_points for c in standing) <= 10_000


Course.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestCourse = Course.TestCase
