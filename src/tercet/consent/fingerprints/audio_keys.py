"""Keys of a recording: four peaks each, told by ratios that no change of pitch or tempo alters.

A quad is an anchor, the last of its peaks, and two between them. Its key says how far in pitch the
three stand from the anchor, and when the two come within the time from anchor to last. A key is
few bits of a whole number each, so equal keys are found by equality; where a value lies near the
edge of its step, an item also asks for the step beside.

Quads: R. Sonnleitner, G. Widmer, Robust Quad-Based Audio Fingerprinting, IEEE/ACM TASLP 24(3),
2016; ratios on a pitch axis: J. Six, M. Leman, Panako, ISMIR 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tercet.consent.fingerprints.audio_peaks import Peaks
from tercet.consent.fingerprints.fingerprint import Array

PITCH_STEPS_AN_OCTAVE = 24
RATIO_STEPS = 10
REACH_OCTAVES = 1.2
SPAN_S_MIN = 0.1

STORED_SPAN_S = 0.9
STORED_PARTNERS = 6
STORED_A_SECOND = 30

ASKED_SPAN_S = 1.25  # a work's quads played at 0.72 of their tempo
ASKED_PARTNERS = 10
ASKED_MAX = 24_000  # quads; each is asked for in its own step and the nearest others
EDGE = 0.2  # share of a step: nearer to its edge, the step beside is asked for too
EDGES_MAX = 2  # of the five values of a quad


@dataclass(frozen=True, slots=True)
class Quads:
    """Keys, uint64 (n,), and of each its anchor's second and octave, its span in seconds."""

    keys: Array
    places: Array  # float32 (n, 3)
    strength_db: Array  # float32 (n,): of its weakest peak


def stored_quads(peaks: Peaks) -> Quads:
    """Return the quads that a work is indexed by: the strongest of every second."""
    rows = _quad_rows(peaks, STORED_SPAN_S, STORED_PARTNERS)
    strength = peaks.strength_db[rows].min(axis=1)
    rows = rows[_strongest_by_second(peaks.time_s[rows[:, 0]], strength, STORED_A_SECOND)]
    values, places = _values(peaks, rows)
    keys = _packed(np.floor(values).astype(np.int64))
    return Quads(keys, places, peaks.strength_db[rows].min(axis=1))


def asked_quads(peaks: Peaks) -> Quads:
    """Return the quads that an item asks for: nearly all there are, each with its near steps."""
    rows = _quad_rows(peaks, ASKED_SPAN_S, ASKED_PARTNERS)
    strength = peaks.strength_db[rows].min(axis=1)
    if len(rows) > ASKED_MAX:
        seconds = max(1.0, float(np.ptp(peaks.time_s)))
        rows = rows[
            _strongest_by_second(peaks.time_s[rows[:, 0]], strength, int(ASKED_MAX / seconds) + 1)
        ]
        strength = peaks.strength_db[rows].min(axis=1)
    values, places = _values(peaks, rows)
    step = np.floor(values)
    part = values - step
    lean = np.where(part < EDGE, -1, np.where(part > 1 - EDGE, 1, 0)).astype(np.int64)
    whole = step.astype(np.int64)
    keys, at = [_packed(whole)], [np.arange(len(rows))]
    for count in range(1, EDGES_MAX + 1):
        for columns in combinations(range(values.shape[1]), count):
            chosen = np.flatnonzero(np.all(lean[:, columns] != 0, axis=1))
            moved = whole[chosen]
            moved[:, columns] += lean[chosen][:, columns]
            keys.append(_packed(moved))
            at.append(chosen)
    row = np.concatenate(at)
    return Quads(np.concatenate(keys), places[row], strength[row])


def _quad_rows(peaks: Peaks, span_s: float, partners: int) -> Array:
    """Return rows of peaks (n, 4): anchor, the two between in order of pitch, the last."""
    chosen = _partners(peaks, span_s, partners)
    triples = np.array(list(combinations(range(partners), 3)))
    rows = chosen[:, triples]  # (n, triples, 3), in order of time
    anchors = np.broadcast_to(np.arange(len(peaks))[:, None, None], (*rows.shape[:2], 1))
    rows = np.concatenate([anchors, rows], axis=2).reshape(-1, 4)
    rows = rows[rows[:, 1:].min(axis=1) >= 0]
    time, octave = peaks.time_s, peaks.octave
    swap = octave[rows[:, 1]] > octave[rows[:, 2]]
    rows[swap, 1], rows[swap, 2] = rows[swap, 2], rows[swap, 1]
    clear = (
        (time[rows[:, 3]] - np.maximum(time[rows[:, 1]], time[rows[:, 2]]) > 0.05)
        & (time[rows[:, 3]] - time[rows[:, 0]] > SPAN_S_MIN)
        & (octave[rows[:, 2]] - octave[rows[:, 1]] > 0.04)
    )
    return np.asarray(rows[clear])


def _partners(peaks: Peaks, span_s: float, partners: int) -> Array:
    """Return, for each peak, rows of the strongest after it, in order of time; -1 for none."""
    count = len(peaks)
    last = np.searchsorted(peaks.time_s, peaks.time_s + span_s, side="right")
    width = int((last - np.arange(count)).max(initial=1))
    width = max(width, partners + 1)
    after = np.arange(count)[:, None] + np.arange(1, width + 1)
    there = after < last[:, None]
    after = np.minimum(after, max(count - 1, 0))
    there &= peaks.time_s[after] - peaks.time_s[:, None] > 0.05
    there &= np.abs(peaks.octave[after] - peaks.octave[:, None]) < REACH_OCTAVES
    strength = np.where(there, peaks.strength_db[after], -np.inf)
    best = np.argpartition(-strength, partners - 1, axis=1)[:, :partners]
    best.sort(axis=1)
    taken = np.take_along_axis(there, best, axis=1)
    return np.where(taken, np.take_along_axis(after, best, axis=1), -1)


def _strongest_by_second(time_s: Array, strength_db: Array, count: int) -> Array:
    """Return the rows of the ``count`` strongest of every second, in order."""
    second = np.floor(time_s).astype(np.int64)
    order = np.lexsort((-strength_db, second))
    sorted_second = second[order]
    first = np.searchsorted(sorted_second, sorted_second)
    return np.asarray(np.sort(order[np.arange(len(order)) - first < count]))


def _values(peaks: Peaks, rows: Array) -> tuple[Array, Array]:
    """Return the five values of each quad in steps, and its place."""
    time = peaks.time_s[rows].astype(np.float64)
    octave = peaks.octave[rows].astype(np.float64)
    span = time[:, 3] - time[:, 0]
    pitch = (octave[:, 1:] - octave[:, :1] + 2 * REACH_OCTAVES) * PITCH_STEPS_AN_OCTAVE
    ratio = (time[:, 1:3] - time[:, :1]) / np.maximum(span, 1e-9)[:, None] * RATIO_STEPS
    places = np.stack([time[:, 0], octave[:, 0], span], axis=1).astype(np.float32)
    return np.concatenate([pitch + 0.5, ratio], axis=1), places


def _packed(steps: Array) -> Array:
    """Return five whole numbers from -1 to 254 as one key, bytes mixed so that keys spread."""
    key = np.zeros(len(steps), np.uint64)
    for column in range(steps.shape[1]):
        key = (key << np.uint64(8)) | (steps[:, column] + 1).astype(np.uint64)
    return key
