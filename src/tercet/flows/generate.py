"""generate: a prompt becomes a video file with its credits, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tercet.core.credit import Credit
from tercet.core.errors import UncheckedError
from tercet.credit.content_credentials import TrainingMining
from tercet.flows.delivery import Delivered, deliver
from tercet.flows.generate_place import making_place
from tercet.flows.generate_request import Request, checked_order
from tercet.studio.engines.engine import (
    Engine,
    Frame,
    Order,
    Origin,
    Progress,
    Report,
    Rights,
    Shot,
)
from tercet.studio.engines.engines import checked_rights, engine_entry, open_engine


@dataclass(frozen=True, slots=True)
class Made:
    """A video that was made, and everything that has to be said of it.

    ``files`` are where they lie now; ``taken_s`` is the wall time of the making.
    """

    files: Delivered
    engine: str
    rights: Rights
    origin: Origin
    shots: tuple[Shot, ...]
    seed: int
    credits: tuple[Credit, ...]
    byte_count: int
    taken_s: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        encoded = self.files.encoded
        return {
            "video": str(self.files.video),
            "credits": str(self.files.credits),
            "thumbnail": str(self.files.thumbnail),
            "sprite_sheet": str(self.files.sprite_sheet),
            "manifest": str(self.files.manifest) if self.files.manifest else None,
            "engine": self.engine,
            "rights": self.rights.value,
            "origin": self.origin.value,
            "shots": [{"prompt": shot.prompt, "seconds": shot.duration_s} for shot in self.shots],
            "seed": self.seed,
            "width_px": encoded.width_px,
            "height_px": encoded.height_px,
            "frames_per_second": encoded.frames_per_second,
            "frame_count": encoded.frame_count,
            "seconds": encoded.duration_s,
            "byte_count": self.byte_count,
            "coded_sha256": self.files.coded_sha256,
            "credits_sha256": self.files.credits_sha256,
            "works": len(self.credits),
            "taken_s": round(self.taken_s, 3),
        }


def generate(
    request: Request,
    out: Path,
    report: Report,
    *,
    engine: Engine | None = None,
    training_mining: TrainingMining | None = None,
    key_path: Path | None = None,
    now: datetime | None = None,
) -> Made:
    """Make the video ``out`` with its credentials, credits, thumbnail and sprite sheet.

    ``engine`` is one that was opened before, else the request's own is opened. ``report`` is called
    at each step and at each frame, and may raise `StoppedError`. The names appear when everything
    is whole; what a killed run left is removed by the next. The same request gives the same frames.

    Raises InputError for a request that cannot be made, StorageError where nothing can be written.
    """
    started_s = time.monotonic()
    order = checked_order(request)
    with making_place(out, webm=request.webm) as place:
        watched = WatchedEngine(_engine(request, engine), report)
        files = deliver(
            watched,
            order,
            place.video,
            prompt=request.prompt or "\n".join(shot.prompt for shot in order.shots),
            report=watched.reported,
            webm=request.webm,
            training_mining=training_mining,
            key_path=key_path,
            now=now,
        )
        place.publish()
    return Made(
        files=place.published(files),
        engine=watched.name,
        rights=watched.rights,
        origin=watched.origin,
        shots=order.shots,
        seed=order.seed,
        credits=watched.credited,
        byte_count=out.stat().st_size,
        taken_s=time.monotonic() - started_s,
    )


def _engine(request: Request, opened: Engine | None) -> Engine:
    if opened is None:
        return open_engine(request.engine, request.model, lora=request.lora, device=request.device)
    return checked_rights(opened, may_be_cleared=engine_entry(request.engine).may_be_cleared)


@dataclass(slots=True, eq=False)
class WatchedEngine:
    """An engine held to its promise: as many frames as ordered, each of the ordered size."""

    engine: Engine
    report: Report
    credited: tuple[Credit, ...] = ()
    _last: Progress = field(default_factory=lambda: Progress(0, 0))

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.engine.name

    @property
    def rights(self) -> Rights:
        """What is known of the works behind it."""
        return self.engine.rights

    @property
    def origin(self) -> Origin:
        """How its pictures come to be."""
        return self.engine.origin

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the engine's frames. Raises UncheckedError where it breaks its promise."""
        wanted, count = (order.height_px, order.width_px, 3), 0
        for frame in self.engine.frames(order, report):
            count += 1
            if frame.picture.shape != wanted:
                raise self._broken(f"a picture of {frame.picture.shape} instead of {wanted}")
            if count > order.frame_count:
                raise self._broken(f"more than {order.frame_count} frames")
            self.report(self._last)  # so that the work can be stopped here as well
            yield frame
        if count != order.frame_count:
            raise self._broken(f"{count} frames instead of {order.frame_count}")

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return the engine's credits, and keep them."""
        self.credited = self.engine.credits(pixels_by_work)
        return self.credited

    def provenance(self) -> Mapping[str, str]:
        """Return the engine's own."""
        return self.engine.provenance()

    def reported(self, progress: Progress) -> None:
        """Pass on how far the engine is, and remember it, without the preview."""
        self._last = Progress(progress.done, progress.total)
        self.report(progress)

    def _broken(self, what: str) -> UncheckedError:
        return UncheckedError(
            f"the engine {self.name} gave {what}", hint="please report it: it is a defect"
        )
