"""Do the marks of two pictures agree on one transform of the plane?

Every pair of like marks proposes a similarity by itself (SIFT marks have a size and an angle); the
proposal that most pairs agree with is refined by least squares to an affinity or a homography, and
more pairs are sought where it says they should be. No sampling at random: same marks, same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.picture_marks import Marks, mirrored_codes

PAIR_BITS_MAX = 72
"""Bits in which two codes of one mark may differ, for a pair that is not yet expected there."""
PAIR_RATIO_MAX = 0.85  # of the distance to the second best mark elsewhere in the work
MUTUAL_BITS = 24
"""By so much may another mark of the item be more like the work's: a work may stand there twice."""
GUIDED_BITS_MAX = 80  # for a pair that stands where the transform says
PAIRS_MAX = 400
ANGLE_DEGREES_MAX = 25.0
OCTAVES_MAX = 0.6  # between the sizes of a pair and the transform's scale
DRIFT_SHARE = 0.12  # of the distance from the proposing pair: its size and angle are not exact
RESIDUAL_PX = 5.0  # of the picture in which marks are sought
DISTINCT_PX = 6.0  # nearer marks are counted once
RESIDUAL_FIXED_PX, RESIDUAL_SCALED_PX = 1.2, 2.5
"""How far a pair may be off in the item: so much, and so much again times the work's scale."""
SEEDS_MIN = 3  # pairs that agree with a proposal, for it to be refined
INLIERS_MIN = 4
SCALE_MIN, SCALE_MAX = 0.08, 12.0
ANISOTROPY_MAX = 3.0  # between the two axes of a picture that was squeezed
PROPOSALS_MAX = 4  # looked into, for each of the two senses
OVERLAP_SHARE_MAX = 0.5  # of the pairs of an alignment, in the area of a better one


