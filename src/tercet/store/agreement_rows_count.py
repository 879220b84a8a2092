"""Counting the rows that rest on agreements anew, from the verdicts themselves."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tercet.core.errors import IntegrityError
from tercet.store.files import literal_path

_BY_AGREEMENT = """
    SELECT named, count(*) FROM (
        SELECT unnest(declarations::VARCHAR[]) AS named FROM read_parquet($1)
        WHERE verdict = 'cleared'
    ) JOIN (SELECT unnest($2::VARCHAR[]) AS listed) ON named = listed GROUP BY named
"""
_UNNAMED = """
    SELECT count(*) FROM read_parquet($1)
    WHERE verdict = 'cleared' AND list_contains(reasons::VARCHAR[], 'granted_by_agreement')
      AND NOT list_has_any(declarations::VARCHAR[], $2::VARCHAR[])
"""


def rows_by_agreement(out: Path, declarations: tuple[str, ...]) -> tuple[dict[str, int], int]:
    """Return how many cleared rows name each of the ``declarations``.

    Also how many are cleared by an agreement, and name none of them. Raises IntegrityError.
    """
    files = [literal_path(path) for path in sorted((out / "verdicts.parquet").glob("[0-9]*"))]
    try:
        with duckdb.connect() as engine:
            values = [files, list(declarations)]
            counted = engine.execute(_BY_AGREEMENT, values).fetchall()
            unnamed = engine.execute(_UNNAMED, values).fetchone()
    except duckdb.Error as error:
        text = str(error).splitlines()[0][:200]
        raise IntegrityError(f"cannot read the verdicts: {text}") from error
    return dict(counted), int(unnamed[0]) if unnamed else 0
