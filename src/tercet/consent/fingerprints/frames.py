"""Frames of a video at bounded cost: a few small grey pictures a second, with their times.

What costs is decoding, so as little of it is done as a copy can be found by. Short groups of
pictures are entered at their key frame only; in long ones of large pictures the frames no other
frame rests on are left out; and the loop filter, which smooths block edges, is never run. Only the
frames taken are converted. A stream longer than the budget is looked at in full first and then,
over the seconds that remain, at its key frames here and there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

STEP_S = 0.25
"""Seconds between two frames taken: motion blurs codes within about half of this."""

SIDE_MAX = 384
"""Pixels of the longer side of a frame taken; smaller pictures are not enlarged."""

CHEAP_PIXELS_MAX = 640 * 360
"""Frames up to this size are all decoded: evenly spaced frames meet those of copies best."""

FRAME_PIXELS_MAX = 36_000_000  # 8K has 33 million
DECODED_PIXELS_MAX = 100_000_000_000  # two hours of 720p, half of its frames decoded
DECODED_FRAMES_MAX = 400_000
SPARSE_FRAMES_MAX = 1_000  # taken by seeking, once the budget is spent
PACKETS_MAX = 5_000_000
BROKEN_PACKETS_MAX = 2_000
STREAMS_MAX = 64
SIDE_MIN = 16  # narrower pictures show nothing

_GROUP_S = 0.4  # a group of pictures no longer than this is entered at its key frame only
_GROUP_PACKETS_MAX = 64  # held back while the length of a group is not known
_JUMP_S = 60.0  # longer pauses between two frames are faults of the clock
_LUMA_FORMATS = frozenset(
    {"gray", "yuv410p", "yuv411p", "yuv420p", "yuv422p", "yuv444p", "nv12"}
    | {"yuvj420p", "yuvj422p", "yuvj444p"}
)  # their first plane is the luma, 8 bits a pixel


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: seconds since the first, and its luma, uint8 (height, width), <= SIDE_MAX."""

    time_s: float
    grey: Array


def frames_of(file: BinaryIO) -> Iterator[Frame]:
    """Yield frames of the moving picture in ``file``, about every STEP_S seconds, in order.

    The display rotation is applied. Raises UndecodableError when there is no moving picture, it
    is larger than FRAME_PIXELS_MAX, or not one frame can be decoded. A stream that breaks in the
    middle gives the frames before, and after the break where the decoder recovers.
    """
    import av

    count = 0
    file.seek(0)
    try:
        with av.open(
            file, "r", metadata_errors="ignore", options=dict(CONTAINER_OPTIONS)
        ) as container:
            stream = _stream_of(container)
            for frame in _Sampling(container, stream).frames():
                count += 1
                yield frame
    except (av.FFmpegError, ValueError, OverflowError, EOFError) as error:
        if not count:
            raise UndecodableError(
                f"expected a video, got data that no decoder here reads ({type(error).__name__})",
                hint="Convert it to MP4 (H.264) or WebM, or take it out of the corpus.",
            ) from error
    if not count:
        raise UndecodableError(
            "expected a video, got a file without one frame that can be decoded",
            hint="The file is cut off or damaged: fetch it again, or take it out of the corpus.",
        )


def _stream_of(container: InputContainer) -> VideoStream:
    """Return the moving picture of the most pixels, prepared for cheap decoding."""
    if len(container.streams) > STREAMS_MAX:
        raise UndecodableError(f"expected at most {STREAMS_MAX} streams in a video, got more")
    videos = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not videos:
        raise UndecodableError("expected a video, got a file without a moving picture")
    stream = max(videos, key=lambda video: (video.width or 0) * (video.height or 0))
    _check_size(stream.width or SIDE_MIN, stream.height or SIDE_MIN)
    stream.thread_type = "NONE"
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"skip_loop_filter": "all", "max_pixels": str(FRAME_PIXELS_MAX)}
    if (stream.width or 0) * (stream.height or 0) > CHEAP_PIXELS_MAX and _rate(stream) > 16:
        context.skip_frame = "NONREF"
    return stream


