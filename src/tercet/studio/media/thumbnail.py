"""The thumbnail: the picture of a video that shows most, found while the video is made."""

from __future__ import annotations

import numpy as np

from tercet.core.errors import InputError
from tercet.studio.engines.engine import Picture
from tercet.studio.media.still import StillFormat, scaled_down, still_bytes

THUMBNAIL_SIDE_PX = 512
_LOOK_SIDE_PX = 64
_BETTER = 1.02  # a picture must show so much more than the best before it: earlier ones win


class TellingPicture:
    """Looks at pictures as they pass and keeps the one that shows most. Memory: one picture."""

    def __init__(self) -> None:
        self._score = -1.0
        self._best: Picture | None = None

    def see(self, picture: Picture) -> None:
        """Look at the next picture; it is copied if it is kept."""
        score = telling_score(picture)
        if score > self._score * _BETTER or self._best is None:
            self._score, self._best = score, picture.copy()

    def file_bytes(self, form: StillFormat = StillFormat.WEBP) -> bytes:
        """Return the thumbnail as a file. Raises InputError when no picture was seen."""
        if self._best is None:
            raise InputError("expected at least one picture to make a thumbnail of, got none")
        return still_bytes(scaled_down(self._best, THUMBNAIL_SIDE_PX), form)


def telling_score(picture: Picture) -> float:
    """Return how much a picture shows, in grey levels: edges, contrast and colour.

    Zero for an even surface, so black openings and fades lose. Colour counts as by Hasler and
    Suesstrunk, "Measuring colourfulness in natural images" (2003), equation 2.
    """
    small = scaled_down(picture, _LOOK_SIDE_PX).astype(np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    across, down = np.abs(np.diff(luma, axis=1)).mean(), np.abs(np.diff(luma, axis=0)).mean()
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = float(np.hypot(red_green.std(), yellow_blue.std()))
    shift = float(np.hypot(red_green.mean(), yellow_blue.mean()))
    colour = spread + 0.3 * shift if spread > 1 else 0.0
    return float(across + down) + float(luma.std()) + colour
