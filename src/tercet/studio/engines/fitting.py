"""Pictures made to fit: scaled and cut around the middle."""

from __future__ import annotations

import numpy as np

from tercet.studio.engines.engine import Picture


def fitted_picture(picture: Picture, width_px: int, height_px: int) -> Picture:
    """Return ``picture`` scaled and cut around its middle, so that it fills the given size."""
    import cv2

    if picture.shape[:2] == (height_px, width_px):
        return picture
    height, width = picture.shape[:2]
    ratio = max(width_px / width, height_px / height)
    scaled = cv2.resize(
        picture,
        (max(width_px, round(width * ratio)), max(height_px, round(height * ratio))),
        interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC,
    )
    top, left = (scaled.shape[0] - height_px) // 2, (scaled.shape[1] - width_px) // 2
    return np.ascontiguousarray(scaled[top : top + height_px, left : left + width_px], np.uint8)
