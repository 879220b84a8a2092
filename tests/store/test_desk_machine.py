"""Two desks over a lossy network, closed and opened again at any time: see lossy_network."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from desk_examples import make_desks
from hypothesis import settings
from lossy_network import LossyNetwork
from negotiation_examples import AT, PEOPLE, uuid

from tercet.consent.licences.exchange import Outcome
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import Role, State
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.store.desk import Desk

PIDS = {Role.CONSUMER: uuid(1, 0xB), Role.PROVIDER: uuid(2, 0xB)}


class DeskParties(LossyNetwork):
    """Sides are desks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desks = make_desks(Path(self.folder.name))
        self.begun: set[Role] = set()

    def begin(self, starter: Role) -> None:
        peer = PEOPLE[starter.other].id
        self.desks[starter].begin(starter, peer, pid=PIDS[starter], peer_address="", at=AT)
        self.begun.add(starter)

    def side(self, role: Role) -> Negotiation | None:
        return self.desks[role].negotiation(PIDS[role]) if role in self.begun else None

    def prepare(self, role: Role, sent: Message, at: str) -> None:
        self.desks[role].prepare(sent, at)

    def receive(self, role: Role, taken: Message, at: str) -> Outcome:
        outcome = self.desks[role].receive(taken, at, new_pid=PIDS[role])
        if self.desks[role].negotiations():
            self.begun.add(role)
        return outcome

    def acknowledge(self, role: Role, answer: Answer, at: str) -> None:
        self.desks[role].acknowledge(PIDS[role], answer, at)

    def compare(self, role: Role, said: State | None, at: str) -> None:
        self.desks[role].compare(self.desks[role].negotiation(PIDS[role]), said, at)

    def restart(self, role: Role) -> None:
        self.desks[role].close()
        self.desks[role] = Desk.open(self.desks[role].folder)

    def teardown(self) -> None:
        super().teardown()
        finals = {desk.party: desk.agreements() for desk in self.desks.values()}
        documents = [[each.document for each in kept] for kept in finals.values()]
        assert documents[0] == documents[1]
        for role, desk in self.desks.items():
            state = None if role not in self.begun else desk.negotiation(PIDS[role]).state
            assert len(desk.agreements()) == (state is State.FINALIZED)
            desk.close()
        self.folder.cleanup()


class TestDesks(DeskParties.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=5, stateful_step_count=25)


@pytest.mark.slow
class TestDesksForLong(DeskParties.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=150, stateful_step_count=60)
