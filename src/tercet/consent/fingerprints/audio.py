"""Sound: music, speech and noises found again by the pattern of their spectral peaks.

    file ──▶ blocks ──▶ peaks ──▶ quads ──▶ index ──▶ alignment ──▶ passages

Tracks: ``quads`` are indexed (`audio_keys`; places: second, octaves above 130 Hz, span in s);
``peaks`` are what verification rests on (`audio_peaks`; places: second).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import BinaryIO

import numpy as np

from tercet.consent.fingerprints.audio_alignment import Passage, hypotheses, landscape, passages
from tercet.consent.fingerprints.audio_decoding import blocks_of
from tercet.consent.fingerprints.audio_keys import Quads, asked_quads, stored_quads
from tercet.consent.fingerprints.audio_peaks import Peaks, peaks_of
from tercet.consent.fingerprints.fingerprint import (
    Array,
    Band,
    Fingerprint,
    Hits,
    Match,
    Region,
    Track,
    Unfit,
)
from tercet.core.work import Medium

NAME = "audio-1"
QUADS = "quads"
PEAKS = "peaks"

SECONDS_MIN = 2.5
PEAKS_MIN = 20
CANDIDATES_MAX = 24
WORK_COUNT_MAX = 2_000

CERTAIN_SURPRISE = 16.0
LIKELY_SURPRISE = 12.0
POSSIBLE_SURPRISE = 9.0


def fingerprint(file: BinaryIO) -> Fingerprint:
    """Return the fingerprint of a recording, or of a video's sound.

    Unfit: SILENCE where there is no sound, TOO_SHORT below SECONDS_MIN, STATIONARY where it is the
    same at any moment. ``extent`` is its seconds. Raises UndecodableError when a sound stream is
    there and nothing of it can be decoded.
    """
    peaks, seconds = peaks_of(blocks_of(file))
    unfit = _unfit(peaks, seconds)
    if unfit:
        return Fingerprint(NAME, {}, (seconds,), (unfit,))
    quads = stored_quads(peaks)
    tracks = {QUADS: Track(quads.keys, quads.places), PEAKS: _track(peaks)}
    return Fingerprint(NAME, tracks, (seconds,))


def _unfit(peaks: Peaks, seconds: float) -> Unfit | None:
    if not len(peaks):
        return Unfit.SILENCE
    if seconds < SECONDS_MIN:
        return Unfit.TOO_SHORT
    if len(peaks) < PEAKS_MIN:
        return Unfit.STATIONARY
    return None


def _track(peaks: Peaks) -> Track:
    """Return peaks as a track: key = time in ms (32 bits), pitch in 1/4096 octaves, dB in 1/256."""
    key = np.round(peaks.time_s.astype(np.float64) * 1000).astype(np.uint64) << np.uint64(32)
    key |= np.round(peaks.octave * 4096).astype(np.uint64) << np.uint64(16)
    key |= np.clip(np.round(peaks.strength_db * 256), 0, 65535).astype(np.uint64)
    return Track(key, peaks.time_s[:, None])


def _peaks(keys: Array) -> Peaks:
    low = np.uint64(0xFFFF)
    return Peaks(
        ((keys >> np.uint64(32)) / 1000).astype(np.float32),
        ((keys >> np.uint64(16) & low) / 4096).astype(np.float32),
        ((keys & low) / 256).astype(np.float32),
    )


@lru_cache(maxsize=2)
def _asked(raw: bytes) -> Quads:
    """Return the quads to ask for, in order of keys; ``raw`` is the peaks track, for the cache."""
    asked = asked_quads(_peaks(np.frombuffer(raw, np.uint64)))
    order = np.argsort(asked.keys, kind="stable")
    return Quads(asked.keys[order], asked.places[order], asked.strength_db[order])


class _Audio:
    """The method; see the module."""

    @property
    def name(self) -> str:
        """Return the versioned name."""
        return NAME

    @property
    def medium(self) -> Medium:
        """Return audio."""
        return Medium.AUDIO

    @property
    def radii(self) -> Mapping[str, int]:
        """Return the one indexed track: quads, found when equal."""
        return {QUADS: 0}

    @property
    def work_count_max(self) -> Mapping[str, int]:
        """Return in how many works a quad still says something."""
        return {QUADS: WORK_COUNT_MAX}

    def probes(self, query: Fingerprint) -> Mapping[str, Track]:
        """Return the quads of an item and those near them: a work is indexed by fewer."""
        if query.unfit:
            return {}
        asked = _asked(query.tracks[PEAKS].keys.tobytes())
        return {QUADS: Track(asked.keys, asked.places)}

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works that most keys hit, keys of few works counting more, best first."""
        found = hits.get(QUADS)
        if found is None or not len(found):
            return []
        pairs = np.unique(np.stack([found.query, found.work], axis=1), axis=0)
        _, at, works = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
        numbers, work = np.unique(pairs[:, 1], return_inverse=True)
        weight = np.bincount(work, 1.0 / works[at])
        order = np.argsort(-weight, kind="stable")[:CANDIDATES_MAX]
        return [int(number) for number in numbers[order]]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return where the item's peaks follow the work's, or None."""
        if query.unfit or stored.unfit or stored.method != query.method:
            return None
        item_keys = query.tracks[PEAKS].keys
        item = _peaks(item_keys)
        theirs = landscape(_peaks(stored.tracks[PEAKS].keys), stored.extent[0])
        quads = stored.tracks[QUADS]
        found: list[Passage] = []
        for guess in hypotheses(_asked(item_keys.tobytes()), quads.keys, quads.places):
            found += passages(item, theirs, guess)
        return _match(work, _apart(found), query.extent[0], stored.extent[0])


def _apart(found: Sequence[Passage]) -> list[Passage]:
    """Return the best passages that do not share more than half of their time in the item."""
    kept: list[Passage] = []
    for one in sorted(found, key=lambda one: -one.surprise):
        half = (one.end_s - one.start_s) / 2
        if all(min(one.end_s, k.end_s) - max(one.start_s, k.start_s) < half for k in kept):
            kept.append(one)
    return [one for one in kept if one.surprise >= POSSIBLE_SURPRISE]


def _match(work: int, found: Sequence[Passage], item_s: float, work_s: float) -> Match | None:
    if not found:
        return None
    score = found[0].surprise
    band = Band.POSSIBLE
    if score >= CERTAIN_SURPRISE:
        band = Band.CERTAIN
    elif score >= LIKELY_SURPRISE:
        band = Band.LIKELY
    pairs = tuple(
        (
            Region(start_s=max(0.0, one.start_s), end_s=min(item_s, one.end_s)),
            Region(
                start_s=max(0.0, one.in_work(one.start_s)),
                end_s=min(work_s, one.in_work(one.end_s)),
            ),
        )
        for one in sorted(found, key=lambda one: one.start_s)
    )
    return Match(work, NAME, band, score, "surprise", pairs, _edits(found[0]), _facts(found[0]))


def _edits(best: Passage) -> tuple[str, ...]:
    """Name the changes of tempo and pitch; both by one factor are a change of speed."""
    tempo, pitch = best.hypothesis.tempo, 2**best.hypothesis.octaves
    semitones = 12 * best.hypothesis.octaves
    named = []
    if abs(tempo / pitch - 1) < 0.02 and abs(pitch - 1) > 0.01:
        named.append(f"speed {pitch:.2f}")
    else:
        if abs(tempo - 1) > 0.015:
            named.append(f"tempo {tempo:.2f}")
        if abs(semitones) > 0.25:
            named.append(f"pitch {semitones:+.1f} semitones")
    if best.explained < 0.5 * best.peaks:
        named.append("over other sound")
    return tuple(sorted(named))


def _facts(best: Passage) -> dict[str, float]:
    return {
        "explained": best.explained,
        "expected": round(best.expected, 2),
        "peaks": best.peaks,
        "tempo": round(best.hypothesis.tempo, 4),
        "semitones": round(12 * best.hypothesis.octaves, 2),
        "votes": float(best.hypothesis.votes),
    }


METHOD = _Audio()
