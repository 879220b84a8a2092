"""Geometric checks: what a clip shows, read by comparing it with scenery drawn by rule.

No network: the nearest of all backdrops tells place, time of day and weather; how it moves tells
the camera; what differs from it is the actor, whose way is compared with the way each motion
takes. Actors are checked in clips of one actor only, where nothing hides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tercet.studio.evaluation.attributes import UNSAID
from tercet.studio.scenes.backdrops import LIGHT, VARIANTS
from tercet.studio.scenes.clip import render_clip
from tercet.studio.scenes.motions import ACROSS, poses
from tercet.studio.scenes.palette import COLOURS, PAINTS
from tercet.studio.scenes.recipe import (
    CLIP_FRAME_COUNT,
    Backdrop,
    Camera,
    Motion,
    Recipe,
    Time,
    Weather,
)
from tercet.studio.scenes.stage import Stage
from tercet.studio.scenes.staging import begin

Clip = NDArray[np.uint8]  # (16, 64, 64, 3)
Floats = NDArray[np.float32]
_SIDE_PX = 64
_THUMB_PX = 16
_DIFFERENT = 34  # levels, summed over the channels, by which an actor differs from the backdrop
_CORE_PART = 0.35  # the middle part of an actor, by distance, that its colour is read from
_INSIDE = frozenset({Backdrop.ROOM, Backdrop.SPACE})
_CHECKED = tuple(motion for motion in Motion if motion is not Motion.FOLLOW)


def _scenes() -> list[tuple[Backdrop, Time, Weather]]:
    """Return every backdrop, time and weather that can be told apart."""
    return [
        (backdrop, time, weather)
        for backdrop in Backdrop
        for time in Time
        for weather in Weather
        if not (backdrop is Backdrop.SPACE and time is not Time.DAY)
        and not (backdrop in _INSIDE and weather is not Weather.CLEAR)
    ]


def _empty(
    backdrop: Backdrop, time: Time, weather: Weather, camera: Camera, variant: int
) -> Recipe:
    return Recipe(0, backdrop, time, weather, camera, (), 0, variant)


@lru_cache(maxsize=2)
def _first_frames(stage: Stage) -> tuple[list[tuple[Backdrop, Time, Weather, int]], Floats]:
    """Return every scene and variant, and their first frames without actors, shrunk to 16 px."""
    scenes = [(*scene, variant) for scene in _scenes() for variant in range(VARIANTS)]
    rows = [
        _thumb(render_clip(_empty(*scene[:3], Camera.STILL, scene[3]), stage, frame_count=1)[0])
        for scene in scenes
    ]
    return scenes, np.stack(rows)


def _thumb(frame: Clip) -> Floats:
    """Return a frame of 64 px as 16 px, rows and columns flat (256, 3)."""
    step = _SIDE_PX // _THUMB_PX
    blocks = frame.reshape(_THUMB_PX, step, _THUMB_PX, step, 3).astype(np.float32)
    return blocks.mean((1, 3)).reshape(-1, 3)


def read_scene(clip: Clip, stage: Stage) -> Recipe:
    """Return backdrop, time, weather and camera of a clip, as a recipe without actors.

    The first frame decides, where the camera has not moved yet: the scene whose first frame has
    the smallest mean absolute difference, capped, since actors cover a part of it.
    """
    scenes, frames = _first_frames(stage)
    gaps = np.minimum(np.abs(frames - _thumb(clip[0])).sum(-1), 3.0 * _DIFFERENT).mean(1)
    backdrop, time, weather, variant = scenes[int(gaps.argmin())]
    cameras = [_empty(backdrop, time, weather, camera, variant) for camera in Camera]
    misses = [_miss(clip, _bare(each, stage)) for each in cameras]
    return cameras[int(np.argmin(misses))]


@lru_cache(maxsize=512)
def _bare(scene: Recipe, stage: Stage) -> Clip:
    """Return the clip of a scene without actors."""
    return render_clip(scene, stage)


def _miss(clip: Clip, bare: Clip) -> float:
    """Return how far the later frames are from a scene without actors."""
    gaps = np.abs(clip[4::4].astype(np.int16) - bare[4::4]).sum(-1)
    return float(np.minimum(gaps, 3 * _DIFFERENT).mean())


def actor_masks(clip: Clip, scene: Recipe, stage: Stage) -> NDArray[np.bool_]:
    """Return where each frame differs from its scene (16, 64, 64), specks removed."""
    import cv2

    different = np.abs(clip.astype(np.int16) - _bare(scene, stage)).sum(-1) > _DIFFERENT
    kernel = np.ones((3, 3), np.uint8)
    opened = [
        cv2.morphologyEx(frame.astype(np.uint8), cv2.MORPH_OPEN, kernel) for frame in different
    ]
    return np.stack(opened).astype(bool)


def read_colour(clip: Clip, masks: NDArray[np.bool_], time: Time) -> int:
    """Return the number of the paint nearest to the core of a mask, or `UNSAID` if it is empty."""
    pixels = [clip[at][_core(mask)] for at, mask in enumerate(masks) if mask.any()]
    if not pixels:
        return UNSAID
    light = np.array([1.0 - 0.55 * (1.0 - part) for part in LIGHT[time]])
    shown = np.median(np.concatenate(pixels), axis=0) / light
    paints = np.array([PAINTS[colour] for colour in COLOURS], np.float64)
    return int(np.abs(paints - shown).sum(1).argmin())


def _core(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie nearest to its middle."""
    rows, columns = np.nonzero(mask)
    gaps = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    near = gaps <= np.quantile(gaps, _CORE_PART)
    core = np.zeros_like(mask)
    core[rows[near], columns[near]] = True
    return core


