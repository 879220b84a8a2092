"""Where a work runs in an item: straight lines in time, found and checked with thumbnails.

From a seed, lines work_s = speed * item_s + shift near it are tried; the best is followed to both
sides for as long as the thumbnails agree. A still picture fits any line: what it shows is told by
the agreement, which counts what moves separately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Fingerprint
from tercet.consent.fingerprints.frames import STEP_S
from tercet.consent.fingerprints.video_seeds import FRAME_TURNS, Seed
from tercet.consent.fingerprints.video_thumbnails import (
    Agreement,
    View,
    agreement,
    motion,
    thumbnails_of,
)

SPEEDS = np.unique(np.append(np.geomspace(0.4, 2.5, 41), 1.0))
SPEED_RANGE = (0.36, 2.8)
SHIFT_S_MAX = 2.5  # a seed's frames are of one shot, not of one moment
SHIFT_STEP_S = 0.125
PEAKS_MAX = 12  # lines whose movement is compared
PEAK_SHARE_MIN = 0.7  # of the best line
WINDOW_S = 6.0  # of the item, to either side of a seed
CHUNK_S = 8.0  # by which a line is followed
DRIFT_S_MAX = 0.75  # by which the line may be corrected at each chunk
LIKENESS_MIN = 0.4  # of two thumbnails' details: what a frame on the line must reach to count for
LOSS_MAX = 0.15  # what one frame that does not agree counts against, at most
SPEED_LIKING = 0.02  # a still picture fits every speed: then 1 is meant
COMPARED_MAX = 400  # frames on a line
SAME_PLACE_MAX = 0.02  # share of the frame by which maps of one copy differ at the corners
COPIES_MAX = 6
TRIED_ALWAYS = 3  # places: the best reading of one stretch may not be the first
WHOLE_FRAME_MAX = 0.25  # share of the frame that the corners of a map lie off the whole frame's
RUNS_MAX = 24


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of an item that shows a stretch of a work.

    ``map`` leads from the work's frame to the item's. ``weight`` is that of the heaviest seed on
    the line, ``seeds`` how many item frames had one; ``moments`` the different pictures compared.
    """

    item_s: tuple[float, float]
    work_s: tuple[float, float]
    speed: float
    map: Array
    weight: float
    seeds: int
    moments: int
    agreed: Agreement


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Thumbnails of both, the item's as seen through one map."""

    map: Array
    item_times: Array
    item: View
    work_times: Array
    work: View

    @property
    def valid(self) -> Array:
        """Which pixels of the work's frame the item's show."""
        return np.asarray(self.item.valid)

    def likeness(self, rows: Array, columns: Array) -> Array:
        """Return the correlation of details of frames of the item and of the work."""
        here = self.item.details(rows, self.valid)
        return np.asarray(here @ self.work.details(columns, self.valid).T)


def runs_of(query: Fingerprint, stored: Fingerprint, seeds: Sequence[Seed]) -> list[Run]:
    """Return the runs that the seeds lead to, those of the most evidence first."""
    item_times, item = thumbnails_of(query.tracks["thumbnails"])
    work_times, work = thumbnails_of(stored.tracks["thumbnails"])
    runs: list[Run] = []
    groups = _groups([*seeds, *_whole_frames(seeds)])
    for rank, group in enumerate(groups[:COPIES_MAX]):
        pictures = _Pictures(
            group[0].map, item_times, View(item, group[0].map), work_times, View(work, np.eye(3))
        )
        first = group[: rank < TRIED_ALWAYS]
        left = [*first, *(s for s in group if not any(_explains(run, s) for run in runs))]
        while left and len(runs) < RUNS_MAX:
            run = _run_from(left[0], pictures, seeds)
            if run is not None:
                runs.append(run)
            left = [s for s in left[1:] if run is None or not _explains(run, s)]
    return sorted(runs, key=lambda run: -run.agreed.frames * float(run.agreed.alike.mean()))


