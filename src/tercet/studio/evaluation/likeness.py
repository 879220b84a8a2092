"""Analysis by synthesis: which answer would, drawn, look most like what a clip shows.

For every actor of a caption each way to move is drawn over the bare scene, then each paint, then
each sprite of the stage; the one that explains most of the clip is what is read. What was found
before stands when the next answer is looked for, so that a wrong colour makes no other noun.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tercet.studio.evaluation.attributes import ACTORS_MAX, UNSAID, noun_places
from tercet.studio.scenes.clip import is_mirrored
from tercet.studio.scenes.compositing import lit, placed
from tercet.studio.scenes.motions import ACROSS, poses
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.recipe import CLIP_FRAME_COUNT, Actor, Motion, Recipe
from tercet.studio.scenes.stage import Stage, ladder_px
from tercet.studio.scenes.staging import begin, begin_leading, size_of

Clip = NDArray[np.uint8]  # (16, 64, 64, 3)
SIDE_PX = 64
_GAP_MAX = 180  # levels, summed over the channels, beyond which a pixel is just wrong
_SHIFTS = tuple(product((-1.4, 0.0, 1.4), (-1.2, 0.0, 1.2)))  # px: things start a little elsewhere
_MOTION_FRAMES = (0, 2, 4, 6, 8, 10, 13, 15)
_LOOK_FRAMES = (1, 5, 9, 13)
_FIRST_LOOK_FRAMES = (3, 11)  # at every sprite of the stage
_SPRITES_TRIED = 4  # of the asked-for noun, when its way is looked for
_FINALISTS = 6
_PRESENT_PART = 0.25  # of what a well-drawn actor would explain
_MOMENTS = np.arange(CLIP_FRAME_COUNT) / (CLIP_FRAME_COUNT - 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """A clip, the bare scene it was found to show, and how far the two are apart."""

    clip: NDArray[np.int16]
    bare: NDArray[np.int16]
    gap: NDArray[np.int16]
    stage: Stage

    @classmethod
    def of(cls, clip: Clip, bare: Clip, stage: Stage) -> _Case:
        shown, empty = clip.astype(np.int16), bare.astype(np.int16)
        gap = np.minimum(np.abs(shown - empty).sum(-1), _GAP_MAX)
        return cls(shown, empty, gap.astype(np.int16), stage)


def read_actors(
    clip: Clip, bare: Clip, recipe: Recipe, scene: Recipe, stage: Stage
) -> tuple[NDArray[np.int64], int]:
    """Return noun, colour, motion and heading of each noun of a recipe (3, 4), and the count.

    ``scene`` is what was found of the scene, ``bare`` its clip without actors. Numbers are those
    of `attributes`; `UNSAID` where nothing is seen or nothing was asked.
    """
    case = _Case.of(clip, bare, stage)
    asked = replace(
        recipe, time=scene.time, camera=scene.camera, backdrop=scene.backdrop, weather=scene.weather
    )
    places = noun_places(asked, stage)
    told = np.full((ACTORS_MAX, 4), UNSAID, np.int64)
    count = 0
    for place in range(max(places) + 1):
        members = [at for at, of in enumerate(places) if of == place]
        found, shift = _best_way(case, asked, members)
        found = _painted(case, found, members, shift)
        found = _recast(case, found, members, shift)
        there = [_is_present(case, found, at, shift) for at in members]
        count += sum(there)
        told[place] = _told(asked.actors[members[0]], found.actors[members[0]], stage)
        if not any(there):
            told[place, 0] = UNSAID
    return told, count


def _with(recipe: Recipe, actors: dict[int, Actor]) -> Recipe:
    return replace(
        recipe, actors=tuple(actors.get(at, actor) for at, actor in enumerate(recipe.actors))
    )


def _best_way(
    case: _Case, recipe: Recipe, members: list[int]
) -> tuple[Recipe, tuple[float, float]]:
    """Return the recipe with these actors moving as they are seen to, and by how much they are
    shifted. All actors of one noun move alike."""
    options = [
        _started(recipe, members, sprite, motion, heading, case.stage)
        for motion, heading in _ways(members)
        for sprite in _sprites(recipe, members[0], case.stage)
    ]
    gains = [_gain(case, each, members, _MOTION_FRAMES) for each in options]
    finalists = [options[at] for at in np.argsort(gains)[::-1][:_FINALISTS]]
    best = max(
        ((_gain(case, each, members, _MOTION_FRAMES, shift), number, shift)
         for number, each in enumerate(finalists) for shift in _SHIFTS)
    )  # fmt: skip
    return finalists[best[1]], best[2]


def _ways(members: list[int]) -> Iterator[tuple[Motion, int]]:
    for motion in Motion:
        if motion is Motion.FOLLOW and members[0] == 0:
            continue  # there is nobody to follow
        for heading in (1, -1) if motion in ACROSS and motion is not Motion.FOLLOW else (1,):
            yield motion, heading


def _sprites(recipe: Recipe, at: int, stage: Stage) -> tuple[int, ...]:
    """Return sprites of the actor's noun: its own first, then a few others."""
    own = recipe.actors[at].sprite
    others = [each for each in stage.of_noun[stage.sprites[own].noun] if each != own]
    return (own, *others[: _SPRITES_TRIED - 1])


def _started(
    recipe: Recipe, members: list[int], sprite: int, motion: Motion, heading: int, stage: Stage
) -> Recipe:
    """Return the recipe with these actors of this sprite, moving like this from where one does."""
    for at in members:
        recipe = _with(recipe, {at: _start(recipe, at, sprite, motion, heading, stage)})
    return recipe


