"""The fingerprints of a registry on disk: immutable segments and one manifest that names them.

    manifest.json          which segments are live; replaced as a whole
    segment-00000001/      arrays.bin and segment.json; never changed
    lock                   held by the one writer

A write adds a segment, then replaces the manifest: whenever the writer is killed, what the manifest
names is whole. Readers map what it named when they were opened. docs/fingerprints/index.md.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tercet.consent.fingerprints.fingerprint import Fingerprint
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.store.files import sync_folder
from tercet.store.fingerprint_segments_arrays import DAMAGED_HINT
from tercet.store.fingerprint_segments_manifest import (
    MANIFEST_NAME,
    LiveSegment,
    Manifest,
    read_manifest,
    write_manifest,
)
from tercet.store.fingerprint_segments_part import (
    Radii,
    Segment,
    merge_segments,
    write_segment,
)
from tercet.store.fingerprint_segments_reader import FingerprintReader

BATCH_BYTES = 256 * 1024 * 1024
"""Fingerprints held in memory until they become a segment."""
LOCK_TIMEOUT_S = 60.0
_POLL_S = 0.05
_OPEN_ATTEMPTS = 20

SMALL_BYTES = 1024 * 1024
TIER_FACTOR = 8
"""Segments of about one size are merged when there are more than this many of them."""
LARGE_BYTES = 4 * 1024 * 1024 * 1024
"""Segments of this size are left alone."""


@dataclass(frozen=True, slots=True)
class FingerprintSegments:
    """The fingerprint store in ``folder``: one writer at a time, any number of readers."""

    folder: Path
    lock_timeout_s: float = LOCK_TIMEOUT_S

    def reader(self) -> FingerprintReader:
        """Open a snapshot for searching. Raises IntegrityError, StorageError."""
        manifest = read_manifest(self.folder)
        for _ in range(_OPEN_ATTEMPTS):
            try:
                segments = tuple(Segment.open(self.folder, live) for live in manifest.segments)
            except FileNotFoundError as error:
                newer = read_manifest(self.folder)
                if newer.generation == manifest.generation:
                    raise IntegrityError(
                        f"{error.filename} is missing: the manifest names its segment",
                        hint=DAMAGED_HINT,
                    ) from error
                manifest = newer  # merged meanwhile
            else:
                return FingerprintReader(manifest.generation, segments)
        raise StorageError(
            f"{self.folder} was rewritten {_OPEN_ATTEMPTS} times while it was opened",
            hint="try again when fewer works are registered at once",
        )

    def write(self, fingerprints: Iterable[tuple[int, Fingerprint]], radii: Radii) -> None:
        """Add the fingerprints of works: durable, and seen by every reader opened later.

        ``radii`` names for each method the tracks to index, and the radius they are searched
        with. Raises InputError when a work already has a fingerprint by that method; StorageError
        when the disk fails or another writer holds the store. Then nothing was added.
        """
        with self._writing() as manifest:
            number = manifest.next_number
            added = []
            for batch in _batches(fingerprints, _seen(self.folder, manifest)):
                added.append(self._new_segment(number, partial(_write, batch, radii)))
                number += 1
            if added:
                self._merge_tiers(self._commit(manifest, (*manifest.segments, *added), number))

    def remove(self, works: Iterable[int]) -> int:
        """Remove works; return how many were there. Their bytes go when segments are merged."""
        wanted = frozenset(works)
        with self._writing() as manifest:
            segments: list[LiveSegment] = []
            gone: set[int] = set()
            for live in manifest.segments:
                here = wanted & _works_of(Segment.open(self.folder, live))
                gone |= here
                segments.append(replace(live, removed=live.removed | here))
            if gone:
                self._merge_tiers(self._commit(manifest, segments, manifest.next_number))
            return len(gone)

    def compact(self) -> None:
        """Merge all segments but the largest into one, without what was removed."""
        with self._writing() as manifest:
            chosen = [s for s in manifest.segments if s.size_bytes < LARGE_BYTES or s.removed]
            if len(chosen) > 1 or any(segment.removed for segment in chosen):
                self._merge(manifest, chosen)

    def check(self) -> list[str]:
        """Read everything and return what is wrong, in words; nothing wrong: an empty list."""
        try:
            reader = self.reader()
        except IntegrityError as error:
            return [error.message]
        return [problem for segment in reader.segments for problem in segment.arrays.problems()]

    @contextmanager
    def _writing(self) -> Iterator[Manifest]:
        """Hold the lock, remove what a killed writer left, and give the manifest."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "lock").open("ab") as lock:
                self._acquire(lock.fileno())
                manifest = read_manifest(self.folder)
                if not (self.folder / MANIFEST_NAME).exists():
                    write_manifest(self.folder, manifest)
                self._remove_rubbish(manifest)
                yield manifest
        except OSError as error:
            raise StorageError(
                f"cannot write fingerprints to {self.folder}: {error.strerror or error}",
                hint="free disk space or fix permissions, then run the command again",
            ) from error

    def _acquire(self, descriptor: int) -> None:
        deadline = time.monotonic() + self.lock_timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise StorageError(
                        f"another process has been writing to {self.folder} for "
                        f"{self.lock_timeout_s:g} s",
                        hint="wait until it is done, then run the command again",
                    ) from error
                time.sleep(_POLL_S)
            else:
                return

    def _remove_rubbish(self, manifest: Manifest) -> None:
        live = {segment.name for segment in manifest.segments}
        for path in self.folder.iterdir():
            name = path.name
            if name.startswith(("segment-", ".segment-")) and name not in live:
                shutil.rmtree(path)
            elif name.startswith(f".{MANIFEST_NAME}."):
                path.unlink()

    def _new_segment(
        self, number: int, write: Callable[[Path], tuple[str, int, int]]
    ) -> LiveSegment:
        name = f"segment-{number:08d}"
        building = self.folder / f".{name}"
        try:
            sha256, size_bytes, work_count = write(building)
            building.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync_folder(self.folder)
        return LiveSegment(name, sha256, size_bytes, work_count)

    def _commit(
        self, manifest: Manifest, segments: Sequence[LiveSegment], next_number: int
    ) -> Manifest:
        newer = Manifest(manifest.generation + 1, next_number, tuple(segments))
        write_manifest(self.folder, newer)
        return newer

    def _merge_tiers(self, manifest: Manifest) -> None:
        while chosen := _crowded_tier(manifest.segments):
            manifest = self._merge(manifest, chosen)

    def _merge(self, manifest: Manifest, chosen: Sequence[LiveSegment]) -> Manifest:
        parts = [Segment.open(self.folder, live) for live in chosen]
        merged = self._new_segment(manifest.next_number, partial(_merged, parts))
        names = {live.name for live in chosen}
        rest = [live for live in manifest.segments if live.name not in names]
        segments = [*rest, *([merged] if merged.work_count else [])]
        newer = self._commit(manifest, segments, manifest.next_number + 1)
        self._remove_rubbish(newer)
        return newer


