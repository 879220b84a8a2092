"""Where a recording stands in another: the tempo, pitch and offset that lay peaks over peaks.

Equal quads vote for (pitch, tempo, offset) as in a Hough transform. Each hypothesis is then judged
by all the peaks: how many of the item's fall on peaks of the work, and how many would at other
offsets and pitches, where nothing can be but chance, the key they share, and their rhythm. What
repeats itself everywhere (a tone, a hum, a metronome) is explained as well elsewhere as here, and
so is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.audio_keys import Quads
from tercet.consent.fingerprints.audio_peaks import Peaks
from tercet.consent.fingerprints.fingerprint import Array

PITCH_OCTAVES_MAX = 0.21  # 2.5 semitones
TEMPO_LOG_MAX = 0.36  # 0.70 to 1.43

HYPOTHESES_MAX = 6
PITCH_VOTE_OCTAVES = 1 / 48
TEMPO_VOTE_LOG = 0.015
OFFSET_VOTE_S = 0.3

NEAR_S = 0.04
NEAR_OCTAVES = 1 / 48
WINDOW_S = 2.0
SMOOTH_WINDOWS = 5
SEARCH_S = 0.3
ELSEWHERE_S = 20.0
ELSEWHERE_OCTAVES = (-7 / 24, -5 / 24, 5 / 24, 7 / 24)

_BIN_S = 0.02
_NEAR_BINS = round(NEAR_S / _BIN_S)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The item's second t is the work's ``tempo * t + offset_s``; its pitch ``octaves`` higher."""

    octaves: float
    tempo: float
    offset_s: float
    votes: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the item that a stretch of the work explains.

    ``explained`` of its ``peaks`` lie on peaks of the work; ``expected`` would by chance, with
    ``spread`` times the variance of independent chance. ``surprise`` is minus the logarithm to
    base 10 of how likely that is.
    """

    start_s: float
    end_s: float
    hypothesis: Hypothesis
    peaks: float
    explained: float
    expected: float
    spread: float
    surprise: float

    def in_work(self, second: float) -> float:
        """Return the second of the work at which the item's ``second`` stands."""
        return self.hypothesis.tempo * second + self.hypothesis.offset_s


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


@dataclass(frozen=True, slots=True)
class Landscape:
    """The peaks of a work in order of pitch step, then time: found by pitch and time at once."""

    code: Array
    seconds: float


def landscape(peaks: Peaks, seconds: float) -> Landscape:
    """Order a work's peaks for `passages`."""
    step = np.floor(peaks.octave / NEAR_OCTAVES).astype(np.int64)
    code = np.sort(step * _FAR_S + peaks.time_s)
    return Landscape(code, seconds)


_FAR_S = 1e6  # no recording is as long: steps of pitch do not run into each other


def _differences(
    seconds: Array, octave: Array, work: Landscape, reach_s: float
) -> tuple[Array, Array]:
    """Return (row, difference in s) of all work peaks near in pitch and within reach in time.

    Near in pitch is half a step to either side at least, a step and a half at most.
    """
    step = np.floor(octave / NEAR_OCTAVES - 0.5).astype(np.int64)
    rows, differences = [], []
    for beside in (0, 1):
        base = (step + beside) * _FAR_S + seconds
        first = np.searchsorted(work.code, base - reach_s)
        count = np.searchsorted(work.code, base + reach_s) - first
        row = np.repeat(np.arange(len(seconds)), count)
        ends = np.cumsum(count)
        at = np.arange(len(row)) + np.repeat(first - (ends - count), count)
        rows.append(row)
        differences.append(work.code[at] - base[row])
    return np.concatenate(rows), np.concatenate(differences)