def _whole_frames(seeds: Sequence[Seed]) -> list[Seed]:
    """Return seeds again with the map of the whole frame, where theirs comes near to it.

    Where the camera moves, marks of frames that are not of quite one moment give a map that is
    right for these two only.
    """
    found = []
    for seed in seeds:
        off = np.abs(_corners(seed.map)[None] - _corners(FRAME_TURNS)).max(axis=(1, 2))
        if 1e-9 < off.min() <= WHOLE_FRAME_MAX:
            turn = FRAME_TURNS[int(off.argmin())]
            found.append(Seed(seed.item_s, seed.work_s, turn, seed.weight / 2))
    return found


def _corners(maps: Array) -> Array:
    """Return where the corners of the work's frame come to lie: (..., 2, 4)."""
    at = maps @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]], float)
    return np.asarray(at[..., :2, :] / at[..., 2:, :])


def _groups(seeds: Sequence[Seed]) -> list[list[Seed]]:
    """Return the seeds by where they lay the work, the groups of most weight first."""
    groups: list[tuple[Array, list[Seed]]] = []
    for seed in seeds:
        at = _corners(seed.map)
        for centre, group in groups:
            extent = max(0.1, float(np.ptp(centre, axis=1).max()))
            if np.abs(centre - at).max() <= SAME_PLACE_MAX * extent:
                group.append(seed)
                break
        else:
            groups.append((at, [seed]))
    found = [group for _, group in groups]
    return sorted(found, key=lambda group: -_weight(group))


def _weight(group: Sequence[Seed]) -> float:
    """Return the weight of a group: the heaviest seed of each of the item's moments."""
    heaviest: dict[float, float] = {}
    for seed in group:
        heaviest[seed.item_s] = max(heaviest.get(seed.item_s, 0.0), seed.weight)
    return sum(heaviest.values())


def _explains(run: Run, seed: Seed) -> bool:
    inside = run.item_s[0] - 1 <= seed.item_s <= run.item_s[1] + 1
    expected = run.work_s[0] + run.speed * (seed.item_s - run.item_s[0])
    return inside and abs(expected - seed.work_s) <= SHIFT_S_MAX


def _run_from(seed: Seed, pictures: _Pictures, seeds: Sequence[Seed]) -> Run | None:
    line = _line_at(seed, pictures)
    if line is None:
        return None
    speed, shift_s = line
    rows, columns = _followed(speed, shift_s, seed.item_s, pictures)
    if len(rows) < 2:
        return None
    return _judged(rows, columns, pictures, seeds, speed)


def _line_at(seed: Seed, pictures: _Pictures) -> tuple[float, float] | None:
    """Return the speed and the shift of the line near a seed that fits best."""
    rows = np.flatnonzero(np.abs(pictures.item_times - seed.item_s) <= WINDOW_S)
    reach_s = WINDOW_S * SPEEDS[-1] + SHIFT_S_MAX
    columns = np.flatnonzero(np.abs(pictures.work_times - seed.work_s) <= reach_s)
    if not len(rows) or not len(columns):
        return None
    gains = _gains(pictures, rows, columns)
    shifts = np.arange(-SHIFT_S_MAX, SHIFT_S_MAX + 1e-6, SHIFT_STEP_S)
    away = pictures.item_times[rows] - seed.item_s
    expected = seed.work_s + SPEEDS[:, None, None] * away + shifts[:, None]
    on_line = _on_line(gains, expected, pictures.work_times[columns])
    start = int(np.argmin(np.abs(away)))
    total = _best_before(on_line[..., :start]) + _best_after(on_line[..., start:])
    total *= 1 - SPEED_LIKING * np.abs(np.log(SPEEDS))[:, None]
    total *= 1 + np.maximum(_moved(pictures, rows, columns, expected), 0)
    best: tuple[float, float, float] | None = None
    for line in _peaks(total):
        gained = on_line[line] > 0
        at = columns[_nearest(pictures.work_times[columns], expected[line][gained])]
        moved = _motion(at, rows[gained], pictures)
        score = float(total[line]) * (1 + max(0.0, moved))
        if best is None or score > best[0]:
            speed = float(SPEEDS[line[0]])
            best = score, speed, float(seed.work_s + shifts[line[1]] - speed * seed.item_s)
    return best[1:] if best is not None else None


