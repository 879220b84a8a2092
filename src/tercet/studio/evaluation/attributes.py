"""The attributes a caption speaks of, as numbers: what the classifier is asked, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.recipe import Actor, Backdrop, Camera, Motion, Recipe, Time, Weather
from tercet.studio.scenes.stage import Stage

ACTORS_MAX = 3
UNSAID = -1  # an answer that the caption leaves open, or an actor that is not there
ACTOR_ATTRIBUTES = ("noun", "colour", "motion", "heading")
SCENE_ATTRIBUTES = ("backdrop", "time", "weather", "camera", "count")
ATTRIBUTES = (*ACTOR_ATTRIBUTES, *SCENE_ATTRIBUTES)
HEADINGS = ("left", "right")

_SCENE_ANSWERS = {
    "backdrop": tuple(Backdrop),
    "time": tuple(Time),
    "weather": tuple(Weather),
    "camera": tuple(Camera),
    "count": tuple(str(count) for count in range(1, ACTORS_MAX + 1)),
}


def answers(attribute: str, stage: Stage) -> tuple[str, ...]:
    """Return the answers an attribute can have, in the order of their numbers."""
    actor = {
        "noun": stage.nouns,
        "colour": COLOURS,
        "motion": tuple(Motion),
        "heading": HEADINGS,
    }
    return actor[attribute] if attribute in actor else _SCENE_ANSWERS[attribute]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is so in clips: answers by number, `UNSAID` where there is none.

    ``actors`` is (clips, 3, 4) in the order of `ACTOR_ATTRIBUTES`: one row for each noun, since
    two red cars that drive are one thing to be told; where actors of one noun differ, the answer
    is open. ``scenes`` is (clips, 5) in the order of `SCENE_ATTRIBUTES`.
    """

    actors: NDArray[np.int64]
    scenes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scenes)


def truth(recipes: Sequence[Recipe], stage: Stage) -> Truth:
    """Return what the recipes' clips show."""
    numbers = {noun: number for number, noun in enumerate(stage.nouns)}
    actors = np.full((len(recipes), ACTORS_MAX, len(ACTOR_ATTRIBUTES)), UNSAID, np.int64)
    scenes = np.empty((len(recipes), len(SCENE_ATTRIBUTES)), np.int64)
    for row, recipe in enumerate(recipes):
        places = noun_places(recipe, stage)
        for actor, place in zip(recipe.actors, places, strict=True):
            told = _actor(actor, numbers[stage.sprites[actor.sprite].noun])
            before = actors[row, place]
            actors[row, place] = told if before[0] == UNSAID else _agreed(before, told)
        scenes[row] = _scene(recipe)
    return Truth(actors, scenes)


def noun_places(recipe: Recipe, stage: Stage) -> tuple[int, ...]:
    """Return for each actor which of the recipe's nouns it is, by first appearance."""
    nouns = [stage.sprites[actor.sprite].noun for actor in recipe.actors]
    order = list(dict.fromkeys(nouns))
    return tuple(order.index(noun) for noun in nouns)


def _agreed(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(first == second, first, UNSAID)


def _actor(actor: Actor, noun: int) -> NDArray[np.int64]:
    colour = COLOURS.index(actor.colour) if actor.colour else UNSAID
    heading = int(actor.heading > 0) if actor.motion in ACROSS else UNSAID
    return np.array((noun, colour, tuple(Motion).index(actor.motion), heading), np.int64)


def _scene(recipe: Recipe) -> tuple[int, ...]:
    shown = (recipe.backdrop, recipe.time, recipe.weather, recipe.camera, str(len(recipe.actors)))
    return tuple(
        _SCENE_ANSWERS[attribute].index(answer)
        for attribute, answer in zip(SCENE_ATTRIBUTES, shown, strict=True)
    )
