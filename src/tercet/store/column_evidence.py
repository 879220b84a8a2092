"""Declarations that stand in the corpus table itself, kept beside the verdicts.

columns/00000.parquet   the declarations of one shard's columns, with their raw text
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.table_columns import ColumnText
from tercet.store.evidence_rows import declaration_row, declaration_schema
from tercet.store.files import written_whole


def column_schema() -> pa.Schema:
    """Return the declarations' schema with the raw text behind it."""
    return declaration_schema().append(pa.field("raw", pa.string()))


def write_column_evidence(folder: Path, index: int, texts: Sequence[ColumnText]) -> None:
    """Write what the columns of one shard declare; nothing when they declare nothing.

    Raises OSError.
    """
    rows = []
    for text in texts:
        capture, raw = text.captured
        for ordinal, declaration in enumerate(text.declarations):
            row = declaration_row(declaration, capture, ordinal)
            rows.append(row | {"raw": raw.decode("utf-8", "replace")})
    if not rows:
        return
    path = folder / "columns" / f"{index:05d}.parquet"
    with written_whole(path, folder / "work") as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=column_schema()), temporary)
