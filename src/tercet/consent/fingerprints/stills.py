"""Single frames out of a moving picture, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS

FRAME_PIXELS_MAX = 50_000_000  # of a frame that is still decoded for a look
_DECODED_FRAMES_MAX = 300  # after the seek: a key frame every ten seconds is common
_SIDE_PIXELS_MAX = 640


def frames_at(file: BinaryIO, times_s: Sequence[float]) -> list[Array]:
    """Return the frame shown at each of ``times_s``, uint8 (height, width, 3) BGR.

    Times count from the first frame and ascend; sides are at most 640 pixels. What cannot be shown
    is left out: damage means fewer frames, or none.
    """
    import av

    file.seek(0)
    try:
        with av.open(file, "r", options=dict(CONTAINER_OPTIONS)) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.width * stream.height > FRAME_PIXELS_MAX:
                return []
            stream.thread_type = "NONE"
            frames = (_frame(container, stream, time_s) for time_s in times_s)
            return [frame for frame in frames if frame is not None]
    except (av.FFmpegError, ValueError, OSError, LookupError):
        return []


def frames_across(file: BinaryIO, count: int, length_s: float) -> list[Array]:
    """Return ``count`` frames spread evenly over a moving picture, or as many as it has."""
    return frames_at(file, [length_s * (n + 0.5) / count for n in range(count)])


def duration_s(file: BinaryIO) -> float:
    """Return how long the file says it is, in seconds; 0 where it does not say."""
    import av

    file.seek(0)
    try:
        with av.open(file, "r", options=dict(CONTAINER_OPTIONS)) as container:
            late = container.format.name.startswith("matroska")  # there, it is the last time
            ticks = (container.duration or 0) - (container.start_time or 0) * late
            return max(0.0, ticks / av.time_base)
    except (av.FFmpegError, ValueError, OSError, LookupError):
        return 0.0


def _frame(container: Any, stream: Any, time_s: float) -> Array | None:
    """Return the last frame that begins no later than ``time_s``, or the first there is.

    Where a format's seeking overshoots (MPEG transport streams), it is looked for from the start.
    """
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    found = _frame_after(container, stream, start_s + time_s, start_s + time_s)
    if found is None or (found.time or 0.0) > start_s + time_s:
        found = _frame_after(container, stream, start_s, start_s + time_s) or found
    return None if found is None else _pixels(found)


def _frame_after(container: Any, stream: Any, seek_s: float, time_s: float) -> Any:
    import av

    best = None
    try:
        container.seek(int(seek_s * av.time_base), backward=True)
        for count, frame in enumerate(container.decode(stream)):
            if best is not None and (frame.time or 0.0) > time_s:
                break
            best = frame
            if count >= _DECODED_FRAMES_MAX:
                break
    except (av.FFmpegError, ValueError, OSError):
        return best
    return best


def _pixels(frame: Any) -> Array | None:
    if frame.width * frame.height > FRAME_PIXELS_MAX:
        return None
    share = min(1.0, _SIDE_PIXELS_MAX / max(frame.width, frame.height))
    width, height = (max(2, round(side * share)) for side in (frame.width, frame.height))
    pixels: Array = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
    return pixels
