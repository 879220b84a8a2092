"""Evaluating a model end to end: every number is there, twice the same, and bad input refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from train_corpora import cleared_works, public_key, training

from tercet.core.errors import InputError, IntegrityError, RefusedError
from tercet.flows import evaluate as evaluate_flow
from tercet.flows.evaluate import EvaluateRequest, evaluate, write_on_card, write_report
from tercet.flows.train import train
from tercet.studio.evaluation.report import evaluation_section
from tercet.studio.evaluation.result import Evaluation
from tercet.studio.model.weights import read_model
from tercet.studio.scenes.stage import Stage


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> EvaluateRequest:
    """A model that has learned for three steps, and the least that can be asked of it."""
    folder = tmp_path_factory.mktemp("evaluated")
    cleared_works(folder)
    train(training(folder))
    return EvaluateRequest(
        model=folder / "run" / "model",
        clearance=folder / "out",
        public_key=public_key(folder),
        samples=8,
        training_clips=6,
        seconds=0,
        steps=1,
        frame_steps=1,
        clip_steps=1,
    )


@pytest.fixture(scope="module")
def found(request_: EvaluateRequest) -> Evaluation:
    return evaluate(request_)


def test_real_clips_are_told_and_an_untrained_model_is_not(found: Evaluation) -> None:
    seen, held_out = found.tables
    assert (seen.combinations, held_out.combinations) == ("seen", "held out")
    assert seen.line("all").made < 0.5 < seen.line("backdrop").real
    assert {line.judge for line in seen.second} == {"classifier"}
    assert found.distances[0].made > found.distances[0].real
    assert [target["met"] for target in found.document()["targets"]][:2] == [False, False]


@pytest.mark.slow
def test_the_same_request_gives_the_same_numbers(
    found: Evaluation, request_: EvaluateRequest
) -> None:
    assert evaluate(request_).document() == found.document()


def test_every_number_stands_in_the_report(found: Evaluation, tmp_path: Path) -> None:
    write_report(found, tmp_path / "report.json")
    write_report(found, tmp_path / "report.md")
    document = json.loads((tmp_path / "report.json").read_text())
    text = (tmp_path / "report.md").read_text()
    assert text == evaluation_section(document)
    assert document["type"] == "tercet/evaluation@1"
    assert "**missed**" in text
    assert "not measured" in text
    assert f"The nearest of {document['training_clips']:,} clips" in text
    for line in document["tables"][1]["lines"]:
        assert f"| {line['attribute']} |" in text


def test_the_card_carries_the_last_evaluation_of_its_own_model_only(
    found: Evaluation, request_: EvaluateRequest
) -> None:
    card = write_on_card(found, request_.model)
    first = card.read_text()
    assert evaluation_section(found.document()) in first
    assert write_on_card(found, request_.model).read_text() == first
    with pytest.raises(IntegrityError, match="expected an evaluation of"):
        write_on_card(replace(found, model_sha256="0" * 64), request_.model)


@pytest.mark.slow
def test_long_videos_and_their_cost(request_: EvaluateRequest) -> None:
    found = evaluate(replace(request_, seconds=10, training_clips=0))
    assert found.drift is not None
    assert [line.begin_s for line in found.drift.lines] == [0, 5]
    assert found.drift.lines[0].colour_shift == 0
    assert found.cost is not None
    assert 0 < found.cost.first_frame_s <= found.cost.wall_s
    assert found.memorised == {}
    assert "### Over a minute" in evaluation_section(found.document())


def test_a_model_without_its_works_is_refused(request_: EvaluateRequest) -> None:
    with pytest.raises(InputError, match="are not beside it"):
        evaluate(replace(request_, clearance=None))


def test_a_clearance_of_another_key_is_refused(request_: EvaluateRequest) -> None:
    with pytest.raises(RefusedError):
        evaluate(replace(request_, public_key="A" * 43 + "="))


def test_works_of_another_model_are_refused(request_: EvaluateRequest, tmp_path: Path) -> None:
    path = request_.model / "record.json"
    kept = path.read_bytes()
    record = json.loads(kept)
    record["order"]["stage_sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    try:
        with pytest.raises(IntegrityError, match="expected stage 0000000000000000"):
            evaluate(request_)
    finally:
        path.write_bytes(kept)


def test_a_classifier_that_is_none_is_refused(request_: EvaluateRequest, tmp_path: Path) -> None:
    (tmp_path / "judge").write_bytes(b"not one")
    with pytest.raises(InputError, match="expected a classifier, got a damaged file"):
        evaluate(replace(request_, classifier=tmp_path / "judge"))


@pytest.mark.parametrize(
    "fields", [{"samples": 0}, {"samples": 10**6}, {"seconds": -1}, {"training_clips": -5}]
)
def test_odd_numbers_are_refused(fields: dict[str, int], request_: EvaluateRequest) -> None:
    with pytest.raises(InputError, match="expected"):
        evaluate(replace(request_, **fields))  # type: ignore[arg-type]


def test_memorised_clips_are_sought_among_those_really_trained_on(
    request_: EvaluateRequest,
) -> None:
    """The recipes compared are those of the run, with one actor where the run showed one."""
    record = json.loads((request_.model / "record.json").read_bytes())
    record["settings"] |= {"steps": 100, "alone_part": "0.5"}
    record |= {"steps": 100}
    sprites = evaluate_flow._cleared(request_, read_model(request_.model))
    found = evaluate_flow._training_recipes(
        replace(request_, training_clips=200), record, Stage.of(sprites)
    )
    assert [recipe.index for recipe in found] == list(range(200))
    assert {len(recipe.actors) for recipe in found[:100]} == {1}
    assert {len(recipe.actors) for recipe in found[100:]} > {1}
