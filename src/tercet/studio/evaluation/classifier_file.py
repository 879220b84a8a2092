"""The classifier as bytes: safetensors, bound to the stage it was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.studio.evaluation.classifier import Classifier
from tercet.studio.evaluation.classifier_training import Plan
from tercet.studio.scenes.stage import Stage

CLASSIFIER_TYPE = "tercet/classifier@1"


def classifier_name(stage: Stage) -> str:
    """Return the name of the file that the classifier of a stage is kept in."""
    return f"classifier-{stage.digest[:16]}.safetensors"


def classifier_bytes(classifier: Classifier, stage: Stage, plan: Plan) -> bytes:
    """Return a classifier as the bytes of a safetensors file, in 16-bit floats."""
    state = {
        name: (part.half() if part.is_floating_point() else part).contiguous()
        for name, part in classifier.state_dict().items()
    }
    return save(state, {"about": canonical_json(_about(stage, plan)).decode()})


def _about(stage: Stage, plan: Plan) -> dict[str, str]:
    return {
        "type": CLASSIFIER_TYPE,
        "stage_sha256": stage.digest,
        "frame_steps": str(plan.frame_steps),
        "clip_steps": str(plan.clip_steps),
    }


def parse_classifier(raw: bytes, stage: Stage, plan: Plan) -> Classifier:
    """Return the classifier in a file. Raises `InputError` if it is none, or of another stage."""
    about = _written(raw)
    for name, value in _about(stage, plan).items():
        if about.get(name) != value:
            raise InputError(
                f"expected a classifier whose {name} is {value}, got {about.get(name)!r}",
                hint="delete the file: it is made anew",
            )
    classifier = Classifier.of(stage)
    try:
        state = load(raw)
        kinds = {name: part.dtype for name, part in classifier.state_dict().items()}
        classifier.load_state_dict({name: part.to(kinds[name]) for name, part in state.items()})
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise _damaged(str(error)) from error
    return classifier.eval()


def _written(raw: bytes) -> Mapping[str, str]:
    """Return what the header of a safetensors file says of the classifier; one entry, as JSON,
    since the order of several is not kept."""
    try:
        length = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + length])
        return dict(json.loads(header.get("__metadata__", {}).get("about", "{}")))
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged(str(error)) from error


def _damaged(why: str) -> InputError:
    return InputError(
        f"expected a classifier, got a damaged file ({why[:200]})",
        hint="delete the file: it is made anew",
    )
