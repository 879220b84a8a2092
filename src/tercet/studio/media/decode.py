"""A video file read back: what it is, its pictures one by one, and the digest of what is coded."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tercet.core.errors import UndecodableError
from tercet.studio.engines.engine import Picture

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

PICTURES_MAX = 120 * 3600  # an hour at 120 a second
PIXELS_MAX = 36_000_000  # of one picture; 8K has 33 million
_FORMATS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "video/mp4",
    "matroska,webm": "video/webm",
    "avi": "video/x-msvideo",
}
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi",
    "protocol_whitelist": "none",  # a container may name other files and addresses
}
_HINT = "the file is damaged or no video: make or fetch it again"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the container says of a video; a duration of 0 means that it says nothing."""

    media_type: str
    codec: str
    width_px: int
    height_px: int
    frames_per_second: float
    duration_s: float


def facts_of(path: Path) -> VideoFacts:
    """Return what the container says. Raises UndecodableError when there is no moving picture."""
    with _opened(path) as (container, stream):
        micros = container.duration or 0
        return VideoFacts(
            media_type=_FORMATS.get(container.format.name, "application/octet-stream"),
            codec=stream.codec_context.name,
            width_px=stream.width,
            height_px=stream.height,
            frames_per_second=float(stream.average_rate or 0),
            duration_s=micros / 1_000_000,
        )


def pictures_of(path: Path, *, count_max: int = PICTURES_MAX) -> Iterator[Picture]:
    """Yield the pictures of a video, RGB, uint8 (height, width, 3), at most ``count_max``.

    Memory is flat in length. Raises UndecodableError when there is no moving picture, one is
    larger than ``PIXELS_MAX``, or the coded data are broken.
    """
    with _opened(path) as (container, stream):
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(PIXELS_MAX)}
        for count, frame in enumerate(container.decode(stream)):
            if count == count_max:
                return
            picture: Picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            yield picture


def coded_sha256(path: Path) -> str:
    """Return the SHA-256 of the coded pictures, one packet after the other.

    Credentials, titles and the index do not count, so a copy into another file of the same kind
    keeps it, where the pictures are not coded again. Raises UndecodableError.
    """
    digest = hashlib.sha256()
    with _opened(path) as (container, stream):
        for packet in container.demux(stream):
            digest.update(bytes(packet))
    return digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video, and nothing else that it may name. OSError of the file itself passes."""
    import av

    with path.open("rb") as file:
        try:
            with av.open(file, "r", metadata_errors="ignore", options=dict(_OPTIONS)) as container:
                yield container, _stream(container, path)
        except (av.FFmpegError, ValueError, EOFError, OverflowError) as error:
            raise _unread(path, error) from error
        except OSError as error:
            if error.errno != errno.EINVAL:  # a seek before the start or into an empty file
                raise
            raise _unread(path, error) from error


def _stream(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise UndecodableError(f"expected a video, got {path} without pictures", hint=_HINT)
    stream = container.streams.video[0]
    if (stream.width or 0) * (stream.height or 0) > PIXELS_MAX:
        raise UndecodableError(
            f"expected at most {PIXELS_MAX:,} pixels a picture,"
            f" got {stream.width} x {stream.height}"
        )
    return stream


def _unread(path: Path, error: Exception) -> UndecodableError:
    return UndecodableError(
        f"expected a video, got {path}, which cannot be read ({type(error).__name__})", hint=_HINT
    )