_ROUNDS = ((5.0, 0), (5.0, 1), (4.0, 1), (3.0, 1), (2.0, 1), (1.5, 2), (1.0, 2), (1.0, 2))
"""(how many times the residual, model) of each round of pairing and fitting."""
_ROWS_AT_ONCE = 32  # so many rows of distances stay in the processor's cache
_FLIP = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a work's picture stands in an item's.

    ``matrix`` (3 x 3) maps homogeneous pixels of the work to pixels of the item; its upper left
    part has a negative determinant when the copy is mirrored. ``pairs`` are int64 (n, 2): rows of
    the work's and the item's marks that agree with it, each used once. ``strict`` counts, by
    distinct places, those of them that are each other's best likeness anywhere: the evidence.
    The others were sought where the transform says, and are what a picture gives by chance too.
    """

    matrix: Array
    pairs: Array
    strict: int = 0

    @property
    def is_mirrored(self) -> bool:
        """Tell whether the copy is mirrored."""
        return bool(np.linalg.det(self.matrix[:2, :2]) < 0)


def align(work: Marks, size: tuple[float, float], item: Marks) -> list[Alignment]:
    """Return where a work of the given width and height stands in the item: usually once.

    Best first. Two alignments never share the same area of the item.
    """
    if min(len(work), len(item)) < INLIERS_MIN:
        return []
    found: list[Alignment] = []
    for flip in (np.eye(3), _FLIP):
        seen = item if flip is not _FLIP else _mirrored(item)
        found += [replace(one, matrix=flip @ one.matrix) for one in _alignments(work, seen)]
    best_first = sorted(found, key=lambda one: (-one.strict, -len(one.pairs)))
    return _apart(best_first, size, item.places)


def _apart(found: list[Alignment], size: tuple[float, float], places: Array) -> list[Alignment]:
    """Leave out what stands mostly where a better alignment does."""
    kept: list[Alignment] = []
    taken = np.zeros(len(places), bool)
    for alignment in found:
        if taken[alignment.pairs[:, 1]].mean() <= OVERLAP_SHARE_MAX:
            kept.append(alignment)
            taken |= _covered(places, size, alignment.matrix)
    return kept


def aligned_near(work: Marks, item: Marks, matrix: Array) -> Alignment:
    """Return the alignment refined from a transform that is expected; it may have no pairs."""
    mirrored = bool(np.linalg.det(matrix[:2, :2]) < 0)
    seen, flip = (_mirrored(item), _FLIP) if mirrored else (item, np.eye(3))
    if not min(len(work), len(item)):
        return Alignment(matrix, np.zeros((0, 2), np.int64))
    bits = distances(work.codes, seen.codes)
    like = _like_pairs(bits, work.places)
    refined, pairs = _refined(work, seen, _likely(bits, work.places, seen.places), flip @ matrix)
    if not is_sane(refined, _bounds(work.places)):
        return Alignment(matrix, np.zeros((0, 2), np.int64))
    return Alignment(flip @ refined, pairs, _strict(pairs, like, work.places, seen.places))


def distances(left: Array, right: Array) -> Array:
    """Return the Hamming distances of all pairs of codes: uint16 (left, right)."""
    one, two = (np.ascontiguousarray(codes).view(np.uint64) for codes in (left, right))
    total = np.zeros((len(one), len(two)), np.uint16)
    columns = np.ascontiguousarray(two.T)
    for start in range(0, len(one), _ROWS_AT_ONCE):
        for column in range(one.shape[1]):
            part = one[start : start + _ROWS_AT_ONCE, column, None] ^ columns[column]
            total[start : start + _ROWS_AT_ONCE] += np.bitwise_count(part)
    return total


def _mirrored(marks: Marks) -> Marks:
    places = marks.places.copy()
    places[:, 0] *= -1
    places[:, 3] = 180 - places[:, 3]
    places[:, 4] = 1 - places[:, 4]
    return Marks(mirrored_codes(marks.codes), places)


def _alignments(work: Marks, item: Marks) -> Iterator[Alignment]:
    """Yield transforms and their pairs, of a work and an item in the same sense."""
    bits = distances(work.codes, item.codes)
    like = pairs = _like_pairs(bits, work.places)
    likely = _likely(bits, work.places, item.places)
    for _ in range(PROPOSALS_MAX):
        if len(pairs) < SEEDS_MIN:
            return
        agreeing = _proposal(work.places[pairs[:, 0]], item.places[pairs[:, 1]])
        if agreeing.sum() < SEEDS_MIN:
            return
        start = _similarity(work.places[pairs[agreeing, 0]], item.places[pairs[agreeing, 1]])
        matrix, inliers = _refined(work, item, likely, start)
        if len(inliers) >= INLIERS_MIN and is_sane(matrix, _bounds(work.places)):
            strict = _strict(inliers, like, work.places, item.places)
            yield Alignment(matrix, inliers, strict)
        elif agreeing.sum() == SEEDS_MIN:
            return  # what fewer pairs agree with is no better
        pairs = pairs[~agreeing & ~np.isin(pairs[:, 1], inliers[:, 1])]


def _strict(pairs: Array, like: Array, work: Array, item: Array) -> int:
    """Return at how many distinct places pairs stand that are alike without being sought."""
    count = len(item)
    held = pairs[np.isin(pairs[:, 0] * count + pairs[:, 1], like[:, 0] * count + like[:, 1])]
    sides = (work[held[:, 0], :2], item[held[:, 1], :2])
    return min(len(np.unique(np.round(side / DISTINCT_PX), axis=0)) for side in sides)


def _covered(places: Array, size: tuple[float, float], matrix: Array) -> Array:
    """Return which item marks stand in the area of the work: bool (n,)."""
    back = np.linalg.inv(matrix)
    at = back @ np.stack([places[:, 0], places[:, 1], np.ones(len(places))])
    x, y = at[0] / at[2], at[1] / at[2]
    return cast("Array", (x >= 0) & (y >= 0) & (x <= size[0]) & (y <= size[1]))


@dataclass(frozen=True, slots=True)
class _Likely:
    """All pairs that could be one mark: rows of the work's and the item's marks, and how like.

    ``item_x`` and ``item_y`` say where the item's stands; ``octaves`` and ``turn`` (radians) are
    what the pair proposes.
    """

    work: Array
    item: Array
    bits: Array
    item_x: Array
    item_y: Array
    octaves: Array
    turn: Array


def _likely(bits: Array, work: Array, item: Array) -> _Likely:
    """Return the pairs with at most GUIDED_BITS_MAX bits between them."""
    rows, columns = np.divmod(np.flatnonzero(bits <= GUIDED_BITS_MAX), bits.shape[1])
    one, two = work.astype(np.float64).T, item.astype(np.float64).T
    octaves, angles = (
        np.log2(two[2])[columns] - np.log2(one[2])[rows],
        two[3][columns] - one[3][rows],
    )
    at_x, at_y = two[0][columns], two[1][columns]
    return _Likely(rows, columns, bits[rows, columns], at_x, at_y, octaves, np.radians(angles))


def _like_pairs(bits: Array, places: Array) -> Array:
    """Return pairs (work, item) of like marks: each item mark with the one it is most like.

    The next most like mark elsewhere in the work must be clearly less so (Lowe's ratio test).
    """
    best = bits.argmin(axis=0)
    near = bits[best, np.arange(bits.shape[1])]
    alike = near <= np.minimum(PAIR_BITS_MAX, bits.min(axis=1)[best] + MUTUAL_BITS)
    item = np.flatnonzero(alike)
    best, near = best[item], near[item]
    x, y = np.ascontiguousarray(places[:, :2].T)
    apart = (x[:, None] - x[best]) ** 2 + (y[:, None] - y[best]) ** 2
    second = np.where(apart > (RESIDUAL_PX * 2) ** 2, bits[:, item], 256).min(axis=0, initial=256)
    good = near <= PAIR_RATIO_MAX * second
    pairs = np.stack([best, item], axis=1)[good]
    return np.asarray(pairs[np.argsort(near[good], kind="stable")[:PAIRS_MAX]], np.int64)


def _proposal(work: Array, item: Array) -> Array:
    """Return which pairs agree with the proposal that most agree with: bool (n,)."""
    scale = np.log2(item[:, 2] / work[:, 2])
    turn = np.radians(item[:, 3] - work[:, 3])
    factor = (2.0**scale) * np.exp(1j * turn)
    at_work = work[:, 0] + 1j * work[:, 1]
    at_item = item[:, 0] + 1j * item[:, 1]
    away = at_work[None, :] - at_work[:, None]
    expected = at_item[:, None] + factor[:, None] * away
    slack = RESIDUAL_PX + DRIFT_SHARE * np.abs(factor)[:, None] * np.abs(away)
    agree = np.abs(expected - at_item[None, :]) <= slack
    agree &= np.abs(scale[:, None] - scale[None, :]) <= OCTAVES_MAX
    agree &= _turned(turn[:, None] - turn[None, :]) <= np.radians(ANGLE_DEGREES_MAX)
    return cast("Array", agree[_most_distinct(agree, at_work, at_item)])


def _most_distinct(agree: Array, work: Array, item: Array) -> int:
    """Return the row whose pairs stand at most distinct places; the first of them with most."""
    counts = agree.sum(axis=1)
    best, most = 0, 0
    for row in np.argsort(-counts, kind="stable"):
        if counts[row] <= most:
            break
        votes = _distinct(work[agree[row]], item[agree[row]])
        if votes > most:
            best, most = int(row), votes
    return best


def _turned(radians: Array) -> Array:
    """Return the size of a turn, 0 to pi."""
    return np.abs((radians + np.pi) % (2 * np.pi) - np.pi)


def _distinct(*points: Array) -> int:
    """Return how many different places there are, on the side that has fewer."""
    return min(len(np.unique(np.round(side / RESIDUAL_PX))) for side in points)


def _similarity(work: Array, item: Array) -> Array:
    """Return the least-squares similarity between matching places: (3, 3)."""
    one, two = work[:, 0] + 1j * work[:, 1], item[:, 0] + 1j * item[:, 1]
    centre_one, centre_two = one.mean(), two.mean()
    spread = np.sum(np.abs(one - centre_one) ** 2)
    factor = np.sum((two - centre_two) * np.conj(one - centre_one)) / max(spread, 1e-9)
    shift = centre_two - factor * centre_one
    a, b = factor.real, factor.imag
    return np.array([[a, -b, shift.real], [b, a, shift.imag], [0, 0, 1]])


def _refined(work: Marks, item: Marks, likely: _Likely, matrix: Array) -> tuple[Array, Array]:
    """Return the transform after rounds of pairing and fitting, with its pairs."""
    for slack, model in _ROUNDS:
        pairs = _guided(work, item, likely, matrix, slack)
        if len(pairs) < INLIERS_MIN:
            return matrix, pairs
        matched = work.places[pairs[:, 0]], item.places[pairs[:, 1]]
        matrix = _fitted(*matched, model, _bounds(work.places))
    return matrix, _guided(work, item, likely, matrix, 1.0)


def _guided(work: Marks, item: Marks, likely: _Likely, matrix: Array, slack: float) -> Array:
    """Return pairs that stand where the transform says, of like size and angle, one to one."""
    at, scale, turn = _carried(work.places, matrix)
    allowed = (slack * (RESIDUAL_FIXED_PX + RESIDUAL_SCALED_PX * np.minimum(scale, 2.0))) ** 2
    x, y = np.ascontiguousarray(at.T)
    apart = (x[likely.work] - likely.item_x) ** 2 + (y[likely.work] - likely.item_y) ** 2
    good = np.flatnonzero(apart <= allowed[likely.work])
    rows = likely.work[good]
    like = np.abs(likely.octaves[good] - np.log2(scale)[rows]) <= OCTAVES_MAX
    like &= _turned(likely.turn[good] - turn[rows]) <= np.radians(ANGLE_DEGREES_MAX)
    good = good[like]
    order = good[np.argsort(likely.bits[good] + np.sqrt(apart[good]), kind="stable")]
    return _one_to_one(likely.work[order], likely.item[order], work.places, item.places)


def _one_to_one(rows: Array, columns: Array, work: Array, item: Array) -> Array:
    """Keep each pair whose places, to two pixels, no better pair has on either side."""
    one = [tuple(place) for place in np.round(work[rows, :2] / 2).tolist()]
    two = [tuple(place) for place in np.round(item[columns, :2] / 2).tolist()]
    used_work: set[tuple[float, ...]] = set()
    used_item: set[tuple[float, ...]] = set()
    kept = []
    for index, (left, right) in enumerate(zip(one, two, strict=True)):
        if left not in used_work and right not in used_item:
            used_work.add(left)
            used_item.add(right)
            kept.append(index)
    return np.stack([rows[kept], columns[kept]], axis=1)


def _carried(places: Array, matrix: Array) -> tuple[Array, Array, Array]:
    """Return where places come to lie: points (n, 2), local scale (n,), turn in radians (n,)."""
    x, y = places[:, 0].astype(np.float64), places[:, 1].astype(np.float64)
    top = matrix @ np.stack([x, y, np.ones_like(x)])
    depth = np.where(np.abs(top[2]) < 1e-9, 1e-9, top[2])
    u, v = top[0] / depth, top[1] / depth
    across = (matrix[:2, 0, None] - np.stack([u, v]) * matrix[2, 0]) / depth
    down = (matrix[:2, 1, None] - np.stack([u, v]) * matrix[2, 1]) / depth
    area = np.abs(across[0] * down[1] - across[1] * down[0])
    direction = np.radians(places[:, 3].astype(np.float64))
    moved = across * np.cos(direction) + down * np.sin(direction)
    turn = np.arctan2(moved[1], moved[0]) - direction
    return np.stack([u, v], axis=1), np.sqrt(np.maximum(area, 1e-12)), turn


def _bounds(places: Array) -> Array:
    """Return the corners of the area in which the marks stand: (4, 2)."""
    left, top = places[:, :2].min(axis=0)
    right, bottom = places[:, :2].max(axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def _fitted(work: Array, item: Array, model: int, bounds: Array) -> Array:
    """Return a similarity (model 0), an affinity (1) or a homography (2), as the pairs allow.

    The larger models must stay sane in all of the work's area, not only between the pairs.
    """
    import cv2

    count = len(work)
    if model >= 2 and count >= 12:
        found, _ = cv2.findHomography(work[:, :2], item[:, :2], 0)
        if found is not None and is_sane(found, bounds):
            return cast("Array", found)
    if model >= 1 and count >= 6:
        known = np.column_stack([work[:, :2], np.ones(count)])
        solved, _, rank, _ = np.linalg.lstsq(known, item[:, :2].astype(np.float64), rcond=1e-4)
        affine = np.vstack([solved.T, [0, 0, 1]])
        if rank == 3 and is_sane(affine, bounds):
            return affine
    return _similarity(work, item)


def is_sane(matrix: Array, points: Array) -> bool:
    """Tell whether a transform could be that of a copy, at the given points of the work.

    Not degenerate, not mirrored, not squeezed to a line, depth of one sign.
    """
    if not np.isfinite(matrix).all() or not len(points):
        return False
    ones = np.column_stack([points, np.ones(len(points))]).astype(np.float64)
    depth = ones @ matrix[2]
    if depth.min() <= 0 < depth.max() or depth.max() > 4 * max(depth.min(), 1e-9) > 0:
        return False
    centre = points.mean(axis=0)
    u, v, w = matrix @ np.array([*centre, 1.0])
    local = (matrix[:2, :2] - np.outer([u / w, v / w], matrix[2, :2])) / w
    if np.linalg.det(local) <= 0:
        return False
    large, small = np.linalg.svd(local, compute_uv=False)
    return bool(small >= SCALE_MIN and large <= SCALE_MAX and large <= ANISOTROPY_MAX * small)
