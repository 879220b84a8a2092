"""reread: the kept bytes of a survey, read anew by the present readers. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tercet.consent.capture import Captured
from tercet.store.blobs import BlobStore
from tercet.store.evidence import EvidenceWriter, check_evidence
from tercet.store.evidence_rows import capture_from_row

_BATCH_ROWS = 2_000


def reread_evidence(
    folder: Path, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """Write the declarations of an evidence directory anew; return the new survey.json.

    Captures and bytes stay as they are, with their times. Until all is read the old tables
    stand; a run that was stopped goes on when it is started again.

    Raises InputError when there is no finished survey, IntegrityError when a table or kept bytes
    were altered, StorageError when the disk cannot take the result.
    """
    survey = check_evidence(folder)
    total = int(survey["counts"]["captures"])
    blobs = BlobStore(folder / "blobs")
    done = 0
    with EvidenceWriter(
        folder, user_agent=survey["user_agent"], started_at=survey["started_at"]
    ) as evidence:
        for (site, item), rows in _groups(folder / "captures.parquet"):
            if not evidence.is_done(site, item):
                evidence.add(_captured(rows, blobs))
            done += len(rows)
            progress(done, total)
        return evidence.finish(survey["finished_at"])


def _groups(path: Path) -> Iterator[tuple[tuple[str, str], list[dict[str, Any]]]]:
    """Yield the rows of each site and each item: the table is sorted by both."""
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(_BATCH_ROWS, use_threads=False)
        rows = (row for batch in batches for row in batch.to_pylist())
        for key, group in groupby(rows, key=lambda row: (row["site"], row["item"])):
            yield key, list(group)


def _captured(rows: list[dict[str, Any]], blobs: BlobStore) -> Iterator[Captured]:
    for row in rows:
        yield capture_from_row(row), blobs.get(row["raw_sha256"]) if row["raw_sha256"] else b""
