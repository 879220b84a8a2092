"""Still pictures of a video: scaled down, and written as WebP or JPEG."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from tercet.core.errors import InputError
from tercet.studio.engines.engine import Picture


class StillFormat(StrEnum):
    """Formats of still pictures, by the endings of file names."""

    WEBP = "webp"
    JPEG = "jpg"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return "image/webp" if self is StillFormat.WEBP else "image/jpeg"


_QUALITY = 85


def scaled_down(picture: Picture, side_px_max: int) -> Picture:
    """Return the picture with no side longer than ``side_px_max``; smaller ones as they are."""
    import cv2

    height, width = picture.shape[:2]
    ratio = side_px_max / max(height, width)
    if ratio >= 1:
        return picture
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    small: Picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def still_bytes(picture: Picture, form: StillFormat) -> bytes:
    """Return an RGB picture as a file. Equal pictures give equal bytes."""
    import cv2

    setting = cv2.IMWRITE_WEBP_QUALITY if form is StillFormat.WEBP else cv2.IMWRITE_JPEG_QUALITY
    written, raw = cv2.imencode(f".{form.value}", picture[..., ::-1], [setting, _QUALITY])
    if not written:
        raise InputError(f"a picture of {picture.shape} cannot be written as {form.value}")
    return bytes(raw)
