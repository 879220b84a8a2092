"""The fingerprints of one method as columns: what a segment is written from, in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tercet.consent.fingerprints import hamming_index, key_index
from tercet.consent.fingerprints.fingerprint import CODE_BYTES, Fingerprint, Track, Unfit
from tercet.core.errors import InputError
from tercet.store.fingerprint_segments_arrays import ArrayWriter

Array = np.ndarray[Any, np.dtype[Any]]
Chunks = Callable[[], Iterable[Array]]

CODES = "codes"
KEYS = "keys"
WIDTHS: Mapping[str, tuple[str, tuple[int, ...]]] = {CODES: ("|u1", (32,)), KEYS: ("<u8", ())}
_NO_TRACK = Track(np.zeros(0, np.uint64), np.zeros((0, 0), np.float32))


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of several values each: row i is ``values[starts[i] : starts[i + 1]]``."""

    starts: Array  # int64 (n + 1,)
    values: Array

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], kind: str) -> Ragged:
        """Join rows."""
        flat = [value for row in rows for value in row]
        return cls(starts_of([len(row) for row in rows]), np.array(flat, kind))

    def row(self, at: int) -> Array:
        """Return the values of one row."""
        return self.values[self.starts[at] : self.starts[at + 1]]


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """One track of all works. ``lengths`` counts each work's keys, -1 where it has no such track.

    ``kind`` is CODES or KEYS, ``width`` the number of place columns, ``radius`` None when the
    track is stored and not indexed.
    """

    kind: str
    width: int
    radius: int | None
    lengths: Array
    keys: Chunks
    places: Chunks


@dataclass(frozen=True, slots=True)
class MethodColumns:
    """The works of one method: each one's checksum, extent, why it is unfit, and its tracks."""

    works: Array  # int64
    sums: Array  # uint32: of each work's keys and places, see `sum_of`
    extents: Ragged  # float64
    unfit: Ragged  # uint8: places in list(Unfit) as the segment names it
    tracks: Mapping[str, TrackColumns]


def starts_of(lengths: Sequence[int] | Array) -> Array:
    """Return where rows of these lengths begin, and where the last one ends, int64 (n + 1,)."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.maximum(np.asarray(lengths, np.int64), 0), out=starts[1:])
    return starts


UNFIT_NAMES = [reason.value for reason in Unfit]


def sum_of(tracks: Mapping[str, Track]) -> int:
    """Return the CRC-32 of the keys and places of all tracks, by name: what is read is checked."""
    value = 0
    for name in sorted(tracks):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tracks[name].keys.tobytes(), value)
        value = zlib.crc32(tracks[name].places.astype(np.float32).tobytes(), value)
    return value


def columns_of(
    works: Sequence[int], fingerprints: Sequence[Fingerprint], radii: Mapping[str, int]
) -> MethodColumns:
    """Return the columns of fingerprints by one method. Raises InputError when they do not fit."""
    names = sorted({name for fingerprint in fingerprints for name in fingerprint.tracks})
    return MethodColumns(
        np.array(works, np.int64),
        np.array([sum_of(fingerprint.tracks) for fingerprint in fingerprints], np.uint32),
        Ragged.of([fingerprint.extent for fingerprint in fingerprints], "<f8"),
        Ragged.of([_unfit_codes(fingerprint) for fingerprint in fingerprints], "|u1"),
        {name: _track_columns(name, fingerprints, radii.get(name)) for name in names},
    )


def _unfit_codes(fingerprint: Fingerprint) -> list[int]:
    return [UNFIT_NAMES.index(reason.value) for reason in fingerprint.unfit]


def _track_columns(
    name: str, fingerprints: Sequence[Fingerprint], radius: int | None
) -> TrackColumns:
    tracks = [fingerprint.tracks.get(name) for fingerprint in fingerprints]
    filled = [track for track in tracks if track is not None and len(track)]
    shown = next((track for track in filled or tracks if track is not None), _NO_TRACK)
    kind, width = _kind_of(name, shown), (*shown.places.shape, 0, 0)[1]
    for track in filled:
        if _kind_of(name, track) != kind or track.places.shape[1:] != (width,):
            raise InputError(
                f"track {name}: expected {kind} with {width} place columns in every fingerprint, "
                f"got {track.keys.dtype} {track.keys.shape} with {track.places.shape}"
            )
    lengths = np.array([-1 if track is None else len(track) for track in tracks], np.int64)
    return TrackColumns(
        kind, width, radius, lengths,
        lambda: (track.keys for track in filled), lambda: (track.places for track in filled),
    )  # fmt: skip


def _kind_of(name: str, track: Track) -> str:
    keys = track.keys
    if keys.dtype == np.uint8 and keys.shape[1:] == (CODE_BYTES,):
        return CODES
    if (keys.dtype == np.uint64 and keys.ndim == 1) or not len(keys):
        return KEYS
    raise InputError(
        f"track {name}: expected keys uint8 (n, {CODE_BYTES}) or uint64 (n,), "
        f"got {keys.dtype} {keys.shape}"
    )


def write_method(writer: ArrayWriter, method: str, columns: MethodColumns) -> dict[str, object]:
    """Write the arrays of one method, its indexes too, and return what segment.json says of it."""
    works = columns.works
    writer.add(f"{method}/works", "<i8", (), [works])
    writer.add(f"{method}/sums", "<u4", (), [columns.sums])
    writer.add(f"{method}/work_order", "<u4", (), [np.argsort(works, kind="stable")])
    for name, ragged, kind in (
        ("extents", columns.extents, "<f8"), ("unfit", columns.unfit, "|u1"),
    ):  # fmt: skip
        writer.add(f"{method}/{name}/starts", "<i8", (), [ragged.starts])
        writer.add(f"{method}/{name}/values", kind, (), [ragged.values])
    return {
        "unfit_names": UNFIT_NAMES,
        "tracks": {
            name: _write_track(writer, f"{method}/{name}", track)
            for name, track in columns.tracks.items()
        },
    }


def _write_track(writer: ArrayWriter, prefix: str, track: TrackColumns) -> dict[str, object]:
    kind, width = WIDTHS[track.kind]
    writer.add(f"{prefix}/starts", "<i8", (), [starts_of(track.lengths)])
    writer.add(f"{prefix}/present", "|u1", (), [(track.lengths >= 0).astype(np.uint8)])
    count = writer.add(f"{prefix}/keys", kind, width, track.keys())
    writer.add(f"{prefix}/places", "<f4", (track.width,), track.places())
    fields: dict[str, object] = {"kind": track.kind, "radius": track.radius}
    if track.radius is None:
        return fields
    keys = writer.mapped(f"{prefix}/keys")
    if track.kind == CODES:
        plan = hamming_index.plan_for(count)
        length = (1 << plan.bits) + 1 + count
        writer.add(f"{prefix}/rows", "<u4", (length,), hamming_index.rows_of(keys, plan))
        return {**fields, "version": hamming_index.VERSION}
    writer.add(f"{prefix}/row", "<u4", (), [key_index.row_of(keys)])
    return {**fields, "version": key_index.VERSION}


def runs_of(kept: Array) -> Iterator[tuple[int, int]]:
    """Give the runs [first, last) of rows that are kept, a bool array."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], kept, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