def _is_cover(stream: VideoStream) -> bool:
    """Return whether the stream is the cover picture of a recording."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _check_size(width: int, height: int) -> None:
    if width * height > FRAME_PIXELS_MAX:
        raise UndecodableError(
            f"expected at most {FRAME_PIXELS_MAX} pixels a frame, got {width} x {height}",
            hint="Scale the video down before it is fingerprinted.",
        )
    if min(width, height) < SIDE_MIN:
        raise UndecodableError(f"expected a picture to look at, got {width} x {height} pixels")


@dataclass(slots=True)
class _Sampling:
    """The state of one pass: the clock, and what has been spent."""

    container: InputContainer
    stream: VideoStream
    now_s: float = 0.0
    taken_s: float = -STEP_S
    before_s: float | None = None  # the stream's own clock at the frame before
    decoded_frames: int = 0
    decoded_pixels: int = 0
    broken_packets: int = 0
    tick_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.tick_s = 1 / _rate(self.stream)

    def frames(self) -> Iterator[Frame]:
        """Yield frames in order, first all along, then sparsely."""
        for packet in _needed(self._packets()):
            for picture in self._decoded(packet):
                self._advance(picture)
                if self.now_s - self.taken_s >= STEP_S - self.tick_s / 2:
                    self.taken_s = self.now_s
                    yield Frame(self.now_s, _grey(picture))
            if self._is_spent():
                yield from self._sparse_frames()
                return

    def _packets(self) -> Iterator[Packet[Any]]:
        """Yield packets until the stream ends, or can be read no further."""
        import av

        packets = self.container.demux(self.stream)
        for _ in range(PACKETS_MAX):
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                self.broken_packets += 1
                return
            if packet is None:
                return
            yield packet

    def _decoded(self, packet: Packet[Any]) -> list[VideoFrame]:
        """Return the frames a packet completes: none when it is broken."""
        import av

        try:
            pictures: list[VideoFrame] = packet.decode()
        except av.FFmpegError:
            self.broken_packets += 1
            return []
        self.decoded_frames += len(pictures)
        self.decoded_pixels += sum(picture.width * picture.height for picture in pictures)
        return pictures

    def _is_spent(self) -> bool:
        return (
            self.decoded_pixels > DECODED_PIXELS_MAX
            or self.decoded_frames > DECODED_FRAMES_MAX
            or self.broken_packets > BROKEN_PACKETS_MAX
        )

    def _advance(self, picture: VideoFrame) -> None:
        """Move the clock to a frame. Times that are missing, fall or leap count as one frame."""
        at_s = picture.time
        if self.before_s is not None:
            step_s = self.tick_s if at_s is None else at_s - self.before_s
            self.now_s += step_s if 0 < step_s < _JUMP_S else self.tick_s
        self.before_s = at_s if at_s is not None else (self.before_s or 0.0) + self.tick_s

    def _sparse_frames(self) -> Iterator[Frame]:
        """Yield key frames over the seconds that remain."""
        length_s = _length_s(self.container, self.stream)
        offset_s = (self.before_s or 0.0) - self.now_s
        self.stream.codec_context.skip_frame = "NONKEY"
        for target_s in np.linspace(self.now_s, length_s, SPARSE_FRAMES_MAX + 1)[1:]:
            if target_s <= self.now_s + STEP_S:
                continue
            picture = self._frame_near(float(target_s) + offset_s)
            if picture is None or picture.time is None:
                return
            if picture.time - offset_s >= self.now_s + STEP_S:
                self.now_s = picture.time - offset_s
                yield Frame(self.now_s, _grey(picture))

    def _frame_near(self, at_s: float) -> VideoFrame | None:
        """Return the key frame at or before a time of the stream's own clock."""
        import av

        try:
            self.container.seek(int(at_s * av.time_base), backward=True)
            for packet in self.container.demux(self.stream):
                for picture in packet.decode():
                    return picture
        except av.FFmpegError:
            return None
        return None


def _rate(stream: VideoStream) -> float:
    """Return the frames a second that the file speaks of, within reason."""
    return min(max(float(stream.average_rate or stream.guessed_rate or 25), 1.0), 240.0)


def _length_s(container: InputContainer, stream: VideoStream) -> float:
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _needed(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Leave out what need not be decoded: all but the key frames of short groups.

    A group is what lies from one key frame to the next. Its packets are held back until it is
    known to be longer than _GROUP_S.
    """
    held: list[Packet[Any]] = []
    passing = True
    key_s: float | None = None  # of the key frame last let through
    for packet in packets:
        at_s = _time_s(packet)
        if at_s is None:  # no clock (or the flushing packet at the end): nothing can be left out
            yield from held
            held, passing = [], True
            yield packet
        elif packet.is_keyframe:
            if held and (key_s is None or not 0 <= (_time_s(held[0]) or 0) - key_s < STEP_S * 0.8):
                key_s = _time_s(held[0])
                yield held[0]
            held, passing = [packet], False
        elif passing:
            yield packet
        else:
            held.append(packet)
            start_s = _time_s(held[0]) or 0.0
            if abs(at_s - start_s) > _GROUP_S or len(held) > _GROUP_PACKETS_MAX:
                key_s = start_s
                yield from held
                held, passing = [], True
    yield from held


def _time_s(packet: Packet[Any]) -> float | None:
    ticks = packet.pts if packet.pts is not None else packet.dts
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)


def _grey(picture: VideoFrame) -> Array:
    """Return the luma of a frame, upright, its longer side at most SIDE_MAX pixels."""
    import cv2

    cv2.setNumThreads(1)
    _check_size(picture.width, picture.height)
    scale = min(1.0, SIDE_MAX / max(picture.width, picture.height))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if picture.format.name in _LUMA_FORMATS:
        plane: Any = picture.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        luma: Any = rows[: picture.height, : picture.width]
        step = int(1 / scale)
        if step > 1:  # whole steps first: several times faster
            whole = picture.width // step, picture.height // step
            luma = luma[: whole[1] * step, : whole[0] * step]
            luma = cv2.resize(luma, whole, interpolation=cv2.INTER_AREA)
        grey: Any = cv2.resize(luma, size, interpolation=cv2.INTER_AREA) if scale < 1 else luma
    else:
        grey = picture.reformat(size[0], size[1], "gray", interpolation="AREA").to_ndarray()
    return np.array(np.rot90(grey, round(picture.rotation / 90) % 4), order="C")
