"""Counting verdicts anew from their files, and comparing two tables of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from tercet.core.errors import InputError, IntegrityError
from tercet.store.files import literal_path
from tercet.store.lookup import VERIFY_HINT

_ROWS = """
    SELECT count(*), min(item_id), count(verdict), count(policy),
           min(item_id - file_row_number), max(item_id - file_row_number)
    FROM read_parquet($1, file_row_number = true)
"""
_POLICIES = "SELECT DISTINCT policy::VARCHAR FROM read_parquet($1) ORDER BY 1 LIMIT 10"
_BY_REASONS = """
    SELECT verdict::VARCHAR, reasons::VARCHAR[], count(*) FROM read_parquet($1) GROUP BY ALL
"""
_BY_POSITION = "SELECT item_id AS key, item, verdict, reasons FROM read_parquet($1)"
_BY_NAME = """
    SELECT {'item': item, 'copy': row_number() OVER (PARTITION BY item ORDER BY item_id)} AS key,
           item, verdict, reasons
    FROM read_parquet($1)
"""
_JOINED = """
    FROM ({before}) AS a FULL JOIN ({after}) AS b ON a.key = b.key
"""
_CHANGES = """
    SELECT a.verdict::VARCHAR, b.verdict::VARCHAR, count(*) {joined} GROUP BY ALL ORDER BY ALL
"""
_CHANGED_ITEMS = """
    SELECT coalesce(a.item, b.item), a.verdict::VARCHAR, b.verdict::VARCHAR,
           a.reasons::VARCHAR[], b.reasons::VARCHAR[]
    {joined} WHERE a.verdict IS DISTINCT FROM b.verdict
    ORDER BY coalesce(a.key, b.key) LIMIT {limit}
"""


@dataclass(frozen=True, slots=True)
class CountedPart:
    """What one part of a verdict table holds."""

    row_start: int
    row_count: int
    verdicts: dict[str, int]
    reasons: dict[str, dict[str, int]]
    policies: tuple[str, ...]


def count_part(path: Path) -> CountedPart:
    """Count one part from its rows.

    Raises InputError when it cannot be read, when a row has no verdict or no reason, or when
    the positions of its rows are not consecutive.
    """
    with _engine() as engine:
        name = literal_path(path)
        try:
            totals = engine.execute(_ROWS, [name]).fetchone()
            groups = engine.execute(_BY_REASONS, [name]).fetchall()
            policies = engine.execute(_POLICIES, [name]).fetchall()
        except duckdb.Error as error:
            text = str(error).splitlines()[0][:200]
            raise InputError(f"cannot read {path.name}: {text}") from error
    count, first, decided, with_policy, *shift = totals or (0, 0, 0, 0, 0, 0)
    if not decided == with_policy == count:
        raise InputError(f"{path.name}: {count - decided} rows have no verdict or no policy")
    if count and set(shift) != {first}:
        raise InputError(f"{path.name}: the positions of its rows are not consecutive")
    verdicts: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    for verdict, codes, rows in groups:
        if not codes:
            raise InputError(f"{path.name}: {rows} rows have no reason")
        verdicts[verdict] = verdicts.get(verdict, 0) + rows
        for code in codes:
            by_outcome = reasons.setdefault(code, {})
            by_outcome[verdict] = by_outcome.get(verdict, 0) + rows
    return CountedPart(first or 0, count, verdicts, reasons, tuple(row[0] for row in policies))


def changes(
    before: list[Path], after: list[Path], *, by_position: bool
) -> list[tuple[str | None, str | None, int]]:
    """Return (verdict before, verdict after, items); None where an item is in one table only.

    Items are matched by their position, else by their name: of several with one name the first
    goes with the first. Raises IntegrityError when a table cannot be read.
    """
    with _engine() as engine:
        return _rows(engine, _CHANGES, before, after, by_position)


def changed_items(
    before: list[Path], after: list[Path], *, by_position: bool, limit: int
) -> list[tuple[str, str | None, str | None, list[str] | None, list[str] | None]]:
    """Return up to ``limit`` items whose verdict differs, with verdicts and reasons of both."""
    with _engine() as engine:
        query = _CHANGED_ITEMS.replace("{limit}", str(int(limit)))
        return _rows(engine, query, before, after, by_position)


def _rows(
    engine: duckdb.DuckDBPyConnection,
    query: str,
    before: list[Path],
    after: list[Path],
    by_position: bool,
) -> list[tuple[Any, ...]]:
    one = _BY_POSITION if by_position else _BY_NAME
    joined = _JOINED.format(before=one.replace("$1", "$before"), after=one.replace("$1", "$after"))
    files = {
        name: [literal_path(path) for path in paths]
        for name, paths in (("before", before), ("after", after))
    }
    try:
        return engine.execute(query.format(joined=joined), files).fetchall()
    except duckdb.Error as error:
        text = str(error).splitlines()[0][:200]
        raise IntegrityError(f"cannot read the verdicts: {text}", hint=VERIFY_HINT) from error


@contextmanager
def _engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with TemporaryDirectory(prefix="tercet-") as spill, duckdb.connect() as engine:
        engine.execute("SET memory_limit = '1GB'")
        engine.execute("SET temp_directory = ?", [spill])
        yield engine
