"""A corpus as values: its inputs, its columns, and its shards, which give Arrow batches.

Everything here is picklable and holds no open file, so that a shard can be read by any worker.
The cut into shards depends on the inputs alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SHARD_ROWS = 524_288
BATCH_ROWS = 131_072


class Kind(StrEnum):
    """What a corpus is made of. ``MIXED`` when a list names inputs of several kinds."""

    PARQUET = "parquet"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    URLS = "urls"
    FOLDER = "folder"
    TAR = "tar"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Which column holds what. As an option "" means "find it"; in a corpus "" means none."""

    url: str = ""
    licence: str = ""
    headers: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input as it enters the clearance. ``sha256`` is "" until `digest_inputs` ran.

    ``name`` begins with the name of the place given, so it holds no absolute path; ``path`` is
    where it lies on this machine and is left out of descriptions.
    """

    name: str
    bytes: int
    sha256: str
    rows: int
    path: str = ""

    def describe(self) -> dict[str, str | int]:
        """Return the fields that belong in a durable document."""
        return {"name": self.name, "bytes": self.bytes, "sha256": self.sha256, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one Parquet file: row groups [start, end), after ``skip_rows`` rows of them."""

    group_start: int
    group_end: int
    skip_rows: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    """A run of consecutive rows that is read, and finished, as one.

    ``file`` is a Parquet file: the input itself, or one staged from it (then ``staged``).
    ``row_start`` is the position of its first row in the whole corpus.
    """

    index: int
    file: str
    row_start: int
    row_count: int
    part: Part
    columns: ColumnNames
    staged: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One media file of a corpus: where its bytes lie, and the metadata files beside it.

    ``path`` is the file itself, or a tar archive in which the bytes are [offset, offset + size).
    ``sidecars`` are paths, or "path:offset:size" for members of the same archive.
    """

    row: int
    item: str
    path: str
    offset: int
    size: int
    sidecars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """What `open_corpus` found. ``notes`` say what was passed over, for people."""

    kind: Kind
    inputs: tuple[InputFile, ...]
    row_count: int
    columns: ColumnNames
    shards: tuple[Shard, ...]
    notes: tuple[str, ...] = ()

    def batches(self, shard: Shard, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield the rows of ``shard`` in order as batches of CORPUS_SCHEMA.

        A batch has at most ``batch_rows`` rows, fewer where rows are big. Only the columns needed
        are read, one thread, streaming. Raises InputError when the file cannot be read any more.
        """
        from tercet.consent.corpora.parquet import shard_batches

        return shard_batches(shard, batch_rows)

    def describe(self) -> dict[str, object]:
        """Return the corpus as JSON-ready values, for the clearance."""
        columns = {name: getattr(self.columns, name) for name in ColumnNames.__slots__}
        return {
            "kind": str(self.kind),
            "row_count": self.row_count,
            "columns": columns,
            "inputs": [each.describe() for each in self.inputs],
        }
