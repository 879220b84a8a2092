"""One side of a negotiation as a value: its state, what happened, and what is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.licences.messages import CARRIES_OFFER, Answer, Message
from tercet.consent.licences.negotiation import TERMINAL, Role, State

MESSAGES_MAX = 200  # in one negotiation, refused ones included


class Happening(StrEnum):
    """What one entry of a history says."""

    APPLIED = "applied"  # the message took effect
    REFUSED = "refused"  # the receiver said no; the state stayed
    WITHDRAWN = "withdrawn"  # the sender's message lost its meaning before it was answered
    DIFFERED = "differed"  # the two sides were found in different states: terminated


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history: what happened ``at`` a time, and the state it led to.

    ``words`` say why, where there is more to say than the message does.
    """

    happening: Happening
    at: str
    state: State | None
    message: Message | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A message that was answered for good, by its digest, with the answer it always gets."""

    sha256: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Negotiation:
    """One side of a negotiation, with all that happened. ``pid`` is its own id for it.

    ``party`` is who this side is, ``peer`` the other one; ``peer_address`` where it takes messages.
    ``pending`` is the message under way. ``answered`` are the answers given, by message id.
    """

    role: Role
    pid: str
    party: str
    peer: str
    peer_pid: str = ""
    peer_address: str = ""
    supersedes: str = ""
    state: State | None = None
    entries: tuple[Entry, ...] = ()
    pending: Message | None = None
    answered: Mapping[str, Answered] | None = None

    @property
    def consumer_pid(self) -> str:
        """The consumer's id of it."""
        return self.pid if self.role is Role.CONSUMER else self.peer_pid

    @property
    def provider_pid(self) -> str:
        """The provider's id of it."""
        return self.pid if self.role is Role.PROVIDER else self.peer_pid

    @property
    def consumer(self) -> str:
        """The party that wants the licence."""
        return self.party if self.role is Role.CONSUMER else self.peer

    @property
    def provider(self) -> str:
        """The party that grants it."""
        return self.party if self.role is Role.PROVIDER else self.peer

    @property
    def applied(self) -> tuple[Message, ...]:
        """The messages that took effect, in order."""
        return tuple(
            entry.message
            for entry in self.entries
            if entry.happening is Happening.APPLIED and entry.message is not None
        )

    @property
    def head(self) -> str:
        """The id of the last message that took effect; empty before the first."""
        applied = self.applied
        return applied[-1].message_id if applied else ""

    @property
    def is_terminal(self) -> bool:
        """Whether it never changes again."""
        return self.state in TERMINAL

    @property
    def last_offer(self) -> Message | None:
        """The message with the offer that is on the table."""
        return next((each for each in reversed(self.applied) if each.step in CARRIES_OFFER), None)
