"""Recipes: what a clip shows, drawn from (stage, seed, index) and nothing else."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from tercet.core.errors import InputError
from tercet.studio.scenes.combinations import held_out_pairs
from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.recipe import (
    Actor,
    Backdrop,
    Camera,
    Motion,
    Recipe,
    Time,
    Weather,
)
from tercet.studio.scenes.scene import Scene
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage
from tercet.studio.scenes.staging import begin, begin_leading, size_of

ACTORS_MAX: Final = 3
_JITTER = 0.02  # of the frame, to either side
_SIZE_JITTER = 0.06  # of the size, to either side
_DRAWS_MAX = 4096

_ANYTHING = (
    Motion.STAND, Motion.FALL, Motion.RISE, Motion.BOUNCE, Motion.SPIN, Motion.GROW,
    Motion.ORBIT, Motion.CROSS,
)  # fmt: skip
_OWN: Final[dict[Kind, tuple[Motion, ...]]] = {
    Kind.VEHICLE: (Motion.DRIVE, Motion.DRIVE, Motion.DRIVE),
    Kind.VESSEL: (Motion.DRIVE, Motion.DRIVE, Motion.DRIVE),
    Kind.AIRCRAFT: (Motion.FLY, Motion.FLY, Motion.FLY),
    Kind.ANIMAL: (Motion.WALK, Motion.WALK, Motion.WALK),
    Kind.FLYER: (Motion.FLY, Motion.FLY, Motion.FLY, Motion.WALK),
    Kind.SWIMMER: (Motion.DRIVE, Motion.DRIVE, Motion.DRIVE),
    Kind.PERSON: (Motion.WALK, Motion.WALK, Motion.WALK),
    Kind.PLANT: (Motion.STAND, Motion.GROW, Motion.STAND),
    Kind.BUILDING: (Motion.STAND, Motion.STAND, Motion.STAND),
    Kind.FOOD: (),
    Kind.THING: (),
    Kind.SKY: (Motion.STAND, Motion.STAND),
}
_LAND = (Backdrop.HILLS, Backdrop.CITY, Backdrop.DESERT, Backdrop.FOREST)
_WHERE: Final[dict[Kind, tuple[Backdrop, ...]]] = {
    Kind.VEHICLE: _LAND,
    Kind.VESSEL: (Backdrop.SEA,),
    Kind.SWIMMER: (Backdrop.SEA,),
    Kind.AIRCRAFT: (*_LAND, Backdrop.SEA, Backdrop.SKY, Backdrop.SPACE),
    Kind.FLYER: (*_LAND, Backdrop.SEA, Backdrop.SKY),
    Kind.SKY: (*_LAND, Backdrop.SEA, Backdrop.SKY, Backdrop.SPACE),
    Kind.FOOD: tuple(Backdrop),
    Kind.THING: tuple(Backdrop),
}
_ON_GROUND = frozenset({Motion.DRIVE, Motion.WALK})
_GROUNDLESS = frozenset({Backdrop.SKY, Backdrop.SPACE})


def recipe(
    stage: Stage, seed: int, index: int, *, max_actors: int = ACTORS_MAX, held_out: bool = False
) -> Recipe:
    """Return recipe ``index``: the same for the same stage, seed and arguments, on any machine.

    It shows one to ``max_actors`` actors. Without ``held_out`` it has no held-out pair of noun
    and colour or noun and motion (see `combinations`); with it, it has at least one. Raises
    InputError if the stage has no such recipe.
    """
    if not 1 <= max_actors <= ACTORS_MAX:
        raise InputError(
            f"expected 1 to {ACTORS_MAX} actors, got {max_actors}", hint="set max_actors"
        )
    generator = _generator(f"tercet/recipe@1 {stage.digest} {seed} {index}")
    for _ in range(_DRAWS_MAX):
        drawn = _drawn(stage, generator, index, max_actors)
        if bool(held_out_pairs(drawn, stage)) is held_out:
            return drawn
    kind = "a held-out pair" if held_out else "no held-out pair"
    raise InputError(
        f"expected a stage with recipes that have {kind}, found none in {_DRAWS_MAX} draws",
        hint="add works of more nouns",
    )


def recipe_of(scene: Scene, stage: Stage, seed: int, index: int = 0) -> Recipe:
    """Return a recipe that shows a scene; ``seed`` and ``index`` choose works, places and grain.

    Raises InputError if a noun has no sprite on the stage or there are too many actors.
    """
    strange = [part.noun for part in scene.parts if part.noun not in stage.of_noun]
    if strange or scene.count > ACTORS_MAX:
        raise InputError(
            f"expected at most {ACTORS_MAX} actors whose nouns are on the stage, got"
            f" {scene.count} actors" + (f" and no work of {strange[0]!r}" if strange else ""),
            hint="name fewer things, or ones that the works show",
        )
    generator = _generator(f"tercet/scene@1 {stage.digest} {seed} {index}")
    cast: list[_Part] = []
    for part in scene.parts:
        choices = stage.of_noun[part.noun]
        sprite = choices[generator.integers(len(choices))]
        cast += [(sprite, part.colour, part.motion, part.heading)] * part.count
    actors = tuple(_placed(stage, generator, cast))
    paraphrase, grain = (int(value) for value in generator.integers(0, 2**31, 2))
    return Recipe(
        index, scene.backdrop, scene.time, scene.weather, scene.camera, actors, paraphrase, grain
    )


def _generator(key: str) -> np.random.Generator:
    """Return the generator that belongs to a key: the same on any machine."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def _drawn(stage: Stage, generator: np.random.Generator, index: int, max_actors: int) -> Recipe:
    """Return any recipe; the numbers are drawn in a fixed order."""
    chance = generator.random(6)
    count = min(1 + int(chance[0] > 0.5) + int(chance[0] > 0.85), max_actors)
    same = count > 1 and chance[1] < (0.3 if count == 2 else 0.5)
    cast = _cast(stage, generator, count, same)
    backdrop = _backdrop(stage, generator, cast)
    time, weather = _time(chance[2]), _weather(chance[3])
    dark = time is Time.NIGHT and any(_is_black(stage, part) for part in cast)
    if backdrop is Backdrop.SPACE or dark:  # space knows no day; nothing black is seen at night
        time = Time.DAY
    if backdrop in (Backdrop.SPACE, Backdrop.ROOM):
        weather = Weather.CLEAR
    camera = _camera(chance[4])
    actors = tuple(_placed(stage, generator, cast))
    paraphrase, grain = (int(value) for value in generator.integers(0, 2**31, 2))
    return Recipe(index, backdrop, time, weather, camera, actors, paraphrase, grain)


