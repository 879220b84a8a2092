"""evaluate: a model in; every number of it, beside what that number is to be compared with, out."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.flows.train_hardware import hardware_entry
from tercet.store.files import write_atomically

if TYPE_CHECKING:
    from tercet.studio.evaluation.classifier import Classifier, Clips
    from tercet.studio.evaluation.result import Cost, Drift, Evaluation
    from tercet.studio.model.weights import StudioModel
    from tercet.studio.scenes.recipe import Recipe
    from tercet.studio.scenes.sprite import Sprite
    from tercet.studio.scenes.stage import Stage

SAMPLES_MIN, SAMPLES_MAX = 8, 100_000
TRAINING_CLIPS_MAX = 100_000
_AT_ONCE = 8  # captions sampled together
_DRIFT_VIDEOS = 4
_COST_PX = 512

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What is asked. ``model`` is the folder of a model.

    The works it learned from come from ``clearance`` (checked against ``public_key``, Base64) and
    the ``places`` of its corpus, or without one from the pack of works in the model's folder.
    ``samples`` clips are made of seen and as many of held-out combinations; ``training_clips``
    are compared for memorisation; ``seconds`` is the length of the long video (0: none).
    ``classifier`` is where the classifier is kept: made there once, used again.
    """

    model: Path
    clearance: Path | None = None
    public_key: str = ""
    places: tuple[Path, ...] = ()
    samples: int = 200
    training_clips: int = 2000
    seconds: int = 60
    seed: int = 1
    steps: int = 0
    guidance: float = 0.0
    classifier: Path | None = None
    frame_steps: int = 0
    clip_steps: int = 0
    progress: Progress = lambda stage, done, total: None


def evaluate(request: EvaluateRequest) -> Evaluation:
    """Measure a model. The same request on the same machine gives the same numbers, costs apart.

    Raises InputError for a request that cannot be, or without the model's works, IntegrityError
    where model, works or classifier are not what the model's record says.
    """
    _check(request)
    from tercet.studio.evaluation.measuring import (
        distances,
        make_pairs,
        memorised,
        prompt_table,
        times,
    )
    from tercet.studio.evaluation.result import Evaluation
    from tercet.studio.model.weights import read_model
    from tercet.studio.sampling import GUIDANCE, STEPS

    model = read_model(request.model)
    record = _record(request.model)
    stage = _stage(request, model, record)
    classifier, classifier_sha256 = _classifier(request, stage)
    steps, guidance = request.steps or STEPS, request.guidance or GUIDANCE
    make = _maker(model, steps, guidance, request.seed)
    tell = request.progress
    seen = make_pairs(make, stage, request.samples, held_out=False, batch=_AT_ONCE, tell=tell)
    held_out = make_pairs(make, stage, request.samples, held_out=True, batch=_AT_ONCE, tell=tell)
    training = _training_recipes(request, record, stage)
    drift, cost = _long(request, stage, classifier)
    return Evaluation(
        model=model.name,
        model_sha256=model.sha256,
        stage_sha256=stage.digest,
        classifier_sha256=classifier_sha256,
        seed=request.seed,
        steps=steps,
        guidance=guidance,
        tables=(
            prompt_table("seen", seen, stage, classifier),
            prompt_table("held out", held_out, stage, classifier),
        ),
        distances=distances(seen, stage, classifier, seed=request.seed),
        times=times(seen),
        drift=drift,
        memorised=memorised(seen, stage, classifier, training, tell) if training else {},
        training_clips=len(training),
        cost=cost,
    )


def _check(request: EvaluateRequest) -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise InputError(
            "evaluating needs PyTorch and safetensors, which are not installed",
            hint="pip install 'tercet[studio]'",
        )
    for name, value, least, most in (
        ("samples", request.samples, SAMPLES_MIN, SAMPLES_MAX),
        ("training-clips", request.training_clips, 0, TRAINING_CLIPS_MAX),
        ("seconds", request.seconds, 0, 600),
    ):
        if not least <= value <= most:
            raise InputError(
                f"expected {least} to {most} for {name}, got {value}", hint=f"--{name} NUMBER"
            )


def _record(folder: Path) -> Mapping[str, Any]:
    """Return the training record beside a model, empty where there is none."""
    from tercet.studio.training_record import RECORD_NAME, RECORD_TYPE, parse_document

    path = folder / RECORD_NAME
    return parse_document(path.read_bytes(), RECORD_TYPE) if path.is_file() else {}


