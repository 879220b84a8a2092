"""Delivery: what is in a desk's outbox goes to the other side, again and again until answered.

To a server by the protocol's HTTPS binding, to a desk on this machine directly. A message that was
delivered twice has one effect, so that trying again is always right.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tercet.consent.licences.dsp_json import answer_from, dsp_body
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import State
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.signing import Document
from tercet.core.canonical import canonical_json
from tercet.core.errors import BusyError, InputError, MissingError, TercetError
from tercet.flows.desk import OpenDesk, open_desk
from tercet.flows.license_answer import answer_all
from tercet.flows.license_post import FILE_SCHEME, checked_address, send
from tercet.flows.license_service import DeskService, place_of
from tercet.store.desk_negotiations import UnderWay

RETRY_AFTER_S = (1, 1, 2, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)
"""Waits between attempts; the last one for ever: only its sender gives a message up."""

_LOOK_EVERY_S = 1.0
_ROUND_S = 5.0  # then what is new is looked for, before those who did not answer are tried again
_LOG = logging.getLogger("tercet.license")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one attempt. ``answer`` is None where there was none; ``note`` says why."""

    negotiation: Negotiation
    message: Message
    answer: Answer | None
    note: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the message is no longer under way."""
        return self.negotiation.pending is None


def deliver(desk: OpenDesk, *, pid: str = "", only_due: bool = False) -> tuple[Delivery, ...]:
    """Try every message under way once, or that of one negotiation, or only those due."""
    return tuple(_deliveries(desk, pid=pid, only_due=only_due))


def _deliveries(desk: OpenDesk, *, pid: str = "", only_due: bool = False) -> Iterator[Delivery]:
    """Try one message after another: new ones first, for servers may be gone and take long."""
    due_at = desk.clock() if only_due else ""
    under_way = desk.store.outbox(due_at=due_at, pid=pid)
    for each in sorted(under_way, key=lambda each: each.attempts > 0):
        yield _deliver(desk, each)


def ask_state(desk: OpenDesk, pid: str) -> Negotiation:
    """Ask the other side for its state; where the two differ, ours is terminated.

    Raises InputError where it does not answer.
    """
    asked = desk.store.negotiation(pid)
    if not asked.peer_pid:
        raise InputError("the other side has not answered yet", hint="`tercet license deliver`")
    said = _told_state(desk, asked)
    return desk.store.compare(asked, said, desk.clock())


def tell_end(desk: OpenDesk, document: Document) -> str:
    """Give the other side the signed end of an agreement; return why it was not taken, or "".

    Raises MissingError where the agreement is not here.
    """
    kept = desk.store.agreement(str(document["agreement"]))
    if not kept.pid:
        return "the agreement was not negotiated here: give the document to the other side"
    address = desk.store.negotiation(kept.pid).peer_address
    raw = canonical_json(dict(document))
    try:
        if address.startswith(FILE_SCHEME):
            DeskService(_neighbour(desk, address)).end_agreement(raw)
            return ""
        url = f"{_checked(desk, address)}/terminations"
    except TercetError as error:
        return error.message
    reply = send("POST", url, raw, allow_local=desk.allow_local)
    return "" if reply.is_good else reply.note or f"its server answered {reply.status}"


def _told_state(desk: OpenDesk, asked: Negotiation) -> State | None:
    address = asked.peer_address
    if address.startswith(FILE_SCHEME):
        try:
            return DeskService(_neighbour(desk, address)).state(asked.peer_pid).state
        except MissingError:
            return None
    url = f"{_checked(desk, address)}/negotiations/{asked.peer_pid}"
    reply = send("GET", url, allow_local=desk.allow_local)
    if reply.status == 404:
        return None
    if not reply.is_good:
        raise InputError(f"{address} does not answer: {reply.note or reply.status}")
    return answer_from(reply.body).state


def _deliver(desk: OpenDesk, under_way: UnderWay) -> Delivery:
    message = under_way.message
    try:
        answer = _answer_to(desk, under_way)
    except TercetError as error:
        return _put_off(desk, under_way, None, error.message)
    after = desk.store.acknowledge(under_way.pid, answer, desk.clock())
    if after.pending is not None and after.pending.message_id == message.message_id:
        return _put_off(desk, under_way, answer, f"{answer.code}: {answer.reason}")
    return Delivery(after, message, answer, answer.reason)


def _put_off(desk: OpenDesk, under_way: UnderWay, answer: Answer | None, note: str) -> Delivery:
    wait_s = RETRY_AFTER_S[min(under_way.attempts, len(RETRY_AFTER_S) - 1)]
    moment = datetime.strptime(desk.clock(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    due_at = (moment + timedelta(seconds=wait_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    desk.store.put_off(under_way.pid, due_at=due_at, note=note)
    negotiation = desk.store.negotiation(under_way.pid)
    return Delivery(negotiation, under_way.message, answer, note)


def _answer_to(desk: OpenDesk, under_way: UnderWay) -> Answer:
    """Return the other side's answer. Raises TercetError where none came."""
    address, message = under_way.peer_address, under_way.message
    if not address:
        raise InputError(
            f"no address of {under_way.peer} is known",
            hint="the other side fetches it, or give it with `tercet license deliver --to`",
        )
    if address.startswith(FILE_SCHEME):
        return DeskService(_neighbour(desk, address)).take(message)
    pid = message.pid(message.sender.other)
    url = f"{_checked(desk, address)}/{place_of(message).format(pid=pid)}"
    body = json.dumps(dsp_body(message), separators=(",", ":")).encode("ascii")
    reply = send("POST", url, body, allow_local=desk.allow_local)
    if not reply.is_final and reply.status != 409:
        raise BusyError(reply.note or f"the server answered {reply.status}", retry_after_s=1)
    answer = answer_from(reply.body)
    if answer.message_id != message.message_id:
        raise InputError(
            f"the server answered {reply.status}, {answer.code or 'to another message'}"
        )
    return answer


def _neighbour(desk: OpenDesk, address: str) -> OpenDesk:
    """Return the desk in a folder of this machine, to hand it something."""
    if not desk.allow_folders:
        raise InputError("a server delivers to no folder")
    folder = Path(address.removeprefix(FILE_SCHEME))
    return open_desk(folder, clock=desk.clock, allow_local=desk.allow_local)


def _checked(desk: OpenDesk, address: str) -> str:
    return checked_address(address, allow_local=desk.allow_local)


class Courier:
    """A thread that delivers what a served desk says, and answers where it is told to."""

    def __init__(self, desk: OpenDesk, *, answers: bool = False) -> None:
        self.service = DeskService(desk, self.ring)
        self._desk = desk
        self._answers = answers
        self._bell = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def ring(self) -> None:
        """Say that there may be something to do."""
        self._bell.set()

    def close(self) -> None:
        """End; what is not delivered stays in the outbox."""
        self._closing = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()
        self._desk.store.close()

    def _run(self) -> None:
        while not self._closing:
            try:
                self._work()
            except TercetError as error:
                _LOG.error("desk: %s", error.message)
            self._bell.wait(_LOOK_EVERY_S)
            self._bell.clear()

    def _work(self) -> None:
        if self._answers:
            answer_all(self._desk)
        until_s = time.monotonic() + _ROUND_S
        for delivery in _deliveries(self._desk, only_due=True):
            if not delivery.is_done:
                _LOG.info("to %s: %s", delivery.negotiation.peer, delivery.note)
            if self._closing or time.monotonic() > until_s:
                return
