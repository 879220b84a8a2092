"""The exchange of a negotiation, as a pure function: one side's value in, the next one out.

Rules, in the words of the Dataspace Protocol 2025-1 and ours:

- Who receives a message moves when it has found it good; who sent it moves when it is acknowledged.
  So a receiver may be one step ahead of a sender, and never more: a side has at most one message
  under way, and sends it again, unaltered, until it is answered.
- A message takes effect at its place only: ``follows`` must name the last message that took effect.
  One that follows our own message under way comes too early and is to be sent again; one that
  follows anything else means that the two sides differ, and then both terminate.
- The same message has one effect, and the same answer each time. A message that was refused for
  good stays refused, so that a late copy cannot do what the sender has given up.
- A terminal negotiation never moves. While our finalization is under way nothing else ends it:
  the other side may have it already.

No clock and no randomness: times and ids are given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tercet.consent.licences.exchange_content import Checks, check_content, check_one_signature
from tercet.consent.licences.messages import Answer, Message, message_document
from tercet.consent.licences.negotiation import (
    Role,
    State,
    Step,
    next_state,
    possible_steps,
)
from tercet.consent.licences.negotiation_side import (
    MESSAGES_MAX,
    Answered,
    Entry,
    Happening,
    Negotiation,
)
from tercet.core.errors import ConflictError, InputError, RefusedError, TercetError


class PlaceError(ConflictError):
    """A message that follows something else than the last message that took effect."""

    code = "states-differ"


class EarlyError(ConflictError):
    """A message that comes before the answer to ours: it is to be sent again."""

    code = "too-early"


class ClosingError(ConflictError):
    """We are terminating, or finalizing: it is to be sent again, if it still matters then."""

    code = "closing"


class EndedError(ConflictError):
    """The negotiation is in a terminal state, which never changes."""

    code = "negotiation-ended"


class MessageReusedError(InputError):
    """A message with the id of another one."""

    code = "message-id-reused"


class SenderError(RefusedError):
    """A message of somebody else, or for another negotiation."""

    code = "wrong-sender"


class LengthError(RefusedError):
    """A negotiation of more messages than one may have."""

    code = "negotiation-too-long"


class UnderWayError(ConflictError):
    """A message of ours is under way: the next one comes after its answer."""

    code = "message-under-way"


@dataclass(frozen=True, slots=True)
class Applied:
    """The message took effect."""

    negotiation: Negotiation
    answer: Answer


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The message had been answered before; this is the same answer."""

    negotiation: Negotiation
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """The message took no effect. ``negotiation`` notes it, or is terminated: both differ."""

    negotiation: Negotiation
    answer: Answer
    error: TercetError


Outcome = Applied | Duplicate | Refused


def receive(negotiation: Negotiation, message: Message, checks: Checks, at: str) -> Outcome:
    """Take a message of the other side. Never raises for what the message says."""
    known = (negotiation.answered or {}).get(message.message_id)
    try:
        _check_sender(negotiation, message)
        if known is not None and known.sha256 == message.sha256:
            return Duplicate(negotiation, known.answer)  # signatures included: checked back then
        check_one_signature(message_document(message), message.party, checks)
    except TercetError as error:
        return _refused_to_stranger(negotiation, message, error)
    try:
        if known is not None:
            raise MessageReusedError(
                f"expected another id than {message.message_id}, which another message had",
                hint="a message is sent again as it was, or under a new id",
            )
        _check_place(negotiation, message)
    except PlaceError as error:
        return _differing(negotiation, message, error, at)
    except TercetError as error:
        return _refused(negotiation, message, error)
    try:
        reached = next_state(negotiation.state, message.step, message.sender)
        check_content(negotiation, message, checks, at)
    except TercetError as error:
        return _refused_for_good(negotiation, message, error, at)
    return _taken(negotiation, message, reached, at)


def prepare(negotiation: Negotiation, message: Message, checks: Checks, at: str) -> Negotiation:
    """Return the negotiation with our signed message under way.

    It has to pass what the other side will ask of it. Raises ConflictError where it is not our
    turn or another message is under way, and whatever ``checks`` raise.
    """
    if negotiation.is_terminal:
        raise EndedError(f"the negotiation {negotiation.pid} is {negotiation.state}")
    if negotiation.pending is not None:
        raise UnderWayError(
            f"the message {negotiation.pending.message_id} ({negotiation.pending.step}) has no "
            "answer yet",
            hint="deliver it first",
        )
    _check_length(negotiation, message)
    if message.follows != negotiation.head or message.pid(negotiation.role) != negotiation.pid:
        raise SenderError("expected a message that follows the last one of this negotiation")
    if message.sender is not negotiation.role or message.party != negotiation.party:
        raise SenderError("expected a message of our own")
    next_state(negotiation.state, message.step, negotiation.role)
    check_one_signature(message_document(message), negotiation.party, checks)
    check_content(negotiation, message, checks, at)
    supersedes = negotiation.supersedes or message.supersedes
    return replace(negotiation, pending=message, supersedes=supersedes)