def _stage(request: EvaluateRequest, model: StudioModel, record: Mapping[str, Any]) -> Stage:
    """Return the stage the model learned from. Raises IntegrityError where it is another one."""
    from tercet.studio.scenes.stage import Stage

    sprites = _cleared(request, model) if request.clearance else _packed(request)
    stage = Stage.of(sprites, nouns=model.nouns)
    expected = record.get("order", {}).get("stage_sha256", "")
    if expected and expected != stage.digest:
        raise IntegrityError(
            f"these works are not those that {request.model} learned from: expected stage "
            f"{expected[:16]}, got {stage.digest[:16]}",
            hint="give the clearance that its record names",
        )
    return stage


def _cleared(request: EvaluateRequest, model: StudioModel) -> Sequence[Sprite]:
    from tempfile import TemporaryDirectory

    from tercet.flows.train_works import read_works
    from tercet.flows.training_gate import open_gate

    assert request.clearance is not None
    gate = open_gate(
        request.clearance,
        public_key=request.public_key,
        places=request.places,
        progress=request.progress,
    )
    with TemporaryDirectory(prefix="tercet-") as kept:
        works = read_works(
            gate, Path(kept), nouns=frozenset(model.nouns), progress=request.progress
        )
    return works.sprites


def _packed(request: EvaluateRequest) -> Sequence[Sprite]:
    """Return the sprites of the pack of works in the model's folder."""
    from tercet.studio.compose.works import open_works
    from tercet.studio.engines.compose import PACK_NAME
    from tercet.studio.scenes.cutting import colour_name, cut_pixels
    from tercet.studio.scenes.sprite import Sprite

    path = request.model / PACK_NAME
    if not path.is_file():
        raise InputError(
            f"the works that {request.model} learned from are not beside it",
            hint="give the clearance it was trained on with --clearance",
        )
    pack = open_works(path)
    sprites = []
    for at, work in enumerate(pack.works, 1):
        request.progress("reading works", at, len(pack.works))
        pixels = cut_pixels(pack.raw(work))
        sprites.append(
            Sprite(
                work=work.work,
                title=work.title,
                owner=work.owner,
                licence=work.licence,
                noun=work.noun,
                kind=work.kind,
                faces=work.faces,
                colour=colour_name(pixels),
                pixels=pixels,
            )
        )
    return sprites


def _classifier(request: EvaluateRequest, stage: Stage) -> tuple[Classifier, str]:
    """Return the stage's classifier and the digest of its file, trained now if it is not there."""
    from tercet.studio.evaluation.classifier_file import (
        classifier_bytes,
        classifier_name,
        parse_classifier,
    )
    from tercet.studio.evaluation.classifier_training import Plan, train_classifier

    path = request.classifier or request.model.resolve().parent / classifier_name(stage)
    plan = Plan.of(stage)
    if request.frame_steps and request.clip_steps:
        plan = Plan(request.frame_steps, request.clip_steps)
    if not path.is_file():
        classifier = train_classifier(
            stage,
            plan=plan,
            report=lambda step, steps, loss: request.progress("training the judge", step, steps),
        )
        write_atomically(path, classifier_bytes(classifier, stage, plan))
    raw = path.read_bytes()  # as kept, so that the first run is like every later one
    return parse_classifier(raw, stage, plan), sha256_hex(raw)


def _maker(
    model: StudioModel, steps: int, guidance: float, seed: int
) -> Callable[[Sequence[str]], Clips]:
    """Return what makes clips of captions; every call draws other noise, the same each run."""
    from tercet.studio.sampling import sample

    calls = 0

    def make(captions: Sequence[str]) -> Clips:
        nonlocal calls
        calls += 1
        return sample(
            model.network,
            model.vocabulary,
            captions,
            steps=steps,
            guidance=guidance,
            seed=seed * 1_000_003 + calls,
        )

    return make


