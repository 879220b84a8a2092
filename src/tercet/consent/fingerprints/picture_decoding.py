"""A still image file as an upright grey picture of about a megapixel, within bounds.

The kind is told by content, never by a name. The size stands in the first bytes and is checked
before anything is allocated; big JPEGs are decoded at a half, a quarter or an eighth. Of moving
pictures the first frame is taken. Transparent pixels are laid on white, or on black where white
would leave nothing to be seen.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.picture_header import (
    PictureHeader,
    exif_orientation,
    picture_header,
)
from tercet.core.limits import IMAGE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MAX

WORKING_PIXELS = 1_000_000
VISIBLE_RANGE_MIN = 12  # levels of brightness; with less, a picture laid on white shows nothing
_NOT_DECODED = {"heic": "a HEIC picture (HEVC)", "svg": "a drawing (SVG) to be rendered"}
_MAYBE_TRANSPARENT = frozenset(("png", "webp", "gif", "tiff", "avif", "bmp"))


def grey_picture(raw: bytes) -> Array:
    """Return the picture of an image file as uint8 (height, width), upright.

    Raises UndecodableError when the bytes are no image known here, broken, or too large.
    """
    header = picture_header(raw)
    if header is None:
        raise UndecodableError(
            "expected an image (JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, JPEG 2000), got "
            + (f"bytes that begin with {raw[:8]!r}" if raw else "an empty file")
        )
    if header.kind in _NOT_DECODED:
        raise UndecodableError(
            f"expected an image that can be decoded here, got {_NOT_DECODED[header.kind]}",
            hint="Convert it to PNG or JPEG to have it looked at.",
        )
    check_size(header.width_px, header.height_px)
    grey = _decoded(raw, header)
    if grey is None or not grey.size:
        raise UndecodableError(
            f"expected a whole {header.kind} image, got one that its decoder refuses",
            hint="Open it in an image viewer and save it again, or fetch it again.",
        )
    return _working_size(grey)


def check_size(width_px: int, height_px: int) -> None:
    """Refuse pictures whose pixels would not fit the limits."""
    if width_px * height_px > IMAGE_PIXELS_MAX or max(width_px, height_px) > IMAGE_SIDE_PIXELS_MAX:
        raise UndecodableError(
            f"expected at most {IMAGE_PIXELS_MAX:,} pixels and {IMAGE_SIDE_PIXELS_MAX:,} a side, "
            f"got {width_px:,} x {height_px:,}",
            hint="Scale the image down before it is fingerprinted.",
        )


def _decoded(raw: bytes, header: PictureHeader) -> Array | None:
    import cv2

    cv2.setNumThreads(1)  # callers run one process for each core
    data = np.frombuffer(raw, np.uint8)
    try:
        if header.kind in _MAYBE_TRANSPARENT:
            pixels, kinds, blocks = cv2.imdecodeWithMetadata(data, flags=cv2.IMREAD_UNCHANGED)
            exif = [bytes(block) for kind, block in zip(kinds, blocks, strict=True) if kind == 0]
            return None if pixels is None else _upright(_grey(pixels), exif)
        return cast("Array | None", cv2.imdecode(data, _flags(header)))
    except (cv2.error, MemoryError, OverflowError):
        return None


def _flags(header: PictureHeader) -> int:
    """Return how to decode: grey, turned as Exif says, JPEG no larger than needed."""
    import cv2

    pixels = header.width_px * header.height_px
    if header.kind != "jpeg" or pixels < 4 * WORKING_PIXELS:
        return int(cv2.IMREAD_GRAYSCALE)
    if pixels < 16 * WORKING_PIXELS:
        return int(cv2.IMREAD_REDUCED_GRAYSCALE_2)
    if pixels < 64 * WORKING_PIXELS:
        return int(cv2.IMREAD_REDUCED_GRAYSCALE_4)
    return int(cv2.IMREAD_REDUCED_GRAYSCALE_8)


def _grey(pixels: Array) -> Array:
    """Return pixels of any depth and number of channels as uint8 (height, width)."""
    import cv2

    pixels = _eight_bits(pixels)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels == 1:
        return pixels.reshape(pixels.shape[:2])
    if channels == 3:
        return cast("Array", cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    if channels == 2:
        return _laid(pixels[:, :, 0], pixels[:, :, 1])
    return _laid(cv2.cvtColor(pixels[:, :, :3], cv2.COLOR_BGR2GRAY), pixels[:, :, 3])


def _laid(grey: Array, alpha: Array) -> Array:
    """Lay a partly transparent picture on white, or on black if it is white itself."""
    if alpha.min() == 255:
        return grey
    cover = alpha.astype(np.uint16)
    seen = grey.astype(np.uint16) * cover
    on_white = ((seen + 255 * (255 - cover)) // 255).astype(np.uint8)
    low, high = np.percentile(on_white, (0.5, 99.5))
    if high - low >= VISIBLE_RANGE_MIN:
        return on_white
    return (seen // 255).astype(np.uint8)


def _eight_bits(pixels: Any) -> Array:
    """Return pixels as uint8: the high byte of 16 bits, the range of floats."""
    if pixels.dtype == np.uint8:
        return cast("Array", pixels)
    if pixels.dtype == np.uint16:
        return cast("Array", (pixels >> 8).astype(np.uint8))
    numbers = np.nan_to_num(pixels.astype(np.float32))
    low, high = float(numbers.min()), float(numbers.max())
    return np.asarray((numbers - low) * (255 / max(high - low, 1e-9)), np.uint8)


def _upright(grey: Array, exif: list[bytes]) -> Array:
    """Return the picture as it is to be seen (Exif Orientation, 1 to 8)."""
    orientation = exif_orientation(exif[0]) if exif else 1
    if orientation in (2, 4, 5, 7):
        grey = grey[:, ::-1]
    turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(grey, turns))


def _working_size(grey: Array) -> Array:
    import cv2

    height, width = grey.shape
    share = (WORKING_PIXELS / (width * height)) ** 0.5
    if share >= 1:
        return grey
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return cast("Array", cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