def _write(
    batch: Sequence[tuple[int, Fingerprint]], radii: Radii, folder: Path
) -> tuple[str, int, int]:
    return write_segment(folder, batch, radii)


def _merged(parts: Sequence[Segment], folder: Path) -> tuple[str, int, int]:
    return merge_segments(folder, parts)


def _works_of(segment: Segment) -> set[int]:
    return {work for stored in segment.methods.values() for work in stored.works.tolist()}


def _seen(folder: Path, manifest: Manifest) -> set[tuple[int, str]]:
    seen = set()
    for live in manifest.segments:
        for method, stored in Segment.open(folder, live).methods.items():
            seen |= {(work, method) for work in stored.works[stored.kept].tolist()}
    return seen


def _batches(
    fingerprints: Iterable[tuple[int, Fingerprint]], seen: set[tuple[int, str]]
) -> Iterator[list[tuple[int, Fingerprint]]]:
    """Cut fingerprints into batches of bounded size."""
    batch: list[tuple[int, Fingerprint]] = []
    size_bytes = 0
    for work, fingerprint in fingerprints:
        if (work, fingerprint.method) in seen:
            raise InputError(
                f"work {work} already has a fingerprint by {fingerprint.method}",
                hint="remove it before writing another",
            )
        seen.add((work, fingerprint.method))
        batch.append((work, fingerprint))
        size_bytes += sum(t.keys.nbytes + t.places.nbytes for t in fingerprint.tracks.values())
        if size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _crowded_tier(segments: Sequence[LiveSegment]) -> list[LiveSegment]:
    """Return the segments of the smallest size that has more than TIER_FACTOR of them."""
    bound = SMALL_BYTES
    below = 0
    while bound <= LARGE_BYTES:
        tier = [s for s in segments if below <= s.size_bytes < bound]
        if len(tier) > TIER_FACTOR:
            return tier
        below, bound = bound, bound * TIER_FACTOR
    return []
