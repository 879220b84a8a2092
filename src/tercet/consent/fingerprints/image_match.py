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
from tercet.consent.fingerprints.picture_placing import edits_of, regions_of
from tercet.consent.fingerprints.picture_thumbnail import Agreement, agreement, thumbnail_of

WHOLE_BITS_MAX = 64
"""Between codes of whole pictures, for a transform to be tried."""
WHOLE_CERTAIN_BITS = 24
COMPARED_MIN = 6  # blocks; with fewer there is nothing to see
CERTAIN = ((6, 0.85), (8, 0.70), (20, 0.55), (80, 0.45))
LIKELY = ((5, 0.80), (7, 0.55), (20, 0.45), (80, 0.40))
POSSIBLE = ((6, 0.40), (12, 0.15))
"""(strict marks, share of the work's visible area that looks the same): either of each band.

See docs/fingerprints/image.md for what was measured."""


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
    order = {Band.CERTAIN: 0, Band.LIKELY: 1, Band.POSSIBLE: 2}
    kept = sorted(
        ((order[band], -found.strict, at) for at, (band, found) in enumerate(judged) if band),
    )
    if not kept:
        return None
    best_band, best = judged[kept[0][2]]
    assert best_band is not None
    pairs = [
        regions_of(judged[at][1].alignment.matrix, stored.extent, query.extent)
        for rank, _, at in kept
        if rank == kept[0][0]
    ]
    return Match(
        work=work,
        method=stored.method,
        band=best_band,
        score=float(best.strict),
        unit="marks",
        pairs=tuple((Region(quad=item), Region(quad=own)) for item, own in pairs),
        edits=edits_of(best.alignment.matrix, stored.extent, query.extent),
        facts={
            "marks": float(best.strict),
            "guided_marks": float(best.inliers),
            "alike_share": best.agreement.share,
            "blocks": float(best.agreement.compared),
            "visible_share": best.agreement.visible,
            "correlation": best.agreement.correlation,
            "whole_bits": float(best.bits),
        },
    )


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
    if compared < COMPARED_MIN:
        return None
    if found.bits <= WHOLE_CERTAIN_BITS and share >= 0.9 and compared >= 12:
        return Band.CERTAIN
    rules = CERTAIN, LIKELY, POSSIBLE
    for band, rule in zip(Band, rules, strict=True):
        if any(marks >= least and share >= covered for least, covered in rule):
            return band
    return None


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
    seen = query.tracks["turned"]
    for code in stored.tracks["whole"].keys:
        best = _nearest(code, seen)
        if best is None or best[0] > WHOLE_BITS_MAX:
            continue
        yield best[0], placing(int(seen.places[best[1], 1]), _size(stored), _size(query))


def _nearest(code: Array, track: Track) -> tuple[int, int] | None:
    if not len(track):
        return None
    bits = np.bitwise_count(track.keys ^ code).sum(axis=1)
    return int(bits.min()), int(bits.argmin())


def placing(
    orientation: int, work_size: tuple[float, float], item_size: tuple[float, float]
) -> Array:
    """Return the transform that lays all of a work, so turned, on all of an item."""
    turns = (
        ((1, 0), (0, 1)), ((-1, 0), (0, 1)), ((1, 0), (0, -1)), ((-1, 0), (0, -1)),
        ((0, 1), (1, 0)), ((0, -1), (1, 0)), ((0, 1), (-1, 0)), ((0, -1), (-1, 0)),
    )  # fmt: skip
    turned = np.array(turns[orientation], np.float64)
    linear = np.diag(item_size) @ turned @ np.diag([1 / side for side in work_size])
    centre = np.array(item_size) / 2 - linear @ (np.array(work_size) / 2)
    return np.vstack([np.column_stack([linear, centre]), [0, 0, 1]])


def _marks(stored: Fingerprint) -> Marks:
    parts = [stored.tracks["marks"], stored.tracks["more_marks"]]
    codes = np.vstack([part.keys for part in parts])
    return marks_of(codes, np.vstack([part.places for part in parts]))


def _size(of: Fingerprint) -> tuple[float, float]:
    return of.extent[0], of.extent[1]
