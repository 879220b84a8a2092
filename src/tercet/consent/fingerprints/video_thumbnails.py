"""Thumbnails of two videos laid over each other: do they show the same, and does it move alike?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Track
from tercet.consent.fingerprints.video_tracks import THUMBNAIL_PX

BLOCKS = 4  # a side: 16 blocks of 8 x 8 pixels
CONTRAST_MIN = 3.0  # grey levels (standard deviation) for a block to show anything
MOTION_MIN = 3.0  # the same over time, for a block to move
AGREEING_MIN = 0.7  # correlation of a block's pixels in one frame
MOVING_ALIKE_MIN = 0.5  # correlation of a block's changes over the frames
TELLING_BLOCKS_MIN = 2  # that show something, for a frame to be compared at all
PLAIN_LEVELS_MAX = 8.0  # from the median
DETAIL_MIN = 1.0  # grey levels: flatter pictures have shorter vectors, and agree with nothing
VALID_SHARE_MIN = 0.6  # of a block, for it to be seen in the item


def thumbnails_of(track: Track) -> tuple[Array, Array]:
    """Return times in seconds (n,) and thumbnails uint8 (n, THUMBNAIL_PX**2)."""
    times = track.places[::THUMBNAIL_PX, 0].astype(np.float64)
    return times, track.keys.reshape(len(times), THUMBNAIL_PX**2)


class View:
    """Thumbnails as the work's frame would show them, made when they are asked for.

    ``share_map`` maps the work's shares to those of the frames of the thumbnails. ``valid`` tells
    which pixels they show.
    """

    def __init__(self, thumbnails: Array, share_map: Array) -> None:
        size = THUMBNAIL_PX
        at = (np.arange(size) + 0.5) / size
        x, y = np.meshgrid(at, at)
        u, v, w = share_map @ np.stack([x.ravel(), y.ravel(), np.ones(size * size)])
        w = np.where(np.abs(w) < 1e-9, 1e-9, w)
        u, v = u / w, v / w
        self.valid = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        u, v = (np.clip(t * size - 0.5, 0, size - 1.001) for t in (u, v))
        column, row = u.astype(np.int64), v.astype(np.int64)
        self._corner = row * size + column
        self._right, self._down = (u - column).astype(np.float32), (v - row).astype(np.float32)
        self._source = thumbnails
        self._pictures: dict[int, Array] = {}
        self._details: dict[int, Array] = {}

    def pictures(self, rows: Array) -> Array:
        """Return frames by their row: float32 (rows, pixels)."""
        missing = [row for row in rows.tolist() if row not in self._pictures]
        if missing:
            self._pictures.update(zip(missing, self._seen(missing), strict=True))
        return np.stack([self._pictures[row] for row in rows.tolist()])

    def details(self, rows: Array, valid: Array) -> Array:
        """Return unit vectors of what is left of frames without slow gradients: (rows, pixels).

        ``valid`` must be the same at each call.
        """
        missing = np.array([row for row in rows.tolist() if row not in self._details], np.int64)
        if len(missing):
            made = _details(self.pictures(missing), valid)
            self._details.update(zip(missing.tolist(), made, strict=True))
        return np.stack([self._details[row] for row in rows.tolist()])

    def _seen(self, rows: list[int]) -> Array:
        source, corner, size = self._source[rows].astype(np.float32), self._corner, THUMBNAIL_PX
        right, down = self._right, self._down
        across = source[:, corner] * (1 - right) + source[:, corner + 1] * right
        below = source[:, corner + size] * (1 - right) + source[:, corner + size + 1] * right
        return np.asarray(across * (1 - down) + below * down)


def _details(thumbnails: Array, valid: Array) -> Array:
    import cv2

    size = THUMBNAIL_PX
    weight = cv2.GaussianBlur(valid.astype(np.float32).reshape(size, size), (0, 0), 4.0)
    shown = thumbnails * valid
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 4.0) for one in shown.reshape(-1, size, size)])
    rough = (thumbnails - (smooth / np.maximum(weight, 1e-3)).reshape(-1, size * size)) * valid
    length = np.linalg.norm(rough, axis=1, keepdims=True)
    return np.asarray(rough / np.maximum(length, DETAIL_MIN * np.sqrt(max(1, valid.sum()))))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two aligned runs of thumbnails agree.

    ``frames`` compared, those that show something; ``blocks`` that show something on average;
    ``alike`` the share of these that agree, by frame; ``moving`` blocks of either, and
    ``moving_alike`` how many of them move alike; ``motion`` the correlation of all movement;
    ``plain`` the share of the work's picture that is its ground: as bright as its median.
    """

    frames: int
    blocks: float
    alike: Array
    moving: int
    moving_alike: int
    motion: float
    plain: float


