"""Parquet in: the cut into shards, and batches that cost little more than decoding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tercet.consent.corpora.cells import checked_urls, item_of, json_text, text_column
from tercet.consent.corpora.columns import find_columns
from tercet.consent.corpora.corpus import SHARD_ROWS, ColumnNames, Member, Part, Shard
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.schema import CORPUS_SCHEMA, ROW_FIELDS
from tercet.core.errors import InputError

BATCH_BYTES_MAX = 64 * 1024 * 1024
_BUFFER_BYTES = 1024 * 1024
_CUTS_MAX = 8  # of one row group: reaching the last cut means decoding all before it
_NULLS = pa.nulls(131_072, pa.string())


@contextmanager
def opened(path: Path | str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; whatever goes wrong with it becomes an InputError naming it."""
    try:
        with pq.ParquetFile(str(path), buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}", hint="check the path") from error
    except PermissionError as error:
        raise InputError(f"not allowed to read {path}", hint="check its permissions") from error
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names not UTF-8
        raise _broken(path, error) from error


def _broken(path: Path | str, error: Exception) -> InputError:
    return InputError(
        f"{path} is not a whole Parquet file: {str(error)[:300]}",
        hint="copy or write it again; part of a Parquet file cannot be trusted",
    )


def group_sizes(path: Path) -> list[int]:
    """Return the number of rows of each row group of a Parquet file."""
    with opened(path) as file:
        metadata = file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        if sum(sizes) != metadata.num_rows or min(sizes, default=0) < 0:
            raise ValueError("its numbers of rows do not add up")
    return sizes


def parquet_columns(path: Path, asked: ColumnNames) -> ColumnNames:
    """Return the columns to read; raise InputError when there is no usable URL column."""
    with opened(path) as file:
        schema = file.schema_arrow
    names = find_columns(schema.names, asked, str(path))
    for role, name in (("url", names.url), ("licence", names.licence), ("sha256", names.sha256)):
        kind = schema.field(name).type if name else pa.string()
        if not _is_text(kind):
            raise InputError(
                f"column {name!r} of {path} should hold text, but is {kind}",
                hint=f"choose another with --{role}-column",
            )
    return names


def parquet_shards(
    path: Path, names: ColumnNames, row_start: int, index: int, *, staged: bool = False
) -> list[Shard]:
    """Cut a file into shards of about SHARD_ROWS rows.

    Whole row groups are put together up to that size; a group much larger is cut, into no more
    than eight, since reading a cut means decoding what lies before it.
    """
    sizes = group_sizes(path)
    shards: list[Shard] = []
    for part, rows in _cuts(sizes):
        shards.append(Shard(index, str(path), row_start, rows, part, names, staged))
        index, row_start = index + 1, row_start + rows
    return shards


