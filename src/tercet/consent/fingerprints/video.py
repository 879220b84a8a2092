"""Moving pictures: a work is found again in re-encoded, cut, sped up, cropped, framed copies.

Codes of whole frames and marks of some frames find works and lay their picture over the item's;
small thumbnails of all frames then tell whether the two show the same, for how long, and whether
it *moves* alike: what moves alike was not just filmed at the same place. The sound of a video is a
matter of its own (`audio`). Tracks: `video_tracks`. How well it works: docs/fingerprints/video.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import (
    CODE_BYTES,
    Array,
    Fingerprint,
    Hits,
    Match,
    Track,
)
from tercet.consent.fingerprints.frames import frames_of
from tercet.consent.fingerprints.video_alignment import runs_of
from tercet.consent.fingerprints.video_match import matched
from tercet.consent.fingerprints.video_seeds import RADIUS, seeds_of
from tercet.consent.fingerprints.video_tracks import (
    MARKS_MAX,
    METHOD_NAME,
    fingerprint_of,
    turned_bits,
)
from tercet.core.work import Medium

CANDIDATES_MAX = 32
VOTES_MIN = 2  # marks that one frame of the item must share with one place of a work
WHOLE_VOTES = 3.0  # a whole frame counts as so many marks
FRAME_VOTES_MAX = 30  # one frame alone outweighs no more: evidence comes from several


def fingerprint(file: BinaryIO) -> Fingerprint:
    """Return the fingerprint of a video's picture. ``extent``: seconds, width and height.

    Raises UndecodableError when there is no moving picture that could be decoded.
    """
    return fingerprint_of(frames_of(file))


@dataclass(frozen=True, slots=True)
class VideoMethod:
    """How moving pictures are recognised."""

    name: str = METHOD_NAME
    medium: Medium = Medium.VIDEO

    @property
    def radii(self) -> Mapping[str, int]:
        """Whole frames and marks are searched within 32 bits."""
        return {"whole": RADIUS, "marks": RADIUS}

    @property
    def work_count_max(self) -> Mapping[str, int]:
        """A mark that stands in more than 30 works is a letter, a logo, a corner."""
        return {"whole": 100, "marks": 30}

    def probes(self, query: Fingerprint) -> Mapping[str, Track]:
        """Ask for whole frames in all eight orientations; row ``i`` is frame ``i % frames``."""
        whole = query.tracks["whole"]
        turned = turned_bits(whole.keys).reshape(-1, CODE_BYTES)
        return {
            "whole": Track(turned, np.tile(whole.places, (8, 1))),
            "marks": query.tracks["marks"],
        }

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works that most frames of the item vote for."""
        votes: dict[int, float] = {}
        for work, count in _votes(query, hits):
            votes[work] = votes.get(work, 0.0) + count
        return sorted(votes, key=lambda work: (-votes[work], work))[:CANDIDATES_MAX]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return where the work runs in the item, when its frames agree in picture and time."""
        if query.unfit or stored.unfit:
            return None
        runs = runs_of(query, stored, seeds_of(query, stored))
        return matched(query, work, stored, runs)


def _votes(query: Fingerprint, hits: Mapping[str, Hits]) -> Iterator[tuple[int, float]]:
    """Yield votes for works: of marks by frame, where they agree on a place in the work."""
    marks = hits.get("marks")
    if marks is not None and len(marks):
        frame = np.unique(query.tracks["marks"].places[:, 0], return_inverse=True)[1]
        yield from _mark_votes(frame[marks.query], marks)
    whole = hits.get("whole")
    if whole is not None and len(whole):
        frame = whole.query % len(query.tracks["whole"])
        pairs = np.unique(np.stack([whole.work, frame], axis=1), axis=0)
        for work, count in zip(*np.unique(pairs[:, 0], return_counts=True), strict=True):
            yield int(work), WHOLE_VOTES * int(count)


def _mark_votes(frame: Array, hits: Hits) -> Iterator[tuple[int, float]]:
    """Yield, for each frame and work, the marks found in one stretch of the work's track.

    The marks of one frame of a work are neighbours in its track; those of a chance are scattered.
    """
    rows = np.stack([hits.work, frame, hits.position // MARKS_MAX, hits.query], axis=1)
    places, counts = np.unique(np.unique(rows, axis=0)[:, :3], axis=0, return_counts=True)
    good = counts >= VOTES_MIN
    for (work, _, _), count in zip(places[good].tolist(), counts[good].tolist(), strict=True):
        yield int(work), float(min(count, FRAME_VOTES_MAX))


METHOD = VideoMethod()
