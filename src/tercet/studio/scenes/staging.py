"""Staging: where an actor begins and how large it is, by motion and place in the caption."""

from __future__ import annotations

import math

import numpy as np

from tercet.studio.scenes.motions import FOLLOWED_WAY, GROUND, ORBIT_MIDDLE, WAY
from tercet.studio.scenes.recipe import Motion
from tercet.studio.scenes.sprite import Kind

_SIZES = (0.46, 0.36, 0.3)  # longest side for one, two, three actors, in fractions of the frame
_AREA_PART = 0.82  # long and thin things are made larger, up to a point
_SLENDER_PARTS = (0.92, 1.25)
_COLUMNS = ((0.5,), (0.27, 0.73), (0.2, 0.5, 0.8))
_GROUND_LANES = ((GROUND[0],), (GROUND[1], 0.76), (GROUND[2], 0.79, 0.66))
_AIR_LANES = ((0.36,), (0.3, 0.56), (0.26, 0.46, 0.66))
_CROSS_LANES = ((0.5,), (0.34, 0.7), (0.24, 0.5, 0.76))
_ORBIT_RADIUS = 0.28
_STAGGER = 0.1  # how far things that go abreast are apart, front to back
_HANGING = frozenset({Kind.SKY})  # what stands in the sky


def size_of(proportions: tuple[float, float], count: int) -> float:
    """Return the longest side of an actor, one of ``count``, in fractions of the frame."""
    area: float = proportions[0] * proportions[1]
    low, high = _SLENDER_PARTS
    return _SIZES[count - 1] * min(max(_AREA_PART / math.sqrt(area), low), high)


def begin(
    motion: Motion,
    kind: Kind,
    heading: int,
    place: int,
    count: int,
    height: float,
    leader_y: float | None = None,
) -> tuple[float, float]:
    """Return x and y of the middle of an actor when its motion begins, without jitter.

    ``place`` is its place in the caption, from 0, of ``count``; ``height`` its own height in
    fractions of the frame; ``leader_y`` the y of the actor it follows, if it does.
    """
    column = _COLUMNS[count - 1][place]
    feet = _GROUND_LANES[count - 1][place] - height / 2
    match motion:
        case Motion.FOLLOW if leader_y is not None:
            return 0.5 - heading * 0.36, leader_y
        case Motion.DRIVE | Motion.WALK:
            return _edge(motion, heading, place, count), feet
        case Motion.FLY:
            return _edge(motion, heading, place, count), _AIR_LANES[count - 1][place]
        case Motion.CROSS:
            return _edge(motion, heading, place, count), _CROSS_LANES[count - 1][place]
        case Motion.FALL:
            return column, 0.03 + height / 2
        case Motion.RISE:
            return column, GROUND[0] - height / 2
        case Motion.SPIN:
            return column, 0.5
        case Motion.ORBIT:
            angle = 2 * np.pi * place / count
            x, y = ORBIT_MIDDLE
            return x + _ORBIT_RADIUS * np.sin(angle), y - _ORBIT_RADIUS * np.cos(angle)
        case _:
            return column, 0.25 if kind in _HANGING and motion is Motion.STAND else feet


def begin_leading(heading: int) -> float:
    """Return x where an actor begins that another one follows."""
    return 0.5 + heading * (0.38 - FOLLOWED_WAY)


def _edge(motion: Motion, heading: int, place: int, count: int) -> float:
    """Return x where a way across the frame begins: its middle is the middle of the frame."""
    stagger = heading * _STAGGER * ((count - 1) / 2 - place) if count > 1 else 0.0
    return 0.5 - heading * WAY[motion] / 2 + stagger
