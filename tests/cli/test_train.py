"""tercet train as people use it: progress, Ctrl-C, JSON, errors."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tercet.cli.main import main
from tercet.cli.train import _duration, stop_on_signal

WORK = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
    "<rect width='7' height='7' fill='red'/></svg>"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clearance of one drawing, made by the command."""
    folder = tmp_path_factory.mktemp("train")
    work = folder / "car.svg"
    work.write_text(WORK)
    row = {
        "path": "car.svg",
        "sha256": hashlib.sha256(work.read_bytes()).hexdigest(),
        "licence": "CC0-1.0",
        "owner": "A. Person",
        "title": "Car",
        "noun": "car",
        "kind": "vehicle",
    }
    (folder / "works.jsonl").write_text(json.dumps(row) + "\n")
    assert run("clear", folder / "works.jsonl", "-o", folder / "out", "--key", folder / "k") == 0
    return folder


def run(*arguments: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return ended.value.code


def options(place: Path, out: Path, *more: object) -> list[str]:
    given = ["train", place / "out", "-o", out, "--key", place / "k", "--size", "xs",
             "--device", "cpu", "--batch", 1, "--grid-every", 0, *more]  # fmt: skip
    return [str(each) for each in given]


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = options(place, tmp_path / "run", "--steps", 400)
    process = subprocess.Popen(
        [sys.executable, "-m", "tercet", *command],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    batches = tmp_path / "run" / "batches.txt"
    while process.poll() is None and not (batches.exists() and batches.stat().st_size >= 130):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping after this step" in told
    assert "of 400, which is saved; the same command goes on there" in told
    assert "loss" in told
    done = len(batches.read_bytes().splitlines())
    assert 2 <= done < 400
    capsys.readouterr()
    assert run(*command, "--minutes", 1e-9, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["step"] == found["record"]["steps"] == done + 1
    assert found["chain"] == found["record"]["chain"]["last"]
    assert run("verify", found["model"]) == 0


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--steps", "0"], 2, "expected 1 to 10000000 steps, got 0"),
        (["--size", "huge"], 2, "expected a size of xs, s, m, l"),
        (["--nouns", "dragon, unicorn"], 1, "none of 1 cleared works can be learned from"),
        (["--public-key", "A" * 43 + "="], 1, "is signed with key"),
        (["--public-key", "no key"], 2, "public key"),
        (["--corpus", "nowhere.jsonl"], 2, "no such file or folder"),
        (["--device", "tpu"], 2, "tpu"),
    ],
)
def test_bad_input(
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    said: str,
) -> None:
    assert run(*options(place, tmp_path / "run", *more)) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_no_clearance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("train", tmp_path / "out", "-o", tmp_path / "run", "--key", tmp_path / "k")
    assert code == 2
    assert "no clearance in" in capsys.readouterr().err


def test_a_second_signal_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signal() as is_stopped:
        assert not is_stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert is_stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_durations() -> None:
    assert _duration(59.6) == "1 min 00 s"
    assert _duration(3_725) == "1 h 02 min"
