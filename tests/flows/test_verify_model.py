"""A model's record after tampering: each change fails, and by name."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from train_corpora import cleared_works, key_in, public_key, training

from tercet.cli.main import main
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.flows.replay import replay
from tercet.flows.train import train
from tercet.flows.train_works import alone_count
from tercet.flows.verify_model import require_record, verify_record


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("trained")
    cleared_works(folder)
    train(training(folder, steps=2))
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "run" / "model", tmp_path / "model")
    shutil.copy(made / "operator.key", tmp_path)
    return tmp_path / "model"


def failed(model: Path, **given: str) -> set[str]:
    return {check.name for check in verify_record(model, **given) if not check.holds}


def edit(model: Path, change: Callable[[dict[str, Any]], None], *, sign: bool = False) -> None:
    path = model / "record.json"
    record = json.loads(path.read_bytes())
    change(record)
    if sign:
        record.pop("signature", None)
        record |= {"signature": key_in(model.parent).signature(canonical_json(record))}
    path.write_bytes(canonical_json(record) + b"\n")


def test_a_whole_model_holds(model: Path) -> None:
    assert failed(model) == set()
    assert failed(model, public_key=public_key(model.parent)) == set()
    assert require_record(model)["steps"] == 2


def test_another_key(model: Path) -> None:
    (model.parent / "operator.key").unlink()
    assert failed(model, public_key=public_key(model.parent)) == {"signature"}


@pytest.mark.parametrize("name", ["samples", "steps", "loss", "works", "cost", "hardware"])
def test_a_changed_value(model: Path, name: str) -> None:
    def change(record: dict[str, Any]) -> None:
        record[name] = {**record[name], "more": 1} if isinstance(record[name], dict) else 7

    edit(model, change)
    assert "signature" in failed(model)


def test_a_changed_byte_of_each_file(model: Path) -> None:
    for name in json.loads((model / "record.json").read_bytes())["files"]:
        raw = (model / name).read_bytes()
        changed = bytearray(raw)
        changed[len(raw) // 2] ^= 1
        (model / name).write_bytes(changed)
        assert name in failed(model)
        (model / name).unlink()
        assert name in failed(model)
        (model / name).write_bytes(raw)
    assert failed(model) == set()


def test_a_work_left_out_and_signed_anew(model: Path) -> None:
    """The plan was signed before the first step: the list of works cannot shrink afterwards."""
    path = model / "works.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    def change(record: dict[str, Any]) -> None:
        record["works"] |= {"sha256": digest, "count": 2, "owners": 2}
        record["files"]["works.jsonl"] = digest

    edit(model, change, sign=True)
    assert failed(model) == {"plan"}


def test_a_plan_made_afterwards(model: Path) -> None:
    """With another plan the chain begins elsewhere, and every link of it is another."""
    path = model / "plan.json"
    plan = json.loads(path.read_bytes())
    plan.pop("signature")
    plan["created_at"] = "2020-01-01T00:00:00Z"
    plan |= {"signature": key_in(model.parent).signature(canonical_json(plan))}
    path.write_bytes(canonical_json(plan) + b"\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    def change(record: dict[str, Any]) -> None:
        record["plan_sha256"] = record["chain"]["first"] = digest
        record["files"]["plan.json"] = digest

    edit(model, change, sign=True)
    assert failed(model) == {"batch chain"}


def test_batches_left_out_or_exchanged(model: Path) -> None:
    path = model / "batches.txt"
    first, second = path.read_bytes().splitlines(keepends=True)
    for raw in (first, second + first, first + second + first, b"x"):
        path.write_bytes(raw)
        assert failed(model) == {"batches.txt", "batch chain"}


def test_weights_that_the_record_does_not_name(model: Path) -> None:
    """Shards exchanged together with model.json, and its digest signed anew."""
    path = model / "model.json"
    document = json.loads(path.read_bytes())
    document["weights"][0]["sha256"] = "0" * 64
    path.write_bytes(canonical_json(document))

    def change(record: dict[str, Any]) -> None:
        record["files"]["model.json"] = hashlib.sha256(path.read_bytes()).hexdigest()

    edit(model, change, sign=True)
    assert failed(model) == {"weights"}


def test_names_that_lead_out_of_the_folder(model: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["files"]["../operator.key"] = "0" * 64

    edit(model, change, sign=True)
    assert failed(model) == {"../operator.key"}


def test_require_record_refuses(model: Path) -> None:
    edit(model, lambda record: record.update(steps=3))
    with pytest.raises(IntegrityError, match="does not hold: signature"):
        require_record(model)


def test_no_record(model: Path) -> None:
    for raw in (None, b"", b"[]", b"{}", b'{"type": "tercet/training-record@1"}', b"[" * 99_999):
        (model / "record.json").unlink(missing_ok=True)
        if raw is not None:
            (model / "record.json").write_bytes(raw)
        with pytest.raises(InputError):
            verify_record(model)


def test_the_batches_made_again(made: Path, model: Path) -> None:
    """Whoever has the works can make every batch again from the record alone."""
    checks = replay(model, made / "out")
    assert [(check.name, check.holds) for check in checks] == [
        ("clearance", True),
        ("works", True),
        ("sprites", True),
        ("batches", True),
    ]
    assert checks[-1].found == "2 of 2 made again, all the same"
    edit(model, lambda record: record["order"].update(seed=1))
    assert replay(model, made / "out", steps=1)[-1].found.startswith("batch 1 is another here")


def test_the_samples_that_show_one_actor_are_made_again(tmp_path: Path) -> None:
    """A run long enough to begin with one actor alone: its replay begins so too."""
    cleared_works(tmp_path)
    trained = train(training(tmp_path, steps=5, batch=4))
    assert alone_count(trained.record["settings"], 4) == 8
    checks = replay(tmp_path / "run" / "model", tmp_path / "out")
    assert [check.name for check in checks if not check.holds] == []
    assert checks[-1].found == "5 of 5 made again, all the same"


def test_another_clearance_made_again(model: Path, tmp_path: Path) -> None:
    cleared_works(tmp_path / "other")
    (check,) = replay(model, tmp_path / "other" / "out")
    assert (check.name, check.holds) == ("clearance", False)


def test_the_command(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(model)])
    assert ended.value.code == 0
    assert "batch chain: 2 batches" in capsys.readouterr().out
    (model / "batches.txt").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(model), "--json"])
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["holds"] is False
