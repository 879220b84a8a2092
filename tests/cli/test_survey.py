"""tercet survey as people call it: exit codes, streams, and what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from loopback import LoopbackServer

from tercet.cli.main import main

ROBOTS = b"User-agent: GPTBot\nDisallow: /\n"


@pytest.fixture
def server() -> Any:
    with LoopbackServer(lambda host, path: ROBOTS if path == "/robots.txt" else None) as server:
        yield server


def arguments(server: Any, out: Path, *more: str) -> list[str]:
    table = out.with_suffix(".csv")
    rows = [f"http://{name}.example:{server.port}/a.jpg" for name in ("a", "b", "c")]
    table.write_text("\n".join(["url", *rows, "no url at all"]) + "\n")
    return [
        *("survey", str(table), "-o", str(out), "--contact", "bot@tests.example"),
        *("--allow-private", "--resolve", "*:127.0.0.1", "--interval", "0"),
        *more,
    ]


def call(*given: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(given))
    return int(stop.value.code or 0)


def test_a_survey_counts_what_it_had_and_had_not(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments(server, tmp_path / "evidence")) == 0
    said = capsys.readouterr()
    assert "3 sites, 0 items" in said.out
    assert "client_error 3" in said.out
    assert "asking sites" in said.err
    assert "1 rows have no URL" in said.err
    assert (tmp_path / "evidence" / "survey.json").exists()
    assert not (tmp_path / "evidence" / "parts").exists()


def test_json_goes_to_stdout_and_nothing_else_does(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "evidence"
    assert call(*arguments(server, out, "--json")) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads((out / "survey.json").read_bytes())
    assert said.err == ""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--contact", ""], "expected a contact"),
        (["--agent", "Bot 2.0"], "expected an agent"),
        (["--concurrency", "0"], "expected a concurrency"),
        (["--concurrency", "many"], "valid integer"),
        (["--resolve", "a.example"], "expected HOST:ADDRESS"),
        (["--resolve", "a.example=b.example"], "expected HOST:ADDRESS"),
        (["--url-column", "link"], "no column 'link'"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_wrong_input_is_exit_2_with_a_hint(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], expected: str
) -> None:
    assert call(*arguments(server, tmp_path / "evidence", *more)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert expected in said
    assert "hint: " in said
    assert not server.seen
    assert not (tmp_path / "evidence" / "survey.json").exists()


def test_a_corpus_that_is_not_there_is_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone.csv")
    assert call("survey", gone, "-o", str(tmp_path / "x"), "--contact", "a@b.example") == 2
    assert "gone.csv" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_exit_3(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "evidence"
    given = arguments(server, out)
    out.write_text("a file in the way")
    assert call(*given) == 3
    assert "error: " in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(server: Any, tmp_path: Path) -> None:
    server.delay_s = 5.0
    given = arguments(server, tmp_path / "evidence")
    command = [sys.executable, "-c", "from tercet.cli.main import main; main()", *given]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | {"NO_COLOR": "1"})
    deadline = time.monotonic() + 20
    while not server.asked and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"run the same command again" in said
    assert b"Traceback" not in said
    assert not (tmp_path / "evidence" / "survey.json").exists()
