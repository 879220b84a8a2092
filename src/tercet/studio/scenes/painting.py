"""Painting: giving a sprite another colour while its light, shade and outlines stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.palette import PAINTS
from tercet.studio.scenes.sprite import Pixels

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_SHADE_PART = 0.42  # how dark the darkest shade of a colour is, against the colour itself
_WHITE_SHADE_PART = 0.62
_GLOSS_PART = 0.45  # how far the brightest gloss goes towards white


def painted(pixels: Pixels, colour: str) -> Pixels:
    """Return straight-alpha RGBA ``pixels`` in ``colour``; every hue becomes that one hue.

    The lightness is stretched over the colour's own range: dark parts become its shade, bright
    parts its gloss. An empty ``colour`` leaves the sprite as it is.
    """
    if not colour:
        return pixels
    light: NDArray[np.float32] = pixels[..., :3].astype(np.float32) @ _LUMA / 255.0
    level = _spread(light, pixels[..., 3] > 127)[..., None]
    tone = np.array(PAINTS[colour], np.float32)
    shade, gloss = tone * _SHADE_PART, tone + (255.0 - tone) * _GLOSS_PART
    if colour == "black":
        gloss = tone + 62.0
    elif colour == "white":
        shade = tone * _WHITE_SHADE_PART
    dark = shade + (tone - shade) * np.minimum(level * 2.0, 1.0)
    rgb = dark + (gloss - tone) * np.maximum(level * 2.0 - 1.0, 0.0)
    out = pixels.copy()
    out[..., :3] = np.clip(rgb, 0, 255).astype(np.uint8)
    return out


def _spread(light: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return lightness 0..1 with its middle at one half, so that most of it shows the colour."""
    values = light[seen]
    if values.size == 0:
        return np.full_like(light, 0.5)
    low, middle, high = np.percentile(values, [2, 50, 98])
    below = 0.5 * (light - low) / max(middle - low, 0.25)
    above = 0.5 + 0.5 * (light - middle) / max(high - middle, 0.25)
    below = below + 0.5 * max(0.0, 1.0 - (middle - low) / 0.25)
    level: NDArray[np.float32] = np.clip(np.where(light < middle, below, above), 0.0, 1.0)
    return level.astype(np.float32)
