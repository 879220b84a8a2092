"""Seeds: frames of an item and of a work that seem to show the same, and where.

A seed comes from two near codes of whole pictures, or from marks that agree on one transform. It
proves nothing: it tells where in time and in the picture to look closer (`video_alignment`).
Maps are float64 (3, 3): homogeneous points of the work's frame to points of the item's, both as
shares of width and height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints import hamming_index
from tercet.consent.fingerprints.fingerprint import CODE_BYTES, Array, Fingerprint, Track
from tercet.consent.fingerprints.picture_geometry import align
from tercet.consent.fingerprints.picture_marks import Marks, marks_of
from tercet.consent.fingerprints.video_tracks import turned_bits

RADIUS = 32  # the largest the index finds every code within
WORKING_SIDE_PX = 512.0  # the picture in whose pixels `picture_geometry` thinks
FRAME_PAIRS_MAX = 8  # pairs of frames whose marks are aligned
SHARED_MARKS_MIN = 2  # marks two frames must share for that
MARKS_SOUGHT_MAX = 12_000  # of the item; of longer items fewer marks a frame are used
WHOLE_SEEDS_MAX = 200
INLIERS_MIN = 5  # marks that agree on one transform: four still happen by chance
WHOLE_WEIGHT = 8.0  # a whole picture counts as so many marks


@dataclass(frozen=True, slots=True)
class Seed:
    """``weight`` counts the marks that agree; a whole picture counts WHOLE_WEIGHT."""

    item_s: float
    work_s: float
    map: Array
    weight: float


def seeds_of(query: Fingerprint, stored: Fingerprint) -> list[Seed]:
    """Return the seeds of an item and a work, those of most weight first."""
    found = _whole_seeds(query.tracks["whole"], stored.tracks["whole"])
    found += _mark_seeds(query, stored)
    return sorted(found, key=lambda seed: (-seed.weight, seed.item_s, seed.work_s))


def _near(queries: Array, stored: Array) -> hamming_index.Near:
    return hamming_index.search(hamming_index.build(stored), queries, RADIUS)


def _whole_seeds(query: Track, stored: Track) -> list[Seed]:
    turned = turned_bits(query.keys).reshape(-1, CODE_BYTES)
    near = _near(turned, stored.keys)
    order = np.argsort(near.distance, kind="stable")[:WHOLE_SEEDS_MAX]
    orientation, row = np.divmod(near.query[order], max(1, len(query)))
    items, works = query.places[row].astype(float), stored.places[near.entry[order]].astype(float)
    return [
        Seed(float(i[0]), float(w[0]), _box_map(w[1:5], i[1:5], FRAME_TURNS[turn]), WHOLE_WEIGHT)
        for i, w, turn in zip(items, works, orientation.tolist(), strict=True)
    ]


FRAME_TURNS = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[-1, 0, 1], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, -1, 1], [0, 0, 1]], [[-1, 0, 1], [0, -1, 1], [0, 0, 1]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]], [[0, -1, 1], [1, 0, 0], [0, 0, 1]],
        [[0, 1, 0], [-1, 0, 1], [0, 0, 1]], [[0, -1, 1], [-1, 0, 1], [0, 0, 1]],
    ],
    float,
)  # fmt: skip
"""The map of the whole frame for each of `picture_code.ORIENTATIONS`."""


def _box_map(work: Array, item: Array, turn: Array) -> Array:
    """Return the map that lays one box, turned, over another (left, top, right, bottom)."""
    out = np.array([[item[2] - item[0], 0, item[0]], [0, item[3] - item[1], item[1]], [0, 0, 1]])
    into = np.array([[work[2] - work[0], 0, work[0]], [0, work[3] - work[1], work[1]], [0, 0, 1]])
    return np.asarray(out @ turn @ np.linalg.inv(into))


def _mark_seeds(query: Fingerprint, stored: Fingerprint) -> list[Seed]:
    here, there = query.tracks["marks"], stored.tracks["marks"]
    if not len(here) or not len(there):
        return []
    into, back = _to_shares(query), np.linalg.inv(_to_shares(stored))
    width, height = stored.extent[1:3]
    size_px = (
        WORKING_SIDE_PX * width / max(width, height),
        WORKING_SIDE_PX * height / max(width, height),
    )
    seeds = []
    for item_s, work_s in _frame_pairs(here, there):
        for found in align(_marks_at(there, work_s), size_px, _marks_at(here, item_s)):
            if len(found.pairs) >= INLIERS_MIN:
                share_map = into @ found.matrix @ back
                seeds.append(Seed(item_s, work_s, share_map, float(len(found.pairs))))
    return seeds


def _frame_pairs(here: Track, there: Track) -> list[tuple[float, float]]:
    """Return the times of the frames that share most marks."""
    item_times, item_frame = np.unique(here.places[:, 0], return_inverse=True)
    work_times, work_frame = np.unique(there.places[:, 0], return_inverse=True)
    rows = _thinned(item_frame)
    index = hamming_index.build(there.keys)
    near = hamming_index.search(index, here.keys[rows], RADIUS)
    pair = item_frame[rows[near.query]] * len(work_times) + work_frame[near.entry]
    marks = np.unique(np.stack([pair, near.query], axis=1), axis=0)[:, 0]
    best = np.bincount(marks, minlength=len(item_times) * len(work_times))
    by_frame = best.reshape(len(item_times), len(work_times))
    rank = np.argsort(np.argsort(-by_frame, axis=1, kind="stable"), axis=1).ravel()
    order = np.lexsort((-best, rank))  # the best pair of every frame before the second of any
    order = order[best[order] >= SHARED_MARKS_MIN][:FRAME_PAIRS_MAX]
    return [
        (float(item_times[p // len(work_times)]), float(work_times[p % len(work_times)]))
        for p in order
    ]


def _thinned(frame: Array) -> Array:
    """Return the rows to search for: the first marks of every frame, so that all are heard."""
    _, starts, counts = np.unique(frame, return_index=True, return_counts=True)
    rank = np.arange(len(frame)) - np.repeat(starts, counts)
    rows = np.flatnonzero(rank < max(4, MARKS_SOUGHT_MAX // len(counts)))
    return rows[:: max(1, -(-len(rows) // (2 * MARKS_SOUGHT_MAX)))]


def _marks_at(track: Track, time_s: float) -> Marks:
    rows = np.flatnonzero(track.places[:, 0] == np.float32(time_s))
    places = track.places[rows, 1:6] * (*(WORKING_SIDE_PX,) * 3, 1, 1)
    return marks_of(track.keys[rows], places.astype(np.float32))


def _to_shares(print_: Fingerprint) -> Array:
    """Return the map from pixels of the working picture to shares of width and height."""
    width, height = print_.extent[1:3]
    side = max(width, height) / WORKING_SIDE_PX
    return np.diag([side / width, side / height, 1.0])
