"""What a run teaches: a model of our own, or an adapter for a base model of unknown rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tercet.core.errors import InputError
from tercet.flows.train_run import Savable
from tercet.studio.adapter_base import BASE_MARK, base_entry, checked_base
from tercet.studio.scenes.sprite import Pixels
from tercet.studio.training_record import settings_entry
from tercet.studio.training_samples import HOUSE_CLIPS, ClipSize

if TYPE_CHECKING:
    from tercet.flows.train_parent import Parent
    from tercet.studio.model.size import Shape

ADAPTER_SIDE_PX, ADAPTER_FRAMES = 256, 81
_SIDE_STEP_PX, _SIDE_MAX_PX = 32, 1024
_FRAME_STEP, _FRAMES_MAX = 4, 161
FUSED_STEPS_MIN = 1000


class Pupil(Savable, Protocol):
    """What learns step by step."""

    model: Any
    steps_done: int

    def step(self, batch: Any, model: Callable[..., Any] | None = None) -> float:
        """Learn from one batch and return its loss."""
        ...


class Lesson(Protocol):
    """All in which runs differ: what a plan says of them, who learns, what is left behind."""

    def plan(self) -> dict[str, Any]:
        """Return the plan's settings, and what else it says."""
        ...

    def order(self) -> dict[str, Any]:
        """Return what the plan's order says beyond that of every run."""
        ...

    def pupil(self, device: str) -> Any:
        """Return who learns, before its first step."""
        ...

    def called(self, model: Any, device: str) -> Callable[..., Any]:
        """Return the model as it is called in steps."""
        ...

    def clips(self, pupil: Any, captions: Sequence[str]) -> Pixels | None:
        """Return what the pupil shows for captions, or None where nothing is shown on the way."""
        ...

    def files(self, pupil: Any, name: str) -> dict[str, bytes]:
        """Return the files of what was learned, by name."""
        ...


class OwnModel:
    """A model of our own, from nothing or from a ``parent`` that learned from cleared works."""

    def __init__(
        self,
        *,
        size: str,
        steps: int,
        seed: int,
        words: Sequence[str],
        owner_count: int,
        nouns: Mapping[str, str],
        parent: Parent | None = None,
    ) -> None:
        from tercet.studio.model.size import shape_of
        from tercet.studio.model.words import Vocabulary
        from tercet.studio.training import Settings

        self.vocabulary = Vocabulary.of(words)
        self.parent = parent
        self.settings = Settings.going_on(steps, seed) if parent else Settings(steps, seed)
        self.shape = shape_of(size, word_count=len(self.vocabulary), owner_count=owner_count)
        self.nouns = dict(sorted(nouns.items()))
        if parent:
            parent.require_words(self.vocabulary.words)
            _require_shape(parent, self.shape)

    def plan(self) -> dict[str, Any]:
        """Return settings and shape, and the model whose weights are the first."""
        entry = settings_entry(self.settings.fields() | self.shape.fields())
        return {"settings": entry} | ({"parent": self.parent.entry} if self.parent else {})

    def order(self) -> dict[str, Any]:
        """Return nothing more: clips are of the house model's size."""
        return {}

    def pupil(self, device: str) -> Any:
        """Return a model with its first weights."""
        from tercet.studio.training import Learner

        learner = Learner(self.shape, self.vocabulary, self.settings, device=device)
        if self.parent:
            learner.begin(self.parent.model.network)
        return learner

    def called(self, model: Any, device: str) -> Callable[..., Any]:
        """Return the model, fused where that is worth its minute of compiling."""
        from tercet.studio.training import fused

        is_long = device == "cuda" or self.settings.steps >= FUSED_STEPS_MIN
        own: Callable[..., Any] = fused(model) if is_long else model
        return own

    def clips(self, pupil: Any, captions: Sequence[str]) -> Pixels | None:
        """Return a clip for each caption."""
        from tercet.studio.sampling import sample

        return sample(pupil.average, self.vocabulary, list(captions), seed=self.settings.seed)

    def files(self, pupil: Any, name: str) -> dict[str, bytes]:
        """Return the shards of the averaged weights, and `model.json`."""
        from tercet.studio.model.weights import model_files

        return model_files(name, pupil.average, self.vocabulary, self.nouns)


