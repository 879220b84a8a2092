"""Measuring a model: captions go to it, its clips are compared with real ones.

A model is known here only as a function from captions to clips, so that any can be measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tercet.studio.evaluation.accuracy import Accuracy, Score, prompt_accuracy
from tercet.studio.evaluation.attributes import truth
from tercet.studio.evaluation.classifier import Classifier, Clips, read
from tercet.studio.evaluation.classifier_training import real_clips, real_recipes
from tercet.studio.evaluation.frechet import frechet_distance
from tercet.studio.evaluation.memorisation import (
    Memorisation,
    memorisation,
    nearest,
    pixel_rows,
)
from tercet.studio.evaluation.result import (
    DistanceLine,
    Drift,
    DriftLine,
    Line,
    PromptTable,
    TimeLine,
)
from tercet.studio.evaluation.temporal import Video, colour_shift, flicker, seams, warp_error
from tercet.studio.scenes.captions import caption
from tercet.studio.scenes.recipe import CLIP_DURATION_S, CLIP_FRAME_COUNT, Recipe
from tercet.studio.scenes.stage import Stage

MEASURED_SEED = 0xE7A1  # recipes of this seed are neither trained on nor the classifier's
OTHER_SEED = 0xE7A2
_WARPED_MAX = 64  # clips; the flow is slow
_MISMATCHED_MAX = 64
_BATCH = 256  # training clips compared at once

Make = Callable[[Sequence[str]], Clips]
Tell = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Made clips beside the real clips of the same recipes."""

    recipes: list[Recipe]
    made: Clips
    real: Clips


def make_pairs(
    make: Make, stage: Stage, count: int, *, held_out: bool, batch: int, tell: Tell
) -> Pairs:
    """Return clips made from the captions of ``count`` recipes, and the recipes' own clips."""
    recipes = real_recipes(stage, MEASURED_SEED, count, held_out=held_out)
    captions = [caption(recipe, stage) for recipe in recipes]
    made = []
    stage_name = "held-out combinations" if held_out else "seen combinations"
    for begin in range(0, count, batch):
        made.append(make(captions[begin : begin + batch]))
        tell(stage_name, min(begin + batch, count), count)
    return Pairs(recipes, np.concatenate(made), real_clips(recipes, stage))


def prompt_table(name: str, pairs: Pairs, stage: Stage, classifier: Classifier) -> PromptTable:
    """Return prompt accuracy of made clips beside that of the real ones, and of real ones that
    belong to other captions."""
    made = prompt_accuracy(pairs.made, pairs.recipes, stage, classifier)
    real = prompt_accuracy(pairs.real, pairs.recipes, stage, classifier)
    others = np.roll(pairs.real[:_MISMATCHED_MAX], 1, axis=0)
    wrong = prompt_accuracy(others, pairs.recipes[:_MISMATCHED_MAX], stage, classifier)
    return PromptTable(
        name,
        _lines(made.scores, real.scores, wrong.scores),
        _lines(made.second, real.second, wrong.second),
    )


def _lines(
    made: Sequence[Score], real: Sequence[Score], wrong: Sequence[Score]
) -> tuple[Line, ...]:
    return tuple(
        Line(
            attribute=one.attribute,
            judge=one.judge,
            made=one.accuracy,
            low=one.interval[0],
            high=one.interval[1],
            real=other.accuracy,
            mismatched=third.accuracy,
            chance=one.chance,
            count=one.count,
        )
        for one, other, third in zip(made, real, wrong, strict=True)
    )


def features_of(
    clips: Clips, recipes: Sequence[Recipe], stage: Stage, by: Classifier
) -> NDArray[np.float64]:
    """Return the features in which clips are compared (clips, width)."""
    nouns = truth(recipes, stage).actors[..., 0]
    return read(by, clips, nouns).features.astype(np.float64)


