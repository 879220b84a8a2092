"""Adapters: two clips are learned, going on is exact, and the engine loads what was learned."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")
pytest.importorskip("transformers")
pytest.importorskip("peft")
sys.path.insert(0, str(Path(__file__).parent / "engines"))

from tiny_pipelines import saved, wan

from tercet.core.errors import InputError
from tercet.studio import adapter_training
from tercet.studio.adapter_base import base_entry, checked_base
from tercet.studio.adapter_training import AdapterLearner, AdapterSettings, open_learner
from tercet.studio.engines.diffusers import open_engine
from tercet.studio.engines.engine import Order, Rights, Shot
from tercet.studio.training import Batch

ENTRY = {"pipeline": "WanPipeline", "sha256": "ab" * 32, "files": {}}
CLIPS = np.stack(
    [
        np.full((5, 32, 32, 3), 40, np.uint8),
        np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8),
    ]
)
BATCH = Batch(CLIPS, ("a red car", "a boat"), (0, 0))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved("WanPipeline", tmp_path_factory.mktemp("base") / "wan")


def learner(folder: Path, steps: int = 40, **given: Any) -> AdapterLearner:
    settings = AdapterSettings(steps, **{"rate": 0.02, "rank": 4, "caption_dropout": 0.0} | given)
    return open_learner(folder, "WanPipeline", settings, "cpu")


def judged(pupil: AdapterLearner) -> float:
    """The mean loss at levels and noise that no step has seen."""
    with torch.no_grad():
        return float(
            np.mean(
                [
                    float(pupil.loss(clip, caption, torch.Generator().manual_seed(seed)))
                    for seed in range(100, 108)
                    for clip, caption in zip(BATCH.clips, BATCH.captions, strict=True)
                ]
            )
        )


def pictures(folder: Path, lora: Path | None) -> np.ndarray[Any, Any]:
    engine = open_engine(str(folder), lora=str(lora or ""))
    assert engine.rights is Rights.UNKNOWN
    order = Order(
        shots=(Shot("a red car", 0.25),), width_px=64, height_px=64, frames_per_second=8, steps=2
    )
    return np.stack([frame.picture for frame in engine.frames(order, lambda progress: None)])


def test_the_loss_of_two_clips_falls_and_the_frames_change(folder: Path, tmp_path: Path) -> None:
    pupil = learner(folder)
    before, frozen = judged(pupil), pupil.model.blocks[0].attn1.to_q.base_layer.weight.clone()
    for _ in range(40):
        pupil.step(BATCH)
    assert judged(pupil) < 0.9 * before
    assert torch.equal(frozen, pupil.model.blocks[0].attn1.to_q.base_layer.weight)
    file = tmp_path / "adapter.safetensors"
    file.write_bytes(pupil.files("mine", ENTRY)[file.name])
    assert not np.array_equal(pictures(folder, None), pictures(folder, file))


def test_what_is_loaded_back_is_what_was_learned(folder: Path, tmp_path: Path) -> None:
    """The pipeline with the file gives the numbers of the one that learned, not nearly so."""
    pupil = learner(folder)
    pupil.step(BATCH)
    file = tmp_path / "adapter.safetensors"
    file.write_bytes(pupil.files("mine", ENTRY)[file.name])
    other = open_engine(str(folder), lora=str(file))._pipeline.transformer
    given = {
        "hidden_states": torch.ones(1, 16, 2, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.ones(1, 8, 32),
        "return_dict": False,
    }
    with torch.no_grad():
        learned = pupil.model(**given)[0]
        assert torch.equal(learned, other(**given)[0])
        pupil.model.disable_adapters()
        assert not torch.equal(learned, pupil.model(**given)[0])


def test_going_on_is_exact(folder: Path, tmp_path: Path) -> None:
    whole = learner(folder, steps=4, caption_dropout=0.5)
    losses = [whole.step(BATCH) for _ in range(4)]
    begun = learner(folder, steps=4, caption_dropout=0.5)
    assert [begun.step(BATCH) for _ in range(2)] == losses[:2]
    begun.save(tmp_path / "learner.pt")
    ended = learner(folder, steps=4, caption_dropout=0.5)
    ended.load(tmp_path / "learner.pt")
    assert [ended.step(BATCH) for _ in range(2)] == losses[2:]
    assert ended.files("mine", ENTRY) == whole.files("mine", ENTRY)
    with pytest.raises(RuntimeError, match="size of tensor"):
        learner(folder, rank=2).load(tmp_path / "learner.pt")


def test_half_the_bits_of_the_base_and_all_of_the_adapter() -> None:
    torch.manual_seed(0)
    pupil = AdapterLearner(wan().to(torch.bfloat16), AdapterSettings(2, rank=2))
    assert all(part.dtype == torch.float32 for part in pupil.weights.values())
    assert np.isfinite(pupil.step(BATCH))


def test_latents_are_those_that_the_pipeline_decodes(folder: Path) -> None:
    """Scaled as the pipeline's own video-to-video sibling scales them."""
    pupil = learner(folder)
    vae = pupil.pipeline.vae
    with torch.no_grad():
        pixels = torch.from_numpy(CLIPS[:1]).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        raw = vae.encode(pixels).latent_dist.mode()
        mean, deviation = (
            torch.tensor(vae.config[name]).view(1, 16, 1, 1, 1)
            for name in ("latents_mean", "latents_std")
        )
        again = pupil._latents(CLIPS[0]) / (1.0 / deviation) + mean  # as WanPipeline undoes it
    assert again.shape == (1, 16, 2, 4, 4)
    assert torch.allclose(again, raw, atol=1e-5)


