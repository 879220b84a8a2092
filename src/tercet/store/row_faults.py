"""Why rows of the corpus could not be read, kept beside the verdicts.

faults/00000.parquet   item_id and fault, for the rows of one shard that have one
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tercet.store.files import written_whole

FAULT_SCHEMA: pa.Schema = pa.schema(
    [pa.field("item_id", pa.int64(), nullable=False), pa.field("fault", pa.string())]
)
"""``fault`` is a code of `tercet.consent.corpora.Fault`."""


def faulty_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return position and fault of those rows of a corpus batch that have a fault."""
    chosen = batch.filter(batch["fault"].is_valid())
    return pa.record_batch([chosen["row"], chosen["fault"]], schema=FAULT_SCHEMA)


def write_faults(folder: Path, index: int, faults: list[pa.RecordBatch]) -> None:
    """Write the faults of one shard; nothing when it has none. Raises OSError."""
    table = pa.Table.from_batches(faults, FAULT_SCHEMA)
    if not table.num_rows:
        return
    path = folder / "faults" / f"{index:05d}.parquet"
    with written_whole(path, folder / "work") as temporary:
        pq.write_table(table, temporary)
