"""An engine for tests: it draws a disc on its way over a gradient, by the seed and the shot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tercet.core.credit import WHOLE_PARTS, Credit
from tercet.studio.engines.engine import Frame, Order, Origin, Progress, Report, Rights
from tercet.studio.scenes.parsing import Understood, parse
from tercet.studio.scenes.sprite import Kind

WORK = "ab" * 32


class DrawnEngine:
    """Draws real pictures, quickly."""

    name = "drawn"
    rights = Rights.CLEARED
    origin = Origin.COMPOSED

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        colours = np.random.default_rng(order.seed).integers(0, 256, (len(order.shots), 3))
        rows, columns = np.mgrid[: order.height_px, : order.width_px]
        ends_s = np.cumsum([shot.duration_s for shot in order.shots])
        for at in range(order.frame_count):
            shot = int(np.searchsorted(ends_s, at / order.frames_per_second, side="right"))
            colour = colours[min(shot, len(order.shots) - 1)]
            x = order.width_px * (at + 1) / (order.frame_count + 1)
            disc = (rows - order.height_px / 2) ** 2 + (columns - x) ** 2 < 20**2
            ground = (rows * 255 // order.height_px)[..., None].repeat(3, axis=2)
            picture = np.where(disc[..., None], colour, ground).astype(np.uint8)
            report(Progress(at + 1, order.frame_count, picture[::8, ::8]))
            yield Frame(picture, {WORK: int(disc.sum())})

    def understood(self, prompt: str) -> Understood:
        return parse(prompt, {"car": Kind.VEHICLE, "boat": Kind.VESSEL})

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        assert set(pixels_by_work) == {WORK}
        return (Credit(WORK, "Disc", "A. Painter", "CC0-1.0", WHOLE_PARTS, "exact"),)

    def provenance(self) -> Mapping[str, str]:
        return {"model": "drawn", "clearance_sha256": "cd" * 32}


def open_engine(source: str) -> DrawnEngine:
    return DrawnEngine()
