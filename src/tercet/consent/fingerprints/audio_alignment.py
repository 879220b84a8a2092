"""How much of an item a work explains, where the work lies under it as voted, and chance does not.

The item's peaks are laid over the work's. How many fall on one, and how many would at other
offsets and pitches, where there can be nothing but chance, a key both are in, and their rhythm?
What repeats itself everywhere (a tone, a hum, a metronome) is explained as well elsewhere as here,
and so is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tercet.consent.fingerprints.audio_peaks import Peaks
from tercet.consent.fingerprints.audio_votes import Hypothesis
from tercet.consent.fingerprints.fingerprint import Array

NEAR_OCTAVES = 1 / 48
NEAR_BINS = 2  # bins of BIN_S to either side
BIN_S = 0.02

WINDOW_S = 2.0
AGREEING_WINDOWS = 5
"""An alignment may drift; so many windows in a row must agree where it is."""

BLOCK_BINS = 17  # 0.17 s to either side: how far from the voted offset the peaks may place it
_REACH_S = BLOCK_BINS * BIN_S / 2
BLOCKS_BESIDE = 29  # 10 s to either side are looked at to learn what chance explains
OCTAVES_BESIDE = tuple(step / 24 for step in (-7, -5, -4, -3, 3, 4, 5, 7))

DENSE_S = 0.4

SHORT_PEAKS_MAX = 800  # about 30 s

EXPECTED_SHARE_MIN = 0.04
"""Chance explains at least this share of the peaks, however little was seen of it."""

REPEATED_SHARE = 0.8
"""What this share of the other offsets stays below is what rhythm and repetition explain."""


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


def passages(item: Peaks, work: Landscape, guess: Hypothesis, least: float) -> list[Passage]:
    """Return the stretches of the item that ``guess`` explains better than chance does.

    Each has a surprise of ``least`` or more.
    """
    seconds = item.time_s.astype(np.float64) * guess.tempo + guess.offset_s
    inside = (seconds > -_REACH_S) & (seconds < work.seconds + _REACH_S)
    if inside.sum() < 4:
        return []
    laid = _Laid.over(item, inside, seconds, guess)
    table = _followed(_counts(laid, 0.0, work))
    here = np.minimum(table[0][:, BLOCKS_BESIDE], laid.peaks)  # two peaks may explain one
    shift = table[1][:, BLOCKS_BESIDE]
    expected = EXPECTED_SHARE_MIN * laid.peaks
    if not any(
        surprise(*(float(part[begin:end].sum()) for part in (here, expected, laid.peaks))) >= least
        for begin, end in _best_runs(_gain(here, expected))
    ):
        return []  # not even if chance were as rare as it can be
    beside, valid = _beside(laid, work, table[0])
    mean = np.where(valid, beside, 0.0).sum(axis=(0, 2)) / np.maximum(valid.sum(axis=(0, 2)), 1)
    expected = np.maximum(mean, expected)
    found = []
    for begin, end in _best_runs(_gain(here, expected)):
        part = slice(begin, end)
        peaks, explained = float(laid.peaks[part].sum()), float(here[part].sum())
        chance, spread = _chance(beside[:, part], valid[:, part], peaks)
        score = surprise(explained, chance, peaks, spread)
        if score < least:
            continue
        found.append(
            Passage(
                *_ends(laid, work, begin, end, shift),
                replace(guess, offset_s=guess.offset_s + float(np.median(shift[part]))),
                peaks,
                explained,
                chance,
                spread,
                score,
            )
        )
    return found


def unchanged(item: Peaks, work: Landscape) -> list[Hypothesis]:
    """Return where a short item lies best if neither tempo nor pitch was changed.

    All offsets are tried: under loud speech too few quads of a few seconds are whole to vote.
    """
    if not 4 <= len(item) <= SHORT_PEAKS_MAX:
        return []
    seconds = item.time_s.astype(np.float64)
    reach = work.seconds + float(seconds[-1])
    _, difference = _differences(seconds, item.octave.astype(np.float64), work, reach)
    if not len(difference):
        return []
    slot = np.round((difference + reach) / BIN_S).astype(np.int64)
    total = np.cumsum(np.pad(np.bincount(slot), (2 * NEAR_BINS + 1, NEAR_BINS)))
    counts = total[2 * NEAR_BINS + 1 :] - total[: -2 * NEAR_BINS - 1]
    offset = (int(counts.argmax()) - NEAR_BINS) * BIN_S - reach
    return [Hypothesis(0.0, 1.0, offset, 0)]


@dataclass(frozen=True, slots=True)
class _Laid:
    """An item's peaks as they lie on a work: its second and octave, and the window of each."""

    time_s: Array  # in the item
    seconds: Array  # in the work
    octave: Array
    window: Array
    peaks: Array  # of each window

    @staticmethod
    def over(item: Peaks, inside: Array, seconds: Array, guess: Hypothesis) -> _Laid:
        time = item.time_s[inside].astype(np.float64)
        window = np.floor((time - time.min()) / WINDOW_S).astype(np.int64)
        octave = item.octave[inside].astype(np.float64) - guess.octaves
        return _Laid(time, seconds[inside], octave, window, np.bincount(window).astype(float))


def _ends(laid: _Laid, work: Landscape, begin: int, end: int, shift: Array) -> tuple[float, float]:
    """Return the seconds of the item's first and last explained peak of a run of windows."""
    row, difference = _differences(laid.seconds, laid.octave, work, 2 * _REACH_S)
    window = laid.window[row]
    off = np.abs(difference - shift[window])
    here = row[(window >= begin) & (window < end) & (off < (NEAR_BINS + 0.5) * BIN_S)]
    times = np.sort(laid.time_s[np.unique(here)])
    dense = np.flatnonzero(times[2:] - times[:-2] < DENSE_S)  # three at once are hardly chance
    if not len(dense):
        return float(laid.time_s.min()), float(laid.time_s.max())
    return float(times[dense[0]]), float(times[dense[-1] + 2])


