"""Adapters by the same gate, order, chain and record; never passed off as cleared works only."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("diffusers")
pytest.importorskip("transformers")
pytest.importorskip("peft")
sys.path.insert(0, str(Path(__file__).parent.parent / "studio" / "engines"))

from small_clips import write_clips
from tiny_pipelines import saved
from train_corpora import LICENCES, cleared, key_in, training, write_works

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, RefusedError, TercetError
from tercet.flows.replay import replay
from tercet.flows.train import Advance, train
from tercet.flows.verify_model import require_record, verify_record
from tercet.studio.engines.diffusers import open_engine as open_diffusers
from tercet.studio.engines.engine import Rights
from tercet.studio.engines.house import open_engine as open_house
from tercet.studio.training_record import parse_works

MARK = "base model: rights unknown"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model, a clearance of two clips and a drawing, and a run of three steps on them."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("adapter")
    saved("WanPipeline", folder / "base")
    clips = write_clips(folder / "a", [{"seconds": 5.0}, {"licence": "All rights reserved"}])
    table = write_works(folder / "b", {"car-1": LICENCES["cleared"]})
    cleared(folder, clips, table)
    train(asked(folder))
    return folder


def asked(folder: Path, **fields: Any) -> Any:
    given = {"base": folder / "base", "side_px": 32, "frame_count": 5, "size": "s"}
    return training(folder, **given | fields)


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "run" / "model", tmp_path / "model")
    shutil.copy(made / "operator.key", tmp_path)
    return tmp_path / "model"


def failed(model: Path) -> set[str]:
    return {check.name for check in verify_record(model) if not check.holds}


def edit(model: Path, **changes: Any) -> None:
    """Change record and plan alike, and sign both anew, as an operator who lies could."""
    path = model / "record.json"
    document = json.loads(path.read_bytes())
    document.pop("signature")
    document |= changes
    document = {name: value for name, value in document.items() if value is not None}
    signed = document | {"signature": key_in(model.parent).signature(canonical_json(document))}
    path.write_bytes(canonical_json(signed) + b"\n")


def test_the_record_says_what_it_stands_on(made: Path) -> None:
    model = made / "run" / "model"
    record = json.loads((model / "record.json").read_bytes())
    assert failed(model) == set()
    assert record["rights"] == MARK
    assert "peft" in record["code"]["begun"].keys() & record["code"]["ended"].keys()
    assert record["base"]["pipeline"] == "WanPipeline"
    files = {
        path.relative_to(made / "base").as_posix()
        for path in (made / "base").rglob("*")
        if path.is_file()
    }
    assert set(record["base"]["files"]) == files
    works = parse_works((model / "works.jsonl").read_bytes())
    assert {(work.item, work.use) for work in works} == {
        ("clips/0.mp4", "clip"), ("works/car-1.svg", "sprite"),
    }  # fmt: skip
    assert (record["order"]["side_px"], record["order"]["frames"]) == (32, 5)
    card = (model / "card.md").read_text()
    assert MARK in card
    assert "nothing else" not in card
    assert "from scratch" not in card


def test_the_batches_can_be_made_again(made: Path) -> None:
    checks = replay(made / "run" / "model", made / "out")
    assert all(check.holds for check in checks), checks


def test_a_stopped_run_ends_with_the_same_adapter(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "out", tmp_path / "out")
    shutil.copy(made / "operator.key", tmp_path)
    seen: list[Advance] = []
    request = asked(
        tmp_path, base=made / "base", advance=seen.append, is_stopped=lambda: len(seen) == 2
    )
    assert train(request).step == 2
    told: list[str] = []
    train(replace(request, is_stopped=lambda: False, tell=told.append))
    assert told == ["going on after step 2"]
    for name in ("adapter.safetensors", "batches.txt", "works.jsonl"):
        first = (made / "run" / "model" / name).read_bytes()
        assert (tmp_path / "run" / "model" / name).read_bytes() == first, name
    other = shutil.copytree(made / "base", tmp_path / "other")
    (other / "note.txt").write_text("changed")
    with pytest.raises(InputError, match="other base"):
        train(replace(request, base=other))


def test_it_is_loaded_and_marked(made: Path) -> None:
    file = made / "run" / "model" / "adapter.safetensors"
    engine = open_diffusers(str(made / "base"), lora=str(file))
    assert engine.rights is Rights.UNKNOWN
    assert "training_record_sha256" not in engine.provenance()


def test_it_never_counts_as_cleared_works_only(model: Path) -> None:
    with pytest.raises(RefusedError, match="unknown rights"):
        require_record(model)
    with pytest.raises(TercetError):
        open_house(str(model))
    for file in model.iterdir():
        assert b"cleared works only" not in file.read_bytes(), file


@pytest.mark.parametrize(
    "changes",
    [{"rights": "cleared works only"}, {"rights": None}, {"base": None},
     {"base": None, "rights": None}, {"base": {"pipeline": "WanPipeline", "files": {}}}],
)  # fmt: skip
def test_a_base_left_out_and_signed_anew(model: Path, changes: dict[str, Any]) -> None:
    edit(model, **changes)
    assert {"plan", "base model"} <= failed(model)
    with pytest.raises(TercetError):
        require_record(model)


def test_another_base_named_in_the_model_itself(model: Path) -> None:
    document = json.loads((model / "model.json").read_bytes())
    for changed in ({"rights": "mine"}, {"base": {"pipeline": "WanPipeline", "sha256": "0"}}):
        (model / "model.json").write_bytes(canonical_json(document | changed))
        assert failed(model) == {"model.json", "base model"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"side_px": 40}, "multiple of 32"), ({"side_px": 4096}, "multiple of 32"),
        ({"frame_count": 16}, "5, 9, 13"), ({"frame_count": 1}, "5, 9, 13"),
        ({"base": None}, "adapters only"), ({"base": Path("none")}, "no pipeline"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(made: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        train(asked(made, run=made / "another", **fields))
    with pytest.raises(InputError, match="inside the base"):
        train(asked(made, run=made / "base" / "run"))
