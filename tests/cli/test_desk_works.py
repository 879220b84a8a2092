"""`tercet desk works --registry`: one work that is not registered, and the list is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tercet.cli.main import main

WORDS = ["heron", "miller", "quarry", "lantern", "sexton", "ferry", "marsh", "cobbler"]
PROSE = " ".join(f"{a} beside the {b} of {c}" for a in WORDS for b in WORDS for c in WORDS[:3])
ADDRESS = "https://owner.example/Works/../prose.txt#part"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_a_list_is_kept_only_when_each_work_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("prose.txt").write_text(PROSE)
    registry = str(tmp_path / "home" / "registry")
    assert run("desk", "make", "--name", "Owner") == 0
    assert run("register", "prose.txt", "--owner", "Owner", "--source-url", ADDRESS) == 0
    known = f"sha256:{sha256(PROSE.encode()).hexdigest()}"
    address = "url:https://owner.example/prose.txt"
    unknown = f"sha256:{'f' * 64}"
    Path("good.txt").write_text(f"tercet/repertoire@1\n{known}\n{address}\n")
    Path("bad.txt").write_text(f"tercet/repertoire@1\n{known}\n{unknown}\n{address}\n")
    capsys.readouterr()
    assert run("desk", "works", "good.txt", "--registry", registry, "--json") == 0
    assert json.loads(capsys.readouterr().out)["work_count"] == 2
    assert run("desk", "works", "bad.txt", "--registry", registry) == 1
    message = capsys.readouterr().err
    assert "line 3" in message
    assert unknown in message
    assert not list((tmp_path / "home" / "desk" / "repertoires").glob(f"{name('bad.txt')}*"))
    assert run("desk", "works", "bad.txt") == 0
    assert run("desk", "works", "good.txt", "--registry", str(tmp_path / "none")) == 2


def name(file: str) -> str:
    return sha256(Path(file).read_bytes()).hexdigest()
