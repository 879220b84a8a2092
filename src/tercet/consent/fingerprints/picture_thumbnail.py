"""Does a work's picture, laid where a transform says, look like what the item shows there?

Marks can agree where two pictures share a third thing: a logo, a caption, a frame. So a small grey
version of every picture is kept, and after the marks have told the transform, all of the work's
area is compared. It tells a work pasted into a picture from a logo that both of them carry, and it
lets few marks do in pictures that have few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from tercet.consent.fingerprints.fingerprint import CODE_BYTES, Array, Track

THUMBNAIL_PX = 64
"""Each side of a thumbnail, whatever the picture's shape: 4 KB."""
BLOCKS = 8  # per side, that are compared each for itself
BLOCK_DEVIATION_MIN = 4.0  # levels of brightness; plainer blocks look like any other
CORRELATION_MIN = 0.6  # within a block
BLOCK_VISIBLE_MIN = 0.6  # share of a block's pixels that lie inside the item


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much of a work's picture an item shows.

    ``compared`` counts the blocks of the work, of 64, that have texture and lie in the item;
    ``alike`` those of them that look the same; ``visible`` is the share of the work's area that
    lies in the item, ``correlation`` that of all its pixels there.
    """

    compared: int
    alike: int
    visible: float
    correlation: float

    @property
    def share(self) -> float:
        """Return the share of the compared blocks that look the same."""
        return self.alike / self.compared if self.compared else 0.0


def thumbnail(grey: Array) -> Array:
    """Return a picture as uint8 (64, 64)."""
    import cv2

    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    return cast("Array", cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def thumbnail_track(grey: Array) -> Track:
    """Return a thumbnail as a track that is stored and not indexed: rows of 32 pixels."""
    rows = thumbnail(grey).reshape(-1, CODE_BYTES)
    return Track(rows, np.arange(len(rows), dtype=np.float32)[:, None])


def thumbnail_of(track: Track) -> Array:
    """Return the thumbnail from its track, uint8 (64, 64)."""
    return np.asarray(track.keys).reshape(THUMBNAIL_PX, THUMBNAIL_PX)


def agreement(
    work: Array,
    work_size: tuple[float, float],
    item: Array,
    item_size: tuple[float, float],
    matrix: Array,
) -> Agreement:
    """Compare two thumbnails under a transform from the work's pixels to the item's."""
    import cv2

    to_work = np.diag([work_size[0] / THUMBNAIL_PX, work_size[1] / THUMBNAIL_PX, 1.0])
    to_item = np.diag([item_size[0] / THUMBNAIL_PX, item_size[1] / THUMBNAIL_PX, 1.0])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    there = np.linalg.inv(half) @ np.linalg.inv(to_item) @ matrix @ to_work @ half
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(item, there, size, flags=flags).astype(np.float32)
    inside = cv2.warpPerspective(np.full_like(item, 255), there, size, flags=flags) > 250
    blur = _blur(there)
    mine = work.astype(np.float32)
    if blur > 0.3:
        mine = cv2.GaussianBlur(mine, (0, 0), blur)
    return _compared(mine, seen, inside)


def _blur(there: Array) -> float:
    """Return by how much the work's thumbnail is finer than what the item's shows of it."""
    scale = np.sqrt(max(abs(np.linalg.det(there[:2, :2])), 1e-6))
    return float(0.5 * np.sqrt(max(1 / scale**2 - 1, 0.0)))


def _compared(work: Array, item: Array, inside: Array) -> Agreement:
    side = THUMBNAIL_PX // BLOCKS
    compared = alike = 0
    for top in range(0, THUMBNAIL_PX, side):
        for left in range(0, THUMBNAIL_PX, side):
            block = (slice(top, top + side), slice(left, left + side))
            mask = inside[block]
            if mask.mean() < BLOCK_VISIBLE_MIN or work[block][mask].std() < BLOCK_DEVIATION_MIN:
                continue
            compared += 1
            alike += _correlation(work[block][mask], item[block][mask]) >= CORRELATION_MIN
    visible = float(inside.mean())
    whole = _correlation(work[inside], item[inside]) if inside.any() else 0.0
    return Agreement(compared, int(alike), visible, whole)


def _correlation(one: Array, two: Array) -> float:
    one, two = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / norm if norm > 1e-6 else 0.0
