"""From the places somebody names to one corpus: which format each is, and all rows in order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tercet.consent.corpora.archive import ArchiveRows
from tercet.consent.corpora.corpus import ColumnNames, Corpus, InputFile, Kind, Shard
from tercet.consent.corpora.delimited import DelimitedRows
from tercet.consent.corpora.digests import file_sha256
from tercet.consent.corpora.folder import MEDIA_SUFFIXES, FolderRows, suffix_of
from tercet.consent.corpora.jsonl import JsonRows, LineRows
from tercet.consent.corpora.parquet import parquet_columns, parquet_shards
from tercet.consent.corpora.staging import Progress, Staged, stage, stage_folder
from tercet.core.errors import InputError

_TABLES = {
    ".parquet": Kind.PARQUET, ".pq": Kind.PARQUET, ".csv": Kind.CSV, ".tsv": Kind.TSV,
    ".jsonl": Kind.JSONL, ".ndjson": Kind.JSONL, ".tar": Kind.TAR,
    ".txt": Kind.URLS, ".urls": Kind.URLS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Piece:
    """One input, its columns, and its shards counted from row 0 and index 0."""

    kind: Kind
    file: InputFile
    columns: ColumnNames
    shards: tuple[Shard, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Opening:
    """What the caller asked for, handed down."""

    work: Path
    columns: ColumnNames
    progress: Progress | None


def open_corpus(
    places: Sequence[Path],
    *,
    work: Path,
    columns: ColumnNames | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Return the corpus made of ``places``, in the order given.

    Formats other than Parquet are streamed once into ``work``. ``columns`` names columns that
    are not to be found by their usual names. Raises InputError, with a hint, for a place that
    is missing, cannot be read, is of no known format or has no rows; StorageError when ``work``
    cannot be written.
    """
    if not places:
        raise InputError("no corpus given", hint="name a folder, a table or a tar archive")
    opening = _Opening(Path(work), columns or ColumnNames(), progress)
    pieces: list[_Piece] = []
    for place in places:
        found = _open_place(Path(place), opening)
        if not sum(piece.file.rows for piece in found):
            raise InputError(f"{place} has no rows", hint="check that it is the right file")
        pieces.extend(found)
    return _joined(pieces)


def _joined(pieces: list[_Piece]) -> Corpus:
    shards: list[Shard] = []
    row_count = 0
    for piece in pieces:
        for shard in piece.shards:
            moved = replace(shard, index=len(shards), row_start=row_count + shard.row_start)
            shards.append(moved)
        row_count += piece.file.rows
    kinds = {piece.kind for piece in pieces}
    return Corpus(
        kind=kinds.pop() if len(kinds) == 1 else Kind.MIXED,
        inputs=tuple(piece.file for piece in pieces),
        row_count=row_count,
        columns=pieces[0].columns,
        shards=tuple(shards),
        notes=tuple(note for piece in pieces for note in piece.notes),
    )


def _open_place(place: Path, opening: _Opening) -> list[_Piece]:
    _check_readable(place)
    if place.is_dir():
        return _open_folder(place, opening)
    if suffix_of(place.name) == ".list":
        return _open_list(place, opening)
    return [_open_file(place, place.name, opening)]


def _check_readable(place: Path) -> None:
    try:
        exists = place.exists()
    except (OSError, ValueError) as error:  # a name that no file system takes
        raise InputError(
            f"cannot open {str(place)[:200]}: {error}", hint="check the path"
        ) from None
    if not exists:
        raise InputError(f"no such file or folder: {place}", hint="check the path")
    if not os.access(place, os.R_OK):
        raise InputError(f"not allowed to read {place}", hint="check its permissions")
    if not place.is_dir() and not place.is_file():
        raise InputError(f"{place} is neither a file nor a folder", hint="copy it to a file first")


def _open_list(place: Path, opening: _Opening) -> list[_Piece]:
    """Open what a list names: a path a line, from the list's own folder; # begins a comment."""
    try:
        lines = place.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{place} is not UTF-8: {error}", hint="save it as UTF-8") from error
    pieces: list[_Piece] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        named = place.parent / text
        if suffix_of(named.name) == ".list":
            raise InputError(
                f"{place}, line {number}: a list cannot name a list", hint="name its lines here"
            )
        try:
            pieces.extend(_open_place(named, opening))
        except InputError as error:
            raise InputError(f"{place}, line {number}: {error.message}", hint=error.hint) from error
    return pieces


def _open_file(path: Path, name: str, opening: _Opening) -> _Piece:
    kind = table_kind(path.name)
    if kind is Kind.PARQUET:
        return _open_parquet(path, name, opening)
    if kind is not None:
        return _open_staged(path, name, kind, opening)
    raise InputError(
        f"{path} is of no known corpus format",
        hint="known are folders of media, .parquet, .csv, .tsv, .jsonl, .ndjson (also .gz, .zst),"
        " .tar, .txt with a URL a line, and .list with a path a line",
    )


