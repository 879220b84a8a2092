"""A scene in words' terms: who does what, where, when, in which weather, seen by which camera."""

from __future__ import annotations

from dataclasses import dataclass

from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.recipe import Actor, Backdrop, Camera, Motion, Recipe, Time, Weather
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage


@dataclass(frozen=True, slots=True)
class Part:
    """One or several things of a noun that do the same. ``colour`` is empty for their own.

    ``heading`` is 1 to the right, -1 to the left; only motions across the frame have another
    heading than 1.
    """

    noun: str
    kind: Kind
    colour: str
    motion: Motion
    heading: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a caption says and nothing more."""

    parts: tuple[Part, ...]
    backdrop: Backdrop = Backdrop.HILLS
    time: Time = Time.DAY
    weather: Weather = Weather.CLEAR
    camera: Camera = Camera.STILL

    @property
    def count(self) -> int:
        """How many actors the scene has."""
        return sum(part.count for part in self.parts)


def unsaid_backdrop(parts: tuple[Part, ...]) -> Backdrop:
    """Return where a scene is when no place is named: the sea for those who live or sail on it."""
    at_sea = bool(parts) and parts[0].kind in (Kind.VESSEL, Kind.SWIMMER)
    return Backdrop.SEA if at_sea else Backdrop.HILLS


def scene_of(recipe: Recipe, stage: Stage) -> Scene:
    """Return the scene that a recipe shows: neighbours alike in every word are one part."""
    parts: list[Part] = []
    for actor in recipe.actors:
        part = _part(actor, stage)
        if parts and _with_count(parts[-1], 1) == part:
            parts[-1] = _with_count(part, parts[-1].count + 1)
        else:
            parts.append(part)
    return Scene(tuple(parts), recipe.backdrop, recipe.time, recipe.weather, recipe.camera)


def _part(actor: Actor, stage: Stage) -> Part:
    sprite = stage.sprites[actor.sprite]
    across = actor.motion in ACROSS and actor.motion is not Motion.FOLLOW
    heading = actor.heading if across else 1
    return Part(sprite.noun, sprite.kind, actor.colour, actor.motion, heading)


def _with_count(part: Part, count: int) -> Part:
    return Part(part.noun, part.kind, part.colour, part.motion, part.heading, count)
