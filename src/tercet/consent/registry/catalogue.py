"""Catalogues of works: CSV, TSV, JSONL or Parquet, one row for each work. See docs/registry.md.

A row that cannot be used is a CatalogueFault with its line and the reason; the others are read.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tercet.consent.corpora.delimited import Cells
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.records import parsed
from tercet.consent.corpora.streams import Lines, TextInput
from tercet.consent.plain_text import clean
from tercet.consent.registry.claim import Terms
from tercet.consent.registry.declared_terms import (
    licence_terms,
    reserved_terms,
    stated_terms,
    web_address,
)
from tercet.consent.registry.description import Description, parse_owners
from tercet.consent.registry.identifiers import SCHEMES, identifier
from tercet.core.errors import InputError
from tercet.core.limits import QUOTED_ROW_BYTES_MAX, ROW_BYTES_MAX, ROW_LINES_MAX
from tercet.core.usage import Usage
from tercet.core.work import Medium

_DELIMITERS = {".csv": b",", ".tsv": b"\t", ".tab": b"\t"}
_JSONL = frozenset({".jsonl", ".ndjson"})
_PARQUET = frozenset({".parquet", ".pq"})
_PACKED = frozenset({".gz", ".zst"})
_BATCH_ROWS = 1000
_LINES_AFTER_FAULT_MAX = 16  # looked at for a closing quote, once one was not closed
_NAME_CHARACTERS_MAX = 100

_SYNONYMS = {
    "title": ("title", "name", "work title", "track title", "work", "titel", "titre"),
    "creators": ("creators", "creator", "author", "authors", "artist", "artists", "composer",
                 "composers", "by", "dc:creator"),
    "owners": ("owners", "owner", "rights holder", "rights holders", "rightsholder",
               "rightsholders", "publisher", "publishers", "label", "copyright holder"),
    "isrc": ("isrc",),
    "iswc": ("iswc",),
    "isbn": ("isbn", "isbn13", "isbn-13", "isbn10", "isbn-10"),
    "isni": ("isni",),
    "eidr": ("eidr",),
    "licence": ("licence", "license", "licence url", "license url", "rights", "dc:rights"),
    "allow": ("allow",),
    "deny": ("deny", "reserve", "reserved"),
    "offer_url": ("offer url", "offer", "licence offer", "license offer"),
    "price": ("price",),
    "source_url": ("source url", "url", "source", "link", "web page", "page"),
    "path": ("path", "file", "filename", "file name", "filepath", "file path"),
    "sha256": ("sha256", "sha-256", "hash", "digest"),
    "medium": ("medium", "type", "media type", "kind"),
}  # fmt: skip
_ROLE_OF = {name: role for role, names in _SYNONYMS.items() for name in names}
_MEDIUM_WORDS = {
    "picture": Medium.IMAGE, "photo": Medium.IMAGE, "photograph": Medium.IMAGE,
    "illustration": Medium.IMAGE, "film": Medium.VIDEO, "movie": Medium.VIDEO,
    "sound": Medium.AUDIO, "music": Medium.AUDIO, "recording": Medium.AUDIO,
    "track": Medium.AUDIO, "book": Medium.TEXT, "article": Medium.TEXT,
}  # fmt: skip
_MEDIUM_OF_SCHEME = {"isrc": Medium.AUDIO, "isbn": Medium.TEXT, "eidr": Medium.VIDEO}


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One work of a catalogue: where it is, or its SHA-256, and what is said of it.

    ``line`` counts from 1, the header included; in Parquet it is the row, counted from 1.
    """

    name: str
    line: int
    path: str
    sha256: str
    description: Description


@dataclass(frozen=True, slots=True)
class CatalogueFault:
    """A row that cannot be used: its line, and why."""

    name: str
    line: int
    reason: str
    hint: str = ""


def is_catalogue(path: Path) -> bool:
    """Say whether a file is a catalogue, by its suffix."""
    return path.is_file() and _suffix(path) in {*_DELIMITERS, *_JSONL, *_PARQUET}


