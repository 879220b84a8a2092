"""The judge by rule: right on real clips, at chance on clips of other captions, exact per part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tercet.core.errors import InputError
from tercet.studio.evaluation.accuracy import Score, prompt_accuracy
from tercet.studio.evaluation.attributes import ATTRIBUTES, UNSAID, truth
from tercet.studio.evaluation.classifier_training import real_clips, real_recipes
from tercet.studio.scenes.recipe import Recipe
from tercet.studio.scenes.stage import Stage

COUNT = 8


@pytest.fixture(scope="module")
def recipes(stage: Stage) -> list[Recipe]:
    return real_recipes(stage, 5, COUNT)


@pytest.fixture(scope="module")
def clips(recipes: list[Recipe], stage: Stage) -> np.ndarray:
    return real_clips(recipes, stage)


def test_real_clips_are_read_right(recipes: list[Recipe], clips: np.ndarray, stage: Stage) -> None:
    found = prompt_accuracy(clips, recipes, stage)
    assert [score.attribute for score in found.scores] == [*ATTRIBUTES, "all"]
    for score in found.scores[:-1]:
        assert score.accuracy >= 0.9, score
    assert found.score("motion").count >= COUNT


def test_the_caption_does_not_whisper_the_answer(
    recipes: list[Recipe], clips: np.ndarray, stage: Stage
) -> None:
    wrong = prompt_accuracy(np.roll(clips, 1, axis=0), recipes, stage)
    assert wrong.score("noun").accuracy < 0.5
    assert wrong.score("motion").accuracy < 0.4
    assert wrong.score("all").accuracy <= 1 / COUNT


def test_grey_noise_shows_nothing(recipes: list[Recipe], stage: Stage) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (6, 16, 64, 64, 3), dtype=np.uint8)
    found = prompt_accuracy(noise[:3], recipes[:3], stage)
    assert found.score("all").right == 0
    assert found.score("count").right == 0


def test_another_paint_is_a_wrong_colour_and_nothing_else(stage: Stage) -> None:
    base = next(
        each for each in real_recipes(stage, 9, 200, held_out=False)
        if len(each.actors) == 1 and each.actors[0].colour == "red" and each.time == "day"
    )  # fmt: skip
    other = replace(base, actors=(replace(base.actors[0], colour="blue"),))
    found = prompt_accuracy(real_clips([other], stage), [base], stage)
    wrong = {score.attribute for score in found.scores if score.right < score.count}
    assert wrong == {"colour", "all"}


def test_actors_of_one_noun_are_told_once(stage: Stage) -> None:
    twins = next(
        each for each in real_recipes(stage, 3, 200)
        if len(each.actors) == 2 and each.actors[0].sprite == each.actors[1].sprite
    )  # fmt: skip
    told = truth([twins], stage)
    assert (told.actors[0, :, 0] != UNSAID).tolist() == [True, False, False]
    found = prompt_accuracy(real_clips([twins], stage), [twins], stage)
    assert found.score("noun").count == 1
    assert found.score("count").right == 1


def test_a_missing_actor_is_a_wrong_count(stage: Stage) -> None:
    pair = next(
        each for each in real_recipes(stage, 3, 200)
        if len(each.actors) == 2 and each.actors[0].sprite != each.actors[1].sprite
        and each.actors[1].motion != "follow" and each.camera == "still"
    )  # fmt: skip
    alone = real_clips([replace(pair, actors=pair.actors[:1])], stage)
    assert prompt_accuracy(alone, [pair], stage).score("count").right == 0


def test_clips_and_recipes_must_match(recipes: list[Recipe], stage: Stage) -> None:
    with pytest.raises(InputError, match="a clip for each of 8 recipes, got 1"):
        prompt_accuracy(np.zeros((1, 16, 64, 64, 3), np.uint8), recipes, stage)


def test_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662
    low, high = Score("noun", "rule", 81, 263, 0.1).interval
    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)
    assert Score("noun", "rule", 0, 0, 0.1).interval == (0.0, 1.0)