def distances(
    pairs: Pairs, stage: Stage, classifier: Classifier, *, seed: int
) -> tuple[DistanceLine, ...]:
    """Return Fréchet distances in the classifier's features, and in those of an untrained one.

    All sets have one size, and all are compared with the same real clips, of other recipes.
    """
    count = len(pairs.recipes)
    others = real_recipes(stage, OTHER_SEED, count)
    other_clips = real_clips(others, stage)
    order = np.random.default_rng(seed).permuted(
        np.tile(np.arange(CLIP_FRAME_COUNT), (count, 1)), axis=1
    )
    shuffled = np.take_along_axis(pairs.real, order[:, :, None, None, None], axis=1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        untrained = Classifier.of(stage)
    lines = []
    for name, network in (("classifier", classifier), ("random network", untrained)):
        against = features_of(other_clips, others, stage, network)
        made, real, wrong = (
            frechet_distance(features_of(clips, pairs.recipes, stage, network), against)
            for clips in (pairs.made, pairs.real, shuffled)
        )
        lines.append(DistanceLine(name, made, real, wrong, count))
    return tuple(lines)


def times(pairs: Pairs) -> tuple[TimeLine, ...]:
    """Return flicker and warp error of made and of real clips."""
    some = slice(0, _WARPED_MAX)
    return (
        TimeLine("flicker", _mean(flicker, pairs.made), _mean(flicker, pairs.real)),
        TimeLine(
            "warp error", _mean(warp_error, pairs.made[some]), _mean(warp_error, pairs.real[some])
        ),
    )


def _mean(measure: Callable[[Video], float], clips: Clips) -> float:
    return float(np.mean([measure(clip) for clip in clips]))


def memorised(
    pairs: Pairs,
    stage: Stage,
    classifier: Classifier,
    training: Sequence[Recipe],
    tell: Tell,
) -> Mapping[str, Memorisation]:
    """Compare the nearest training clip of made clips with that of unseen real clips.

    By pixels, and by the classifier's features.
    """
    made, real = pixel_rows(pairs.made), pixel_rows(pairs.real)
    made_look, real_look = (
        features_of(clips, pairs.recipes, stage, classifier).astype(np.float32)
        for clips in (pairs.made, pairs.real)
    )
    pixels = np.concatenate((made, real))
    looks = np.concatenate((made_look, real_look))
    by_pixels = np.full(len(pixels), np.inf, np.float32)
    by_looks = by_pixels.copy()
    compared_count = 0
    for batch in _batches(training):
        clips = real_clips(batch, stage)
        by_pixels = np.minimum(by_pixels, nearest(pixels, [pixel_rows(clips)])[0])
        features = features_of(clips, batch, stage, classifier).astype(np.float32)
        by_looks = np.minimum(by_looks, nearest(looks, [features])[0])
        compared_count += len(batch)
        tell("training clips compared", compared_count, len(training))
    count = len(made)
    return {
        "pixels": memorisation(by_pixels[:count], by_pixels[count:]),
        "features": memorisation(by_looks[:count], by_looks[count:]),
    }


def _batches(recipes: Sequence[Recipe]) -> Iterator[Sequence[Recipe]]:
    for begin in range(0, len(recipes), _BATCH):
        yield recipes[begin : begin + _BATCH]


def drift(
    videos: Sequence[Video], recipes: Sequence[Recipe], stage: Stage, classifier: Classifier
) -> Drift:
    """Return how long videos of one prompt change.

    Every video has 16 frames for each five seconds (scenes x 16, 64, 64, 3). The accuracy is of
    those attributes together that hold all through a video: its nouns, colours, place, time,
    weather and count, each counted by itself.
    """
    scenes = len(videos[0]) // CLIP_FRAME_COUNT
    stacked = np.stack(videos).reshape(len(videos), scenes, CLIP_FRAME_COUNT, *videos[0].shape[1:])
    lines = []
    for at in range(scenes):
        accuracy = prompt_accuracy(stacked[:, at], recipes, stage, classifier)
        shift = np.mean([colour_shift(video[0], video[at]) for video in stacked])
        lines.append(DriftLine(at * CLIP_DURATION_S, _lasting(accuracy), float(shift)))
    joins = range(CLIP_FRAME_COUNT, scenes * CLIP_FRAME_COUNT, CLIP_FRAME_COUNT)
    seam = float(np.mean([seams(video, joins).ratio for video in videos]))
    return Drift(len(videos), scenes * CLIP_DURATION_S, tuple(lines), seam)


LASTING = ("noun", "colour", "backdrop", "time", "weather", "count")


def _lasting(accuracy: Accuracy) -> float:
    """Return the mean accuracy of the attributes that do not end with a scene."""
    asked = [score for name in LASTING if (score := accuracy.score(name)).count]
    return float(np.mean([score.accuracy for score in asked]))
