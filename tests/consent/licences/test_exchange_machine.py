"""Two parties over a lossy network, as pure values: see lossy_network."""

from __future__ import annotations

import pytest
from hypothesis import settings
from lossy_network import LossyNetwork
from negotiation_examples import CHECKS, side

from tercet.consent.licences import exchange
from tercet.consent.licences.dsp_json import answer_from, dsp_answer, dsp_body, message_from_body
from tercet.consent.licences.exchange import Applied, Outcome
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import Role, State
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.core.canonical import canonical_json


class PureParties(LossyNetwork):
    """Sides are values; all that passes goes through the protocol's JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: dict[Role, Negotiation] = {}

    def begin(self, starter: Role) -> None:
        self.sides[starter] = side(starter)

    def side(self, role: Role) -> Negotiation | None:
        return self.sides.get(role)

    def prepare(self, role: Role, sent: Message, at: str) -> None:
        assert message_from_body(canonical_json(dsp_body(sent))) == sent
        self.sides[role] = exchange.prepare(self.sides[role], sent, CHECKS, at)

    def receive(self, role: Role, taken: Message, at: str) -> Outcome:
        before = self.sides.get(role, side(role))
        outcome = exchange.receive(before, taken, CHECKS, at)
        assert answer_from(canonical_json(dsp_answer(outcome.answer))) == outcome.answer
        if role in self.sides or isinstance(outcome, Applied):
            self.sides[role] = outcome.negotiation
        return outcome

    def acknowledge(self, role: Role, answer: Answer, at: str) -> None:
        self.sides[role] = exchange.acknowledge(self.sides[role], answer, at)

    def compare(self, role: Role, said: State | None, at: str) -> None:
        self.sides[role] = exchange.compare(self.sides[role], said, self.sides[role], at)

    def restart(self, role: Role) -> None:
        """A value has nothing that it could forget."""


class TestParties(PureParties.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=60, stateful_step_count=40)


@pytest.mark.slow
class TestPartiesForLong(PureParties.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=2_000, stateful_step_count=80)