def _motion(columns: Array, rows: Array, pictures: _Pictures) -> float:
    if len(rows) < 2:
        return 0.0
    work, item = pictures.work.pictures(columns), pictures.item.pictures(rows)
    return motion(work, item, pictures.valid)


def _moved(pictures: _Pictures, rows: Array, columns: Array, expected: Array) -> Array:
    """Return the correlation of movement along lines, roughly: against means of all the frames."""
    item = pictures.item.pictures(rows) * pictures.valid
    work = pictures.work.pictures(columns) * pictures.valid
    item, work = item - item.mean(axis=0), work - work.mean(axis=0)
    times = pictures.work_times[columns]
    nearest = _nearest(times, expected)
    inside = np.abs(times[nearest] - expected) <= STEP_S
    product = (item @ work.T)[np.arange(len(rows)), nearest] * inside
    item_energy = (item**2).sum(axis=1) * inside
    work_energy = (work**2).sum(axis=1)[nearest] * inside
    scale = np.sqrt(item_energy.sum(axis=-1) * work_energy.sum(axis=-1))
    return np.asarray(product.sum(axis=-1) / np.maximum(scale, 1e-6))


def _peaks(total: Array) -> list[tuple[int, int]]:
    """Return the lines (speed, shift) worth a closer look: good, and not next to a better one."""
    rest = total.copy()
    found: list[tuple[int, int]] = []
    while len(found) < PEAKS_MAX:
        speed, shift = np.unravel_index(int(rest.argmax()), rest.shape)
        if rest[speed, shift] <= PEAK_SHARE_MIN * max(float(total.max()), 0.0):
            break
        found.append((int(speed), int(shift)))
        rest[max(0, speed - 1) : speed + 2, max(0, shift - 1) : shift + 2] = 0
    return found


def _gains(pictures: _Pictures, rows: Array, columns: Array) -> Array:
    """Return what each pair of frames counts for (or against) a line through it."""
    likeness = pictures.likeness(rows, columns)
    return np.maximum(likeness - LIKENESS_MIN, -LOSS_MAX)


def _on_line(gains: Array, expected: Array, work_times: Array) -> Array:
    """Return the gains along lines: ``expected`` (..., rows) are the work's seconds."""
    nearest = _nearest(work_times, expected)
    found = gains[np.arange(gains.shape[0]), nearest]
    outside = np.abs(work_times[nearest] - expected) > STEP_S
    return np.where(outside, -LOSS_MAX, found)


def _nearest(times: Array, sought: Array) -> Array:
    """Return the index of the nearest of ascending ``times``."""
    right = np.clip(np.searchsorted(times, sought), 0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(times[left] - sought) <= np.abs(times[right] - sought), left, right)


def _best_after(values: Array) -> Array:
    """Return the largest sum of a beginning of the last axis."""
    return np.asarray(np.cumsum(values, axis=-1).max(axis=-1))


def _best_before(values: Array) -> Array:
    """Return the largest sum of an end of the last axis, or 0."""
    if not values.shape[-1]:
        return np.zeros(values.shape[:-1])
    return np.maximum(_best_after(values[..., ::-1]), 0)


def _followed(
    speed: float, shift_s: float, start_s: float, pictures: _Pictures
) -> tuple[Array, Array]:
    """Return rows of the item and of the work along a line, as far as they agree."""
    times = pictures.item_times
    start = int(np.argmin(np.abs(times - start_s)))
    behind = _one_way(speed, shift_s, np.arange(start - 1, -1, -1), pictures)
    ahead = _one_way(speed, shift_s, np.arange(start, len(times)), pictures)
    pairs = [*behind[::-1], *ahead]
    return np.array([row for row, _ in pairs], int), np.array([column for _, column in pairs], int)


