"""`tercet desk` and `tercet license`: what people type, for both roles, and what they are told."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tercet.cli.main import main

WORKS = b"tercet/repertoire@1\nsite:https://example.org\n"
TERMS = f"""
[repertoire]
sha256 = "{sha256(WORKS).hexdigest()}"
work_count = 1
[grant]
usages = ["train_generative"]
purposes = ["pretrain"]
[grant.models]
versions = "any"
[grant.territory]
include = ["*"]
[grant.period]
start = 2026-12-01
end = 2090-12-01
[price]
currency = "EUR"
fixed = "500"
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two desks; the owner has a list of works, the studio a file of terms."""
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("works.txt").write_bytes(WORKS)
    Path("terms.toml").write_text(TERMS)
    assert run("desk", "make", "--name", "Owner", "--desk", "owner") == 0
    assert run("desk", "make", "--name", "Studio", "--desk", "studio") == 0
    assert run("desk", "works", "works.txt", "--desk", "owner") == 0
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert isinstance(stop.value.code, int)
    return stop.value.code


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(*arguments, "--json") == code
    return json.loads(capsys.readouterr().out)


def asked(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, str]:
    """Ask the owner for a licence; return the studio's and the owner's id of the negotiation."""
    begun = told(
        capsys, "license", "request", "owner", "--terms", "terms.toml", "--desk", "studio", *more
    )
    assert begun["state"] == "REQUESTED"
    return begun["negotiation"], begun["peer_negotiation"]


def finalized(capsys: pytest.CaptureFixture[str]) -> str:
    """Negotiate to the end; return the agreement's id."""
    studio, owner = asked(capsys)
    assert told(capsys, "license", "accept", owner, "--desk", "owner")["state"] == "AGREED"
    assert told(capsys, "license", "sign", studio, "--desk", "studio")["state"] == "VERIFIED"
    assert told(capsys, "license", "sign", owner, "--desk", "owner")["state"] == "FINALIZED"
    (agreement,) = told(capsys, "license", "show", "--desk", "studio")["agreements"]
    return str(agreement["agreement"])


def test_two_rounds_and_two_signatures(capsys: pytest.CaptureFixture[str]) -> None:
    studio, owner = asked(capsys, "--price", "fixed=300")
    countered = told(
        capsys, "license", "counter", owner[9:17], "--price", "fixed=450.50",
        "--price", "share=2.5", "--desk", "owner",
    )  # fmt: skip
    assert (countered["state"], countered["possible"]) == ("OFFERED", ["terminate"])
    offers = told(capsys, "license", "offers", studio, "--desk", "studio")
    assert offers["differences"] == [
        {"path": "price.fixed_micros", "before": 300_000_000, "after": 450_500_000},
        {"path": "price.share_basis_points", "before": 0, "after": 250},
    ]
    assert run("license", "offers", studio, "--desk", "studio") == 0
    shown = capsys.readouterr().out
    assert "EUR 300.00" in shown
    assert "EUR 450.50" in shown
    assert "2.50 %" in shown
    assert told(capsys, "license", "accept", studio, "--desk", "studio")["state"] == "ACCEPTED"
    assert told(capsys, "license", "sign", owner, "--desk", "owner")["state"] == "AGREED"
    assert told(capsys, "license", "sign", studio, "--desk", "studio")["state"] == "VERIFIED"
    assert told(capsys, "license", "sign", owner, "--desk", "owner")["state"] == "FINALIZED"
    ours, theirs = (
        told(capsys, "license", "show", pid, "--desk", desk)["history"]
        for pid, desk in ((studio, "studio"), (owner, "owner"))
    )
    assert [each["message_id"] for each in ours] == [each["message_id"] for each in theirs]
    assert [each["step"] for each in ours] == [
        "request", "offer", "accept", "agree", "verify", "finalize"
    ]  # fmt: skip
    assert told(capsys, "license", "show", studio, "--ask", "--desk", "studio")["possible"] == []
    assert Path("studio/repertoires", f"{sha256(WORKS).hexdigest()}.txt").read_bytes() == WORKS


def test_what_cannot_be_done_has_its_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    studio, owner = asked(capsys)
    assert run("license", "accept", studio, "--desk", "studio") == 1  # its own request
    assert run("license", "sign", studio, "--desk", "studio") == 1
    assert run("license", "show", "abcd", "--desk", "nowhere") == 2
    assert run("license", "show", "zzzz", "--desk", "studio") == 2
    assert run("license", "counter", owner, "--desk", "owner") == 2  # without other terms
    assert run("license", "counter", owner, "--price", "fixed=-1", "--desk", "owner") == 2
    assert run("license", "counter", owner, "--price", "share=101", "--desk", "owner") == 2
    assert run("license", "request", "nowhere", "--terms", "terms.toml", "--desk", "studio") == 2
    assert run("license", "request", "http://127.0.0.1:9/dsp", "--terms", "terms.toml",
               "--desk", "studio") == 2  # fmt: skip
    capsys.readouterr()
    shutil.move("owner", "gone")
    assert run("license", "terminate", studio, "--desk", "studio") == 3
    assert "under way" in capsys.readouterr().err
    (tried,) = told(capsys, "license", "deliver", "--desk", "studio", code=3)
    assert not tried["is_done"]
    shutil.move("gone", "owner")
    (tried,) = told(capsys, "license", "deliver", "--desk", "studio")
    assert (tried["is_done"], tried["state"]) == (True, "TERMINATED")


