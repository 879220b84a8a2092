"""What a file to register is recognised by, and what it says of itself: in a guarded child."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tercet.consent.fingerprints.bands import Band
from tercet.consent.registry.description import Description
from tercet.consent.registry.file_metadata import describe_file
from tercet.core.work import Medium
from tercet.flows.fingerprinting import (
    FileFingerprints,
    MediaPlace,
    fingerprint_place,
    fingerprinting_guard,
)
from tercet.flows.guarded_pool import Casualty, guarded_map
from tercet.flows.identify import SAME_BYTES, identify
from tercet.store.registry import Registry

COMMON_SHARE = 0.25
"""A file with more than this share of its keys in several works of others is flagged.

Of a long text about a third of the keys are kept, of a short one all: a notice that fills a short
text finds a third of its keys again in the long ones that carry it.
"""
COMMON_WORKS = 3
"""In how many works of others a key must stand to count as common."""
_ASKED_KEYS_MAX = 256


@dataclass(frozen=True, slots=True)
class NearCopy:
    """A certain match of a file to another owner's work.

    ``covers_per_mille`` of the file is that work.
    """

    work: int
    covers_per_mille: int


@dataclass(frozen=True, slots=True)
class Looking:
    """How to look: in which registry for copies, and whose works are no copies."""

    registry: Path
    public_key: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked at: its fingerprints, its metadata, and whose works it holds.

    ``common`` says that much of what it is found by stands in many works of others.
    """

    found: FileFingerprints
    description: Description
    near: tuple[NearCopy, ...] = ()
    common: bool = False


def look_at_all(
    places: Iterator[MediaPlace], looking: Looking, *, workers: int
) -> Generator[tuple[MediaPlace, Looked], None, None]:
    """Yield each place with what was found, in the order in which they are done."""
    found = guarded_map(
        partial(look_at, looking),
        places,
        workers=workers,
        guard=fingerprinting_guard(_mapped_bytes(looking.registry)),
    )
    with closing(found):
        for place, result in found:
            if isinstance(result, Casualty):
                nothing = FileFingerprints(None, "", "", place.size, problem=result.reason)
                yield place, Looked(nothing, Description())
            else:
                yield place, result


def _mapped_bytes(folder: Path) -> int:
    """Return what the index may map into a child's memory, on top of what decoding takes."""
    return sum(map(_size_bytes, folder.rglob("*")))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # merged away by another writer


def look_at(looking: Looking, place: MediaPlace) -> Looked:
    """Return the fingerprints, the metadata and the matches of one file."""
    found = fingerprint_place(place)
    if not found.sha256:
        return Looked(found, Description())
    with open(place.path, "rb") as file:
        streams = found.medium in (Medium.AUDIO, Medium.VIDEO)
        description = describe_file(file, place.name, has_streams=streams)
    registry = _opened(looking.registry)
    near = tuple(_near_copies(found, registry, looking.public_key))
    return Looked(found, description, near, _is_common(found, registry, looking.public_key))


@cache
def _opened(folder: Path) -> Registry:
    return Registry.open(folder)


def _near_copies(
    found: FileFingerprints, registry: Registry, public_key: str
) -> Iterator[NearCopy]:
    if all(each.unfit for each in found.fingerprints):
        return
    best: dict[int, int] = {}
    for each in identify(found, registry):
        if each.match.band is Band.CERTAIN and each.match.method != SAME_BYTES:
            number = each.work.number
            best[number] = max(best.get(number, 0), each.covers_per_mille)
    for number, covers_per_mille in best.items():
        if not _is_owned(registry, number, public_key):
            yield NearCopy(number, covers_per_mille)


def _is_owned(registry: Registry, number: int, public_key: str) -> bool:
    return any(claim.public_key == public_key for claim in registry.standing(number)[0])


def _is_common(found: FileFingerprints, registry: Registry, public_key: str) -> bool:
    """Say whether many keys of a file stand in several works of others: a stock intro, a notice."""
    import numpy as np

    from tercet.consent.fingerprints.methods import method_named

    reader = registry.fingerprints.reader()
    owned: dict[int, bool] = {}
    asked = common = 0
    for fingerprint in found.fingerprints:
        method = method_named(fingerprint.method)
        if method is None or fingerprint.unfit:
            continue
        for track, radius in method.radii.items():
            if track not in fingerprint.tracks or not len(fingerprint.tracks[track]):
                continue
            keys = fingerprint.tracks[track].keys
            some = keys[:: max(1, len(keys) // _ASKED_KEYS_MAX)]
            hits = reader.search(method.name, track, some, radius, 2**31)
            pairs = np.unique(np.stack([hits.query, hits.work], axis=1), axis=0)
            for number in np.unique(pairs[:, 1]).tolist():
                owned.setdefault(number, _is_owned(registry, number, public_key))
            others = [query for query, number in pairs.tolist() if not owned[number]]
            counts = np.bincount(np.array(others, np.int64), minlength=len(some))
            asked += len(some)
            common += int((counts >= COMMON_WORKS).sum())
    return asked > 0 and common > COMMON_SHARE * asked
