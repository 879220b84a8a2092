"""Prompt accuracy: how often a clip shows what its caption asks for, attribute by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tercet.core.errors import InputError
from tercet.studio.evaluation.attributes import (
    ACTOR_ATTRIBUTES,
    ATTRIBUTES,
    SCENE_ATTRIBUTES,
    UNSAID,
    Truth,
    answers,
    truth,
)
from tercet.studio.evaluation.classifier import Classifier, Clips, Reading, read
from tercet.studio.evaluation.geometry import read_by_rule
from tercet.studio.scenes.recipe import Recipe
from tercet.studio.scenes.stage import Stage

ALL = "all"
CLASSIFIER, RULE = "classifier", "rule"
_Z = 1.959964  # of the normal distribution, for an interval of 95 %
Right = dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Score:
    """How often an attribute is right: ``right`` of ``count``, where ``chance`` is by guessing.

    ``judge`` is who read it: the classifier, or a rule (see `geometry`).
    """

    attribute: str
    judge: str
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


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well clips follow their captions.

    ``scores`` has one score an attribute, by rule, and ``all`` at the end: the clips in which
    everything that was asked for is right. ``second`` is the same by the classifier, if any.
    """

    scores: tuple[Score, ...]
    second: tuple[Score, ...]

    def score(self, attribute: str) -> Score:
        """Return the score of an attribute, or of ``all``, by rule."""
        return next(score for score in self.scores if score.attribute == attribute)


def prompt_accuracy(
    generated: Clips,
    recipes: Sequence[Recipe],
    stage: Stage,
    classifier: Classifier | None = None,
) -> Accuracy:
    """Return how well clips (n, 16, 64, 64, 3) show what the captions of ``recipes`` ask for.

    By rule (`geometry`), and, where a classifier is given, by it too. Actors of a clip count one
    by one, those of one noun once. Raises `InputError` where clips and recipes do not match, or
    the classifier is of another stage.
    """
    told = _truth(generated, recipes, stage)
    rule = _rule_right(generated, recipes, told, stage)
    second: tuple[Score, ...] = ()
    if classifier is not None:
        if classifier.nouns != stage.nouns:
            raise InputError(
                "expected a classifier of this stage, got one of other nouns",
                hint="train the classifier anew",
            )
        reading = read(classifier, generated, told.actors[..., 0])
        second = _scores(CLASSIFIER, classifier_right(reading, told), told, stage)
    return Accuracy(_scores(RULE, rule, told, stage), second)


def _truth(generated: Clips, recipes: Sequence[Recipe], stage: Stage) -> Truth:
    if len(generated) != len(recipes):
        raise InputError(
            f"expected a clip for each of {len(recipes)} recipes, got {len(generated)}"
        )
    return truth(recipes, stage)


def classifier_right(reading: Reading, told: Truth) -> Right:
    """Return what is right: (clips, 3) of an actor's attributes, (clips,) of a scene's."""
    right: Right = {"noun": _nouns_right(reading.nouns, told)}
    for at, attribute in enumerate(ACTOR_ATTRIBUTES[1:], start=1):
        right[attribute] = reading.actors[..., at - 1] == told.actors[..., at]
    for at, attribute in enumerate(SCENE_ATTRIBUTES):
        right[attribute] = reading.scenes[:, at] == told.scenes[:, at]
    return right


def _rule_right(generated: Clips, recipes: Sequence[Recipe], told: Truth, stage: Stage) -> Right:
    """Return what is right by rule, as `classifier_right` does."""
    actors, scenes = read_by_rule(generated, recipes, stage)
    of_actors = {
        attribute: actors[..., at] == told.actors[..., at]
        for at, attribute in enumerate(ACTOR_ATTRIBUTES)
    }
    of_scenes = {
        attribute: scenes[:, at] == told.scenes[:, at]
        for at, attribute in enumerate(SCENE_ATTRIBUTES)
    }
    return of_actors | of_scenes


def _nouns_right(presence: NDArray[np.float32], told: Truth) -> NDArray[np.bool_]:
    """Tell which asked-for nouns are among the k most present ones, k being how many are asked."""
    nouns = told.actors[..., 0]
    asked = (nouns != UNSAID).sum(1)
    order = np.argsort(-presence, axis=1)[:, : nouns.shape[1]]
    rank = np.arange(order.shape[1])[None] < asked[:, None]
    found = (order[:, None, :] == nouns[:, :, None]) & rank[:, None, :]
    return np.asarray(found.any(2))


def _asked(attribute: str, told: Truth) -> NDArray[np.bool_]:
    """Return where an attribute is asked for: (clips, 3) of actors, (clips, 1) of scenes."""
    if attribute in ACTOR_ATTRIBUTES:
        return np.asarray(told.actors[..., ACTOR_ATTRIBUTES.index(attribute)] != UNSAID)
    return np.ones((len(told), 1), bool)


def _scores(judge: str, right: Right, told: Truth, stage: Stage) -> tuple[Score, ...]:
    """Return the score of every attribute, then of all together."""
    rows = []
    for attribute in ATTRIBUTES:
        asked = _asked(attribute, told)
        hits = int((right[attribute].reshape(asked.shape) & asked).sum())
        chance = 1 / len(answers(attribute, stage))
        rows.append(Score(attribute, judge, hits, int(asked.sum()), chance))
    return (*rows, _all(judge, right, told, stage))


def _all(judge: str, right: Right, told: Truth, stage: Stage) -> Score:
    """Return how many clips are right in everything asked for."""
    whole = np.ones(len(told), bool)
    chance = np.ones(len(told))
    for attribute in ATTRIBUTES:
        asked = _asked(attribute, told)
        whole &= (right[attribute].reshape(asked.shape) | ~asked).all(1)
        chance /= float(len(answers(attribute, stage))) ** asked.sum(1)
    mean = float(chance.mean()) if len(told) else 0.0
    return Score(ALL, judge, int(whole.sum()), len(told), mean)
