"""Geometric checks: what a clip shows, read by comparing it with what is drawn by rule.

No network: the nearest of all backdrops tells place, time of day and weather, how it moves tells
the camera, and `likeness` tells the actors in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tercet.studio.evaluation.attributes import (
    ACTOR_ATTRIBUTES,
    ACTORS_MAX,
    SCENE_ATTRIBUTES,
    UNSAID,
)
from tercet.studio.evaluation.likeness import read_actors
from tercet.studio.scenes.backdrops import VARIANTS
from tercet.studio.scenes.clip import render_clip
from tercet.studio.scenes.recipe import (
    Backdrop,
    Camera,
    Recipe,
    Time,
    Weather,
)
from tercet.studio.scenes.stage import Stage

Clip = NDArray[np.uint8]  # (16, 64, 64, 3)
Floats = NDArray[np.float32]
_SIDE_PX = 64
_THUMB_PX = 16
_DIFFERENT = 34  # levels, summed over the channels, by which an actor differs from the backdrop
_INSIDE = frozenset({Backdrop.ROOM, Backdrop.SPACE})


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


def read_by_rule(
    clips: NDArray[np.uint8], recipes: Sequence[Recipe], stage: Stage
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what clips show by rule: actors (clips, 3, 4) and scenes (clips, 5), by number.

    In the order of `attributes`; of actors, the nouns that the recipes ask for are looked for.
    """
    actors = np.full((len(clips), ACTORS_MAX, len(ACTOR_ATTRIBUTES)), UNSAID, np.int64)
    scenes = np.full((len(clips), len(SCENE_ATTRIBUTES)), UNSAID, np.int64)
    kinds = (tuple(Backdrop), tuple(Time), tuple(Weather), tuple(Camera))
    for row, (clip, recipe) in enumerate(zip(clips, recipes, strict=True)):
        scene = read_scene(clip, stage)
        shown = (scene.backdrop, scene.time, scene.weather, scene.camera)
        scenes[row, :4] = [kind.index(each) for kind, each in zip(kinds, shown, strict=True)]
        actors[row], count = read_actors(clip, _bare(scene, stage), recipe, scene, stage)
        scenes[row, 4] = count - 1 if count else UNSAID
    return actors, scenes
