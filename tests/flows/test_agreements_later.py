"""After clearing: the gate asks agreements again, verify finds what was altered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from licensed import GRANT, OWNER, STUDIO, TRAINS, agree, desk_in
from small_corpora import NOW, png, run

from tercet.cli.duties import duties
from tercet.consent.licences.signing import signed
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.core.errors import RefusedError
from tercet.core.terms import Grant, ModelScope, Purpose, Use, Versions
from tercet.flows.agreements import AgreementsAsked
from tercet.flows.duties import duties as due_in
from tercet.flows.training_gate import Gate, GateUse, open_gate
from tercet.flows.verify import verify
from tercet.store.desk import Desk

NEW = "2026-11-23"


@pytest.fixture
def cleared(tmp_path: Path) -> Path:
    """Return the folder of a clearing of one file that an agreement grants."""
    return clear_one(tmp_path, GRANT, TRAINS)


def clear_one(folder: Path, grant: Grant, use: Use) -> Path:
    """Clear one file for a use, under an agreement on it; return ``folder``."""
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "a.png").write_bytes(png())
    agree(desk_in(folder), [f"sha256:{hashlib.sha256(png()).hexdigest()}"], grant)
    asked = AgreementsAsked(folder / "desk", use)
    run(folder, corpus, agreements=asked, trusted_keys=frozenset({OWNER.public_key}))
    return folder


def gate(folder: Path, **asked: Any) -> Gate:
    """Open the gate as a training of the model does."""
    document = json.loads((folder / "out" / "clearance.json").read_bytes())
    key = document["signature"]["public_key"]
    return open_gate(folder / "out", public_key=key, asked=GateUse(**({"model": "Reel"} | asked)))


def test_the_gate_opens_while_the_agreement_holds(cleared: Path) -> None:
    assert len(gate(cleared, on=NEW, purpose=Purpose.PRETRAIN).items) == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"on": "2027-06-01"}, "agreement_training_over"),
        ({"on": "2028-01-01"}, "agreement_expired"),
        ({"on": NEW, "model": "Other"}, "for the model Reel"),
        ({"on": NEW, "model": ""}, "for the model Reel"),
    ],
)
def test_the_gate_is_shut_on_other_days_and_for_other_models(
    cleared: Path, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        gate(cleared, **asked)


@pytest.mark.parametrize("is_desk_there", [True, False])
def test_a_purpose_left_unsaid_in_clearing_is_asked_at_the_gate(
    cleared: Path, is_desk_there: bool
) -> None:
    if not is_desk_there:
        (cleared / "desk").rename(cleared / "gone")
    assert gate(cleared, on=NEW, purpose=Purpose.FINETUNE).items
    with pytest.raises(RefusedError, match="agreement_other_purpose"):
        gate(cleared, on=NEW, purpose=Purpose.EVALUATE)


@pytest.mark.parametrize("purpose", [None, Purpose.PRETRAIN])
def test_what_was_cleared_for_one_purpose_is_shut_to_others(
    tmp_path: Path, purpose: Purpose | None
) -> None:
    """A model left unsaid is another matter: here the agreement is for any."""
    grant = replace(GRANT, purposes=(Purpose.FINETUNE,), models=ModelScope(Versions.ANY))
    clear_one(tmp_path, grant, replace(TRAINS, purpose=Purpose.FINETUNE, model="", version=""))
    assert gate(tmp_path, on=NEW, purpose=Purpose.FINETUNE).items
    with pytest.raises(RefusedError, match="for the purpose finetune"):
        gate(tmp_path, on=NEW, purpose=purpose)


def test_the_gate_learns_of_a_termination_from_the_desk(cleared: Path) -> None:
    desk = Desk.open(cleared / "desk")
    (kept,) = desk.agreements()
    ended = Termination(kept.id, TerminationReason.MUTUAL, NEW, NOW)
    document = signed(signed(termination_document(ended), OWNER.signer), STUDIO.signer)
    assert desk.take_termination(document, NOW)
    with pytest.raises(RefusedError, match="agreement_terminated"):
        gate(cleared, on=NEW)
    assert gate(cleared, on="2026-11-22").items


def test_a_desk_that_does_not_know_the_agreement_shuts_the_gate(cleared: Path) -> None:
    desk_in(cleared / "elsewhere")
    with pytest.raises(RefusedError, match="does not know the agreement"):
        gate(cleared, on=NEW, desk=cleared / "elsewhere" / "desk")


def test_without_its_desk_the_copies_decide(cleared: Path) -> None:
    (cleared / "desk").rename(cleared / "gone")
    assert gate(cleared, on=NEW).items
    with pytest.raises(RefusedError, match="agreement_expired"):
        gate(cleared, on="2028-01-01")


def flaws(folder: Path) -> dict[str, str]:
    return {check.name: check.found for check in verify(folder / "out") if not check.holds}


def test_verify_finds_copies_that_were_altered(cleared: Path) -> None:
    assert flaws(cleared) == {}
    path = cleared / "out" / "agreements" / "agreements.jsonl"
    path.write_bytes(path.read_bytes().replace(b"2028-01-01", b"2038-01-01"))
    found = flaws(cleared)
    assert "agreements/agreements.jsonl" in found
    assert "altered after it was signed" in found["agreements"]


def test_verify_counts_the_rows_again(cleared: Path) -> None:
    path = cleared / "out" / "agreements" / "listed.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"rows":1', b'"rows":2'))
    assert "rows by agreement" in flaws(cleared)
    path.write_bytes(b"")
    assert "not listed" in flaws(cleared)["rows by agreement"]


@pytest.mark.parametrize("folder", ["out", "desk"])
def test_duties_are_listed_of_a_clearance_and_of_a_desk(cleared: Path, folder: str) -> None:
    arguments = [str(cleared / folder), "--from", "2026-11-22", "--until", "2028-03-01", "--json"]
    calendar = cleared / "duties.ics"
    done = CliRunner().invoke(duties, [*arguments, "--calendar", str(calendar)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["duties"]
    by_kind = {due["kind"]: due["on"] for due in found if due["kind"] != "report"}
    assert by_kind["training_end"] == "2027-06-01"
    assert by_kind["deletion"] == "2028-01-31"
    assert calendar.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")


def test_duties_go_on_when_the_list_of_works_is_lost(cleared: Path) -> None:
    found = due_in(cleared / "desk", "2026-11-22", "2028-03-01")
    for path in (cleared / "desk" / "repertoires").glob("*.txt"):
        path.unlink()
    assert due_in(cleared / "desk", "2026-11-22", "2028-03-01") == found != ()


def test_duties_of_another_folder_are_an_error_with_a_hint(tmp_path: Path) -> None:
    done = CliRunner().invoke(duties, [str(tmp_path)])
    assert done.exception is not None
    assert "neither a desk nor a clearance" in str(done.exception)
