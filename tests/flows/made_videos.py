"""Small videos made by drawn engines, signed as real ones are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tercet.core.credit import Credit, split_parts
from tercet.flows.credentials import Attached, attach_credentials
from tercet.studio.engines.engine import (
    Frame,
    Order,
    Origin,
    Picture,
    Progress,
    Report,
    Rights,
    Shot,
)
from tercet.studio.media.encode import Container, encode

PIXELS = {"a" * 64: 3_000, "b" * 64: 1_000}
PROMPT = "a red square goes to the right"


@dataclass(frozen=True)
class Drawn:
    """An engine that draws one square; ``said`` is its provenance."""

    name: str = "house"
    rights: Rights = Rights.CLEARED
    origin: Origin = Origin.GENERATED
    model: str = "drawn-model"
    record: str = "d" * 64
    checkpoint: str = "c" * 64

    def pictures(self, count: int = 12) -> Iterator[Picture]:
        for at in range(count):
            picture = np.full((64, 96, 3), (30, 90, 160), np.uint8)
            picture[20:44, 4 * at : 4 * at + 24] = (220, 40, 30)
            yield picture

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        for at, picture in enumerate(self.pictures(order.frame_count), 1):
            report(Progress(at, order.frame_count))
            yield Frame(picture, PIXELS)

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        if self.rights is Rights.UNKNOWN:
            return ()
        works = sorted(pixels_by_work)
        shares = split_parts([pixels_by_work[work] for work in works])
        return tuple(
            Credit(work, f"Work {work[:2]}", f"Owner {work[:1]}", "CC0-1.0", share, "exact")
            for work, share in zip(works, shares, strict=True)
        )

    def provenance(self) -> Mapping[str, str]:
        return {
            "model": self.model,
            "checkpoint_sha256": self.checkpoint,
            "training_record_sha256": self.record,
            "clearance_sha256": "9" * 64 if self.origin is Origin.COMPOSED else "",
        }


def made_video(
    path: Path,
    engine: Drawn | None = None,
    *,
    prompt: str = PROMPT,
    key_path: Path | None = None,
    frame_count: int = 12,
) -> Attached:
    """Make and sign a small video; .webm in the name makes it a WebM."""
    engine = engine or Drawn()
    encoded = encode(
        engine.pictures(frame_count), path, frames_per_second=12,
        container=Container(path.suffix[1:]),
    )  # fmt: skip
    order = Order((Shot(prompt, frame_count / 12),), 96, 64, 12, seed=5)
    return attach_credentials(
        [encoded], engine=engine, order=order, credited=engine.credits(PIXELS), prompt=prompt,
        key_path=key_path,
    )  # fmt: skip


def copied(source: Path, target: Path, container: str) -> Path:
    """Copy the coded pictures into another file: what `ffmpeg -c copy` does."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", format=container) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target