def table_kind(name: str) -> Kind | None:
    """Return the kind of table or archive a file name tells, or None."""
    suffix = suffix_of(name)
    if suffix in (".gz", ".zst"):
        kind = _TABLES.get(suffix_of(name.removesuffix(name[-len(suffix) :])))
        return None if kind in (Kind.PARQUET, Kind.TAR) else kind
    return _TABLES.get(suffix)


def _open_staged(path: Path, name: str, kind: Kind, opening: _Opening) -> _Piece:
    source = _row_source(path, kind, opening.columns)
    identity = {"kind": str(kind), "path": str(path.resolve()), "columns": repr(source.columns)}
    state = _state(path)
    staged = stage(
        stage_folder(opening.work, identity),
        state,
        source,
        same_digest=None if kind is Kind.TAR else lambda digest: digest == file_sha256(path),
        progress=opening.progress,
    )
    if _state(path) != state:
        raise InputError(f"{path} was changed while it was read", hint="start again")
    rows = sum(count for _, count in staged.parts)
    file = InputFile(name, path.stat().st_size, staged.sha256, rows, str(path.absolute()))
    return _Piece(kind, file, source.columns, _staged_shards(staged))


def _state(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def _row_source(
    path: Path, kind: Kind, columns: ColumnNames
) -> DelimitedRows | LineRows | ArchiveRows:
    if kind is Kind.TAR:
        return ArchiveRows(path, columns)
    if kind is Kind.JSONL:
        return JsonRows(path, columns)
    if kind is Kind.URLS:
        return LineRows(path)
    return DelimitedRows(path, b"\t" if kind is Kind.TSV else b",", columns)


def _open_parquet(path: Path, name: str, opening: _Opening) -> _Piece:
    columns = parquet_columns(path, opening.columns)
    shards = parquet_shards(path.absolute(), columns, 0, 0)
    rows = sum(shard.row_count for shard in shards)
    file = InputFile(name, path.stat().st_size, "", rows, str(path.absolute()))
    return _Piece(Kind.PARQUET, file, columns, tuple(shards))


def _open_folder(folder: Path, opening: _Opening) -> list[_Piece]:
    tables = _tables_in(folder)
    if tables:
        kinds = sorted({str(kind) for _, kind in tables})
        if len(kinds) > 1:
            raise InputError(
                f"{folder} holds inputs of several kinds: {', '.join(kinds)}",
                hint="name the files wanted, since one may describe the other",
            )
        base = folder.name or str(folder.resolve().name)
        return [
            _open_file(path, f"{base}/{path.relative_to(folder).as_posix()}", opening)
            for path, _ in tables
        ]
    return [_open_media(folder, opening)]


def _tables_in(folder: Path) -> list[tuple[Path, Kind]]:
    """Return the tables and archives in ``folder``, or nothing when it holds any media."""
    tables: list[tuple[Path, Kind]] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if name.startswith((".", "_")):
                continue  # such as _SUCCESS and _metadata, which Spark leaves beside its parts
            if suffix_of(name) in MEDIA_SUFFIXES:
                return []
            kind = table_kind(name)
            if kind is not None:
                tables.append((Path(root, name), kind))
    return tables


def _open_media(folder: Path, opening: _Opening) -> _Piece:
    source = FolderRows(folder)
    if not source.count:
        raise InputError(
            f"{folder} holds no media and no tables",
            hint="give a folder of images, video, audio, text, PDF or EPUB files",
        )
    identity = {"kind": str(Kind.FOLDER), "path": str(folder.resolve())}
    state = {"listing_sha256": source.listing_sha256}
    staged = stage(stage_folder(opening.work, identity), state, source, progress=opening.progress)
    name = folder.name or folder.resolve().name or "/"
    file = InputFile(name, source.bytes, "", source.count, str(folder.resolve()))
    notes = _passed_over(folder, source.passed_over)
    return _Piece(Kind.FOLDER, file, ColumnNames(), _staged_shards(staged), notes)


def _staged_shards(staged: Staged) -> tuple[Shard, ...]:
    shards: list[Shard] = []
    row_start = 0
    for path, rows in staged.parts:
        shards.extend(
            parquet_shards(path.absolute(), ColumnNames(), row_start, len(shards), staged=True)
        )
        row_start += rows
    return tuple(shards)


def _passed_over(folder: Path, counts: dict[str, int]) -> tuple[str, ...]:
    if not counts:
        return ()
    kinds = ", ".join(f"{suffix or 'no suffix'} {n}" for suffix, n in sorted(counts.items()))
    return (f"{folder.name}: {sum(counts.values())} files of other kinds passed over ({kinds})",)
