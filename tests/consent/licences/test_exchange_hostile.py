"""An honest side against one that says whatever it can sign, and answers whatever it likes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from negotiation_examples import AT, CHECKS, PEOPLE, STRANGER, agreement, message, offer, side, uuid

from tercet.consent.licences.exchange import Duplicate, acknowledge, compare, prepare, receive
from tercet.consent.licences.exchange_content import agreement_under_way, offer_on_table
from tercet.consent.licences.messages import Answer, Message, signed_message
from tercet.consent.licences.negotiation import (
    TERMINAL,
    Role,
    State,
    Step,
    next_state,
    possible_steps,
)
from tercet.consent.licences.negotiation_side import Happening, Negotiation
from tercet.consent.licences.signing import signatures_of, signed
from tercet.core.canonical import canonical_json
from tercet.core.strict_json import read_canonical_object

PICK = st.integers(0, 10_000)


class HonestAmongThieves(RuleBasedStateMachine):
    """One honest side; the other has its own key, and every word that was ever said to it."""

    @initialize(role=st.sampled_from(Role), begins=st.booleans())
    def begin(self, role: Role, begins: bool) -> None:
        self.role = role
        self.honest = side(role)
        self.thief = PEOPLE[role.other]
        self.thief_pid = side(role.other).pid
        self.numbers = 0
        self.heard: list[Message] = []  # by the thief
        self.said: list[Message] = []  # by the thief
        self.ended: Negotiation | None = None
        if begins:
            self.act(0)
            self.answer(1, None, retry=False)
        else:
            self.say(Step.TERMINATE, 1, 0)
        assert self.honest.state is not None

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- the honest side ----------------------------------------------------------------------

    @rule(pick=PICK)
    def act(self, pick: int) -> None:
        steps = [s for s in possible_steps(self.honest.state, self.role) if s != Step.TERMINATE]
        if not steps or self.honest.pending is not None:
            return
        if self.honest.state is None and self.honest.entries:
            return  # its first message was refused: that is all of it
        sent = message(self.honest, steps[pick % len(steps)], self.number())
        self.honest = prepare(self.honest, sent, CHECKS, AT)
        self.heard.append(sent)

    # ---- the thief ----------------------------------------------------------------------------

    @rule(pick=PICK, state=st.sampled_from([None, *State]), retry=st.booleans())
    def answer(self, pick: int, state: State | None, retry: bool) -> None:
        """Mostly to what was said, and mostly what an honest side would say; seldom anything."""
        pending = self.honest.pending
        known = [each.message_id for each in self.heard] + [uuid(pick)]
        message_id, code = (
            known[pick % len(known)],
            ("", "too-early", "x", "states-differ")[pick % 4],
        )
        if pending is not None and pick % 10:
            message_id, code = pending.message_id, ""
            state = next_state(self.honest.state, pending.step, self.role)
        pids = {self.role: self.honest.pid, self.role.other: self.thief_pid}
        said = Answer(message_id, pids[Role.CONSUMER], pids[Role.PROVIDER], state, code, "", retry)
        self.honest = acknowledge(self.honest, said, AT)

    @rule(state=st.sampled_from([None, *State]), pick=PICK)
    def claim(self, state: State | None, pick: int) -> None:
        if pick % 20 == 7:
            self.honest = compare(self.honest, state, self.honest, AT)

    @rule(step=st.sampled_from(Step), pick=PICK, place=PICK)
    def say(self, step: Step, pick: int, place: int) -> None:
        possible = possible_steps(self.honest.state, self.role.other)
        going_on = [each for each in possible if each is not Step.TERMINATE]
        if pick % 8 and going_on:
            step = going_on[pick % len(going_on)]
        heads = [self.honest.head, *(each.message_id for each in self.heard), uuid(pick), ""]
        me = replace(
            self.honest, role=self.role.other, party=self.thief.id, peer=self.honest.party,
            pid=self.thief_pid, peer_pid=self.honest.pid if self.honest.entries else "",
            pending=None, answered=None,
        )  # fmt: skip
        plain = message(me, step, self.number(), self.document(me, step, pick))
        moved = replace(plain, follows=heads[0 if place % 20 != 7 else pick % len(heads)])
        self.take(signed_message(replace(moved, signatures=()), self.thief.signer))

    @rule(pick=PICK)
    def say_again(self, pick: int) -> None:
        if self.said:
            before = self.honest
            outcome = receive(before, self.said[pick % len(self.said)], CHECKS, AT)
            assert outcome.negotiation is before or not isinstance(outcome, Duplicate)
            self.honest = outcome.negotiation

    @rule(pick=PICK)
    def echo(self, pick: int) -> None:
        """What the honest side said, sent back to it, as it is or under the thief's name."""
        if self.heard and not pick % 5:
            heard = self.heard[pick % len(self.heard)]
            self.take(heard)
            own = replace(heard, party=self.thief.id, sender=self.role.other, signatures=())
            self.take(signed_message(own, self.thief.signer))

    def take(self, sent: Message) -> None:
        self.said.append(sent)
        self.honest = receive(self.honest, sent, CHECKS, AT).negotiation  # and raises nothing

    def document(self, me: Negotiation, step: Step, pick: int) -> bytes:
        """A document that fits, or one that nearly does."""
        signers = [self.thief.signer, STRANGER.signer,
                   replace(STRANGER.signer, party=self.honest.party)]  # fmt: skip
        on_table = offer_on_table(me) if me.last_offer is not None else None
        if step in (Step.REQUEST, Step.OFFER):
            previous = on_table.id if on_table and pick % 4 else ""
            return offer(self.thief, self.number() + 50_000, price=pick, previous=previous)
        under_way = agreement_under_way(me)
        if step is Step.AGREE and on_table is not None:
            text: dict[str, Any] = agreement(me)
            if not pick % 3:
                text["terms"]["price"]["fixed_micros"] += 1
            return canonical_json(signed(text, signers[0 if pick % 3 else pick % 2]))
        if step in (Step.VERIFY, Step.FINALIZE) and under_way:
            text = read_canonical_object(under_way)
            if not pick % 3:
                text["made_at"] = "2026-11-22T10:00:01Z"
            signer = signers[pick % 3] if not pick % 2 else signers[0]
            return canonical_json(signed(text, signer)) if step is Step.VERIFY else under_way
        return b"" if step in (Step.ACCEPT, Step.TERMINATE) else offer(self.thief, 1)

    # ---- what must hold -----------------------------------------------------------------------

    @invariant()
    def no_state_is_skipped_and_none_comes_back(self) -> None:
        state: State | None = None
        for entry in self.honest.entries:
            if entry.happening is Happening.APPLIED:
                assert entry.message is not None
                state = next_state(state, entry.message.step, entry.message.sender)
            elif entry.happening is Happening.DIFFERED:
                state = State.TERMINATED
            assert entry.state is state
        assert self.honest.state is state
        if self.honest.state in TERMINAL:
            self.ended = self.ended or self.honest
            assert self.honest.state is self.ended.state
            assert self.honest.applied == self.ended.applied

    @invariant()
    def what_was_agreed_is_what_was_offered_and_both_signed_it(self) -> None:
        under_way = agreement_under_way(self.honest)
        if not under_way:
            return
        text = read_canonical_object(under_way)
        on_table = offer_on_table(self.honest)
        assert canonical_json(text["terms"]) == on_table.terms
        assert text["offer_sha256"] == on_table.sha256
        signers = [each.party for each in signatures_of(text)]
        for party in signers:
            CHECKS.check_signed(text, party)
        both = [self.honest.provider, self.honest.consumer]
        is_signed = self.honest.state in (State.VERIFIED, State.FINALIZED)
        assert signers == both if is_signed else signers in (both, both[:1])


class TestHonest(HonestAmongThieves.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=40, stateful_step_count=40)
