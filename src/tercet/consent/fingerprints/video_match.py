"""From runs to a match: how sure, where, and what was done to the work.

What decides is measured in docs/fingerprints/video.md. The picture alone never makes a match
certain unless the work is a picture that stands still: other films made at the same place, with
the same figures or the same title card look alike, but do not move alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Band, Fingerprint, Match, Region
from tercet.consent.fingerprints.picture_placing import edits_of, regions_of
from tercet.consent.fingerprints.video_alignment import Run

SPEED_CHANGE_MIN = 0.04
SPEED_CHANGE_SHORT_MIN = 0.15  # in short runs a quarter of a second is much
SPEED_EXACT_S = 6.0
EXCERPT_SHARE_MAX = 0.9  # less of the work runs in the item
OVERLAP_SHARE_MAX = 0.5  # of a run with a better one: then it is another reading of the same

# A certain match moves alike. What other films made at the same place have in common does not:
# see the table in docs/fingerprints/video.md.
CERTAIN_MOTION_MIN = 0.5
CERTAIN_MOVING_MIN = 4
CERTAIN_MOTION_AND_SHARE_MIN = 1.35  # of the blocks that move: 1.21 is the most of other films
CERTAIN_ALIKE_MIN = 0.4
CERTAIN_FRAMES_MIN = 6
# Where little moves, all of it must move alike, and the picture must surely be the same.
SMALL_MOTION_MIN = 0.75
SMALL_MOVING_MIN = 2
SMALL_WEIGHT_MIN = 25.0
# Or it stands still, all of the work does, and the picture is surely the same.
STILL_WEIGHT_MIN = 40.0
STILL_ALIKE_MIN = 0.85
STILL_BLOCKS_MIN = 8.0
STILL_SHARE_MIN = 0.6  # of the work's length
STILL_CONTRARY_MAX = 2  # blocks that move, but not alike
LIKELY_MOTION_MIN = 0.4
SOME_MOTION_MIN = 0.3
LIKELY_ALIKE_MIN = 0.6
LIKELY_WEIGHT_MIN = 15.0
POSSIBLE_ALIKE_MIN = 0.5
POSSIBLE_WEIGHT_MIN = 8.0
# Lines of white on black roll alike in any two lists of credits: on plain grounds marks decide.
PLAIN_MIN = 0.6
PLAIN_WEIGHT_MIN = 25.0
PLAIN_ALIKE_MIN = 0.7
PLAIN_MOTION_MIN = 0.7  # with as many marks as a still picture needs
PLAIN_LIKELY_MIN = 0.95  # of both, for a likely match with fewer

# A title card or a stock intro is a short part of both films; an excerpt is most of the item.
PART_SECONDS_MIN = 6.0
PART_SHARE_MIN = 0.5

_RANK = {Band.CERTAIN: 0, Band.LIKELY: 1, Band.POSSIBLE: 2}


def band_of(run: Run, work_s: float) -> Band | None:
    """Return how sure a run is; ``work_s`` is the length of the work in seconds."""
    agreed, alike = run.agreed, float(run.agreed.alike.mean())
    plain = agreed.plain >= PLAIN_MIN
    vague = plain and (run.weight < PLAIN_WEIGHT_MIN or alike < PLAIN_ALIKE_MIN)
    vague = vague and not (run.weight >= STILL_WEIGHT_MIN and agreed.motion >= PLAIN_MOTION_MIN)
    if not vague and (_moves(run) or _moves_a_little(run) or _stands_still(run, work_s)):
        return Band.CERTAIN
    agrees = alike >= LIKELY_ALIKE_MIN and agreed.frames >= 3
    agrees = agrees and not (vague and min(alike, agreed.motion) < PLAIN_LIKELY_MIN)
    if agrees and moving_like(run) and (run.weight >= LIKELY_WEIGHT_MIN or run.seeds >= 3):
        return Band.LIKELY
    if run.weight >= POSSIBLE_WEIGHT_MIN and alike >= POSSIBLE_ALIKE_MIN:
        return Band.POSSIBLE
    return None


def _moves(run: Run) -> bool:
    agreed = run.agreed
    share = agreed.moving_alike / max(1, agreed.moving)
    alike = agreed.alike.mean() >= CERTAIN_ALIKE_MIN and agreed.frames >= CERTAIN_FRAMES_MIN
    enough = agreed.motion >= CERTAIN_MOTION_MIN and agreed.moving_alike >= CERTAIN_MOVING_MIN
    return bool(alike and enough and agreed.motion + share >= CERTAIN_MOTION_AND_SHARE_MIN)


def _moves_a_little(run: Run) -> bool:
    agreed = run.agreed
    looks = agreed.alike.mean() >= STILL_ALIKE_MIN and agreed.frames >= CERTAIN_FRAMES_MIN
    moves = agreed.motion >= SMALL_MOTION_MIN and agreed.moving_alike >= SMALL_MOVING_MIN
    all_alike = agreed.moving_alike == agreed.moving
    return bool(looks and moves and all_alike and run.weight >= SMALL_WEIGHT_MIN)


def _stands_still(run: Run, work_s: float) -> bool:
    agreed = run.agreed
    looks = agreed.alike.mean() >= STILL_ALIKE_MIN and agreed.blocks >= STILL_BLOCKS_MIN
    still = agreed.moving - agreed.moving_alike <= STILL_CONTRARY_MAX
    long = run.work_s[1] - run.work_s[0] >= STILL_SHARE_MIN * work_s
    return bool(looks and still and long and run.weight >= STILL_WEIGHT_MIN)


def moving_like(run: Run) -> bool:
    """Tell whether what moves does not contradict that both are the same.

    A caption moves for itself; what moves fast looks different a tenth of a second later. Then
    the rest must be the surer.
    """
    agreed = run.agreed
    if agreed.moving <= STILL_CONTRARY_MAX:
        return True
    if agreed.motion >= LIKELY_MOTION_MIN and 2 * agreed.moving_alike >= agreed.moving:
        return True
    if run.weight < PLAIN_WEIGHT_MIN or agreed.alike.mean() < PLAIN_ALIKE_MIN:
        return False
    some = agreed.motion >= SOME_MOTION_MIN and agreed.moving_alike >= SMALL_MOVING_MIN
    return some or agreed.motion >= LIKELY_MOTION_MIN


def agreeing_s(run: Run) -> float:
    """Return the seconds of the item that agree, by the share of the picture that does."""
    length_s = run.item_s[1] - run.item_s[0]
    return length_s * float(run.agreed.alike.mean()) * (1 + max(0.0, run.agreed.motion)) / 2


def matched(
    query: Fingerprint, work: int, stored: Fingerprint, runs: Sequence[Run]
) -> Match | None:
    """Return the match that the runs of one work make up; None when they make up none."""
    judged = [(band, run) for run in runs if (band := band_of(run, stored.extent[0])) is not None]
    judged.sort(key=lambda pair: (_RANK[pair[0]], -agreeing_s(pair[1])))
    if not judged:
        return None
    best_band, best = judged[0]
    kept: list[Run] = []
    for band, run in judged:
        if band is best_band and all(_overlap(run, other) <= OVERLAP_SHARE_MAX for other in kept):
            kept.append(run)
    kept.sort(key=lambda run: run.item_s)
    if best_band is Band.CERTAIN and _is_small_part(kept, query, stored):
        best_band = Band.LIKELY
    return Match(
        work=work,
        method=stored.method,
        band=best_band,
        score=round(sum(agreeing_s(run) for run in kept), 3),
        unit="agreeing seconds",
        pairs=tuple(_regions(run, query, stored) for run in kept),
        edits=_edits(best, query, stored, kept),
        facts={
            "motion": round(best.agreed.motion, 4),
            "blocks": round(best.agreed.blocks, 2),
            "blocks_alike_share": round(float(best.agreed.alike.mean()), 4),
            "blocks_moving": float(best.agreed.moving),
            "blocks_moving_alike": float(best.agreed.moving_alike),
            "frames": float(best.agreed.frames),
            "marks": best.weight,
            "moments": float(best.moments),
            "plain_share": round(best.agreed.plain, 4),
            "speed": round(best.speed, 4),
        },
    )


def _is_small_part(runs: Sequence[Run], query: Fingerprint, stored: Fingerprint) -> bool:
    """Tell whether what agrees is short, and a minor part of the item as of the work."""
    item_s = sum(run.item_s[1] - run.item_s[0] for run in runs)
    work_s = sum(run.work_s[1] - run.work_s[0] for run in runs)
    share = max(item_s / max(query.extent[0], 1e-6), work_s / max(stored.extent[0], 1e-6))
    return item_s < PART_SECONDS_MIN and share < PART_SHARE_MIN


def _overlap(run: Run, other: Run) -> float:
    """Return which share of a run's time in the item another one takes."""
    shared = min(run.item_s[1], other.item_s[1]) - max(run.item_s[0], other.item_s[0])
    return shared / max(1e-6, run.item_s[1] - run.item_s[0])


