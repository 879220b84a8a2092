"""Whether segments hold what was written, and whether that makes sense: the long look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tercet.consent.fingerprints import hamming_index, key_index
from tercet.store.fingerprint_segments_part import Segment, StoredMethod, StoredTrack

Array = np.ndarray[Any, np.dtype[Any]]


def problems_of(segments: Sequence[Segment]) -> list[str]:
    """Read all of ``segments`` and return what is wrong, in words.

    Every digest is compared; works, lengths and order are put to the test; every index is built
    anew and compared with the stored one.
    """
    found = []
    for segment in segments:
        wrong = [error.message for error in segment.arrays.problems()]
        # What is read from damaged bytes is no more news.
        found += wrong or [f"{segment.arrays.folder}: {text}" for text in _inconsistent(segment)]
    return found + list(_twice(segments))


def _inconsistent(segment: Segment) -> Iterator[str]:
    for name, stored in segment.methods.items():
        count = len(stored.works)
        if not np.array_equal(stored.order, np.argsort(stored.works, kind="stable")):
            yield f"{name}: the order of works is wrong"
        for ragged in (stored.extents, stored.unfit):
            if len(ragged.starts) != count + 1 or ragged.starts[-1] != len(ragged.values):
                yield f"{name}: expected {count} extents and reasons, got other counts"
        for track_name, track in stored.tracks.items():
            for text in _inconsistent_track(track, count):
                yield f"{name}/{track_name}: {text}"
        yield from _missing(segment, name, stored)


def _missing(segment: Segment, name: str, stored: StoredMethod) -> Iterator[str]:
    for work in stored.works[stored.kept].tolist():
        if segment.fingerprint(work, name) is None:
            yield f"{name}: work {work} cannot be read back"


def _inconsistent_track(track: StoredTrack, count: int) -> Iterator[str]:
    if len(track.present) != count or len(track.places) != len(track.keys):
        yield f"expected {count} works with {len(track.keys)} places, got other counts"
    if isinstance(track.index, hamming_index.HammingIndex):
        fresh = hamming_index.rows_of(track.keys, track.index.plan)
        if not all(
            np.array_equal(old, new) for old, new in zip(track.index.rows, fresh, strict=True)
        ):
            yield "the index is not that of the keys"
    elif track.index is not None and not np.array_equal(
        track.index.row, key_index.row_of(track.keys)
    ):
        yield "the index is not that of the keys"


def _twice(segments: Sequence[Segment]) -> Iterator[str]:
    for name in sorted({name for segment in segments for name in segment.methods}):
        works = np.concatenate(
            [s.methods[name].works[s.methods[name].kept] for s in segments if name in s.methods]
        )
        numbers, counts = np.unique(works, return_counts=True)
        for work in numbers[counts > 1].tolist():
            yield f"work {work} has more than one fingerprint by {name}"
