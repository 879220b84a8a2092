"""How the agreements of a clearing stood, and how many rows rest on each, kept beside it.

agreements/standings.parquet             the declarations of all standings, with their text
agreements/listed.jsonl                  what the clearance says of those it rests on
agreements/agreements.jsonl              the signed agreements that cleared rows rest on
agreements/parties.jsonl                 the documents of those who signed them
completions/00000.agreements.npz         rows that rest on each, of one shard
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.capture import Capture, Captured, capture_of, declarations_of
from tercet.consent.signal import Resource
from tercet.core.canonical import canonical_json
from tercet.core.declaration import Carrier
from tercet.core.errors import IntegrityError
from tercet.store.column_evidence import column_schema
from tercet.store.evidence_rows import declaration_row
from tercet.store.files import write_atomically, written_whole

Array = np.ndarray[Any, np.dtype[Any]]

FOLDER = "agreements"
STANDINGS, LISTED = "standings.parquet", "listed.jsonl"
DOCUMENTS, PARTIES = "agreements.jsonl", "parties.jsonl"


def standing_capture(agreement_id: str, document: bytes, checked_at: str) -> Captured:
    """Return a standing document as it is kept: checked at a time, named by its agreement."""
    capture = Capture(Resource.AGREEMENT, Carrier.REGISTRY, uri=agreement_id, fetched_at=checked_at)
    return capture_of(capture, document)


def write_standings(out: Path, captured: Sequence[Captured]) -> list[str]:
    """Write the standings; return the id of each one's declaration. Raises OSError."""
    rows = []
    for capture, raw in captured:
        (declaration,) = declarations_of(capture, raw)
        rows.append(declaration_row(declaration, capture, 0) | {"raw": raw.decode()})
    path = out / FOLDER / STANDINGS
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, path.parent) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=column_schema()), temporary)
    return [row["declaration_id"] for row in rows]


def write_agreement_counts(out: Path, index: int, counts: Array) -> None:
    """Keep how many cleared rows of one shard rest on each agreement. Raises OSError."""
    used = np.flatnonzero(counts)
    packed = io.BytesIO()
    np.savez(packed, agreement=used, rows=counts[used])
    write_atomically(out / "completions" / f"{index:05d}.agreements.npz", packed.getvalue())


def agreement_counts(out: Path, indexes: Iterable[int], agreement_count: int) -> list[int]:
    """Return how many cleared rows rest on each agreement, over all shards."""
    total = np.zeros(agreement_count, dtype=np.int64)
    for index in indexes:
        with np.load(out / "completions" / f"{index:05d}.agreements.npz") as kept:
            total[kept["agreement"]] += kept["rows"]
    counts: list[int] = total.tolist()
    return counts


def write_lines(out: Path, name: str, documents: Iterable[dict[str, Any]]) -> None:
    """Write documents of one kind, one a line, as canonical JSON. Raises OSError."""
    lines = b"".join(canonical_json(document) + b"\n" for document in documents)
    write_atomically(out / FOLDER / name, lines)


def read_lines(out: Path, name: str) -> list[dict[str, Any]]:
    """Return the documents that ``write_lines`` wrote. Raises IntegrityError."""
    try:
        raw = (out / FOLDER / name).read_bytes()
        found = [json.loads(line) for line in raw.splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise IntegrityError(f"cannot read {FOLDER}/{name} of {out}: {error}"[:300]) from error
    if not all(isinstance(each, dict) for each in found):
        raise IntegrityError(f"{FOLDER}/{name} of {out} holds lines that are no documents")
    return found
