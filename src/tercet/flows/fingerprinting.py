"""Fingerprinting: from a file, or a member of an archive, to what it is recognised by.

Media are hostile until shown otherwise. Whatever a decoder makes of them, the file ends with a
problem in words, not with an error; `fingerprint_all` also survives decoders that crash, hang or
ask for more memory than they may have.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from typing import Any, BinaryIO

from tercet.consent.fingerprints.fingerprint import Fingerprint, UndecodableError
from tercet.consent.fingerprints.media_type import MediaType, medium_of
from tercet.core.errors import TercetError
from tercet.core.limits import (
    FINGERPRINT_BYTES_A_SECOND_MIN,
    FINGERPRINT_BYTES_MAX,
    FINGERPRINT_MEMORY_BYTES_MAX,
    FINGERPRINT_SECONDS_MAX,
    MEDIA_FILE_BYTES_MAX,
)
from tercet.core.work import Medium
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map

_CHUNK_BYTES = 64 * 1024
_PROBLEM_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """Where media lie: a file, or ``size`` bytes of it from ``offset`` (an archive's member).

    ``name`` is what people call it: for messages only.
    """

    path: str
    offset: int
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class FileFingerprints:
    """What one file is recognised by; a video has two fingerprints, of its picture and its sound.

    ``medium`` is None, and ``sha256`` "", when it could not be told. ``preview`` is a small JPEG,
    b"" where there is nothing to see. ``problem`` says why the file was not, or not wholly, looked
    at: it is then held, whatever else was found.
    """

    medium: Medium | None
    sha256: str
    iscc: str
    size: int
    fingerprints: tuple[Fingerprint, ...] = ()
    preview: bytes = b""
    problem: str = ""


def fingerprint_all(
    places: Iterator[MediaPlace], *, workers: int
) -> Generator[tuple[MediaPlace, FileFingerprints], None, None]:
    """Yield each place with its fingerprints, in the order in which they are done.

    Every file is decoded in a child with limits on time and memory; one that ends the child has a
    problem like any other.
    """
    guard = fingerprinting_guard()
    for place, found in guarded_map(fingerprint_place, places, workers=workers, guard=guard):
        if isinstance(found, Casualty):
            yield place, FileFingerprints(None, "", "", place.size, problem=found.reason)
        else:
            yield place, found


def fingerprinting_guard(more_bytes: int = 0) -> Guard:
    """Return what looking at one file may take; ``more_bytes`` is memory for something else.

    The items guarded are `MediaPlace`, or anything else with a ``size``.
    """
    return Guard(
        FINGERPRINT_SECONDS_MAX,
        FINGERPRINT_MEMORY_BYTES_MAX + more_bytes,
        seconds_of=lambda item: (
            FINGERPRINT_SECONDS_MAX + item.size / FINGERPRINT_BYTES_A_SECOND_MIN
        ),
    )


def fingerprint_place(place: MediaPlace) -> FileFingerprints:
    """Return the fingerprints of the media at ``place``; see `fingerprint_file`."""
    return fingerprint_file(place.path, place.offset, place.size, place.name)


def fingerprint_file(path: str, offset: int, size: int, name: str) -> FileFingerprints:
    """Return the fingerprints of ``size`` bytes of the file at ``path`` from ``offset``.

    Never raises for bad media: ``problem`` says what is wrong. Only MemoryError passes, for the
    pool that limits memory. Anything but a regular file is refused without reading it.
    """
    nothing = FileFingerprints(None, "", "", size)
    if not 0 <= size <= FINGERPRINT_BYTES_MAX:
        return replace(nothing, problem=f"more than {FINGERPRINT_BYTES_MAX} bytes")
    try:
        with opened_media(MediaPlace(path, offset, size, name)) as file:
            return _of_file(file, size, name)
    except OSError as error:
        return replace(nothing, problem=f"cannot read: {error.strerror or error}")


@contextmanager
def opened_media(place: MediaPlace) -> Iterator[io.BufferedReader[Any]]:
    """Give the media at ``place`` as a file of their own.

    Raises OSError when they cannot be read, end early, or are in no regular file.
    """
    with _opened(place.path) as whole:
        there = os.fstat(whole.fileno()).st_size
        if place.offset < 0 or place.offset + place.size > there:
            raise OSError(f"expected {place.size} bytes at {place.offset}, the file has {there}")
        with io.BufferedReader(_Window(whole, place.offset, place.size), _CHUNK_BYTES) as file:
            yield file


def _opened(path: str) -> io.FileIO:
    """Open a regular file. A pipe or a device would block, or never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return io.FileIO(descriptor, "rb")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of decoding one file; ``unit`` is the ISCC unit of its content, "" for none."""

    fingerprints: tuple[Fingerprint, ...] = ()
    preview: bytes = b""
    unit: str = ""
    problem: str = ""


def _of_file(file: BinaryIO, size: int, name: str) -> FileFingerprints:
    from tercet.consent.fingerprints.content_ids import content_ids

    kind = medium_of(file)
    if size == 0:
        seen = _Seen(problem="empty")
    elif kind.medium is None:
        seen = _Seen(problem="neither picture, video, sound nor text that is known")
    else:
        seen = _decoded(file, size, kind, name)
    ids = content_ids(file, seen.unit)
    return FileFingerprints(
        kind.medium, ids.sha256, ids.iscc, size, seen.fingerprints, seen.preview, seen.problem
    )


def _decoded(file: BinaryIO, size: int, kind: MediaType, name: str) -> _Seen:
    read = {
        Medium.IMAGE: _image,
        Medium.VIDEO: _video,
        Medium.AUDIO: _audio,
        Medium.TEXT: _text,
    }[kind.medium or Medium.TEXT]
    try:
        with _silenced():
            return read(file, size, kind, name)
    except TercetError as error:
        return _Seen(problem=error.message)
    except (MemoryError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  whatever media make a library raise, it is theirs
        return _Seen(problem=f"{type(error).__name__}: {error}"[:_PROBLEM_CHARACTERS_MAX])


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep decoders written in C from printing what they think of a file, in a child process."""
    if parent_process() is None:
        yield
        return
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _whole(file: BinaryIO, size: int) -> bytes:
    if size > MEDIA_FILE_BYTES_MAX:
        raise UndecodableError(
            f"{size} bytes, more than the {MEDIA_FILE_BYTES_MAX} that are read of a picture or text"
        )
    file.seek(0)
    return file.read(size)


def _image(file: BinaryIO, size: int, kind: MediaType, name: str) -> _Seen:
    from tercet.consent.fingerprints import image
    from tercet.consent.fingerprints.content_ids import image_unit
    from tercet.consent.fingerprints.content_ids_image import grey_pixels
    from tercet.consent.fingerprints.left_out import has_more_pages
    from tercet.consent.fingerprints.picture_svg import rendered
    from tercet.consent.fingerprints.preview import preview_of_image

    raw = _whole(file, size)
    raw = rendered(raw) if kind.name == "image/svg+xml" else raw
    fingerprint = image.fingerprint(raw)
    left_out = "only the first of its pages was looked at"
    problem = left_out if kind.name == "image/tiff" and has_more_pages(raw) else ""
    return _Seen((fingerprint,), preview_of_image(raw), image_unit(grey_pixels(raw)), problem)


def _video(file: BinaryIO, size: int, kind: MediaType, name: str) -> _Seen:
    """Picture and sound stand on their own: when one cannot be decoded, the other still counts."""
    from tercet.consent.fingerprints import audio, video
    from tercet.consent.fingerprints.left_out import tracks_left_out
    from tercet.consent.fingerprints.moving_pictures import PICTURE_KINDS, as_video
    from tercet.consent.fingerprints.preview import preview_of_video

    if kind.name in PICTURE_KINDS:
        file = as_video(file)
    fingerprints: list[Fingerprint] = []
    problems: list[str] = []
    for part, read in (("picture", video.fingerprint), ("sound", audio.fingerprint)):
        try:
            fingerprints.append(read(_rewound(file)))
        except UndecodableError as error:
            problems.append(f"{part}: {error.message}")
    problems += filter(None, [tracks_left_out(file)])
    length_s = max((each.extent[0] for each in fingerprints), default=0.0)
    preview = preview_of_video(_rewound(file), length_s) if fingerprints else b""
    return _Seen(tuple(fingerprints), preview, "", "; ".join(problems))


def _audio(file: BinaryIO, size: int, kind: MediaType, name: str) -> _Seen:
    from tercet.consent.fingerprints import audio
    from tercet.consent.fingerprints.left_out import tracks_left_out

    fingerprint = audio.fingerprint(_rewound(file))
    if not fingerprint.extent[0]:
        raise UndecodableError("expected sound, got a file without one sample that can be decoded")
    return _Seen((fingerprint,), problem=tracks_left_out(file))


def _text(file: BinaryIO, size: int, kind: MediaType, name: str) -> _Seen:
    from tercet.consent.fingerprints import text
    from tercet.consent.fingerprints.content_ids import text_unit
    from tercet.consent.fingerprints.documents import text_of

    words = text_of(_whole(file, size), name)
    return _Seen((text.fingerprint(words),), unit=text_unit(words))


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


class _Window(io.RawIOBase):
    """A part of a file as a file of its own: what lies outside it cannot be read."""

    def __init__(self, whole: io.FileIO, offset: int, size: int) -> None:
        super().__init__()
        self._whole = whole
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return True: it is for reading."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move as in any file; before the window means to its beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill ``buffer`` as far as the window goes."""
        room = min(len(buffer), max(0, self._size - self._at))
        if not room:
            return 0  # decoders seek to wherever a header says
        self._whole.seek(self._offset + self._at)
        read = self._whole.readinto(memoryview(buffer)[:room])
        self._at += read
        return read
