"""The negotiation of a contract: who may do what, in which state.

Source: Eclipse Dataspace Protocol 2025-1, "Contract Negotiation Protocol", states and transitions.
The consumer is who wants a licence, the provider who grants it. A state changes only when the
counter-party has acknowledged the message; both terminal states never change again.
"""

from __future__ import annotations

from enum import StrEnum

from tercet.core.errors import ConflictError


class State(StrEnum):
    """The closed set of states. None stands for a negotiation that has not begun."""

    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    TERMINATED = "TERMINATED"


class Role(StrEnum):
    """Which side."""

    CONSUMER = "consumer"
    PROVIDER = "provider"

    @property
    def other(self) -> Role:
        """The counter-party's role."""
        return Role.PROVIDER if self is Role.CONSUMER else Role.CONSUMER


class Step(StrEnum):
    """What one side can do."""

    REQUEST = "request"  # a first request, or a counter-offer of the consumer
    OFFER = "offer"  # a first offer, or a counter-offer of the provider
    ACCEPT = "accept"
    AGREE = "agree"
    VERIFY = "verify"
    FINALIZE = "finalize"
    TERMINATE = "terminate"


TERMINAL = frozenset({State.FINALIZED, State.TERMINATED})

TRANSITIONS: dict[tuple[State | None, Step, Role], State] = {
    (None, Step.REQUEST, Role.CONSUMER): State.REQUESTED,
    (None, Step.OFFER, Role.PROVIDER): State.OFFERED,
    (State.REQUESTED, Step.OFFER, Role.PROVIDER): State.OFFERED,
    (State.REQUESTED, Step.AGREE, Role.PROVIDER): State.AGREED,
    (State.OFFERED, Step.REQUEST, Role.CONSUMER): State.REQUESTED,
    (State.OFFERED, Step.ACCEPT, Role.CONSUMER): State.ACCEPTED,
    (State.ACCEPTED, Step.AGREE, Role.PROVIDER): State.AGREED,
    (State.AGREED, Step.VERIFY, Role.CONSUMER): State.VERIFIED,
    (State.VERIFIED, Step.FINALIZE, Role.PROVIDER): State.FINALIZED,
    (State.REQUESTED, Step.TERMINATE, Role.CONSUMER): State.TERMINATED,
    (State.REQUESTED, Step.TERMINATE, Role.PROVIDER): State.TERMINATED,
    (State.OFFERED, Step.TERMINATE, Role.CONSUMER): State.TERMINATED,
    (State.OFFERED, Step.TERMINATE, Role.PROVIDER): State.TERMINATED,
    (State.ACCEPTED, Step.TERMINATE, Role.PROVIDER): State.TERMINATED,
    (State.AGREED, Step.TERMINATE, Role.CONSUMER): State.TERMINATED,
    (State.VERIFIED, Step.TERMINATE, Role.PROVIDER): State.TERMINATED,
}
"""The 14 transitions of the specification; two of them either side may take."""


class TransitionError(ConflictError):
    """A message that does not fit the state a negotiation is in, or who sent it."""

    code = "bad-transition"


def next_state(state: State | None, step: Step, sender: Role) -> State:
    """Return the state that ``step`` of ``sender`` leads to. Raises TransitionError."""
    reached = TRANSITIONS.get((state, step, sender))
    if reached is None:
        possible = ", ".join(possible_steps(state, sender)) or "nothing"
        raise TransitionError(
            f"expected of the {sender} in state {state or 'none'}: {possible}; got {step}",
            hint="ask for the negotiation's state; a message that came twice has no effect",
        )
    return reached


def possible_steps(state: State | None, sender: Role) -> tuple[Step, ...]:
    """Return what ``sender`` may do in ``state``."""
    return tuple(step for (at, step, who) in TRANSITIONS if (at, who) == (state, sender))
