"""The house engine with a small model of chance weights: whole orders, rights that are shown."""

from __future__ import annotations

import json
import sys
import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, StoppedError
from tercet.core.ids import sha256_hex
from tercet.flows.generate import generate
from tercet.flows.generate_proof import proven
from tercet.flows.generate_request import Request
from tercet.studio.engines import house
from tercet.studio.engines.engine import Order, Picture, Progress, Rights, Shot
from tercet.studio.engines.framing import framed
from tercet.studio.engines.house import HouseEngine, open_engine
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.weights import StudioModel, model_files
from tercet.studio.model.words import Vocabulary
from tercet.studio.scenes.captions import said
from tercet.studio.training_record import WorkLine, works_bytes

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

from train_corpora import cleared_works, training

torch.set_num_threads(1)
NOUNS = {"car": "vehicle", "dog": "animal"}
WORDS = Vocabulary.of(["a red car drives to the right on a sunny day in hills , dog walks"])


def network() -> VideoTransformer:
    torch.manual_seed(0)
    made = VideoTransformer(Shape("tiny", 32, 1, side_px=32, patch_px=8, word_count=len(WORDS)))
    for part in made.parameters():
        if not part.any():
            torch.nn.init.normal_(part, std=0.1)
    return made.eval()


@pytest.fixture(scope="module")
def engine() -> HouseEngine:
    return HouseEngine(StudioModel("tiny", "0" * 64, network(), WORDS, NOUNS), "", ())


def order(*prompts: str, seconds: float = 2.0, **fields: object) -> Order:
    shots = tuple(Shot(prompt, seconds) for prompt in prompts or ("a red car drives",))
    given = {"width_px": 64, "height_px": 64, "frames_per_second": 8, "steps": 1, "seed": 3}
    return Order(shots, **(given | fields))  # type: ignore[arg-type]


def pictures(engine: HouseEngine, asked: Order) -> list[Picture]:
    return [frame.picture for frame in engine.frames(asked, lambda _: None)]


@pytest.mark.parametrize("rate", [8, 12, 15, 24, 25, 30])
@pytest.mark.parametrize("seconds", [0.3, 5.0, 7.3])
def test_as_many_frames_as_ordered(engine: HouseEngine, rate: int, seconds: float) -> None:
    asked = order(seconds=seconds, frames_per_second=rate)
    found = pictures(engine, asked)
    assert len(found) == asked.frame_count == round(seconds * rate)
    assert {(each.shape, each.dtype) for each in found} == {((64, 64, 3), np.dtype(np.uint8))}


@pytest.mark.parametrize(("width", "height"), [(96, 64), (64, 96), (48, 48), (16, 96)])
def test_frames_of_any_shape(engine: HouseEngine, width: int, height: int) -> None:
    found = pictures(engine, order(width_px=width, height_px=height, seconds=0.5))
    assert {each.shape for each in found} == {(height, width, 3)}


def test_the_seed_decides(engine: HouseEngine) -> None:
    first = pictures(engine, order())
    assert all(map(np.array_equal, first, pictures(engine, order())))
    assert not np.array_equal(first[0], pictures(engine, order(seed=4))[0])


def test_a_storyboard_of_two_shots(engine: HouseEngine) -> None:
    """The second scene is its own, and faded in: no step in between is a jump."""
    told: list[Progress] = []
    asked = order("a red car drives", "a dog walks", steps=2)
    found = [frame.picture for frame in engine.frames(asked, told.append)]
    assert len(found) == 32
    assert [(each.done, each.total) for each in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    alone = pictures(engine, order("a red car drives", steps=2))
    assert all(map(np.array_equal, found[:16], alone))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(found[14:21])]
    assert max(steps) < 2 * np.abs(found[15].astype(int) - found[31]).mean()


def test_a_scene_that_goes_on_begins_as_the_first_did(engine: HouseEngine) -> None:
    """Against drift: the second scene of one shot starts from the first window."""
    asked = order(seconds=10.0, frames_per_second=16)
    clips: list[torch.Tensor] = []
    kept = house.sample

    def watched(*args: object, **fields: object) -> object:
        clips.append(fields["begun"])  # type: ignore[arg-type]
        return kept(*args, **fields)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house, "sample", watched)
        pictures(engine, asked)
    assert clips[0] is None
    assert clips[1].shape == (1, 2, 32, 32, 3)


@pytest.mark.parametrize("field", ["first_picture", "earlier"])
def test_a_video_goes_on_from_pictures(engine: HouseEngine, field: str) -> None:
    given = np.zeros((48, 80, 3), np.uint8)
    given[:, 30:50] = (250, 10, 10)
    value = given if field == "first_picture" else (np.zeros_like(given), given, given)
    (first, *_) = pictures(engine, order(width_px=32, height_px=32, **{field: value}))
    expected = given[:, 16:64]  # the middle square
    assert np.abs(first[16, 16].astype(int) - expected[24, 24]).max() < 40
    assert np.abs(first[16, 2].astype(int) - expected[24, 2]).max() < 40


def test_it_can_be_stopped_at_each_step(engine: HouseEngine) -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.done == 3:
            raise StoppedError("stopped by hand")

    with pytest.raises(StoppedError):
        list(engine.frames(order(steps=8), stop))
    assert [each.done for each in told] == [1, 2, 3]
    assert told[0].preview is not None
    assert told[0].preview.shape == (32, 32, 3)


