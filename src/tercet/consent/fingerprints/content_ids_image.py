"""The 32 x 32 grey pixels that an ISCC Image-Code is computed from (ISO 24138:2024 section 8.5).

Prepared as iscc-sdk 0.9.7 does: turned by Exif, on white, borders trimmed within a tolerance, grey
by ITU-R 601-2, resized by an anti-aliased bicubic filter in fixed point, rows first, as Pillow
computes it (recent versions take columns first in tall pictures: single greys then differ by 1).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError

SIDE_PIXELS = 32
PIXELS_MAX = 200_000_000
_TOLERANCE = 16  # of a border pixel to the one in the upper left corner
_TRIMS_MAX = 16
_PRECISION_BITS = 22  # of the filter's weights
_SUPPORT = 2.0  # pixels of the small image on either side
_CUBIC = -0.5


def grey_pixels(raw: bytes) -> bytes:
    """Return 1,024 grey values, row by row; raises UndecodableError for what is no picture."""
    grey = _grey(_trimmed(_decoded(raw)))
    small = _resized(_resized(grey, SIDE_PIXELS).T, SIDE_PIXELS).T
    return small.astype(np.uint8).tobytes()


def _decoded(raw: bytes) -> Array:
    """Return uint8 (height, width, 3) RGB."""
    import cv2

    cv2.setNumThreads(1)
    packed = np.frombuffer(raw, np.uint8)
    try:
        whole = None if raw.startswith(b"\xff\xd8") else cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        if whole is None or whole.ndim < 3 or whole.shape[2] != 4:
            whole = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    except (cv2.error, MemoryError) as error:
        raise _undecodable(str(error)[:120]) from None
    if whole is None or whole.size == 0:
        raise _undecodable("bytes that are none")
    if whole.shape[0] * whole.shape[1] > PIXELS_MAX:
        raise _undecodable(f"{whole.shape[1]} x {whole.shape[0]} pixels")
    pixels = whole.view(np.uint8)[..., 1::2] if whole.dtype == np.uint16 else whole
    if pixels.dtype != np.uint8:
        raise _undecodable(f"values of type {pixels.dtype}")
    if pixels.shape[2] == 4:
        return _on_white(pixels)
    return np.ascontiguousarray(pixels[:, :, ::-1])


def _undecodable(got: str) -> UndecodableError:
    message = f"expected a picture of at most {PIXELS_MAX:,} pixels, got {got}"
    return UndecodableError(message, hint="save it again as PNG or JPEG")


def _on_white(whole: Array) -> Array:
    alpha = whole[:, :, 3:].astype(np.uint32)
    mixed = whole[:, :, 2::-1] * alpha + 255 * (255 - alpha) + 128
    return ((mixed + (mixed >> 8)) >> 8).astype(np.uint8)


def _trimmed(pixels: Array) -> Array:
    """Cut off borders of one colour, again and again until nothing is cut."""
    for _ in range(_TRIMS_MAX):
        box = _box(pixels, _TOLERANCE)
        height, width = pixels.shape[:2]
        if box is None or box == (0, 0, width, height):
            break
        left, top, right, bottom = box
        sides = (left > 0) + (top > 0) + (right < width) + (bottom < height)
        if sides == 1 and _box(pixels, _TOLERANCE // 2) != box:
            break  # not a flat band but a gradient, such as a sky
        pixels = pixels[top:bottom, left:right]
    return pixels


def _box(pixels: Array, tolerance: int) -> tuple[int, int, int, int] | None:
    """Return (left, top, right, bottom) of what differs from the upper left pixel."""
    low = np.maximum(pixels[0, 0].astype(np.int16) - tolerance, 0).astype(np.uint8)
    high = np.minimum(pixels[0, 0].astype(np.int16) + tolerance, 255).astype(np.uint8)
    differs = ((pixels < low) | (pixels > high)).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _grey(pixels: Array) -> Array:
    red, green, blue = (pixels[:, :, channel].astype(np.uint32) for channel in range(3))
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


def _resized(grey: Array, width: int) -> Array:
    """Resize the rows of ``grey`` to ``width`` pixels, rounded to whole greys."""
    if grey.shape[1] == width:
        return grey
    weights = _weights(grey.shape[1], width)
    summed = grey.astype(np.float64) @ weights  # exact: every product is a whole number < 2^53
    whole = np.floor((summed + (1 << (_PRECISION_BITS - 1))) / (1 << _PRECISION_BITS))
    clipped: Array = np.clip(whole, 0, 255)
    return clipped


@cache
def _weights(size: int, width: int) -> Array:
    """Return the filter as a matrix (size, width) of whole numbers: Catmull-Rom, anti-aliased."""
    scale = size / width
    stretch = max(scale, 1.0)
    matrix = np.zeros((size, width))
    for column in range(width):
        centre = (column + 0.5) * scale
        first = max(0, int(centre - _SUPPORT * stretch + 0.5))
        last = min(size, int(centre + _SUPPORT * stretch + 0.5))
        weight = _cubic((np.arange(first, last) - centre + 0.5) / stretch)
        weight /= weight.sum()
        exact = weight * (1 << _PRECISION_BITS)
        matrix[first:last, column] = np.trunc(exact + np.where(weight < 0, -0.5, 0.5))
    return matrix


def _cubic(x: Array) -> Array:
    x = np.abs(x)
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _CUBIC
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
