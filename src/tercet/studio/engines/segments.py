"""Orders cut into runs of bounded length, for engines that make a few seconds at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tercet.studio.engines.engine import Order


@dataclass(frozen=True, slots=True)
class Segment:
    """One run: its prompt, and how many frames of the video it gives. ``index`` counts from 0."""

    index: int
    prompt: str
    frame_count: int


def segments_of(order: Order, run_s: float) -> tuple[Segment, ...]:
    """Return the runs of an order: no shot runs into the next, no run lasts longer than ``run_s``.

    Their frames add up to the order's. A shot shorter than half a frame gives none.
    """
    ends = [0, *(
        round(end_s * order.frames_per_second)
        for end_s in accumulate(shot.duration_s for shot in order.shots)
    )]  # fmt: skip
    ends[-1] = order.frame_count
    run_frames = max(1, math.floor(run_s * order.frames_per_second))
    parts = [
        (shot.prompt, frame_count)
        for shot, (start, end) in zip(order.shots, pairwise(ends), strict=True)
        for frame_count in _even_parts(end - start, run_frames)
    ]
    return tuple(Segment(at, prompt, count) for at, (prompt, count) in enumerate(parts))


def _even_parts(count: int, count_max: int) -> list[int]:
    """Return ``count`` cut into as few parts as possible, of nearly one length, none empty."""
    parts = -(-count // count_max)
    return [count * (at + 1) // parts - count * at // parts for at in range(parts)]
