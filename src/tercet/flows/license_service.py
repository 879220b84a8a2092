"""What a desk takes in from outside: messages, and questions that anybody may ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.dsp_json import message_from_body
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import TERMINAL, Role, Step
from tercet.consent.licences.party import party_of
from tercet.consent.licences.party_history import PartyGapError, PartyOldVersionError
from tercet.consent.licences.signing import Document
from tercet.core.errors import BusyError, InputError, MissingError, StorageError, TercetError
from tercet.core.limits import DOCUMENT_BYTES_MAX
from tercet.core.strict_json import read_canonical_object, read_json_object
from tercet.flows.desk import OpenDesk, add_party, fetch_party
from tercet.flows.license_post import FILE_SCHEME, checked_address

NEW_OPEN_MAX = 10_000
"""Negotiations begun by others that are not ended; beyond it nobody can begin another."""

PARTIES_MAX = 20_000
"""Parties that are known; beyond it only a person takes in another one."""

FETCHES_MAX = 4
"""Strangers' servers that are asked at a time: one that does not answer holds a thread."""


class Place(StrEnum):
    """Where a message was sent: each place takes some steps only."""

    REQUEST_FIRST = "negotiations/request"
    OFFER_FIRST = "negotiations/offers"
    REQUEST = "negotiations/{pid}/request"
    OFFER = "negotiations/{pid}/offers"
    EVENT = "negotiations/{pid}/events"
    AGREEMENT = "negotiations/{pid}/agreement"
    VERIFICATION = "negotiations/{pid}/agreement/verification"
    TERMINATION = "negotiations/{pid}/termination"


PLACES: dict[tuple[Step, Role], Place] = {
    (Step.REQUEST, Role.CONSUMER): Place.REQUEST,
    (Step.OFFER, Role.PROVIDER): Place.OFFER,
    (Step.ACCEPT, Role.CONSUMER): Place.EVENT,
    (Step.FINALIZE, Role.PROVIDER): Place.EVENT,
    (Step.AGREE, Role.PROVIDER): Place.AGREEMENT,
    (Step.VERIFY, Role.CONSUMER): Place.VERIFICATION,
    (Step.TERMINATE, Role.CONSUMER): Place.TERMINATION,
    (Step.TERMINATE, Role.PROVIDER): Place.TERMINATION,
}
_FIRST = {Place.REQUEST: Place.REQUEST_FIRST, Place.OFFER: Place.OFFER_FIRST}


def place_of(message: Message) -> Place:
    """Return where a message belongs. Raises DocumentError for a step that is not its sender's."""
    place = PLACES.get((message.step, message.sender))
    if place is None:
        raise DocumentError(f"a {message.sender} does not {message.step}")
    is_first = not message.pid(message.sender.other)
    return _FIRST.get(place, place) if is_first else place


class DeskService:
    """A desk as others reach it. Methods may be called from any thread.

    ``on_message`` is called after each message that took effect.
    """

    def __init__(self, desk: OpenDesk, on_message: Callable[[], None] | None = None) -> None:
        self.desk = desk
        self.on_message = on_message or (lambda: None)
        self._fetches = threading.BoundedSemaphore(FETCHES_MAX)

    def receive(self, raw: bytes, place: Place, pid: str) -> Answer:
        """Take the body of a message that came to a place. Raises InputError for what is none."""
        message = message_from_body(raw)
        if place_of(message) is not place:
            raise DocumentError(f"expected another message at {place}, got {message.step}")
        if pid != message.pid(message.sender.other):
            raise DocumentError("expected a message for the negotiation that the path names")
        return self.take(message)

    def take(self, message: Message) -> Answer:
        """Take a message and return what is to be said to it. Raises StorageError."""
        try:
            self._check_address(message)
            self._check_room(message)
            self._introduce(message)
            at = self.desk.clock()
            outcome = self.desk.store.receive(message, at, new_pid=self.desk.make_id())
        except StorageError:
            raise
        except TercetError as error:
            return Answer(
                message_id=message.message_id,
                consumer_pid=message.consumer_pid,
                provider_pid=message.provider_pid,
                state=None,
                code=error.code,
                reason=error.message,
                retry=isinstance(error, BusyError),
            )
        if outcome.answer.is_acknowledged:
            self.on_message()
        return outcome.answer

    def state(self, pid: str) -> Answer:
        """Return the state of a negotiation by our id of it. Raises MissingError."""
        found = self.desk.store.negotiation(pid)
        if found.state is None:
            raise MissingError(f"no negotiation {pid[:80]} here")
        return Answer("", found.consumer_pid, found.provider_pid, found.state)

    def party_documents(self) -> list[dict[str, Any]]:
        """Return every version of our party's document, the first one first."""
        return [dict(version.document) for version in self.desk.history.versions]

    def repertoire(self, sha256: str) -> Path:
        """Return the file of a list of works. Raises MissingError."""
        return self.desk.store.repertoires.path(sha256)

    def end_agreement(self, raw: bytes) -> dict[str, Any]:
        """Take the signed end of an agreement from the other side; say whether it has effect.

        Raises InputError, MissingError for the agreement, or what `Desk.take_termination` raises.
        """
        document = read_json_object(raw, bytes_max=DOCUMENT_BYTES_MAX)
        has_effect = self.desk.store.take_termination(document, self.desk.clock())
        return {"agreement": document["agreement"], "has_effect": has_effect}

    def _check_address(self, message: Message) -> None:
        """A stranger's address must be one that we may talk to."""
        address = message.address
        if not address:
            return
        if address.startswith(FILE_SCHEME) and not self.desk.allow_folders:
            raise InputError("expected an address that a server can reach, got a folder")
        checked_address(
            address, allow_local=self.desk.allow_local, allow_folder=self.desk.allow_folders
        )

    def _check_room(self, message: Message) -> None:
        if message.pid(message.sender.other):
            return
        is_open = [each for each in self.desk.store.negotiations() if each.state not in TERMINAL]
        if len(is_open) >= NEW_OPEN_MAX:
            raise BusyError("too many negotiations are open here", retry_after_s=3600)

    def _introduce(self, message: Message) -> None:
        """Take in who says it: the sender's document, and those before it where one is missing."""
        if not message.introduction:
            return
        document = read_canonical_object(message.introduction)
        if party_of(document).id != message.party:
            raise DocumentError("expected the sender's own document as introduction")
        self._check_newcomer(message)
        try:
            add_party(self.desk, [document])
        except PartyOldVersionError:
            return  # it was sent before a later version that is known: what it signed is checked
        except PartyGapError:
            if not message.address:
                raise
            versions = self._fetched(message.address)
            if any(party_of(each).id != message.party for each in versions):
                raise DocumentError("expected the sender's own documents at its address") from None
            add_party(self.desk, versions)

    def _check_newcomer(self, message: Message) -> None:
        """Who is not known may begin a negotiation, and there is room for so many only."""
        if self.desk.store.knows(message.party):
            return
        if pid := message.pid(message.sender.other):
            raise MissingError(f"no negotiation {pid} here")
        if self.desk.store.party_count() >= PARTIES_MAX:
            raise BusyError("too many parties are known here", retry_after_s=3600)

    def _fetched(self, address: str) -> tuple[Document, ...]:
        if not self._fetches.acquire(blocking=False):
            raise BusyError("too many parties are being asked who they are", retry_after_s=30)
        try:
            return fetch_party(self.desk, address)
        except InputError as error:  # its server may be there a little later
            raise BusyError(error.message, retry_after_s=30) from error
        finally:
            self._fetches.release()