def _require_shape(parent: Parent, shape: Shape) -> None:
    """Raise InputError unless the run's model is of the parent's shape."""
    found = parent.model.network.shape
    if found != shape:
        raise InputError(
            f"{parent.entry['name']!r} is of size {found.size!r} for {found.owner_count} owners, "
            f"this run of size {shape.size!r} for {shape.owner_count}",
            hint=f"--size {found.size}, and the same works",
        )


@dataclass(frozen=True, slots=True)
class Base:
    """A base model that an adapter is asked for: checked, and not yet loaded."""

    folder: Path
    class_name: str
    size: ClipSize

    @classmethod
    def asked(cls, source: Path, side_px: int, frame_count: int) -> Base:
        """Return what was asked for; 0 stands for the default. Raises InputError."""
        side, frames = side_px or ADAPTER_SIDE_PX, frame_count or ADAPTER_FRAMES
        if side % _SIDE_STEP_PX or not _SIDE_STEP_PX <= side <= _SIDE_MAX_PX:
            raise InputError(
                f"expected a multiple of {_SIDE_STEP_PX} px up to {_SIDE_MAX_PX}, got {side}",
                hint=f"--side {ADAPTER_SIDE_PX}",
            )
        if frames % _FRAME_STEP != 1 or not _FRAME_STEP < frames <= _FRAMES_MAX:
            raise InputError(
                f"expected 5, 9, 13 ... {_FRAMES_MAX} frames, got {frames}",
                hint=f"--frames {ADAPTER_FRAMES}",
            )
        folder, class_name = checked_base(str(source))
        return cls(folder, class_name, ClipSize(side, frames))


class OnBase:
    """An adapter for a base model: whatever it has learned from, the base model's works count."""

    def __init__(
        self, base: Base, *, steps: int, seed: int, progress: Callable[[str, int, int], None]
    ) -> None:
        from tercet.studio.adapter_training import AdapterSettings

        self.base = base
        self.settings = AdapterSettings(steps=steps, seed=seed)
        self.entry = base_entry(base.folder, base.class_name, progress)

    def plan(self) -> dict[str, Any]:
        """Return settings, and the base model with the digest of each of its files."""
        return {
            "settings": settings_entry(self.settings.fields()),
            "base": self.entry,
            "rights": BASE_MARK,
        }

    def order(self) -> dict[str, Any]:
        """Return the size of the clips."""
        return {"side_px": self.base.size.side_px, "frames": self.base.size.frame_count}

    def pupil(self, device: str) -> Any:
        """Return an adapter that changes nothing yet."""
        from tercet.studio.adapter_training import open_learner

        return open_learner(self.base.folder, self.base.class_name, self.settings, device)

    def called(self, model: Any, device: str) -> Callable[..., Any]:
        """Return the model as it is."""
        own: Callable[..., Any] = model
        return own

    def clips(self, pupil: Any, captions: Sequence[str]) -> Pixels | None:
        """Return None: a base model takes minutes for a clip."""
        return None

    def files(self, pupil: Any, name: str) -> dict[str, bytes]:
        """Return the adapter's weights, and `model.json`."""
        files: dict[str, bytes] = pupil.files(name, self.entry)
        return files


def size_in(order: Mapping[str, Any]) -> ClipSize:
    """Return the size of clips that a plan's order names, or that of the house model."""
    side, frames = (order.get(name) for name in ("side_px", "frames"))
    if isinstance(side, int) and isinstance(frames, int):
        return ClipSize(side, frames)
    return HOUSE_CLIPS
