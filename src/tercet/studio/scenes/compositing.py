"""Compositing: pictures with transparency are turned, scaled and laid over frames."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes import motions
from tercet.studio.scenes.backdrops import LIGHT
from tercet.studio.scenes.recipe import Camera, Time
from tercet.studio.scenes.sprite import Pixels

_ACTOR_LIGHT_PART = 0.45  # actors take on this much of the light, so that their colour is seen


def lit(picture: Pixels, time: Time) -> Pixels:
    """Return a premultiplied picture in the light of the time of day."""
    if time is Time.DAY:
        return picture
    light = [256 * (1.0 - _ACTOR_LIGHT_PART * (1.0 - part)) for part in LIGHT[time]]
    out: Pixels = ((picture * np.array([*light, 256], np.uint16)) >> 8).astype(np.uint8)
    return out


def placed(
    picture: Pixels,
    middle_px: tuple[float, float],
    side_px: float,
    angle: float,
    frame_px: tuple[int, int],
) -> tuple[int, int, Pixels] | None:
    """Return a premultiplied picture at its place: top, left and the patch inside the frame.

    ``middle_px`` is (x, y), ``side_px`` its longest side (without its rim of 1 px), ``angle``
    clockwise in radians, ``frame_px`` (width, height). None if nothing of it is in the frame.
    """
    high, wide = picture.shape[:2]
    factor = side_px / (max(high, wide) - 2)
    cosine, sine = factor * math.cos(angle), factor * math.sin(angle)
    reach_x = (abs(cosine) * wide + abs(sine) * high) / 2
    reach_y = (abs(sine) * wide + abs(cosine) * high) / 2
    left, top = (
        max(math.floor(middle_px[0] - reach_x), 0), max(math.floor(middle_px[1] - reach_y), 0)
    )  # fmt: skip
    right = min(math.ceil(middle_px[0] + reach_x), frame_px[0])
    bottom = min(math.ceil(middle_px[1] + reach_y), frame_px[1])
    if right <= left or bottom <= top:
        return None
    # pixel centres lie at half pixels: (u + 0.5) of the picture goes to (v + 0.5) of the frame
    from_x, from_y = (wide - 1) / 2, (high - 1) / 2
    to_x, to_y = middle_px[0] - 0.5 - left, middle_px[1] - 0.5 - top
    matrix = np.array(
        [
            [cosine, -sine, to_x - cosine * from_x + sine * from_y],
            [sine, cosine, to_y - sine * from_x - cosine * from_y],
        ]
    )
    patch = cv2.warpAffine(picture, matrix, (right - left, bottom - top))
    return top, left, patch.astype(np.uint8, copy=False)


def blend(frame: Pixels, patch: Pixels, top: int, left: int) -> None:
    """Lay a premultiplied patch over a frame, in place."""
    height, width = patch.shape[:2]
    under = frame[top : top + height, left : left + width]
    mixed = under * (255 - patch[..., 3:].astype(np.uint16))
    mixed += 127
    mixed //= 255
    mixed += patch[..., :3]
    np.minimum(mixed, 255, out=mixed)
    under[:] = mixed


def camera_matrix(
    camera: Camera, moment: float, frame_px: tuple[int, int], drawn_factor: float = 1.0
) -> NDArray[np.float64]:
    """Return the affine map from the backdrop's pixels to those of a frame (width, height).

    The backdrop was drawn ``drawn_factor`` times as large as it is seen at first.
    """
    width, height = frame_px
    factor, x, y = 1.0, -motions.PAN_WIDTH * moment * width, 0.0
    if camera is not Camera.PAN:
        factor = float(motions.zoom(np.array(moment))) if camera is Camera.ZOOM else 1.0
        x = motions.ZOOM_ANCHOR[0] * width * (1 - factor)
        y = motions.ZOOM_ANCHOR[1] * height * (1 - factor)
    half = 0.5 * (factor / drawn_factor - 1)  # pixel centres lie at half pixels
    factor /= drawn_factor
    return np.array([[factor, 0.0, x + half], [0.0, factor, y + half]])