def _beside(laid: _Laid, work: Landscape, voted: Array) -> tuple[Array, Array]:
    """Return how many peaks of each window are explained elsewhere, and whether that is inside.

    Both are (1 + pitches, windows, blocks); the first pitch is the voted one, whose counts are
    known, without its own block.
    """
    blocks = 2 * BLOCKS_BESIDE + 1
    others = [_followed(_counts(laid, octaves, work))[0] for octaves in OCTAVES_BESIDE]
    beside = np.stack([voted, *others])
    mean_s = np.bincount(laid.window, laid.seconds) / np.maximum(laid.peaks, 1)
    at = mean_s[:, None] + (np.arange(blocks) - BLOCKS_BESIDE) * BLOCK_BINS * BIN_S
    valid = np.broadcast_to((at > 0) & (at < work.seconds), beside.shape).copy()
    valid[0, :, BLOCKS_BESIDE - 1 : BLOCKS_BESIDE + 2] = False
    return beside, valid


def _counts(laid: _Laid, octaves: float, work: Landscape) -> Array:
    """Return how many peaks of each window are explained at each offset, (windows, bins)."""
    bins = (2 * BLOCKS_BESIDE + 1) * BLOCK_BINS
    reach = bins // 2
    row, difference = _differences(
        laid.seconds, laid.octave + octaves, work, (reach + NEAR_BINS) * BIN_S
    )
    width = bins + 2 * NEAR_BINS
    slot = np.round(difference / BIN_S).astype(np.int64) + width // 2
    np.clip(slot, 0, width - 1, out=slot)
    windows = len(laid.peaks)
    table = np.bincount(laid.window[row] * width + slot, minlength=windows * width)
    total = np.cumsum(table.reshape(windows, width), axis=1, dtype=np.int32)
    total = np.pad(total, ((0, 0), (1, 0)))
    return total[:, 2 * NEAR_BINS + 1 :] - total[:, : -2 * NEAR_BINS - 1]


def _followed(table: Array) -> tuple[Array, Array]:
    """Return count and shift in s of each window and block where its neighbours agree."""
    windows = len(table)
    half = AGREEING_WINDOWS // 2
    total = np.cumsum(np.pad(table, ((half + 1, half), (0, 0))), axis=0)
    around = (total[AGREEING_WINDOWS:] - total[:-AGREEING_WINDOWS]).reshape(windows, -1, BLOCK_BINS)
    first = around.argmax(axis=2)
    last = BLOCK_BINS - 1 - around[:, :, ::-1].argmax(axis=2)
    best = np.where(last - first <= 2 * NEAR_BINS, (first + last) // 2, first)  # a plateau's middle
    split = table.reshape(windows, -1, BLOCK_BINS)
    counts = np.take_along_axis(split, best[:, :, None], axis=2)[:, :, 0]
    return counts.astype(np.float64), (best - BLOCK_BINS // 2) * BIN_S


def _gain(here: Array, expected: Array) -> Array:
    """Return how far above chance each window is, in deviations, less one."""
    return np.asarray((here - expected) / np.sqrt(expected + 1.0) - 1.0)


def _best_runs(gain: Array) -> list[tuple[int, int]]:
    """Return the runs of windows with the greatest sums of gain; weak windows may lie within."""
    found = []
    start, total = 0, 0.0
    best = (0.0, 0, 0)
    for at, value in enumerate([*gain.tolist(), -np.inf]):
        total += value
        if total > best[0]:
            best = (total, start, at + 1)
        if total <= 0 or total < best[0] - GAP_GAIN:
            if best[0] > RUN_GAIN_MIN:
                found.append((best[1], best[2]))
            start, total, best = at + 1, 0.0, (0.0, 0, 0)
    return found


GAP_GAIN = 8.0  # about six windows with nothing of the work end a passage
RUN_GAIN_MIN = 2.0


def _chance(beside: Array, valid: Array, peaks: float) -> tuple[float, float]:
    """Return how many peaks of a stretch chance explains, and the spread over a binomial's."""
    windows = valid.shape[1]
    covered = valid.sum(axis=1)
    usable = covered >= 0.5 * windows
    sums = np.where(valid, beside, 0.0).sum(axis=1) * windows / np.maximum(covered, 1)
    floor = EXPECTED_SHARE_MIN * peaks
    if not usable.any():
        return floor * 2, 2.0
    mean = float(sums[usable].mean())
    repeated = float(np.quantile(sums[0][usable[0]], REPEATED_SHARE)) if usable[0].any() else 0.0
    chance = max(mean, repeated, floor)
    low, high = np.quantile(sums[usable], (0.16, 0.84))  # one deviation each, if it were normal
    variance = chance * max(0.1, 1 - chance / max(peaks, 1.0))
    return chance, max(1.0, float((high - low) / 2) ** 2 / variance)


def surprise(explained: float, expected: float, peaks: float, spread: float = 1.0) -> float:
    """Return minus log10 of the chance of so many: Chernoff's bound for a binomial count."""
    if peaks <= 0 or not 0 < expected < explained:
        return 0.0
    here, chance = min(explained / peaks, 1 - 1e-6), min(expected / peaks, 1 - 1e-6)
    if here <= chance:
        return 0.0
    nats = here * np.log(here / chance) + (1 - here) * np.log((1 - here) / (1 - chance))
    return float(peaks * nats / spread / np.log(10))
