"""What a file to register is recognised by, and what it says of itself: in a guarded child."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from tercet.consent.registry.description import Description
from tercet.core.limits import (
    FINGERPRINT_BYTES_A_SECOND_MIN,
    FINGERPRINT_MEMORY_BYTES_MAX,
    FINGERPRINT_SECONDS_MAX,
)
from tercet.flows.fingerprinting import FileFingerprints, MediaPlace, fingerprint_place
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked at: its fingerprints, and its own metadata as a description."""

    found: FileFingerprints
    description: Description


def look_at_all(
    places: Iterator[MediaPlace], *, workers: int
) -> Generator[tuple[MediaPlace, Looked], None, None]:
    """Yield each place with what was found, in the order in which they are done."""
    guard = Guard(FINGERPRINT_SECONDS_MAX, FINGERPRINT_MEMORY_BYTES_MAX, seconds_of=_seconds_for)
    for place, found in guarded_map(look_at, places, workers=workers, guard=guard):
        if isinstance(found, Casualty):
            nothing = FileFingerprints(None, "", "", place.size, problem=found.reason)
            yield place, Looked(nothing, Description())
        else:
            yield place, found


def _seconds_for(place: MediaPlace) -> float:
    return FINGERPRINT_SECONDS_MAX + place.size / FINGERPRINT_BYTES_A_SECOND_MIN


def look_at(place: MediaPlace) -> Looked:
    """Return the fingerprints and the metadata of one file."""
    return Looked(fingerprint_place(place), Description())
