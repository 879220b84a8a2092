"""Pictures that somebody gives for a video to begin with: decoded within bounds."""

from __future__ import annotations

import numpy as np

from tercet.consent.fingerprints.picture_header import picture_header
from tercet.core.errors import InputError
from tercet.core.limits import IMAGE_PIXELS_MAX
from tercet.studio.engines.engine import Picture
from tercet.studio.engines.fitting import fitted_picture

__all__ = ["decoded_picture", "fitted_picture"]

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
