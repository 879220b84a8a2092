"""Spectral peaks: moments at which one pitch stands out of everything around it.

A short-time Fourier transform is read on an axis of pitch (36 steps an octave), in decibels above
the surroundings in time and pitch, and its local maxima are kept, between pixels. They survive
noise, codecs, equalisers and other sound on top; a change of pitch or tempo only moves them.

Peaks as landmarks: A. Wang, An Industrial-Strength Audio Search Algorithm, ISMIR 2003; on a pitch
axis: J. Six, M. Leman, Panako, ISMIR 2014.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from tercet.consent.fingerprints.audio_decoding import RATE_HZ
from tercet.consent.fingerprints.fingerprint import Array

WINDOW_SAMPLES = 2048  # 0.26 s: tells semitones apart from about 200 Hz on
HOP_SAMPLES = 256  # 32 ms
HOPS_A_SECOND = RATE_HZ / HOP_SAMPLES
LOWEST_HZ = 130.0
STEPS_AN_OCTAVE = 36
STEPS = 171  # up to 3.5 kHz

SURROUNDING_HOPS = 47  # 1.5 s: what "around" means, in time
SURROUNDING_STEPS = 25  # and in pitch
APART_HOPS = 5  # 0.16 s: the nearest that two peaks of one pitch can be
APART_STEPS = 5  # 1/7 octave: the nearest that two peaks of one moment can be
PROMINENCE_DB = 3.0
RANGE_DB = 60.0
"""Peaks this far below the loudest of the recording are dither, hiss of a codec or room tone."""

FLOOR_DB = -75.0
"""A peak below this level (0: a full-scale sine) says nothing: silence, or dither."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks in order of time: seconds, octaves above LOWEST_HZ, decibels above what is around."""

    time_s: Array  # float32 (n,)
    octave: Array  # float32 (n,)
    strength_db: Array  # float32 (n,)

    def __len__(self) -> int:
        return len(self.time_s)


def pitch_variety(peaks: Peaks) -> float:
    """Return how many pitches a recording uses: the exponential of their entropy by strength."""
    weight = np.maximum(peaks.strength_db.astype(np.float64) - 5.0, 0.0) ** 1.5
    share = np.bincount(np.round(peaks.octave * STEPS_AN_OCTAVE).astype(np.int64), weight)
    share = share[share > 0] / max(share.sum(), 1e-9)
    return float(np.exp(-(share * np.log(share)).sum()))


_MARGIN_HOPS = 32  # what a maximum depends on: half of what is around, and what is apart
_PIECE_HOPS = 2_048


def peaks_of(blocks: Iterable[Array]) -> tuple[Peaks, float]:
    """Return the peaks of a recording that comes in blocks, and its length in seconds.

    The same sound in other blocks gives the same peaks. Memory is that of a minute of sound.
    """
    heard = _Spectra()
    rows = np.concatenate([_maxima(*piece) for piece in heard.pieces(blocks)])
    if len(rows):
        rows = rows[rows[:, 3] > rows[:, 3].max() - RANGE_DB]
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return Peaks(rows[:, 0], rows[:, 1], rows[:, 2]), heard.samples / RATE_HZ


class _Spectra:
    """Spectra of sound in decibels, in pieces that overlap by twice the margin."""

    def __init__(self) -> None:
        self.samples = 0

    def pieces(self, blocks: Iterable[Array]) -> Iterator[tuple[Array, int, int, int]]:
        """Yield (levels (hops, STEPS), hop of the first row, first and last row that are final)."""
        half = np.zeros(WINDOW_SAMPLES // 2, np.float32)
        rest, rows, hop, start = half, np.zeros((0, STEPS), np.float32), 0, 0
        for block in blocks:
            self.samples += len(block)
            rest, new = _levels(np.concatenate([rest, block]))
            rows = np.concatenate([rows, new])
            if len(rows) >= _PIECE_HOPS:
                yield rows, hop, start, len(rows) - _MARGIN_HOPS
                hop += len(rows) - 2 * _MARGIN_HOPS
                rows, start = rows[-2 * _MARGIN_HOPS :], _MARGIN_HOPS
        rest, new = _levels(np.concatenate([rest, half]))
        rows = np.concatenate([rows, new])
        yield rows, hop, start, len(rows)


def _levels(sound: Array) -> tuple[Array, Array]:
    """Return the samples that are left over, and the levels in dB (hops, STEPS) of the others."""
    import cv2

    count = max(0, (len(sound) - WINDOW_SAMPLES) // HOP_SAMPLES + 1)
    if not count:
        return sound, np.zeros((0, STEPS), np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::HOP_SAMPLES]
    cv2.setNumThreads(1)
    # packed: Re 0, Re 1, Im 1, Re 2, Im 2 ...; five times as fast as numpy's, which is not SIMD
    packed = cv2.dft(framed * _window(), flags=cv2.DFT_ROWS)
    power = np.square(packed[:, 1:-1:2]) + np.square(packed[:, 2:-1:2])
    return sound[count * HOP_SAMPLES :], 10 * np.log10(power @ _steps() + np.float32(1e-12))


@cache
def _window() -> Array:
    """Return a Hann window under which a full-scale sine has 0 dB."""
    window = np.hanning(WINDOW_SAMPLES)
    return np.asarray(window * 2 / window.sum(), np.float32)


@cache
def _steps() -> Array:
    """Return the weights of triangles around each pitch, at least one bin wide.

    Their shape is (bins, STEPS), of all bins but the first and the last.
    """
    bin_hz = RATE_HZ / WINDOW_SAMPLES
    centre_hz = LOWEST_HZ * 2 ** (np.arange(STEPS) / STEPS_AN_OCTAVE)
    width_hz = np.maximum(centre_hz * (2 ** (1 / STEPS_AN_OCTAVE) - 1), bin_hz)
    bins_hz = np.arange(1, WINDOW_SAMPLES // 2) * bin_hz
    weights = np.maximum(0.0, 1 - np.abs(bins_hz[:, None] - centre_hz) / width_hz)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def _maxima(levels: Array, hop: int, start: int, stop: int) -> Array:
    """Return (seconds, octave, strength, level) of the maxima in rows [start, stop)."""
    import cv2

    if len(levels) < 3:
        return np.zeros((0, 4), np.float32)
    cv2.setNumThreads(1)
    above = levels - cv2.blur(levels, (SURROUNDING_STEPS, SURROUNDING_HOPS))
    room = np.ones((2 * APART_HOPS + 1, 2 * APART_STEPS + 1), np.uint8)
    is_peak = (above >= cv2.dilate(above, room)) & (above > PROMINENCE_DB) & (levels > FLOOR_DB)
    is_peak[:, [0, -1]] = False
    is_peak[[0, -1]] = False
    is_peak[:start] = False
    is_peak[stop:] = False
    row, step = np.nonzero(is_peak)
    time_hops = hop + row + _summit(above[row - 1, step], above[row, step], above[row + 1, step])
    pitch = step + _summit(above[row, step - 1], above[row, step], above[row, step + 1])
    columns = (time_hops / HOPS_A_SECOND, pitch / STEPS_AN_OCTAVE, above[row, step])
    return np.stack([*columns, levels[row, step]], axis=1).astype(np.float32)


def _summit(before: Array, at: Array, after: Array) -> Array:
    """Return where, between -0.5 and 0.5, the parabola through three neighbours is highest."""
    bend = before - 2 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(bend < 0, 0.5 * (before - after) / bend, 0.0)
    return np.clip(found, -0.5, 0.5)