def test_what_the_other_side_wrote_cannot_move_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    studio, owner = asked(capsys)
    assert run("license", "terminate", owner, "--reason", "\x1b[2Jno", "--desk", "owner") == 0
    capsys.readouterr()
    assert run("license", "show", studio, "--desk", "studio") == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\x1b[2Jno" in shown


def test_an_agreement_ends_when_both_sign_that(capsys: pytest.CaptureFixture[str]) -> None:
    agreement = finalized(capsys)
    end = ("license", "terminate", agreement, "--agreement", "mutual", "--on", "2080-01-01")
    proposal = told(capsys, *end, "--desk", "owner")
    Path("end.json").write_text(json.dumps(proposal))
    taken = told(capsys, "license", "take", "end.json", "--desk", "studio")
    assert taken["words"] == "a proposal: sign it too"
    assert told(capsys, "license", "show", "--desk", "studio")["agreements"][0][
        "terminated_on"] == ""  # fmt: skip
    both = told(capsys, *end, "--desk", "studio")
    assert len(both["signatures"]) == 2
    for desk in ("owner", "studio"):  # it was given to the other side
        (ended,) = told(capsys, "license", "show", "--desk", desk)["agreements"]
        assert ended["terminated_on"] == "2080-01-01"
    Path("end.json").write_text(json.dumps(both))
    assert told(capsys, "license", "take", "end.json", "--desk", "owner")["words"] == (
        "ended on 2080-01-01"
    )
    Path("end.json").write_text(json.dumps(both | {"effective_on": "2070-01-01"}))
    assert run("license", "take", "end.json", "--desk", "owner") == 1
    alone = ("license", "terminate", agreement, "--agreement", "surrender", "--on", "2070-01-01")
    assert run(*alone, "--desk", "owner") == 1  # only the licensee gives up what it was granted


def test_an_amendment_takes_the_place_of_an_agreement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    agreement = finalized(capsys)
    studio, owner = asked(capsys, "--amends", agreement, "--price", "fixed=600")
    for command, pid, desk in (("sign", owner, "owner"), ("sign", studio, "studio"),
                               ("sign", owner, "owner")):  # fmt: skip
        told(capsys, "license", command, pid, "--desk", desk)
    both = told(capsys, "license", "show", "--desk", "owner")["agreements"]
    second, first = sorted(both, key=lambda each: str(each["superseded_by"]))
    assert first["superseded_by"] == second["agreement"]
    assert run("license", "request", "owner", "--terms", "terms.toml", "--amends", agreement,
               "--desk", "studio") == 1  # fmt: skip


def test_keys_change_and_what_was_signed_stays(capsys: pytest.CaptureFixture[str]) -> None:
    agreement = finalized(capsys)
    first = told(capsys, "desk", "show", "--desk", "owner")["party"]["keys"][0]["key_id"]
    assert run("desk", "rotate-key", "--desk", "owner") == 0
    assert run("desk", "revoke-key", first, "--reason", "lost", "--desk", "owner") == 0
    party = told(capsys, "desk", "add", "owner", "--desk", "studio")
    assert party["version"] == 3
    assert [bool(key["revoked_at"]) for key in party["keys"]] == [True, False]
    studio, owner = asked(capsys)
    assert told(capsys, "license", "sign", owner, "--desk", "owner")["state"] == "AGREED"
    assert told(capsys, "license", "show", "--desk", "studio")["agreements"][0][
        "agreement"] == agreement  # fmt: skip
    assert studio
    assert run("desk", "revoke-key", first, "--reason", "lost", "--desk", "owner") == 2
    assert run("desk", "make", "--name", "Other", "--desk", "owner") == 2


def test_a_name_that_looks_like_a_known_one_needs_a_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = told(capsys, "desk", "add", "owner", "--desk", "studio")["id"]
    assert run("desk", "make", "--name", "0wner", "--desk", "alike") == 0
    assert run("desk", "party", "-o", "alike.json", "--desk", "alike") == 0
    assert run("desk", "add", "alike.json", "--desk", "studio") == 1
    assert run("desk", "add", "alike.json", "--confirm", owner, "--desk", "studio") == 0
    capsys.readouterr()
    assert run("desk", "show", "--desk", "studio") == 0
    assert "0wner" in capsys.readouterr().out


def test_a_provider_may_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("desk", "add", "studio", "--desk", "owner") == 0
    begun = told(
        capsys, "license", "offer", "studio", "--terms", "terms.toml", "--later", "--desk", "owner"
    )
    assert (begun["state"], begun["under_way"]) == ("", "offer")
    (sent,) = told(capsys, "license", "deliver", "--desk", "owner")
    assert sent["state"] == "OFFERED"
    (listed,) = told(capsys, "license", "show", "--desk", "studio")["negotiations"]
    assert (listed["role"], listed["state"]) == ("consumer", "OFFERED")


def test_a_reserve_is_kept_and_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("desk", "reserve", "urn:x", "--price", "fixed=1", "--desk", "owner") == 2
    assert run("desk", "reserve", "urn:uuid:x", "--price", "cap=1", "--desk", "owner") == 2
    _, owner = asked(capsys)
    kept = told(capsys, "desk", "reserve", owner, "--price", "fixed=1", "--desk", "owner")
    assert kept["reserve"] == {"fixed_micros": 1_000_000}
    (answered,) = told(capsys, "license", "answer", "--desk", "owner")
    assert (answered["step"], answered["words"]) == (
        "", "it answers no published offer of ours that is open"
    )  # fmt: skip
