"""Animation: a recipe becomes smooth frames of any size, each with the pixels of every work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.backdrops import VARIANTS, backdrop
from tercet.studio.scenes.clip import INDOORS, is_mirrored
from tercet.studio.scenes.compositing import blend, camera_matrix, lit, placed
from tercet.studio.scenes.motions import PAN_WIDTH, ZOOM_FACTOR, Floats, leader_of, poses
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Recipe, Weather
from tercet.studio.scenes.sprite import Kind, Pixels
from tercet.studio.scenes.stage import Stage, ladder_px
from tercet.studio.scenes.weather import TINT, cover

_OPAQUE = 128  # of 255: who covers at least half of a pixel owns it
_SHADOW_WIDTH = 0.95  # of the actor's width
_SHADOW_FLATNESS = 0.16
_SHADOW_DARKNESS = 0.4
_FOOTED = frozenset({Motion.STAND, Motion.DRIVE, Motion.WALK, Motion.GROW})
_SOLID = frozenset(Backdrop) - {Backdrop.SEA, Backdrop.SKY, Backdrop.SPACE}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One frame (height, width, 3) and how many of its pixels show each work."""

    picture: Pixels
    pixels_by_work: dict[str, int]


def scene_frames(
    recipe: Recipe, stage: Stage, frame_count: int, held_count: int, frame_px: tuple[int, int]
) -> Iterator[Drawn]:
    """Yield ``frame_count`` frames of a scene and ``held_count`` more of its end, to fade out.

    ``frame_px`` is (width, height). A pixel belongs to the work in front that covers at least half
    of it; what is drawn by rule (backdrop, rain, snow) belongs to nobody. Memory is flat.
    """
    at = np.arange(frame_count + held_count) / max(frame_count - 1, 1)
    moments = np.minimum(at, 1.0)
    places = _places(poses(recipe, stage, moments), recipe, stage, frame_px)
    scenery = _scenery(recipe, frame_px)
    standing = [at for at in range(len(recipe.actors)) if _is_standing(recipe, stage, at)]
    owners = np.zeros((frame_px[1], frame_px[0]), np.uint8)
    pictures = _pictures(recipe, stage, places)
    for frame, moment in enumerate(moments):
        picture = _behind(scenery, recipe.camera, float(moment), frame_px)
        patches = []
        for actor in standing:
            _shade(picture, places[actor, frame], stage.proportions(recipe.actors[actor].sprite))
        for actor in reversed(range(len(recipe.actors))):
            x, y, size, angle = places[actor, frame].tolist()
            patch = placed(pictures[actor][frame], (x, y), size, angle, frame_px)
            if patch is not None:
                blend(picture, patch[2], patch[0], patch[1])
                patches.append((actor, *patch))
        _fall(picture, recipe, float(at[frame]))
        yield Drawn(picture, _counted(recipe, stage, patches, owners))


def _places(ways: Floats, recipe: Recipe, stage: Stage, frame_px: tuple[int, int]) -> Floats:
    """Return the poses in pixels: feet stay on the ground whatever the shape of the frame."""
    width, height = frame_px
    unit = min(frame_px)
    out = ways.copy()
    for at, actor in enumerate(recipe.actors):
        half = ways[at, :, 2] * stage.proportions(actor.sprite)[1] / 2
        out[at, :, 1] = (ways[at, :, 1] + half) * height - half * unit
    out[..., 0] *= width
    out[..., 2] *= unit
    return out


def _scenery(recipe: Recipe, frame_px: tuple[int, int]) -> Pixels:
    """Return the backdrop, wide enough for a pan, large enough for a zoom."""
    width, height = frame_px
    if recipe.camera is Camera.PAN:
        width += math.ceil(width * PAN_WIDTH) + 1
    elif recipe.camera is Camera.ZOOM:
        width, height = math.ceil(width * ZOOM_FACTOR), math.ceil(height * ZOOM_FACTOR)
    variant = recipe.grain % VARIANTS
    return backdrop(recipe.backdrop, recipe.time, recipe.weather, variant, width, height)