def acknowledge(negotiation: Negotiation, answer: Answer, at: str) -> Negotiation:
    """Return the negotiation after the other side's answer to our message under way.

    An answer to any other message changes nothing. Acknowledged: we move too. To be sent again: all
    stays. Refused for good: the message is given up and the state stays, unless the other side is
    terminated or says that both differ: then we terminate too.
    """
    pending = negotiation.pending
    if pending is None or answer.message_id != pending.message_id:
        return negotiation
    if answer.is_acknowledged:
        return _acknowledged(negotiation, pending, answer, at)
    if answer.state is State.TERMINATED or answer.code == PlaceError.code:
        if _is_finalizing(negotiation) and answer.state is not State.TERMINATED:
            return negotiation
        return _terminated(negotiation, f"the other side answered {answer.code}", at)
    if answer.retry:
        return negotiation
    words = f"{answer.code}: {answer.reason}"
    entry = Entry(Happening.REFUSED, at, negotiation.state, pending, words)
    return replace(negotiation, pending=None, entries=(*negotiation.entries, entry))


def compare(
    negotiation: Negotiation, said: State | None, asked: Negotiation, at: str
) -> Negotiation:
    """Return the negotiation after the other side told its state, terminated where both differ.

    ``asked`` is what it was when we asked: an answer that was overtaken says nothing. One step
    between them is no difference: our message under way may have arrived, and the answer
    to the other side's last message may not have. Who says FINALIZED is never answered by a
    termination: it would not move, and both would differ for good. That is for people to look at.
    """
    was_overtaken = (negotiation.entries, negotiation.pending) != (asked.entries, asked.pending)
    if was_overtaken or negotiation.is_terminal or said is State.FINALIZED:
        return negotiation
    if said in _states_of_peer(negotiation):
        return negotiation
    if said is not State.TERMINATED and _is_finalizing(negotiation):
        return negotiation
    return _terminated(negotiation, f"we were {negotiation.state}, the other side {said}", at)


def abandon(negotiation: Negotiation, words: str, at: str) -> Negotiation:
    """Return a negotiation that was never answered as terminated; its first message is given up.

    Should that arrive after all, the other side learns it from the answer to its next message.
    Raises ConflictError once the other side has answered.
    """
    if negotiation.state is not None:
        raise ConflictError(
            f"expected a negotiation that was never answered, got one that is {negotiation.state}",
            hint="terminate it instead",
        )
    entry = Entry(Happening.WITHDRAWN, at, State.TERMINATED, negotiation.pending, words)
    entries = (*negotiation.entries, entry)
    return replace(negotiation, state=State.TERMINATED, pending=None, entries=entries)


def _is_finalizing(negotiation: Negotiation) -> bool:
    return negotiation.pending is not None and negotiation.pending.step is Step.FINALIZE


def _states_of_peer(negotiation: Negotiation) -> set[State | None]:
    possible = {negotiation.state}
    if negotiation.pending is not None:
        possible.add(next_state(negotiation.state, negotiation.pending.step, negotiation.role))
    applied = [entry for entry in negotiation.entries if entry.happening is Happening.APPLIED]
    last = applied[-1].message if applied else None
    if last is not None and last.sender is not negotiation.role:
        possible.add(applied[-2].state if len(applied) > 1 else None)
    return possible


def _check_sender(negotiation: Negotiation, message: Message) -> None:
    if message.sender is negotiation.role or message.party != negotiation.peer:
        raise SenderError(
            f"expected a message of {negotiation.peer} as {negotiation.role.other}, got one of "
            f"{message.party} as {message.sender}"
        )
    named = message.pid(negotiation.role)
    its_own = message.pid(negotiation.role.other)
    begins = negotiation.state is None and negotiation.pending is None
    may_not_know_us = begins or message.message_id in (negotiation.answered or {})
    if named != negotiation.pid and (named or not may_not_know_us):
        raise SenderError(f"expected a message for {negotiation.pid}, got one for {named or '-'}")
    if negotiation.peer_pid and its_own != negotiation.peer_pid:
        raise SenderError(
            f"expected a message about {negotiation.peer_pid}, got one about {its_own}"
        )


def _check_place(negotiation: Negotiation, message: Message) -> None:
    if negotiation.is_terminal:
        raise EndedError(f"the negotiation is {negotiation.state}, which never changes")
    _check_length(negotiation, message)
    pending = negotiation.pending
    if pending is not None and message.follows == pending.message_id:
        raise EarlyError(
            f"it follows {pending.message_id}, which has not been acknowledged here",
            hint="send it again a little later",
        )
    if _is_finalizing(negotiation):
        raise ClosingError("the negotiation is being finalized")
    if message.follows != negotiation.head:
        raise PlaceError(
            f"expected a message that follows {negotiation.head or 'none'}, got one that follows "
            f"{message.follows or 'none'}",
            hint="the two sides differ, so both terminate; begin a new negotiation",
        )
    is_closing = pending is not None and pending.step is Step.TERMINATE
    if is_closing and message.step is not Step.TERMINATE:
        raise ClosingError("the negotiation is being terminated")


