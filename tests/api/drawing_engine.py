"""A small engine for the tests of the service: it really draws, at the pace it is told to.

What the first shot says steers it: ``slow`` takes a fifth of a second a step, ``stubborn`` does not
listen to those who stop it, ``fatal`` kills its own process, ``wrong`` raises an error.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tercet.core.credit import Credit
from tercet.core.errors import InputError, UncheckedError
from tercet.flows.serve_worker import Opening
from tercet.studio.engines.engine import Engine, Frame, Order, Origin, Progress, Report, Rights

STEPS = 20


class DrawingEngine:
    """Draws a square that moves; its colour comes from the seed and the first picture."""

    name = "drawing"
    rights = Rights.UNKNOWN
    origin = Origin.GENERATED

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        prompt = order.shots[0].prompt
        preview = np.full((24, 24, 3), order.seed % 256, np.uint8)
        if "fatal" in prompt:
            os.kill(os.getpid(), signal.SIGKILL)
        if "wrong" in prompt:
            raise UncheckedError("expected another prompt, got a wrong one", hint="ask for a right")
        for step in range(STEPS):
            if "slow" in prompt:
                time.sleep(0.2)
            if "stubborn" in prompt:
                time.sleep(60)
            report(Progress(step + 1, STEPS, preview))
        for number in range(order.frame_count):
            yield Frame(self._picture(order, number))

    def _picture(self, order: Order, number: int) -> np.ndarray:
        ground = np.full((order.height_px, order.width_px, 3), order.seed % 200, np.uint8)
        if order.first_picture is not None and number == 0:
            ground[:] = order.first_picture
        if order.earlier:
            ground[:] = order.earlier[-1]
        left = (8 * number) % (order.width_px - 32)
        ground[40:72, left : left + 32] = (250, 120, 10)
        return ground

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        return ()

    def provenance(self) -> Mapping[str, str]:
        return {"model": "drawing"}


def open_drawing(kind: str, model: str, **_: str) -> Engine:
    """Open it; the model ``absent`` is not there."""
    if model == "absent":
        raise InputError("there is no model 'absent'", hint="give another --model")
    return DrawingEngine()


def opening(key_path: Path, model: str = "") -> Opening:
    """Return how the service opens it: as an engine that may not claim cleared works."""
    return Opening("remote", model, key_path=key_path, open_with=open_drawing)
