"""kill -9 while two desks negotiate: what was acknowledged is there, and both end alike."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from itertools import count
from pathlib import Path

from desk_examples import Desks, deliver, make_desks, put_under_way
from negotiation_examples import AT, PEOPLE, agreement, message, uuid

from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.signing import signed
from tercet.core.canonical import canonical_json
from tercet.store.desk import Desk

C, P = Role.CONSUMER, Role.PROVIDER
COURSE = (
    (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT), (P, Step.AGREE), (C, Step.VERIFY),
    (P, Step.FINALIZE),
)  # fmt: skip
KILLS = 4


def step_on(desks: Desks, pids: dict[Role, str], number: int) -> None:
    """Do the next step of a course from wherever both sides are."""
    consumer = desks[C].negotiation(pids[C])
    sender, step = COURSE[len(consumer.applied)]
    side = desks[sender].negotiation(pids[sender])
    if side.pending is None:
        changes = {}
        if step is Step.AGREE:
            text = agreement(side, id=uuid(number, 0xA))
            changes = {"document": canonical_json(signed(text, PEOPLE[P].signer))}
        desks[sender].prepare(message(side, step, number * 10 + len(side.applied), **changes), AT)
    deliver(desks, sender, pids[sender], new=number + 1_000_000)


def write(folder: Path, first: int, pipe: int) -> None:
    """Negotiate without end, and say what was acknowledged: pid and how many messages."""
    desks = {role: Desk.open(folder / role) for role in Role}
    for number in count(first):
        pids = {C: uuid(number, 0xB), P: uuid(number + 1_000_000, 0xB)}
        desks[C].begin(C, desks[P].party, pid=pids[C], peer_address="", at=AT)
        put_under_way(desks[C], pids[C], Step.REQUEST, number * 10)
        os.write(pipe, f"{number} 0\n".encode())
        deliver(desks, C, pids[C], new=number + 1_000_000)
        os.write(pipe, f"{number} 1\n".encode())
        for done in range(2, len(COURSE) + 1):
            step_on(desks, pids, number)
            os.write(pipe, f"{number} {done}\n".encode())


def run_and_kill(folder: Path, first: int, words: int, after_s: float) -> dict[int, int]:
    """Let a writer run until so many words and a moment more, kill it, return what it said last."""
    ours, theirs = os.pipe()
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=write, args=(folder, first, theirs))
    writer.start()
    os.close(theirs)
    said = b""
    while said.count(b"\n") < words:
        said += os.read(ours, 4096)
    time.sleep(after_s)
    assert writer.is_alive()
    os.kill(writer.pid or 0, signal.SIGKILL)
    while more := os.read(ours, 65536):
        said += more
    os.close(ours)
    writer.join()
    lines = said[: said.rfind(b"\n") + 1].decode().splitlines()
    return {int(number): int(done) for number, done in map(str.split, lines)}


def finish(desks: Desks, number: int) -> dict[Role, str]:
    """Go on where the killed one stopped: what is under way is sent again, then the rest."""
    pids = {C: uuid(number, 0xB), P: uuid(number + 1_000_000, 0xB)}
    for role in Role:
        if any(listed.pid == pids[role] for listed in desks[role].negotiations()):
            for under_way in desks[role].outbox(pid=pids[role]):
                deliver(desks, role, under_way.pid, new=number + 1_000_000)
    while desks[C].negotiation(pids[C]).state is not State.FINALIZED:
        step_on(desks, pids, number)
    return pids


def test_nothing_acknowledged_is_lost_and_both_end_alike(tmp_path: Path) -> None:
    for desk in make_desks(tmp_path).values():
        desk.close()
    randomness = random.Random(5)
    acknowledged: dict[int, int] = {}
    for kill in range(KILLS):
        words, after_s = randomness.randint(1, 12), randomness.uniform(0, 0.1)
        acknowledged |= run_and_kill(tmp_path, 1 + kill * 1_000, words, after_s)
        desks = {role: Desk.open(tmp_path / role) for role in Role}
        for number, done in acknowledged.items():
            pid = uuid(number, 0xB)
            consumer = desks[C].negotiation(pid)
            assert len(consumer.applied) >= done
            assert done or consumer.pending or consumer.applied
        for desk in desks.values():
            desk.close()
    assert sum(acknowledged.values()) >= KILLS
    desks = {role: Desk.open(tmp_path / role) for role in Role}
    for number in acknowledged:
        pids = finish(desks, number)
        consumer, provider = (desks[role].negotiation(pids[role]) for role in (C, P))
        assert consumer.state is provider.state is State.FINALIZED
        assert consumer.applied == provider.applied
    texts = {role: [each.document for each in desks[role].agreements()] for role in Role}
    assert sorted(map(canonical_json, texts[C])) == sorted(map(canonical_json, texts[P]))
    assert len(texts[C]) == len(acknowledged)
