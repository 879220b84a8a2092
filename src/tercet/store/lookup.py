"""Looking up one item's verdict, declarations and captures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from tercet.core.errors import IntegrityError
from tercet.store.files import literal_path

_BY_POSITION = """
    SELECT item_id, item, verdict::VARCHAR AS verdict, reasons::VARCHAR[] AS reasons,
           declarations::VARCHAR[] AS declarations, policy::VARCHAR AS policy
    FROM read_parquet($1) WHERE item_id = $2 ORDER BY item_id LIMIT 1
"""
_BY_NAME = _BY_POSITION.replace("item_id = $2", "item = $2")
_COPIES = "SELECT count(*) AS copies FROM read_parquet($1) WHERE item = $2"
_DECLARATIONS = """
    SELECT * FROM read_parquet($1) WHERE declaration_id IN (SELECT unnest($2))
    ORDER BY declaration_id, ordinal
"""
_CAPTURES = """
    SELECT DISTINCT resource, uri, status, failure, fetched_at, note
    FROM read_parquet($1)
    WHERE (site = $2 AND site <> '' AND item = '') OR item = $3 ORDER BY ALL
"""
_FAULTS = "SELECT fault FROM read_parquet($1) WHERE item_id = $2"
_POSITION_DIGITS_MAX = 18
VERIFY_HINT = "`tercet verify` tells which files are not as signed"
"""What to do about a clearance whose files cannot be read."""


def verdict_of(out: Path, item: str) -> dict[str, Any] | None:
    """Return the row of ``item`` (its name, or its position in digits), or None.

    Of several rows with that name the first, with their number as ``copies``. Raises
    IntegrityError when the table cannot be read.
    """
    files = _every_part(out / "verdicts.parquet")
    row = _first(_BY_NAME, [files, item])
    if row is None and item.isascii() and item.isdigit() and len(item) <= _POSITION_DIGITS_MAX:
        row = _first(_BY_POSITION, [files, int(item)])
    return row and row | (_first(_COPIES, [files, row["item"]]) or {})


def _every_part(folder: Path) -> list[str]:
    parts = [literal_path(path) for path in sorted(folder.glob("[0-9]*.parquet"))]
    if not parts:
        raise IntegrityError(f"expected parts in {folder}, found none", hint=VERIFY_HINT)
    return parts


def _first(query: str, values: list[Any]) -> dict[str, Any] | None:
    rows = _rows(query, values)
    return rows[0] if rows else None


def fault_of(out: Path, item_id: int) -> str:
    """Return why the row at this position could not be read; "" when it could."""
    folder = out / "faults"
    row = _first(_FAULTS, [_every_part(folder), item_id]) if folder.is_dir() else None
    return row["fault"] if row else ""


def declarations_by_id(
    folders: list[Path], columns: Path, ids: list[str], more: Sequence[Path] = ()
) -> dict[str, list[tuple[dict[str, Any], Path | None]]]:
    """Return rows of declarations, by id, with the evidence directory that holds their bytes.

    Rows from the corpus's own columns, and from the files ``more``, have no directory; their text
    is in the row itself.
    """
    places: list[tuple[list[str], Path | None]] = [
        ([literal_path(folder / "declarations.parquet")], folder) for folder in folders
    ]
    if columns.is_dir():
        places.append((_every_part(columns), None))
    places += [([literal_path(path)], None) for path in more]
    found: dict[str, list[tuple[dict[str, Any], Path | None]]] = {}
    for files, folder in places if ids else ():
        rows = _rows(_DECLARATIONS, [files, ids])
        for name in {row["declaration_id"] for row in rows} - found.keys():
            found[name] = [(row, folder) for row in rows if row["declaration_id"] == name]
    return found


def captures_of(folders: list[Path], site: str, item: str) -> list[dict[str, Any]]:
    """Return what was asked about an item and its site: rows of captures, in their order.

    Each has resource, uri, status, failure, fetched_at and note.
    """
    files = [literal_path(folder / "captures.parquet") for folder in folders]
    return [row for file in files for row in _rows(_CAPTURES, [file, site, item])]


def _rows(query: str, values: list[Any]) -> list[dict[str, Any]]:
    with duckdb.connect() as engine:
        try:
            result = engine.execute(query, values)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        except duckdb.Error as error:
            text = str(error).splitlines()[0][:200]
            raise IntegrityError(f"cannot read the tables: {text}", hint=VERIFY_HINT) from error
