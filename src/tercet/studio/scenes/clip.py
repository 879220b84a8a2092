"""Clips: a recipe becomes pictures, and on request a map of whose pixels they are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from tercet.studio.scenes import motions
from tercet.studio.scenes.backdrops import VARIANTS, kept_backdrop
from tercet.studio.scenes.compositing import blend, camera_matrix, lit, placed
from tercet.studio.scenes.motions import Floats, poses
from tercet.studio.scenes.recipe import CLIP_FRAME_COUNT, Backdrop, Camera, Recipe, Weather
from tercet.studio.scenes.sprite import Pixels
from tercet.studio.scenes.stage import Stage, ladder_px
from tercet.studio.scenes.weather import fall

INDOORS = frozenset({Backdrop.ROOM, Backdrop.SPACE})  # where no rain or snow falls


def render_clip(
    recipe: Recipe, stage: Stage, side_px: int = 64, frame_count: int = CLIP_FRAME_COUNT
) -> Pixels:
    """Return the clip of a recipe as RGB (frames, side, side, 3).

    A pure function of its arguments. Frame f shows the moment f / (frames - 1) of the scene.
    """
    moments = _moments(frame_count)
    frames = _backdrops(recipe, moments, side_px)
    for _, at, top, left, patch in _patches(recipe, stage, moments, side_px):
        blend(frames[at], patch, top, left)
    if recipe.weather is not Weather.CLEAR and recipe.backdrop not in INDOORS:
        fall(frames, recipe.weather, recipe.grain % VARIANTS)
    return frames


def ownership(
    recipe: Recipe, stage: Stage, side_px: int = 64, frame_count: int = CLIP_FRAME_COUNT
) -> Pixels:
    """Return who owns each pixel of the clip (frames, side, side): 0 backdrop, k actor k - 1.

    The owner is who adds the largest part of the pixel by transparency, as seen from the front;
    rain and snow belong to the backdrop and own nothing.
    """
    parts = np.zeros((len(recipe.actors) + 1, frame_count, side_px, side_px), np.float32)
    parts[0] = 1.0
    for actor, at, top, left, patch in _patches(recipe, stage, _moments(frame_count), side_px):
        height, width = patch.shape[:2]
        alpha = patch[..., 3].astype(np.float32) / 255.0
        parts[:, at, top : top + height, left : left + width] *= 1.0 - alpha
        parts[actor + 1, at, top : top + height, left : left + width] += alpha
    owners: Pixels = parts.argmax(axis=0).astype(np.uint8)
    return owners


def works_in(recipe: Recipe, stage: Stage) -> tuple[str, ...]:
    """Return the works a clip is made from, each once, in order of their digests."""
    return tuple(sorted({stage.sprites[actor.sprite].work for actor in recipe.actors}))


def is_mirrored(recipe: Recipe, stage: Stage, at: int) -> bool:
    """Tell whether an actor's sprite must be mirrored to look where it goes."""
    faces = stage.sprites[recipe.actors[at].sprite].faces
    return faces * motions.leader_of(recipe, at).heading < 0


def _moments(frame_count: int) -> Floats:
    return np.arange(frame_count) / max(frame_count - 1, 1)


def _backdrops(recipe: Recipe, moments: Floats, side_px: int) -> Pixels:
    """Return the frames before any actor is in them."""
    wide = recipe.camera is Camera.PAN
    width = side_px + math.ceil(motions.PAN_WIDTH * side_px) + 1 if wide else side_px
    drawn = kept_backdrop(
        recipe.backdrop, recipe.time, recipe.weather, recipe.grain % VARIANTS, width, side_px
    )
    frames = np.empty((len(moments), side_px, side_px, 3), np.uint8)
    if recipe.camera is Camera.STILL:
        frames[:] = drawn
        return frames
    for at, moment in enumerate(moments):
        matrix = camera_matrix(recipe.camera, float(moment), (side_px, side_px))
        frames[at] = cv2.warpAffine(
            drawn, matrix, (side_px, side_px), borderMode=cv2.BORDER_REPLICATE
        )
    return frames


def _patches(
    recipe: Recipe, stage: Stage, moments: Floats, side_px: int
) -> Iterator[tuple[int, int, int, int, Pixels]]:
    """Yield (actor, frame, top, left, premultiplied RGBA) from the back to the front.

    The first actor of the caption stands in front.
    """
    ways = poses(recipe, stage, moments)
    for at in reversed(range(len(recipe.actors))):
        actor, way = recipe.actors[at], ways[at]
        mirrored = is_mirrored(recipe, stage, at)
        sides = ladder_px(way[:, 2] * side_px)
        pictures = {
            side: lit(stage.picture(actor.sprite, actor.colour, mirrored, side), recipe.time)
            for side in set(sides)
        }
        for frame, (x, y, size, angle) in enumerate(
            (way * [side_px, side_px, side_px, 1]).tolist()
        ):
            patch = placed(pictures[sides[frame]], (x, y), size, angle, (side_px, side_px))
            if patch is not None:
                yield (at, frame, *patch)
