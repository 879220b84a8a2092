"""Counts over evidence and offers, for the report."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tercet.store.files import literal_path

_SIGNALS = """
    SELECT signal, count(*), count(*) FILTER ({usage} = 'allow'),
           count(*) FILTER ({usage} = 'deny'), count(*) FILTER ({usage} = 'conditional'),
           count(*) FILTER (fault <> '')
    FROM read_parquet($1, union_by_name = true) GROUP BY signal
"""
_OFFERS = """
    SELECT site, item, currency, amount_micros, price_unit, url FROM read_parquet($1)
    WHERE amount_micros IS NOT NULL
"""


def signal_counts(
    folders: tuple[Path, ...], columns: Path, usage: str, more: tuple[Path, ...] = ()
) -> dict[str, tuple[int, int, int, int, int]]:
    """Return by signal: declarations, and how many allow, deny, condition, cannot be read.

    Of evidence directories, of the corpus's own columns (each distinct text once), and of the files
    ``more``. ``usage`` is a `Usage` value.
    """
    paths = [folder / "declarations.parquet" for folder in folders]
    files = [literal_path(path) for path in (*paths, *columns.glob("[0-9]*.parquet"), *more)]
    if not files:
        return {}
    with duckdb.connect() as engine:
        rows = engine.execute(_SIGNALS.format(usage=usage), [files]).fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}


def priced_offers(out: Path) -> list[tuple[str, str, str, int, str, str]]:
    """Return (site, item, currency, micro-units, unit, URL) of every offer with a price."""
    with duckdb.connect() as engine:
        return engine.execute(_OFFERS, [literal_path(out / "offers.parquet")]).fetchall()
