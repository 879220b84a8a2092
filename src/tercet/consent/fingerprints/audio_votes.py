"""How one recording may lie on another: equal quads vote for pitch, tempo and offset.

A Hough transform: each pair of equal quads says how much higher, how much faster and from where
the item plays the work. Pairs that are equal by chance say anything; those of a copy agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.audio_keys import Quads
from tercet.consent.fingerprints.fingerprint import Array

PITCH_OCTAVES_MAX = 0.21  # 2.5 semitones
TEMPO_LOG_MAX = 0.36  # 0.70 to 1.43

HYPOTHESES_MAX = 6
PITCH_VOTE_OCTAVES = 1 / 48
TEMPO_VOTE_LOG = 0.015
OFFSET_VOTE_S = 0.3


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The item's second t is the work's ``tempo * t + offset_s``; its pitch ``octaves`` higher."""

    octaves: float
    tempo: float
    offset_s: float
    votes: int


def hypotheses(asked: Quads, keys: Array, places: Array) -> list[Hypothesis]:
    """Return the alignments that most equal quads agree on, best first.

    ``asked`` must be in order of keys; ``keys`` and ``places`` are the work's.
    """
    first = np.searchsorted(asked.keys, keys, side="left")
    count = np.searchsorted(asked.keys, keys, side="right") - first
    work = np.repeat(np.arange(len(keys)), count)
    ends = np.cumsum(count)
    item = np.arange(len(work)) + np.repeat(first - (ends - count), count)
    mine, theirs = asked.places[item].astype(np.float64), places[work].astype(np.float64)
    pitch = mine[:, 1] - theirs[:, 1]
    tempo = np.log(theirs[:, 2] / mine[:, 2])
    kept = (np.abs(pitch) < PITCH_OCTAVES_MAX) & (np.abs(tempo) < TEMPO_LOG_MAX)
    hits = np.stack([mine[:, 0], theirs[:, 0], pitch, tempo], axis=1)[kept]
    found: list[Hypothesis] = []
    while len(hits) >= 2 and len(found) < HYPOTHESES_MAX:
        best = _most_voted(hits)
        found.append(best)
        off = np.abs(hits[:, 1] - best.tempo * hits[:, 0] - best.offset_s)
        hits = hits[(off > 2 * OFFSET_VOTE_S) | (np.abs(hits[:, 2] - best.octaves) > 0.03)]
    return sorted(found, key=lambda one: -one.votes)


def _most_voted(hits: Array) -> Hypothesis:
    """Return the hypothesis with most votes among hits (item s, work s, octaves, log tempo)."""
    best = (0, 0.0, 0.0, 0.0)
    bins = np.round(hits[:, 2] / PITCH_VOTE_OCTAVES).astype(np.int64)
    bins -= bins.min()
    counts = np.bincount(bins)
    wide = np.convolve(counts, np.ones(3), "same")
    for chosen in np.argsort(-wide)[:4]:
        some = hits[np.abs(bins - chosen) <= 1]
        if len(some) <= best[0]:
            continue
        for tempo_log in np.arange(-TEMPO_LOG_MAX, TEMPO_LOG_MAX, TEMPO_VOTE_LOG):
            near = some[np.abs(some[:, 3] - tempo_log) < 0.08]
            if len(near) <= best[0]:
                continue
            offset = near[:, 1] - np.exp(tempo_log) * near[:, 0]
            slot = np.floor(offset / OFFSET_VOTE_S).astype(np.int64)
            base = int(slot.min())
            votes = np.bincount(slot - base)
            votes = votes + np.append(votes[1:], 0)
            at = int(votes.argmax())
            if votes[at] > best[0]:
                centre = (base + at + 1) * OFFSET_VOTE_S
                best = (int(votes[at]), float(np.median(near[:, 2])), float(tempo_log), centre)
    return _refined(hits, best)


def _refined(hits: Array, best: tuple[int, float, float, float]) -> Hypothesis:
    """Fit pitch, tempo and offset to the hits near a hypothesis, by repeated least squares."""
    votes, octaves, tempo, offset = best[0], best[1], float(np.exp(best[2])), best[3]
    for reach in (0.45, 0.25, 0.12, 0.08):
        off = hits[:, 1] - tempo * hits[:, 0] - offset
        near = hits[(np.abs(off) < reach) & (np.abs(hits[:, 2] - octaves) < 0.04)]
        if len(near) < 2:
            break
        octaves = float(np.median(near[:, 2]))
        span = float(np.ptp(near[:, 0]))
        middle = near[:, 0].mean()
        if span > 1.0 and len(near) >= 4:
            # a short stretch tells little of tempo by offsets: the spans of its quads count too
            lean = near[:, 0] - middle
            prior = len(near) * 0.25
            slope = (lean @ near[:, 1] + prior * np.exp(np.median(near[:, 3]))) / (
                lean @ lean + prior
            )
            tempo = float(np.clip(slope, np.exp(-TEMPO_LOG_MAX), np.exp(TEMPO_LOG_MAX)))
        offset = float(np.median(near[:, 1] - tempo * near[:, 0]))
    return Hypothesis(octaves, tempo, offset, votes)
