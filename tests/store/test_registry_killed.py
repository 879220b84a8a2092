"""kill -9 while works are registered: what was acknowledged is there, and the registry is whole."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from itertools import count
from pathlib import Path

from registry_examples import PROSE, by, make, registration, with_text

from tercet.store.registry import Registry
from tercet.store.registry_check import differences

KILLS = 12


def write(folder: Path, name: str, pipe: int) -> None:
    """Register and withdraw without end, and say what was acknowledged."""
    registry = Registry.open(folder)
    for number in count():
        words = PROSE + " ".join(f"{name} {number} word{letter}" for letter in "abcdefgh")
        batch = [
            with_text(registration(f"{name}-{number}"), words),
            registration(f"{name}-{number} by hash"),
        ]
        results = registry.register(batch, by("ann"))
        for one, result in zip(batch, results, strict=True):
            os.write(pipe, f"{one.work.sha256} {result.number}\n".encode())
        if number % 3 == 2:
            registry.withdraw(results[0].claim_ids[0], "", by("ann"))
            os.write(pipe, f"withdrawn {results[0].number}\n".encode())


def run_and_kill(folder: Path, name: str, after_s: float) -> list[str]:
    """Let a writer run for ``after_s`` beyond its first word, kill it, and return what it said."""
    ours, theirs = os.pipe()
    writer = multiprocessing.get_context("fork").Process(target=write, args=(folder, name, theirs))
    writer.start()
    os.close(theirs)
    said = os.read(ours, 4096)
    time.sleep(after_s)
    assert writer.is_alive()
    os.kill(writer.pid or 0, signal.SIGKILL)
    while more := os.read(ours, 65536):
        said += more
    os.close(ours)
    writer.join()
    return said[: said.rfind(b"\n") + 1].decode().splitlines()


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    make(tmp_path).close()
    randomness = random.Random(7)
    acknowledged: dict[str, int] = {}
    withdrawn: set[int] = set()
    for round_number in range(KILLS):
        for line in run_and_kill(tmp_path, str(round_number), randomness.uniform(0, 0.2)):
            first, number = line.split()
            if first == "withdrawn":
                withdrawn.add(int(number))
            else:
                acknowledged[first] = int(number)
        registry = Registry.open(tmp_path)
        live = registry.live(acknowledged.values())
        assert not live & withdrawn
        lost = set(acknowledged.values()) - live - withdrawn
        assert len(lost) <= 1, "one withdrawal a kill may be done and not yet told"
        withdrawn |= lost
        found = registry.works_by_sha256(acknowledged)
        assert found == {d: [n] for d, n in acknowledged.items() if n not in withdrawn}
        assert differences(registry) == []
        registry.close()
    assert len(acknowledged) >= 2 * KILLS
