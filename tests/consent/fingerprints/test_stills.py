"""Stills are the frames at the times that were found, wherever a file's clock begins."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from tercet.consent.fingerprints.preview import preview_of_image, preview_of_video
from tercet.consent.fingerprints.stills import duration_s, frames_at


def counting_film(kind: str, *, start_s: int = 0) -> io.BytesIO:
    """Ten seconds in which each second is brighter by 20 levels, on a clock that starts late."""
    written = io.BytesIO()
    with av.open(written, "w", format=kind) as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.gop_size = 40
        for at in range(250):
            pixels = np.full((64, 96, 3), 20 + 20 * (at // 25), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = at + 25 * start_s, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written


@pytest.mark.parametrize(("kind", "start_s"), [("mp4", 0), ("matroska", 7), ("mov", 0)])
def test_the_frame_at_a_time_counted_from_the_first(kind: str, start_s: int) -> None:
    film = counting_film(kind, start_s=start_s)
    levels = [frame.mean() for frame in frames_at(film, [0.5, 3.5, 8.5])]
    assert levels == pytest.approx([20, 80, 180], abs=9)
    assert duration_s(film) == pytest.approx(10, abs=0.3)


def test_a_strip_shows_frames_from_all_along() -> None:
    import cv2

    raw = preview_of_video(counting_film("mp4"), 10.0)
    strip = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert strip.shape[1] == 320
    quarters = [part.mean() for part in np.array_split(strip, 4, axis=1)]
    assert quarters == pytest.approx([40, 80, 140, 180], abs=14)


def test_what_is_no_picture_has_no_preview() -> None:
    assert preview_of_image(b"\xff\xd8\xff nothing") == b""
    assert preview_of_video(io.BytesIO(b"nothing"), 10.0) == b""
    assert frames_at(io.BytesIO(b""), [0.0]) == []
    assert duration_s(io.BytesIO(b"nothing")) == 0
