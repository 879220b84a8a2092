"""What an engine is: an order goes in, frames come out one by one, and credits at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tercet.core.credit import Credit

if TYPE_CHECKING:
    from tercet.studio.scenes.parsing import Understood

Picture = NDArray[np.uint8]  # (height, width, 3), RGB


class Rights(StrEnum):
    """What is known of the works an engine has learned from or is built from. Stable strings."""

    CLEARED = "cleared works only"
    UNKNOWN = "base model: rights unknown"


class Origin(StrEnum):
    """How pictures come to be: decides the digital source type of the Content Credentials."""

    GENERATED = "generated"  # trainedAlgorithmicMedia
    COMPOSED = "composed"  # compositeSynthetic


@dataclass(frozen=True, slots=True)
class Shot:
    """One scene of a storyboard: what is to be seen, and for how long."""

    prompt: str
    duration_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What is asked of an engine. ``steps`` and ``guidance`` of 0 mean the engine's own defaults.

    ``first_picture`` (height, width, 3) begins the video where the engine can; ``earlier`` are the
    last frames of a video that this one continues.
    """

    shots: tuple[Shot, ...]
    width_px: int = 512
    height_px: int = 512
    frames_per_second: int = 16
    seed: int = 0
    steps: int = 0
    guidance: float = 0.0
    negative_prompt: str = ""
    first_picture: Picture | None = None
    earlier: tuple[Picture, ...] = ()

    @property
    def duration_s(self) -> float:
        """The length of the whole video."""
        return sum(shot.duration_s for shot in self.shots)

    @property
    def frame_count(self) -> int:
        """Frames of the whole video."""
        return round(self.duration_s * self.frames_per_second)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of the video; ``pixels_by_work`` counts whose pixels it shows, where known."""

    picture: Picture
    pixels_by_work: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """How far an engine is: ``done`` of ``total`` steps; ``preview`` is a small picture, if any."""

    done: int
    total: int
    preview: Picture | None = None


Report = Callable[[Progress], None]  # called after every step; may raise to stop the work


class Engine(Protocol):
    """Makes videos."""

    @property
    def name(self) -> str:
        """What stands on every video it makes."""
        ...

    @property
    def rights(self) -> Rights:
        """What is known of the works behind it; nobody can set it from outside."""
        ...

    @property
    def origin(self) -> Origin:
        """How its pictures come to be."""
        ...

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield ``order.frame_count`` frames of the ordered size; memory is flat in length.

        ``report`` is called at each step and may raise `StoppedError`, which passes through.
        """
        ...

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return who stands behind a video that showed these pixels of these works."""
        ...

    def provenance(self) -> Mapping[str, str]:
        """Return what credentials name: model, checkpoint digest, training record digest."""
        ...


@runtime_checkable
class KnowsWords(Protocol):
    """An engine that knows a certain list of words, and can tell what it makes of a prompt."""

    def understood(self, prompt: str) -> Understood:
        """Return the scene that is understood, unknown words with near ones, what is left out."""
        ...


@runtime_checkable
class KeepsRecord(Protocol):
    """An engine whose rights stand on a training record."""

    @property
    def record_folder(self) -> Path | None:
        """The folder of the record and of all that it names: what shows the rights can be read."""
        ...
