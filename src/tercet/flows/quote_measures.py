"""How long items are and how many tokens they have: from the corpus's tables, or local files.

A measure is taken only where its unit is known: from a column whose name says it (`duration_s`,
`minutes`, `token_count`) or that somebody names, or from what the container of a local file says.
Nothing else is measured, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tercet.consent.corpora.columns import URL_NAMES, shown
from tercet.consent.corpora.corpus import Kind
from tercet.consent.corpora.folder import suffix_of
from tercet.consent.corpora.opening import table_kind
from tercet.core.errors import InputError
from tercet.core.limits import MEDIA_FILE_MEMORY_BYTES_MAX
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map
from tercet.store.files import literal_path

if TYPE_CHECKING:
    from tercet.store.quote_tables import QuoteTables

DURATION_MS_OF_NAME: dict[str, int] = {
    "duration_ms": 1, "length_ms": 1, "milliseconds": 1,
    "duration_s": 1000, "duration_sec": 1000, "duration_secs": 1000, "duration_seconds": 1000,
    "length_s": 1000, "length_seconds": 1000, "seconds": 1000,
    "duration_min": 60_000, "duration_minutes": 60_000, "minutes": 60_000,
}  # fmt: skip
"""Milliseconds in one of what a column of that name counts; `duration` alone does not say."""
TOKEN_NAMES = ("tokens", "token_count", "num_tokens", "n_tokens")
TIMED_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mp3", ".m4a", ".aac",
    ".flac", ".wav", ".ogg", ".oga", ".ogv", ".opus",
})  # fmt: skip
# Rows that DuckDB cannot read, or whose measure is no number, are left out: not measured.
_TEXT_TABLE = "header = true, all_varchar = true, null_padding = true, ignore_errors = true"
_READERS = {
    Kind.PARQUET: "read_parquet({files})",
    Kind.JSONL: "read_json({files}, ignore_errors = true)",
    Kind.CSV: f"read_csv({{files}}, {_TEXT_TABLE})",
    Kind.TSV: f"read_csv({{files}}, {_TEXT_TABLE}, delim = '\t')",
}
_SECONDS_MAX = 10.0  # to open one file and read its head
_BATCH = 1_000
_MS_MAX = 2**53


@dataclass(frozen=True, slots=True)
class MeasureColumns:
    """Columns that somebody names: of minutes, of seconds, of tokens; "" looks for usual names."""

    minutes: str = ""
    seconds: str = ""
    tokens: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a corpus and which of its columns to read."""

    path: Path
    source: str
    url: str
    duration: str = ""
    unit_ms: int = 0
    tokens: str = ""


@dataclass(slots=True)
class Measured:
    """What was looked at: how many tables and local files, and what could not be."""

    tables: int = 0
    files: int = 0
    notes: list[str] = field(default_factory=list)


