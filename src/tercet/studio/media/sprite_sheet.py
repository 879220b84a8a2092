"""The sprite sheet: a grid of small pictures, evenly spread over a video, for a player's bar."""

from __future__ import annotations

import numpy as np

from tercet.core.errors import InputError
from tercet.studio.engines.engine import Picture
from tercet.studio.media.still import StillFormat, scaled_down, still_bytes

COLUMNS, ROWS = 5, 5
TILE_SIDE_PX = 160


class SpriteSheet:
    """Takes pictures of a video of ``frame_count`` as they pass. Memory: the sheet.

    Tiles run from the top left, row by row; tile k shows the middle of the k-th part of the
    video. A video of fewer pictures than tiles shows some of them twice.
    """

    def __init__(self, frame_count: int) -> None:
        if frame_count < 1:
            raise InputError(f"expected a video of one frame or more, got {frame_count}")
        tiles = COLUMNS * ROWS
        self._places: dict[int, list[int]] = {}
        for tile in range(tiles):
            self._places.setdefault((2 * tile + 1) * frame_count // (2 * tiles), []).append(tile)
        self._seen = 0
        self._sheet: Picture | None = None

    def see(self, picture: Picture) -> None:
        """Look at the next picture."""
        places = self._places.get(self._seen, ())
        self._seen += 1
        if not places:
            return
        tile = scaled_down(picture, TILE_SIDE_PX)
        height, width = tile.shape[:2]
        if self._sheet is None:
            self._sheet = np.zeros((height * ROWS, width * COLUMNS, 3), np.uint8)
        for place in places:
            top, left = place // COLUMNS * height, place % COLUMNS * width
            self._sheet[top : top + height, left : left + width] = tile

    @property
    def sheet(self) -> Picture:
        """The sheet so far, RGB. Raises InputError when no tile was seen."""
        if self._sheet is None:
            raise InputError("expected pictures to make a sprite sheet of, got none")
        return self._sheet

    def file_bytes(self, form: StillFormat = StillFormat.JPEG) -> bytes:
        """Return the sheet as a file."""
        return still_bytes(self.sheet, form)
