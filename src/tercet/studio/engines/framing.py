"""Square pictures in frames of any shape: shown whole, over a soft enlargement of themselves."""

from __future__ import annotations

import cv2
import numpy as np

from tercet.studio.engines.engine import Picture

_SIDES_LIGHT = 0.55  # what surrounds the picture is darker than it


def framed(square: Picture, width_px: int, height_px: int) -> Picture:
    """Return a square picture (side, side, 3) in a frame; its side is the frame's shorter one."""
    side = square.shape[0]
    if width_px == height_px:
        return square
    longest = max(width_px, height_px)
    small = cv2.GaussianBlur(cv2.resize(square, (32, 32), interpolation=cv2.INTER_AREA), (0, 0), 2)
    wide = cv2.resize(small, (longest, longest), interpolation=cv2.INTER_CUBIC)
    top, left = (longest - height_px) // 2, (longest - width_px) // 2
    frame = (wide[top : top + height_px, left : left + width_px] * _SIDES_LIGHT).astype(np.uint8)
    top, left = (height_px - side) // 2, (width_px - side) // 2
    frame[top : top + side, left : left + side] = square
    return np.asarray(frame, np.uint8)
