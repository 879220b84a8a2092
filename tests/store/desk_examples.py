"""Two desks of two parties, for tests: made, introduced to each other, and driven."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "consent" / "licences"))

from negotiation_examples import AT, PEOPLE, Person, message, uuid

from tercet.consent.licences.messages import Message
from tercet.consent.licences.negotiation import Role, Step
from tercet.consent.licences.party import new_party, party_document
from tercet.consent.licences.signing import Document, signed
from tercet.store.desk import Desk

Desks = dict[Role, Desk]


def card(of: Person) -> Document:
    """Return the signed document of a party."""
    made_at = "2026-01-01T00:00:00Z"
    return signed(
        party_document(new_party(of.name, "", made_at, [of.signer.public_raw])), of.signer
    )


def make_desks(folder: Path) -> Desks:
    """Return the desks of both parties, which know each other."""
    desks = {role: Desk.make(folder / role, card(PEOPLE[role]), AT) for role in Role}
    for role, desk in desks.items():
        desk.take_parties([card(PEOPLE[role.other])], AT)
    return desks


def put_under_way(desk: Desk, pid: str, step: Step, number: int) -> Message:
    """Sign a message from a desk and put it into its outbox."""
    sent = message(desk.negotiation(pid), step, number)
    desk.prepare(sent, AT)
    return sent


def deliver(desks: Desks, sender: Role, pid: str, *, at: str = AT, new: int = 77) -> None:
    """Deliver the message under way of a negotiation, and its answer."""
    (under_way,) = desks[sender].outbox(pid=pid)
    outcome = desks[sender.other].receive(under_way.message, at, new_pid=uuid(new, 0xB))
    desks[sender].acknowledge(pid, outcome.answer, at)


def drive(desks: Desks, *steps: tuple[Role, Step], first: int = 1) -> dict[Role, str]:
    """Take a new negotiation through steps; return both ids of it."""
    starter = steps[0][0]
    pids = {starter: uuid(first, 0xB)}
    peer = PEOPLE[starter.other].id
    desks[starter].begin(starter, peer, pid=pids[starter], peer_address="", at=AT)
    for at, (sender, step) in enumerate(steps):
        put_under_way(desks[sender], pids[sender], step, first * 100 + at)
        deliver(desks, sender, pids[sender], new=first + 1000)
        pids[sender.other] = desks[sender].negotiation(pids[sender]).peer_pid
    return pids
