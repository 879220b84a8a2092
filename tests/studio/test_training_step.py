"""A step of training: what is judged, what is drawn by lot, and that it can be done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tercet.studio.model.size import Shape
from tercet.studio.model.words import Vocabulary
from tercet.studio.training import Batch, Learner, Settings, rate_factor

torch.set_num_threads(1)
WORDS = Vocabulary.of(["a red car", "a blue dog"])
SHAPE = Shape(
    "tiny", 32, 1, frame_count=8, side_px=16, caption_words=6, word_count=len(WORDS), owner_count=2
)
WHOLE = Settings(steps=60, seed=3, warm_steps=3, picture_part=0.0)


def batch(count: int = 4) -> Batch:
    clips = np.zeros((count, 8, 16, 16, 3), np.uint8)
    clips[::2, :, 4:12, 4:12] = (220, 30, 20)
    clips[1::2, :, :, 8:] = (20, 40, 230)
    return Batch(clips, ["a red car", "a blue dog"] * (count // 2), [1, 2] * (count // 2))


def losses(learner: Learner, steps: int) -> list[float]:
    return [learner.step(batch()) for _ in range(steps)]


def seen(settings: Settings, count: int = 400) -> tuple[Tensor, ...]:
    """Return what the model is shown in one step: clips, levels, words, owners and moments."""
    learner = Learner(SHAPE, WORDS, settings)
    shown: list[tuple[Tensor, ...]] = []

    def model(*given: Tensor) -> Tensor:
        shown.append(given)
        return learner.model(*given)

    learner.step(batch(count), model)
    return shown[0]


def test_a_perfect_guess_costs_nothing() -> None:
    learner = Learner(SHAPE, WORDS, WHOLE)
    clean = torch.from_numpy(batch().clips).float() / 127.5 - 1
    moments = torch.arange(4).expand(4, 4)
    generator = torch.Generator().manual_seed(0)
    loss = learner.loss(lambda *_: clean, clean, moments, batch(), generator)
    assert loss.item() == 0


def test_clean_frames_are_not_judged() -> None:
    """A clip that has begun is judged only by what comes after its beginning."""
    learner = Learner(SHAPE, WORDS, replace(WHOLE, begun_part=1.0))
    clean = torch.from_numpy(batch().clips).float() / 127.5 - 1
    moments = torch.arange(4).expand(4, 4)

    def wrong_where_clean(_: Tensor, level: Tensor, *__: Tensor) -> Tensor:
        is_clean = (level == 1).repeat_interleave(2, 1)[:, :, None, None, None]
        return torch.where(is_clean, torch.full_like(clean, 9.0), clean)

    generator = torch.Generator().manual_seed(0)
    assert learner.loss(wrong_where_clean, clean, moments, batch(), generator).item() == 0


def test_levels_of_clips_that_have_begun() -> None:
    noisy, level, *_ = seen(replace(WHOLE, begun_part=1.0))
    counts = (level == 1).sum(1)
    assert set(counts.tolist()) == {1, 2}  # up to half of four latent frames
    for row, count in zip(level, counts.tolist(), strict=True):
        assert (row[:count] == 1).all()
        assert len(set(row[count:].tolist())) == 1
    clean = torch.from_numpy(batch(400).clips).float() / 127.5 - 1
    assert torch.equal(noisy[:, :2], clean[:, :2])  # no noise at all in what is clean


def test_levels_follow_their_law() -> None:
    """Logit-normal: half of the levels lie below the logistic of the mean."""
    _, level, *_ = seen(replace(WHOLE, begun_part=0.0))
    assert torch.equal(level, level[:, :1].expand(-1, 4))
    logits = level[:, 0].logit()
    assert logits.mean().item() == pytest.approx(-1.6, abs=4 * 1.2 / 20)
    assert logits.std().item() == pytest.approx(1.2, rel=0.15)


def test_drop_outs_follow_their_law() -> None:
    _, _, words, owners, _ = seen(WHOLE)
    unsaid = (words[:, 1:] == 0).all(1).float().mean().item()
    assert unsaid == pytest.approx(0.1, abs=0.06)
    assert (owners == 0).float().mean().item() == pytest.approx(0.9, abs=0.06)
    assert (words[:, 0] == 1).all()


def test_pictures_come_first() -> None:
    """Two latent frames of each clip, one by one, with their own places in time."""
    noisy, level, words, _, moments = seen(replace(WHOLE, picture_part=0.5), count=40)
    assert noisy.shape == (80, 2, 16, 16, 3)
    assert level.shape == moments.shape == (80, 1)
    assert (moments.view(40, 2)[:, 0] != moments.view(40, 2)[:, 1]).all()
    assert set(moments.flatten().tolist()) == {0, 1, 2, 3}
    said = words[words[:, 1] != 0]
    assert len(said) > 50


def test_every_weight_has_one_optimiser() -> None:
    learner = Learner(SHAPE, WORDS, WHOLE)
    groups = [group for each in learner.optimizers for group in each.param_groups]
    held = [id(part) for group in groups for part in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(part) for part in learner.model.parameters()}
    muon, adam = learner.optimizers
    assert isinstance(muon, torch.optim.Muon)
    assert isinstance(adam, torch.optim.AdamW)
    assert all(part.ndim == 2 for group in muon.param_groups for part in group["params"])
    embedding = id(learner.model.text.embedding.weight)
    assert embedding in {id(p) for group in adam.param_groups for p in group["params"]}


def test_two_clips_are_learnt() -> None:
    found = losses(Learner(SHAPE, WORDS, replace(WHOLE, steps=80)), 80)
    assert sum(found[-10:]) < 0.25 * sum(found[:5]) * 2


def test_the_same_seed_learns_the_same() -> None:
    first, again, other = (
        losses(Learner(SHAPE, WORDS, settings), 4)
        for settings in (WHOLE, WHOLE, replace(WHOLE, seed=4))
    )
    assert first == again
    assert first != other


def test_going_on_is_as_never_having_stopped(tmp_path: Path) -> None:
    """Across the change from pictures to clips, and to the last bit of every weight."""
    settings = replace(WHOLE, steps=6, picture_part=0.5)
    whole = Learner(SHAPE, WORDS, settings)
    expected = losses(whole, 6)
    half = Learner(SHAPE, WORDS, settings)
    found = losses(half, 2)
    half.save(tmp_path / "learner.pt")
    rest = Learner(SHAPE, WORDS, replace(settings, seed=3))
    rest.load(tmp_path / "learner.pt")
    assert rest.steps_done == 2
    assert found + losses(rest, 4) == expected
    for name in ("model", "average"):
        ours, theirs = getattr(rest, name).state_dict(), getattr(whole, name).state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_average_follows_slowly() -> None:
    learner = Learner(SHAPE, WORDS, WHOLE)
    before = {key: part.clone() for key, part in learner.average.named_parameters()}
    losses(learner, 1)
    part = min(0.998, 2 / 11)
    for key, weight in learner.model.named_parameters():
        expected = part * before[key] + (1 - part) * weight
        assert torch.allclose(learner.average.get_parameter(key), expected, atol=1e-6), key


def test_the_rate_rises_stays_and_falls() -> None:
    settings = Settings(steps=1000, warm_steps=100, cool_part=0.3)
    rates = [rate_factor(step, settings) for step in range(1001)]
    assert rates[0] == 0.01
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:700] == [1.0] * 600
    assert rates[700:] == sorted(rates[700:], reverse=True)
    assert rates[1000] == 0
