"""Motions: where an actor is at every moment. One way to move has one path, with little jitter."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.recipe import Actor, Camera, Motion, Recipe
from tercet.studio.scenes.stage import Stage

GROUND: Final = (0.88, 0.94, 0.94)  # where the feet of the first lane are, for 1, 2, 3 actors
MIDDLE: Final = (0.5, 0.5)
ORBIT_MIDDLE: Final = (0.5, 0.46)
PAN_WIDTH: Final = 0.4  # how far the backdrop slides, in frame widths
ZOOM_FACTOR: Final = 1.5
ZOOM_ANCHOR: Final = (0.5, 0.86)
_ZOOM_SIZE_PART = 0.72  # how much of its size and way an actor keeps, so that it stays in sight
_ZOOM_WAY_PART = 0.58
ACROSS: Final = frozenset(
    {Motion.DRIVE, Motion.WALK, Motion.FLY, Motion.CROSS, Motion.FOLLOW}
)  # those that leave their place sideways
GROUNDED: Final = frozenset({Motion.DRIVE, Motion.WALK, Motion.STAND, Motion.BOUNCE, Motion.GROW})
WAY: Final = {Motion.DRIVE: 0.7, Motion.WALK: 0.4, Motion.FLY: 0.7, Motion.CROSS: 1.0}
FOLLOWED_WAY: Final = 0.42

Floats = NDArray[np.float64]


def poses(recipe: Recipe, stage: Stage, moments: Floats) -> Floats:
    """Return the pose of every actor at ``moments`` 0..1 of the scene, as the camera sees it.

    The shape is (actors, moments, 4): x and y of the middle and the size of the longest side, in
    fractions of the frame, and the angle in radians, clockwise.
    """
    paths = np.empty((len(recipe.actors), len(moments), 4))
    for at, actor in enumerate(recipe.actors):
        height = stage.proportions(actor.sprite)[1] * actor.size
        paths[at] = _path(actor, leader_of(recipe, at), is_followed(recipe, at), height, moments)
    return _seen(recipe, paths, moments)


def leader_of(recipe: Recipe, at: int) -> Actor:
    """Return the actor whose way this one goes: itself, or the one it follows."""
    while at > 0 and recipe.actors[at].motion is Motion.FOLLOW:
        at -= 1
    return recipe.actors[at]


def is_followed(recipe: Recipe, at: int) -> bool:
    """Tell whether this actor leads or follows another one: their ways are shorter."""
    actors = recipe.actors
    after = at + 1 < len(actors) and actors[at + 1].motion is Motion.FOLLOW
    return after or actors[at].motion is Motion.FOLLOW


def _path(actor: Actor, leader: Actor, followed: bool, height: float, p: Floats) -> Floats:
    """Return x, y, size and angle over the scene, before the camera."""
    path = np.empty((len(p), 4))
    path[:, 0], path[:, 1], path[:, 2], path[:, 3] = actor.x, actor.y, actor.size, 0.0
    motion, heading = leader.motion, leader.heading
    if motion in WAY:
        way = min(WAY[motion], FOLLOWED_WAY) if followed else WAY[motion]
        path[:, 0] += heading * way * p
    if motion is Motion.FLY:
        path[:, 1] -= 0.14 * np.sin(np.pi * p)
        path[:, 3] = -heading * 0.22 * np.cos(np.pi * p)
    elif motion is Motion.WALK:
        path[:, 1] -= 0.045 * np.abs(np.sin(4 * np.pi * p))
        path[:, 3] = 0.1 * np.sin(4 * np.pi * p)
    elif motion is Motion.FALL:
        path[:, 1] += (_floor(height) - actor.y) * p**2
    elif motion is Motion.RISE:
        path[:, 1] += (_ceiling(height) - actor.y) * p
    elif motion is Motion.BOUNCE:
        path[:, 1] -= 0.34 * np.abs(np.sin(2 * np.pi * p))
    elif motion is Motion.SPIN:
        path[:, 3] = heading * 2 * np.pi * p
    elif motion is Motion.GROW:
        scale = 0.4 + p
        path[:, 2] *= scale
        path[:, 1] += height / 2 * (1 - scale)  # it grows from its foot
    elif motion is Motion.ORBIT:
        path[:, :2] = _circle(actor, heading, p)
    return path


def _floor(height: float) -> float:
    """Return the middle of an actor that lies on the ground."""
    return GROUND[0] - height / 2


def _ceiling(height: float) -> float:
    """Return the middle of an actor that touches the top of the frame."""
    return 0.03 + height / 2


def _circle(actor: Actor, heading: int, p: Floats) -> Floats:
    """Return a full circle around the middle from where the actor begins."""
    x, y = actor.x - ORBIT_MIDDLE[0], actor.y - ORBIT_MIDDLE[1]
    cosine, sine = np.cos(heading * 2 * np.pi * p), np.sin(heading * 2 * np.pi * p)
    return np.stack(
        [ORBIT_MIDDLE[0] + x * cosine - y * sine, ORBIT_MIDDLE[1] + x * sine + y * cosine], axis=1
    )


def zoom(p: Floats) -> Floats:
    """Return how much larger the picture is at each moment of a zoom."""
    return 1.0 + (ZOOM_FACTOR - 1.0) * p


def _seen(recipe: Recipe, paths: Floats, p: Floats) -> Floats:
    """Return the paths as the camera sees them."""
    if recipe.camera is Camera.PAN:
        for at, actor in enumerate(recipe.actors):
            if actor.motion is Motion.STAND:  # it stands in the backdrop and slides with it
                paths[at, :, 0] -= PAN_WIDTH * (p - 0.5)
    elif recipe.camera is Camera.ZOOM:
        factor = zoom(p)[None, :, None] * np.array([_ZOOM_WAY_PART, _ZOOM_SIZE_PART])
        paths[..., :2] = ZOOM_ANCHOR + (paths[..., :2] - ZOOM_ANCHOR) * factor
        paths[..., 2] *= factor[..., 1]
    return paths