def test_each_clip_is_encoded_once_and_memory_is_bounded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil = learner(folder)
    made: list[Any] = []
    encode = pupil._encoded
    monkeypatch.setattr(pupil, "_encoded", lambda clip: made.append(1) or encode(clip))
    for _ in range(3):
        pupil.step(BATCH)
    assert len(made) == 2
    small = adapter_training._Remembered(100)
    for key in ("a", "b", "a", "c"):
        small.get(key, lambda: torch.zeros(10))
    assert sorted(small._found) == ["a", "c"]
    assert small._bytes == 80


def test_what_no_adapter_is_trained_on(folder: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(folder, tmp_path / "wan")
    (bad / "vae" / "more.bin").write_bytes(b"x")
    with pytest.raises(InputError, match="can carry code"):
        checked_base(str(bad))
    (bad / "vae" / "more.bin").unlink()
    (bad / "my.py").write_text("raise SystemExit")
    with pytest.raises(InputError, match="code of its own"):
        checked_base(str(bad))
    (bad / "my.py").unlink()
    (tmp_path / "elsewhere").mkdir()
    (bad / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="another folder"):
        checked_base(str(bad))
    (bad / "more").unlink()
    index = bad / "model_index.json"
    index.write_text(index.read_text().replace('"WanPipeline"', '"LTXPipeline"'))
    with pytest.raises(InputError, match="got LTXPipeline"):
        checked_base(str(bad))


def test_missing_libraries_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tercet.studio.adapter_base.find_spec", lambda name: None if name == "peft" else 1
    )
    with pytest.raises(InputError, match="needs peft") as caught:
        checked_base(str(folder))
    assert "tercet[diffusers]" in caught.value.hint


def test_every_file_counts(folder: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(folder, tmp_path / "wan")
    first = base_entry(mine, "WanPipeline", lambda stage, done, total: None)
    assert first == base_entry(folder, "WanPipeline", lambda stage, done, total: None)
    assert "model_index.json" in first["files"]
    config = mine / "transformer" / "config.json"
    config.write_text(config.read_text() + " ")
    assert base_entry(mine, "WanPipeline", lambda s, d, t: None)["sha256"] != first["sha256"]


def test_two_transformers_are_refused() -> None:
    pipeline = wan()
    pipeline.register_modules(transformer_2=wan().transformer)
    with pytest.raises(InputError, match="one transformer"):
        AdapterLearner(pipeline, AdapterSettings(1))
