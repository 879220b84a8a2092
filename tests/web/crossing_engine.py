"""An engine small enough for tests of the pages: a square crosses the picture. It knows a trick."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import numpy as np

from tercet.core.credit import WHOLE_PARTS, Credit
from tercet.core.errors import UncheckedError
from tercet.studio.engines.engine import Engine, Frame, Order, Origin, Progress, Report, Rights
from tercet.studio.scenes.parsing import Understood, Unknown
from tercet.studio.scenes.scene import Scene


class CrossingEngine:
    """Draws. A prompt with `slowly` takes its time, one with `broken` breaks."""

    name = "crossing"
    rights = Rights.CLEARED
    origin = Origin.COMPOSED

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the frames."""
        prompt = order.shots[0].prompt
        total = 40 if "slowly" in prompt else 4
        for step in range(total):
            preview = np.full((16, 16, 3), 40 + step * 5, np.uint8)
            report(Progress(step + 1, total, preview))
            if "slowly" in prompt:
                time.sleep(0.1)
            if "broken" in prompt:
                raise UncheckedError("the projector <jammed>", hint="ask for another film")
        for at in range(order.frame_count):
            picture = np.full((order.height_px, order.width_px, 3), (20, 40, 60), np.uint8)
            left = at * (order.width_px - 32) // max(1, order.frame_count)
            picture[order.height_px // 2 - 16 : order.height_px // 2 + 16, left : left + 32] = 220
            yield Frame(picture)

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return three works by two owners, one of whom has a hostile name."""
        shares = (WHOLE_PARTS // 2, WHOLE_PARTS // 4, WHOLE_PARTS // 4)
        owners = ("Ada", "<b>Mallory</b> \u202e", "Ada")
        return tuple(
            Credit(f"{at:064x}", f"Drawing & {at}", owner, "public domain", share, "equal")
            for at, (owner, share) in enumerate(zip(owners, shares, strict=True))
        )

    def understood(self, prompt: str) -> Understood:
        """Return what it does not know: airships by another name."""
        zeppelin = Unknown("zeppelin", ("airship", "balloon"))
        return Understood(Scene(()), (zeppelin,) if "zeppelin" in prompt else (), ())

    def provenance(self) -> Mapping[str, str]:
        """Return what stands in the credentials."""
        return {
            "model": "crossing-xs",
            "clearance_sha256": "cd" * 32,
        }


def open_crossing(kind: str, model: str, *, device: str = "") -> Engine:
    """Open it: the service calls this in the process of its worker."""
    assert (kind, model, device) == ("house", "", "")
    return CrossingEngine()
