"""A 256-bit code of a whole picture, by the signs of its cosine transform.

A perceptual hash after the construction of PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm
and the PDQ Image-Hashing Algorithm", 2019): brightness averaged down to 64 x 64, the 16 x 16 lowest
cosine coefficients without the constant row and column, one bit each: above their median or not.
Codes of two versions of a picture differ in few bits, those of unrelated pictures in about 128.
They are not PDQ's bits: the averaging and the order of the bits are our own.

A mirrored or turned picture has the same coefficients, transposed and with changed signs, so the
codes of all eight orientations cost one transform (PDQ's "dihedral" hashes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array

AVERAGED_PX = 64
COEFFICIENTS = 16  # per axis: 256 bits
QUALITY_MIN = 50
"""Below it a picture is too plain for its code to say anything: PDQ's recommended floor of 50."""

ORIENTATIONS = (
    "upright", "mirrored", "flipped", "rotated 180",
    "transposed", "rotated 90", "rotated 270", "transversed",
)  # fmt: skip
"""How the *work* must be turned to give the picture: row i of ``turned_codes``.

Degrees are clockwise. "flipped" is upside down, "transposed" and "transversed" are mirrored at
the diagonals.
"""


@dataclass(frozen=True, slots=True)
class WholeCode:
    """The cosine coefficients of one picture (float32, 16 x 16, rows: vertical frequencies)."""

    coefficients: Array
    quality: int

    def code(self) -> Array:
        """Return the 256-bit code as uint8 (32,)."""
        return _bits(self.coefficients)

    def turned_codes(self) -> Array:
        """Return the codes of works that could have been turned into this picture: uint8 (8, 32).

        Row i is near the code of the work if the picture is the work turned by
        ``ORIENTATIONS[i]``.
        """
        here = self.coefficients
        signs = np.where(np.arange(COEFFICIENTS) % 2 == 0, -1.0, 1.0).astype(np.float32)
        across, down = here * signs, here * signs[:, None]
        both = across * signs[:, None]
        turned = (here, across, down, both, here.T, across.T, down.T, both.T)
        return np.stack([_bits(coefficients) for coefficients in turned])


def _bits(coefficients: Array) -> Array:
    flat = coefficients.ravel()
    return np.packbits(flat > np.median(flat))


@cache
def _cosines() -> Array:
    """Return rows 1 to 16 of the orthonormal DCT-II of 64 samples: float32 (16, 64)."""
    frequency = np.arange(1, COEFFICIENTS + 1)[:, None]
    sample = np.arange(AVERAGED_PX)[None, :]
    rows = np.cos(np.pi / AVERAGED_PX * (sample + 0.5) * frequency)
    return np.asarray(rows * np.sqrt(2 / AVERAGED_PX), np.float32)


def whole_code(grey: Array) -> WholeCode:
    """Return the code of a grey picture, uint8 (height, width), whatever its shape."""
    import cv2

    small = cv2.resize(grey, (AVERAGED_PX, AVERAGED_PX), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32)
    cosines = _cosines()
    return WholeCode(cosines @ small @ cosines.T, _quality(small))


def _quality(small: Array) -> int:
    """Return PDQ's measure of texture, 0 to 100: the sum of steps between neighbours.

    Steps are counted in whole per cents of the range of brightness, so that slow gradients count
    nothing (ThreatExchange, ``pdqhashing.cpp``, ``pdqImageDomainQualityMetric``).
    """
    down = np.abs(np.trunc(np.diff(small, axis=0) * (100 / 255))).sum()
    across = np.abs(np.trunc(np.diff(small, axis=1) * (100 / 255))).sum()
    return int(min(100, (down + across) / 90))


BORDER_RANGE_MAX = 12
"""Levels of brightness between the 2 and 98 per cent of a border line's pixels: JPEG noise."""
BORDER_SHARE_MAX = 0.8  # of a side, both ends together: what is left must be a picture


def trimmed_box(grey: Array) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of what is left without its plain borders, in pixels.

    A border line is flat in itself and as bright as the outermost line of its side. Where hardly
    anything would be left, the whole picture is returned.
    """
    height, width = grey.shape
    top, bottom = _inner(grey)
    left, right = _inner(grey[top:bottom].T)
    kept = (right - left) * (bottom - top)
    if kept < (1 - BORDER_SHARE_MAX) ** 2 * height * width:
        return 0, 0, width, height
    return left, top, right, bottom


def _inner(lines: Array) -> tuple[int, int]:
    """Return the range of lines between the flat ones at both ends."""
    low, middle, high = np.percentile(lines, (2, 50, 98), axis=1)
    flat = high - low <= BORDER_RANGE_MAX
    first = flat & (np.abs(middle - middle[0]) <= BORDER_RANGE_MAX)
    last = flat & (np.abs(middle - middle[-1]) <= BORDER_RANGE_MAX)
    if first.all():
        return 0, len(lines)
    start = int(np.argmin(first)) if first[0] else 0
    stop = len(lines) - int(np.argmin(last[::-1])) if last[-1] else len(lines)
    return (start, stop) if start < stop else (0, len(lines))
