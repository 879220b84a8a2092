"""A folder of media in: every image, video, audio, text, PDF and EPUB file is one item.

Files come sorted by name, those of a folder before those of the folders in it, so the same
folder gives the same rows. A metadata file beside a media file (``a.jpg.xmp``, ``a.xmp``,
``a.jpg.json``, ``a.json``) belongs to it and is no item.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.staging import CHUNK_ROWS, Chunks, Row
from tercet.core.errors import InputError

_MEDIA = """
    .jpg .jpeg .jpe .jfif .png .apng .gif .webp .tif .tiff .bmp .heic .heif .avif .jxl .jp2 .svg
    .dng .cr2 .cr3 .nef .arw .orf .rw2 .psd .ico
    .mp4 .m4v .mov .webm .mkv .avi .mpg .mpeg .m2ts .mts .ogv .3gp .wmv .flv
    .mp3 .wav .flac .ogg .oga .opus .m4a .aac .aif .aiff .wma .mid .midi
    .txt .md .rst .html .htm .xhtml .srt .vtt
    .pdf .epub
"""
MEDIA_SUFFIXES = frozenset(_MEDIA.split())
SIDECAR_SUFFIXES = frozenset({".xmp", ".json"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One media file of a folder: its relative path, where it lies, and what is wrong with it."""

    item: str
    path: str
    size: int
    modified_ns: int
    sidecars: tuple[str, ...]
    fault: Fault | None


def suffix_of(name: str) -> str:
    """Return the last suffix of a file name, lower case."""
    return os.path.splitext(name)[1].lower()


def media_entries(folder: Path, passed_over: dict[str, int]) -> Iterator[Entry]:
    """Yield the media files of ``folder``, in order; count other files by suffix.

    Hidden files and folders are skipped. A symbolic link to a folder is not followed, since it
    could turn in a circle: what it leads to is listed where it lies when that is inside
    ``folder``, and is a row with a fault when not. A link to a file inside is followed.
    """
    root = os.path.realpath(folder)
    waiting = [""]
    while waiting:
        relative = waiting.pop()
        try:
            names = sorted(os.listdir(os.path.join(root, relative)))
        except OSError:
            path = os.path.join(root, relative)
            yield Entry(readable(relative), path, 0, 0, (), Fault.UNREADABLE)
            continue
        names = [name for name in names if not name.startswith(".")]
        folders: list[str] = []
        present = frozenset(names)
        media = {name for name in names if suffix_of(name) in MEDIA_SUFFIXES}
        media |= {os.path.splitext(name)[0] for name in media}
        for name in names:
            where = os.path.join(relative, name)
            path = os.path.join(root, where)
            if os.path.isdir(path) and not os.path.islink(path):
                folders.append(where)
            elif os.path.isdir(path):
                if not _inside(root, path):
                    yield Entry(readable(where), path, 0, 0, (), Fault.LINK_OUTSIDE)
            elif suffix_of(name) in MEDIA_SUFFIXES:
                yield _entry(root, where, _sidecars(path, name, present))
            elif not _is_sidecar(name, media):
                passed_over[suffix_of(name)] = passed_over.get(suffix_of(name), 0) + 1
        waiting.extend(reversed(folders))


def _is_sidecar(name: str, media: set[str]) -> bool:
    return suffix_of(name) in SIDECAR_SUFFIXES and os.path.splitext(name)[0] in media


def readable(name: str) -> str:
    """Return a file name as valid Unicode; bytes that are not UTF-8 show as backslash escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _inside(root: str, path: str) -> bool:
    target = os.path.realpath(path)
    return target == root or target.startswith(root.rstrip(os.sep) + os.sep)


def _entry(root: str, where: str, sidecars: tuple[str, ...]) -> Entry:
    path = os.path.join(root, where)
    item = readable(where)
    if os.path.islink(path) and not (_inside(root, path) and os.path.isfile(path)):
        return Entry(item, path, 0, 0, sidecars, Fault.LINK_OUTSIDE)
    try:
        status = os.stat(path)
    except OSError:
        return Entry(item, path, 0, 0, sidecars, Fault.UNREADABLE)
    fault = None
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        fault = Fault.UNREADABLE
    elif item != where:
        fault = Fault.BAD_NAME
    return Entry(item, path, status.st_size, status.st_mtime_ns, sidecars, fault)


def _sidecars(path: str, name: str, present: frozenset[str]) -> tuple[str, ...]:
    """Return the metadata files beside ``path``: its own name or stem with .xmp or .json."""
    stem = os.path.splitext(name)[0]
    folder = os.path.dirname(path)
    names = (
        base + suffix
        for base in (name, stem)
        for suffix in (".json", ".xmp", ".JSON", ".XMP")
        if base + suffix in present
    )
    return tuple(os.path.join(folder, each) for each in sorted(set(names)))


class FolderRows:
    """The rows of a folder; a position is the number of media files before it.

    The folder is listed once to know it and once for its rows, so that memory stays flat
    however many files there are; both listings must be the same.
    """

    def __init__(self, folder: Path) -> None:
        self.passed_over: dict[str, int] = {}
        self.count = 0
        self.bytes = 0
        self._folder = folder
        seen = sha256()
        for entry in media_entries(folder, self.passed_over):
            self.count += 1
            self.bytes += entry.size
            seen.update(_known(entry))
        self.listing_sha256 = seen.hexdigest()
        """A digest of names, sizes and times: cheap, not of the content."""

    def chunks(self, position: int) -> Chunks:
        """Yield (rows, position after them). Raises InputError if the folder has changed."""
        seen = sha256()
        rows: list[Row] = []
        count = 0
        for count, entry in enumerate(media_entries(self._folder, {}), 1):
            seen.update(_known(entry))
            if count > position:
                rows.append(_row(entry))
            if len(rows) >= CHUNK_ROWS:
                yield rows, count
                rows = []
        if seen.hexdigest() != self.listing_sha256:
            raise InputError(f"{self._folder} was changed while it was read", hint="start again")
        if rows:
            yield rows, count

    def digest(self) -> str:
        """Return "": listing a folder does not read its files."""
        return ""


def _known(entry: Entry) -> bytes:
    fields = (entry.item, entry.size, entry.modified_ns, entry.sidecars, entry.fault)
    return repr(fields).encode("utf-8", "surrogateescape")


def _row(entry: Entry) -> Row:
    fault = None if entry.fault is None else str(entry.fault)
    path = readable(entry.path)
    sidecars = [readable(each) for each in entry.sidecars]
    return Row(entry.item, fault=fault, path=path, offset=0, size=entry.size, sidecars=sidecars)
