"""A run that goes on from a model: its weights first, its works all cleared, both on record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from train_corpora import LICENCES, cleared, cleared_works, key_in, training, write_works

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, RefusedError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.replay import replay
from tercet.flows.train import TrainRequest, train
from tercet.flows.verify_model import verify_record
from tercet.studio.model.weights import read_model

PARENT_STEPS = 2


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clearance and a model trained on it for two steps."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("parent")
    cleared_works(folder)
    train(training(folder, steps=PARENT_STEPS))
    return folder


def going_on(folder: Path, run: Path, **fields: Any) -> TrainRequest:
    return training(
        folder, **{"run": run, "parent": folder / "run" / "model", "seed": 1, "steps": 2} | fields
    )


@pytest.fixture(scope="module")
def child(parent: Path) -> Path:
    train(going_on(parent, parent / "child"))
    return parent / "child" / "model"


def test_the_record_names_the_parent_and_all_samples_until_then(parent: Path, child: Path) -> None:
    record = json.loads((child / "record.json").read_bytes())
    entry = record["parent"]
    model = parent / "run" / "model"
    assert entry["model_sha256"] == sha256_hex((model / "model.json").read_bytes())
    assert entry["record_sha256"] == sha256_hex((model / "record.json").read_bytes())
    assert entry["samples"] == 2 * PARENT_STEPS
    assert all(check.holds for check in verify_record(child))
    assert entry["model_sha256"] in (child / "card.md").read_text()
    assert "pretrained network" in (child / "card.md").read_text()


def test_a_grandchild_counts_the_samples_of_both(parent: Path, child: Path) -> None:
    train(going_on(parent, parent / "grandchild", parent=child))
    record = json.loads((parent / "grandchild/model/record.json").read_bytes())
    assert record["parent"]["samples"] == 2 * PARENT_STEPS + 2 * 2


def test_its_batches_can_be_made_again(parent: Path, child: Path) -> None:
    checks = replay(child, parent / "out")
    assert checks
    assert all(check.holds for check in checks), checks


def test_the_weights_come_from_the_parent(parent: Path) -> None:
    """The first step of a hundred hardly moves them; from nothing they would be elsewhere."""
    train(going_on(parent, parent / "near", steps=100, minutes=0.0001))
    train(training(parent, run=parent / "fresh", seed=1, steps=100, minutes=0.0001))
    before, near, fresh = (
        torch.cat([part.detach().flatten() for part in read_model(folder).network.parameters()])
        for folder in (parent / "run/model", parent / "near/model", parent / "fresh/model")
    )
    assert float((near - before).abs().mean()) < 0.001
    assert float((fresh - before).abs().mean()) > 0.05


def test_a_work_that_is_not_cleared_any_more(parent: Path, tmp_path: Path) -> None:
    shutil.copy(parent / "operator.key", tmp_path)
    licences = dict.fromkeys(("car-1", "house-1"), LICENCES["cleared"])
    table = write_works(tmp_path / "in", licences | {"ball-1": LICENCES["blocked"]})
    cleared(tmp_path, table)
    model = parent / "run" / "model"
    with pytest.raises(RefusedError, match=r"1 of 3 works that 'run' learned from .* 'A ball'"):
        train(training(tmp_path, parent=model))
    assert not (tmp_path / "run" / "plan.json").exists()


def altered(parent: Path, tmp_path: Path, **changes: Any) -> Path:
    model = tmp_path / "model"
    shutil.copytree(parent / "run" / "model", model)
    document = json.loads((model / "record.json").read_bytes()) | changes
    document.pop("signature")
    signature = key_in(parent).signature(canonical_json(document))
    (model / "record.json").write_bytes(canonical_json(document | {"signature": signature}))
    return model


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"size": "xs"}, InputError, "is of size 'tiny'"),
        ({"base": Path("base")}, InputError, "an adapter has no parent"),
        ({"parent": Path("nowhere")}, InputError, "no training record in nowhere"),
    ],
)
def test_what_cannot_be_asked(
    parent: Path, tmp_path: Path, changes: dict[str, Any], error: type[TercetError], said: str
) -> None:
    with pytest.raises(error, match=said):
        train(going_on(parent, tmp_path / "run", **changes))


def test_other_words(parent: Path, tmp_path: Path) -> None:
    shutil.copy(parent / "operator.key", tmp_path)
    licences = dict.fromkeys(("car-1", "house-1", "ball-1", "tree-1"), LICENCES["cleared"])
    cleared(tmp_path, write_works(tmp_path / "in", licences))
    with pytest.raises(InputError, match="the captions of this run have"):
        train(training(tmp_path, parent=parent / "run" / "model"))


def test_weights_of_another_model_under_the_parents_record(parent: Path, tmp_path: Path) -> None:
    model = altered(parent, tmp_path)
    shard = next(model.glob("weights-*"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError, match="does not hold"):
        train(going_on(parent, tmp_path / "run", parent=model))


def test_a_plan_and_a_record_that_name_other_parents(child: Path, parent: Path) -> None:
    path = child / "record.json"
    raw = path.read_bytes()
    document = json.loads(raw)
    document.pop("signature")
    document["parent"]["samples"] = 1
    signature = key_in(parent).signature(canonical_json(document))
    try:
        path.write_bytes(canonical_json(document | {"signature": signature}))
        failed = {check.name for check in verify_record(child) if not check.holds}
    finally:
        path.write_bytes(raw)
    assert failed == {"plan"}