_Part = tuple[int, str, Motion, int]  # sprite, colour, motion, heading


def _cast(stage: Stage, generator: np.random.Generator, count: int, same: bool) -> list[_Part]:
    """Return who plays: each a sprite, a colour, a motion and a heading."""
    first = _part(stage, generator, None)
    if same:
        return [first] * count
    cast = [first]
    nouns = {stage.sprites[first[0]].noun}
    for _ in range(count - 1):
        part = _part(stage, generator, cast[-1])
        if len(stage.nouns) >= count:
            while stage.sprites[part[0]].noun in nouns:
                part = _part(stage, generator, cast[-1])
        nouns.add(stage.sprites[part[0]].noun)
        cast.append(part)
    return cast


def _part(stage: Stage, generator: np.random.Generator, before: _Part | None) -> _Part:
    """Return one part; whoever comes after another one often stands by or follows."""
    noun = stage.nouns[generator.integers(len(stage.nouns))]
    choices = stage.of_noun[noun]
    sprite = choices[generator.integers(len(choices))]
    kind = stage.sprites[sprite].kind
    chance = generator.random(4)
    colour = COLOURS[int(chance[0] * 2 * len(COLOURS))] if chance[0] < 0.5 else ""
    if f"{colour} {noun}" in stage.of_noun:  # an orange tree is no tree painted orange
        colour = ""
    heading = 1 if chance[1] < 0.6 else -1
    own = _OWN[kind]
    if before is not None and chance[2] < 0.3:
        motion = Motion.STAND
    elif before is not None and chance[2] < 0.45 and before[2] in ACROSS:
        motion = Motion.FOLLOW
    elif own and chance[2] < 0.72:
        motion = own[int(chance[3] * len(own))]
    else:
        motion = _ANYTHING[int(chance[3] * len(_ANYTHING))]
    return sprite, colour, motion, heading if motion in ACROSS else 1


def _backdrop(stage: Stage, generator: np.random.Generator, cast: list[_Part]) -> Backdrop:
    """Return a backdrop that suits the first actor, with ground for those who need it."""
    kind = stage.sprites[cast[0][0]].kind
    choices = _WHERE.get(kind, (*_LAND, Backdrop.ROOM))
    if any(part[2] in _ON_GROUND for part in cast):
        choices = tuple(choice for choice in choices if choice not in _GROUNDLESS)
    if any(_is_black(stage, part) for part in cast):
        choices = tuple(choice for choice in choices if choice is not Backdrop.SPACE)
    return choices[generator.integers(len(choices))]


def _is_black(stage: Stage, part: _Part) -> bool:
    """Tell whether somebody would not be seen in the dark."""
    return (part[1] or stage.sprites[part[0]].colour) == "black"


def _time(chance: float) -> Time:
    return (
        Time.DAY if chance < 0.58 else Time.NIGHT if chance < 0.78
        else Time.DUSK if chance < 0.9 else Time.DAWN
    )  # fmt: skip


def _weather(chance: float) -> Weather:
    return Weather.CLEAR if chance < 0.76 else Weather.RAIN if chance < 0.88 else Weather.SNOW


def _camera(chance: float) -> Camera:
    return Camera.STILL if chance < 0.7 else Camera.PAN if chance < 0.85 else Camera.ZOOM


def _placed(stage: Stage, generator: np.random.Generator, cast: list[_Part]) -> list[Actor]:
    """Return the cast as actors in their places, with a little jitter."""
    actors: list[Actor] = []
    for place, (sprite, colour, motion, own_heading) in enumerate(cast):
        jitter = generator.uniform(-1.0, 1.0, 3)
        proportions = stage.proportions(sprite)
        size = size_of(proportions, len(cast)) * (1.0 + _SIZE_JITTER * float(jitter[2]))
        height = size * proportions[1]
        leader = actors[-1] if motion is Motion.FOLLOW else None
        heading = leader.heading if leader else own_heading
        x, y = begin(
            motion, stage.sprites[sprite].kind, heading, place, len(cast), height,
            leader.y if leader else None,
        )  # fmt: skip
        if place + 1 < len(cast) and cast[place + 1][2] is Motion.FOLLOW:
            x = begin_leading(heading)
        x, y = x + _JITTER * float(jitter[0]), y + _JITTER * 0.5 * float(jitter[1])
        actors.append(Actor(sprite, colour, motion, heading, size, x, y))
    return actors