def _regions(run: Run, query: Fingerprint, stored: Fingerprint) -> tuple[Region, Region]:
    matrix, work_size, item_size = _in_pixels(run, query, stored)
    item_quad, work_quad = regions_of(matrix, work_size, item_size)
    (start_s, end_s), (from_s, to_s) = run.item_s, run.work_s
    return (
        Region(quad=item_quad, start_s=round(start_s, 3), end_s=round(end_s, 3)),
        Region(quad=work_quad, start_s=round(from_s, 3), end_s=round(to_s, 3)),
    )


def _edits(
    best: Run, query: Fingerprint, stored: Fingerprint, runs: Sequence[Run]
) -> tuple[str, ...]:
    """Name what was done, in plain words."""
    found = set(edits_of(*_in_pixels(best, query, stored)))
    if "inside a larger picture" in found and _is_letterbox(best.map):
        found = found - {"inside a larger picture"} | {"letterboxed"}
    long = best.item_s[1] - best.item_s[0] >= SPEED_EXACT_S
    change_min = SPEED_CHANGE_MIN if long else SPEED_CHANGE_SHORT_MIN
    if abs(best.speed - 1) >= change_min and best.agreed.moving_alike:
        found.add(f"speed {best.speed:.2f}")
    seconds = sum(run.work_s[1] - run.work_s[0] for run in runs)
    if seconds < EXCERPT_SHARE_MAX * stored.extent[0]:
        found.add("excerpt")
    return tuple(sorted(found))


def _is_letterbox(share_map: Array) -> bool:
    """Tell whether the work spans the item from side to side, with bars at the other two."""
    corners = share_map @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]], float)
    extent = np.ptp(corners[:2] / corners[2], axis=1)
    return bool(extent.max() >= 0.95 > extent.min())


def _in_pixels(
    run: Run, query: Fingerprint, stored: Fingerprint
) -> tuple[Array, tuple[float, float], tuple[float, float]]:
    """Return the run's map from pixels to pixels, and the sizes of the work and of the item."""
    work_size, item_size = stored.extent[1:3], query.extent[1:3]
    matrix = np.diag([*item_size, 1.0]) @ run.map @ np.linalg.inv(np.diag([*work_size, 1.0]))
    return matrix, (work_size[0], work_size[1]), (item_size[0], item_size[1])
