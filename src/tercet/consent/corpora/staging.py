"""Streams a corpus that is not Parquet once into Parquet parts, and finds them again later.

A part is written beside its name and moved there when whole; the record of parts
(``staged.json``) is replaced after each. So a run that was stopped continues after its last
whole part, and a run over the same unchanged input reads what is there.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.corpora.corpus import SHARD_ROWS
from tercet.consent.corpora.schema import STAGED_SCHEMA
from tercet.core.errors import StorageError

GROUP_ROWS = 131_072
GROUP_BYTES = 64 * 1024 * 1024
CHUNK_ROWS = 8192
CHUNK_BYTES = 8 * 1024 * 1024
_RECORD = "staged.json"
_FORMAT = "tercet/staged@1"

Progress = Callable[[int], None]
"""Called with the number of rows staged since the last call."""


class Row(NamedTuple):
    """One staged row; the fields of STAGED_SCHEMA."""

    item: str
    url: str | None = None
    licence: str | None = None
    headers: str | None = None
    sha256: str | None = None
    fault: str | None = None
    path: str | None = None
    offset: int | None = None
    size: int | None = None
    sidecars: Sequence[str] | None = None


Chunks = Iterator[tuple[list[Row], int]]


class RowSource(Protocol):
    """An input that gives its rows in order, from the start or from a position it gave before."""

    def chunks(self, position: int) -> Chunks:
        """Yield (rows, position after them); position 0 is the start."""

    def digest(self) -> str:
        """Return the SHA-256 of the input once all chunks were read; "" when not read whole."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The parts of one input: Parquet files in order, and the rows in each."""

    parts: tuple[tuple[Path, int], ...]
    sha256: str
    facts: dict[str, Any]


def stage_folder(work: Path, identity: dict[str, Any]) -> Path:
    """Return where the parts of the input known by ``identity`` are kept."""
    key = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return work / "corpora" / key


def stage(
    folder: Path,
    state: dict[str, Any],
    source: RowSource,
    *,
    same_digest: Callable[[str], bool] | None = None,
    progress: Progress | None = None,
) -> Staged:
    """Return the parts of ``source``, staging what is not there yet.

    ``state`` (size, time of change) must be equal for parts to be used again; finished parts
    are also checked by ``same_digest`` where given. Raises StorageError when ``folder`` cannot
    be written.
    """
    try:
        record = _usable_record(folder, state, same_digest)
        if not record["complete"]:
            folder.mkdir(parents=True, exist_ok=True)
            _stage_rest(folder, record, source, progress)
    except OSError as error:
        raise _storage_error(folder, error) from error
    parts = tuple((folder / part["file"], part["rows"]) for part in record["parts"])
    return Staged(parts, record["sha256"], record["state"])


def _usable_record(
    folder: Path, state: dict[str, Any], same_digest: Callable[[str], bool] | None
) -> dict[str, Any]:
    fresh: dict[str, Any] = {
        "type": _FORMAT, "state": state, "parts": [], "complete": False, "sha256": "",
    }  # fmt: skip
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        same = (
            record["type"] == _FORMAT
            and record["state"] == state
            and all(
                (folder / part["file"]).stat().st_size == part["bytes"] for part in record["parts"]
            )
        )
        if record["complete"] and same_digest is not None:
            same = same and same_digest(record["sha256"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return fresh  # nothing there, or nothing that can be trusted
    return record if same else fresh


def _stage_rest(
    folder: Path, record: dict[str, Any], source: RowSource, progress: Progress | None
) -> None:
    parts = record["parts"]
    chunks = source.chunks(parts[-1]["position"] if parts else 0)
    while True:
        name = f"part-{len(parts):05d}.parquet"
        part = _write_part(folder, name, chunks, progress)
        if part is None:
            break
        parts.append(part)
        _write_record(folder, record)
    record["complete"], record["sha256"] = True, source.digest()
    _write_record(folder, record)


def _write_part(
    folder: Path, name: str, chunks: Chunks, progress: Progress | None
) -> dict[str, Any] | None:
    """Write the next part of about SHARD_ROWS rows; None when there are no more rows."""
    temporary = folder / f".{name}.{os.getpid()}"
    rows, position, pending, pending_bytes = 0, 0, list[pa.RecordBatch](), 0
    try:
        with pq.ParquetWriter(temporary, STAGED_SCHEMA, compression="zstd") as writer:
            for chunk, position in chunks:  # noqa: B007 - the last position is kept
                batch = _batch(chunk)
                pending.append(batch)
                pending_bytes += batch.nbytes
                rows += len(chunk)
                if progress is not None:
                    progress(len(chunk))
                pending_rows = sum(len(each) for each in pending)
                if pending_rows >= GROUP_ROWS or pending_bytes >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(pending))
                    pending, pending_bytes = [], 0
                if rows >= SHARD_ROWS:
                    break
            if pending:
                writer.write_table(pa.Table.from_batches(pending))
        if not rows:
            return None
        _sync(temporary)
        os.replace(temporary, folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    size = (folder / name).stat().st_size
    return {"file": name, "rows": rows, "position": position, "bytes": size}


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, STAGED_SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=STAGED_SCHEMA)


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    temporary = folder / f".{_RECORD}.{os.getpid()}"
    temporary.write_text(json.dumps(record, indent=1), "utf-8")
    _sync(temporary)
    os.replace(temporary, folder / _RECORD)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage_error(folder: Path, error: OSError) -> StorageError:
    hint = "choose another folder for the work files"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room, then run the same command again: it continues where it stopped"
    return StorageError(f"cannot write to {folder}: {error.strerror or error}", hint=hint)
