"""Pictures made to fit: cut around the middle and scaled."""

from __future__ import annotations

import numpy as np

from tercet.studio.engines.engine import Picture


def fitted_picture(picture: Picture, width_px: int, height_px: int) -> Picture:
    """Return ``picture`` cut around its middle and scaled, so that it fills the given size.

    Cut first: a picture a thousand times as wide as high would be scaled to gigabytes.
    """
    import cv2

    height, width = picture.shape[:2]
    kept_width = min(width, max(1, round(height * width_px / height_px)))
    kept_height = min(height, max(1, round(width * height_px / width_px)))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    kept = np.ascontiguousarray(picture[top : top + kept_height, left : left + kept_width])
    if kept.shape[:2] == (height_px, width_px):
        return kept
    way = cv2.INTER_AREA if width_px < kept_width else cv2.INTER_CUBIC
    return cv2.resize(kept, (width_px, height_px), interpolation=way).astype(np.uint8, copy=False)
