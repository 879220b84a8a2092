"""Whether, where and how surely a registered image stands in an item.

Two ways lead to a transform: marks that agree, and the code of the whole picture. Both are judged
alike: by how many marks agree, and by how much of the work's area looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Band, Fingerprint, Match, Region, Track
from tercet.consent.fingerprints.picture_geometry import Alignment, align, aligned_near
from tercet.consent.fingerprints.picture_marks import Marks, marks_of
from tercet.consent.fingerprints.picture_placing import (
    Quad,
    edits_of,
    regions_of,
    shared_share,
)
from tercet.consent.fingerprints.picture_thumbnail import (
    Agreement,
    agreement,
    repetition,
    thumbnail_of,
)

WHOLE_BITS_MAX = 64
"""Between codes of whole pictures, for a transform to be tried."""
OVERLAP_SHARE_MAX = 0.5  # of the smaller of two places, for them to be one
NEVER = -1  # where codes of whole pictures do not stand for marks
CERTAIN = (
    (8, 36, 0.90, 24), (8, 28, 0.85, 20),
    (10, NEVER, 0.70, 12), (20, NEVER, 0.65, 6), (90, NEVER, 0.45, 6),
)  # fmt: skip
CERTAIN_ALIKE = (
    (5, 0.90, 24, 0.90, 0.5), (8, 0.80, 12, 0.90, 0.2),
    (12, 0.80, 9, 0.80, 0.9), (40, 0.90, 4, 0.80, 0.7),
)  # fmt: skip
"""Or, where slopes correlate over all that is to be seen: strict marks, share, blocks, correlation,
share of the work in sight. For pictures on a plain ground, which have few blocks with texture."""
REPEATED_MIN, REPEATED_MARKS_MIN, REPEATED_BITS_MAX = 0.65, 30, 28
"""A work whose thumbnail is so much like itself, shifted, is certain only by so many marks or so
near a code. Chequerboards, grids, dots and bricks: 0.67 to 1.0, and 4 to 23 marks."""
LIKELY = ((4, 44, 0.75, 12), (7, NEVER, 0.60, 6), (20, NEVER, 0.50, 6), (80, NEVER, 0.40, 6))
POSSIBLE = ((6, NEVER, 0.40, 4), (12, NEVER, 0.15, 4))
"""What each band takes, any line of it: at least so many strict marks, or codes of the whole
pictures within so many bits; and so large a share of the work's visible blocks that look the same,
of at least so many that can be compared. What was measured: docs/fingerprints/image.md."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place of the item at which the work may stand.

    ``bits`` is the distance of the whole pictures' codes where they led here, otherwise 256.
    """

    alignment: Alignment
    agreement: Agreement
    bits: int = 256

    @property
    def strict(self) -> int:
        """Return how many distinct places agree without having been sought."""
        return self.alignment.strict

    @property
    def inliers(self) -> int:
        """Return how many marks agree."""
        return len(self.alignment.pairs)


def matched(query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
    """Return the match of an item with a registered image; None when there is none."""
    if query.unfit or stored.unfit:
        return None
    judged = [(band_of(found), found) for found in evidence_of(query, stored)]
    if any(band is Band.CERTAIN for band, _ in judged) and _is_repeated(stored):
        judged = [(_band_of_repeated(band, found), found) for band, found in judged]
    order = {Band.CERTAIN: 0, Band.LIKELY: 1, Band.POSSIBLE: 2}
    kept = sorted(
        ((order[band], -found.strict, at) for at, (band, found) in enumerate(judged) if band),
    )
    if not kept:
        return None
    best_band, best = judged[kept[0][2]]
    assert best_band is not None
    same_band = [judged[at][1].alignment.matrix for rank, _, at in kept if rank == kept[0][0]]
    pairs = [regions_of(matrix, stored.extent, query.extent) for matrix in same_band]
    return Match(
        work=work,
        method=stored.method,
        band=best_band,
        score=float(best.strict),
        unit="marks",
        pairs=tuple((Region(quad=item), Region(quad=own)) for item, own in _apart(pairs)),
        edits=edits_of(best.alignment.matrix, stored.extent, query.extent),
        facts={
            "marks": float(best.strict),
            "guided_marks": float(best.inliers),
            "alike_share": best.agreement.share,
            "blocks": float(best.agreement.compared),
            "strange_blocks": float(best.agreement.strange),
            "visible_share": best.agreement.visible,
            "correlation": best.agreement.correlation,
            "whole_bits": float(best.bits),
        },
    )


def _apart(pairs: list[tuple[Quad, Quad]]) -> list[tuple[Quad, Quad]]:
    """Leave out what shows the same as a better pair: marks and codes may lead to one place."""
    kept: list[tuple[Quad, Quad]] = []
    for pair in pairs:
        if all(shared_share(pair[0], other[0]) <= OVERLAP_SHARE_MAX for other in kept):
            kept.append(pair)
    return kept


def evidence_of(query: Fingerprint, stored: Fingerprint) -> list[Evidence]:
    """Return the places at which the work may stand, from marks and from whole pictures."""
    mine, theirs = _marks(stored), _marks(query)
    aligned = align(mine, _size(stored), theirs)
    found = [Evidence(a, _agreement(stored, query, a)) for a in aligned]
    for bits, matrix in _whole_placings(query, stored):
        alignment = aligned_near(mine, theirs, matrix)
        both = (alignment, replace(alignment, matrix=matrix))
        found += [Evidence(a, _agreement(stored, query, a), bits) for a in both]
    return found


def band_of(found: Evidence) -> Band | None:
    """Return how sure one place is; None when it is nothing.

    The work's own area decides: a logo or a caption that two pictures share makes marks agree, but
    covers little of the work.
    """
    marks, share, compared = found.strict, found.agreement.share, found.agreement.compared
    if _is_alike(found):
        return Band.CERTAIN
    for band, rules in zip(Band, (CERTAIN, LIKELY, POSSIBLE), strict=True):
        for least_marks, bits_max, least_share, least_blocks in rules:
            enough = marks >= least_marks or found.bits <= bits_max
            if enough and share >= least_share and compared >= least_blocks:
                return band
    return None


def _is_repeated(stored: Fingerprint) -> bool:
    return repetition(thumbnail_of(stored.tracks["thumbnail"])) >= REPEATED_MIN


def _band_of_repeated(band: Band | None, found: Evidence) -> Band | None:
    """Return the band for a work that repeats itself: a pattern is nobody's alone."""
    enough = found.strict >= REPEATED_MARKS_MIN or found.bits <= REPEATED_BITS_MAX
    return Band.LIKELY if band is Band.CERTAIN and not enough else band