def measure(
    tables: QuoteTables,
    places: Sequence[Path],
    url_column: str,
    columns: MeasureColumns,
    *,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Measured:
    """Give ``tables`` what is known of its offered items' length and tokens.

    ``places`` is where the corpus lies now. Raises InputError for a column that is not there.
    """
    found = Measured()
    for place in places:
        if not place.exists():
            found.notes.append(f"{place} is not there any more")
            continue
        files = _tables_of(place)
        for file in files:
            _measure_table(tables, file, url_column, columns, found)
        if place.is_dir() and not files:
            _measure_folder(tables, place, found, progress)
    return found


def _tables_of(place: Path) -> list[Path]:
    if place.is_dir():
        return [each for each in sorted(place.rglob("*")) if table_kind(each.name) in _READERS]
    return [place] if table_kind(place.name) in _READERS else []


def _measure_table(
    tables: QuoteTables, file: Path, url_column: str, columns: MeasureColumns, found: Measured
) -> None:
    table = _table(file, url_column, columns)
    found.tables += 1
    if not table.duration and not table.tokens:
        found.notes.append(f"{file.name} has no column of minutes, seconds or tokens")
        return
    ms = "NULL::BIGINT"
    if table.duration:
        value = f"TRY_CAST({_name(table.duration)} AS DECIMAL(24, 6)) * {table.unit_ms}"
        ms = f"CASE WHEN {value} > 0 AND {value} < {_MS_MAX} THEN ceil({value})::BIGINT END"
    tokens = "NULL::BIGINT"
    if table.tokens:
        value = f"TRY_CAST({_name(table.tokens)} AS BIGINT)"
        tokens = f"CASE WHEN {value} > 0 AND {value} < {_MS_MAX} THEN {value} END"
    source = table.source.replace("{files}", "$1")
    tables.take_measured_table(
        f"SELECT {_name(table.url)}::VARCHAR, {ms}, {tokens} FROM {source}", [file]
    )


def _table(file: Path, url_column: str, columns: MeasureColumns) -> _Table:
    kind = table_kind(file.name)
    source = _READERS[kind] if kind else ""
    try:
        with duckdb.connect() as engine:
            query = f"DESCRIBE SELECT * FROM {source.replace('{files}', '$1')}"
            rows = engine.execute(query, [literal_path(file)]).fetchall()
    except duckdb.Error as error:
        raise InputError(f"cannot read {file}: {str(error).splitlines()[0][:200]}") from error
    names = [str(row[0]) for row in rows]
    usual = [name for name in names if name.strip().lower() in URL_NAMES]
    url = url_column if url_column in names else "".join(usual[:1])
    if not url:
        raise InputError(f"no URL column in {file}; its columns are {shown(names)}")
    duration, unit_ms = _duration(names, columns, file)
    tokens = _one(names, columns.tokens, TOKEN_NAMES, "tokens", file)
    return _Table(file, source, url, duration, unit_ms, tokens)


def _duration(names: list[str], columns: MeasureColumns, file: Path) -> tuple[str, int]:
    if columns.minutes:
        return _one(names, columns.minutes, (), "minutes", file), 60_000
    if columns.seconds:
        return _one(names, columns.seconds, (), "seconds", file), 1000
    found = _one(names, "", tuple(DURATION_MS_OF_NAME), "seconds", file)
    return found, DURATION_MS_OF_NAME.get(found.strip().lower(), 0)


def _one(names: list[str], asked: str, known: Sequence[str], role: str, file: Path) -> str:
    if asked:
        if asked not in names:
            raise InputError(
                f"no column {asked!r} in {file}; its columns are {shown(names)}",
                hint=f"give an existing column to --{role}-column",
            )
        return asked
    found = [name for name in names if name.strip().lower() in known]
    if len(found) > 1:
        raise InputError(
            f"{len(found)} columns of {file} could be the {role}: {shown(found)}",
            hint=f"choose one with --{role}-column",
        )
    return "".join(found)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


# ---- local files ----------------------------------------------------------------------------


def _measure_folder(
    tables: QuoteTables,
    folder: Path,
    found: Measured,
    progress: Callable[[str, int, int], None],
) -> None:
    guard = Guard(_SECONDS_MAX, MEDIA_FILE_MEMORY_BYTES_MAX)
    rows: list[tuple[str, int | None, int | None]] = []
    wanted = list(_timed_files(tables, folder))
    root = folder.resolve()
    for item, duration_ms in guarded_map(
        duration_ms_of, iter([(root, item) for item in wanted]), workers=1, guard=guard
    ):
        if not isinstance(duration_ms, Casualty) and duration_ms:
            rows.append((item[1], duration_ms, None))
        found.files += 1
        progress("reading lengths", found.files, len(wanted))
    for start in range(0, len(rows), _BATCH):
        tables.take_measures(rows[start : start + _BATCH])


def _timed_files(tables: QuoteTables, folder: Path) -> Iterator[str]:
    root = folder.resolve()
    for item in list(tables.offered_items()):
        if suffix_of(item) in TIMED_SUFFIXES and "://" not in item:
            path = (root / item).resolve()
            if path.is_relative_to(root) and path.is_file():
                yield item


def duration_ms_of(place: tuple[Path, str]) -> int:
    """Return how long a local video or recording is, as its container says; 0: it does not."""
    import av

    try:
        with av.open(str(place[0] / place[1]), mode="r") as container:
            micros = container.duration or 0
    except (av.FFmpegError, OSError, ValueError):
        return 0
    return max(0, -(-micros // 1000))
