"""Clips: what is said is seen, pixels belong to whom the map says, colours are what they are."""

from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from tercet.studio.scenes.backdrops import VARIANTS, backdrop
from tercet.studio.scenes.clip import ownership, render_clip, works_in
from tercet.studio.scenes.compositing import blend, placed
from tercet.studio.scenes.painting import painted
from tercet.studio.scenes.palette import COLOURS, PAINTS
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Recipe, Time, Weather
from tercet.studio.scenes.recipes import recipe, recipe_of
from tercet.studio.scenes.scene import Part, Scene
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage


def of(stage: Stage, *parts: Part, **said: Any) -> Recipe:
    return recipe_of(replace(Scene(parts), **said), stage, 1)


CAR = Part("car", Kind.VEHICLE, "red", Motion.DRIVE)
HOUSE = Part("house", Kind.BUILDING, "", Motion.STAND)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_a_clip_is_sixteen_square_pictures_and_always_the_same(stage: Stage, side: int) -> None:
    drawn = recipe(stage, 1, 5)
    clip = render_clip(drawn, stage, side)
    assert clip.shape == (16, side, side, 3)
    assert clip.dtype == np.uint8
    fresh = Stage.of(stage.sprites)
    assert np.array_equal(clip, render_clip(drawn, fresh, side))
    assert render_clip(drawn, stage, side, 5).shape[0] == 5


def test_a_clip_keeps_nothing_of_the_last_one(stage: Stage) -> None:
    drawn = [recipe(stage, 2, at) for at in range(40)]
    first = [render_clip(each, stage) for each in drawn]
    for each, clip in zip(reversed(drawn), reversed(first), strict=True):
        assert np.array_equal(render_clip(each, stage), clip)


def test_pixels_that_nobody_owns_are_the_backdrop(stage: Stage) -> None:
    alone = of(stage, CAR, HOUSE, backdrop=Backdrop.DESERT)
    empty = replace(alone, actors=())
    clip, bare = render_clip(alone, stage), render_clip(empty, stage)
    owners = ownership(alone, stage)
    assert set(np.unique(owners)) == {0, 1, 2}
    changed = np.abs(clip.astype(int) - bare).max(axis=3)
    assert (owners[changed > 140] > 0).all()
    assert np.median(changed[owners == 0]) == 0
    assert (changed[owners > 0] > 0).mean() > 0.95


def test_the_first_actor_stands_in_front(stage: Stage) -> None:
    both = of(stage, CAR, replace(CAR, noun="dog", kind=Kind.ANIMAL, colour="blue"))
    stacked = replace(both, actors=tuple(replace(actor, x=0.5, y=0.5) for actor in both.actors))
    owners = ownership(stacked, stage)
    alone = ownership(replace(stacked, actors=stacked.actors[:1]), stage)
    assert ((owners == 1) == (alone == 1)).mean() > 0.999


def test_ownership_adds_up_to_the_frame(stage: Stage) -> None:
    for at in range(30):
        drawn = recipe(stage, 3, at)
        owners = ownership(drawn, stage, 48, 6)
        assert owners.shape == (6, 48, 48)
        assert owners.max() <= len(drawn.actors)


def test_works_in_names_each_work_once(stage: Stage) -> None:
    three = of(stage, replace(CAR, count=3))
    assert works_in(three, stage) == (stage.sprites[three.actors[0].sprite].work,)
    both = of(stage, CAR, HOUSE)
    named = {stage.sprites[actor.sprite].work for actor in both.actors}
    assert set(works_in(both, stage)) == named
    assert works_in(both, stage) == tuple(sorted(named))


def hue_of(name: str) -> float:
    return colorsys.rgb_to_hsv(*(value / 255 for value in PAINTS[name]))[0]


@pytest.mark.parametrize("colour", COLOURS)
def test_an_actor_has_the_colour_that_is_said(stage: Stage, colour: str) -> None:
    seen = of(stage, replace(CAR, colour=colour))
    clip, owners = render_clip(seen, stage), ownership(seen, stage)
    red, green, blue = (float(value) for value in np.median(clip[owners == 1], axis=0))
    hue, strength, light = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if colour == "black":
        assert light < 0.45
    elif colour == "white":
        assert light > 0.7
        assert strength < 0.1
    else:
        assert abs((hue - hue_of(colour) + 0.5) % 1 - 0.5) < 0.03
        assert strength > 0.3


def test_paint_keeps_the_shape_and_the_shading(stage: Stage) -> None:
    plain = stage.sprites[0].pixels
    for colour in COLOURS:
        new = painted(plain, colour)
        assert np.array_equal(new[..., 3], plain[..., 3])
        light = plain[..., :3].sum(axis=2)[plain[..., 3] > 200].astype(float)
        shown = new[..., :3].sum(axis=2)[plain[..., 3] > 200].astype(float)
        assert np.corrcoef(light, shown)[0, 1] > 0.9
    assert painted(plain, "") is plain


