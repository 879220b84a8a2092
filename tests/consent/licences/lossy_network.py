"""Two parties and a network that loses, doubles and reorders: a Hypothesis machine for both stores.

What must hold, whatever happens in between: no state is skipped, both sides took the same messages
in the same order, neither side ever took the other for being in another state, both terminal states
are the same, and what both signed is one text. Once the network is good, they end alike.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from negotiation_examples import AT, message

from tercet.consent.licences.exchange import Outcome, Refused
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import (
    TERMINAL,
    Role,
    State,
    Step,
    TransitionError,
    next_state,
    possible_steps,
)
from tercet.consent.licences.negotiation_side import Happening, Negotiation
from tercet.consent.licences.signing import document_sha256
from tercet.core.errors import TercetError
from tercet.core.strict_json import read_canonical_object

PICKED_FIRST = -1
LAPSES = "offer-lapsed"  # the only reason for which honest parties refuse each other for good
PICK = st.integers(0, 1_000)
EAGER = (Step.AGREE, Step.VERIFY, Step.FINALIZE, Step.ACCEPT, Step.REQUEST, Step.OFFER,
         Step.TERMINATE)  # fmt: skip
SIGNED = (Step.AGREE, Step.VERIFY, Step.FINALIZE)


def chosen(steps: tuple[Step, ...], pick: int) -> Step | None:
    """Return one of the steps: mostly the one that leads on, seldom the end."""
    order = sorted(steps, key=EAGER.index)
    if pick % 10 == 9:
        return order[-1]
    going_on = [step for step in order if step is not Step.TERMINATE] or [None]
    return going_on[-1] if pick % 10 > 6 else going_on[0]


def course_of(side: Negotiation) -> tuple[str, ...]:
    """Return which messages took effect. Two terminations may cross: each side took the other's."""
    return tuple(
        each.message_id if each.step is not Step.TERMINATE else "terminated"
        for each in side.applied
    )


@dataclass(frozen=True)
class Packet:
    """What is in the network, on its way to one side."""

    to: Role
    carried: Message | Answer


