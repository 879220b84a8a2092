"""Keys of a recording: four peaks each, told by ratios that no change of pitch or tempo alters.

A quad is an anchor, the last of its peaks, and two between them. Its key says how far in pitch the
three stand from the anchor, when the two come within the time from anchor to last, and in which
half octave the anchor is. Each is a whole number of steps, so that keys are found when equal; where
a value lies near the edge of its step, an item also asks for the step beside.

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
APART_S_MIN = 0.05  # nearer in time, or in pitch, the order of two peaks could change
APART_OCTAVES_MIN = 0.04

STORED_SPAN_S = 0.9
STORED_PARTNERS = 6
STORED_A_SECOND = 28

ASKED_SPAN_S = 1.25  # a work's quads played at 0.72 of their tempo
ASKED_PARTNERS = 10
ASKED_MAX = 16_000  # quads; each is asked for in its own step and the nearest others
ANCHOR_STEPS_AN_OCTAVE = 2
ANCHOR_EDGE = 0.42  # of such a step: 2.5 semitones, the greatest change of pitch

EDGE = 0.2  # share of a step: nearer to its edge, the step beside is asked for too
EDGES_MAX = 2  # of the five values of a quad


@dataclass(frozen=True, slots=True)
class Quads:
    """Keys, uint64 (n,), and of each its anchor's second and octave, its span in seconds."""

    keys: Array
    places: Array  # float32 (n, 3)


def stored_quads(peaks: Peaks) -> Quads:
    """Return the quads that a work is indexed by: the strongest of every second."""
    rows = _strongest(peaks, STORED_SPAN_S, STORED_PARTNERS, STORED_A_SECOND)
    values, places = _values(peaks, rows)
    anchor, _ = _anchors(places)
    return Quads(_packed(np.floor(values).astype(np.int64), anchor), places)


def asked_quads(peaks: Peaks) -> Quads:
    """Return the quads that an item asks for: nearly all there are, each with its near steps.

    They are in order of keys. Of long items only the strongest of every second are asked for.
    """
    seconds = max(1.0, float(np.ptp(peaks.time_s))) if len(peaks) else 1.0
    rows = _strongest(peaks, ASKED_SPAN_S, ASKED_PARTNERS, int(ASKED_MAX / seconds) + 1)
    values, places = _values(peaks, rows)
    keys, row = _with_steps_beside(values, places)
    order = np.argsort(keys, kind="stable")
    return Quads(keys[order], places[row[order]])


def _with_steps_beside(values: Array, places: Array) -> tuple[Array, Array]:
    """Return the keys of each quad and of the steps that it may be taken to, and its row."""
    step = np.floor(values)
    part = values - step
    lean = np.where(part < EDGE, -1, np.where(part > 1 - EDGE, 1, 0)).astype(np.int64)
    whole = step.astype(np.int64)
    anchor, beside = _anchors(places)
    keys, rows = [], []
    for count in range(EDGES_MAX + 1):
        for columns in combinations(range(values.shape[1]), count):
            leaning = np.flatnonzero(np.all(lean[:, columns] != 0, axis=1))
            for row, where in ((leaning, anchor), (leaning[beside[leaning] != 0], anchor + beside)):
                moved = whole[row]
                moved[:, columns] += lean[row][:, columns]
                keys.append(_packed(moved, where[row]))
                rows.append(row)
    return np.concatenate(keys), np.concatenate(rows)


def _strongest(peaks: Peaks, span_s: float, partners: int, a_second: int) -> Array:
    """Return the strongest quads of every second, found minute by minute to bound the memory."""
    found = [np.zeros((0, 4), np.int64)]
    minute = np.floor(peaks.time_s / 60).astype(np.int64)
    for number in np.unique(minute):
        first, last = np.searchsorted(minute, (number, number + 1))
        rows = _quad_rows(peaks, int(first), int(last), span_s, partners)
        strength = peaks.strength_db[rows].min(axis=1, initial=np.inf)
        found.append(rows[_best_by_second(peaks.time_s[rows[:, 0]], strength, a_second)])
    return np.concatenate(found)


def _quad_rows(peaks: Peaks, first: int, last: int, span_s: float, partners: int) -> Array:
    """Return rows of peaks (n, 4): anchor in [first, last), two between by pitch, the last."""
    chosen = _partners(peaks, first, last, span_s, partners)
    triples = np.array(list(combinations(range(partners), 3)))
    rows = chosen[:, triples]  # (n, triples, 3), in order of time
    anchors = np.broadcast_to(np.arange(first, last)[:, None, None], (*rows.shape[:2], 1))
    rows = np.concatenate([anchors, rows], axis=2).reshape(-1, 4)
    rows = rows[rows[:, 1:].min(axis=1, initial=0) >= 0]
    time, octave = peaks.time_s, peaks.octave
    swap = octave[rows[:, 1]] > octave[rows[:, 2]]
    rows[swap, 1], rows[swap, 2] = rows[swap, 2], rows[swap, 1]
    clear = (
        (time[rows[:, 3]] - np.maximum(time[rows[:, 1]], time[rows[:, 2]]) > APART_S_MIN)
        & (time[rows[:, 3]] - time[rows[:, 0]] > SPAN_S_MIN)
        & (octave[rows[:, 2]] - octave[rows[:, 1]] > APART_OCTAVES_MIN)
    )
    return np.asarray(rows[clear])


def _partners(peaks: Peaks, first: int, last: int, span_s: float, partners: int) -> Array:
    """Return, for each anchor, rows of the strongest after it, in order of time; -1 for none."""
    anchor = np.arange(first, last)[:, None]
    end = np.searchsorted(peaks.time_s, peaks.time_s[first:last] + span_s, side="right")[:, None]
    width = max(int((end - anchor).max(initial=1)), partners + 1)
    after = anchor + np.arange(1, width + 1)
    there = after < end
    after = np.minimum(after, len(peaks) - 1)
    there &= peaks.time_s[after] - peaks.time_s[anchor] > APART_S_MIN
    there &= np.abs(peaks.octave[after] - peaks.octave[anchor]) < REACH_OCTAVES
    strength = np.where(there, peaks.strength_db[after], -np.inf)
    best = np.argpartition(-strength, partners - 1, axis=1)[:, :partners]
    best.sort(axis=1)
    taken = np.take_along_axis(there, best, axis=1)
    return np.where(taken, np.take_along_axis(after, best, axis=1), -1)


def _best_by_second(time_s: Array, strength_db: Array, count: int) -> Array:
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


def _anchors(places: Array) -> tuple[Array, Array]:
    """Return the step of each anchor's pitch, and -1, 0 or 1: the step a change may take it to."""
    value = places[:, 1].astype(np.float64) * ANCHOR_STEPS_AN_OCTAVE
    step = np.floor(value)
    part = value - step
    beside = np.where(part < ANCHOR_EDGE, -1, np.where(part > 1 - ANCHOR_EDGE, 1, 0))
    return step.astype(np.int64), beside.astype(np.int64)


def _packed(steps: Array, anchor: Array) -> Array:
    """Return six whole numbers from -1 to 254 as one key, a byte each."""
    key = (anchor + 1).astype(np.uint64)
    for column in range(steps.shape[1]):
        key = (key << np.uint64(8)) | (steps[:, column] + 1).astype(np.uint64)
    return key