def test_an_actor_looks_where_it_goes(stage: Stage) -> None:
    """The bright half of a shape is on its right, whichever side the sprite says is its front."""
    for noun, kind, faces in (("car", Kind.VEHICLE, 1), ("dog", Kind.ANIMAL, -1)):
        for heading in (1, -1):
            moving = of(stage, Part(noun, kind, "white", Motion.CROSS, heading))
            frame = render_clip(moving, stage)[8].sum(axis=2).astype(int)
            columns = np.nonzero((ownership(moving, stage)[8] == 1).any(axis=0))[0]
            middle = (columns[0] + columns[-1]) // 2
            row = frame[32, columns[0] + 3 : columns[-1] - 2]
            half = middle - columns[0] - 3
            brighter_right = row[half:].mean() > row[:half].mean()
            assert brighter_right == (faces * heading > 0)


def test_every_backdrop_and_time_is_told_from_the_others() -> None:
    """By the mean of its three thirds, whichever variant: nearest is itself."""

    def mark(kind: Backdrop, time: Time, variant: int) -> np.ndarray:
        drawn = backdrop(kind, time, Weather.CLEAR, variant, 64, 64)
        return cv2.resize(drawn, (4, 6), interpolation=cv2.INTER_AREA).astype(float).ravel()

    kinds = [
        (kind, time)
        for kind in Backdrop
        for time in Time
        if kind is not Backdrop.SPACE or time is Time.DAY
    ]
    known = np.stack([mark(*each, 0) for each in kinds])
    for at, each in enumerate(kinds):
        for variant in (3, VARIANTS - 1):
            far = np.abs(known - mark(*each, variant)).mean(axis=1)
            assert far.argmin() == at, (each, variant)


@pytest.mark.parametrize("weather", [Weather.RAIN, Weather.SNOW])
def test_rain_and_snow_are_seen_to_move(stage: Stage, weather: Weather) -> None:
    still = render_clip(replace(of(stage, weather=weather)), stage).astype(int)
    clear = render_clip(of(stage), stage).astype(int)
    assert np.abs(np.diff(clear, axis=0)).max() == 0
    assert (np.abs(np.diff(still, axis=0)).max(axis=3) > 25).mean() > 0.02


def test_nothing_falls_in_a_room(stage: Stage) -> None:
    inside = render_clip(of(stage, backdrop=Backdrop.ROOM, weather=Weather.SNOW), stage)
    assert np.abs(np.diff(inside.astype(int), axis=0)).max() == 0


@pytest.mark.parametrize("camera", [Camera.PAN, Camera.ZOOM])
@pytest.mark.parametrize("kind", list(Backdrop))
def test_the_camera_is_seen_to_move(stage: Stage, kind: Backdrop, camera: Camera) -> None:
    clip = render_clip(of(stage, backdrop=kind, camera=camera), stage).astype(int)
    assert (np.abs(clip[-1] - clip[0]).max(axis=2) > 12).mean() > 0.03


def test_a_picture_is_placed_to_a_fraction_of_a_pixel() -> None:
    disc = np.zeros((42, 42, 4), np.uint8)
    cv2.circle(disc, (21 * 16 - 8, 21 * 16 - 8), 18 * 16, (255,) * 4, -1, cv2.LINE_AA, 4)
    for x, y, angle in ((30.0, 30.0, 0.0), (30.25, 31.5, 0.7), (22.8, 40.1, 3.0)):
        put = placed(disc, (x, y), 40.0, angle, (64, 64))
        assert put is not None
        top, left, patch = put
        frame = np.zeros((64, 64, 3), np.uint8)
        blend(frame, patch, top, left)
        light = frame[..., 0].astype(float)
        rows, columns = np.mgrid[:64, :64] + 0.5
        assert (light * columns).sum() / light.sum() == pytest.approx(x, abs=0.05)
        assert (light * rows).sum() / light.sum() == pytest.approx(y, abs=0.05)
    assert placed(disc, (-40.0, 20.0), 40.0, 0.0, (64, 64)) is None


def test_blending_is_a_weighted_mean() -> None:
    frame = np.full((1, 256, 3), 200, np.uint8)
    alpha = np.arange(256, dtype=np.uint8)
    patch = np.repeat(alpha[None, :, None], 4, axis=2)  # white, premultiplied
    blend(frame, patch, 0, 0)
    wanted = 200 * (1 - alpha / 255) + alpha
    assert np.abs(frame[0, :, 0] - wanted).max() <= 1