def _is_alike(found: Evidence) -> bool:
    """Tell whether all that is to be seen of the work looks so much the same as to be certain."""
    seen = found.agreement
    have = (found.strict, seen.share, seen.compared, seen.correlation, seen.visible)
    return any(
        all(one >= least for one, least in zip(have, rule, strict=True)) for rule in CERTAIN_ALIKE
    )


def _agreement(stored: Fingerprint, query: Fingerprint, alignment: Alignment) -> Agreement:
    return agreement(
        thumbnail_of(stored.tracks["thumbnail"]),
        _size(stored),
        thumbnail_of(query.tracks["thumbnail"]),
        _size(query),
        alignment.matrix,
    )


def _whole_placings(query: Fingerprint, stored: Fingerprint) -> Iterator[tuple[int, Array]]:
    """Yield distances and transforms of whole pictures whose codes are near."""
    own, seen = stored.tracks["whole"], query.tracks["turned"]
    for code, place in zip(own.keys, own.places, strict=True):
        best = _nearest(code, seen)
        if best is None or best[0] > WHOLE_BITS_MAX:
            continue
        turn, *box = seen.places[best[1]]
        yield best[0], placing(int(turn), place[1:5], np.array(box))


def _nearest(code: Array, track: Track) -> tuple[int, int] | None:
    if not len(track):
        return None
    bits = np.bitwise_count(track.keys ^ code).sum(axis=1)
    return int(bits.min()), int(bits.argmin())


def placing(orientation: int, work_box: Array, item_box: Array) -> Array:
    """Return the transform that lays a box of a work, so turned, on a box of an item.

    Boxes are (left, top, right, bottom) in pixels; ``orientation`` is a row of ``ORIENTATIONS``.
    """
    turns = (
        ((1, 0), (0, 1)), ((-1, 0), (0, 1)), ((1, 0), (0, -1)), ((-1, 0), (0, -1)),
        ((0, 1), (1, 0)), ((0, -1), (1, 0)), ((0, 1), (-1, 0)), ((0, -1), (-1, 0)),
    )  # fmt: skip
    work, item = (np.asarray(box, np.float64).reshape(2, 2) for box in (work_box, item_box))
    turned = np.array(turns[orientation], np.float64)
    linear = np.diag(item[1] - item[0]) @ turned @ np.diag(1 / (work[1] - work[0]))
    centre = item.mean(axis=0) - linear @ work.mean(axis=0)
    return np.vstack([np.column_stack([linear, centre]), [0, 0, 1]])


def _marks(stored: Fingerprint) -> Marks:
    parts = [stored.tracks["marks"], stored.tracks["more_marks"]]
    codes = np.vstack([part.keys for part in parts])
    return marks_of(codes, np.vstack([part.places for part in parts]))


def _size(of: Fingerprint) -> tuple[float, float]:
    return of.extent[0], of.extent[1]
