"""A clearing that is killed, stopped or runs out of disk: nothing half looks whole."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_corpora import URLS, write_evidence, write_table

from tercet.flows.verify import verify

COMMAND = Path(sys.executable).parent / "tercet"
TABLES = 12


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_evidence(folder / "evidence")
    dice = random.Random(4)
    for at in range(TABLES):
        urls = [f"{dice.choice(URLS)}?{n}" for n in range(30_000)]
        write_table(folder / f"{at:02}.parquet", urls, licence=["CC0-1.0"] * len(urls))
    (folder / "all.list").write_text("".join(f"{at:02}.parquet\n" for at in range(TABLES)))
    done = subprocess.run(command(folder, folder / "whole"), capture_output=True, text=True,
                          check=False, env=environment(folder))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def command(corpus: Path, out: Path) -> list[str]:
    return [
        str(COMMAND), "clear", str(corpus / "all.list"), "-o", str(out), "--workers", "2",
        "--declarations", str(corpus / "evidence"),
    ]  # fmt: skip


def environment(corpus: Path) -> dict[str, str]:
    return os.environ | {"TERCET_HOME": str(corpus / "home")}


def parts(out: Path) -> dict[str, bytes]:
    folder = out / "verdicts.parquet"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_killed_at_random_moments_and_run_again(corpus: Path, tmp_path: Path) -> None:
    dice = random.Random(5)
    out = tmp_path / "out"
    kills = 0
    for _ in range(5):
        running = subprocess.Popen(
            command(corpus, out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=environment(corpus),
        )  # fmt: skip
        time.sleep(dice.uniform(0.3, 1.0))
        running.kill()
        kills += running.wait() == -signal.SIGKILL
        for path in (out / "verdicts.parquet").glob("*.parquet"):
            pq.read_metadata(path)  # a part under its name is always whole
        if (out / "clearance.json").exists():  # written last: then all of it is whole
            assert all(check.holds for check in verify(out))
    assert kills
    done = subprocess.run(command(corpus, out), capture_output=True, text=True, check=False,
                          env=environment(corpus))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert parts(out) == parts(corpus / "whole")
    assert all(check.holds for check in verify(out))


def test_ctrl_c_ends_with_130_and_leaves_no_process(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = subprocess.Popen(
        command(corpus, out), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(corpus), start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not list((out / "completions").glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the whole group
    _, shown = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "run the same command again" in shown
    assert "Traceback" not in shown
    assert not (out / "clearance.json").exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_a_full_disk_is_told_and_a_second_run_goes_on(corpus: Path, tmp_path: Path) -> None:
    """The limit on file size stands for the full disk: a write fails in the middle."""
    out = tmp_path / "out"
    done = subprocess.run(
        command(corpus, out), capture_output=True, text=True, check=False, env=environment(corpus),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("hint: ")
    assert any(line.startswith("error: cannot write") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
    assert not (out / "clearance.json").exists()
    assert not parts(out)
    again = subprocess.run(command(corpus, out), capture_output=True, text=True, check=False,
                           env=environment(corpus))  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert parts(out) == parts(corpus / "whole")


def test_an_unfinished_clearing_says_so(corpus: Path, tmp_path: Path) -> None:
    plan = json.loads((corpus / "whole" / "plan.json").read_bytes())
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    done = subprocess.run(
        [COMMAND, "verify", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unfinished" in done.stderr
