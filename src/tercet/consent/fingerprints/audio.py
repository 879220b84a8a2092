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

from tercet.consent.fingerprints.audio_alignment import (
    WINDOW_S,
    Passage,
    landscape,
    passages,
    unchanged,
)
from tercet.consent.fingerprints.audio_decoding import blocks_of
from tercet.consent.fingerprints.audio_keys import (
    STORED_A_SECOND,
    Quads,
    asked_quads,
    stored_quads,
)
from tercet.consent.fingerprints.audio_peaks import Peaks, peaks_of, pitch_variety
from tercet.consent.fingerprints.audio_votes import hypotheses
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

SECONDS_MIN = 2.5  # a codec may shorten three seconds a little
PEAKS_MIN = 20

PITCH_VARIETY_MIN = 9.0  # in 3 seconds
LONG_PITCH_VARIETY_MIN = 13.0  # from LONG_S on
LONG_S = 20.0
"""Pitches, as many as are about equally used. Tones, hums, sirens and metronomes of 20 s have up to
9.6; of 130 pieces of music and speech three seconds have 11.3 and more, thirty have 16 and more."""

STRENGTH_MIN_DB = 11.5
"""The strongest tenth of the peaks must reach this. Noise of any colour: 8.3 to 10.5 dB; music and
speech 13.3 and more."""

CANDIDATES_MAX = 32
CANDIDATE_SHARE_MIN = 0.02  # of the best candidate's weight
OFFSET_STEP_S = 2.0  # how closely the hits of a work must agree to make it a candidate,
STRETCH_S = 10.0  # within so much of the item
WORK_COUNT_MAX = 2_000
"""Two recordings share a key by chance once in 2**20 pairs of keys: at 360,000 works of 200 s a key
stands in so many by chance alone."""


CERTAIN_SURPRISE = 13.0
LIKELY_SURPRISE = 9.0
POSSIBLE_SURPRISE = 6.0
"""Of 11,400 pairs of unrelated music, or speech over music, the greatest surprise was 4.6, and the
share above a score falls by a factor of 7 with each unit: 1e-5 of the pairs reach 6, 1e-8 reach 9,
1e-11 reach 13. Speech by one voice in the same words reaches 8 (docs/fingerprints/audio.md)."""


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
    if (
        len(peaks) < PEAKS_MIN
        or pitch_variety(peaks) < _variety_min(seconds)
        or float(np.quantile(peaks.strength_db, 0.9)) < STRENGTH_MIN_DB
    ):
        return Unfit.STATIONARY
    return None


def _variety_min(seconds: float) -> float:
    share = min(1.0, max(0.0, (seconds - 3) / (LONG_S - 3)))
    return PITCH_VARIETY_MIN + share * (LONG_PITCH_VARIETY_MIN - PITCH_VARIETY_MIN)


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
    return asked_quads(_peaks(np.frombuffer(raw, np.uint64)))


def _agreement(asked: Quads, found: Hits, work: Array) -> Array:
    """Return for each work how far its hits agree on an offset, stretch by stretch of the item.

    ``work`` counts the works of ``found`` from 0. A work keeps about as many quads a second all
    along, so a quad's row tells roughly when it sounds; keys of few works weigh more.
    """
    _, of_key = np.unique(found.query, return_inverse=True)
    one_each = np.unique(of_key * np.int64(work.max() + 1) + work)
    works = np.bincount(one_each // np.int64(work.max() + 1))
    second = asked.places[found.query, 0].astype(np.float64)
    offset = np.floor((found.position / STORED_A_SECOND - second) / OFFSET_STEP_S).astype(np.int64)
    offset -= offset.min()
    stretch = np.floor(second / STRETCH_S).astype(np.int64)
    part = work * np.int64(stretch.max() + 1) + stretch
    width = np.int64(offset.max() + 2)
    cell, at = np.unique(part * width + offset, return_inverse=True)
    votes = np.bincount(at, 1.0 / np.sqrt(works[of_key]))
    beside = np.searchsorted(cell, cell + 1)
    follows = np.append(cell, -1)[beside] == cell + 1
    votes += np.where(follows, np.append(votes, 0.0)[beside], 0.0)
    first = np.flatnonzero(np.diff(cell // width, prepend=-1))
    best = np.maximum.reduceat(votes, first)
    return np.bincount(cell[first] // width // np.int64(stretch.max() + 1), best**2)


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
        """Return the works in which most hits agree on an offset, best first."""
        found = hits.get(QUADS)
        if found is None or not len(found):
            return []
        numbers, work = np.unique(found.work, return_inverse=True)
        weight = _agreement(_asked(query.tracks[PEAKS].keys.tobytes()), found, work)
        order = np.argsort(-weight, kind="stable")[:CANDIDATES_MAX]
        worth = weight[order] >= CANDIDATE_SHARE_MIN * weight.max()
        return [int(number) for number in numbers[order[worth]]]

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return where the item's peaks follow the work's, or None."""
        if query.unfit or stored.unfit or stored.method != query.method:
            return None
        item_keys = query.tracks[PEAKS].keys
        item = _peaks(item_keys)
        theirs = landscape(_peaks(stored.tracks[PEAKS].keys), stored.extent[0])
        quads = stored.tracks[QUADS]
        found: list[Passage] = []
        voted = hypotheses(_asked(item_keys.tobytes()), quads.keys, quads.places)
        for guess in [*voted, *unchanged(item, theirs)]:
            found += passages(item, theirs, guess, POSSIBLE_SURPRISE)
        return _match(work, _apart(found), query.extent[0], stored.extent[0])


def _apart(found: Sequence[Passage]) -> list[Passage]:
    """Return the best passages that do not share more than half of their time in the item."""
    kept: list[Passage] = []
    for one in sorted(found, key=lambda one: -one.surprise):
        half = (one.end_s - one.start_s) / 2
        if all(min(one.end_s, k.end_s) - max(one.start_s, k.start_s) < half for k in kept):
            kept.append(one)
    return kept


def _match(work: int, found: Sequence[Passage], item_s: float, work_s: float) -> Match | None:
    if not found:
        return None
    score = found[0].surprise
    seconds = found[0].end_s - found[0].start_s
    band = Band.POSSIBLE
    if score >= CERTAIN_SURPRISE and seconds > WINDOW_S:
        band = Band.CERTAIN
    elif score >= LIKELY_SURPRISE and seconds > WINDOW_S:
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
