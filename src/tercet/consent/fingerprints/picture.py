"""What still images and frames of videos share: how a picture is recognised.

Two kinds of 256-bit codes, both for an index with a Hamming radius of at most 32:

- One code of the whole picture (``picture_code``), for copies that were re-encoded, resized,
  recoloured, mirrored or turned by 90 degrees. Store ``look(grey).whole.code()`` (and of the
  trimmed picture, where it has borders); search for all eight of ``turned_codes()``.
- Marks: codes of small places with where they stand (``picture_marks``), for crops, overlays,
  collages, frames, any turn, perspective. Store ``same_sense`` codes of the best few hundred and
  search for the query's: they are the same for the mirrored picture. A work that gathers several
  hits is verified by ``picture_geometry.align``: its marks must agree with one transform.

A picture is a grey array, uint8 (height, width), of any size; marks are sought at 512 pixels.

    seen = look(grey, marks_max=300)
    seen.unfit                       # () or why it can identify nothing
    seen.whole.code()                # uint8 (32,), to be stored
    seen.trimmed.turned_codes()      # uint8 (8, 32), to be searched
    seen.marks.codes                 # uint8 (n, 32)
    seen.marks.places                # float32 (n, 5): x, y, diameter in pixels; angle; sense
    same_sense(seen.marks)           # uint8 (n, 32): codes to be stored and searched
    marks_of(codes, places)          # the marks again, from those
    align(work_marks, work_size, item_marks)   # [Alignment(matrix, pairs), ...], best first
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Unfit
from tercet.consent.fingerprints.picture_code import (
    WholeCode,
    trimmed_box,
    whole_code,
)
from tercet.consent.fingerprints.picture_marks import Marks, find_marks, no_marks

FLAT_RANGE_MAX = 6
"""Levels of brightness between the 0.5 and 99.5 per cent of a blank's pixels."""
MARKS_MIN = 12
QUALITY_WITHOUT_MARKS_MIN = 85
"""With fewer marks than MARKS_MIN a picture must have so much texture all over to be fit.

Bars of 75 and 100 per cent and a colour spectrum have 0 to 1 marks and a quality of 66 to 68.
"""
STRIPES_SHARE_MIN = 0.97
STRIPES_MARKS_MAX = 100
"""A picture all of whose edges are upright or level, and with so few marks, is a test pattern.

SMPTE, HD and PAL bars and a colour chart: 98 to 100 per cent and 0 to 78 marks. A page of text, a
photograph: below 90 per cent.
"""
EDGE_LEVELS_MIN = 2.0  # of brightness a pixel
SLANT_MAX = 0.06  # of the lesser slope to the whole: 3.5 degrees


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one picture.

    ``whole`` is the code of all of it, ``trimmed`` of what is left without plain borders (the same
    where there are none), ``box`` what that is: (left, top, right, bottom) in pixels.
    """

    size_px: tuple[int, int]
    whole: WholeCode
    trimmed: WholeCode
    box: tuple[int, int, int, int]
    marks: Marks
    unfit: tuple[Unfit, ...]

    @property
    def has_borders(self) -> bool:
        """Tell whether plain borders were trimmed."""
        return self.box != (0, 0, *self.size_px)


def look(grey: Array, *, marks_max: int = 300) -> Look:
    """Return the codes and the best marks of a grey picture, uint8 (height, width)."""
    height, width = grey.shape
    whole = whole_code(grey)
    left, top, right, bottom = box = trimmed_box(grey)
    same = box == (0, 0, width, height)
    trimmed = whole if same else whole_code(grey[top:bottom, left:right])
    blank = _is_blank(grey)
    marks = no_marks() if blank or not marks_max else find_marks(grey, marks_max)
    plain = len(marks) < MARKS_MIN and trimmed.quality < QUALITY_WITHOUT_MARKS_MIN
    plain = plain or (len(marks) <= STRIPES_MARKS_MAX and is_striped(grey))
    unfit = (Unfit.BLANK,) if blank else (Unfit.LOW_TEXTURE,) if plain else ()
    return Look((width, height), whole, trimmed, box, marks, unfit)


def is_striped(grey: Array) -> bool:
    """Tell whether all edges of a grey picture are upright or level: bars, stripes, charts."""
    import cv2

    across = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8))
    down = np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8))
    steep = np.hypot(across, down)
    edges = steep > EDGE_LEVELS_MIN
    straight = edges & (np.minimum(across, down) < SLANT_MAX * steep)
    return bool(straight.sum() >= STRIPES_SHARE_MIN * max(1, int(edges.sum())))


def _is_blank(grey: Array) -> bool:
    low, high = np.percentile(grey, (0.5, 99.5))
    return bool(high - low <= FLAT_RANGE_MAX)
