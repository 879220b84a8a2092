"""The classifier: trained twice alike, kept and read back, refused where it is another's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tercet.core.errors import InputError
from tercet.studio.evaluation.accuracy import prompt_accuracy
from tercet.studio.evaluation.attributes import truth
from tercet.studio.evaluation.classifier import Classifier, read
from tercet.studio.evaluation.classifier_file import (
    classifier_bytes,
    classifier_name,
    parse_classifier,
)
from tercet.studio.evaluation.classifier_training import (
    Plan,
    real_clips,
    real_recipes,
    train_classifier,
)
from tercet.studio.scenes.stage import Stage

SHORT = Plan(frame_steps=3, clip_steps=2)


@pytest.fixture(scope="module")
def classifier(stage: Stage) -> Classifier:
    torch.set_num_threads(1)
    return train_classifier(stage, plan=SHORT)


def test_the_same_stage_and_seed_give_the_same_classifier(
    classifier: Classifier, stage: Stage
) -> None:
    torch.rand(3)  # whatever was drawn before
    again = train_classifier(stage, plan=SHORT)
    for name, part in classifier.state_dict().items():
        assert torch.equal(part, again.state_dict()[name]), name


def test_training_takes_and_leaves_the_generator_as_it_was(stage: Stage) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train_classifier(stage, plan=Plan(1, 1))
    assert torch.equal(torch.rand(1), expected)


def test_a_classifier_read_back_reads_alike(classifier: Classifier, stage: Stage) -> None:
    raw = classifier_bytes(classifier, stage, SHORT)
    assert raw == classifier_bytes(classifier, stage, SHORT)
    recipes = real_recipes(stage, 4, 3)
    clips, nouns = real_clips(recipes, stage), truth(recipes, stage).actors[..., 0]
    first, second = (
        read(parse_classifier(data, stage, SHORT), clips, nouns) for data in (raw, raw)
    )
    assert np.array_equal(first.features, second.features)
    assert first.nouns.shape == (3, len(stage.nouns))
    assert first.actors.shape == (3, 3, 3)
    assert first.scenes.shape == (3, 5)
    assert classifier_name(stage).startswith("classifier-")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "damaged"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "whose type"),
        (b"\xff" * 40, "damaged"),
    ],
)
def test_a_file_that_is_no_classifier_is_refused(raw: bytes, said: str, stage: Stage) -> None:
    with pytest.raises(InputError, match=said):
        parse_classifier(raw, stage, SHORT)


def test_a_truncated_classifier_is_refused(classifier: Classifier, stage: Stage) -> None:
    raw = classifier_bytes(classifier, stage, SHORT)
    with pytest.raises(InputError, match="damaged"):
        parse_classifier(raw[:-100], stage, SHORT)


def test_a_classifier_of_another_stage_is_refused(classifier: Classifier, stage: Stage) -> None:
    other = Stage.of(stage.sprites[:3])
    raw = classifier_bytes(classifier, stage, SHORT)
    with pytest.raises(InputError, match="stage_sha256"):
        parse_classifier(raw, other, SHORT)
    recipes = real_recipes(other, 4, 1)
    with pytest.raises(InputError, match="of other nouns"):
        prompt_accuracy(real_clips(recipes, other), recipes, other, classifier)


@pytest.mark.slow
def test_a_classifier_learns_what_it_is_shown(stage: Stage) -> None:
    torch.set_num_threads(1)
    learnt = train_classifier(stage, plan=Plan(400, 300))
    recipes = real_recipes(stage, 4, 60)
    second = prompt_accuracy(real_clips(recipes, stage), recipes, stage, learnt).second
    found = {score.attribute: score.accuracy for score in second}
    assert found["noun"] > 0.7
    assert found["heading"] > 0.8
    assert found["time"] > 0.9