def read_motion(masks: NDArray[np.bool_], recipe: Recipe, stage: Stage) -> tuple[int, int]:
    """Return motion and heading of the one actor, by number; `UNSAID` where nothing is seen.

    The way of the mask's bounding box is compared with the way that every motion takes, of an
    actor of this size under this camera.
    """
    boxes = np.array([_box(mask) for mask in masks])
    seen = np.isfinite(boxes[:, 0])
    if seen.sum() < CLIP_FRAME_COUNT // 2:
        return UNSAID, UNSAID
    best = (np.inf, UNSAID, UNSAID)
    for motion in _CHECKED:
        for heading in (1, -1) if motion in ACROSS else (1,):
            expected = _expected(recipe, stage, motion, heading)
            gap = float(np.abs(boxes[seen] - expected[seen]).mean())
            if gap < best[0]:
                told = heading > 0 if motion in ACROSS else UNSAID
                best = (gap, tuple(Motion).index(motion), int(told))
    return best[1], best[2]


def _box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return the edges of a mask, in frames: left, top, right, bottom; not a number if empty."""
    rows, columns = np.nonzero(mask)
    if len(rows) < 4:
        return (np.nan,) * 4
    sides = (*np.quantile(columns, (0.02,)), *np.quantile(rows, (0.02,)))
    ends = (*np.quantile(columns, (0.98,)), *np.quantile(rows, (0.98,)))
    left, top, right, bottom = (float(value) / _SIDE_PX for value in (*sides, *ends))
    return left, top, right, bottom


def _expected(recipe: Recipe, stage: Stage, motion: Motion, heading: int) -> NDArray[np.float64]:
    """Return the box of the actor in every frame if it moved like this, cut at the frame."""
    actor = recipe.actors[0]
    wide, high = stage.proportions(actor.sprite)
    kind = stage.sprites[actor.sprite].kind
    x, y = begin(motion, kind, heading, 0, 1, actor.size * high)
    moved = replace(actor, motion=motion, heading=heading, x=x, y=y)
    moments = np.arange(CLIP_FRAME_COUNT) / (CLIP_FRAME_COUNT - 1)
    way = poses(replace(recipe, actors=(moved,)), stage, moments)[0]
    sine, cosine = np.abs(np.sin(way[:, 3])), np.abs(np.cos(way[:, 3]))
    reach_x = way[:, 2] * (wide * cosine + high * sine) / 2
    reach_y = way[:, 2] * (wide * sine + high * cosine) / 2
    edges = (way[:, 0] - reach_x, way[:, 1] - reach_y, way[:, 0] + reach_x, way[:, 1] + reach_y)
    return np.clip(np.stack(edges, 1), 0.0, 1.0)


def read_by_rule(
    clips: NDArray[np.uint8], recipes: Sequence[Recipe], stage: Stage
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what clips show by rule: actors (clips, 3) and scenes (clips, 4), by number.

    Actors: colour, motion and heading, of clips whose recipe has one actor; else `UNSAID`.
    Scenes: backdrop, time, weather and camera.
    """
    actors = np.full((len(clips), len(("colour", "motion", "heading"))), UNSAID, np.int64)
    scenes = np.empty((len(clips), 4), np.int64)
    kinds = (tuple(Backdrop), tuple(Time), tuple(Weather), tuple(Camera))
    for row, (clip, recipe) in enumerate(zip(clips, recipes, strict=True)):
        scene = read_scene(clip, stage)
        shown = (scene.backdrop, scene.time, scene.weather, scene.camera)
        scenes[row] = [kind.index(each) for kind, each in zip(kinds, shown, strict=True)]
        if len(recipe.actors) == 1:
            masks = actor_masks(clip, scene, stage)
            actors[row, 0] = read_colour(clip, masks, scene.time)
            actors[row, 1:] = read_motion(masks, recipe, stage)
    return actors, scenes
