"""Pictures that somebody gives for a video to begin with: decoded within bounds, made to fit."""

from __future__ import annotations

import numpy as np

from tercet.consent.fingerprints.picture_header import picture_header
from tercet.core.errors import InputError
from tercet.core.limits import IMAGE_PIXELS_MAX
from tercet.studio.engines.engine import Picture

_KINDS = ("jpeg", "png", "webp")


def decoded_picture(raw: bytes, name: str) -> Picture:
    """Return the picture in a JPEG, PNG or WebP file as RGB (height, width, 3), upright.

    ``name`` is for messages. What is transparent is laid on black. Raises InputError for other
    kinds, for broken files, and for sizes beyond the limit, before anything is allocated.
    """
    import cv2

    header = picture_header(raw)
    kind = header.kind if header else "something else"
    if header is None or kind not in _KINDS:
        raise InputError(f"{name}: expected a JPEG, PNG or WebP picture", hint="convert it to PNG")
    if not 0 < header.width_px * header.height_px <= IMAGE_PIXELS_MAX:
        raise InputError(
            f"{name}: more than {IMAGE_PIXELS_MAX:,} pixels, or none",
            hint="scale it down",
        )
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise InputError(f"{name} is a broken {kind} picture", hint="open it and save it again")
    return np.asarray(pixels, np.uint8)


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
