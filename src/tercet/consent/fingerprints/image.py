"""Images: a work is found again after re-encoding, edits, crops, and inside other pictures.

Tracks of a fingerprint (places in pixels of a copy of at most 512 a side, ``extent`` its size):

- ``whole``: 256-bit codes of the picture, and of what is left without plain borders; ``turned``:
  the same in all eight orientations, which an item asks with. Places: orientation, and left, top,
  right and bottom of what was coded.
- ``marks``: codes of the best places of the picture, indexed; ``more_marks``: further ones, kept
  for verification only. Places as in ``picture_marks.Marks``.
- ``thumbnail``: 96 x 96 grey pixels, kept for verification only.

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
MARKS_KEPT = 560  # with the thumbnail just under 40 KB
MARKS_ASKED = 450
RADIUS_BITS = 32
"""The widest radius that the index searches exactly; 74 % of the marks found again lie in it."""
CANDIDATES_MAX = 24
WORKS_MAX = 100  # that a mark may stand in; soft pictures have no marks that are rarer
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
    views = [(seen.whole, (0, 0, *seen.size_px)), (seen.trimmed, seen.box)]
    views = views[: 1 + seen.has_borders]
    good = [(view, box) for view, box in views if view.quality >= QUALITY_MIN]
    turned = np.array([view.turned_codes() for view, _ in good], np.uint8).reshape(-1, 32)
    where = np.array([(turn, *box) for _, box in good for turn in range(8)], np.float32)
    where = where.reshape(-1, 5)
    return Fingerprint(
        NAME,
        {
            "whole": Track(turned[::8], where[::8]),
            "turned": Track(turned, where),
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
        """A mark that stands in more works is a letter, an arrow, a corner."""
        return {"whole": 1000, "marks": WORKS_MAX}

    def probes(self, query: Fingerprint) -> Mapping[str, Track]:
        """Ask for the whole picture in all orientations, and for more marks than are indexed."""
        if query.unfit:
            return {}
        first, rest = query.tracks["marks"], query.tracks["more_marks"]
        more = MARKS_ASKED - MARKS_INDEXED
        asked = Track(
            np.vstack([first.keys, rest.keys[:more]]), np.vstack([first.places, rest.places[:more]])
        )
        return {"whole": query.tracks["turned"], "marks": asked}

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works with most votes; marks that hit few works count more."""
        votes: dict[int, float] = {}
        for track, weight in (("whole", WHOLE_VOTES), ("marks", 1.0)):
            for work, count in _votes(hits[track]) if track in hits else ():
                votes[work] = votes.get(work, 0.0) + weight * count
        ranked = sorted(votes, key=lambda work: (-votes[work], work))
        return ranked[:CANDIDATES_MAX]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return where the work stands in the query, when marks and pixels agree."""
        return matched(query, work, stored)


def _votes(hits: Hits) -> list[tuple[int, float]]:
    """Return the votes of each work.

    A key of the query shares its vote among the works it hits: rare marks count more. A mark of a
    work takes one vote only, however many letters of a page look like it.
    """
    if not len(hits):
        return []
    order = np.argsort(hits.distance, kind="stable")
    query, work, position = hits.query[order], hits.work[order], hits.position[order]
    first = _first(query, work)
    query, work, position = query[first], work[first], position[first]
    works_hit = np.bincount(query)[query]
    by_rarity = np.argsort(works_hit, kind="stable")
    counted = by_rarity[_first(work[by_rarity], position[by_rarity])]
    works, column = np.unique(work[counted], return_inverse=True)
    totals = np.bincount(column, 1 / works_hit[counted], len(works))
    return [(int(one), float(total)) for one, total in zip(works, totals, strict=True)]


def _first(one: Array, two: Array) -> Array:
    """Return the rows at which a pair of numbers occurs for the first time."""
    _, rows = np.unique(np.stack([one, two], axis=1), axis=0, return_index=True)
    return rows


METHOD = ImageMethod()
