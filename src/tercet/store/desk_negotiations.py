"""Negotiations in a desk: read whole as values, and what is new of a value written.

Each function is called inside one transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from tercet.consent.licences.dsp_json import answer_from, dsp_answer
from tercet.consent.licences.messages import Message, message_of
from tercet.consent.licences.negotiation import Role, State
from tercet.consent.licences.negotiation_side import Answered, Entry, Happening, Negotiation
from tercet.core.canonical import canonical_json
from tercet.core.errors import MissingError
from tercet.store.desk_schema import ANSWERS, HISTORY, MESSAGES, NEGOTIATIONS, OUTBOX


@dataclass(frozen=True, slots=True)
class Listed:
    """A negotiation in a list."""

    pid: str
    role: Role
    peer: str
    peer_pid: str
    state: State | None
    pending_step: str
    opened_at: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A message of ours that is to be sent: to whom, how often it was tried, what came of it."""

    message: Message
    pid: str
    peer: str
    peer_address: str
    attempts: int
    due_at: str
    note: str


def negotiation_in(connection: Connection, pid: str) -> Negotiation:
    """Return a negotiation by our id of it. Raises MissingError."""
    row = connection.execute(select(NEGOTIATIONS).where(NEGOTIATIONS.c.pid == pid)).one_or_none()
    if row is None:
        raise MissingError(f"no negotiation {pid} here", hint="`tercet license show` lists them")
    messages = _messages(connection, pid)
    pending = [each for each in messages.values() if each.message_id == row.pending]
    return Negotiation(
        role=Role(row.role),
        pid=row.pid,
        party=row.party,
        peer=row.peer,
        peer_pid=row.peer_pid,
        peer_address=row.peer_address,
        supersedes=row.supersedes,
        state=_state(row.state),
        entries=_entries(connection, pid, messages),
        pending=next((each for each in pending if each.sender == row.role), None),
        answered=_answered(connection, pid),
    )


def pid_of_peer(connection: Connection, peer: str, peer_pid: str, role: Role) -> str:
    """Return our id of the negotiation that a party calls ``peer_pid``, empty for none."""
    query = select(NEGOTIATIONS.c.pid).where(
        NEGOTIATIONS.c.peer == peer,
        NEGOTIATIONS.c.peer_pid == peer_pid,
        NEGOTIATIONS.c.role == role,
    )
    return connection.execute(query).scalar() or ""


def list_negotiations(connection: Connection, *, peer: str = "") -> tuple[Listed, ...]:
    """Return all negotiations, or those with one party, the latest change first."""
    query = select(NEGOTIATIONS).order_by(NEGOTIATIONS.c.changed_at.desc(), NEGOTIATIONS.c.pid)
    if peer:
        query = query.where(NEGOTIATIONS.c.peer == peer)
    return tuple(
        Listed(
            pid=row.pid,
            role=Role(row.role),
            peer=row.peer,
            peer_pid=row.peer_pid,
            state=_state(row.state),
            pending_step=row.pending_step,
            opened_at=row.opened_at,
            changed_at=row.changed_at,
        )
        for row in connection.execute(query)
    )


def add_negotiation(connection: Connection, negotiation: Negotiation, at: str) -> None:
    """Write a negotiation in which nothing has happened yet."""
    connection.execute(
        insert(NEGOTIATIONS).values(
            pid=negotiation.pid,
            role=str(negotiation.role),
            party=negotiation.party,
            opened_at=at,
            **_standing(negotiation, at),
        )
    )


def save_negotiation(
    connection: Connection, before: Negotiation, after: Negotiation, at: str
) -> None:
    """Write what is new in ``after``: entries, answers, and the message under way."""
    if after == before:
        return
    pid = after.pid
    numbers = {}
    if after.pending is not None and after.pending != before.pending:
        numbers[after.pending.message_id] = _add_message(connection, pid, after.pending, at)
    for position, entry in enumerate(after.entries):
        if position >= len(before.entries):
            _add_entry(connection, pid, position, entry)
    had = before.answered or {}
    for message_id, answered in (after.answered or {}).items():
        if message_id not in had:
            connection.execute(
                insert(ANSWERS).values(
                    pid=pid,
                    message_id=message_id,
                    sha256=answered.sha256,
                    answer=canonical_json(dsp_answer(answered.answer)),
                    at=at,
                )
            )
    if after.pending != before.pending:
        connection.execute(delete(OUTBOX).where(OUTBOX.c.pid == pid))
        if after.pending is not None:
            number = numbers[after.pending.message_id]
            connection.execute(
                insert(OUTBOX).values(message=number, pid=pid, attempts=0, due_at=at, note="")
            )
    connection.execute(
        update(NEGOTIATIONS).where(NEGOTIATIONS.c.pid == pid).values(**_standing(after, at))
    )