def _start(
    recipe: Recipe, at: int, sprite: int, motion: Motion, heading: int, stage: Stage
) -> Actor:
    count = len(recipe.actors)
    proportions = stage.proportions(sprite)
    size = size_of(proportions, count)
    leader = recipe.actors[at - 1] if motion is Motion.FOLLOW else None
    heading = leader.heading if leader else heading
    kind = stage.sprites[sprite].kind
    height = size * proportions[1]
    x, y = begin(motion, kind, heading, at, count, height, leader.y if leader else None)
    if at + 1 < count and recipe.actors[at + 1].motion is Motion.FOLLOW:
        x = begin_leading(heading)
    return Actor(sprite, recipe.actors[at].colour, motion, heading, size, x, y)


def _gain(
    case: _Case,
    recipe: Recipe,
    members: list[int],
    frames: tuple[int, ...],
    shift: tuple[float, float] = (0.0, 0.0),
) -> float:
    """Return how much nearer to the clip the bare scene comes when these actors are drawn in."""
    ways = poses(recipe, case.stage, _MOMENTS[list(frames)])
    return sum(_actor_gain(case, recipe, at, ways[at], frames, shift) for at in members)


def _actor_gain(
    case: _Case,
    recipe: Recipe,
    at: int,
    way: NDArray[np.float64],
    frames: tuple[int, ...],
    shift: tuple[float, float],
) -> float:
    actor, gain = recipe.actors[at], 0.0
    mirrored = is_mirrored(recipe, case.stage, at)
    sides = ladder_px(way[:, 2] * SIDE_PX)
    for (x, y, size, angle), side, frame in zip(way.tolist(), sides, frames, strict=True):
        picture = lit(case.stage.picture(actor.sprite, actor.colour, mirrored, side), recipe.time)
        middle = (x * SIDE_PX + shift[0], y * SIDE_PX + shift[1])
        patch = placed(picture, middle, size * SIDE_PX, angle, (SIDE_PX, SIDE_PX))
        if patch is not None:
            gain += _patch_gain(case, frame, *patch)
    return gain


def _patch_gain(case: _Case, frame: int, top: int, left: int, patch: Clip) -> float:
    where = (frame, slice(top, top + patch.shape[0]), slice(left, left + patch.shape[1]))
    clear = (255 - patch[..., 3:].astype(np.int32)) * case.bare[where] // 255
    gap = np.abs(case.clip[where] - clear - patch[..., :3]).sum(-1)
    return float(case.gap[where].sum() - np.minimum(gap, _GAP_MAX).sum())


def _told(asked: Actor, found: Actor, stage: Stage) -> tuple[int, int, int, int]:
    """Return noun, colour, motion and heading of an actor as found, by number."""
    noun = stage.nouns.index(stage.sprites[found.sprite].noun)
    is_painted = bool(asked.colour and found.colour)
    colour = COLOURS.index(found.colour) if is_painted else UNSAID
    heading = int(found.heading > 0) if found.motion in ACROSS else UNSAID
    return noun, colour, tuple(Motion).index(found.motion), heading


def _painted(case: _Case, recipe: Recipe, members: list[int], shift: tuple[float, float]) -> Recipe:
    """Return the recipe with these actors in the paint, or own colours, that explain most."""
    options = []
    for colour in ("", *COLOURS):
        actors = {at: replace(recipe.actors[at], colour=colour) for at in members}
        options.append(_with(recipe, actors))
    gains = [_gain(case, each, members, _LOOK_FRAMES, shift) for each in options]
    return options[int(np.argmax(gains))]


def _recast(case: _Case, recipe: Recipe, members: list[int], shift: tuple[float, float]) -> Recipe:
    """Return the recipe with that sprite for these actors, of all, that explains most."""
    stage = case.stage
    motion, heading = recipe.actors[members[0]].motion, recipe.actors[members[0]].heading
    options = [
        _started(recipe, members, sprite, motion, heading, stage)
        for sprite in range(len(stage.sprites))
    ]
    gains = [_gain(case, each, members, _FIRST_LOOK_FRAMES, shift) for each in options]
    finalists = np.argsort(gains)[::-1][:_FINALISTS]
    best = max(
        (_gain(case, options[at], members, _LOOK_FRAMES, each), int(at))
        for at in finalists
        for each in _SHIFTS
    )
    return options[best[1]]


def _is_present(case: _Case, recipe: Recipe, at: int, shift: tuple[float, float]) -> bool:
    """Tell whether an actor explains a good part of what it would explain if it were there."""
    ideal = 0.0
    ways = poses(recipe, case.stage, _MOMENTS[list(_LOOK_FRAMES)])
    for frame, (x, y, size, angle) in zip(_LOOK_FRAMES, ways[at].tolist(), strict=True):
        side = ladder_px(np.array([size * SIDE_PX]))[0]
        actor = recipe.actors[at]
        mirrored = is_mirrored(recipe, case.stage, at)
        picture = lit(case.stage.picture(actor.sprite, actor.colour, mirrored, side), recipe.time)
        middle = (x * SIDE_PX + shift[0], y * SIDE_PX + shift[1])
        patch = placed(picture, middle, size * SIDE_PX, angle, (SIDE_PX, SIDE_PX))
        if patch is not None:
            ideal += _patch_gap(case, frame, *patch)
    return _gain(case, recipe, [at], _LOOK_FRAMES, shift) > _PRESENT_PART * ideal


def _patch_gap(case: _Case, frame: int, top: int, left: int, patch: Clip) -> float:
    """Return how far a patch is from the bare scene under it."""
    where = (frame, slice(top, top + patch.shape[0]), slice(left, left + patch.shape[1]))
    covered = patch[..., 3:].astype(np.int32) * case.bare[where] // 255
    gap = np.abs(patch[..., :3].astype(np.int32) - covered).sum(-1)
    return float(np.minimum(gap, _GAP_MAX).sum())