def test_nothing_is_understood(engine: HouseEngine) -> None:
    with pytest.raises(InputError, match="zeppelin") as refused:
        next(engine.frames(order("a red car", "zeppelin"), lambda _: None))
    assert "car" in refused.value.hint


def test_memory_is_flat_in_length(engine: HouseEngine) -> None:
    """A minute needs no more at a time than ten seconds; no frame is kept."""
    peaks = []
    for seconds in (10.0, 60.0):
        asked = order(seconds=seconds, frames_per_second=4)
        tracemalloc.start()
        count = sum(1 for _ in engine.frames(asked, lambda _: None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == asked.frame_count
    assert peaks[1] < peaks[0] + 10 * 64 * 64 * 3


def test_a_square_is_shown_whole_in_any_frame() -> None:
    square = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    assert np.array_equal(framed(square, 40, 40), square)
    assert np.array_equal(framed(square, 71, 40)[:, 15:55], square)
    assert np.array_equal(framed(square, 40, 71)[15:55], square)
    around = framed(np.full((40, 40, 3), 200, np.uint8), 80, 40)[:, :20]
    assert abs(float(around.mean()) - 110) < 2


def test_a_work_in_two_rows_is_credited_once(tmp_path: Path) -> None:
    line = WorkLine("a" * 64, "Car", "Ada", "CC0", "x", 1, "i", "sprite")
    rows = (line, replace(line, row=7), replace(line, work="b" * 64, owner="Bo", row=2),
            replace(line, work="c" * 64, row=3))  # fmt: skip
    credited = house._credits(rows)
    assert [credit.work[0] for credit in credited] == ["a", "b", "c"]
    assert [credit.share_parts for credit in credited] == [333_334, 333_333, 333_333]
    assert house._credits(()) == ()


def hand_written(folder: Path) -> Path:
    """A model with a record that nobody signed: only its digests fit."""
    line = WorkLine("a" * 64, "Car", "Ada", "CC0", "x", 1, "i", "sprite")
    files = model_files("tiny", network(), WORDS, NOUNS) | {"works.jsonl": works_bytes([line])}
    folder.mkdir()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    record = {"files": {name: sha256_hex(raw) for name, raw in files.items()}}
    (folder / "record.json").write_bytes(canonical_json(record))
    return folder


def test_a_hand_written_record_clears_nothing(tmp_path: Path) -> None:
    folder = hand_written(tmp_path / "model")
    request = Request("a red car drives", 1.0, 64, 64, 8, steps=1, model=str(folder))
    told: list[Progress] = []
    with pytest.raises(IntegrityError, match="record") as refused:
        generate(request, tmp_path / "out.mp4", told.append, key_path=tmp_path / "key")
    assert refused.value.hint
    assert told == []
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_without_a_record_rights_are_unknown(tmp_path: Path) -> None:
    folder = hand_written(tmp_path / "model")
    (folder / "record.json").unlink()
    engine = open_engine(str(folder))
    assert engine.rights is Rights.UNKNOWN
    assert proven(engine) is engine


def test_an_engine_that_keeps_no_record_may_not_claim(engine: HouseEngine) -> None:
    claiming = replace(engine, record_sha256="d" * 64, works=house._credits(
        (WorkLine("a" * 64, "Car", "Ada", "CC0", "x", 1, "i", "sprite"),)))  # fmt: skip
    assert claiming.rights is Rights.CLEARED
    with pytest.raises(IntegrityError, match="keeps no training record"):
        proven(claiming)


def test_a_trained_model_is_proven_and_an_altered_one_is_not(tmp_path: Path) -> None:
    from tercet.flows.train import train

    cleared_works(tmp_path)
    folder = train(training(tmp_path, steps=1)).model
    assert folder is not None
    request = Request("a car drives", 0.5, 64, 64, 8, steps=1, model=str(folder))
    made = generate(request, tmp_path / "a.mp4", lambda _: None, key_path=tmp_path / "key")
    assert made.rights is Rights.CLEARED
    assert len(made.credits) == 3
    record = json.loads((folder / "record.json").read_bytes())
    record["steps"] = 2
    (folder / "record.json").write_bytes(canonical_json(record) + b"\n")
    with pytest.raises(IntegrityError, match="signature"):
        generate(request, tmp_path / "b.mp4", lambda _: None, key_path=tmp_path / "key")


def test_a_setting_that_cannot_be_is_told_first(
    engine: HouseEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERCET_TRAINING_MINING", "perhaps")
    told: list[Progress] = []
    request = Request("a red car drives", 1.0, 64, 64, 8, steps=1)
    with pytest.raises(InputError, match="TERCET_TRAINING_MINING"):
        generate(request, tmp_path / "a.mp4", told.append, engine=engine)
    assert told == []


def test_captions_are_worded_as_in_training(engine: HouseEngine) -> None:
    understood = engine.understood("a red car, and a qwertz")
    assert engine._caption("a red car, and a qwertz") == said(understood.scene)
    assert [word.word for word in understood.unknown] == ["qwertz"]
