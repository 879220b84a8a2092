"""Sort Parquet files that together do not fit in memory, by text keys; deterministic.

One pass cuts the rows into buckets, each a range of the first two keys; a second sorts each bucket
in memory. Nothing depends on how the rows were spread over the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Keys = np.ndarray[Any, np.dtype[np.object_]]

BUCKET_BYTES = 32 * 1024 * 1024  # uncompressed, on average; sorting takes about three times that
BUCKETS_MAX = 256  # open files; beyond 8 GB the buckets grow
_SAMPLES_MAX = 65_536


def sorted_tables(
    files: Sequence[Path], keys: Sequence[str], work: Path, rows: int
) -> Iterator[pa.Table]:
    """Yield all rows of ``files`` in ascending order of ``keys``, columns of text or integers.

    Each table has ``rows`` rows, only the last may have fewer.

    The first two keys are text without NUL. The files are written without dictionaries, so that
    they tell their size in memory. ``work`` is a folder for the buckets; it is made, and
    its content is overwritten. Raises OSError when the disk cannot take them.
    """
    pending: list[pa.Table] = []
    waiting = 0
    for bucket in _sorted_buckets(files, keys, work):
        pending.append(bucket)
        waiting += bucket.num_rows
        if waiting < rows:
            continue
        table = _concatenated(pending)
        whole = waiting - waiting % rows
        for start in range(0, whole, rows):
            yield table.slice(start, rows)
        pending = [table.slice(whole)]
        waiting -= whole
    if waiting:
        yield _concatenated(pending)


def _sorted_buckets(files: Sequence[Path], keys: Sequence[str], work: Path) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    order = [(key, "ascending") for key in keys]
    if not files:
        return
    sizes = [_size_bytes(path) for path in files]
    count = min(BUCKETS_MAX, sum(sizes) // BUCKET_BYTES + 1)
    if count == 1:
        tables = [pq.read_table(path) for path in files]
        yield _concatenated(tables).sort_by(order)
        return
    work.mkdir(parents=True, exist_ok=True)
    buckets = [work / f"bucket-{number:03d}.arrow" for number in range(count)]
    _cut(files, _bounds(files, keys, count), keys, buckets)
    for bucket in buckets:
        yield _read_bucket(bucket).sort_by(order)
        bucket.unlink()


def _size_bytes(path: Path) -> int:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(group.total_byte_size for group in groups)


def _keys(table: pa.Table, keys: Sequence[str]) -> Keys:
    """Return the first two keys of each row as one text: it sorts as the pair does."""
    import pyarrow.compute as pc

    joined = pc.binary_join_element_wise(table[keys[0]], table[keys[1]], "\x00")
    found: Keys = joined.to_numpy(zero_copy_only=False)
    return found


def _bounds(files: Sequence[Path], keys: Sequence[str], count: int) -> Keys:
    """Return ``count - 1`` ascending keys that cut the rows into about equal parts."""
    import numpy as np
    import pyarrow.parquet as pq

    total = sum(pq.read_metadata(path).num_rows for path in files)
    step = total // _SAMPLES_MAX + 1
    sample: list[str] = []
    for path in files:
        table = pq.read_table(path, columns=list(keys[:2]))
        sample.extend(_keys(table, keys)[::step])
    sample.sort()
    return np.array([sample[len(sample) * n // count] for n in range(1, count)], dtype=object)


def _cut(files: Sequence[Path], bounds: Keys, keys: Sequence[str], buckets: list[Path]) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        writers: list[Any] = []
        for path in files:
            table = pq.read_table(path)
            if not writers:
                writers = [
                    stack.enter_context(pa.ipc.new_stream(bucket, table.schema, options=options))
                    for bucket in buckets
                ]
            places = np.searchsorted(bounds, _keys(table, keys), side="right")
            for number in np.unique(places):
                writers[number].write_table(table.filter(pa.array(places == number)))


def _read_bucket(bucket: Path) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(bucket)) as file, pa.ipc.open_stream(file) as reader:
        return reader.read_all()


def _concatenated(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables)