def _one_way(
    speed: float, shift_s: float, rows: Array, pictures: _Pictures
) -> list[tuple[int, int]]:
    """Follow a line through the item's rows, in that order, correcting it as it goes."""
    chunk = max(4, round(CHUNK_S / STEP_S))
    drifts = np.arange(-DRIFT_S_MAX, DRIFT_S_MAX + 1e-6, SHIFT_STEP_S)
    drifts = drifts[np.argsort(np.abs(drifts), kind="stable")]  # no correction where none helps
    pairs: list[tuple[int, int]] = []
    for first in range(0, len(rows), chunk):
        here = rows[first : first + chunk]
        expected = speed * pictures.item_times[here] + shift_s + drifts[:, None]
        low, high = np.searchsorted(
            pictures.work_times, (expected.min() - STEP_S, expected.max() + STEP_S)
        )
        columns = np.arange(low, high)
        if not len(columns):
            break
        times = pictures.work_times[columns]
        on_line = _on_line(_gains(pictures, here, columns), expected, times)
        sums = np.cumsum(on_line, axis=1)
        best = int(sums.max(axis=1).argmax())
        count = int(sums[best].argmax()) + 1 if sums[best].max() > 0 else 0
        shift_s += float(drifts[best])
        nearest = columns[_nearest(times, expected[best])]
        pairs += list(zip(here[:count].tolist(), nearest[:count].tolist(), strict=True))
        if count < len(here):
            break
    return pairs


def _judged(
    rows: Array, columns: Array, pictures: _Pictures, seeds: Sequence[Seed], speed: float
) -> Run | None:
    item_times, work_times = pictures.item_times[rows], pictures.work_times[columns]
    if len(rows) >= 8 and np.ptp(item_times) > 0:
        speed = float(np.polyfit(item_times, work_times, 1)[0])
    if not SPEED_RANGE[0] <= speed <= SPEED_RANGE[1]:
        return None
    step = -(-len(rows) // COMPARED_MAX)
    some = slice(None, None, step)
    agreed = agreement(
        pictures.work.pictures(columns[some]), pictures.item.pictures(rows[some]), pictures.valid
    )
    near = _on_run(item_times, work_times, pictures.map, seeds)
    return Run(
        item_s=(float(item_times[0]), float(item_times[-1]) + STEP_S),
        work_s=(float(work_times.min()), float(work_times.max()) + STEP_S),
        speed=speed,
        map=pictures.map,
        weight=max((seed.weight for seed in near), default=0.0),
        seeds=len({seed.item_s for seed in near}),
        moments=_moments(pictures.work.details(columns[some], pictures.valid)),
        agreed=agreed,
    )


def _on_run(
    item_times: Array, work_times: Array, share_map: Array, seeds: Sequence[Seed]
) -> list[Seed]:
    """Return the seeds that speak for a run: near it in time and in place."""
    found = []
    here = _corners(share_map)
    for seed in seeds:
        if item_times[0] <= seed.item_s <= item_times[-1]:
            expected_s = float(np.interp(seed.item_s, item_times, work_times))
            off = float(np.abs(_corners(seed.map) - here).max())
            if abs(expected_s - seed.work_s) <= SHIFT_S_MAX and off <= WHOLE_FRAME_MAX:
                found.append(seed)
    return found


MOMENT_LIKENESS_MAX = 0.8
MOMENTS_MAX = 24


def _moments(pictures: Array) -> int:
    """Return how many clearly different pictures there are, counted in order up to a maximum."""
    kept: list[Array] = []
    for picture in pictures:
        if all(float(picture @ other) < MOMENT_LIKENESS_MAX for other in kept):
            kept.append(picture)
        if len(kept) >= MOMENTS_MAX:
            break
    return len(kept)
