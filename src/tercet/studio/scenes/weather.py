"""Weather: rain and snow as particles that fall evenly and come round again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.palette import Colour
from tercet.studio.scenes.recipe import Weather
from tercet.studio.scenes.sprite import Pixels

TINT: Final[dict[Weather, Colour]] = {
    Weather.RAIN: (205, 225, 255),
    Weather.SNOW: (255, 255, 255),
}
_COUNT = {Weather.RAIN: 40, Weather.SNOW: 46}
_FALLS = {Weather.RAIN: 6, Weather.SNOW: 2}  # frame heights fallen in one scene
_DRAW_PX = 256
_FINE = 0.5


def cover(weather: Weather, variant: int, moment: float, width_px: int, height_px: int) -> Pixels:
    """Return how much of each pixel the falling rain or snow covers, 0..255 (height, width)."""
    factor = -(-_DRAW_PX // height_px)
    fineness = 1.0 if height_px < _DRAW_PX else _FINE  # at 64 pixels fine rain would not be seen
    large = np.zeros((height_px * factor, width_px * factor), np.uint8)
    places = _places(weather, variant, moment, width_px / height_px, fineness)
    for number, (x, y) in enumerate(places):
        _draw(large, weather, x, y, 1.0 if fineness == 1.0 else 0.35 + 0.5 * (number * 0.618 % 1))
    if factor == 1:
        return large
    return cv2.resize(large, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.uint8)


def fall(frames: Pixels, weather: Weather, variant: int) -> None:
    """Let it rain or snow in all frames of a clip (frames, height, width, 3), in place."""
    where, part, light = _clip_cover(weather, variant, *frames.shape[:3])
    flat = frames.reshape(-1, 3)
    flat[where] = ((flat[where] * part + light) >> 8).astype(np.uint8)


@lru_cache(maxsize=64)
def _clip_cover(
    weather: Weather, variant: int, frame_count: int, height_px: int, width_px: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16]]:
    """Return which pixels of a clip are covered, how much of them stays, and what is added."""
    moments = np.arange(frame_count) / max(frame_count - 1, 1)
    covers = [cover(weather, variant, float(at), width_px, height_px) for at in moments]
    amount = np.stack(covers).reshape(-1).astype(np.uint16)
    where = np.flatnonzero(amount)
    shown = amount[where, None]
    return where, 256 - shown, shown * np.array(TINT[weather], np.uint16)


def _places(
    weather: Weather, variant: int, moment: float, span: float, fineness: float
) -> list[tuple[float, float]]:
    """Return x and y of every particle, in fractions of the height."""
    generator = np.random.Generator(np.random.PCG64(variant + 31))
    count = round(_COUNT[weather] * span / fineness)
    x, y = generator.random((2, count))
    y = (y + moment * _FALLS[weather]) % 1.0
    sway = 0.02 * np.sin(2 * np.pi * (y * 2 + x)) if weather is Weather.SNOW else 0.12 * y
    return [
        (float(a), float(b)) for a, b in zip((x * span + sway) % span, y * 1.1 - 0.05, strict=True)
    ]


def _draw(large: Pixels, weather: Weather, x: float, y: float, size: float) -> None:
    """Draw one drop as a slanting stroke or one flake as a disc; ``size`` is 1 for a large one."""
    scale = large.shape[0]
    at = (round(x * scale * 16), round(y * scale * 16))
    if weather is Weather.RAIN:
        end = (at[0] + round(0.012 * scale * 16), at[1] + round(0.1 * scale * 16))
        cv2.line(large, at, end, 200, max(round(scale * 0.011 * size), 1), cv2.LINE_AA, 4)
    else:
        cv2.circle(large, at, round(0.014 * size * scale * 16), 245, -1, cv2.LINE_AA, 4)
