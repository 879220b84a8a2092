"""Frames of a video: in order, upright, bounded, and as many as can be had from damaged files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import iscc_samples
import numpy as np
import pytest

from tercet.consent.fingerprints import frames
from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.frames import STEP_S, frames_of


def encoded(
    pictures: Sequence[Array],
    *,
    rate: int = 25,
    codec: str = "libx264",
    name: str = "mp4",
    options: dict[str, str] | None = None,
) -> bytes:
    """Return grey pictures, uint8 (height, width), as a video file."""
    out = io.BytesIO()
    with av.open(out, "w", format=name) as container:
        settings = {"threads": "1", "preset": "ultrafast"} | (options or {})
        stream: Any = container.add_stream(codec, rate=Fraction(rate), options=settings)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def clock(number: int, *, size: tuple[int, int] = (96, 128)) -> Array:
    """Return a picture whose brightness in the upper left corner counts frames."""
    picture = np.full(size, 60, np.uint8)
    picture[: size[0] // 2, : size[1] // 2] = 16 + 2 * number
    cv2.circle(picture, (size[1] * 3 // 4, size[0] * 3 // 4), size[0] // 6, 220, -1)
    return picture


@pytest.mark.parametrize("group", ["1", "12", "250"])  # frames from one key frame to the next
def test_frames_come_a_few_times_a_second_with_their_times(group: str) -> None:
    raw = encoded([clock(number) for number in range(75)], options={"g": group, "crf": "10"})
    found = list(frames_of(io.BytesIO(raw)))
    times = [frame.time_s for frame in found]
    assert times[0] == 0
    assert times[-1] > 3 - 2 * STEP_S
    steps = np.diff(times)
    assert steps.min() > 0.6 * STEP_S
    assert steps.max() < 2.2 * STEP_S
    levels = np.array([frame.grey[8:40, 8:56].mean() for frame in found])
    first, last = levels[0], levels[-1]  # brightness grows evenly, so it tells the time
    told = times[-1] * (levels - first) / (last - first)
    assert np.abs(told - times).max() < 0.1


def test_a_video_of_another_clock_gives_the_same_frames() -> None:
    pictures = [clock(number) for number in range(60)]
    for codec, name in (("mpeg4", "avi"), ("mpeg4", "mpegts"), ("libvpx-vp9", "webm")):
        settings = {"deadline": "realtime", "cpu-used": "8"} if name == "webm" else {}
        raw = encoded(pictures, codec=codec, name=name, options=settings)
        found = list(frames_of(io.BytesIO(raw)))
        assert 9 <= len(found) <= 11, name  # 2.4 seconds
        assert found[0].time_s == 0


def test_the_picture_is_upright_where_the_file_says_turn_it() -> None:
    """The display matrix of ISO/IEC 14496-12 section 8.5.2 (tkhd) is applied."""
    raw = encoded([clock(number) for number in range(10)])
    upright = next(frames_of(io.BytesIO(raw))).grey
    assert upright.shape == (96, 128)
    one = (1 << 16).to_bytes(4, "big")
    minus, zero, unit = (-(1 << 16)).to_bytes(4, "big", signed=True), bytes(4), b"\x40\0\0\0"
    plain = one + zero * 3 + one + zero * 3 + unit
    at = raw.index(b"tkhd")
    place = raw.index(plain, at)
    clockwise = zero + one + zero + minus + zero * 4 + unit  # by 90 degrees
    turned = raw[:place] + clockwise + raw[place + len(plain) :]
    assert len(turned) == len(raw)
    found = next(frames_of(io.BytesIO(turned))).grey
    assert np.abs(found.astype(int) - np.rot90(upright, -1).astype(int)).max() <= 2


def test_large_pictures_are_made_small() -> None:
    raw = encoded([clock(number, size=(720, 1280)) for number in range(8)])
    assert next(frames_of(io.BytesIO(raw))).grey.shape == (216, frames.SIDE_MAX)


def test_containers_of_many_kinds_are_read() -> None:
    read = 0
    for path in iscc_samples.videos():
        if path.suffix in {".mp4", ".webm", ".gif", ".mpg", ".flv"}:
            with path.open("rb") as file:
                few = [frame for frame, _ in zip(frames_of(file), range(9), strict=False)]
            assert len(few) == 9, path.name
            read += 1
    assert read >= 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:3000] + bytes(200) + raw[3200:],
        lambda raw: raw[:-4000] + bytes(range(250)) * 16,
    ],
    ids=["cut off", "zeroed in the middle", "overwritten at the end"],
)
def test_a_damaged_file_gives_the_frames_that_are_left(damage: Callable[[bytes], bytes]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 96, 128), dtype=np.uint8)
    raw = encoded(list(noise), name="matroska", options={"g": "10"})
    whole = len(list(frames_of(io.BytesIO(raw))))
    assert 0 < len(list(frames_of(io.BytesIO(damage(raw))))) <= whole


@pytest.mark.parametrize(
    "raw",
    [b"", b"GIF89a", b"not a video" * 500, b"\x1a\x45\xdf\xa3" + bytes(4000), bytes(5000)],
    ids=["empty", "GIF header alone", "text", "Matroska header alone", "zeroes"],
)
def test_what_is_no_video_says_so(raw: bytes) -> None:
    with pytest.raises(UndecodableError) as refused:
        list(frames_of(io.BytesIO(raw)))
    assert refused.value.message.startswith("expected a video")


def test_sound_alone_and_cover_pictures_are_no_video() -> None:
    for path in iscc_samples.audios():
        if path.suffix in {".mp3", ".flac", ".m4a"}:
            with path.open("rb") as file, pytest.raises(UndecodableError):
                list(frames_of(file))


def test_a_playlist_makes_nobody_read_another_file(tmp_path: Any) -> None:
    (tmp_path / "other.mp4").write_bytes(encoded([clock(1)] * 10))
    playlist = f"ffconcat version 1.0\nfile '{tmp_path}/other.mp4'\n".encode()
    with pytest.raises(UndecodableError):
        list(frames_of(io.BytesIO(playlist)))


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = encoded([clock(number) for number in range(5)])
    monkeypatch.setattr(frames, "FRAME_PIXELS_MAX", 96 * 128 - 1)
    with pytest.raises(UndecodableError, match="pixels a frame"):
        list(frames_of(io.BytesIO(raw)))


def test_an_endless_video_is_looked_at_to_its_end_but_sparsely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = [clock(number % 100) for number in range(750)]  # 30 seconds
    raw = encoded(pictures, options={"g": "25"})
    monkeypatch.setattr(frames, "DECODED_FRAMES_MAX", 100)
    monkeypatch.setattr(frames, "SPARSE_FRAMES_MAX", 10)
    found = [frame.time_s for frame in frames_of(io.BytesIO(raw))]
    assert len(found) <= 100 + 10
    assert found == sorted(found)
    assert found[-1] > 25
    assert max(np.diff(found)) > 2  # sparse at the end
