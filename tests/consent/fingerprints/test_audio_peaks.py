"""Peaks stand where the sound has them, however it comes in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tercet.consent.fingerprints.audio_decoding import RATE_HZ
from tercet.consent.fingerprints.audio_peaks import LOWEST_HZ, Peaks, peaks_of, pitch_variety
from tercet.consent.fingerprints.fingerprint import Array


def plucked(starts_s: list[float], hertz: list[float], seconds: float) -> Array:
    """Return tones that begin at once and fade."""
    sound = np.zeros(int((seconds + 2) * RATE_HZ), np.float32)
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    for start, pitch in zip(starts_s, hertz, strict=True):
        at = round(start * RATE_HZ)
        sound[at : at + len(time_s)] += (
            0.3 * np.sin(2 * np.pi * pitch * time_s) * np.exp(-6 * time_s)
        )
    return sound[: int(seconds * RATE_HZ)]


def nearest(peaks: Peaks, second: float, hertz: float) -> tuple[float, float]:
    """Return how far, in s and octaves, the nearest peak is from where one should be."""
    time, octave = peaks.time_s - second, peaks.octave - np.log2(hertz / LOWEST_HZ)
    best = np.argmin(np.abs(time) / 0.05 + np.abs(octave) / 0.02)
    return float(time[best]), float(octave[best])


@pytest.mark.parametrize("hertz", [220.0, 415.3, 1234.5, 2999.0])
def test_a_tone_has_its_peak_at_its_pitch_and_moment(hertz: float) -> None:
    peaks, seconds = peaks_of([plucked([1.0], [hertz], 3)])
    late_s, octave = nearest(peaks, 1.0, hertz)
    assert seconds == 3.0
    assert 0 < late_s < 0.15  # a window is filled some time after the tone began
    assert abs(octave) < 1 / 72


@pytest.mark.parametrize("size", [33_333, 240_000])
def test_blocks_of_any_size_give_the_same_peaks(size: int) -> None:
    random = np.random.default_rng(1)
    starts = sorted(random.uniform(0, 78, 60))
    sound = plucked(starts, list(150 * 2 ** random.uniform(0, 4, 60)), 80)
    whole, _ = peaks_of([sound])
    parts, seconds = peaks_of(sound[at : at + size] for at in range(0, len(sound), size))
    assert seconds == len(sound) / RATE_HZ
    assert len(whole) == len(parts)
    assert np.allclose(whole.time_s, parts.time_s, atol=1e-3)
    assert np.allclose(whole.octave, parts.octave, atol=1e-3)


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 1023, 2048])
def test_almost_nothing_has_no_peaks(samples: int) -> None:
    peaks, seconds = peaks_of([np.full(samples, 0.5, np.float32)])
    assert seconds == samples / RATE_HZ
    assert len(peaks) <= 1


def test_volume_moves_no_peak() -> None:
    sound = plucked([0.5, 1.1, 1.4], [300, 500, 900], 3)
    loud, _ = peaks_of([sound])
    quiet, _ = peaks_of([sound * np.float32(0.01)])
    for second, hertz in ((0.5, 300), (1.1, 500), (1.4, 900)):
        assert nearest(quiet, second, hertz) == pytest.approx(
            nearest(loud, second, hertz), abs=0.03
        )


def test_variety_counts_pitches_used_alike() -> None:
    for count in (1, 4, 20):
        octave = (np.arange(count * 3) % count / 10).astype(np.float32)
        same = np.full(len(octave), 20, np.float32)
        assert pitch_variety(Peaks(octave, octave, same)) == pytest.approx(count, rel=0.01)
