"""The studio obeys the licences a model learned under: their days and their guards."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from licensed import GRANT, OWNER, TRAINS, agree, desk_in
from train_corpora import LICENCES, cleared, key_in, public_key, training, write_works

from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError, RefusedError
from tercet.core.terms import Guards, Period
from tercet.flows.agreements import AgreementsAsked
from tercet.flows.generate import generate
from tercet.flows.generate_licences import require_licences
from tercet.flows.generate_request import Request
from tercet.flows.pack import pack
from tercet.flows.train import train
from tercet.flows.verify_model import verify_record
from tercet.studio.engines.engine import Engine

TODAY = datetime.now(UTC)  # credentials are signed at it, by a certificate made today
AFTER = TODAY + timedelta(days=400)
BLOCKED = {"car-1": LICENCES["blocked"], "ball-1": LICENCES["blocked"]}


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that learned from two drawings under an agreement."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("licensed")
    table = write_works(folder / "in", BLOCKED)
    works = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (folder / "in/works").iterdir()]
    guards = Guards(blocked_words=("logo",))
    days = Period("2026-01-01", AFTER.date().isoformat(), "2027-06-01")
    lines = [f"sha256:{work}" for work in works]
    agree(desk_in(folder), lines, replace(GRANT, period=days), guards=guards)
    asked = AgreementsAsked(folder / "desk", TRAINS)
    trusted = frozenset({OWNER.public_key})
    cleared(folder, table, agreements=asked, trusted_keys=trusted)
    train(training(folder, name="Reel", steps=1))
    return folder


def made(folder: Path, prompt: str, now: datetime, out: Path, **fields: Any) -> int:
    request = Request(
        prompt, duration_s=1.0, width_px=64, height_px=64, frames_per_second=8, steps=1,
        model=str(folder / "run" / "model"), **fields,
    )  # fmt: skip
    key = folder / "operator.key"
    return generate(request, out / "a.mp4", lambda p: None, key_path=key, now=now).frame_count


def test_the_model_carries_the_licences_of_its_clearance(licensed: Path) -> None:
    listed = (licensed / "out/agreements/listed.jsonl").read_bytes()
    model = licensed / "run" / "model"
    assert (model / "agreements.jsonl").read_bytes() == listed
    checks = {check.name: check for check in verify_record(model)}
    assert checks["licences"].found == "1 in agreements.jsonl"
    assert all(check.holds for check in checks.values())


def test_a_prompt_within_the_licence(licensed: Path, tmp_path: Path) -> None:
    assert made(licensed, "a red car drives", TODAY, tmp_path) == 8


@pytest.mark.parametrize(
    ("prompt", "now", "said"),
    [
        ("a red car drives", AFTER, "lets the model generate from 2026-01-01 until"),
        ("a red car with a LOGO", TODAY, "the word 'logo'"),
        ("a red car in the style of owner", TODAY, "a style asked for by the name of 'Owner'"),
    ],
)
def test_what_the_licence_forbids(
    licensed: Path, tmp_path: Path, prompt: str, now: datetime, said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        made(licensed, prompt, now, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_rests_once_a_licence_that_it_learned_under_is_terminated(
    licensed: Path, tmp_path: Path
) -> None:
    """Notice had been given when the works were cleared; the day it ends on came later."""
    listed = (licensed / "out/agreements/listed.jsonl").read_bytes()
    ended = listed.replace(b'"terminated_on":""', b'"terminated_on":"2027-01-01"')
    assert ended != listed
    (tmp_path / "agreements.jsonl").write_bytes(ended)
    engine, adapter = cast(Engine, object()), str(tmp_path / "adapter.safetensors")
    last = datetime(2026, 12, 31, tzinfo=UTC)
    require_licences(engine, ["a red car"], lora=adapter, now=last)
    with pytest.raises(RefusedError, match="until 2027-01-01"):
        require_licences(engine, ["a red car"], lora=adapter, now=last + timedelta(days=1))


def test_a_list_of_licences_left_out_or_exchanged(licensed: Path, tmp_path: Path) -> None:
    """An operator who signs the record anew cannot drop a licence that the plan's clearance has."""
    folder = tmp_path / "run"
    shutil.copytree(licensed / "run", folder)
    shutil.copy(licensed / "operator.key", tmp_path)
    record = json.loads((folder / "model/record.json").read_bytes())
    record.pop("signature")
    del record["files"]["agreements.jsonl"]
    (folder / "model/agreements.jsonl").unlink()
    signature = key_in(licensed).signature(canonical_json(record))
    (folder / "model/record.json").write_bytes(canonical_json(record | {"signature": signature}))
    failed = {check.name for check in verify_record(folder / "model") if not check.holds}
    assert failed == {"licences"}
    with pytest.raises(IntegrityError, match="licences"):
        made(tmp_path, "a red car drives", TODAY, tmp_path)


def test_licensed_works_are_not_packed(licensed: Path, tmp_path: Path) -> None:
    key = key_in(licensed)
    with pytest.raises(RefusedError, match="rests on 1 agreements, which can end"):
        pack(licensed / "out", tmp_path / "w.zip", key=key, public_key=public_key(licensed))
