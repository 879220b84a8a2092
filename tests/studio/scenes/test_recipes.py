"""Recipes: the same from the same, held-out pairs kept apart, everybody in the picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.scenes.combinations import held_out_pairs, is_held_out
from tercet.studio.scenes.motions import GROUND, poses
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Recipe, Time, Weather
from tercet.studio.scenes.recipes import recipe, recipe_of
from tercet.studio.scenes.scene import Part, Scene, scene_of
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage

MOMENTS = np.linspace(0, 1, 16)


def solo(noun: str, kind: Kind, motion: Motion, heading: int = 1) -> Scene:
    return Scene((Part(noun, kind, "", motion, heading),))


def path(stage: Stage, scene: Scene) -> np.ndarray:
    return np.asarray(poses(recipe_of(scene, stage, 1), stage, MOMENTS)[0])


@given(seed=st.integers(0, 2**63), index=st.integers(0, 2**63))
def test_a_recipe_depends_on_stage_seed_and_index_alone(
    stage: Stage, seed: int, index: int
) -> None:
    again = Stage.of(reversed(stage.sprites))
    assert recipe(stage, seed, index) == recipe(again, seed, index)


def test_another_seed_index_or_stage_is_another_recipe(stage: Stage) -> None:
    smaller = Stage.of(stage.sprites, sprites_per_noun=1)
    assert smaller.digest != stage.digest
    drawn = [recipe(stage, 1, 0), recipe(stage, 2, 0), recipe(smaller, 1, 0)]
    assert len({each.grain for each in drawn}) == 3
    assert len({recipe(stage, 1, index).grain for index in range(200)}) == 200


@pytest.mark.parametrize("most", [1, 2, 3])
def test_actors_are_as_many_as_asked_for(stage: Stage, most: int) -> None:
    counts = {len(recipe(stage, 3, at, max_actors=most).actors) for at in range(200)}
    assert counts == set(range(1, most + 1))


@pytest.mark.parametrize("most", [0, 4])
def test_another_number_of_actors_is_refused(stage: Stage, most: int) -> None:
    with pytest.raises(InputError, match="1 to 3"):
        recipe(stage, 0, 0, max_actors=most)


def test_one_pair_in_ten_is_held_out() -> None:
    pairs = [(f"noun {at}", colour) for at in range(400) for colour in COLOURS]
    share = sum(is_held_out(*pair) for pair in pairs) / len(pairs)
    assert 0.08 < share < 0.12
    assert not any(is_held_out(f"noun {at}", "") for at in range(200))


def test_held_out_pairs_never_train_and_always_test(stage: Stage) -> None:
    for at in range(300):
        assert held_out_pairs(recipe(stage, 5, at), stage) == ()
        assert held_out_pairs(recipe(stage, 5, at, held_out=True), stage)


def test_a_stage_without_held_out_pairs_cannot_test(stage: Stage) -> None:
    traits = (*COLOURS, *(motion.value for motion in Motion))
    names = (f"thing {at}" for at in range(1000))
    free = next(name for name in names if not any(is_held_out(name, each) for each in traits))
    lonely = Stage.of([replace(stage.sprites[0], noun=free)])
    assert recipe(lonely, 0, 0).actors
    with pytest.raises(InputError, match="held-out pair"):
        recipe(lonely, 0, 0, held_out=True)


def test_every_value_of_every_attribute_occurs(stage: Stage) -> None:
    drawn = [recipe(stage, 1, at) for at in range(1500)]
    assert {each.backdrop for each in drawn} == set(Backdrop)
    assert {each.time for each in drawn} == set(Time)
    assert {each.weather for each in drawn} == set(Weather)
    assert {each.camera for each in drawn} == set(Camera)
    actors = [actor for each in drawn for actor in each.actors]
    assert {actor.motion for actor in actors} == set(Motion)
    assert {actor.colour for actor in actors} == {"", *COLOURS}
    assert {actor.heading for actor in actors} == {1, -1}


def test_actors_are_mostly_in_sight(stage: Stage) -> None:
    seen = []
    for at in range(300):
        drawn = recipe(stage, 2, at)
        ways = poses(drawn, stage, MOMENTS)
        seen.append(((ways[..., :2] > 0.0) & (ways[..., :2] < 1.0)).all(axis=2).mean())
    assert np.mean(seen) > 0.97


def moves(way: np.ndarray) -> tuple[float, float]:
    return float(way[-1, 0] - way[0, 0]), float(way[-1, 1] - way[0, 1])


def test_every_motion_does_what_its_word_says(stage: Stage) -> None:
    ways = {
        motion: path(stage, solo("car", Kind.VEHICLE, motion))
        for motion in Motion
        if motion is not Motion.FOLLOW
    }
    assert np.ptp(ways[Motion.STAND], axis=0).max() == 0
    assert moves(ways[Motion.DRIVE]) == pytest.approx((0.7, 0.0))
    assert moves(ways[Motion.WALK])[0] == pytest.approx(0.4)
    assert moves(ways[Motion.CROSS])[0] > moves(ways[Motion.DRIVE])[0]
    assert ways[Motion.FLY][:, 1].max() < 0.5 < ways[Motion.DRIVE][:, 1].min()
    assert moves(ways[Motion.FALL])[1] > 0.4
    assert moves(ways[Motion.RISE])[1] < -0.4
    assert (np.diff(ways[Motion.BOUNCE][:, 1] > ways[Motion.BOUNCE][:, 1].mean()) != 0).sum() >= 3
    assert ways[Motion.SPIN][-1, 3] == pytest.approx(2 * np.pi)
    assert ways[Motion.GROW][-1, 2] / ways[Motion.GROW][0, 2] == pytest.approx(3.5)
    circle = ways[Motion.ORBIT][:, :2]
    assert circle[0] == pytest.approx(circle[-1])
    assert np.ptp(circle, axis=0).min() > 0.5


@pytest.mark.parametrize("motion", [Motion.DRIVE, Motion.WALK, Motion.FLY, Motion.CROSS])
def test_left_is_right_mirrored(stage: Stage, motion: Motion) -> None:
    right = moves(path(stage, solo("car", Kind.VEHICLE, motion)))
    left = moves(path(stage, solo("car", Kind.VEHICLE, motion, -1)))
    assert left == pytest.approx((-right[0], right[1]))


def test_a_thing_grows_from_its_foot(stage: Stage) -> None:
    way = path(stage, solo("tree", Kind.PLANT, Motion.GROW))
    feet = way[:, 1] + way[:, 2] / 2  # it is higher than wide
    assert feet == pytest.approx(feet[0])
    assert feet[0] == pytest.approx(GROUND[0], abs=0.02)


def test_who_follows_stays_behind_the_same_way(stage: Stage) -> None:
    for heading in (1, -1):
        lead = Part("car", Kind.VEHICLE, "", Motion.DRIVE, heading)
        scene = Scene((lead, Part("dog", Kind.ANIMAL, "", Motion.FOLLOW)))
        first, second = poses(recipe_of(scene, stage, 4), stage, MOMENTS)
        apart = heading * (first[:, 0] - second[:, 0])
        assert apart.min() > 0.2
        assert np.ptp(apart) == pytest.approx(0, abs=1e-9)
        assert heading * moves(second)[0] > 0.3


def test_a_pan_takes_along_what_stands_and_a_zoom_makes_it_larger(stage: Stage) -> None:
    parts = (Part("house", Kind.BUILDING, "", Motion.STAND),)
    pan = path(stage, Scene(parts, camera=Camera.PAN))
    zoom = path(stage, Scene(parts, camera=Camera.ZOOM))
    assert moves(pan)[0] == pytest.approx(-0.4)
    assert zoom[-1, 2] / zoom[0, 2] == pytest.approx(1.5)


def test_a_scene_keeps_its_words_as_a_recipe(stage: Stage) -> None:
    for at in range(300):
        scene = scene_of(recipe(stage, 8, at), stage)
        assert scene_of(recipe_of(scene, stage, 1, at), stage) == scene


def test_a_scene_with_strangers_or_a_crowd_is_refused(stage: Stage) -> None:
    with pytest.raises(InputError, match="wyvern"):
        recipe_of(solo("wyvern", Kind.FLYER, Motion.FLY), stage, 1)
    crowd = Scene((Part("car", Kind.VEHICLE, "", Motion.DRIVE, 1, 4),))
    with pytest.raises(InputError, match="at most 3"):
        recipe_of(crowd, stage, 1)


def test_an_empty_stage_is_refused() -> None:
    with pytest.raises(InputError, match="at least one sprite"):
        Stage.of([])


def test_two_of_a_kind_keep_their_distance(stage: Stage) -> None:
    scene = Scene((Part("bird", Kind.FLYER, "", Motion.FLY, 1, 3),))
    ways = poses(recipe_of(scene, stage, 3), stage, MOMENTS)
    for one, other in pairwise(ways):
        assert np.hypot(*(one[:, :2] - other[:, :2]).T).min() > 0.12


def recipes_drawn(stage: Stage, count: int) -> list[Recipe]:
    return [recipe(stage, 6, at) for at in range(count)]


def test_nothing_black_is_sent_into_the_dark(stage: Stage) -> None:
    for drawn in recipes_drawn(stage, 600):
        if any(actor.colour == "black" for actor in drawn.actors):
            assert drawn.time is not Time.NIGHT
            assert drawn.backdrop is not Backdrop.SPACE
