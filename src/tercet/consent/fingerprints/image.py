"""Images: a work is found again after re-encoding, edits, crops, and inside other pictures.

Tracks of a fingerprint (places in pixels of a copy of at most 512 a side, ``extent`` its size):

- ``whole``: 256-bit codes of the picture, and of what is left without plain borders, in all eight
  orientations; places (view, orientation).
- ``marks``: codes of the best places of the picture, indexed; ``more_marks``: further ones, kept
  for verification only. Places as in ``picture_marks.Marks``.
- ``thumbnail``: 64 x 64 grey pixels, kept for verification only.

How it works, and how well: docs/fingerprints/image.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Fingerprint, Hits, Match, Track
from tercet.consent.fingerprints.image_match import matched
from tercet.consent.fingerprints.picture import look
from tercet.consent.fingerprints.picture_code import QUALITY_MIN
from tercet.consent.fingerprints.picture_decoding import grey_picture
from tercet.consent.fingerprints.picture_marks import MARK_SIDE_PX, at_most, same_sense
from tercet.consent.fingerprints.picture_thumbnail import thumbnail_track
from tercet.core.work import Medium

NAME = "image-1"
MARKS_INDEXED = 300
MARKS_KEPT = 800
RADIUS_BITS = 32
"""The widest radius that the index searches exactly; 74 % of the marks found again lie in it."""
CANDIDATES_MAX = 12
VOTES_MIN = 1.0
WHOLE_VOTES = 20.0  # a hit of the whole picture's code outweighs so many marks


def fingerprint(raw: bytes) -> Fingerprint:
    """Return the fingerprint of an image file.

    Raises UndecodableError when it is no image, broken, or larger than the limits.
    """
    return fingerprint_of(grey_picture(raw))


def fingerprint_of(grey: Array) -> Fingerprint:
    """Return the fingerprint of a grey picture, uint8 (height, width)."""
    grey = at_most(grey, MARK_SIDE_PX)
    seen = look(grey, marks_max=MARKS_KEPT)
    extent = (float(grey.shape[1]), float(grey.shape[0]))
    if seen.unfit:
        return Fingerprint(NAME, {}, extent, seen.unfit)
    codes = same_sense(seen.marks)
    places = seen.marks.places
    views = [seen.whole, seen.trimmed] if seen.has_borders else [seen.whole]
    good = [(at, view) for at, view in enumerate(views) if view.quality >= QUALITY_MIN]
    turned = [view.turned_codes() for _, view in good] or [np.zeros((0, 32), np.uint8)]
    where = [(at, turn) for at, _ in good for turn in range(8)]
    return Fingerprint(
        NAME,
        {
            "whole": Track(np.vstack(turned), np.array(where, np.float32).reshape(-1, 2)),
            "marks": Track(codes[:MARKS_INDEXED], places[:MARKS_INDEXED]),
            "more_marks": Track(codes[MARKS_INDEXED:], places[MARKS_INDEXED:]),
            "thumbnail": thumbnail_track(grey),
        },
        extent,
    )


@dataclass(frozen=True, slots=True)
class ImageMethod:
    """How images are recognised."""

    name: str = NAME
    medium: Medium = Medium.IMAGE

    @property
    def radii(self) -> Mapping[str, int]:
        """Whole pictures and marks are searched within 32 bits."""
        return {"whole": RADIUS_BITS, "marks": RADIUS_BITS}

    @property
    def work_count_max(self) -> Mapping[str, int]:
        """A mark that stands in more than 30 works is a letter, an arrow, a corner."""
        return {"whole": 1000, "marks": 30}

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works with most votes; marks that hit few works count more."""
        votes: dict[int, float] = {}
        for track, weight in (("whole", WHOLE_VOTES), ("marks", 1.0)):
            for work, count in _votes(hits[track]) if track in hits else ():
                votes[work] = votes.get(work, 0.0) + weight * count
        ranked = sorted(votes, key=lambda work: (-votes[work], work))
        return [work for work in ranked if votes[work] >= VOTES_MIN][:CANDIDATES_MAX]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return where the work stands in the query, when marks and pixels agree."""
        return matched(query, work, stored)


def _votes(hits: Hits) -> list[tuple[int, float]]:
    """Return the votes of each work: every key of the query shares its vote among those it hits."""
    if not len(hits):
        return []
    pairs = np.unique(np.stack([hits.query, hits.work], axis=1), axis=0)
    _, row, count = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    works, column = np.unique(pairs[:, 1], return_inverse=True)
    weight = 1 / np.log2(1 + count[row].astype(np.float64))
    totals = np.bincount(column, weight, len(works))
    return [(int(work), float(total)) for work, total in zip(works, totals, strict=True)]


METHOD = ImageMethod()
