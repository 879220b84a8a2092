"""The manifest of a fingerprint store: which segments are live, and which works were removed.

One small file, replaced as a whole: what it names is the store, all else in the folder is rubbish.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.core.errors import IntegrityError
from tercet.store.files import sync_folder, write_atomically

MANIFEST_NAME = "manifest.json"
FORMAT = 1
_HINT = "restore the registry from a backup"


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """A segment folder, the SHA-256 of its directory, its size, and the works removed from it."""

    name: str
    sha256: str
    size_bytes: int
    work_count: int
    removed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The live segments, oldest first; ``next_number`` is the number of the next new segment."""

    generation: int = 0
    next_number: int = 1
    segments: tuple[LiveSegment, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of ``folder``; an empty one when nothing was ever written.

    Raises IntegrityError when it is not what was written.
    """
    path = folder / MANIFEST_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        if any(folder.glob("segment-*")):  # the first writer makes a manifest before anything else
            raise IntegrityError(
                f"{path} is missing: expected it beside its segments", hint=_HINT
            ) from error
        return Manifest()
    try:
        fields = json.loads(raw)
        sha256 = fields.pop("sha256")
        manifest = _manifest_of(fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"{path} is damaged: expected a manifest of format {FORMAT}, got {error!r}", hint=_HINT
        ) from error
    if sha256 != _digest(fields):
        raise IntegrityError(
            f"{path} is damaged: expected SHA-256 {sha256}, got {_digest(fields)}", hint=_HINT
        )
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of ``folder``, durably. Raises OSError; then the old one is there."""
    fields: dict[str, Any] = {
        "format": FORMAT,
        "generation": manifest.generation,
        "next_number": manifest.next_number,
        "segments": [
            {
                "name": segment.name,
                "sha256": segment.sha256,
                "size_bytes": segment.size_bytes,
                "work_count": segment.work_count,
                "removed": sorted(segment.removed),
            }
            for segment in manifest.segments
        ],
    }
    raw = json.dumps({**fields, "sha256": _digest(fields)}, indent=1, sort_keys=True).encode()
    write_atomically(folder / MANIFEST_NAME, raw + b"\n")
    sync_folder(folder)


def _manifest_of(fields: dict[str, Any]) -> Manifest:
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']!r}")
    segments = tuple(
        LiveSegment(
            entry["name"],
            entry["sha256"],
            entry["size_bytes"],
            entry["work_count"],
            frozenset(entry["removed"]),
        )
        for entry in fields["segments"]
    )
    return Manifest(fields["generation"], fields["next_number"], segments)


def _digest(fields: dict[str, Any]) -> str:
    raw = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(raw).hexdigest()
