"""`tercet register` and `tercet registry`: what people type, and what they are told."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tercet.cli.main import main

WORDS = ["heron", "miller", "quarry", "lantern", "sexton", "ferry", "marsh", "cobbler"]
PROSE = " ".join(f"{a} beside the {b} of {c}" for a in WORDS for b in WORDS for c in WORDS[:3])
DIGEST = sha256(b"elsewhere").hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.txt").write_text(PROSE)
    return tmp_path / "home"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert isinstance(stop.value.code, int)
    return stop.value.code


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(*arguments, "--json") == code
    return json.loads(capsys.readouterr().out)


def test_from_registering_to_withdrawing(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    document = told(
        capsys, "register", "prose.txt", "--owner", "Ann", "--licence", "CC-BY-4.0",
        "--deny", "train_generative", "--identifier", "isbn:0-306-40615-2", "--title", "Marsh",
    )  # fmt: skip
    assert document["counts"] == {"new": 1}
    assert (home / "owner.key").stat().st_mode & 0o777 == 0o600
    work = told(capsys, "registry", "show", "1")
    assert (work["title"], work["live"], work["disputed"]) == ("Marsh", True, False)
    (claim,) = work["claims"]
    terms = {each["usage"]: each["permission"] for each in claim["terms"]}
    assert (terms["train_generative"], terms["search"]) == ("deny", "conditional")
    assert [each["checked"] for each in claim["evidence"]] == ["unchecked"]
    assert run("registry", "show", "1") == 0
    assert "Ann, 100 %" in capsys.readouterr().out
    assert told(capsys, "registry", "list")[0]["number"] == 1
    assert told(capsys, "registry", "verify")["problems"] == []
    assert [e["document"]["type"] for e in told(capsys, "registry", "log")] == [
        "tercet/registry@1", "tercet/work@1", "tercet/claim@1"
    ]  # fmt: skip
    assert run("registry", "withdraw", claim["claim_id"][:16], "--reason", "sold") == 0
    assert told(capsys, "registry", "list")[0]["live"] is False


def test_a_dispute_from_end_to_end(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert run("register", "prose.txt", "--owner", "Ann") == 0
    eve = ("register", "prose.txt", "--owner", "Eve", "--key", "eve.key")
    assert run(*eve) == 1
    assert "another owner" in capsys.readouterr().out
    assert run(*eve, "--dispute") == 0
    (dispute,) = told(capsys, "registry", "dispute", "list")
    name = dispute["dispute_id"][:12]
    assert told(capsys, "registry", "show", "1")["disputed"] is True
    answer = ("registry", "dispute", "answer", name, "--text", "I wrote it")
    assert run(*answer, "--key", "eve.key") == 1
    assert run(*answer) == 0
    resolve = ("registry", "dispute", "resolve", name)
    assert run(*resolve, "rejected") == 1
    assert run(*resolve, "rejected", "--key", str(home / "operator.key")) == 0
    assert told(capsys, "registry", "show", "1")["disputed"] is False
    assert told(capsys, "registry", "dispute", "list") == []
    assert told(capsys, "registry", "dispute", "list", "--all")[0]["state"] == "rejected"
    assert run("registry", "dispute", "open", "1", "--key", "third.key") == 0
    assert run("registry", "dispute", "expire") == 0
    assert told(capsys, "registry", "verify")["problems"] == []


def test_a_catalogue_with_a_bad_row_exits_1_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "works.csv").write_text(
        f"title,owner,sha256,medium,isrc\nGood,Ann,{DIGEST},audio,\nBad,Ann,{DIGEST},audio,x\n"
    )
    assert run("register", "works.csv") == 1
    out = capsys.readouterr().out
    assert "line 2: Good: registered as work 1" in out
    assert "line 3: Bad: refused" in out
    assert "ISRC" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("register", "nowhere", "--owner", "Ann"), "no nowhere"),
        (("register", "prose.txt", "--owner", "Ann", "--licence", "free for all"), "one licence"),
        (("register", "prose.txt", "--owner", "Ann", "--identifier", "isbn:1"), "ISBN"),
        (("register", "prose.txt", "--owner", "Ann", "--domain", "https://a.example/x"), "a host"),
        (("register", "prose.txt", "--owner", "Ann", "--price", "EUR 3"), "offer"),
        (("register", "prose.txt", "--owner", "Ann", "--share", "101"), "share"),
        (("register", "prose.txt", "--owner", "Ann", "--share", "nan"), "share"),
        (("register", "prose.txt", "--owner", "Ann", "--terms", "none.toml"), "none.toml"),
        (("register", "prose.txt", "--owner", "Ann", "--whole-domain"), "--domain"),
        (("registry", "list"), "no registry"),
        (("registry", "verify", "--registry", "elsewhere"), "no registry"),
    ],
)
def test_input_that_cannot_be_used_is_said_and_nothing_is_registered(
    capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...], word: str
) -> None:
    assert run(*arguments) == 2
    assert word in capsys.readouterr().err
    assert not (home / "registry").exists()


def test_no_owner_is_no_claim(capsys: pytest.CaptureFixture[str]) -> None:
    document = told(capsys, "register", "prose.txt", code=1)
    assert "owner" in document["entries"][0]["reason"]


@pytest.mark.parametrize(
    "arguments",
    [("registry", "show", "9" * 30), ("registry", "list", "--after", "9" * 30)],
)
def test_a_number_beyond_all_works_is_bad_input_and_no_defect(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    work = tmp_path / "work.txt"
    work.write_text("hello")
    run("register", str(work), "--owner", "Ann", "--hash-only")
    assert run(*arguments) == 2
    assert "defect" not in capsys.readouterr().err


def test_a_source_that_is_no_web_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("hello")
    options = ("--owner", "Ann", "--hash-only", "--source-url", "javascript:alert(1)")
    assert run("register", str(tmp_path / "work.txt"), *options) == 2
