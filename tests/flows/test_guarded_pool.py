"""Children at work on hostile files: one that dies, hangs or grows costs one item."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_corpora import FREE, PROHIBITED, png, run, verdicts

from tercet.consent.corpora import Member
from tercet.flows import local_evidence
from tercet.flows.explain import explain
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map

GUARD = Guard(seconds=1.0, memory_bytes=256 * 1024 * 1024)


def hostile(number: int) -> int:
    if number == 3:
        os._exit(9)
    if number == 5:
        time.sleep(60)
    if number == 7:
        return len(bytearray(1 << 30))
    if number == 11:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_has_one_result_whatever_the_others_do(workers: int) -> None:
    found = dict(guarded_map(hostile, iter(range(50)), workers=workers, guard=GUARD))
    lost = {number: each.reason for number, each in found.items() if isinstance(each, Casualty)}
    assert set(found) == set(range(50))
    assert set(lost) == {3, 5, 7, 11}
    assert "exit code 9" in lost[3]
    assert "longer than 1 s" in lost[5]
    assert "memory" in lost[7]
    assert all(found[number] == number * number for number in found.keys() - lost.keys())


def test_nothing_to_do() -> None:
    assert list(guarded_map(hostile, iter([]), workers=2, guard=GUARD)) == []


def test_a_defect_of_ours_is_raised_not_hidden() -> None:
    with pytest.raises(TypeError):
        list(guarded_map(len, iter([1]), workers=1, guard=GUARD))  # type: ignore[arg-type]


def test_children_end_when_the_run_is_left() -> None:
    running = guarded_map(_pid, iter(range(40)), workers=2, guard=GUARD)
    pids = {next(running)[1] for _ in range(30)}
    running.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _pid(_: int) -> int:
    return os.getpid()


def test_a_file_that_brings_the_reader_down_is_held_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    for name, packet in (("a.png", FREE), ("bomb.png", FREE), ("c.png", PROHIBITED)):
        (folder / name).write_bytes(png(packet))
    whole = local_evidence.capture_member

    def fragile(member: Member) -> list:
        if member.item == "bomb.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(member)

    monkeypatch.setattr(local_evidence, "capture_member", fragile)
    run(tmp_path, folder)
    found = {row["item"]: row["verdict"] for row in verdicts(tmp_path / "out")}
    assert found == {"a.png": "cleared", "bomb.png": "held", "c.png": "blocked"}
    why = explain(tmp_path / "out", "bomb.png")
    assert [(asked.is_doubt, "died" in asked.note) for asked in why.asked] == [(True, True)]


PARENT = r"""
import os, sys, time
from tercet.flows.guarded_pool import Guard, guarded_map
def work(_):
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(60)
list(guarded_map(work, iter(range(2)), workers=1, guard=Guard(60, 1 << 28)))
"""


def test_children_of_a_killed_parent_end_too() -> None:
    """They hold each other's pipes open, so no end of file would ever tell them."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _alive(child):
        time.sleep(0.05)
    assert not _alive(child)
    parent.stdout.close()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
