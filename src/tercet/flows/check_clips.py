"""check_clips: is a manifest `tercet/clips@1` fit to be cleared and trained on, line by line?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tercet.core.errors import InputError, UndecodableError
from tercet.store.files import sha256_of_file
from tercet.studio.clips_manifest import ClipEntry, parse_clips
from tercet.studio.media.decode import facts_of

CLIPS_NAME = "clips.jsonl"
_MANIFEST_BYTES_MAX = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClipProblem:
    """What is wrong with one line, and what to do about it. Line 0 is the manifest as a whole."""

    line: int
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class ClipsFound:
    """What a manifest holds: its sound clips, how long they are, and what is wrong."""

    manifest: Path
    clips: tuple[ClipEntry, ...]
    duration_s: float
    problems: tuple[ClipProblem, ...]


def check_clips(
    place: Path, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> ClipsFound:
    """Check every line of a manifest, and every file it names: there, as digested, a video.

    ``place`` is the manifest, or a folder with one named clips.jsonl. Every problem is told, not
    only the first. Raises InputError when there is no manifest to read.
    """
    manifest = place / CLIPS_NAME if place.is_dir() else place
    lines = _lines(manifest)
    clips: list[ClipEntry] = []
    problems: list[ClipProblem] = []
    total_s = 0.0
    for number, found in parse_clips(lines):
        try:
            if isinstance(found, InputError):
                raise found
            total_s += _duration_s(manifest.parent, found, number)
            clips.append(found)
        except (InputError, UndecodableError) as error:
            problems.append(ClipProblem(number, error.message, error.hint))
        progress(number, len(lines))
    if not clips and not problems:
        problems.append(ClipProblem(0, f"{manifest} has no lines", "docs/clips.md shows one"))
    return ClipsFound(manifest, tuple(clips), total_s, tuple(problems))


def _lines(manifest: Path) -> list[bytes]:
    try:
        if manifest.stat().st_size > _MANIFEST_BYTES_MAX:
            raise InputError(f"{manifest} is larger than {_MANIFEST_BYTES_MAX} bytes")
        return manifest.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(
            f"cannot read {manifest}: {error.strerror or error}",
            hint=f"give a manifest, or a folder that holds one named {CLIPS_NAME}",
        ) from error


def _duration_s(folder: Path, entry: ClipEntry, number: int) -> float:
    """Return how long the part is that would be learned from; raise what is wrong with it."""
    path = folder / entry.path
    try:
        found = sha256_of_file(path)
    except OSError as error:
        raise InputError(
            f"line {number}: cannot read {entry.path}: {error.strerror or error}",
            hint=f"paths count from {folder}",
        ) from error
    if found != entry.sha256:
        raise InputError(
            f"line {number}: {entry.path} has SHA-256 {found}, the line says {entry.sha256}",
            hint="put back the file that was meant, or write its digest",
        )
    try:
        length_s = facts_of(path).duration_s
    except UndecodableError as error:
        raise InputError(f"line {number}: {error.message}", hint=error.hint) from error
    if entry.start_s and length_s and entry.start_s >= length_s:
        raise InputError(
            f"line {number}: start_s is {entry.start_s:g}, but {entry.path} is {length_s:.3f} s "
            "long",
            hint="start_s and end_s are seconds from the beginning of the file",
        )
    end_s = min(entry.end_s or length_s, length_s or entry.end_s)
    return max(end_s - entry.start_s, 0.0)