def _cuts(sizes: list[int]) -> Iterator[tuple[Part, int]]:
    first, rows = 0, 0
    for group, size in enumerate(sizes):
        if rows and rows + size > SHARD_ROWS:
            yield Part(first, group), rows
            first, rows = group, 0
        if size < 2 * SHARD_ROWS:
            rows += size
            continue
        count = min(_CUTS_MAX, size // SHARD_ROWS)
        edges = [size * cut // count for cut in range(count + 1)]
        for start, end in pairwise(edges):
            yield Part(group, group + 1, start), end - start
        first, rows = group + 1, 0
    if rows:
        yield Part(first, len(sizes)), rows


def shard_batches(shard: Shard, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of ``shard`` as batches of CORPUS_SCHEMA."""
    row = shard.row_start
    names = shard.columns
    wanted = [n for n in (names.url, names.licence, names.headers, names.sha256) if n]
    columns = list(ROW_FIELDS) if shard.staged else sorted(set(wanted))
    for batch in _raw_batches(shard, columns, batch_rows):
        if shard.staged:
            item, *others = (batch.column(name) for name in ROW_FIELDS)
            arrays = [_rows(row, len(batch)), _numbered(item, row), *others]
            yield pa.RecordBatch.from_arrays(arrays, schema=CORPUS_SCHEMA)
        else:
            try:
                table = _table_batch(batch, names, row)
            except pa.ArrowException as error:  # an index beyond its own dictionary
                raise _broken(shard.file, error) from error
            yield table
        row += len(batch)


def shard_members(shard: Shard) -> Iterator[Member]:
    """Yield the media files of a staged shard that can be read; rows with a fault are left out."""
    row = shard.row_start
    columns = ["item", "fault", "path", "offset", "size", "sidecars"]
    for batch in _raw_batches(shard, columns, 8192):
        for position, each in enumerate(batch.to_pylist()):
            if each["fault"] is None and each["path"] is not None:
                place = (each["path"], each["offset"], each["size"])
                yield Member(row + position, each["item"], *place, tuple(each["sidecars"] or ()))
        row += len(batch)


def _raw_batches(shard: Shard, columns: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield exactly the shard's rows, as stored."""
    skip, left = shard.part.skip_rows, shard.row_count
    with opened(shard.file) as file:
        groups = range(shard.part.group_start, shard.part.group_end)
        rows = min(batch_rows, _rows_that_fit(file.metadata, groups))
        for batch in file.iter_batches(rows, groups, columns, use_threads=False):
            if skip >= len(batch):
                skip -= len(batch)
                continue
            piece = batch.slice(skip, left) if skip or left < len(batch) else batch
            skip = 0
            left -= len(piece)
            yield piece
            if not left:
                return
    if left:
        raise InputError(
            f"{shard.file} has {left} rows fewer than before",
            hint="it was changed while being read; start again",
        )


def _rows_that_fit(metadata: Any, groups: range) -> int:
    """Return how many rows of the widest row group take BATCH_BYTES_MAX, judged by its size.

    The size is that of all columns. Those of single columns are left alone: pyarrow 26 ends the
    whole process when a hostile file lies in that part of its index.
    """
    fit = SHARD_ROWS
    for index in groups:
        group = metadata.row_group(index)
        fit = min(fit, BATCH_BYTES_MAX * max(group.num_rows, 1) // max(group.total_byte_size, 1))
    return max(fit, 1)


def _table_batch(batch: pa.RecordBatch, names: ColumnNames, row: int) -> pa.RecordBatch:
    urls, wrong = text_column(batch.column(names.url))
    item, url, fault = checked_urls(urls, wrong, row)
    arrays = [_rows(row, len(batch)), item, url]
    for name, read in (
        (names.licence, text_column),
        (names.headers, json_text),
        (names.sha256, text_column),
    ):
        array, wrong = read(batch.column(name)) if name else (_nulls(len(batch)), None)
        arrays.append(array)
        if wrong is not None:
            fault = _nulls(len(batch)) if fault is None else fault
            fault = pc.if_else(wrong, pa.scalar(str(Fault.INVALID_UTF8)), fault)
            arrays[2] = pc.if_else(wrong, pa.scalar(None, pa.string()), arrays[2])
    arrays.append(_nulls(len(batch)) if fault is None else fault)
    return pa.RecordBatch.from_arrays(arrays, schema=CORPUS_SCHEMA)


def _numbered(item: pa.StringArray, row: int) -> pa.StringArray:
    """Name the rows that have no text to be known by after their position in the corpus."""
    empty = pc.equal(item, "")
    positions = np.flatnonzero(empty.to_numpy(zero_copy_only=False))
    if not len(positions):
        return item
    names = [item_of(None, row + int(position)) for position in positions]
    return pc.replace_with_mask(item, empty, pa.array(names, pa.string()))


def _rows(start: int, count: int) -> pa.Array:
    return pa.array(np.arange(start, start + count, dtype=np.int64))


def _nulls(count: int) -> pa.Array:
    return _NULLS.slice(0, count) if count <= len(_NULLS) else pa.nulls(count, pa.string())


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
        pa.types.is_fixed_size_binary, pa.types.is_null,
    )  # fmt: skip
    return any(check(kind) for check in checks)
