"""Upscaling: small pictures of drawn things made large, with edges that stay edges.

A smooth enlargement is sharpened by toggle mapping (Kramer & Bruckner, "Iterations of a
non-linear transformation for enhancement of digital images", 1975): each value moves towards the
nearer of the darkest and the brightest one around it, so that a slope becomes a step. Nothing is
learned from anybody.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_ROUNDS = 2
_STRENGTH = 0.85  # of the way to the nearer extreme


def enlarged(picture: Picture, side_px: int) -> Picture:
    """Return a square picture (side, side, 3) at another size."""
    side = picture.shape[0]
    if side_px == side:
        return picture
    if side_px < side:
        smaller = cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return np.asarray(smaller, np.uint8)
    factor = side_px / side
    large = _smooth(picture, side_px)
    reach = max(3, round(factor * 0.75) | 1)
    near = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), np.uint8)
    for _ in range(_ROUNDS):
        large = _toggled(large, near)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), max(factor / 8, 0.5)), np.uint8)


def _smooth(picture: Picture, side_px: int) -> Picture:
    """Return a bicubic enlargement without its halos: no value leaves those around it."""
    size, around = (side_px, side_px), np.ones((3, 3), np.uint8)
    smooth = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    dark = cv2.resize(cv2.erode(picture, around), size, interpolation=cv2.INTER_LINEAR)
    bright = cv2.resize(cv2.dilate(picture, around), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.min(cv2.max(smooth, dark), bright), np.uint8)


def _toggled(picture: Picture, near: NDArray[np.uint8]) -> Picture:
    """Return each value moved towards the nearer of its neighbourhood's extremes."""
    dark, bright = cv2.erode(picture, near), cv2.dilate(picture, near)
    is_dark = cv2.subtract(picture, dark) < cv2.subtract(bright, picture)
    nearest = np.where(is_dark, dark, bright)
    return np.asarray(cv2.addWeighted(picture, 1 - _STRENGTH, nearest, _STRENGTH, 0), np.uint8)
