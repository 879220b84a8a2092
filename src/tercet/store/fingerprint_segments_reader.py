"""Searching the fingerprints of all live segments, as they stood when the reader was opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tercet.consent.fingerprints import hamming_index, key_index
from tercet.consent.fingerprints.fingerprint import NO_HITS, Fingerprint, Hits
from tercet.store.fingerprint_segments_arrays import damaged
from tercet.store.fingerprint_segments_columns import WIDTHS
from tercet.store.fingerprint_segments_part import Segment, StoredMethod, StoredTrack

Array = np.ndarray[Any, np.dtype[Any]]
Found = tuple[Array, Array, Array]


@dataclass(frozen=True, slots=True)
class FingerprintReader:
    """A snapshot of a fingerprint store. Later writes do not show; its files may be deleted."""

    generation: int
    segments: tuple[Segment, ...]

    def search(
        self, method: str, track: str, keys: Array, radius: int, work_count_max: int
    ) -> Hits:
        """Return all entries near ``keys``, ordered by query, then work, then position.

        ``keys`` are uint8 (q, 32), within ``radius`` bits; or uint64 (q,), equal. The hits of a
        key that meets more than ``work_count_max`` works are dropped. Raises IntegrityError;
        ValueError for a track that is not indexed, or keys of another kind than its own.
        """
        parts: list[Hits] = []
        work_counts = np.zeros(len(keys), np.int64)
        for segment in self.segments:
            stored = segment.methods.get(method)
            if stored is None or track not in stored.tracks:
                continue
            if not len(keys) or not len(stored.tracks[track].keys):
                continue
            try:
                parts.extend(
                    _hits(stored, stored.tracks[track], keys, radius, work_count_max, work_counts)
                )
            except (hamming_index.DamagedIndexError, IndexError) as error:
                raise damaged(
                    segment.arrays.folder, f"a sound index of {method}/{track}", str(error)
                ) from error
        return _joined(parts, work_counts <= work_count_max)

    def fingerprint(self, work: int, method: str) -> Fingerprint | None:
        """Return the stored fingerprint of a work, None when there is none."""
        found = (segment.fingerprint(work, method) for segment in reversed(self.segments))
        return next((value for value in found if value is not None), None)

    def works(self, method: str | None = None) -> Array:
        """Return the numbers of the works that have a fingerprint (by ``method``), ascending."""
        numbers = [
            stored.works[stored.kept]
            for segment in self.segments
            for name, stored in segment.methods.items()
            if method in {None, name}
        ]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *numbers]))


def _hits(
    stored: StoredMethod, track: StoredTrack, keys: Array, radius: int, work_count_max: int,
    work_counts: Array,
) -> Iterator[Hits]:  # fmt: skip
    """Give the hits in one segment; count the works each key meets into ``work_counts``."""
    for near in _near(track, keys, radius):
        row = np.searchsorted(track.starts, near[1], side="right") - 1
        query, entry, distance, row = _where(stored.kept[row], *near, row)
        met = np.unique(query * len(stored.works) + row) // len(stored.works)
        work_counts += np.bincount(met, minlength=len(work_counts))
        few = work_counts[query] <= work_count_max
        query, entry, distance, row = _where(few, query, entry, distance, row)
        yield Hits(query, stored.works[row], entry - track.starts[row], distance)


def _where(chosen: Array, *columns: Array) -> list[Array]:
    return [column[chosen] for column in columns]


def _near(track: StoredTrack, keys: Array, radius: int) -> Iterator[Found]:
    kind, width = WIDTHS[track.kind]
    if track.index is None or keys.dtype != np.dtype(kind) or keys.shape[1:] != width:
        raise ValueError(
            f"expected {kind} {width} keys of an indexed track, got {keys.dtype} {keys.shape}, "
            f"{'' if track.index is None else 'indexed'}"
        )
    if isinstance(track.index, hamming_index.HammingIndex):
        for near in hamming_index.pieces(track.index, keys, radius):
            yield near.query, near.entry, near.distance
    else:
        for query, entry in key_index.pieces(track.index, keys):
            yield query, entry, np.zeros(len(query), np.uint8)


def _joined(parts: list[Hits], few: Array) -> Hits:
    if not parts:
        return NO_HITS
    query, work, position, distance = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("query", "work", "position", "distance")
    )
    kept = few[query]
    query, work, position, distance = query[kept], work[kept], position[kept], distance[kept]
    order = np.lexsort((position, work, query))
    return Hits(query[order], work[order], position[order], distance[order])