def read_catalogue(path: Path) -> Iterator[CatalogueRow | CatalogueFault]:
    """Yield the rows of a catalogue in their order.

    Raises InputError when its columns cannot be read, or none says which works are meant.
    """
    suffix = _suffix(path)
    if suffix in _PARQUET:
        records = _parquet(path)
    elif suffix in _JSONL:
        records = _jsonl(path)
    else:
        records = _delimited(path, _DELIMITERS[suffix])
    for line, record in records:
        if isinstance(record, str):
            yield CatalogueFault(f"{path.name}:{line}", line, record)
        else:
            yield read_row(record, line, path.name)


def read_row(record: Mapping[str, str], line: int, where: str) -> CatalogueRow | CatalogueFault:
    """Return the work of one row: ``record`` holds its cells by column name."""
    cells: dict[str, str] = {}
    name = f"{where}:{line}"
    try:
        for column, value in record.items():
            role = role_of(column)
            text = clean(value)
            if role and text and cells.setdefault(role, text) != text:
                raise InputError(f"two columns say what the {role} is, and differ")
        path, sha256 = cells.get("path", ""), cells.get("sha256", "").lower()
        name = (cells.get("title") or path or sha256 or name)[:_NAME_CHARACTERS_MAX]
        if not path and not sha256:
            raise InputError("it says neither path nor sha256", hint="one of them is needed")
        if sha256 and (len(sha256) != 64 or set(sha256) - set("0123456789abcdef")):
            raise InputError(f"expected a SHA-256 of 64 hex digits, got {sha256[:80]!r}")
        return CatalogueRow(name, line, path, sha256, _description(cells))
    except InputError as error:
        return CatalogueFault(name, line, error.message, error.hint)


def role_of(column: str) -> str:
    """Return what a column is, "" for one that is not known. Usages are roles of their own."""
    name = " ".join(column.strip().lower().replace("_", " ").split())
    usage = name.replace(" ", "_").replace("-", "_")
    if usage in set(Usage):
        return usage
    return _ROLE_OF.get(name) or _ROLE_OF.get(name.replace(" ", "")) or ""


def _description(cells: Mapping[str, str]) -> Description:
    found = tuple(
        (scheme, identifier(scheme, cells[scheme])) for scheme in sorted(SCHEMES) if scheme in cells
    )
    url = cells.get("source_url", "")
    return Description(
        title=cells.get("title", ""),
        creators=tuple(filter(None, map(str.strip, cells.get("creators", "").split(";")))),
        owners=parse_owners(cells["owners"]) if "owners" in cells else (),
        identifiers=found,
        source_url=web_address(url) if url else "",
        terms=_terms(cells),
        medium=_medium(cells, {scheme for scheme, _ in found}),
    )


def _medium(cells: Mapping[str, str], schemes: set[str]) -> Medium | None:
    said = cells.get("medium", "").lower().partition("/")[0]
    if said:
        if said in set(Medium):
            return Medium(said)
        if said in _MEDIUM_WORDS:
            return _MEDIUM_WORDS[said]
        raise InputError(f"expected image, video, audio or text as the medium, got {said[:40]!r}")
    implied = {_MEDIUM_OF_SCHEME[scheme] for scheme in schemes & set(_MEDIUM_OF_SCHEME)}
    return implied.pop() if len(implied) == 1 else None


def _terms(cells: Mapping[str, str]) -> Terms | None:
    usages = {usage: cells[usage].lower() for usage in Usage if usage in cells}
    allow, deny = _listed(cells.get("allow", "")), _listed(cells.get("deny", ""))
    for usage, said in usages.items():
        if said in ("allow", "yes", "y", "true", "1"):
            allow.append(usage)
        elif said in ("deny", "reserve", "reserved", "no", "n", "false", "0"):
            deny.append(usage)
        else:
            raise InputError(f"expected allow or deny for {usage}, got {said[:40]!r}")
    licence, offer = cells.get("licence", ""), cells.get("offer_url", "")
    price = cells.get("price", "")
    if not (licence or allow or deny or offer or price):
        return None
    base = licence_terms(licence) if licence else reserved_terms()
    return stated_terms(base, allow=allow, deny=deny, offer_url=offer, price=price)


