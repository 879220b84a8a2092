"""What a transform says: which part of the work stands where, and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array

Quad = tuple[tuple[float, float], ...]
Size = Sequence[float]
"""Width and height in pixels."""

CROPPED_SHARE = 0.96  # less of the work in sight: it was cropped
INSIDE_SHARE = 0.90  # the work takes less of the item: it stands in a larger picture
STRETCH_MIN = 1.08  # between the axes
TURN_DEGREES_MIN = 1.5
PERSPECTIVE_MIN = 0.04  # change of scale across the picture


def regions_of(matrix: Array, work_size: Size, item_size: Size) -> tuple[Quad, Quad]:
    """Return the quads (in the item, in the work) that show the same, as shares of the sizes.

    The work's is the smallest upright rectangle around what of it lies in the item.
    """
    width, height = work_size[0], work_size[1]
    seen = _visible(matrix, work_size, item_size)
    if not len(seen):
        seen = _corners(width, height)
    left, top = seen.min(axis=0)
    right, bottom = seen.max(axis=0)
    own = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    there = carried(own, matrix) / np.array([item_size[0], item_size[1]])
    return _quad(there), _quad(own / (width, height))


def edits_of(matrix: Array, work_size: Size, item_size: Size) -> tuple[str, ...]:
    """Return what was done to the work, in plain words, sorted."""
    found = set()
    mirrored = np.linalg.det(matrix[:2, :2]) < 0
    if mirrored:
        found.add("mirrored")
    centre = np.array([[work_size[0] / 2, work_size[1] / 2]])
    linear = local_linear(matrix, centre[0])
    upright = linear @ np.diag([-1.0, 1.0]) if mirrored else linear
    turn = np.degrees(np.arctan2(upright[1, 0] - upright[0, 1], upright[0, 0] + upright[1, 1]))
    if abs(turn) >= TURN_DEGREES_MIN:
        found.add(f"rotated {round(float(turn)) % 360} degrees")
    large, small = np.linalg.svd(linear, compute_uv=False)
    if large / max(small, 1e-9) >= STRETCH_MIN:
        found.add("stretched")
    seen = _visible(matrix, work_size, item_size)
    if _area(seen) < CROPPED_SHARE * work_size[0] * work_size[1]:
        found.add("cropped")
    if _area(carried(seen, matrix)) < INSIDE_SHARE * item_size[0] * item_size[1]:
        found.add("inside a larger picture")
    if _depth_change(matrix, work_size) >= PERSPECTIVE_MIN:
        found.add("perspective")
    return tuple(sorted(found))


def shared_share(one: Quad, two: Quad) -> float:
    """Return the share of the smaller of two quads that lies in the other."""
    import cv2

    left, right = (np.array(quad, np.float32) for quad in (one, two))
    smaller = min(_area(left), _area(right))
    area, _ = cv2.intersectConvexConvex(left, right) if smaller > 0 else (0.0, None)
    return float(area) / max(smaller, 1e-9)


def carried(points: Array, matrix: Array) -> Array:
    """Return where points (n, 2) come to lie."""
    if not len(points):
        return points
    full = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(full[:, :2] / full[:, 2:])


def local_linear(matrix: Array, point: Array) -> Array:
    """Return the linear part of a homography at one point: (2, 2)."""
    u, v, w = matrix @ np.array([point[0], point[1], 1.0])
    return np.asarray((matrix[:2, :2] - np.outer([u / w, v / w], matrix[2, :2])) / w)


def _corners(width: float, height: float) -> Array:
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def _visible(matrix: Array, work_size: Size, item_size: Size) -> Array:
    """Return the corners of the part of the work that lies in the item, in the work's pixels."""
    import cv2

    item = _corners(item_size[0], item_size[1])
    back = carried(item, np.linalg.inv(matrix)).astype(np.float32)
    own = _corners(work_size[0], work_size[1]).astype(np.float32)
    area, shared = cv2.intersectConvexConvex(back, own)
    return shared.reshape(-1, 2).astype(np.float64) if area > 0 else np.zeros((0, 2))


def _area(polygon: Array) -> float:
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _depth_change(matrix: Array, work_size: Size) -> float:
    depth = np.column_stack([_corners(work_size[0], work_size[1]), np.ones(4)]) @ matrix[2]
    return float(np.abs(depth).max() / max(np.abs(depth).min(), 1e-9) - 1)


def _quad(points: Array) -> Quad:
    inside = np.clip(points, 0.0, 1.0)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in inside)
