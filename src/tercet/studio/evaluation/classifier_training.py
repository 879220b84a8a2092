"""Training the classifier: from nothing, on real clips only, a few minutes of one processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, cross_entropy

from tercet.studio.evaluation.attributes import ACTORS_MAX, UNSAID, noun_places, truth
from tercet.studio.evaluation.classifier import (
    Classifier,
    Clips,
    look,
    pixels_of,
)
from tercet.studio.evaluation.networks import CELLS, FRAMES, SIDE_PX
from tercet.studio.scenes.clip import ownership, render_clip
from tercet.studio.scenes.recipe import Recipe
from tercet.studio.scenes.recipes import recipe
from tercet.studio.scenes.stage import Stage

TRAINING_SEED = 0x7E2CE7  # recipes of this seed are the classifier's own: none is measured with
HELD_OUT_ONE_IN = 4  # the judge sees held-out pairs too, or it would call them unlikely
STEP_CLIPS = 8  # few, since it is steps that are short, not clips
_CELL_PART = 0.35  # a cell is named after an actor that owns this much of it
_WHERE_WEIGHT = 2.0
_FRAMES_LEARNT = 2  # of a clip, in a step
_WINDOW_CELLS = 8
_MOVED_CELLS = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, in steps of 8 clips: first for what is seen, then for what it does."""

    frame_steps: int
    clip_steps: int
    rate: float = 3e-3

    @classmethod
    def of(cls, stage: Stage) -> Plan:
        """Return the plan for a stage: the more sprites, the longer."""
        return cls(frame_steps=3000 + 15 * len(stage.sprites), clip_steps=1000)


Report = Callable[[int, int, float], None]  # step, steps, loss


def real_recipes(stage: Stage, seed: int, count: int, *, held_out: bool = False) -> list[Recipe]:
    """Return the first recipes of a seed."""
    return [recipe(stage, seed, index, held_out=held_out) for index in range(count)]


def real_clips(recipes: Sequence[Recipe], stage: Stage, frame_count: int = FRAMES) -> Clips:
    """Return the clips of recipes (clips, frames, 64, 64, 3)."""
    return np.stack([render_clip(each, stage, SIDE_PX, frame_count) for each in recipes])


def train_classifier(
    stage: Stage, *, seed: int = 0, plan: Plan | None = None, report: Report | None = None
) -> Classifier:
    """Return a classifier for a stage. The same stage, seed and machine give the same weights."""
    plan = plan or Plan.of(stage)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        classifier = Classifier.of(stage)
        _train(classifier, stage, plan, report or (lambda step, steps, loss: None))
    return classifier.eval()


def _train(classifier: Classifier, stage: Stage, plan: Plan, report: Report) -> None:
    steps = plan.frame_steps + plan.clip_steps
    doing = [*classifier.actor.parameters(), *classifier.scene.parameters()]
    for begin, count, learnt, loss_of in (
        (0, plan.frame_steps, list(classifier.frame.parameters()), _frame_loss),
        (plan.frame_steps, plan.clip_steps, doing, _clip_loss),
    ):
        optimiser = torch.optim.AdamW(learnt, lr=plan.rate, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, plan.rate, total_steps=max(count, 2), pct_start=0.1
        )
        classifier.train()
        classifier.frame.train(loss_of is _frame_loss)
        for step in range(begin, begin + count):
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of(classifier, stage, step)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            schedule.step()
            report(step + 1, steps, float(loss.detach()))


def _recipes(stage: Stage, step: int, count: int) -> list[Recipe]:
    return [
        recipe(stage, TRAINING_SEED, index, held_out=index % HELD_OUT_ONE_IN == 0)
        for index in range(step * count, (step + 1) * count)
    ]


def _covers(made: Recipe, stage: Stage, frame_count: int) -> NDArray[np.float32]:
    """Return how much of every cell each noun of a clip covers (3, frames, 16, 16)."""
    owners = ownership(made, stage, SIDE_PX, frame_count)
    step = SIDE_PX // CELLS
    pieces = owners.reshape(frame_count, CELLS, step, CELLS, step)
    cover = np.zeros((ACTORS_MAX, frame_count, CELLS, CELLS), np.float32)
    for number, place in enumerate(noun_places(made, stage), start=1):
        cover[place] += (pieces == number).mean((2, 4))
    return cover


