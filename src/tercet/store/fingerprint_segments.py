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
from itertools import chain
from pathlib import Path

from tercet.consent.fingerprints.fingerprint import Fingerprint
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.store.files import sync_folder
from tercet.store.fingerprint_segments_arrays import DAMAGED_HINT
from tercet.store.fingerprint_segments_check import problems_of
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
"""Segments of about one size differ by at most this factor."""
TIER_SEGMENTS_MAX = 8
"""Segments of about one size are merged when there are more of them."""
LARGE_BYTES = 4 * 1024 * 1024 * 1024
"""No segment is merged into one much larger than this: an index of it still fits into memory."""


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
                    raise _missing(error) from error
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
        batches = _batches(fingerprints)
        first = next(batches, None)  # before the lock is taken: making them may take long
        if first is None:
            return
        with self._writing() as manifest:
            number, added = manifest.next_number, list[LiveSegment]()
            stored = [self._open(live) for live in manifest.segments]
            for batch in chain([first], batches):
                _refuse_known(batch, stored)
                added.append(self._new_segment(number, partial(_write, batch, radii)))
                stored.append(self._open(added[-1]))
                number += 1
            self._merge_tiers(self._commit(manifest, (*manifest.segments, *added), number))

    def remove(self, works: Iterable[int]) -> int:
        """Remove works; return how many were there. Their bytes go when segments are merged."""
        wanted = frozenset(works)
        with self._writing() as manifest:
            segments: list[LiveSegment] = []
            gone: set[int] = set()
            for live in manifest.segments:
                here = wanted & _works_of(self._open(live))
                gone |= here
                segments.append(replace(live, removed=live.removed | here))
            if gone:
                self._merge_tiers(self._commit(manifest, segments, manifest.next_number))
            return len(gone)

    def compact(self) -> None:
        """Merge segments into as few as their largest size allows, without what was removed."""
        with self._writing() as manifest:
            for chosen in _groups(manifest.segments):
                self._merge(read_manifest(self.folder), chosen)

    def check(self) -> list[str]:
        """Read everything and return what is wrong, in words; nothing wrong: an empty list."""
        try:
            return problems_of(self.reader().segments)
        except IntegrityError as error:
            return [error.message]

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

    def _open(self, live: LiveSegment) -> Segment:
        try:
            return Segment.open(self.folder, live)
        except FileNotFoundError as error:
            raise _missing(error) from error

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
        parts = [self._open(live) for live in chosen]
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


def _missing(error: FileNotFoundError) -> IntegrityError:
    return IntegrityError(
        f"{error.filename} is missing: the manifest names its segment", hint=DAMAGED_HINT
    )


def _works_of(segment: Segment) -> set[int]:
    methods = segment.methods.values()
    return {work for stored in methods for work in stored.works[stored.kept].tolist()}


def _batches(
    fingerprints: Iterable[tuple[int, Fingerprint]],
) -> Iterator[list[tuple[int, Fingerprint]]]:
    """Cut fingerprints into batches of bounded size."""
    batch: list[tuple[int, Fingerprint]] = []
    size_bytes = 0
    for work, fingerprint in fingerprints:
        batch.append((work, fingerprint))
        size_bytes += sum(t.keys.nbytes + t.places.nbytes for t in fingerprint.tracks.values())
        if size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _refuse_known(batch: Sequence[tuple[int, Fingerprint]], stored: Sequence[Segment]) -> None:
    """Raise InputError when a work of ``batch`` has a fingerprint by the same method already."""
    new = {(work, fingerprint.method) for work, fingerprint in batch}
    known = len(new) < len(batch) or any(
        method.row_of(work) is not None
        for work, name in new
        for segment in stored
        if (method := segment.methods.get(name)) is not None
    )
    if known:
        raise InputError(
            "expected one fingerprint by a method for each work, got a second one",
            hint="give the work a new number, or remove the old fingerprint first",
        )


def _crowded_tier(segments: Sequence[LiveSegment]) -> list[LiveSegment]:
    """Return segments worth merging: of one size, and many; or most of whose works are gone."""
    hollow = [segment for segment in segments if 2 * len(segment.removed) > segment.work_count]
    if hollow:
        return hollow
    below, bound = 0, SMALL_BYTES
    while bound < LARGE_BYTES:
        tier = [segment for segment in segments if below <= segment.size_bytes < bound]
        if len(tier) > TIER_SEGMENTS_MAX:
            return tier
        below, bound = bound, bound * TIER_FACTOR
    return []


def _groups(segments: Sequence[LiveSegment]) -> list[list[LiveSegment]]:
    """Return groups of segments to merge, each group together of bounded size."""
    groups: list[list[LiveSegment]] = [[]]
    for segment in segments:
        if sum(member.size_bytes for member in groups[-1]) + segment.size_bytes > LARGE_BYTES:
            groups.append([])
        groups[-1].append(segment)
    return [group for group in groups if len(group) > 1 or any(s.removed for s in group)]
