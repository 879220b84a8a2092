"""Edits of clips by PyAV: the twelve of the reference's list, and others.

A clip is (frames, frames a second), frames BGR uint8 (n, height, width, 3); an edited one is a
clip, or the bytes of a file where the encoding is the edit. Pictures are edited frame by frame,
by the edits of pictures with the same random numbers for every frame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from bench.identify_av import write_video
from bench.identify_edits import Edit

from bench import identify_image_edits as stills

Clip = tuple[np.ndarray[Any, np.dtype[Any]], float]
Random = np.random.Generator


def _each(
    clip: Clip, random: Random, other: Clip, *, make: Callable[..., Any], fixed: bool = True
) -> Clip:
    """Edit every frame; ``fixed``: with the same random numbers, as an editor does."""
    frames, rate = clip
    seed = int(random.integers(1 << 62))
    still = np.random.default_rng(seed)
    made = []
    for at, frame in enumerate(frames):
        drawn = np.random.default_rng(seed) if fixed else still
        made.append(make(frame, drawn, other[0][at % len(other[0])]))
    return np.stack([_even(picture) for picture in made]), rate


def _even(picture: np.ndarray) -> np.ndarray:
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    return picture[:height, :width]


def _recoded(clip: Clip, _r: Random, _o: Clip, *, factor: float, crf: int) -> bytes:
    frames = np.stack([_even(stills.scaled(frame, factor)) for frame in clip[0]])
    return write_video(frames, clip[1], crf)


def _subtitle_and_logo(frame: np.ndarray, random: Random, other: np.ndarray) -> np.ndarray:
    titled = stills.EDIT_MAKERS["subtitle"](frame, random, other)
    height, width = titled.shape[:2]
    titled[height // 20 : height // 6, width // 30 : width // 5] = (60, 40, 190)
    return titled


def _speed(clip: Clip, _r: Random, _o: Clip, *, factor: float) -> Clip:
    """Frames are dropped or repeated, the rate stays."""
    at = np.arange(0, len(clip[0]), factor).astype(int)
    return clip[0][at], clip[1]


def excerpt(clip: Clip, random: Random, _o: Clip = None, *, seconds: float) -> Clip:
    """Return a random piece of so many seconds."""
    count = min(len(clip[0]), round(seconds * clip[1]))
    start = int(random.integers(0, len(clip[0]) - count + 1))
    return clip[0][start : start + count], clip[1]


def _rate(clip: Clip, _r: Random, _o: Clip, *, frames_a_second: float) -> Clip:
    at = np.arange(0, len(clip[0]), clip[1] / frames_a_second).astype(int)
    return clip[0][at], frames_a_second


def _graded(frame: np.ndarray, _r: Random, _o: np.ndarray) -> np.ndarray:
    """Warmer, more contrast, lifted blacks."""
    values = (frame.astype(np.float32) - 128) * 1.25 + 138
    return np.clip(values * np.array([0.82, 1.0, 1.15]), 0, 255).astype(np.uint8)


def _in_picture(frame: np.ndarray, random: Random, other: np.ndarray) -> np.ndarray:
    """At 60 % of the width and height, on grey."""
    grey = np.full_like(frame, 128)
    small = stills.scaled(frame, 0.6)
    height, width = small.shape[:2]
    y = int(random.integers(0, frame.shape[0] - height + 1))
    x = int(random.integers(0, frame.shape[1] - width + 1))
    grey[y : y + height, x : x + width] = small
    return grey


def _on_other(frame: np.ndarray, _r: Random, other: np.ndarray) -> np.ndarray:
    """A reaction: the clip at 65 %, another clip moving in the corner, over its blurred self."""
    height, width = frame.shape[:2]
    out = cv2.GaussianBlur(frame, (0, 0), 12)
    small = stills.scaled(frame, 0.65)
    out[: small.shape[0], : small.shape[1]] = small
    face = stills.resized(other, width // 3, height // 3)
    out[height - height // 3 :, width - width // 3 :] = face[: height // 3, : width // 3]
    return out


def _inserted(clip: Clip, random: Random, other: Clip, *, seconds: float) -> Clip:
    """An excerpt between pieces of another clip: a compilation."""
    piece, rate = excerpt(clip, random, seconds=seconds)
    height, width = piece.shape[1:3]
    around = np.stack([stills.resized(frame, width, height) for frame in other[0][:120]])
    half = len(around) // 2
    return np.concatenate([around[:half], piece, around[half:]]), rate


def _chain(clip: Clip, random: Random, other: Clip, *, steps: tuple[Any, ...]) -> Any:
    made: Any = clip
    for step in steps:
        made = step(made, random, other)
    return made


def _listed(name: str, strength: str, make: Callable[..., Any]) -> Edit:
    return Edit(name, strength, make, listed=True)


_MAKERS = stills.EDIT_MAKERS
_FRAMES = partial(partial, _each)

EDITS = (
    _listed("h264", "crf 35, half size", partial(_recoded, factor=0.5, crf=35)),
    _listed("subtitle and logo", "", _FRAMES(make=_subtitle_and_logo)),
    _listed("speed", "1.25x", partial(_speed, factor=1.25)),
    _listed("speed", "2x", partial(_speed, factor=2.0)),
    _listed("excerpt", "3 s", partial(excerpt, seconds=3.0)),
    _listed("colour grade", "", _FRAMES(make=_graded)),
    _listed("crop", "80 %", _FRAMES(make=partial(stills.cropped, share=0.8))),
    _listed("letterbox", "", _FRAMES(make=_MAKERS["letterbox 25 %"])),
    _listed("mirror", "", _FRAMES(make=_MAKERS["mirror"])),
    _listed("picture in picture", "60 % on grey", _FRAMES(make=_in_picture)),
    _listed("rotate", "90", _FRAMES(make=_MAKERS["rotate 90"])),
    _listed("rotate", "5", _FRAMES(make=_MAKERS["rotate 5"])),
    Edit("h264", "crf 42, quarter size", partial(_recoded, factor=0.25, crf=42)),
    Edit("excerpt", "2 s", partial(excerpt, seconds=2.0)),
    Edit("frame rate", "10", partial(_rate, frames_a_second=10.0)),
    Edit("speed", "0.75x", partial(_speed, factor=0.75)),
    Edit("crop", "60 %", _FRAMES(make=partial(stills.cropped, share=0.6))),
    Edit("gray", "", _FRAMES(make=_MAKERS["gray"])),
    Edit("noise", "sigma 20", _FRAMES(make=_MAKERS["noise sigma 20"], fixed=False)),
    Edit("emoji", "30 %", _FRAMES(make=_MAKERS["emoji 30 %"])),
    Edit("blend", "40 %", _FRAMES(make=_MAKERS["blend 40 %"])),
    Edit("screenshot", "75 %", _FRAMES(make=_MAKERS["screenshot 75 %"])),
    Edit("reaction", "65 %", _FRAMES(make=_on_other)),
    Edit("in a compilation", "3 s", partial(_inserted, seconds=3.0)),
    Edit("chain", "mirror, crop, 1.25x, crf 32", partial(_chain, steps=(
        _FRAMES(make=_MAKERS["mirror"]), _FRAMES(make=partial(stills.cropped, share=0.85)),
        partial(_speed, factor=1.25), partial(_recoded, factor=0.7, crf=32)))),
)  # fmt: skip