class LossyNetwork(RuleBasedStateMachine):
    """Both sides and all that is between them. Stores say how a side is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[Packet] = []
        self.now = datetime.strptime(AT, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        self.numbers = 0
        self.texts: dict[Step, set[str]] = {step: set() for step in SIGNED}
        self.ended: dict[Role, State] = {}

    @abstractmethod
    def begin(self, starter: Role) -> None: ...

    @abstractmethod
    def side(self, role: Role) -> Negotiation | None: ...

    @abstractmethod
    def prepare(self, role: Role, sent: Message, at: str) -> None: ...

    @abstractmethod
    def receive(self, role: Role, taken: Message, at: str) -> Outcome: ...

    @abstractmethod
    def acknowledge(self, role: Role, answer: Answer, at: str) -> None: ...

    @abstractmethod
    def compare(self, role: Role, said: State | None, at: str) -> None: ...

    @abstractmethod
    def restart(self, role: Role) -> None: ...

    @property
    def at(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    # ---- what parties do ----------------------------------------------------------------------

    @initialize(starter=st.sampled_from(Role))
    def first(self, starter: Role) -> None:
        self.begin(starter)
        self.act(starter, PICKED_FIRST)

    @rule(role=st.sampled_from(Role), pick=PICK)
    def act(self, role: Role, pick: int) -> None:
        side = self.side(role)
        if side is None or side.pending is not None:
            return
        steps = possible_steps(side.state, role)
        if not steps or (side.state is None and side.entries):
            return
        step = chosen(steps, pick)
        if step is None:
            return
        self.numbers += 1
        sent = message(side, step, self.numbers)
        code = ""
        try:
            self.prepare(role, sent, self.at)
        except TercetError as error:
            code = error.code
        assert code in ("", LAPSES)
        if code:
            return
        if step in SIGNED:
            self.texts[step].add(document_sha256(read_canonical_object(sent.document)))
        self.packets.append(Packet(role.other, sent))

    @rule(role=st.sampled_from(Role), pick=PICK)
    def act_and_be_answered(self, role: Role, pick: int) -> None:
        """The network is good for a moment."""
        self.act(role, pick)
        side = self.side(role)
        if side is not None and side.pending is not None:
            self.send_again(role)
            self.deliver_at(-1)
            self.deliver_at(-1)

    @rule(role=st.sampled_from(Role), step=st.sampled_from(Step))
    def try_what_the_state_forbids(self, role: Role, step: Step) -> None:
        side = self.side(role)
        if side is None or step in possible_steps(side.state, role):
            return
        try:
            next_state(side.state, step, role)
        except TransitionError:
            return
        raise AssertionError(f"{role} may {step} in {side.state}")

    @rule(role=st.sampled_from(Role))
    def send_again(self, role: Role) -> None:
        side = self.side(role)
        if side is not None and side.pending is not None:
            self.packets.append(Packet(role.other, side.pending))

    @rule(role=st.sampled_from(Role))
    def ask_for_the_state(self, role: Role) -> None:
        mine, other = self.side(role), self.side(role.other)
        if mine is not None and mine.state is not None and other is not None:
            self.compare(role, other.state, self.at)

    @rule(hours=st.sampled_from((1, 1, 1, 24, 24 * 10)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(role=st.sampled_from(Role))
    def crash_and_restart(self, role: Role) -> None:
        self.restart(role)

    # ---- what the network does ----------------------------------------------------------------

    @precondition(lambda self: self.packets)
    @rule(pick=PICK)
    def deliver(self, pick: int) -> None:
        self.deliver_at(pick % len(self.packets))

    @precondition(lambda self: self.packets)
    @rule(pick=PICK)
    def double(self, pick: int) -> None:
        self.packets.append(self.packets[pick % len(self.packets)])

    @precondition(lambda self: self.packets)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        del self.packets[pick % len(self.packets)]

    def deliver_at(self, index: int) -> None:
        packet = self.packets.pop(index)
        if isinstance(packet.carried, Answer):
            self.acknowledge(packet.to, packet.carried, self.at)
            return
        outcome = self.receive(packet.to, packet.carried, self.at)
        if isinstance(outcome, Refused) and not outcome.answer.retry:
            assert outcome.error.code in (LAPSES, "negotiation-ended"), outcome
        self.packets.append(Packet(packet.to.other, outcome.answer))

    # ---- what must hold -----------------------------------------------------------------------

    @invariant()
    def no_state_is_skipped(self) -> None:
        for role in Role:
            side = self.side(role)
            if side is None:
                continue
            state: State | None = None
            for entry in side.entries:
                assert entry.happening is not Happening.DIFFERED, entry
                if entry.happening is Happening.APPLIED:
                    assert entry.message is not None
                    state = next_state(state, entry.message.step, entry.message.sender)
                assert entry.state is state
            assert side.state is state

    @invariant()
    def both_took_the_same_messages(self) -> None:
        sides = [side for role in Role if (side := self.side(role)) is not None]
        if len(sides) == 2:
            shorter, longer = sorted((course_of(side) for side in sides), key=len)
            assert longer[: len(shorter)] == shorter
            assert len(longer) - len(shorter) <= 1

    @invariant()
    def terminal_states_stay_and_agree(self) -> None:
        for role in Role:
            side = self.side(role)
            if side is not None and side.state in TERMINAL:
                assert self.ended.setdefault(role, side.state) is side.state
            else:
                assert role not in self.ended
        assert len(set(self.ended.values())) <= 1

    @invariant()
    def what_both_signed_is_one_text(self) -> None:
        assert self.texts[Step.VERIFY] <= self.texts[Step.AGREE]
        assert self.texts[Step.FINALIZE] <= self.texts[Step.VERIFY]
        finals = [side for r in Role if (side := self.side(r)) and side.state is State.FINALIZED]
        assert len({side.applied[-1].document for side in finals}) <= 1

    def teardown(self) -> None:
        """With a network that loses nothing any more, both come to the same end."""
        for _ in range(100):
            while self.packets:
                self.deliver_at(0)
            under_way = [r for r in Role if (side := self.side(r)) and side.pending is not None]
            if not under_way:
                break
            for role in under_way:
                self.send_again(role)
        else:
            raise AssertionError("messages stay under way for ever")
        self.terminal_states_stay_and_agree()
        consumer, provider = self.side(Role.CONSUMER), self.side(Role.PROVIDER)
        if consumer is not None and provider is not None:
            assert consumer.state is provider.state
            assert course_of(consumer) == course_of(provider)
