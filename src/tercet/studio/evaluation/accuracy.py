"""Prompt accuracy: how often a clip shows what its caption asks for, attribute by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tercet.core.errors import InputError
from tercet.studio.evaluation.attributes import ATTRIBUTES, UNSAID, Truth, answers, truth
from tercet.studio.evaluation.classifier import Classifier, Clips, Reading, read
from tercet.studio.scenes.recipe import Recipe
from tercet.studio.scenes.stage import Stage

ALL = "all"
_Z = 1.959964  # of the normal distribution, for an interval of 95 %


@dataclass(frozen=True, slots=True)
class Score:
    """How often an attribute is right: ``right`` of ``count``, where ``chance`` is by guessing."""

    attribute: str
    right: int
    count: int
    chance: float

    @property
    def accuracy(self) -> float:
        """The share that is right; 0 where nothing was asked."""
        return self.right / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson 1927)."""
        if not self.count:
            return 0.0, 1.0
        n, p, z = self.count, self.accuracy, _Z
        middle = p + z * z / (2 * n)
        reach = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
        return max(0.0, (middle - reach) / (1 + z * z / n)), min(
            1.0, (middle + reach) / (1 + z * z / n)
        )


def prompt_accuracy(
    generated: Clips, recipes: Sequence[Recipe], stage: Stage, classifier: Classifier
) -> tuple[Score, ...]:
    """Return the scores of clips (n, 16, 64, 64, 3) made from the captions of ``recipes``.

    One score an attribute, then ``all``: clips in which every attribute of every actor is right.
    Actors of a clip count one by one; those of one noun count once. Raises `InputError` where
    clips and recipes do not match, or the classifier is of another stage.
    """
    if len(generated) != len(recipes):
        raise InputError(
            f"expected a clip for each of {len(recipes)} recipes, got {len(generated)}"
        )
    if classifier.nouns != stage.nouns:
        raise InputError(
            "expected a classifier of this stage, got one of other nouns",
            hint="train the classifier anew",
        )
    told = truth(recipes, stage)
    reading = read(classifier, generated, told.actors[..., 0])
    return scores(correct(reading, told), told, stage)


def correct(reading: Reading, told: Truth) -> dict[str, NDArray[np.bool_]]:
    """Return what is right: (clips, 3) of an actor's attributes, (clips,) of a scene's."""
    right: dict[str, NDArray[np.bool_]] = {"noun": _nouns_right(reading.nouns, told)}
    for at, attribute in enumerate(ATTRIBUTES[1:4], start=1):
        right[attribute] = reading.actors[..., at - 1] == told.actors[..., at]
    for at, attribute in enumerate(ATTRIBUTES[4:]):
        right[attribute] = reading.scenes[:, at] == told.scenes[:, at]
    return right


def _nouns_right(presence: NDArray[np.float32], told: Truth) -> NDArray[np.bool_]:
    """Tell which asked-for nouns are among the k most present ones, k being how many are asked."""
    nouns = told.actors[..., 0]
    asked = (nouns != UNSAID).sum(1)
    order = np.argsort(-presence, axis=1)[:, : nouns.shape[1]]
    rank = np.arange(order.shape[1])[None] < asked[:, None]
    found = (order[:, None, :] == nouns[:, :, None]) & rank[:, None, :]
    return np.asarray(found.any(2))


def scores(right: dict[str, NDArray[np.bool_]], told: Truth, stage: Stage) -> tuple[Score, ...]:
    """Return the score of every attribute that was asked for, then of all together."""
    whole = np.ones(len(told), bool)
    rows = []
    chance_of_all = np.ones(len(told))
    for at, attribute in enumerate(ATTRIBUTES):
        options = len(answers(attribute, stage))
        if at < told.actors.shape[2]:
            asked = told.actors[..., at] != UNSAID
            whole &= (right[attribute] | ~asked).all(1)
            chance_of_all /= float(options) ** asked.sum(1)
        else:
            asked = np.ones(len(told), bool)
            whole &= right[attribute]
            chance_of_all /= options
        rows.append(
            Score(attribute, int((right[attribute] & asked).sum()), int(asked.sum()), 1 / options)
        )
    chance = float(chance_of_all.mean()) if len(told) else 0.0
    return (*rows, Score(ALL, int(whole.sum()), len(told), chance))
