"""Memorisation: is a made clip nearer to a training clip than a real, unseen one would be?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]  # (clips, numbers)
CLOSE_PERCENTILE = 1.0


def pixel_rows(clips: NDArray[np.uint8]) -> Rows:
    """Return clips (n, frames, height, width, 3) as rows: every second frame, a quarter the pixels.

    The distance of two rows divided by the root of their length is the root mean square
    difference in levels of 255.
    """
    half = clips[:, ::2].astype(np.float32)
    small = (half[:, :, ::2, ::2] + half[:, :, 1::2, ::2]) / 2
    small = (small + (half[:, :, ::2, 1::2] + half[:, :, 1::2, 1::2]) / 2) / 2
    length = np.sqrt(small[0].size if len(clips) else 1)
    return np.asarray(small.reshape(len(clips), -1) / length, np.float32)


def nearest(rows: Rows, others: Iterable[Rows]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return for each row the distance to the nearest of all others, and the number of that one.

    The others come in batches, so that memory does not grow with them. No others: infinity, -1.
    """
    best = np.full(len(rows), np.inf, np.float32)
    which = np.full(len(rows), -1, np.int64)
    squares = (rows**2).sum(1)
    begin = 0
    for batch in others:
        gaps = squares[:, None] + (batch**2).sum(1) - 2.0 * (rows @ batch.T)
        at = gaps.argmin(1)
        found = np.sqrt(np.clip(gaps[np.arange(len(rows)), at], 0.0, None))
        which = np.where(found < best, at + begin, which)
        best = np.minimum(best, found)
        begin += len(batch)
    return best, which


@dataclass(frozen=True, slots=True)
class Memorisation:
    """How near made clips are to training clips, beside how near unseen real clips are.

    Distances are medians; ``close_distance`` is the 1st percentile of the real ones, and the
    shares are of clips nearer than that. By construction about 1 % of real clips are.
    """

    made_distance: float
    real_distance: float
    close_distance: float
    made_share: float
    real_share: float
    made_count: int
    real_count: int


def memorisation(made: NDArray[np.float32], real: NDArray[np.float32]) -> Memorisation:
    """Compare the nearest distances of made clips with those of real clips never trained on."""
    close = float(np.percentile(real, CLOSE_PERCENTILE))
    return Memorisation(
        made_distance=float(np.median(made)),
        real_distance=float(np.median(real)),
        close_distance=close,
        made_share=float((made < close).mean()),
        real_share=float((real < close).mean()),
        made_count=len(made),
        real_count=len(real),
    )