def _behind(scenery: Pixels, camera: Camera, moment: float, frame_px: tuple[int, int]) -> Pixels:
    """Return what the camera sees of the backdrop."""
    if camera is Camera.STILL:
        return scenery.copy()
    drawn_factor = ZOOM_FACTOR if camera is Camera.ZOOM else 1.0
    matrix = camera_matrix(camera, moment, frame_px, drawn_factor)
    seen = cv2.warpAffine(scenery, matrix, frame_px, borderMode=cv2.BORDER_REPLICATE)
    return seen.astype(np.uint8, copy=False)


def _pictures(recipe: Recipe, stage: Stage, places: Floats) -> list[list[Pixels]]:
    """Return for every actor and frame its picture in this light, not much larger than shown."""
    shown = []
    for at, actor in enumerate(recipe.actors):
        mirrored = is_mirrored(recipe, stage, at)
        sides = ladder_px(places[at, :, 2])
        kept = {
            side: lit(stage.picture(actor.sprite, actor.colour, mirrored, side), recipe.time)
            for side in sorted(set(sides))
        }
        shown.append([kept[side] for side in sides])
    return shown


def _is_standing(recipe: Recipe, stage: Stage, at: int) -> bool:
    """Tell whether an actor has its feet on solid ground all the time."""
    hangs = stage.sprites[recipe.actors[at].sprite].kind is Kind.SKY
    return leader_of(recipe, at).motion in _FOOTED and recipe.backdrop in _SOLID and not hangs


def _shade(picture: Pixels, place: Floats, proportions: tuple[float, float]) -> None:
    """Draw the soft shadow under an actor, in place."""
    x, y, size, _ = place.tolist()
    wide = max(round(size * proportions[0] * _SHADOW_WIDTH), 2)
    high = max(round(wide * _SHADOW_FLATNESS), 2)
    left, top = round(x - wide / 2), round(y + size * proportions[1] / 2 - high / 2)
    if left + wide <= 0 or top + high <= 0:
        return
    first_x, first_y = max(-left, 0), max(-top, 0)
    under = picture[top + first_y : top + high, left + first_x : left + wide]
    mask = cv2.resize(_SHADOW, (wide, high), interpolation=cv2.INTER_LINEAR).astype(np.uint16)
    part = mask[first_y : first_y + under.shape[0], first_x : first_x + under.shape[1], None]
    under[:] = ((under * (256 - part)) >> 8).astype(np.uint8)


def _soft_disc() -> NDArray[np.uint16]:
    """Return a disc that is darkest in its middle and ends softly, 0..256."""
    rows, columns = (np.mgrid[:64, :64] - 31.5) / 32
    depth = np.clip(1 - rows**2 - columns**2, 0, 1)
    disc: NDArray[np.uint16] = np.round(256 * _SHADOW_DARKNESS * depth).astype(np.uint16)
    return disc


_SHADOW = _soft_disc()


def _fall(picture: Pixels, recipe: Recipe, moment: float) -> None:
    """Let it rain or snow, in place."""
    if recipe.weather is Weather.CLEAR or recipe.backdrop in INDOORS:
        return
    height, width = picture.shape[:2]
    amount = cover(recipe.weather, recipe.grain % VARIANTS, moment, width, height)
    where = np.flatnonzero(amount)
    part = amount.reshape(-1)[where, None].astype(np.uint16)
    flat = picture.reshape(-1, 3)
    tint = np.array(TINT[recipe.weather], np.uint16)
    flat[where] = ((flat[where] * (256 - part) + tint * part) >> 8).astype(np.uint8)


def _counted(
    recipe: Recipe,
    stage: Stage,
    patches: list[tuple[int, int, int, Pixels]],
    owners: Pixels,
) -> dict[str, int]:
    """Return the pixels of each work; ``owners`` is room for a frame, zero before and after."""
    views = []
    for actor, top, left, patch in patches:  # from the back to the front
        height, width = patch.shape[:2]
        view = owners[top : top + height, left : left + width]
        view[patch[..., 3] >= _OPAQUE] = actor + 1
        views.append((actor, view))
    counts: dict[str, int] = {}
    for actor, view in views:
        work = stage.sprites[recipe.actors[actor].sprite].work
        counts[work] = counts.get(work, 0) + int(np.count_nonzero(view == actor + 1))
    for _, view in views:
        view[:] = 0
    return {work: count for work, count in counts.items() if count}
