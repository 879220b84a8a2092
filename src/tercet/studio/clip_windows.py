"""Real clips cut into windows: five seconds each, sixteen frames, a square from the middle."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tercet.core.errors import UndecodableError
from tercet.studio.media.decode import facts_of, pictures_of
from tercet.studio.scenes.recipe import CLIP_DURATION_S, CLIP_FRAME_COUNT
from tercet.studio.scenes.sprite import Pixels

WINDOWS_MAX = 120  # of one file: ten minutes
BYTES_MAX = 512 * 1024 * 1024  # of one file's windows, where these are large
SHORTEST_S = 0.5


def clip_windows(
    path: Path,
    *,
    start_s: float = 0.0,
    end_s: float = 0.0,
    side_px: int = 64,
    frame_count: int = CLIP_FRAME_COUNT,
) -> Pixels:
    """Return the windows of a video file as RGB (windows, frames, side, side, 3).

    Windows follow one another from ``start_s`` to ``end_s`` (0: to the end); a rest shorter than
    a window is left out, but a clip that is shorter as a whole is one window, its frames spread
    over it. Memory is bounded: at most ``WINDOWS_MAX`` windows or ``BYTES_MAX``, scaled down as
    they come.
    Raises UndecodableError for what is no video, tells no frame rate, or is too short.
    """
    rate = facts_of(path).frames_per_second
    if rate <= 0:
        raise UndecodableError(f"expected a video with a frame rate, {path} tells none")
    windows_max = max(1, min(WINDOWS_MAX, BYTES_MAX // (frame_count * side_px**2 * 3)))
    end_s = min(end_s or 1e6, start_s + windows_max * CLIP_DURATION_S, 1e6)
    first, last = round(start_s * rate), round(end_s * rate)
    step = CLIP_DURATION_S / frame_count * rate  # pictures from one frame to the next
    sparse = max(1, int(step / 2))  # a short clip is spread anew from what is kept here
    kept: dict[int, Pixels] = {}
    count = 0
    wanted = {first + round(at * step) for at in range(windows_max * frame_count)}
    for number, picture in enumerate(pictures_of(path, count_max=last)):
        count = number + 1
        early = number < first + CLIP_DURATION_S * rate and (number - first) % sparse == 0
        if number >= first and (number in wanted or early):
            kept[number] = squared(picture, side_px)
    length = min(count, last) - first
    if length < SHORTEST_S * rate or length < 2:
        raise UndecodableError(
            f"expected at least {SHORTEST_S} seconds of pictures, got {max(length, 0)} pictures "
            f"at {rate:g} a second"
        )
    windows = int(length // (CLIP_DURATION_S * rate))
    if not windows:
        known = np.array(sorted(kept))
        places = first + np.linspace(0, length - 1, frame_count)
        numbers = [int(known[np.abs(known - place).argmin()]) for place in places]
        return np.stack([kept[number] for number in numbers])[None]
    numbers = [first + round(at * step) for at in range(windows * frame_count)]
    frames = np.stack([kept[number] for number in numbers])
    return frames.reshape(windows, frame_count, side_px, side_px, 3)


def squared(picture: Pixels, side_px: int) -> Pixels:
    """Return the middle square of an RGB picture, scaled to ``side_px``."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (side_px, side_px), interpolation=how), np.uint8)