def _training_recipes(
    request: EvaluateRequest, record: Mapping[str, Any], stage: Stage
) -> list[Recipe]:
    """Return recipes the model was trained on: evenly taken of all its steps, by its record.

    Without a record nobody knows which they were, and none are returned.
    """
    from tercet.flows.train_works import alone_count
    from tercet.studio.training_samples import SceneSamples

    order = record.get("order")
    if not order or not request.training_clips:
        return []
    batch = int(order["batch"])
    alone = alone_count(record["settings"], batch)
    scenes = SceneSamples(stage, int(order["seed"]), alone)
    turns = 2 if order.get("clips") else 1  # real clips stand at the odd indices
    total = int(record["steps"]) * batch // turns
    count = min(request.training_clips, total)
    return [scenes.recipe(at * total // count) for at in range(count)]


def _long(
    request: EvaluateRequest, stage: Stage, classifier: Classifier
) -> tuple[Drift | None, Cost | None]:
    """Return how long videos drift, and what one costs, as the house engine makes them."""
    from tercet.studio.scenes.recipe import CLIP_DURATION_S

    scenes = int(request.seconds / CLIP_DURATION_S)
    if not scenes:
        return None, None
    cost = _cost(request, stage)
    drift = _drift(request, stage, classifier, scenes) if scenes > 1 else None
    return drift, cost


def _prompts(stage: Stage, count: int) -> tuple[list[Recipe], list[str]]:
    """Return recipes of one actor, and their captions."""
    from tercet.studio.evaluation.measuring import MEASURED_SEED
    from tercet.studio.scenes.captions import caption
    from tercet.studio.scenes.recipes import recipe

    recipes = [recipe(stage, MEASURED_SEED, at, max_actors=1) for at in range(count)]
    return recipes, [caption(each, stage) for each in recipes]


def _drift(request: EvaluateRequest, stage: Stage, classifier: Classifier, scenes: int) -> Drift:
    """Return the drift of long videos at the model's own size, frame rate and scene length."""
    import numpy as np

    from tercet.studio.engines.engine import Order, Shot
    from tercet.studio.engines.house import open_engine
    from tercet.studio.evaluation.measuring import drift
    from tercet.studio.scenes.recipe import CLIP_DURATION_S, CLIP_FRAME_COUNT

    engine = open_engine(str(request.model))
    recipes, captions = _prompts(stage, _DRIFT_VIDEOS)
    per_second = 16
    each = round(per_second * CLIP_DURATION_S)
    picked = np.linspace(0, each - 1, CLIP_FRAME_COUNT).round().astype(int)
    videos = []
    for at, text in enumerate(captions):
        order = Order(
            shots=(Shot(text, scenes * CLIP_DURATION_S),),
            width_px=64,
            height_px=64,
            frames_per_second=per_second,
            seed=request.seed + at,
            steps=request.steps,
            guidance=request.guidance,
        )
        frames = np.stack([frame.picture for frame in engine.frames(order, lambda progress: None)])
        videos.append(
            frames.reshape(scenes, each, *frames.shape[1:])[:, picked].reshape(-1, 64, 64, 3)
        )
        request.progress("long videos", at + 1, len(captions))
    return drift(videos, recipes, stage, classifier)


def _cost(request: EvaluateRequest, stage: Stage) -> Cost:
    """Make one video of the asked length at 512 px, and watch the clock. Nothing is encoded."""
    from tercet.studio.engines.engine import Order, Shot
    from tercet.studio.engines.house import open_engine
    from tercet.studio.evaluation.result import Cost

    engine = open_engine(str(request.model))
    _, captions = _prompts(stage, 1)
    order = Order(
        shots=(Shot(captions[0], float(request.seconds)),),
        width_px=_COST_PX,
        height_px=_COST_PX,
        seed=request.seed,
        steps=request.steps,
        guidance=request.guidance,
    )
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    first_s = 0.0
    for at, _ in enumerate(engine.frames(order, lambda progress: None), 1):
        first_s = first_s or time.perf_counter() - wall_s
        request.progress("a long video", at, order.frame_count)
    hardware = hardware_entry("cpu", 1)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(
        machine=f"{hardware['processor']}, {hardware['cores']} cores",
        width_px=_COST_PX,
        height_px=_COST_PX,
        duration_s=float(request.seconds),
        cpu_s=round(time.process_time() - cpu_s, 2),
        wall_s=round(time.perf_counter() - wall_s, 2),
        first_frame_s=round(first_s, 2),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
    )


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write an evaluation: Markdown, or JSON where the name ends in ``.json``."""
    from tercet.studio.evaluation.report import evaluation_section

    document = evaluation.document()
    if path.suffix == ".json":
        raw = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    else:
        raw = evaluation_section(document).encode()
    write_atomically(path, raw)


def write_on_card(evaluation: Evaluation, folder: Path) -> Path:
    """Put an evaluation on the card of the model in ``folder``, in place of an earlier one.

    Raises IntegrityError where the evaluation is of another model.
    """
    from tercet.studio.evaluation.report import SECTION_TITLE, evaluation_section
    from tercet.studio.model.weights import MODEL_FILE
    from tercet.studio.training_record import CARD_NAME

    found = sha256_hex((folder / MODEL_FILE).read_bytes())
    if found != evaluation.model_sha256:
        raise IntegrityError(
            f"expected an evaluation of {found[:16]}, got one of {evaluation.model_sha256[:16]}",
            hint="evaluate the model whose card this is",
        )
    path = folder / CARD_NAME
    card = path.read_text() if path.is_file() else f"# {evaluation.model}\n"
    before = card.split(SECTION_TITLE)[0].rstrip()
    text = f"{before}\n\n{evaluation_section(evaluation.document())}"
    write_atomically(path, text.encode())
    return path
