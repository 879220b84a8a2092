"""Training: killed and stopped runs end with the same chain and weights; bad input is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from train_corpora import LICENCES, cleared, cleared_works, drawing, training, write_works

from tercet.core.canonical import canonical_json
from tercet.core.errors import (
    InputError,
    IntegrityError,
    RefusedError,
    StorageError,
    TercetError,
)
from tercet.flows import train_run
from tercet.flows.guarded_pool import Guard
from tercet.flows.train import Advance, Trained, train
from tercet.flows.train_kept import Kept
from tercet.studio.batch_chain import chain_end, parse_batches
from tercet.studio.model.weights import read_model
from tercet.studio.scenes.sprite import Kind, Sprite
from tercet.studio.scenes.stage import Stage
from tercet.studio.training_record import parse_works

STEPS = 5
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    cleared_works(folder)
    return folder, train(training(folder, steps=STEPS))


@pytest.fixture
def place(whole: tuple[Path, Trained], tmp_path: Path) -> Path:
    """The same clearance and key, with no run yet. The corpus is found where it was cleared."""
    shutil.copytree(whole[0] / "out", tmp_path / "out")
    shutil.copy(whole[0] / "operator.key", tmp_path)
    return tmp_path


def weights(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "model").glob("weights-*")}


def same_ending(whole: tuple[Path, Trained], run: Path, trained: Trained) -> None:
    """Batches, works and weights are bit for bit those of the whole run; the plan begins them."""
    for name in ("batches.txt", "works.jsonl"):
        assert (run / name).read_bytes() == (whole[0] / "run" / name).read_bytes()
    start = hashlib.sha256((run / "plan.json").read_bytes()).digest()
    batches = parse_batches((run / "batches.txt").read_bytes())
    assert trained.chain == chain_end(start, batches).hex()
    assert weights(run) == weights(whole[0] / "run")


def test_what_comes_of_a_run(whole: tuple[Path, Trained]) -> None:
    folder, trained = whole
    record = trained.record
    assert (trained.step, record["steps"], record["samples"]) == (STEPS, STEPS, 2 * STEPS)
    assert len(parse_batches((folder / "run/model/batches.txt").read_bytes())) == STEPS
    works = parse_works((folder / "run/model/works.jsonl").read_bytes())
    assert {work.item for work in works} == {f"works/{n}-1.svg" for n in ("car", "house", "ball")}
    assert {work.owner for work in works} == {f"owner of {n}-1" for n in ("car", "house", "ball")}
    assert record["clearance"]["verdicts"]["cleared"] == 3
    assert record["cost"]["sessions"] == 1
    model = read_model(folder / "run" / "model")
    assert model.nouns == {"car": "vehicle", "house": "building", "ball": "thing"}
    assert "1" not in model.vocabulary.words
    assert "car" in model.vocabulary.words
    card = (folder / "run/model/card.md").read_text()
    assert "3 works by 3 owners" in card
    assert record["chain"]["last"] in card
    assert len(list((folder / "run/checkpoints").iterdir())) == train_run.CHECKPOINTS_KEPT


def test_the_same_command_again_does_nothing_anew(whole: tuple[Path, Trained]) -> None:
    folder, trained = whole
    again = train(training(folder, steps=STEPS))
    assert again.chain == trained.chain
    assert again.record["files"] == trained.record["files"]


def test_a_stopped_run_goes_on(whole: tuple[Path, Trained], place: Path) -> None:
    seen: list[Advance] = []
    request = training(place, steps=STEPS, advance=seen.append, is_stopped=lambda: len(seen) == 2)
    stopped = train(request)
    assert (stopped.step, stopped.record) == (2, {})
    told: list[str] = []
    ended = train(replace(request, is_stopped=lambda: False, tell=told.append))
    assert told == ["going on after step 2"]
    assert [advance.step for advance in seen] == [1, 2, 3, 4, 5]
    assert all(advance.eta_s >= 0 and advance.samples_per_s > 0 for advance in seen)
    assert ended.record["cost"]["sessions"] == 2
    same_ending(whole, place / "run", ended)


def test_a_checkpoint_older_than_the_chain(whole: tuple[Path, Trained], place: Path) -> None:
    """What was shown after the last checkpoint is shown again, and compared."""
    request = training(place, steps=STEPS, checkpoint_every=4)
    seen: list[Advance] = []

    def stop_hard(advance: Advance) -> None:
        seen.append(advance)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(replace(request, advance=stop_hard))
    assert len(parse_batches((place / "run/batches.txt").read_bytes())) == 3
    assert list((place / "run/checkpoints").iterdir()) == []
    same_ending(whole, place / "run", train(request))


def start(place: Path, **fields: Any) -> subprocess.Popen[bytes]:
    """Begin a training in a process of its own."""
    code = (
        "import json, sys; from pathlib import Path; from train_corpora import training\n"
        "from tercet.flows.train import train\n"
        "train(training(Path(sys.argv[1]), **json.loads(sys.argv[2])))"
    )
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "bench")])
    return subprocess.Popen(
        [sys.executable, "-c", code, str(place), json.dumps(fields)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )


def kill_at(place: Path, lines: int, **fields: Any) -> None:
    """Begin a training and kill it as soon as the chain has so many lines."""
    process = start(place, **fields)
    path = place / "run" / "batches.txt"
    while process.poll() is None and not (path.exists() and path.stat().st_size >= 65 * lines):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed(whole: tuple[Path, Trained], place: Path) -> None:
    """kill -9 for real: the same command ends bit for bit as the run that nothing disturbed."""
    kill_at(place, 3, steps=STEPS)
    assert not (place / "run" / "model").exists()
    same_ending(whole, place / "run", train(training(place, steps=STEPS)))


@pytest.mark.slow
@pytest.mark.parametrize("wait_s", np.linspace(0.0, 1.4, 12).tolist())
def test_killed_at_any_moment(whole: tuple[Path, Trained], place: Path, wait_s: float) -> None:
    """Again and again, also while a checkpoint or the model is being written."""
    process = start(place, steps=STEPS)
    while process.poll() is None and not (place / "run").exists():
        time.sleep(0.002)
    time.sleep(wait_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    same_ending(whole, place / "run", train(training(place, steps=STEPS)))


def test_a_damaged_checkpoint(whole: tuple[Path, Trained], place: Path) -> None:
    shutil.copytree(whole[0] / "run", place / "run")
    told: list[str] = []
    newest = place / "run/checkpoints/000000005/learner.pt"
    raw = bytearray(newest.read_bytes())
    raw[len(raw) // 2] ^= 1
    newest.write_bytes(raw)
    shutil.rmtree(place / "run/model")
    request = training(place, steps=STEPS, tell=told.append)
    same_ending(whole, place / "run", train(request))
    assert "checkpoint 000000005 was altered" in told[0]
    assert told[1] == "going on after step 4"


def test_no_whole_checkpoint(whole: tuple[Path, Trained], place: Path) -> None:
    shutil.copytree(whole[0] / "run", place / "run")
    for path in (place / "run/checkpoints").glob("*/learner.pt"):
        path.write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"no checkpoint in .* is whole"):
        train(training(place, steps=STEPS))


def test_a_chain_that_is_not_the_checkpoints(whole: tuple[Path, Trained], place: Path) -> None:
    shutil.copytree(whole[0] / "run", place / "run")
    path = place / "run/batches.txt"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[1], lines[0], *lines[2:]]))
    with pytest.raises(IntegrityError, match="not the chain of checkpoint 5"):
        train(training(place, steps=STEPS))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": 6}, "settings: steps 5 there, 6 here"),
        ({"batch": 4}, "order: batch 2 there, 4 here"),
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"nouns": ("car",)}, "works"),
    ],
)
def test_another_training_in_the_same_folder(
    whole: tuple[Path, Trained], place: Path, changes: dict[str, Any], named: str
) -> None:
    shutil.copytree(whole[0] / "run", place / "run")
    with pytest.raises(InputError, match="holds a training with other") as caught:
        train(training(place, **({"steps": STEPS} | changes)))
    assert named in caught.value.message


def test_an_altered_plan(whole: tuple[Path, Trained], place: Path) -> None:
    shutil.copytree(whole[0] / "run", place / "run")
    path = place / "run/plan.json"
    plan = json.loads(path.read_bytes())
    plan["created_at"] = "2020-01-01T00:00:00Z"
    path.write_bytes(canonical_json(plan) + b"\n")
    with pytest.raises(IntegrityError, match=r"plan\.json was changed after it was signed"):
        train(training(place, steps=STEPS))


def test_two_trainings_in_one_folder(place: Path) -> None:
    with train_run.locked(place / "run"), pytest.raises(RefusedError, match="another process"):
        train(training(place))


def test_a_full_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint that did not fit is taken away; what was there before stands."""
    train(training(place, steps=STEPS, minutes=1e-9))
    before = sorted((place / "run/checkpoints").iterdir())

    def no_room(self: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("tercet.studio.training.Learner.save", no_room)
    with pytest.raises(StorageError, match="No space left") as caught:
        train(training(place, steps=STEPS))
    assert "free some space" in caught.value.hint
    assert sorted((place / "run/checkpoints").iterdir()) == before


def test_a_session_of_some_minutes(place: Path) -> None:
    """It ends early, with a model that says so; the same command goes on."""
    early = train(training(place, steps=STEPS, minutes=1e-9))
    assert (early.step, early.record["steps"]) == (1, 1)
    assert "4 before the end" in (place / "run/model/card.md").read_text()
    assert train(training(place, steps=STEPS)).record["steps"] == STEPS


def test_a_work_changed_during_the_run(place: Path, whole: tuple[Path, Trained]) -> None:
    shutil.copytree(whole[0] / "in", place / "in")
    places = (place / "in" / "works.jsonl",)
    train(training(place, steps=STEPS, minutes=1e-9, places=places))
    work = place / "in/works/car-1.svg"
    work.write_bytes(work.read_bytes() + b"<!-- -->")
    with pytest.raises(InputError, match="holds a training with other works"):
        train(training(place, steps=STEPS, places=places))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"steps": 0}, InputError, "expected 1 to 10000000 steps, got 0"),
        ({"batch": 0}, InputError, "expected 1 to 65536 batch, got 0"),
        ({"seed": -1}, InputError, "expected a seed"),
        ({"size": "xxl"}, InputError, "expected a size of xs, s, m, l, tiny"),
        ({"nouns": ("dragon",)}, RefusedError, "none of 3 cleared works can be learned from"),
        ({"device": "cuda"}, InputError, "expected a GPU"),
        ({"clearance": Path("nowhere")}, InputError, "no clearance in nowhere"),
    ],
)
def test_what_cannot_be_asked(
    place: Path, changes: dict[str, Any], error: type[TercetError], message: str
) -> None:
    if changes.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(error, match=message):
        train(training(place, **changes))
    assert not (place / "run" / "plan.json").exists()