def outbox(connection: Connection, *, due_at: str = "", pid: str = "") -> tuple[UnderWay, ...]:
    """Return the messages under way, the longest due first: all, those due, or of one."""
    query = (
        select(OUTBOX, MESSAGES.c.message.label("raw"), NEGOTIATIONS.c.peer,
               NEGOTIATIONS.c.peer_address)
        .join(MESSAGES, MESSAGES.c.number == OUTBOX.c.message)
        .join(NEGOTIATIONS, NEGOTIATIONS.c.pid == OUTBOX.c.pid)
        .order_by(OUTBOX.c.due_at, OUTBOX.c.message)
    )  # fmt: skip
    if due_at:
        query = query.where(OUTBOX.c.due_at <= due_at)
    if pid:
        query = query.where(OUTBOX.c.pid == pid)
    return tuple(
        UnderWay(
            message=message_of(json.loads(row.raw)),
            pid=row.pid,
            peer=row.peer,
            peer_address=row.peer_address,
            attempts=row.attempts,
            due_at=row.due_at,
            note=row.note,
        )
        for row in connection.execute(query)
    )


def put_off(connection: Connection, pid: str, *, due_at: str, note: str) -> None:
    """Note that the message under way was tried in vain, and when to try again."""
    connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.pid == pid)
        .values(attempts=OUTBOX.c.attempts + 1, due_at=due_at, note=note[:500])
    )


def _standing(negotiation: Negotiation, at: str) -> dict[str, str]:
    pending = negotiation.pending
    return {
        "peer": negotiation.peer,
        "peer_pid": negotiation.peer_pid,
        "peer_address": negotiation.peer_address,
        "supersedes": negotiation.supersedes,
        "state": str(negotiation.state or ""),
        "pending": "" if pending is None else pending.message_id,
        "pending_step": "" if pending is None else str(pending.step),
        "changed_at": at,
    }


def _add_message(connection: Connection, pid: str, message: Message, at: str) -> int:
    """Return the number of a message, written where it is not known yet."""
    known = connection.execute(
        select(MESSAGES.c.number).where(
            MESSAGES.c.pid == pid,
            MESSAGES.c.sender == str(message.sender),
            MESSAGES.c.message_id == message.message_id,
        )
    ).scalar()
    if known is not None:
        return int(known)
    done = connection.execute(
        insert(MESSAGES).values(
            pid=pid,
            sender=str(message.sender),
            message_id=message.message_id,
            step=str(message.step),
            sha256=message.sha256,
            message=message.raw,
            at=at,
        )
    )
    return int(done.lastrowid)


def _add_entry(connection: Connection, pid: str, position: int, entry: Entry) -> None:
    message = entry.message
    number = None if message is None else _add_message(connection, pid, message, entry.at)
    connection.execute(
        insert(HISTORY).values(
            pid=pid,
            position=position,
            happening=str(entry.happening),
            state=str(entry.state or ""),
            message=number,
            words=entry.words,
            at=entry.at,
        )
    )


def _messages(connection: Connection, pid: str) -> dict[int, Message]:
    query = select(MESSAGES.c.number, MESSAGES.c.message).where(MESSAGES.c.pid == pid)
    return {row.number: message_of(json.loads(row.message)) for row in connection.execute(query)}


def _entries(connection: Connection, pid: str, messages: dict[int, Message]) -> tuple[Entry, ...]:
    query = select(HISTORY).where(HISTORY.c.pid == pid).order_by(HISTORY.c.position)
    return tuple(_entry(row, messages) for row in connection.execute(query))


def _entry(row: Row[tuple[object, ...]], messages: dict[int, Message]) -> Entry:
    message = None if row.message is None else messages[row.message]
    return Entry(Happening(row.happening), row.at, _state(row.state), message, row.words)


def _answered(connection: Connection, pid: str) -> dict[str, Answered]:
    query = select(ANSWERS).where(ANSWERS.c.pid == pid)
    return {
        row.message_id: Answered(row.sha256, answer_from(row.answer))
        for row in connection.execute(query)
    }


def _state(text: str) -> State | None:
    return State(text) if text else None
