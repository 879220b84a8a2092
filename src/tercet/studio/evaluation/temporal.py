"""How a video behaves in time: flicker, warp error, seams where scenes join, drift of colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Video = NDArray[np.uint8]  # (frames, height, width, 3), RGB

_HISTOGRAM_BINS = 8  # a colour channel
_FLOW_SIDE_PX = 256  # the flow is looked for at this size: its patches are 8 px wide


def flicker(video: Video) -> float:
    """Return the mean absolute difference of neighbouring frames, in levels of 255.

    VBench's "temporal flickering" (arXiv 2311.17982) is 1 - this / 255. Motion counts too: it
    says something only beside the same figure of real clips of the same scenes.
    """
    if len(video) < 2:
        return 0.0
    return float(_steps(video).mean())


def _steps(video: Video) -> NDArray[np.float64]:
    """Return the mean absolute difference of every frame to the next, in levels."""
    return np.array(
        [np.abs(after.astype(np.int16) - before).mean() for before, after in pairwise(video)]
    )


def warp_error(video: Video) -> float:
    """Return how far each frame is from the next one warped back to it, in levels of 255.

    The flow is OpenCV's DIS; places that the other direction contradicts are left out as hidden
    (the rule of Sundaram et al., ECCV 2010, as in Lai et al., arXiv 1808.00449). What is left is
    change that no motion explains.
    """
    import cv2

    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    scale = max(1, round(_FLOW_SIDE_PX / max(video.shape[1:3])))
    greys = []
    for frame in video:
        large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        greys.append(cv2.cvtColor(large, cv2.COLOR_RGB2GRAY))
    errors = []
    for at in range(len(video) - 1):
        ahead = _to_frame(flow.calc(greys[at], greys[at + 1], None), scale)
        back = _to_frame(flow.calc(greys[at + 1], greys[at], None), scale)
        seen = ~_hidden(ahead, back)
        gap = np.abs(_warped(video[at + 1], ahead).astype(np.int16) - video[at]).mean(-1)
        errors.append(float(gap[seen].mean()) if seen.any() else float(gap.mean()))
    return float(np.mean(errors)) if errors else 0.0


def _to_frame(flow: NDArray[np.float32], scale: int) -> NDArray[np.float32]:
    """Return a flow found at ``scale`` times the size as one of the frame, in its pixels."""
    import cv2

    height, width = flow.shape[0] // scale, flow.shape[1] // scale
    small = cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small / scale, np.float32)


def _warped(picture: Any, flow: NDArray[np.float32]) -> NDArray[Any]:
    """Return the picture as seen from where ``flow`` begins."""
    import cv2

    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    moved: NDArray[Any] = cv2.remap(
        picture,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved


def _hidden(ahead: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where the two directions contradict each other, or the way leads out of the frame."""
    there = np.asarray(_warped(back, ahead), np.float32)
    gap = ((ahead + there) ** 2).sum(-1)
    length = (ahead**2).sum(-1) + (there**2).sum(-1)
    rows, columns = np.mgrid[: ahead.shape[0], : ahead.shape[1]]
    x, y = columns + ahead[..., 0], rows + ahead[..., 1]
    outside = (x < 0) | (y < 0) | (x > ahead.shape[1] - 1) | (y > ahead.shape[0] - 1)
    hidden: NDArray[np.bool_] = (gap > 0.01 * length + 0.5) | outside
    return hidden


@dataclass(frozen=True, slots=True)
class Seams:
    """How visible the joins of scenes are, in levels of 255.

    ``join`` is the mean step across a join, ``within`` the mean step between other frames.
    """

    join: float
    within: float

    @property
    def ratio(self) -> float:
        """1 where a join is a step like any other."""
        return self.join / self.within if self.within else float("inf") if self.join else 1.0


def seams(video: Video, joins: Sequence[int]) -> Seams:
    """Return the steps across joins; a join is the number of the first frame behind it."""
    steps = _steps(video)
    at = np.zeros(len(steps), bool)
    at[[join - 1 for join in joins]] = True
    join = float(steps[at].mean()) if at.any() else 0.0
    return Seams(join=join, within=float(steps[~at].mean()) if (~at).any() else 0.0)


def colour_shift(first: Video, later: Video) -> float:
    """Return how far the colours of two pieces of video differ, from 0 (alike) to 1.

    Half the sum of absolute differences of their histograms (total variation), 8 bins a channel.
    """
    return float(np.abs(_histogram(first) - _histogram(later)).sum() / 2)


def _histogram(video: Video) -> NDArray[np.float64]:
    bins = (video.reshape(-1, 3) // (256 // _HISTOGRAM_BINS)).astype(np.int64)
    number = (bins[:, 0] * _HISTOGRAM_BINS + bins[:, 1]) * _HISTOGRAM_BINS + bins[:, 2]
    counts = np.bincount(number, minlength=_HISTOGRAM_BINS**3)
    shares: NDArray[np.float64] = counts / max(1, counts.sum())
    return shares
