"""What is mistyped in the commands of licensing is told, and never taken for nothing there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tercet.cli.main import main

NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run("desk", "make", "--name", "Owner", "--desk", "owner") == 0


@pytest.mark.parametrize(
    "command",
    [
        ("offer", "list", "--registry", "nowhere"),
        ("offer", "withdraw", NOBODY, "--no-registry", "--desk", "owner"),
        ("desk", "reserve", NOBODY, "--price", "fixed=3", "--desk", "owner"),
        ("duties", "owner", "--from", "2028-01-01", "--until", "2027-01-01"),
    ],
)
def test_what_is_not_there_is_an_error(command: tuple[str, ...]) -> None:
    assert run(*command) == 2


def test_duties_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("duties", "owner", "--json") == 0
    assert json.loads(capsys.readouterr().out)["type"] == "tercet/duties@1"
