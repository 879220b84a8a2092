"""One segment: fingerprints that were written together, with their indexes. Never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tercet.consent.fingerprints import hamming_index, key_index
from tercet.consent.fingerprints.fingerprint import Fingerprint, Track, Unfit
from tercet.store.fingerprint_segments_arrays import (
    ARRAYS_NAME,
    ArrayWriter,
    MappedArrays,
    damaged,
)
from tercet.store.fingerprint_segments_columns import (
    CODES,
    MethodColumns,
    Ragged,
    TrackColumns,
    columns_of,
    runs_of,
    starts_of,
    sum_of,
    write_method,
)
from tercet.store.fingerprint_segments_manifest import LiveSegment

Array = np.ndarray[Any, np.dtype[Any]]
Radii = Mapping[str, Mapping[str, int]]

_CHUNK_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """One track of a segment: entry i of its index is row i of ``keys``."""

    kind: str
    radius: int | None
    starts: Array
    present: Array
    keys: Array
    places: Array
    index: hamming_index.HammingIndex | key_index.KeyIndex | None


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """The works of a segment by one method; ``kept`` is False where a work was removed."""

    works: Array
    kept: Array
    sums: Array
    order: Array
    extents: Ragged
    unfit: Ragged
    unfit_names: Sequence[str]
    tracks: Mapping[str, StoredTrack]

    def row_of(self, work: int) -> int | None:
        """Return the row of a work that is there and not removed."""
        at = int(np.searchsorted(self.works, work, sorter=self.order))
        if at == len(self.works) or self.works[row := int(self.order[at])] != work:
            return None
        return row if self.kept[row] else None


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment, mapped into memory."""

    live: LiveSegment
    arrays: MappedArrays
    methods: Mapping[str, StoredMethod]

    @classmethod
    def open(cls, folder: Path, live: LiveSegment) -> Segment:
        """Map a segment. Raises FileNotFoundError, IntegrityError."""
        arrays = MappedArrays.open(folder / live.name, live.sha256)
        methods = {
            name: _stored_method(arrays, name, entry, live.removed)
            for name, entry in arrays.fields["methods"].items()
        }
        return cls(live, arrays, methods)

    def fingerprint(self, work: int, method: str) -> Fingerprint | None:
        """Return the fingerprint of a work, None when it is not here. Raises IntegrityError."""
        stored = self.methods.get(method)
        row = stored.row_of(work) if stored else None
        if stored is None or row is None:
            return None
        tracks = {
            name: Track(*(_copy(values, *track.starts[row : row + 2].tolist())
                          for values in (track.keys, track.places)))
            for name, track in stored.tracks.items()
            if track.present[row]
        }  # fmt: skip
        if sum_of(tracks) != stored.sums[row]:
            path = self.arrays.folder / ARRAYS_NAME
            raise damaged(path, f"{method} of work {work} as written", "other bytes")
        return Fingerprint(
            method,
            tracks,
            tuple(stored.extents.row(row).tolist()),
            tuple(Unfit(stored.unfit_names[code]) for code in stored.unfit.row(row).tolist()),
        )


def _copy(values: Array, first: int, last: int) -> Array:
    return np.array(values[first:last])


def _stored_method(
    arrays: MappedArrays, name: str, entry: Mapping[str, Any], removed: frozenset[int]
) -> StoredMethod:
    works = arrays[f"{name}/works"]
    gone = np.fromiter(removed, np.int64, len(removed))
    return StoredMethod(
        works,
        ~np.isin(works, gone) if removed else np.ones(len(works), bool),
        arrays[f"{name}/sums"],
        arrays[f"{name}/work_order"],
        Ragged(arrays[f"{name}/extents/starts"], arrays[f"{name}/extents/values"]),
        Ragged(arrays[f"{name}/unfit/starts"], arrays[f"{name}/unfit/values"]),
        entry["unfit_names"],
        {
            track: _stored_track(arrays, f"{name}/{track}", fields, len(works))
            for track, fields in entry["tracks"].items()
        },
    )


def _stored_track(
    arrays: MappedArrays, prefix: str, fields: Mapping[str, Any], work_count: int
) -> StoredTrack:
    keys, starts = arrays[f"{prefix}/keys"], arrays[f"{prefix}/starts"]
    ends = (len(starts), int(starts[0]), int(starts[-1])) if len(starts) else (0, 0, 0)
    if ends != (work_count + 1, 0, len(keys)) or np.any(np.diff(starts) < 0):
        raise damaged(
            arrays.folder / ARRAYS_NAME,
            f"{prefix}/starts of {work_count} works with {len(keys)} keys",
            f"{ends[0] - 1} works with keys {ends[1]} to {ends[2]}",
        )
    index = None if fields["radius"] is None else _index(arrays, prefix, fields, keys)
    return StoredTrack(
        fields["kind"], fields["radius"], starts, arrays[f"{prefix}/present"],
        keys, arrays[f"{prefix}/places"], index,
    )  # fmt: skip