def _listed(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").replace(";", " ").split() if word]


# ---- formats --------------------------------------------------------------------------------

_Records = Iterator[tuple[int, Mapping[str, str] | str]]
"""(line, the cells by column; or what is wrong with the row)."""


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _check_columns(columns: list[str], path: Path) -> None:
    roles = [role_of(column) for column in columns]
    if not {"path", "sha256"} & set(roles):
        shown = ", ".join(repr(column[:40]) for column in columns[:40])
        raise InputError(
            f"no column of {path} says which works are meant; its columns are {shown}",
            hint="name one path or sha256; docs/registry.md lists the columns",
        )


def _delimited(path: Path, delimiter: bytes) -> _Records:
    source = TextInput(path)
    columns: list[str] = []
    for line, cells in _rows(source, delimiter):
        if isinstance(cells, Fault):
            if not columns:
                raise InputError(f"the header of {path} cannot be read: {_words(cells)}")
            yield line, _words(cells)
            continue
        if not columns:
            if len(cells) == 1 and delimiter == b"," and b";" in cells[0]:
                yield from _delimited(path, b";")
                return
            columns = [cell.decode("utf-8", "replace") for cell in cells]
            _check_columns(columns, path)
            continue
        if len(cells) != len(columns):
            yield line, f"expected {len(columns)} cells as in the header, got {len(cells)}"
            continue
        try:
            yield line, {c: cell.decode() for c, cell in zip(columns, cells, strict=True)}
        except UnicodeDecodeError:
            yield line, "it is not UTF-8"
    if source.damage:
        yield 0, f"the rest of the catalogue is missing: {source.damage}"
    elif not columns:
        raise InputError(f"{path} has no rows", hint="the first line must name the columns")


def _rows(source: TextInput, delimiter: bytes) -> Iterator[tuple[int, list[bytes] | Fault]]:
    """Yield every row with the line it begins on; blank lines are no rows.

    A quote that does not close makes its own line a bad row; the next lines are read anew.
    """
    numbered = enumerate(Lines(source), 1)
    waiting: deque[tuple[int, bytes]] = deque()
    lines_max = ROW_LINES_MAX
    while (found := waiting.popleft() if waiting else next(numbered, None)) is not None:
        number, line = found
        if not line.strip():
            continue
        cells = Cells(delimiter)
        cells.feed(line)
        more: list[tuple[int, bytes]] = []
        size = len(line)
        while cells.open and len(more) < lines_max and size <= QUOTED_ROW_BYTES_MAX:
            following = waiting.popleft() if waiting else next(numbered, None)
            if following is None:
                break
            more.append(following)
            size += len(following[1])
            cells.feed(following[1])
        if size > ROW_BYTES_MAX:
            yield number, Fault.ROW_TOO_LONG
        elif cells.open or cells.bad:
            lines_max = _LINES_AFTER_FAULT_MAX
            waiting.extendleft(reversed(more))
            yield number, Fault.BAD_QUOTES
        else:
            yield number, cells.cells


def _jsonl(path: Path) -> _Records:
    source = TextInput(path)
    for line, raw in enumerate(Lines(source), 1):
        if not raw.strip():
            continue
        record = parsed(raw)
        if isinstance(record, Fault):
            yield line, _words(record)
        else:
            yield line, {name: _cell(value) for name, value in record.items()}
    if source.damage:
        yield 0, f"the rest of the catalogue is missing: {source.damage}"


def _parquet(path: Path) -> _Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = [name for name in file.schema_arrow.names if role_of(name)]
            _check_columns(file.schema_arrow.names, path)
            line = 0
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                for record in batch.to_pylist():
                    line += 1
                    yield line, {name: _cell(value) for name, value in record.items()}
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {path}: {error}", hint="is it a Parquet file?") from error


def _cell(value: object) -> str:
    """Return a JSON or Arrow value as the text a CSV cell would hold."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(map(_cell, value))
    if isinstance(value, dict):
        if "name" in value:  # an owner: {"name": ..., "share": 50}
            share = value.get("share")
            return str(value["name"]) + (f":{share}" if share is not None else "")
        return json.dumps(value, ensure_ascii=False)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _words(fault: Fault) -> str:
    return str(fault).replace("_", " ")
