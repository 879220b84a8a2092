"""generate: a prompt becomes a video file with its credits, whole or not at all."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tercet.core.credit import Credit
from tercet.core.errors import UncheckedError
from tercet.credit.content_credentials import TrainingMining
from tercet.flows.credentials import attach_credentials, training_mining_setting
from tercet.flows.generate_licences import require_licences
from tercet.flows.generate_place import MakingPlace, making_place
from tercet.flows.generate_proof import proven
from tercet.flows.generate_request import Request, checked_order
from tercet.studio.engines.engine import (
    Engine,
    Frame,
    KnowsWords,
    Order,
    Origin,
    Picture,
    Progress,
    Report,
    Rights,
    Shot,
)
from tercet.studio.engines.engines import checked_rights, engine_entry, open_engine
from tercet.studio.media.decode import pictures_of
from tercet.studio.media.encode import Container, Encoded, encode
from tercet.studio.media.sprite_sheet import SpriteSheet
from tercet.studio.media.still import StillFormat
from tercet.studio.media.thumbnail import TellingPicture
from tercet.studio.scenes.parsing import Understood, Unknown


@dataclass(frozen=True, slots=True)
class Made:
    """A video that was made, and everything that has to be said of it.

    ``files`` are all that were written, the video last; ``unknown`` are words that mean nothing to
    the engine, ``left_out`` things for which a scene had no place: the rest was made. ``taken_s``
    is the wall time of the making.
    """

    video: Path
    files: tuple[Path, ...]
    engine: str
    rights: Rights
    origin: Origin
    shots: tuple[Shot, ...]
    seed: int
    width_px: int
    height_px: int
    frames_per_second: int
    frame_count: int
    duration_s: float
    byte_count: int
    credits: tuple[Credit, ...]
    unknown: tuple[Unknown, ...]
    left_out: tuple[str, ...]
    coded_sha256: Mapping[str, str]
    credits_sha256: str
    taken_s: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, the rights mark among them; credits are counted."""
        return {
            "video": str(self.video),
            "files": [str(file) for file in self.files],
            "engine": self.engine,
            "rights": self.rights.value,
            "origin": self.origin.value,
            "shots": [{"prompt": shot.prompt, "seconds": shot.duration_s} for shot in self.shots],
            "seed": self.seed,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "frames_per_second": self.frames_per_second,
            "frame_count": self.frame_count,
            "seconds": self.duration_s,
            "byte_count": self.byte_count,
            "works": len(self.credits),
            "owners": len({credit.owner for credit in self.credits}),
            "unknown": [{"word": each.word, "near": list(each.near)} for each in self.unknown],
            "left_out": list(self.left_out),
            "coded_sha256": dict(self.coded_sha256),
            "credits_sha256": self.credits_sha256,
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
    """Make the video ``out`` (.mp4) with its credentials, credits, thumbnail and sprite sheet.

    ``engine`` is one that was opened before, else the request's own is opened. ``report`` is called
    at each step and at each frame, and may raise `StoppedError`. The names appear when everything
    is whole; what a killed run left is removed by the next. The same request gives the same frames.

    Raises InputError for a request or a setting that cannot be, StorageError where nothing can be
    written, IntegrityError for a model whose rights are not shown by its training record,
    RefusedError where a licence that it learned under forbids the prompt or has ended.
    """
    started_s = time.monotonic()
    order = checked_order(request)
    mining = training_mining or training_mining_setting(os.environ)  # before minutes of work
    with making_place(out) as place:
        watched = WatchedEngine(_engine(request, engine), report)
        prompts = [request.prompt, *(shot.prompt for shot in order.shots)]
        require_licences(watched.engine, prompts, lora=request.lora, now=now)
        videos = _encode(watched, order, place, webm=request.webm)
        credited = watched.credits(watched.pixels_by_work)
        attached = attach_credentials(
            videos,
            engine=watched,
            order=order,
            credited=credited,
            prompt=request.prompt or "\n".join(shot.prompt for shot in order.shots),
            training_mining=mining,
            key_path=key_path,
            now=now,
        )
        files = place.publish()
    read = understood(watched.engine, order)
    return Made(
        video=out,
        files=files,
        engine=watched.name,
        rights=watched.rights,
        origin=watched.origin,
        shots=order.shots,
        seed=order.seed,
        width_px=order.width_px,
        height_px=order.height_px,
        frames_per_second=order.frames_per_second,
        frame_count=videos[0].frame_count,
        duration_s=videos[0].duration_s,
        byte_count=out.stat().st_size,
        credits=credited,
        unknown=tuple({each.word: each for scene in read for each in scene.unknown}.values()),
        left_out=tuple(dict.fromkeys(noun for scene in read for noun in scene.left_out)),
        coded_sha256=attached.making.coded_sha256,
        credits_sha256=attached.credits_sha256,
        taken_s=time.monotonic() - started_s,
    )


def _encode(
    watched: WatchedEngine, order: Order, place: MakingPlace, *, webm: bool
) -> list[Encoded]:
    """Write the video, its stills, and the WebM of it; memory is flat in length."""
    telling, sprites = TellingPicture(), SpriteSheet(order.frame_count)

    def pictures() -> Iterator[Picture]:
        for frame in watched.frames(order, watched.reported):
            telling.see(frame.picture)
            sprites.see(frame.picture)
            yield frame.picture

    rate = order.frames_per_second
    videos = [encode(pictures(), place.file(".mp4"), frames_per_second=rate)]
    place.write(".thumbnail.jpg", telling.file_bytes(StillFormat.JPEG))
    place.write(".spritesheet.jpg", sprites.file_bytes(StillFormat.JPEG))
    if webm:
        again = watched.stoppable(pictures_of(videos[0].path))
        videos.append(
            encode(again, place.file(".webm"), frames_per_second=rate, container=Container.WEBM)
        )
    return videos


def _engine(request: Request, opened: Engine | None) -> Engine:
    if opened is None:
        return proven(
            open_engine(request.engine, request.model, lora=request.lora, device=request.device)
        )
    may_be_cleared = engine_entry(request.engine).may_be_cleared
    return proven(checked_rights(opened, may_be_cleared=may_be_cleared))


def understood(engine: Engine, order: Order) -> tuple[Understood, ...]:
    """Return what an engine makes of each shot; nothing where it has no list of words."""
    if not isinstance(engine, KnowsWords):
        return ()
    return tuple(engine.understood(shot.prompt) for shot in order.shots)


@dataclass(slots=True, eq=False)
class WatchedEngine:
    """An engine held to its promise: as many frames as ordered, each of the ordered size."""

    engine: Engine
    report: Report
    pixels_by_work: Counter[str] = field(default_factory=Counter)
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
            self.pixels_by_work.update(frame.pixels_by_work)
            self.report(self._last)  # so that the work can be stopped here as well
            yield frame
        if count != order.frame_count:
            raise self._broken(f"{count} frames instead of {order.frame_count}")

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return the engine's own."""
        return self.engine.credits(pixels_by_work)

    def provenance(self) -> Mapping[str, str]:
        """Return the engine's own."""
        return self.engine.provenance()

    def reported(self, progress: Progress) -> None:
        """Pass on how far the engine is, and remember it, without the preview."""
        self._last = Progress(progress.done, progress.total)
        self.report(progress)

    def stoppable(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Yield ``pictures``; the work can be stopped at each."""
        for picture in pictures:
            self.report(self._last)
            yield picture

    def _broken(self, what: str) -> UncheckedError:
        return UncheckedError(
            f"the engine {self.name} gave {what}", hint="please report it: it is a defect"
        )