def _index(
    arrays: MappedArrays, prefix: str, fields: Mapping[str, Any], keys: Array
) -> hamming_index.HammingIndex | key_index.KeyIndex:
    """Return the stored index; one written by another release is made anew, in memory."""
    if fields["kind"] != CODES:
        same = fields["version"] == key_index.VERSION
        return key_index.KeyIndex(keys, arrays[f"{prefix}/row"]) if same else key_index.build(keys)
    if fields["version"] != hamming_index.VERSION:
        return hamming_index.build(keys)
    return hamming_index.HammingIndex(keys, arrays[f"{prefix}/rows"])


def write_segment(
    folder: Path, fingerprints: Iterable[tuple[int, Fingerprint]], radii: Radii
) -> tuple[str, int, int]:
    """Write a new segment folder; return its digest, its size in bytes, its number of works."""
    by_method: defaultdict[str, tuple[list[int], list[Fingerprint]]] = defaultdict(lambda: ([], []))
    for work, fingerprint in fingerprints:
        works, values = by_method[fingerprint.method]
        works.append(work)
        values.append(fingerprint)
    columns = {
        method: columns_of(works, values, radii.get(method, {}))
        for method, (works, values) in sorted(by_method.items())
    }
    return _write_columns(folder, columns)


def merge_segments(folder: Path, segments: Sequence[Segment]) -> tuple[str, int, int]:
    """Write what is not removed from ``segments`` as one new segment, in pieces."""
    names = sorted({name for segment in segments for name in segment.methods})
    columns = {
        name: _merged_method([s.methods[name] for s in segments if name in s.methods])
        for name in names
    }
    return _write_columns(folder, columns)


def _write_columns(folder: Path, columns: Mapping[str, MethodColumns]) -> tuple[str, int, int]:
    writer = ArrayWriter(folder)
    try:
        methods = {name: write_method(writer, name, method) for name, method in columns.items()}
        works = {work for method in columns.values() for work in method.works.tolist()}
        sha256 = writer.finish({"format": 1, "methods": methods})
    finally:
        writer.close()
    return sha256, (folder / ARRAYS_NAME).stat().st_size, len(works)


def _merged_method(parts: Sequence[StoredMethod]) -> MethodColumns:
    names = sorted({name for part in parts for name in part.tracks})
    return MethodColumns(
        np.concatenate([part.works[part.kept] for part in parts]),
        np.concatenate([part.sums[part.kept] for part in parts]),
        _merged_ragged([(part.extents, part.kept) for part in parts], "<f8"),
        _merged_unfit(parts),
        {name: _merged_track(name, parts) for name in names},
    )


def _merged_unfit(parts: Sequence[StoredMethod]) -> Ragged:
    known = [reason.value for reason in Unfit]
    recoded = [
        (
            Ragged(
                part.unfit.starts,
                np.array([known.index(name) for name in part.unfit_names], np.uint8)[
                    part.unfit.values
                ],
            ),
            part.kept,
        )
        for part in parts
    ]
    return _merged_ragged(recoded, "|u1")


def _merged_ragged(parts: Sequence[tuple[Ragged, Array]], kind: str) -> Ragged:
    lengths = [np.diff(ragged.starts)[kept] for ragged, kept in parts]
    values = [
        ragged.values[ragged.starts[first] : ragged.starts[last]]
        for ragged, kept in parts
        for first, last in runs_of(kept)
    ]
    return Ragged(
        starts_of(np.concatenate(lengths)),
        np.concatenate([np.zeros(0, kind), *values]).astype(kind),
    )


def _merged_track(name: str, parts: Sequence[StoredMethod]) -> TrackColumns:
    tracks = [(part.tracks.get(name), part.kept) for part in parts]
    stored = [(track, kept) for track, kept in tracks if track is not None]
    shown = next((track for track, _ in stored if len(track.keys)), stored[0][0])
    radii = [track.radius for track, _ in stored if track.radius is not None]
    lengths = [
        np.full(np.count_nonzero(kept), -1)
        if track is None
        else np.where(track.present == 1, np.diff(track.starts), -1)[kept]
        for track, kept in tracks
    ]
    return TrackColumns(
        shown.kind,
        shown.places.shape[1],
        max(radii, default=None),
        np.concatenate(lengths),
        lambda: (piece for track, kept in stored for piece in _kept(track, track.keys, kept)),
        lambda: (piece for track, kept in stored for piece in _kept(track, track.places, kept)),
    )


def _kept(track: StoredTrack, values: Array, kept: Array) -> Iterator[Array]:
    """Give the rows of works that are kept, some at a time."""
    if not len(values):
        return
    for first, last in runs_of(kept):
        end = int(track.starts[last])
        for start in range(int(track.starts[first]), end, _CHUNK_ROWS):
            yield values[start : min(start + _CHUNK_ROWS, end)]
