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

THUMBNAIL_PX = 96
"""Each side of a thumbnail, whatever the picture's shape: 9 KB."""
BLOCKS = 8  # per side, that are compared each for itself
SLOPE_MIN = 1.6
"""Root mean square of a block's slopes, in levels a pixel; plainer ones say nothing."""
CORRELATION_MIN = 0.5  # of the slopes within a block
BLOCK_VISIBLE_MIN = 0.4  # share of a block's pixels that lie inside the item
STRANGE_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much of a work's picture an item shows.

    ``compared`` counts the blocks of the work, of 64, that have texture and lie in the item;
    ``alike`` those of them that look the same; ``strange`` counts blocks that have texture in the
    item alone; ``visible`` is the share of the work's area that
    lies in the item, ``correlation`` that of all slopes there.
    """

    compared: int
    alike: int
    strange: int
    visible: float
    correlation: float

    @property
    def share(self) -> float:
        """Return the share of the compared blocks that look the same.

        What covers a plain part of the work counts less than what covers a part of its own.
        """
        whole = self.compared + STRANGE_WEIGHT * self.strange
        return self.alike / whole if whole else 0.0


def thumbnail(grey: Array) -> Array:
    """Return a picture as uint8 (96, 96)."""
    import cv2

    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    return cast("Array", cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def thumbnail_track(grey: Array) -> Track:
    """Return a thumbnail as a track that is stored and not indexed: rows of 32 pixels."""
    rows = thumbnail(grey).reshape(-1, CODE_BYTES)
    return Track(rows, np.arange(len(rows), dtype=np.float32)[:, None])


def thumbnail_of(track: Track) -> Array:
    """Return the thumbnail from its track, uint8 (96, 96)."""
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
    seen: Array = cv2.warpPerspective(item, there, size, flags=flags).astype(np.float32)
    inside = cv2.warpPerspective(np.full_like(item, 255), there, size, flags=flags) > 250
    blur = _blur(there)
    mine: Array = work.astype(np.float32)
    if blur > 0.3:
        mine = cv2.GaussianBlur(mine, (0, 0), blur)
    return _compared(mine, seen, inside, _margin(there))


def _margin(there: Array) -> int:
    """Return how many pixels of the work's edges what surrounds it in the item may blur into."""
    return int(np.clip(np.ceil(1 + 1.2 / _scale(there)), 2, THUMBNAIL_PX // 8))


def _scale(there: Array) -> float:
    return float(np.sqrt(max(abs(np.linalg.det(there[:2, :2])), 1e-6)))


def _blur(there: Array) -> float:
    """Return by how much the work's thumbnail is finer than what the item's shows of it."""
    return float(0.5 * np.sqrt(max(1 / _scale(there) ** 2 - 1, 0.0)))


def _compared(work: Array, item: Array, inside: Array, margin: int) -> Agreement:
    """Compare slopes, not brightness: two unrelated patches of shading often correlate."""
    import cv2

    mine = np.stack([_slopes(work, 1, 0), _slopes(work, 0, 1)])
    theirs = np.stack([_slopes(item, 1, 0), _slopes(item, 0, 1)])
    known = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    known[:margin] = known[-margin:] = known[:, :margin] = known[:, -margin:] = 0
    mine, theirs = mine * known, theirs * known
    count = _sums(known[None])
    product, own, other = _sums(mine * theirs), _sums(mine * mine), _sums(theirs * theirs)
    area = (THUMBNAIL_PX // BLOCKS) ** 2
    seen = count >= BLOCK_VISIBLE_MIN * area
    least = SLOPE_MIN**2 * np.maximum(count, 1)
    rough, strange = own >= least, (own < least) & (other >= least)
    alike = product >= CORRELATION_MIN * np.sqrt(own * other)
    norm = float(np.sqrt(own.sum() * other.sum()))
    whole = float(product.sum()) / norm if norm > 1e-6 else 0.0
    compared = seen & rough
    return Agreement(
        compared=int(compared.sum()),
        alike=int((compared & alike).sum()),
        strange=int((seen & strange).sum()),
        visible=float(inside.mean()),
        correlation=whole,
    )


def _slopes(picture: Array, across: int, down: int) -> Array:
    """Return Sobel slopes in levels a pixel."""
    import cv2

    return cast("Array", cv2.Sobel(picture, cv2.CV_32F, across, down, scale=1 / 8))


def _sums(fields: Array) -> Array:
    """Return the sums over each block: (8, 8)."""
    side = THUMBNAIL_PX // BLOCKS
    blocks = fields.reshape(len(fields), BLOCKS, side, BLOCKS, side)
    return cast("Array", blocks.sum(axis=(0, 2, 4)))


SHIFT_MIN_PX = 5  # of the thumbnail: nearer, every picture is like itself
SHIFTED_ENERGY_SHARE_MIN = 0.25  # of the slopes that a shift must leave on both sides


def repetition(picture: Array) -> float:
    """Return how much a thumbnail is like itself, shifted: the largest correlation of its slopes.

    1 for a pattern that repeats (a chequerboard, a grid), at most half for most pictures. Where a
    picture repeats, any part of the pattern, of any work, agrees with any other.
    """
    slopes = np.stack([_slopes(picture.astype(np.float32), *axis) for axis in ((1, 0), (0, 1))])
    size = (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX)
    spectrum = np.fft.rfft2(slopes, s=size)
    product = np.fft.irfft2((np.abs(spectrum) ** 2).sum(axis=0), s=size)
    energy = (slopes**2).sum(axis=0)
    inside = np.conj(np.fft.rfft2(np.ones_like(energy), s=size))
    one = np.fft.irfft2(np.fft.rfft2(energy, s=size) * inside, s=size)
    other = np.roll(one[::-1, ::-1], 1, axis=(0, 1))
    shift = np.minimum(np.arange(size[0]), size[0] - np.arange(size[0]))
    far, near = np.maximum(shift[:, None], shift), THUMBNAIL_PX // 2
    least = max(SHIFTED_ENERGY_SHARE_MIN * float(energy.sum()), 1e-3)
    known = (far >= SHIFT_MIN_PX) & (far <= near) & (one > least) & (other > least)
    alike = product[known] / np.sqrt(one[known] * other[known])
    return float(alike.max(initial=0.0))