def test_a_run_inside_the_clearance(place: Path) -> None:
    with pytest.raises(InputError, match="lies inside the clearance"):
        train(training(place, run=place / "out" / "run"))


def test_without_torch(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs PyTorch") as caught:
        train(training(place))
    assert caught.value.hint == "pip install 'tercet[studio]'"


def test_workers_change_nothing(whole: tuple[Path, Trained], place: Path) -> None:
    same_ending(whole, place / "run", train(training(place, steps=STEPS, workers=1)))


def test_pictures_on_the_way(place: Path) -> None:
    import cv2

    train(training(place, steps=2, grid_every=1))
    pictures = sorted((place / "run" / "samples").glob("*.png"))
    assert [path.name for path in pictures] == ["000000001.png", "000000002.png"]
    picture = cv2.imread(str(pictures[0]))
    assert picture is not None
    assert picture.shape == (6 * 65 - 1, 4 * 65 - 1, 3)
    assert len((place / "run/samples/captions.txt").read_text().splitlines()) == 6


def test_no_held_or_blocked_work_reaches_a_batch(tmp_path: Path) -> None:
    """Every work in the first batches is a cleared one, by its digest."""
    from tercet.flows.train_works import read_works, sample_source
    from tercet.flows.training_gate import open_gate

    names = [f"{noun}-{at}" for noun in ("car", "house", "ball", "tree") for at in range(3)]
    licences = {name: LICENCES["cleared" if at % 3 else "blocked"] for at, name in enumerate(names)}
    out = cleared(tmp_path, write_works(tmp_path / "in", licences))
    request = training(tmp_path)
    gate = open_gate(out, public_key=request.public_key)
    passed = {item.sha256 for item in gate.items}
    works = read_works(gate, tmp_path / "run", nouns=None, progress=request.progress)
    assert len(works.lines) == len(passed) == 8
    source = sample_source(works, seed=1)
    shown = {work for index in range(80) for work in source.sample(index).record.works}
    assert shown == passed
    assert Stage.of(works.sprites).digest


def test_kept_sprites_replaced_by_other_pictures_are_not_used(
    whole: tuple[Path, Trained], place: Path
) -> None:
    """Somebody puts another picture, even with its own seal, where a run keeps its sprites."""
    other = Kept.within(place / "run", b"another key")
    for path in (whole[0] / "run" / "sprites").glob("*.npz"):
        with np.load(path) as kept:
            about = json.loads(str(kept["about"]))
            pixels = np.full_like(kept["pixels"], 7)
        fake = Sprite(
            *(about[name] for name in ("work", "title", "owner", "licence", "noun")),
            Kind(about["kind"]), about["faces"], about["colour"], pixels,
        )  # fmt: skip
        other.sprite(path.stem, about["key"], lambda fake=fake: fake)
    assert (place / "run" / "sprites").is_dir()
    same_ending(whole, place / "run", train(training(place, steps=STEPS)))


def test_kept_pictures_without_a_seal_or_with_that_of_another_work(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return np.full((1, 16, 8, 8, 3), len(made), np.uint8)

    kept = Kept.within(tmp_path, b"secret")
    assert kept.windows("a", "0-0", make).max() == kept.windows("a", "0-0", make).max() == 1
    assert kept.windows("b", "0-0", make).max() == 2
    clips = tmp_path / "clips"
    for name in ("", ".seal"):  # b's, seal and all, in a's place
        shutil.copy(clips / f"b-0-0.npy{name}", clips / f"a-0-0.npy{name}")
    assert kept.windows("a", "0-0", make).max() == 3
    (clips / "a-0-0.npy.seal").unlink()
    assert kept.windows("a", "0-0", make).max() == 4
    assert Kept.within(tmp_path, b"other").windows("a", "0-0", make).max() == 5
    assert Kept.within(tmp_path, b"").windows("a", "0-0", make).max() == 6
    assert Kept.within(tmp_path, b"").windows("a", "0-0", make).max() == 7


def test_weights_of_another_run_put_into_a_checkpoint(
    whole: tuple[Path, Trained], place: Path
) -> None:
    """Its digest is written anew, its steps and its chain are the run's own: it still is none."""
    train(training(place, steps=STEPS, minutes=1e-9))
    (checkpoint,) = (place / "run" / "checkpoints").iterdir()
    foreign = whole[0] / "run" / "checkpoints" / "000000005" / "learner.pt"
    shutil.copy(foreign, checkpoint / "learner.pt")
    state = json.loads((checkpoint / "state.json").read_bytes())
    state["sha256"] = hashlib.sha256(foreign.read_bytes()).hexdigest()
    for seal in (state.get("seal"), "0" * 64, 5, None):
        (checkpoint / "state.json").write_text(json.dumps(state | {"seal": seal}))
        with pytest.raises(IntegrityError, match=r"no checkpoint in .* is whole"):
            train(training(place, steps=STEPS))


def test_a_drawing_that_would_be_drawn_for_hours_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masks of masks of masks: the work is counted, the others are learned from."""
    monkeypatch.setattr("tercet.flows.train_works.DRAWING_GUARD", Guard(2.0, 2 * 1024**3))
    table = write_works(tmp_path / "in", {"car-1": LICENCES["cleared"]})
    masks = "".join(
        f'<mask id="m{at}">'
        + f'<rect width="40" height="40" fill="white" mask="url(#m{at + 1})"/>' * 8
        + "</mask>"
        for at in range(7)
    )
    raw = drawing(f'{masks}<rect width="40" height="40" fill="red" mask="url(#m0)"/>')
    (tmp_path / "in/works/bomb.svg").write_bytes(raw)
    row = json.loads(table.read_text())
    row |= {"path": "works/bomb.svg", "sha256": hashlib.sha256(raw).hexdigest()}
    table.write_text(table.read_text() + json.dumps(row) + "\n")
    cleared(tmp_path, table)
    trained = train(training(tmp_path, steps=1))
    assert trained.record["works"]["count"] == 1
    (reason,) = trained.record["passed_over"]
    assert "took longer than 2 s" in reason