def _frame_loss(classifier: Classifier, stage: Stage, step: int) -> Tensor:
    """Return the loss of what is seen: where actors are, and the noun of each place of theirs.

    The network looks at windows of 32 px around actors: it sees four times as many in its time.
    """
    recipes = _recipes(stage, step, STEP_CLIPS)
    told = truth(recipes, stage).actors[..., 0]
    clips = real_clips(recipes, stage, _FRAMES_LEARNT)
    covers = np.stack([_covers(each, stage, _FRAMES_LEARNT) for each in recipes])
    views = [
        _window(clips[at, frame], covers[at, :, frame], place)
        for at in range(STEP_CLIPS)
        for place in range(int((told[at] != UNSAID).sum()))
        for frame in range(_FRAMES_LEARNT)
    ]
    rows = [at for at in range(STEP_CLIPS) for _ in range(int((told[at] != UNSAID).sum()))]
    nouns = torch.from_numpy(told[np.repeat(rows, _FRAMES_LEARNT)])
    pixels = pixels_of(np.stack([view[0] for view in views])[None])[0]
    cover = torch.from_numpy(np.stack([view[1] for view in views]))
    coarse, best = avg_pool2d(cover, 2).max(1)
    shown = coarse.flatten() >= _CELL_PART
    answer = nouns.gather(1, best.flatten(1)).flatten()[shown]
    with torch.autocast(pixels.device.type, torch.bfloat16):
        features, logits = classifier.frame(pixels)
        named = classifier.frame.noun(features.flatten(0, 2)[shown])
    where = binary_cross_entropy_with_logits(logits.float(), cover.sum(1))
    return cross_entropy(named.float(), answer) + _WHERE_WEIGHT * where


def _window(
    frame: NDArray[np.uint8], cover: NDArray[np.float32], place: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return 32 px of a frame around one noun of it, and the cover of its cells; moved at will."""
    mass = cover[place]
    total = float(mass.sum()) + 1e-6
    middle = [float((mass.sum(axis) * np.arange(CELLS)).sum()) / total for axis in (1, 0)]
    moved = (torch.rand(2) * _MOVED_CELLS - _MOVED_CELLS / 2).tolist()
    top, left = (
        int(np.clip(round(at + by - _WINDOW_CELLS / 2 + 0.5), 0, CELLS - _WINDOW_CELLS))
        for at, by in zip(middle, moved, strict=True)
    )
    step, cells = SIDE_PX // CELLS, _WINDOW_CELLS
    picture = frame[top * step : (top + cells) * step, left * step : (left + cells) * step]
    return picture, cover[:, top : top + cells, left : left + cells]


def _clip_loss(classifier: Classifier, stage: Stage, step: int) -> Tensor:
    """Return the loss of scenes, and of what actors do under masks found as in a reading."""
    recipes = _recipes(stage, step, STEP_CLIPS)
    told = truth(recipes, stage)
    actors, scenes = torch.from_numpy(told.actors), torch.from_numpy(told.scenes)
    seen = look(classifier, pixels_of(real_clips(recipes, stage)), actors[..., 0])
    guesses = classifier.actor(*seen.of_actors)
    with torch.autocast(seen.pixels.device.type, torch.bfloat16):
        _, places = classifier.scene(*seen.of_scenes)
    answered = actors.flatten(0, 1)
    parts = [
        cross_entropy(guess, answered[:, at], ignore_index=UNSAID)
        for guess, at in zip(guesses, (2, 3, 1), strict=True)
        if (answered[:, at] != UNSAID).any()
    ]
    parts += [
        cross_entropy(guess.float(), answer)
        for guess, answer in zip(places, scenes.unbind(1), strict=True)
    ]
    return torch.stack(parts).sum()