def _counts(
    seconds: Array, octave: Array, window: Array, windows: int, work: Landscape, reach_s: float
) -> Array:
    """Return how many peaks of each window are explained at each offset, (windows, offsets)."""
    row, difference = _differences(seconds, octave, work, reach_s)
    width = 2 * round(reach_s / _BIN_S) + 1
    slot = np.clip(np.round(difference / _BIN_S).astype(np.int64) + width // 2, 0, width - 1)
    counts = np.bincount(window[row] * width + slot, minlength=windows * width)
    table = counts[: windows * width].reshape(windows, width).astype(np.float64)
    total = np.cumsum(np.pad(table, ((0, 0), (_NEAR_BINS + 1, _NEAR_BINS))), axis=1)
    return total[:, 2 * _NEAR_BINS + 1 :] - total[:, : -2 * _NEAR_BINS - 1]


def passages(item: Peaks, work: Landscape, guess: Hypothesis) -> list[Passage]:
    """Return the stretches of the item that ``guess`` explains better than chance does."""
    seconds = item.time_s.astype(np.float64) * guess.tempo + guess.offset_s
    inside = (seconds > -WINDOW_S) & (seconds < work.seconds + WINDOW_S)
    if inside.sum() < 4:
        return []
    time = item.time_s[inside].astype(np.float64)
    seconds, octave = seconds[inside], item.octave[inside].astype(np.float64) - guess.octaves
    first = float(time.min())
    window = np.floor((time - first) / WINDOW_S).astype(np.int64)
    windows = int(window.max()) + 1
    peaks = np.bincount(window, minlength=windows).astype(np.float64)
    table = _counts(seconds, octave, window, windows, work, ELSEWHERE_S)
    expected, spread = _chance(seconds, octave, window, windows, work, table)
    explained, shift = _followed(table)
    return _stretches(guess, first, peaks, explained, expected, spread, shift)


def _followed(table: Array) -> tuple[Array, Array]:
    """Return each window's count at the offset its neighbourhood agrees on, and that offset."""
    middle = table.shape[1] // 2
    reach = round(SEARCH_S / _BIN_S)
    near = table[:, middle - reach : middle + reach + 1]
    total = np.cumsum(
        np.pad(near, ((SMOOTH_WINDOWS // 2 + 1, SMOOTH_WINDOWS // 2), (0, 0))), axis=0
    )
    around = total[SMOOTH_WINDOWS:] - total[:-SMOOTH_WINDOWS]
    highest = around >= around.max(axis=1, keepdims=True)  # a plateau counts at its middle
    best = np.round((highest * np.arange(near.shape[1])).sum(1) / highest.sum(1)).astype(np.int64)
    return near[np.arange(len(near)), best], (best - reach) * _BIN_S


def _chance(
    seconds: Array, octave: Array, window: Array, windows: int, work: Landscape, table: Array
) -> tuple[Array, float]:
    """Return the count of each window that chance explains, and the spread over its variance.

    Chance is what the same peaks find at other offsets and pitches, so far as these are inside
    the work.
    """
    width = table.shape[1]
    offset = (np.arange(width) - width // 2) * _BIN_S
    mean_s = np.bincount(window, seconds, windows) / np.maximum(
        np.bincount(window, None, windows), 1
    )
    at = mean_s[:, None] + offset
    inside = (at > WINDOW_S / 2) & (at < work.seconds - WINDOW_S / 2)
    beside = np.abs(offset) > 2 * SEARCH_S
    total = np.where(inside & beside, table, 0.0).sum(axis=1)
    squares = np.where(inside & beside, table**2, 0.0).sum(axis=1)
    cells = (inside & beside).sum(axis=1)
    for octaves in ELSEWHERE_OCTAVES:
        other = _counts(seconds, octave + octaves, window, windows, work, ELSEWHERE_S)
        total += np.where(inside, other, 0.0).sum(axis=1)
        squares += np.where(inside, other**2, 0.0).sum(axis=1)
        cells += inside.sum(axis=1)
    mean = total / np.maximum(cells, 1)
    variance = squares / np.maximum(cells, 1) - mean**2
    peaks = np.bincount(window, minlength=windows)
    expected = np.maximum(mean, 0.02 * peaks)
    spread = float(variance.sum() / max(expected.sum(), 1e-9))
    return expected, max(1.0, spread)


def _stretches(
    guess: Hypothesis,
    first_s: float,
    peaks: Array,
    explained: Array,
    expected: Array,
    spread: float,
    shift: Array,
) -> list[Passage]:
    """Join windows to the stretches whose gain over chance is greatest."""
    gain = (explained - expected) / np.sqrt(spread * expected + 1.0) - 1.0
    found = []
    start, total = 0, 0.0
    best = (0.0, 0, 0)
    for at, value in enumerate([*gain, -np.inf]):
        total += value
        if total > best[0]:
            best = (total, start, at + 1)
        if total <= 0 or total < best[0] - 8.0:
            if best[0] > 2.0:
                found.append((best[1], best[2]))
            start, total, best = at + 1, 0.0, (0.0, 0, 0)
    return [
        _passage(guess, first_s, begin, end, peaks, explained, expected, spread, shift)
        for begin, end in found
    ]


def _passage(
    guess: Hypothesis,
    first_s: float,
    begin: int,
    end: int,
    peaks: Array,
    explained: Array,
    expected: Array,
    spread: float,
    shift: Array,
) -> Passage:
    part = slice(begin, end)
    offset_s = guess.offset_s + float(np.median(shift[part]))
    here, chance = float(explained[part].sum()), float(expected[part].sum())
    return Passage(
        first_s + begin * WINDOW_S,
        first_s + end * WINDOW_S,
        Hypothesis(guess.octaves, guess.tempo, offset_s, guess.votes),
        float(peaks[part].sum()),
        here,
        chance,
        spread,
        surprise(here, chance, spread),
    )


def surprise(explained: float, expected: float, spread: float) -> float:
    """Return minus log10 of the chance of so many: Chernoff's bound for a Poisson count."""
    if explained <= expected or expected <= 0:
        return 0.0
    ratio = explained / expected
    return float(expected * (ratio * np.log(ratio) - ratio + 1) / spread / np.log(10))
