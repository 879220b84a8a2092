"""Pictures in, one by one; a video file out: H.264 in MP4, or VP9 in WebM.

Memory is flat in length. Equal pictures give equal bytes with the same build of the encoder:
its threads are fixed, and neither a date nor a random id is written. (Only where a width is no
multiple of 64, x264 itself gives other bytes now and then: measured 5 times of 72.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tercet.core.errors import InputError, StorageError
from tercet.studio.engines.engine import Picture
from tercet.studio.media.whole_file import storage_error, written_whole

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SIDE_PX_MIN, SIDE_PX_MAX = 16, 4096
FRAMES_PER_SECOND_MAX = 120
_THREADS = 2  # fixed: the cut of the work into threads changes the bytes
_BT709 = 1  # ITU-T H.273 tables 2 to 4: primaries, transfer and matrix of HD video
_LIMITED_RANGE = 1  # luma 16 to 235, as players expect
_KEY_FRAME_S = 2  # seconds between two frames that a player can jump to


class Container(StrEnum):
    """Kinds of video file. Stable strings, and the endings of file names."""

    MP4 = "mp4"
    WEBM = "webm"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return f"video/{self.value}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was written: size in pixels, frames, and how many of them a second."""

    path: Path
    width_px: int
    height_px: int
    frame_count: int
    frames_per_second: int
    byte_count: int

    @property
    def duration_s(self) -> float:
        """The length of the video."""
        return self.frame_count / self.frames_per_second


_CODECS = {Container.MP4: "libx264", Container.WEBM: "libvpx-vp9"}
_CODEC_OPTIONS = {
    Container.MP4: {"preset": "veryfast", "crf": "18", "profile": "high"},
    Container.WEBM: {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "0"},
}
_CONTAINER_OPTIONS = {
    Container.MP4: {"movflags": "+faststart", "fflags": "+bitexact"},
    Container.WEBM: {"fflags": "+bitexact"},
}


def encode(
    frames: Iterable[Picture],
    path: Path,
    *,
    frames_per_second: int,
    container: Container = Container.MP4,
) -> Encoded:
    """Write ``frames`` (RGB, uint8, (height, width, 3), all of one even size) to ``path``.

    MP4 has its index in front, so that it plays while it loads. Colours are BT.709, limited range,
    4:2:0. The name ``path`` appears when the video is whole, and not before.

    Raises InputError for no frame, odd or changing sizes, other arrays or frame rates; StorageError
    when the disk is full or cannot be written; whatever ``frames`` raises passes through.
    """
    if not 1 <= frames_per_second <= FRAMES_PER_SECOND_MAX:
        raise InputError(
            f"expected 1 to {FRAMES_PER_SECOND_MAX} frames a second, got {frames_per_second}"
        )
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise InputError("expected at least one frame, got none", hint="ask for a longer video")
    _check_picture(first, first.shape)
    with written_whole(path) as part:
        count = _write(chain([first], pictures), part, path, frames_per_second, container)
        byte_count = part.stat().st_size
    height, width = first.shape[:2]
    return Encoded(path, width, height, count, frames_per_second, byte_count)


def _write(
    pictures: Iterable[Picture], part: Path, path: Path, rate: int, container: Container
) -> int:
    """Encode every picture into ``part``; return how many there were."""
    import av

    count = 0
    shape: tuple[int, ...] = ()
    try:
        with av.open(
            str(part), "w", format=container.value, options=dict(_CONTAINER_OPTIONS[container])
        ) as output:
            stream = None
            for picture in pictures:
                shape = shape or picture.shape
                _check_picture(picture, shape)
                stream = stream or _stream(output, container, shape, rate)
                frame = _frame(picture)
                frame.pts, frame.time_base = count, Fraction(1, rate)
                output.mux(stream.encode(frame))
                count += 1
            assert stream is not None, "the caller gives at least one picture"
            output.mux(stream.encode(None))
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise StorageError(f"cannot encode {path}: {error}") from error
    return count


def _stream(
    output: OutputContainer, container: Container, shape: tuple[int, ...], rate: int
) -> VideoStream:
    stream: Any = output.add_stream(_CODECS[container], rate=rate)
    stream.options = dict(_CODEC_OPTIONS[container])
    stream.height, stream.width = shape[:2]
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, rate)
    context.thread_count = _THREADS
    context.gop_size = rate * _KEY_FRAME_S
    context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: no version of the encoder in the stream
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED_RANGE
    stream_out: VideoStream = stream
    return stream_out


def _frame(picture: Picture) -> VideoFrame:
    """Return the picture as limited-range BT.709 4:2:0."""
    import av

    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = source.reformat(
        format="yuv420p", src_colorspace="ITU709", dst_colorspace="ITU709",
        src_color_range="JPEG", dst_color_range="MPEG",
    )  # fmt: skip
    frame.color_primaries = frame.color_trc = _BT709
    return frame


def _check_picture(picture: Picture, shape: tuple[int, ...]) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(
            f"expected a picture of uint8 (height, width, 3), got {picture.dtype} {picture.shape}"
        )
    if picture.shape != shape:
        raise InputError(f"expected every picture to be {shape}, got {picture.shape}")
    for side in picture.shape[:2]:
        if side % 2 or not SIDE_PX_MIN <= side <= SIDE_PX_MAX:
            raise InputError(
                f"expected even sides of {SIDE_PX_MIN} to {SIDE_PX_MAX} pixels,"
                f" got {picture.shape[1]} x {picture.shape[0]}",
                hint="colour is kept for two pixels at a time: ask for 512 x 512, say",
            )
