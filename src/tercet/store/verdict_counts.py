"""Counting verdicts anew from their files, and comparing two tables of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from tercet.core.errors import InputError

_ROWS = "SELECT count(*), min(item_id), max(item_id), count(verdict) FROM read_parquet($1)"
_BY_REASONS = """
    SELECT verdict::VARCHAR, reasons::VARCHAR[], count(*) FROM read_parquet($1) GROUP BY ALL
"""
_CHANGES = """
    SELECT a.verdict::VARCHAR, b.verdict::VARCHAR, count(*)
    FROM read_parquet($1) AS a FULL JOIN read_parquet($2) AS b ON a.{key} = b.{key}
    GROUP BY ALL ORDER BY ALL
"""
_CHANGED_ITEMS = """
    SELECT coalesce(a.item, b.item), a.verdict::VARCHAR, b.verdict::VARCHAR,
           a.reasons::VARCHAR[], b.reasons::VARCHAR[]
    FROM read_parquet($1) AS a FULL JOIN read_parquet($2) AS b ON a.{key} = b.{key}
    WHERE a.verdict IS DISTINCT FROM b.verdict ORDER BY ALL LIMIT {limit}
"""


@dataclass(frozen=True, slots=True)
class CountedPart:
    """What one part of a verdict table holds."""

    row_start: int
    row_count: int
    verdicts: dict[str, int]
    reasons: dict[str, dict[str, int]]


def count_part(path: Path) -> CountedPart:
    """Count one part from its rows.

    Raises InputError when it cannot be read, when a row has no verdict or no reason, or when
    the positions of its rows are not consecutive.
    """
    with _engine() as engine:
        try:
            totals = engine.execute(_ROWS, [str(path)]).fetchone()
            groups = engine.execute(_BY_REASONS, [str(path)]).fetchall()
        except duckdb.Error as error:
            raise InputError(f"cannot read {path.name}: {str(error)[:200]}") from error
    count, first, last, decided = totals or (0, 0, -1, 0)
    if decided != count:
        raise InputError(f"{path.name}: {count - decided} rows have no verdict")
    if count and last - first + 1 != count:
        raise InputError(f"{path.name}: positions {first} to {last} do not fit {count} rows")
    verdicts: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    for verdict, codes, rows in groups:
        if not codes:
            raise InputError(f"{path.name}: {rows} rows have no reason")
        verdicts[verdict] = verdicts.get(verdict, 0) + rows
        for code in codes:
            by_outcome = reasons.setdefault(code, {})
            by_outcome[verdict] = by_outcome.get(verdict, 0) + rows
    return CountedPart(first or 0, count, verdicts, reasons)


def changes(
    before: Path, after: Path, *, by_position: bool
) -> list[tuple[str | None, str | None, int]]:
    """Return (verdict before, verdict after, items); None where an item is in one table only.

    Items are matched by their position, else by their name.
    """
    key = "item_id" if by_position else "item"
    with _engine() as engine:
        places = [str(folder / "verdicts.parquet" / "*.parquet") for folder in (before, after)]
        return engine.execute(_CHANGES.format(key=key), places).fetchall()


def changed_items(
    before: Path, after: Path, *, by_position: bool, limit: int
) -> list[tuple[str, str | None, str | None, list[str] | None, list[str] | None]]:
    """Return up to ``limit`` items whose verdict differs, with verdicts and reasons of both."""
    key = "item_id" if by_position else "item"
    query = _CHANGED_ITEMS.format(key=key, limit=int(limit))
    with _engine() as engine:
        places = [str(folder / "verdicts.parquet" / "*.parquet") for folder in (before, after)]
        return engine.execute(query, places).fetchall()


def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    engine.execute("SET memory_limit = '1GB'")
    return engine
