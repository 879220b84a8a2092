"""Moving pictures that only picture decoders read (WebP, AVIF), as a video that others read."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import UndecodableError
from tercet.consent.fingerprints.picture_decoding import check_size
from tercet.consent.fingerprints.picture_header import picture_header
from tercet.core.limits import MEDIA_FILE_BYTES_MAX

PICTURE_KINDS = frozenset({"image/webp", "image/avif", "image/heic"})
"""Media types whose moving pictures must be taken through here."""
PIXELS_MAX = 200_000_000  # of all frames together; of four bytes each
FRAMES_MAX = 2_000
_CLOCK_HZ = 1000


def as_video(file: BinaryIO) -> BinaryIO:
    """Return the moving picture in ``file`` as a Matroska file without loss, with its times.

    Raises UndecodableError when it cannot be decoded, or is beyond the limits.
    """
    import cv2

    cv2.setNumThreads(1)
    file.seek(0)
    raw = file.read(MEDIA_FILE_BYTES_MAX + 1)
    header = picture_header(raw[:MEDIA_FILE_BYTES_MAX])
    if header is None or len(raw) > MEDIA_FILE_BYTES_MAX:
        raise _refused("another kind or size")
    check_size(header.width_px, header.height_px)
    frames_max = min(FRAMES_MAX, PIXELS_MAX // max(1, header.width_px * header.height_px))
    try:
        done, found = cv2.imdecodeanimation(np.frombuffer(raw, np.uint8), 0, frames_max + 1)
    except (cv2.error, OverflowError) as error:
        raise _refused(type(error).__name__) from error
    if not done or not len(found.frames):
        raise _refused("one that its decoder refuses")
    if len(found.frames) > frames_max:
        raise _refused(f"more than {frames_max} frames of {header.width_px} x {header.height_px}")
    return _written(found.frames, [int(each) for each in found.durations])


def _refused(got: str) -> UndecodableError:
    message = f"expected a moving picture within the limits, got {got}"
    return UndecodableError(message, hint="convert it to MP4 or WebM")


def _written(frames: Any, durations_ms: list[int]) -> BinaryIO:
    """Write frames with the time each begins at; none lasts less than 10 ms, as browsers have it.

    Transparent places are black, as in the frames of a decoder that knows no transparency.
    """
    from fractions import Fraction

    import av

    written = io.BytesIO()
    with av.open(written, "w", format="matroska") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.time_base = "bgr0", Fraction(1, _CLOCK_HZ)
        stream.thread_type = "NONE"
        at_ms = 0
        for pixels, duration_ms in zip(frames, durations_ms, strict=True):
            colours = np.ascontiguousarray(pixels[:, :, :3])
            frame = av.VideoFrame.from_ndarray(colours, format="bgr24").reformat(format="bgr0")
            frame.pts, frame.time_base = at_ms, Fraction(1, _CLOCK_HZ)
            container.mux(stream.encode(frame))
            at_ms += max(10, duration_ms)
        container.mux(stream.encode(None))
    written.seek(0)
    return written
