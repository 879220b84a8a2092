"""Cutting out: an SVG work becomes a sprite, cropped to its edges, with its main colour named."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.core.errors import UndecodableError
from tercet.studio.scenes.drawing import DRAWING_SIDE_PX_MAX, drawn, parse_drawing
from tercet.studio.scenes.sprite import SPRITE_SIDE_PX, Kind, Pixels, Sprite

ALPHA_MIN = 12  # of 255: fainter pixels are the edge of a blur and are cropped away
_FIRST_SIDE_PX = 4 * SPRITE_SIDE_PX
_SEEN_PX_MIN = 2 * SPRITE_SIDE_PX  # longest side of what is drawn, before it is made smaller
_COLOUR_PART_MIN = 0.4  # of the pixels that are seen
_COLOUR_LEAD_MIN = 1.5  # times as many as of the next colour
_OUTLINE_PART_MAX = 0.6  # black up to here is taken for the outline, not for the colour


def cut(
    raw: bytes,
    *,
    work: str,
    title: str,
    owner: str,
    licence: str,
    noun: str,
    kind: Kind,
    faces: int,
) -> Sprite:
    """Return the sprite of an SVG work, its longest side ``SPRITE_SIDE_PX``.

    Raises UndecodableError when the bytes are no drawing, one that is refused, or an empty one.
    """
    pixels = cut_pixels(raw)
    return Sprite(work, title, owner, licence, noun, kind, faces, colour_name(pixels), pixels)


def cut_pixels(raw: bytes, side_px: int = SPRITE_SIDE_PX) -> Pixels:
    """Return what a drawing shows as straight-alpha RGBA, cropped, its longest side ``side_px``."""
    return cut_root(parse_drawing(raw), side_px)


def cut_root(root: Any, side_px: int = SPRITE_SIDE_PX) -> Pixels:
    """Return the same of a drawing that `parse_drawing` has let through."""
    page = drawn(root, _FIRST_SIDE_PX)
    shown = _cropped(page)
    longest = max(shown.shape[:2])
    wanted = max(_SEEN_PX_MIN, 2 * side_px)
    if longest < wanted:  # a small thing on a large page
        again = min(DRAWING_SIDE_PX_MAX, _FIRST_SIDE_PX * wanted // longest + 1)
        shown = _cropped(drawn(root, again))
    return _scaled(shown, side_px)


def _cropped(page: Pixels) -> Pixels:
    """Return the part of a page on which anything is seen."""
    seen = page[..., 3] >= ALPHA_MIN
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if rows.size == 0:
        raise UndecodableError(
            "expected a drawing that shows something, got an empty one",
            hint="Leave the work out: its page is blank, or all of it is text.",
        )
    return page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scaled(pixels: Pixels, side_px: int) -> Pixels:
    """Return a picture made smaller (or larger) over premultiplied alpha, so edges stay clean."""
    height, width = pixels.shape[:2]
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    alpha = pixels[..., 3:].astype(np.float32) / 255.0
    flat = np.concatenate([pixels[..., :3].astype(np.float32) * alpha, alpha], axis=2)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(flat, size, interpolation=how), np.float32)
    out = np.empty_like(small)
    out[..., :3] = small[..., :3] / np.maximum(small[..., 3:], 1e-4)
    out[..., 3] = small[..., 3] * 255.0
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def colour_name(pixels: Pixels) -> str:
    """Return the name of a picture's main colour, empty if it has none.

    Every pixel that is more than half opaque votes by its hue, saturation and value; a black
    outline does not vote unless most of the picture is black.
    """
    seen = pixels[pixels[..., 3] > 127][:, :3]
    if len(seen) == 0:
        return ""
    names = _pixel_names(seen)
    counts = {name: int((names == at).sum()) for at, name in enumerate(_NAMES) if name}
    if counts["black"] <= _OUTLINE_PART_MAX * len(seen):
        voters = len(seen) - counts.pop("black")
    else:
        voters = len(seen)
    first, second, *_ = sorted(counts.items(), key=lambda one: -one[1])
    enough = first[1] >= _COLOUR_PART_MIN * voters and first[1] >= _COLOUR_LEAD_MIN * second[1]
    return first[0] if enough else ""


_NAMES = (
    "",
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "brown",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
)
_HUES = ((16, "red"), (44, "orange"), (68, "yellow"), (165, "green"), (255, "blue"))
_HUES_UPPER = ((290, "purple"), (344, "pink"), (361, "red"))


def _pixel_names(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the index in ``_NAMES`` of each RGB row's colour."""
    table = cv2.cvtColor(rgb[None].astype(np.float32) / 255.0, cv2.COLOR_RGB2HSV)[0]
    hue, saturation, value = np.asarray(table, np.float32).T
    out = np.zeros(len(rgb), np.int64)
    lower = 0.0
    for upper, name in _HUES + _HUES_UPPER:
        out[(hue >= lower) & (hue < upper)] = _NAMES.index(name)
        lower = upper
    warm = (hue < 44) | (hue >= 344)
    out[warm & (hue >= 4) & (hue < 44) & (value < 0.66)] = _NAMES.index("brown")
    out[(hue >= 16) & (hue < 44) & (saturation < 0.55) & (value < 0.9)] = _NAMES.index("brown")
    out[(hue >= 44) & (hue < 68) & (value < 0.62)] = 0  # khaki and olive: no name people agree on
    out[((hue < 12) | (hue >= 325)) & (saturation < 0.55) & (value > 0.75)] = _NAMES.index("pink")
    out[(saturation < 0.16) & (value >= 0.88)] = _NAMES.index("white")
    out[(saturation < 0.16) & (value < 0.88)] = _NAMES.index("grey")
    out[(value < 0.2) | ((saturation < 0.25) & (value < 0.3))] = _NAMES.index("black")
    return out
