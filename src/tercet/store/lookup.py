"""Looking up one item's verdict, declarations and captures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

_BY_POSITION = """
    SELECT item_id, item, verdict::VARCHAR AS verdict, reasons::VARCHAR[] AS reasons,
           declarations::VARCHAR[] AS declarations, policy::VARCHAR AS policy
    FROM read_parquet($1) WHERE item_id = $2 LIMIT 1
"""
_BY_NAME = _BY_POSITION.replace("item_id = $2", "item = $2")
_DECLARATIONS = "SELECT * FROM read_parquet($1) WHERE declaration_id IN (SELECT unnest($2))"
_CAPTURES = """
    SELECT uri, status, failure, fetched_at FROM read_parquet($1)
    WHERE (site = $2 AND site <> '' AND item = '') OR item = $3 ORDER BY ALL
"""


def verdict_of(out: Path, item: str) -> dict[str, Any] | None:
    """Return the row of ``item`` (its name, or its position in digits), or None."""
    files = str(out / "verdicts.parquet" / "*.parquet")
    row = _first(_BY_NAME, [files, item])
    if row is None and item.isdigit():
        row = _first(_BY_POSITION, [files, int(item)])
    return row


def _first(query: str, values: list[Any]) -> dict[str, Any] | None:
    rows = _rows(query, values)
    return rows[0] if rows else None


def declarations_by_id(
    folders: list[Path], columns: Path, ids: list[str]
) -> dict[str, tuple[dict[str, Any], Path | None]]:
    """Return rows of declarations with the evidence directory that holds their bytes.

    Rows from the corpus's own columns have no directory; their text is in the row itself.
    """
    places: list[tuple[str, Path | None]] = [
        (str(folder / "declarations.parquet"), folder) for folder in folders
    ]
    if columns.is_dir():
        places.append((str(columns / "*.parquet"), None))
    found: dict[str, tuple[dict[str, Any], Path | None]] = {}
    for file, folder in places if ids else ():
        for row in _rows(_DECLARATIONS, [file, ids]):
            found.setdefault(row["declaration_id"], (row, folder))
    return found


def captures_of(folders: list[Path], site: str, item: str) -> list[str]:
    """Return in words what was asked about an item and its site, and what came of it."""
    lines = []
    for folder in folders:
        for row in _rows(_CAPTURES, [str(folder / "captures.parquet"), site, item]):
            status = f"HTTP {row['status']}" if row["status"] else ""
            result = row["failure"] or status or "read"
            when = f" at {row['fetched_at']}" if row["fetched_at"] else ""
            lines.append(f"{row['uri']}: {result}{when}")
    return lines


def _rows(query: str, values: list[Any]) -> list[dict[str, Any]]:
    with duckdb.connect() as engine:
        result = engine.execute(query, values)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
