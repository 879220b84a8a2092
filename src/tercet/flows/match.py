"""match: which registered works stand in files, and a person's word that one does not."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.consent.corpora.digests import file_sha256
from tercet.consent.corpora.folder import media_entries, readable
from tercet.consent.registry.match_document import MatchedWork, match_document
from tercet.core.errors import ComparisonError, InputError
from tercet.core.work import Medium
from tercet.flows.fingerprinting import (
    FileFingerprints,
    MediaPlace,
    fingerprint_place,
    fingerprinting_guard,
)
from tercet.flows.guarded_pool import Casualty, guarded_map
from tercet.flows.identify import (
    identify,
    item_fields,
    matched_works,
    registry_fields,
)

if TYPE_CHECKING:
    from tercet.store.registry import Registry, Signing


@dataclass(frozen=True, slots=True)
class ItemMatches:
    """What was found in one item, the surest first; ``problem`` says why it was not looked at."""

    place: MediaPlace
    medium: Medium | None
    sha256: str
    found: tuple[MatchedWork, ...] = ()
    problem: str = ""


def listed(paths: Iterable[Path]) -> Iterator[MediaPlace | ItemMatches]:
    """Yield the media of files and folders; what is in a folder and cannot be read has a problem.

    Raises InputError for a path that does not exist.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(f"there is no {path}", hint="give files or folders of media")
        if not path.is_dir():
            size = path.stat().st_size if path.is_file() else 0
            yield MediaPlace(str(path), 0, size, str(path))
            continue
        for entry in media_entries(path, {}):
            name = readable(os.path.join(path, entry.item))
            place = MediaPlace(entry.path, 0, entry.size, name)
            fault = entry.fault
            yield (
                place
                if fault is None
                else ItemMatches(place, None, "", problem=str(fault).replace("_", " "))
            )


def match_items(
    paths: Sequence[Path], registry: Path, *, workers: int
) -> Generator[ItemMatches, None, None]:
    """Yield what was found in each media file of ``paths``, in the order in which they are done.

    Raises InputError where there is no registry, or a path does not exist.
    """
    from tercet.store.registry_check import check_findable

    check_findable(_opened(registry))
    waiting: list[MediaPlace] = []
    for each in listed(paths):
        if isinstance(each, ItemMatches):
            yield each
        else:
            waiting.append(each)
    yield from match_places(iter(waiting), registry, workers=min(workers, max(1, len(waiting))))


def match_places(
    places: Iterator[MediaPlace], registry: Path, *, workers: int
) -> Generator[ItemMatches, None, None]:
    """Yield what was found at each of ``places``, in the order in which they are done."""
    look = partial(_match_place, registry)
    guard = fingerprinting_guard(_mapped_bytes(registry))
    with closing(guarded_map(look, places, workers=workers, guard=guard)) as found:
        for place, result in found:
            if isinstance(result, Casualty):
                yield ItemMatches(place, None, "", problem=result.reason)
            else:
                yield result


def _mapped_bytes(registry: Path) -> int:
    """Return what the index may map into a child's memory, on top of what decoding takes."""
    return sum(path.stat().st_size for path in registry.rglob("*") if path.is_file())


def _match_place(folder: Path, place: MediaPlace) -> ItemMatches:
    registry = _opened(folder)
    media = fingerprint_place(place)
    try:
        works = matched_works(identify(media, registry), registry)
    except ComparisonError as error:
        return ItemMatches(place, media.medium, media.sha256, problem=error.message)
    return ItemMatches(place, media.medium, media.sha256, tuple(works), media.problem)


@cache
def _opened(folder: Path) -> Registry:
    from tercet.store.registry import Registry

    return Registry.open(folder)


def item_document(item: ItemMatches, registry: Path) -> bytes:
    """Return the match document of one item, also where nothing was found."""
    media = FileFingerprints(item.medium, item.sha256, "", item.place.size)
    fields = item_fields(media, item.place.name)
    return match_document(fields, registry_fields(_opened(registry)), item.found)


def reject(item: Path, work: int, registry: Path, *, reason: str, signing: Signing) -> bool:
    """Remember that a person looked at ``item`` and that registered ``work`` is not in it.

    False when that was known already. Raises InputError for an item or a work that is not there.
    """
    if item.exists() and not item.is_file():
        raise InputError(f"{item} is not a regular file", hint="give the file that was looked at")
    return _opened(registry).reject_match(file_sha256(item), work, reason, signing)