def _check_length(negotiation: Negotiation, message: Message) -> None:
    may_end = Step.TERMINATE in possible_steps(negotiation.state, message.sender)
    ends = message.step is Step.TERMINATE and may_end  # one that may not could be said for ever
    if len(negotiation.entries) >= MESSAGES_MAX and not ends:
        raise LengthError(f"expected at most {MESSAGES_MAX} messages in one negotiation")


def _taken(negotiation: Negotiation, message: Message, reached: State, at: str) -> Applied:
    known = replace(
        negotiation,
        peer_pid=message.pid(message.sender),
        peer_address=message.address or negotiation.peer_address,
        supersedes=negotiation.supersedes or message.supersedes,
    )
    answer = _answer(known, message, state=reached)
    entries = [*known.entries]
    if known.pending is not None:  # ours crossed with their termination, and is void
        words = f"the other side's {message.step} came first"
        entries.append(Entry(Happening.WITHDRAWN, at, known.state, known.pending, words))
    entries.append(Entry(Happening.APPLIED, at, reached, message))
    moved = replace(known, state=reached, entries=tuple(entries), pending=None)
    return Applied(_remembering(moved, message, answer), answer)


def _acknowledged(
    negotiation: Negotiation, pending: Message, answer: Answer, at: str
) -> Negotiation:
    reached = next_state(negotiation.state, pending.step, negotiation.role)
    its_pid = answer.provider_pid if negotiation.role is Role.CONSUMER else answer.consumer_pid
    if answer.state is not reached or not its_pid or negotiation.peer_pid not in ("", its_pid):
        if _is_finalizing(negotiation):
            return negotiation
        return _terminated(negotiation, f"expected {reached}, got {answer.state} as answer", at)
    entry = Entry(Happening.APPLIED, at, reached, pending)
    return replace(
        negotiation,
        state=reached,
        peer_pid=its_pid,
        pending=None,
        entries=(*negotiation.entries, entry),
    )


def _terminated(
    negotiation: Negotiation, words: str, at: str, message: Message | None = None
) -> Negotiation:
    """Return a negotiation that ends because both sides differ; ``message`` showed it."""
    entries = [*negotiation.entries]
    if negotiation.pending is not None:
        entries.append(
            Entry(Happening.WITHDRAWN, at, negotiation.state, negotiation.pending, words)
        )
    entries.append(Entry(Happening.DIFFERED, at, State.TERMINATED, message, words))
    return replace(negotiation, state=State.TERMINATED, pending=None, entries=tuple(entries))


def _differing(negotiation: Negotiation, message: Message, error: PlaceError, at: str) -> Refused:
    ended = _terminated(negotiation, error.message, at, message)
    answer = _answer(ended, message, state=ended.state, error=error)
    return Refused(_remembering(ended, message, answer), answer, error)


def _refused_for_good(
    negotiation: Negotiation, message: Message, error: TercetError, at: str
) -> Refused:
    """Refuse what an authentic message says, and every later copy of it."""
    answer = _answer(negotiation, message, state=negotiation.state, error=error)
    words = f"{error.code}: {error.message}"
    entry = Entry(Happening.REFUSED, at, negotiation.state, message, words)
    noted = replace(negotiation, entries=(*negotiation.entries, entry))
    return Refused(_remembering(noted, message, answer), answer, error)


def _refused(negotiation: Negotiation, message: Message, error: TercetError) -> Refused:
    """Refuse a message for now, or from whoever: it is not remembered."""
    answer = _answer(negotiation, message, state=negotiation.state, error=error)
    return Refused(negotiation, answer, error)


def _refused_to_stranger(negotiation: Negotiation, message: Message, error: TercetError) -> Refused:
    """Refuse a message that may be anybody's: the answer tells nothing of the negotiation."""
    known = replace(negotiation, pid=message.pid(negotiation.role))
    answer = _answer(known, message, state=None, error=error)
    return Refused(negotiation, answer, error)


def _remembering(negotiation: Negotiation, message: Message, answer: Answer) -> Negotiation:
    answered = {
        **(negotiation.answered or {}),
        message.message_id: Answered(message.sha256, answer),
    }
    return replace(negotiation, answered=answered)


def _answer(
    negotiation: Negotiation,
    message: Message,
    *,
    state: State | None,
    error: TercetError | None = None,
) -> Answer:
    is_consumer = negotiation.role is Role.CONSUMER
    return Answer(
        message_id=message.message_id,
        consumer_pid=negotiation.pid if is_consumer else message.consumer_pid,
        provider_pid=message.provider_pid if is_consumer else negotiation.pid,
        state=state,
        code="" if error is None else error.code,
        reason="" if error is None else error.message,
        retry=isinstance(error, EarlyError | ClosingError),
    )
