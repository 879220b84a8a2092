"""Captions and their inverse: every word is known, and what is said is understood."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.studio.scenes.captions import article, caption, said, words
from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.parsing import Understood, parse, unknown_words
from tercet.studio.scenes.plurals import plural
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Time, Weather
from tercet.studio.scenes.recipes import recipe
from tercet.studio.scenes.scene import Part, Scene, scene_of
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage

NOUNS: Mapping[str, Kind] = {
    "car": Kind.VEHICLE, "bus": Kind.VEHICLE, "house": Kind.BUILDING, "balloon": Kind.AIRCRAFT,
    "bird": Kind.FLYER, "fly": Kind.FLYER, "dog": Kind.ANIMAL, "mouse": Kind.ANIMAL,
    "boat": Kind.VESSEL, "fish": Kind.SWIMMER, "tree": Kind.PLANT, "orange tree": Kind.PLANT,
    "orange": Kind.FOOD, "camera": Kind.THING, "hot-air balloon": Kind.AIRCRAFT,
    "scissors": Kind.THING, "drop": Kind.THING, "sun": Kind.SKY, "giraffe": Kind.ANIMAL,
}  # fmt: skip


@st.composite
def parts(draw: st.DrawFn, lead: bool) -> Part:
    noun = draw(st.sampled_from(sorted(NOUNS)))
    motion = draw(st.sampled_from(sorted(set(Motion) - ({Motion.FOLLOW} if lead else set()))))
    colour = draw(st.sampled_from(["", *COLOURS]))
    if f"{colour} {noun}" in NOUNS:
        colour = ""
    heading = draw(st.sampled_from([1, -1]))
    across = motion in ACROSS and motion is not Motion.FOLLOW
    return Part(noun, NOUNS[noun], colour, motion, heading if across else 1)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    count = draw(st.integers(1, 3))
    cast = [draw(parts(lead=at == 0)) for at in range(count)]
    nouns = [part.noun for part in cast]
    if len(set(nouns)) < count:
        first = cast[0]
        cast = [Part(first.noun, first.kind, first.colour, first.motion, first.heading, count)]
    backdrop = draw(st.sampled_from(Backdrop))
    time = Time.DAY if backdrop is Backdrop.SPACE else draw(st.sampled_from(Time))
    return Scene(
        tuple(cast), backdrop, time, draw(st.sampled_from(Weather)), draw(st.sampled_from(Camera))
    )


@given(scenes(), st.integers(0, 2**31))
def test_what_is_said_is_understood(scene: Scene, paraphrase: int) -> None:
    assert parse(said(scene, paraphrase), NOUNS) == Understood(scene, (), ())


@given(st.text(max_size=200))
def test_no_text_is_too_strange_to_parse(text: str) -> None:
    understood = parse(text, NOUNS)
    assert understood.scene.count <= 3


def test_every_caption_is_made_of_the_closed_list_of_words(stage: Stage) -> None:
    known = set(words(stage))
    for at in range(800):
        text = caption(recipe(stage, 4, at), stage)
        assert not unknown_words(text, known)
        assert text == text.lower()
        assert parse(text, stage.kinds).scene == scene_of(recipe(stage, 4, at), stage)


def test_a_scene_is_worded_in_several_ways() -> None:
    scene = parse("a red car drives past a house at night", NOUNS).scene
    ways = {said(scene, number) for number in range(600)}
    assert "a red car drives past a house at night" in ways
    assert "at night, a red car rolls past a house in the hills" in ways
    assert len(ways) > 6


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "a red car drives past a house at night",
            Scene(
                (
                    Part("car", Kind.VEHICLE, "red", Motion.DRIVE),
                    Part("house", Kind.BUILDING, "", Motion.STAND),
                ),
                time=Time.NIGHT,
            ),
        ),
        (
            "a balloon rises over the hills",
            Scene((Part("balloon", Kind.AIRCRAFT, "", Motion.RISE),)),
        ),
        (
            "Two MICE are running to the left, in the snow! The camera pans.",
            Scene(
                (Part("mouse", Kind.ANIMAL, "", Motion.WALK, -1, 2),),
                weather=Weather.SNOW,
                camera=Camera.PAN,
            ),
        ),
        (
            "a dog chases a car through the city at sunset",
            Scene(
                (
                    Part("car", Kind.VEHICLE, "", Motion.DRIVE),
                    Part("dog", Kind.ANIMAL, "", Motion.FOLLOW),
                ),
                Backdrop.CITY,
                Time.DUSK,
            ),
        ),
        (
            "a car followed by a dog",
            Scene(
                (
                    Part("car", Kind.VEHICLE, "", Motion.DRIVE),
                    Part("dog", Kind.ANIMAL, "", Motion.FOLLOW),
                )
            ),
        ),
        (
            "an orange rolls past an orange bus",
            Scene(
                (
                    Part("orange", Kind.FOOD, "", Motion.DRIVE),
                    Part("bus", Kind.VEHICLE, "orange", Motion.STAND),
                )
            ),
        ),
        ("a fly flies", Scene((Part("fly", Kind.FLYER, "", Motion.FLY),))),
        (
            "hot air balloons",
            Scene((Part("hot-air balloon", Kind.AIRCRAFT, "", Motion.FLY, 1, 2),)),
        ),
        ("", Scene(())),
    ],
)  # fmt: skip
def test_prompts_as_people_type_them(prompt: str, expected: Scene) -> None:
    assert parse(prompt, NOUNS) == Understood(expected, (), ())


def test_unknown_words_are_named_with_near_ones_and_the_rest_is_made() -> None:
    understood = parse("a girafe walks past a purple wyvern at night", NOUNS)
    assert [(word.word, word.near) for word in understood.unknown] == [
        ("girafe", ("giraffe",)),
        ("wyvern", ()),
    ]
    assert understood.scene.time is Time.NIGHT
    assert unknown_words("a red gar", {"a", "red", "car"})[0].near == ("car",)


def test_a_crowd_is_cut_to_three_and_says_so() -> None:
    understood = parse("two cars drive and two dogs walk and a bird flies", NOUNS)
    assert [(part.noun, part.count) for part in understood.scene.parts] == [("car", 2), ("dog", 1)]
    assert understood.left_out == ("dog", "bird")


@pytest.mark.parametrize(
    ("noun", "several"),
    [
        ("car", "cars"), ("fox", "foxes"), ("butterfly", "butterflies"), ("monkey", "monkeys"),
        ("mouse", "mice"), ("fish", "fish"), ("hot dog", "hot dogs"), ("starfish", "starfish"),
        ("woman", "women"), ("bus", "buses"), ("leaf", "leaves"), ("scissors", "scissors"),
    ],
)  # fmt: skip
def test_plurals(noun: str, several: str) -> None:
    assert plural(noun) == several


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("owl", "an"), ("car", "a"), ("orange car", "an"), ("unicorn", "a"), ("umbrella", "an")],
)
def test_articles(name: str, wanted: str) -> None:
    assert article(name) == wanted


def test_what_is_always_plural_has_no_article() -> None:
    scene = Scene((Part("scissors", Kind.THING, "red", Motion.FALL),), Backdrop.ROOM)
    assert said(scene).startswith("red scissors fall")
