"""What is to be registered: one entry for each file of the places, or row of a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tercet.consent.corpora.folder import media_entries
from tercet.consent.registry.catalogue import (
    CatalogueFault,
    CatalogueRow,
    is_catalogue,
    read_catalogue,
)
from tercet.consent.registry.description import Description
from tercet.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to register: a file, or, with no ``path``, bytes known by their SHA-256 alone.

    ``name`` is what people call it; ``line`` its line in a catalogue, 0 for a file.
    """

    name: str
    path: Path | None = None
    sha256: str = ""
    description: Description = field(default_factory=Description)
    line: int = 0


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row of a catalogue that cannot be used, and why."""

    name: str
    line: int
    reason: str
    hint: str = ""


def entries_of(places: Sequence[Path]) -> tuple[Iterable[Entry | RowFault], int]:
    """Return what lies at ``places``: files as they are, folders with all media in them, rows.

    Also their number, 0 where it is not known before catalogues are read to their end.
    Raises InputError for a place that is missing.
    """
    for place in places:
        if not place.exists():
            raise InputError(f"there is no {place}", hint="check the path")
    if any(is_catalogue(place) for place in places):
        return chain.from_iterable(map(_at, places)), 0
    entries = [entry for place in places for entry in _at(place)]
    return entries, len(entries)


def _at(place: Path) -> Iterator[Entry | RowFault]:
    if place.is_dir():
        for found in media_entries(place, {}):
            yield Entry(found.item, Path(found.path))
    elif is_catalogue(place):
        for row in read_catalogue(place):
            yield _of_row(row, place.parent)
    else:
        yield Entry(place.name, place)


def _of_row(row: CatalogueRow | CatalogueFault, folder: Path) -> Entry | RowFault:
    """Return the entry of a row; its path is relative to the catalogue's folder."""
    if isinstance(row, CatalogueFault):
        return RowFault(row.name, row.line, row.reason, row.hint)
    path = folder / row.path if row.path else None
    return Entry(row.name, path, row.sha256, row.description, row.line)
