"""Previews: small JPEGs by which a person recognises a picture or a video."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.stills import frames_across

SIDE_PIXELS_MAX = 320
STRIP_FRAMES = 4
_JPEG_QUALITY = 75


def preview_of_image(raw: bytes) -> bytes:
    """Return a JPEG of at most 320 pixels a side; b"" when ``raw`` is no picture.

    ``raw`` was decoded within the limits before.
    """
    import cv2

    flags = cv2.IMREAD_REDUCED_COLOR_2 if len(raw) > 1_000_000 else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), flags)
    except cv2.error:
        return b""
    return b"" if pixels is None else jpeg_of(pixels)


def preview_of_video(file: BinaryIO, length_s: float) -> bytes:
    """Return frames of a video side by side as one JPEG; b"" when none can be decoded.

    ``length_s`` is how long it was found to be: files may not say, or lie.
    """
    import cv2

    frames = frames_across(file, STRIP_FRAMES, length_s)
    if not frames:
        return b""
    height, width = frames[0].shape[:2]
    same = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames]
    return jpeg_of(np.concatenate(same, axis=1))


def jpeg_of(pixels: Array, side_pixels_max: int = SIDE_PIXELS_MAX) -> bytes:
    """Return ``pixels``, uint8 (height, width, 3) BGR, as a JPEG no larger than the given side."""
    import cv2

    height, width = pixels.shape[:2]
    share = min(1.0, side_pixels_max / max(height, width, 1))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    written, raw = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return raw.tobytes() if written else b""
