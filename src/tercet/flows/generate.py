"""generate: a prompt becomes a video file with its credits, whole or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tercet.core.credit import Credit
from tercet.core.errors import UncheckedError
from tercet.flows.generate_place import making_place
from tercet.flows.generate_request import Request, checked_order
from tercet.studio.engines.engine import (
    Engine,
    Frame,
    Order,
    Origin,
    Picture,
    Progress,
    Report,
    Rights,
    Shot,
)
from tercet.studio.engines.engines import open_engine
from tercet.studio.media.encode import encode


@dataclass(frozen=True, slots=True)
class Made:
    """A video that was made, and everything that has to be said of it.

    ``taken_s`` is the wall time of the making.
    """

    video: Path
    engine: str
    rights: Rights
    origin: Origin
    shots: tuple[Shot, ...]
    width_px: int
    height_px: int
    frames_per_second: int
    frame_count: int
    duration_s: float
    seed: int
    byte_count: int
    taken_s: float
    credits: tuple[Credit, ...]


def generate(request: Request, out: Path, report: Report, *, engine: Engine | None = None) -> Made:
    """Make the video ``out`` (.mp4), ``out``'s credits and thumbnail, and tell of them.

    ``engine`` is one that was opened before, else the request's own is opened. ``report`` is called
    at each step and at each frame, and may raise `StoppedError`. Names appear when everything is
    whole; what a killed run left is removed by the next. The same request gives the same frames.

    Raises InputError for a request that cannot be made, StorageError where nothing can be written.
    """
    started_s = time.monotonic()
    order = checked_order(request)
    with making_place(out) as place:
        engine = engine or open_engine(request.engine, request.model)
        shown = Shown(order, engine, report)
        encoded = encode(shown.pictures(), place.video, frames_per_second=order.frames_per_second)
        credited = engine.credits(shown.pixels_by_work)
        place.publish()
    return Made(
        video=out,
        engine=engine.name,
        rights=engine.rights,
        origin=engine.origin,
        shots=order.shots,
        width_px=encoded.width_px,
        height_px=encoded.height_px,
        frames_per_second=order.frames_per_second,
        frame_count=encoded.frame_count,
        duration_s=encoded.duration_s,
        seed=order.seed,
        byte_count=encoded.byte_count,
        taken_s=time.monotonic() - started_s,
        credits=credited,
    )


@dataclass(slots=True, eq=False)
class Shown:
    """The frames of an order as they come, checked and counted."""

    order: Order
    engine: Engine
    report: Report
    pixels_by_work: Counter[str] = field(default_factory=Counter)
    _last: Progress = field(default_factory=lambda: Progress(0, 0))

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures. Raises UncheckedError where an engine breaks its promise."""
        count = 0
        for frame in self.engine.frames(self.order, self._reported):
            count += 1
            self._check(frame, count)
            self.pixels_by_work.update(frame.pixels_by_work)
            self.report(self._last)
            yield frame.picture
        if count != self.order.frame_count:
            raise self._broken(f"{count} frames instead of {self.order.frame_count}")

    def _reported(self, progress: Progress) -> None:
        self._last = Progress(progress.done, progress.total)  # a preview is shown once
        self.report(progress)

    def _check(self, frame: Frame, count: int) -> None:
        wanted = (self.order.height_px, self.order.width_px, 3)
        if frame.picture.shape != wanted:
            raise self._broken(f"a picture of {frame.picture.shape} instead of {wanted}")
        if count > self.order.frame_count:
            raise self._broken(f"more than {self.order.frame_count} frames")

    def _broken(self, what: str) -> UncheckedError:
        return UncheckedError(
            f"the engine {self.engine.name} gave {what}", hint="please report it: it is a defect"
        )
