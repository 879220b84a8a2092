"""Frames between frames: what a camera would have seen between two pictures of a scene.

Optical flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", arXiv 1603.03590)
from each picture to the other tells where every place goes; both are carried to the moment
asked for and mixed, each where it agrees with its own way back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]  # (height, width, 2), in pixels
_FLOW_SIDE_PX = 256  # flow is smooth: a larger picture's is not worth its time


@dataclass(slots=True, eq=False)
class Between:
    """Two neighbouring pictures of the same size, and the way from each to the other."""

    first: Picture
    second: Picture
    _forth: Field = field(init=False, repr=False)
    _back: Field = field(init=False, repr=False)
    _places: Field = field(init=False, repr=False)

    def __post_init__(self) -> None:
        height, width = self.first.shape[:2]
        self._forth = _flow(self.first, self.second)
        self._back = _flow(self.second, self.first)
        grid = np.mgrid[0:height, 0:width].astype(np.float32)
        self._places = np.ascontiguousarray(grid[::-1].transpose(1, 2, 0))

    def at(self, part: float) -> Picture:
        """Return the picture at ``part`` of the way, from 0 (the first) to 1 (the second)."""
        if part <= 0:
            return self.first
        if part >= 1:
            return self.second
        # The way at the moment asked for, after Jiang et al., "Super SloMo", arXiv 1712.00080.
        to_first = -(1 - part) * part * self._forth + part * part * self._back
        to_second = (1 - part) ** 2 * self._forth - part * (1 - part) * self._back
        early, late = self._carried(self.first, to_first), self._carried(self.second, to_second)
        return np.asarray(cv2.addWeighted(early, 1 - part, late, part, 0.0), np.uint8)

    def _carried(self, picture: Picture, way: Field) -> Picture:
        where = self._places + way
        x, y = np.ascontiguousarray(where[..., 0]), np.ascontiguousarray(where[..., 1])
        carried = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(carried, np.uint8)


def _flow(first: Picture, second: Picture) -> Field:
    """Return where each place of the first picture is in the second, as steps in pixels."""
    height, width = first.shape[:2]
    factor = min(_FLOW_SIDE_PX / max(height, width), 1.0)
    size = (max(round(width * factor), 16), max(round(height * factor), 16))
    grey = [
        cv2.cvtColor(cv2.resize(one, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for one in (first, second)
    ]
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    small = finder.calc(grey[0], grey[1], np.zeros((size[1], size[0], 2), np.float32))
    scale = np.array([width / size[0], height / size[1]], np.float32)
    return np.asarray(cv2.resize(small, (width, height)) * scale, np.float32)
