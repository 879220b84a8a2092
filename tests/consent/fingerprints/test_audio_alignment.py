"""Quads survive changes of pitch and tempo; alignment names them; chance explains nothing."""

from __future__ import annotations

from math import comb, log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints.audio_alignment import landscape, passages, surprise, unchanged
from tercet.consent.fingerprints.audio_keys import asked_quads, stored_quads
from tercet.consent.fingerprints.audio_peaks import Peaks
from tercet.consent.fingerprints.audio_votes import Hypothesis, hypotheses

SECONDS = 20.0


def scattered(seed: int, seconds: float = SECONDS, a_second: int = 22) -> Peaks:
    """Return peaks at random: what no other recording has."""
    random = np.random.default_rng(seed)
    count = int(seconds * a_second)
    return Peaks(
        np.sort(random.uniform(0, seconds, count)).astype(np.float32),
        random.uniform(0.5, 4.0, count).astype(np.float32),
        random.uniform(5, 30, count).astype(np.float32),
    )


def played(peaks: Peaks, tempo: float, octaves: float, start_s: float = 0.0) -> Peaks:
    """Return the peaks from ``start_s`` on, ``tempo`` times as fast and higher."""
    kept = peaks.time_s >= start_s
    return Peaks(
        ((peaks.time_s[kept] - start_s) / tempo).astype(np.float32),
        (peaks.octave[kept] + octaves).astype(np.float32),
        peaks.strength_db[kept],
    )


def best(item: Peaks, work: Peaks) -> Hypothesis:
    stored = stored_quads(work)
    return hypotheses(asked_quads(item), stored.keys, stored.places)[0]


@settings(max_examples=15, deadline=None)
@given(
    tempo=st.floats(0.78, 1.3),
    octaves=st.floats(-0.17, 0.17),
    start_s=st.floats(0, 12),
    seed=st.integers(0, 50),
)
def test_any_change_of_tempo_and_pitch_is_recovered(
    tempo: float, octaves: float, start_s: float, seed: int
) -> None:
    work = scattered(seed)
    found = best(played(work, tempo, octaves, start_s), work)
    assert found.votes > 20
    assert found.tempo == pytest.approx(tempo, rel=0.01)
    assert found.octaves == pytest.approx(octaves, abs=0.01)
    assert found.offset_s == pytest.approx(start_s, abs=0.1)


def test_nearly_every_stored_quad_is_asked_for_by_the_same_recording() -> None:
    peaks = scattered(1)
    assert np.isin(stored_quads(peaks).keys, asked_quads(peaks).keys).mean() > 0.98


def test_a_work_keeps_its_quads_in_order_of_time_and_as_many_each_second() -> None:
    second = np.floor(stored_quads(scattered(2)).places[:, 0])
    assert (np.diff(second) >= 0).all()
    assert np.unique(second, return_counts=True)[1].max() <= 30


def test_keys_of_nothing_are_none() -> None:
    empty = Peaks(*(np.zeros(0, np.float32) for _ in range(3)))
    assert len(stored_quads(empty).keys) == len(asked_quads(empty).keys) == 0
    assert hypotheses(asked_quads(empty), stored_quads(scattered(1)).keys, np.zeros((0, 3))) == []


def test_a_true_alignment_explains_all_and_a_wrong_one_nothing() -> None:
    work = scattered(3)
    item = played(work, 1.0, 0.0, 5.0)
    ground = landscape(work, SECONDS)
    [found] = passages(item, ground, Hypothesis(0.0, 1.0, 5.0, 9), 6.0)
    assert found.explained == found.peaks
    assert found.surprise > 50
    assert passages(item, ground, Hypothesis(0.0, 1.0, 9.0, 9), 6.0) == []
    assert passages(item, ground, Hypothesis(0.5, 1.0, 5.0, 9), 6.0) == []


def test_a_rhythm_that_never_changes_is_no_evidence() -> None:
    """A metronome explains a metronome at every beat."""
    beats = np.repeat(np.arange(0.1, SECONDS, 0.25), 5)
    clicks = Peaks(
        beats.astype(np.float32),
        np.tile([0.6, 1.1, 1.9, 2.3, 3.0], len(beats) // 5).astype(np.float32),
        np.full(len(beats), 20, np.float32),
    )
    assert passages(clicks, landscape(clicks, SECONDS), Hypothesis(0.0, 1.0, 0.0, 9), 6.0) == []


def test_a_short_item_under_much_else_is_laid_without_votes() -> None:
    work, other = scattered(4), scattered(5, 4.0, 60)
    piece = played(work, 1.0, 0.0, 16.0)
    order = np.argsort(np.concatenate([piece.time_s, other.time_s]), kind="stable")
    pairs = zip(
        (piece.time_s, piece.octave, piece.strength_db),
        (other.time_s, other.octave, other.strength_db),
        strict=True,
    )
    mixed = Peaks(*(np.concatenate(pair)[order] for pair in pairs))
    [found] = unchanged(mixed, landscape(work, SECONDS))
    assert found.offset_s == pytest.approx(16.0, abs=0.05)


@given(st.integers(5, 60), st.floats(0.02, 0.6), st.floats(0.0, 1.0))
def test_surprise_never_exceeds_the_exact_binomial_tail(
    peaks: int, chance: float, share: float
) -> None:
    explained = round(share * peaks)
    exact = sum(
        comb(peaks, k) * chance**k * (1 - chance) ** (peaks - k)
        for k in range(explained, peaks + 1)
    )
    assert surprise(explained, chance * peaks, peaks) <= -log10(exact) + 1e-4
