"""Time bars and sound strips of a match page: where in two recordings the same is heard or seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS
from tercet.flows.report_markup import Markup, element

COLUMNS = 480
_RATE_HZ = 8_000
_SECONDS_MAX = 4 * 3600
_WIDTH, _HEIGHT = 960, 96

Range = tuple[float, float]


def peaks(file: BinaryIO, start_s: float, end_s: float) -> Array | None:
    """Return the loudest sample of each of COLUMNS parts of a stretch of sound, 0 to 1.

    None when the file has no sound that can be decoded. ``end_s`` beyond the sound is its end.
    """
    import av

    end_s = min(end_s, start_s + _SECONDS_MAX)
    file.seek(0)
    try:
        with av.open(file, "r", options=dict(CONTAINER_OPTIONS)) as container:
            levels = _levels(container, start_s, end_s)
    except (av.FFmpegError, ValueError, OSError, LookupError):
        return None
    if len(levels) == 0:
        return None
    edges = np.linspace(0, len(levels), COLUMNS + 1).astype(int)
    loud = [levels[a : max(b, a + 1)].max(initial=0.0) for a, b in pairwise(edges)]
    found: Array = np.asarray(loud, np.float32)
    return found / max(float(found.max()), 1e-9)


def _levels(container: Any, start_s: float, end_s: float) -> Array:
    """Return the loudest sample of every 20 ms from ``start_s`` to ``end_s``."""
    import av

    stream = next(iter(container.streams.audio), None)
    if stream is None:
        return np.zeros(0, np.float32)
    stream.thread_type = "NONE"
    resampler = av.AudioResampler(format="flt", layout="mono", rate=_RATE_HZ)
    step = _RATE_HZ // 50
    rest = np.zeros(0, np.float32)
    levels: list[Array] = []
    wanted = int((end_s) * 50)
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            rest = np.concatenate([rest, part.to_ndarray().reshape(-1)])
        whole = len(rest) // step * step
        levels.append(np.abs(rest[:whole]).reshape(-1, step).max(axis=1))
        rest = rest[whole:]
        wanted -= whole // step
        if wanted <= 0:
            break
    found: Array = np.concatenate(levels) if levels else np.zeros(0, np.float32)
    return np.nan_to_num(found[int(start_s * 50) : int(end_s * 50) + 1])


def strip(levels: Array, ranges_s: Sequence[Range], length_s: float, label: str) -> Markup:
    """Return a waveform with ``ranges_s`` of its ``length_s`` seconds marked."""
    bars = [
        f"M{(at + 0.5) * _WIDTH / len(levels):.1f} {_HEIGHT / 2 * (1 - max(level, 0.01)):.1f}"
        f"V{_HEIGHT / 2 * (1 + max(level, 0.01)):.1f}"
        for at, level in enumerate(levels.tolist())
    ]
    wave = element("path", d="".join(bars), class_="wave")
    return _framed([*_marks(ranges_s, length_s, _HEIGHT), wave], _HEIGHT, label)


def time_bar(ranges_s: Sequence[Range], length_s: float, label: str) -> Markup:
    """Return a bar of ``length_s`` seconds with ``ranges_s`` marked."""
    height = 28
    line = element("rect", class_="line", y="11", width=str(_WIDTH), height="6")
    marks = _marks(ranges_s, length_s, height)
    return _framed([line, *marks], height, label, "strip bar-of-time")


def _marks(ranges_s: Sequence[Range], length_s: float, height: int) -> list[Markup]:
    """Return the marked ranges, each wide enough to be seen."""
    marks = []
    for start_s, end_s in ranges_s:
        left = max(0.0, min(1.0, start_s / max(length_s, 1e-9))) * _WIDTH
        right = max(0.0, min(1.0, end_s / max(length_s, 1e-9))) * _WIDTH
        width = max(right - left, 4.0)
        marks.append(
            element(
                "rect",
                class_="found",
                x=f"{min(left, _WIDTH - width):.1f}",
                y="1",
                width=f"{width:.1f}",
                height=str(height - 2),
            )
        )
    return marks


def _framed(inner: Sequence[Markup], height: int, label: str, kind: str = "strip") -> Markup:
    return element(
        "svg", element("title", label), *inner,
        viewBox=f"0 0 {_WIDTH} {height}", class_=kind, role="img", preserveAspectRatio="none",
    )  # fmt: skip
