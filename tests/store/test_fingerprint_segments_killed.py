"""Writers are killed: at every step they take on the disk, and at moments nobody chose."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tercet.consent.fingerprints.fingerprint import Fingerprint, Track
from tercet.store import fingerprint_segments
from tercet.store.fingerprint_segments import FingerprintSegments

RADII = {"image-1": {"codes": 31}}
STEPS = (
    (os, "fsync"), (os, "rename"), (os, "unlink"), (os, "rmdir"),
    (Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"),
)  # fmt: skip


def picture(work: int) -> Fingerprint:
    codes = np.random.default_rng(work).integers(0, 256, (4, 32), dtype=np.uint8)
    return Fingerprint("image-1", {"codes": Track(codes, np.ones((4, 2), np.float32))}, (1.0,))


def write(folder: Path, works: range) -> None:
    FingerprintSegments(folder).write([(work, picture(work)) for work in works], RADII)


def in_a_child(act: Callable[[], None]) -> int:
    """Run ``act`` in a forked process and return the process's number."""
    child = os.fork()
    if child:
        return child
    try:
        act()
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happens
        os._exit(1)
    os._exit(0)


def dying_at(step: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return ``act``, killed when it takes step number ``step`` on the disk."""

    def run() -> None:
        left = step

        def counted(function: Any) -> Any:
            def called(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)

            return called

        for owner, name in STEPS:
            setattr(owner, name, counted(getattr(owner, name)))
        act()

    return run


def holds(folder: Path, works: set[int]) -> bool:
    """Tell whether exactly ``works`` are found and read back."""
    reader = FingerprintSegments(folder).reader()
    return set(reader.works().tolist()) == works and all(
        set(reader.search("image-1", "codes", picture(work).tracks["codes"].keys, 0, 9).work)
        == {work}
        and reader.fingerprint(work, "image-1") is not None
        for work in works
    )


@pytest.mark.parametrize("action", ["write", "remove", "compact", "write and merge"])
def test_killed_at_every_step(tmp_path: Path, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step is the last, the store is as before or as after, and goes on working."""
    monkeypatch.setattr(fingerprint_segments, "TIER_SEGMENTS_MAX", 2 if "merge" in action else 8)
    start = tmp_path / "start"
    write(start, range(1, 4))
    write(start, range(4, 6))
    FingerprintSegments(start).remove([2])
    before = {1, 3, 4, 5}
    acts: dict[str, tuple[Callable[[Path], object], set[int]]] = {
        "write": (lambda folder: write(folder, range(8, 10)), before | {8, 9}),
        "write and merge": (lambda folder: write(folder, range(8, 10)), before | {8, 9}),
        "remove": (lambda folder: FingerprintSegments(folder).remove([4]), before - {4}),
        "compact": (lambda folder: FingerprintSegments(folder).compact(), before),
    }
    act, after = acts[action]
    step, status, outcomes = 0, 1, []
    while status:
        folder = tmp_path / str(step)
        shutil.copytree(start, folder)
        _, status = os.waitpid(in_a_child(dying_at(step, lambda at=folder: act(at))), 0)
        assert status in {0, signal.SIGKILL}
        outcomes.append(holds(folder, after))
        assert outcomes[-1] or (status and holds(folder, before))
        assert FingerprintSegments(folder).check() == []
        write(folder, range(20, 21))
        assert holds(folder, (after if outcomes[-1] else before) | {20})
        live = FingerprintSegments(folder).reader().segments
        assert sum(path.is_dir() for path in folder.iterdir()) == len(live)
        step += 1
    assert step > 3  # some steps there were
    assert outcomes[-1]


def keep_writing(folder: Path, first: int, acknowledge: int) -> None:
    """Write, remove and compact until killed; tell through a pipe what was done."""
    store = FingerprintSegments(folder)
    for work in range(first, first + 1_000):
        write(folder, range(work, work + 1))
        os.write(acknowledge, f"+{work}\n".encode())
        if work % 5 == 0:
            os.write(acknowledge, f"?{work - 2}\n".encode())
            store.remove([work - 2])
            os.write(acknowledge, f"-{work - 2}\n".encode())
        if work % 7 == 0:
            store.compact()


def killed_often(folder: Path, kills: int) -> None:
    moments = random.Random(20)
    live: set[int] = set()
    for kill in range(kills):
        first = 1 + 1_000 * kill
        read, acknowledge = os.pipe()
        child = in_a_child(lambda: keep_writing(folder, first, acknowledge))  # noqa: B023
        os.close(acknowledge)
        time.sleep(moments.uniform(0.005, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read) as told:
            lines = told.read().splitlines()
        marked = {mark: {int(line[1:]) for line in lines if line[0] == mark} for mark in "+?-"}
        live = (live | marked["+"]) - marked["-"]
        unsure = marked["?"] - marked["-"]
        store = FingerprintSegments(folder)
        found = set(store.reader().works().tolist())
        assert live - unsure <= found
        # Beyond what was acknowledged: the work of the write that was killed, if it came to that.
        assert len(found - live) <= 1
        assert not found & marked["-"]
        assert holds(folder, found)
        live = found
    assert FingerprintSegments(folder).check() == []


def test_killed_at_random_moments(tmp_path: Path) -> None:
    killed_often(tmp_path, 20)


@pytest.mark.slow
def test_killed_at_a_hundred_random_moments(tmp_path: Path) -> None:
    killed_often(tmp_path, 100)


def test_readers_while_a_writer_merges(tmp_path: Path) -> None:
    """Every reader sees a whole number of writes, in order, however often segments go away."""
    write(tmp_path, range(1, 2))
    read, acknowledge = os.pipe()
    child = in_a_child(lambda: keep_writing(tmp_path, 2, acknowledge))
    store, last, end = FingerprintSegments(tmp_path), 0, time.monotonic() + 1.0
    try:
        while time.monotonic() < end:
            works = store.reader().works().tolist()
            kept = [w for w in range(1, works[-1] + 1) if (w + 2) % 5 or w + 2 > works[-1]]
            assert set(kept) <= set(works)
            assert works[-1] >= last
            last = works[-1]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(read)
        os.close(acknowledge)
    assert last > 2
