"""A desk keeps what happened: negotiations on both sides, agreements with their signatures."""

from __future__ import annotations

from pathlib import Path

from desk_examples import drive, make_desks

from tercet.consent.licences.negotiation import Role, State, Step

C, P = Role.CONSUMER, Role.PROVIDER
TWO_ROUNDS = (
    (C, Step.REQUEST), (P, Step.OFFER), (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT),
    (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE),
)  # fmt: skip


def test_two_rounds_end_in_one_agreement_that_both_hold(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, *TWO_ROUNDS)
    sides = {role: desks[role].negotiation(pids[role]) for role in Role}
    assert sides[C].state is sides[P].state is State.FINALIZED
    assert sides[C].applied == sides[P].applied
    (mine,), (theirs,) = desks[C].agreements(), desks[P].agreements()
    assert mine.document == theirs.document
    assert [each["party"] for each in mine.document["signatures"]] == [
        desks[P].party,
        desks[C].party,
    ]
    assert not desks[C].outbox()
    assert not desks[P].outbox()
