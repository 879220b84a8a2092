"""train: a signed clearance in; a model, and the signed record of all it was trained on, out."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.core.ids import sha256_hex
from tercet.core.terms import Purpose
from tercet.core.version import __version__
from tercet.flows.pool import worker_pool
from tercet.flows.train_batches import SampleBatch, batches, prepare_source
from tercet.flows.train_code import code_entry
from tercet.flows.train_hardware import Meter, hardware_entry
from tercet.flows.train_lesson import Base, Lesson, OnBase, OwnModel, Pupil
from tercet.flows.train_model import Account, write_model
from tercet.flows.train_parent import Parent
from tercet.flows.train_run import Checkpoints, keep_plan, load_checkpoint, locked
from tercet.flows.train_works import Works, alone_count, read_works, sample_source
from tercet.flows.training_gate import Gate, GateUse, open_gate
from tercet.store.batch_chain import ChainFile
from tercet.store.files import write_atomically
from tercet.store.keys import SigningKey
from tercet.studio.batch_chain import batch_hash
from tercet.studio.scenes.stage import Stage
from tercet.studio.training_record import (
    AGREEMENTS_NAME,
    BATCHES_NAME,
    PLAN_TYPE,
    WORKS_NAME,
    clearance_entry,
    works_bytes,
    works_entry,
)
from tercet.studio.training_samples import HOUSE_CLIPS, SampleSource, sample_grid

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from tercet.studio.training_ranks import Ranks

STEPS_MAX, BATCH_MAX = 10_000_000, 65_536
GRID_CLIPS = 6
LOSS_MEMORY, NEW_LOSS = 0.98, 0.02  # the loss told is a moving mean


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a run is, after a step. ``samples_per_s`` and ``eta_s`` are of this session."""

    step: int
    steps: int
    loss: float
    samples_per_s: float
    eta_s: float


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What is asked. ``clearance`` is the folder `tercet clear` wrote, ``run`` the run's own.

    ``public_key`` (Base64) is the key the clearance must be signed with; ``minutes`` ends this
    session early (0: not); ``device`` "" means a GPU where there is one; ``workers`` make samples
    beside the training (0: none). ``is_stopped`` is asked after every step.

    ``desk`` is asked whether the agreements that the clearance rests on still hold, instead of the
    one it was cleared with. With ``base``, the folder of a text-to-video pipeline, an adapter for
    it is trained instead of a model; ``side_px`` and ``frame_count`` are then the size of clips
    (0: the default). With ``parent``, a model of ours, the run begins with its weights.
    """

    clearance: Path
    run: Path
    key: SigningKey
    public_key: str
    now: str
    name: str = ""
    size: str = "s"
    base: Path | None = None
    parent: Path | None = None
    side_px: int = 0
    frame_count: int = 0
    steps: int = 20_000
    minutes: float = 0.0
    batch: int = 64
    seed: int = 0
    nouns: tuple[str, ...] = ()
    places: tuple[Path, ...] = ()
    desk: Path | None = None
    device: str = ""
    workers: int = 0
    grid_every: int = 500
    checkpoint_every: int = 250
    progress: Callable[[str, int, int], None] = _silent
    advance: Callable[[Advance], None] = lambda advance: None
    tell: Callable[[str], None] = lambda text: None
    is_stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Trained:
    """What a session came to. ``record`` is there once a model was written."""

    step: int
    steps: int
    chain: str
    record: dict[str, Any] = field(default_factory=dict)
    model: Path | None = None


def train(request: TrainRequest) -> Trained:
    """Train a model on the cleared rows of a clearance; go on where an earlier session stopped.

    Raises InputError, RefusedError and IntegrityError as the gate does (see `open_gate`),
    InputError for settings that cannot be, StorageError when the disk cannot take a checkpoint;
    then everything up to the checkpoint before is kept.
    """
    _check(request)
    _need_torch()
    from tercet.studio.model.memory import keep_memory
    from tercet.studio.training_ranks import join_ranks

    keep_memory()
    ranks = join_ranks(request.device, request.batch)
    if ranks.rank:  # only the first speaks
        request = replace(request, progress=_silent, tell=lambda text: None)
    try:
        with locked(request.run) if ranks.rank == 0 else nullcontext():
            return _train(request, ranks)
    except OSError as error:
        raise StorageError(
            f"cannot write under {request.run}: {error.strerror or error}",
            hint="free some space; the last checkpoint is kept, and the same command goes on there",
        ) from error
    finally:
        ranks.leave()


def _check(request: TrainRequest) -> None:
    for name, value, most in (
        ("steps", request.steps, STEPS_MAX),
        ("batch", request.batch, BATCH_MAX),
    ):
        if not 1 <= value <= most:
            raise InputError(f"expected 1 to {most} {name}, got {value}", hint=f"--{name} NUMBER")
    if not 0 <= request.seed < 2**53:
        raise InputError(f"expected a seed from 0 to 2^53 - 1, got {request.seed}")
    if request.base is None and (request.side_px or request.frame_count):
        raise InputError("a size of clips is for adapters only", hint="give --base, or leave it")
    if request.base and request.parent:
        raise InputError("an adapter has no parent", hint="give --base or --from, not both")
    if request.base and request.run.resolve().is_relative_to(request.base.resolve()):
        raise InputError(
            f"the run {request.run} lies inside the base model {request.base}",
            hint="choose a folder outside of it with -o",
        )
    if request.run.resolve().is_relative_to(request.clearance.resolve()):
        raise InputError(
            f"the run {request.run} lies inside the clearance {request.clearance}",
            hint="choose a folder outside of it with -o",
        )


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise InputError(
            "training needs PyTorch and safetensors, which are not installed",
            hint="pip install 'tercet[studio]'",
        )


def _train(request: TrainRequest, ranks: Ranks) -> Trained:
    from tercet.studio.model.size import shape_of

    shape_of(request.size, word_count=1, owner_count=1)  # an unknown size is refused at once
    base = _base(request, ranks)
    parent = Parent.asked(request.parent) if request.parent else None
    size = base.size if base else HOUSE_CLIPS
    gate = open_gate(
        request.clearance,
        public_key=request.public_key,
        places=request.places,
        asked=_use_of(request),
        progress=request.progress,
    )
    works = read_works(
        gate,
        request.run,
        nouns=frozenset(request.nouns) or None,
        progress=request.progress,
        secret=request.key.secret("what was made of works"),
        size=size,
    )
    if parent:
        parent.require_cleared(works.lines)
    alone = 0 if base else _alone_count(request)
    source = sample_source(works, request.seed, alone_count=alone, size=size)
    session = _Session(request, ranks, gate, works, source, base or parent)
    if request.workers:
        with worker_pool(request.workers, prepare_source, (source,)) as pool:
            pool.submit(_nothing).result()  # forked before a GPU is touched
            return session.run(pool)
    return session.run(None)


def _use_of(request: TrainRequest) -> GateUse:
    """Return what the works are used for, as agreements on them must permit."""
    is_further = request.base is not None or request.parent is not None
    purpose = Purpose.FINETUNE if is_further else Purpose.PRETRAIN
    return GateUse(request.now[:10], purpose, request.name, request.desk)


def _base(request: TrainRequest, ranks: Ranks) -> Base | None:
    """Return the base model that was asked for, if one was."""
    if request.base is None:
        return None
    if ranks.count > 1:
        raise InputError("an adapter is trained by one process", hint="start it without torchrun")
    return Base.asked(request.base, request.side_px, request.frame_count)


def _alone_count(request: TrainRequest) -> int:
    """Return how many samples show one actor, before several stand together."""
    from tercet.studio.training import Settings

    begin = Settings.going_on if request.parent else Settings
    return alone_count(begin(request.steps, request.seed).fields(), request.batch)


def _nothing() -> None:
    """Start the workers."""


class _Session:
    """One session of a run: from the last checkpoint to the end, or to where it is stopped."""

    def __init__(
        self,
        request: TrainRequest,
        ranks: Ranks,
        gate: Gate,
        works: Works,
        source: SampleSource,
        ground: Base | Parent | None,
    ) -> None:
        self.request, self.ranks, self.gate, self.works = request, ranks, gate, works
        self.source = source
        self.owners = tuple(sorted({line.owner for line in works.lines} - {""}))
        self.number = {owner: at for at, owner in enumerate(self.owners, 1)}
        self.lesson = self._lesson(ground)
        self.begun_s = time.monotonic()
        self.loss = float("nan")

    def _lesson(self, ground: Base | Parent | None) -> Lesson:
        request = self.request
        if isinstance(ground, Base):
            return OnBase(ground, steps=request.steps, seed=request.seed, progress=request.progress)
        return OwnModel(
            size=request.size,
            steps=request.steps,
            seed=request.seed,
            words=self.source.words(),
            owner_count=len(self.owners),
            nouns={sprite.noun: str(sprite.kind) for sprite in self.works.sprites},
            parent=ground,
        )

    def plan(self) -> dict[str, Any]:
        """Return what this run is: all that its batches and its weights follow from."""
        raw = works_bytes(self.works.lines)
        request = self.request
        stage = Stage.of(self.works.sprites).digest if self.works.sprites else ""
        return {
            "type": PLAN_TYPE,
            "created_at": request.now,
            "tercet": __version__,
            "clearance": clearance_entry(self.gate.clearance.sha256, self.gate.clearance.document),
            "works": works_entry(self.works.lines, raw),
            "order": {
                "seed": request.seed,
                "batch": request.batch,
                "ranks": self.ranks.count,
                "nouns": sorted(request.nouns),
                "stage_sha256": stage,
                "clips": len(self.works.clips),
                "owners_sha256": sha256_hex(canonical_json(list(self.owners))),
            }
            | self.lesson.order(),
            "code": code_entry(is_adapter=request.base is not None),
        } | self.lesson.plan()

    def run(self, pool: ProcessPoolExecutor | None) -> Trained:
        """Train until the end, or until stopped; write the model where there is one to write."""
        request = self.request
        if self.ranks.rank == 0:
            write_atomically(request.run / WORKS_NAME, works_bytes(self.works.lines))
            plan = keep_plan(request.run, self.plan(), request.key)
        else:
            plan = {}
        plan = self.ranks.agreed(plan)
        start = bytes.fromhex(sha256_hex(canonical_json(plan) + b"\n"))  # of plan.json as it lies
        learner = self.lesson.pupil(self.ranks.device)
        checkpoints = Checkpoints(request.run, request.key) if self.ranks.rank == 0 else None
        found = self.ranks.agreed(checkpoints.newest(request.tell) if checkpoints else None)
        if found is not None:
            load_checkpoint(found, learner)
            request.tell(f"going on after step {found.step}")
        step = found.step if found else 0
        self.loss = float(found.notes["loss"]) if found else self.loss
        meter = Meter.going_on(self.ranks.device, found.notes["meter"] if found else {})
        if self.ranks.rank:
            self._steps(learner, None, None, meter, step, pool)
            return Trained(learner.steps_done, request.steps, "")
        with ChainFile(request.run / BATCHES_NAME, start, step) as chain:
            if found and chain.link != found.link:
                raise IntegrityError(
                    f"{BATCHES_NAME} is not the chain of checkpoint {found.step}",
                    hint="put the file back, or start a new run in another folder",
                )
            self._steps(learner, chain, checkpoints, meter, step, pool)
        return self._ended(learner, chain, meter, plan)

    def _steps(
        self,
        learner: Pupil,
        chain: ChainFile | None,
        checkpoints: Checkpoints | None,
        meter: Meter,
        done: int,
        pool: ProcessPoolExecutor | None,
    ) -> None:
        """Take step after step. A batch is in the chain before it is learned from."""
        request = self.request
        model = self.lesson.called(self.ranks.shared(learner.model), self.ranks.device)
        made = batches(
            self.source,
            batch=request.batch,
            part=self.ranks.part(request.batch),
            first_step=done + 1,
            last_step=request.steps,
            pool=pool,
        )
        saved = done
        first_s = time.monotonic()
        for step, samples in enumerate(made, done + 1):
            records = self.ranks.gathered(list(samples.records))
            if chain is not None:
                chain.take(batch_hash(step, records))
            loss = learner.step(self._batch(samples), model)
            self.loss = loss if step == 1 else LOSS_MEMORY * self.loss + loss * NEW_LOSS
            if chain is not None:
                self._tell(step, done, self.loss, first_s)
            stop = self.ranks.agreed(self._is_over())
            last = stop or step == request.steps
            if chain and checkpoints and (last or step % request.checkpoint_every == 0):
                chain.sync()
                notes = {"meter": meter.state(), "loss": self.loss}
                checkpoints.write(learner, step, chain.link, notes)
                saved = step
            if chain and request.grid_every and (step % request.grid_every == 0 or last):
                self._grid(learner, step)
            if stop:
                break
        if chain is not None and saved != chain.step:
            raise IntegrityError(f"step {chain.step} was not saved")

    def _batch(self, samples: SampleBatch) -> Any:
        from tercet.studio.training import Batch

        owners = [self.number.get(owner, 0) for owner in samples.owners]
        return Batch(samples.clips, samples.captions, owners)

    def _is_over(self) -> bool:
        minutes = self.request.minutes
        late = minutes > 0 and time.monotonic() - self.begun_s >= 60 * minutes
        return late or self.request.is_stopped()

    def _tell(self, step: int, done: int, loss: float, first_s: float) -> None:
        passed_s = max(time.monotonic() - first_s, 1e-9)
        rate = (step - done) / passed_s
        left_s = (self.request.steps - step) / rate
        samples_per_s = rate * self.request.batch
        self.request.advance(Advance(step, self.request.steps, loss, samples_per_s, left_s))

    def _grid(self, learner: Pupil, step: int) -> None:
        """Make a picture of what the model shows for the first captions of the run."""
        from tercet.flows.train_pictures import write_png

        captions = [self.source.sample(index).caption for index in range(GRID_CLIPS)]
        clips = self.lesson.clips(learner, captions)
        if clips is None:
            return
        folder = self.request.run / "samples"
        folder.mkdir(exist_ok=True)
        write_png(folder / f"{step:09d}.png", sample_grid(clips))
        text = "".join(f"{caption}\n" for caption in captions)
        write_atomically(folder / "captions.txt", text.encode())

    def _licences(self) -> dict[str, bytes]:
        """Return the list of the licences that the clearance rests on, for the model's folder."""
        account = self.gate.clearance.document.get("agreements")
        if not account or not account["count"]:
            return {}
        return {AGREEMENTS_NAME: (self.request.clearance / account["listed"]).read_bytes()}

    def _ended(
        self, learner: Pupil, chain: ChainFile, meter: Meter, plan: dict[str, Any]
    ) -> Trained:
        """Write the model and its record, unless somebody stopped the run by hand."""
        request = self.request
        if chain.step < request.steps and request.is_stopped():
            return Trained(chain.step, request.steps, chain.link.hex())
        name = request.name or request.run.resolve().name
        files = self.lesson.files(learner, name) | self._licences()
        account = Account(
            name=name,
            plan=plan,
            now=request.now,
            steps=chain.step,
            chain_start=chain.start,
            chain_end=chain.link,
            hardware=hardware_entry(self.ranks.device, self.ranks.count),
            cost=meter.entry(),
            loss=f"{self.loss:.4f}",
            passed_over=self.works.passed_over,
        )
        record = write_model(request.run, files, account, request.key)
        return Trained(chain.step, request.steps, chain.link.hex(), record, request.run / "model")