def agreement(work: Array, item: Array, valid: Array) -> Agreement:
    """Compare aligned thumbnails, (n, pixels) each, where ``valid`` (pixels,)."""
    one, other = _in_blocks(work), _in_blocks(item)
    seen = _in_blocks(valid[None].astype(np.float32))[0]  # (blocks, pixels)
    usable = seen.mean(axis=1) >= VALID_SHARE_MIN
    inside = _correlation(one, other, seen[None], axes=(2,))
    contrast = _spread(one, seen[None], (2,))
    shows = (contrast >= CONTRAST_MIN) & usable[None]
    alike = (inside >= AGREEING_MIN) & shows
    count = shows.sum(axis=1)
    told = count >= TELLING_BLOCKS_MIN
    share = alike.sum(axis=1)[told] / count[told] if told.any() else np.zeros(1)
    one_moves = (one - one.mean(axis=0)) * seen
    other_moves = (other - other.mean(axis=0)) * seen
    energy, other_energy = ((moves**2).sum(axis=(0, 2)) for moves in (one_moves, other_moves))
    places = np.maximum(seen.sum(axis=1) * len(one), 1)
    moving = (np.maximum(energy, other_energy) >= MOTION_MIN**2 * places) & usable
    product = (one_moves * other_moves).sum(axis=(0, 2))
    scale = np.sqrt(energy * other_energy)
    alike_moving = (product >= MOVING_ALIKE_MIN * np.maximum(scale, 1e-6)) & moving
    whole = np.sqrt(energy[usable].sum() * other_energy[usable].sum())
    motion = float(product[usable].sum() / max(whole, 1e-6))
    return Agreement(
        int(told.sum()), float(count.mean()), share, int(moving.sum()),
        int(alike_moving.sum()), motion, _plain(work),
    )  # fmt: skip


def _plain(work: Array) -> float:
    ground = np.abs(work - np.median(work, axis=1, keepdims=True)) <= PLAIN_LEVELS_MAX
    return float(ground.mean())


def motion(work: Array, item: Array, valid: Array) -> float:
    """Return the correlation of what changes in two aligned runs of thumbnails, -1 to 1."""
    if len(work) < 2:
        return 0.0
    one, other = ((run - run.mean(axis=0)) * valid for run in (work, item))
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / max(scale, 1e-6)


def _in_blocks(flat: Array) -> Array:
    """Return (n, pixels) as (n, blocks, pixels of a block)."""
    step = THUMBNAIL_PX // BLOCKS
    cut = flat.reshape(len(flat), BLOCKS, step, BLOCKS, step)
    return cut.transpose(0, 1, 3, 2, 4).reshape(len(flat), BLOCKS * BLOCKS, step * step)


def _centred(values: Array, weight: Array, axes: tuple[int, ...]) -> Array:
    total = np.maximum(weight.sum(axis=axes, keepdims=True), 1)
    return np.asarray((values - (values * weight).sum(axis=axes, keepdims=True) / total) * weight)


def _spread(values: Array, weight: Array, axes: tuple[int, ...]) -> Array:
    total = np.maximum(weight.sum(axis=axes), 1)
    return np.asarray(np.sqrt((_centred(values, weight, axes) ** 2).sum(axis=axes) / total))


def _correlation(one: Array, other: Array, weight: Array, axes: tuple[int, ...]) -> Array:
    first, second = _centred(one, weight, axes), _centred(other, weight, axes)
    scale = np.sqrt((first**2).sum(axis=axes) * (second**2).sum(axis=axes))
    return np.asarray((first * second).sum(axis=axes) / np.maximum(scale, 1e-6))
