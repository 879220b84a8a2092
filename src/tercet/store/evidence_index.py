"""From an evidence directory to what the clearing asks: sites, items, rulebooks, ids.

Rulebooks are compiled once for each distinct set of captured bytes, however many sites share it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tercet.consent.capture import Capture
from tercet.consent.rulebook import Rulebook, compile_rulebook
from tercet.consent.signal import Resource
from tercet.consent.site_index import SiteIndex
from tercet.core.errors import IntegrityError
from tercet.core.usage import Usage
from tercet.store.blobs import BlobStore
from tercet.store.evidence_rows import capture_from_row

Array = np.ndarray[Any, np.dtype[Any]]

_CHUNK_BOOKS = 64
_KEY_COLUMNS = ("resource", "carrier", "failure", "media_type", "raw_sha256")
_OTHER_COLUMNS = ("site", "uri", "redirects")


Mapper = Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]
"""``map``, or a pool's: calls a function of one argument on many, in order."""


def load_sites(folder: Path, usage: Usage, *, mapper: Mapper = map) -> SiteIndex:
    """Read the site-level rows of an evidence directory; compile rulebooks by ``mapper``.

    Raises IntegrityError when a blob is missing or altered, or when the declarations were read by
    another version of the readers than this one.
    """
    captures = _site_rows(folder / "captures.parquet", (*_KEY_COLUMNS, *_OTHER_COLUMNS))
    starts = _run_starts(captures["site"])
    origins = captures["site"].take(pa.array(starts))
    ends = np.append(starts[1:], len(captures))
    book, example = _classes(_signatures(captures, starts))
    with _without_collection():
        groups = _captures_of(captures, starts[example], ends[example])
        rulebooks = list(_compiled(groups, folder, usage, mapper))
    ids, id_start, counts = _site_ids(folder, origins)
    expected = np.array([b.declaration_count for b in rulebooks] or [0])[book]
    if not np.array_equal(counts, expected):
        raise _other_readers(folder)
    return SiteIndex(_string_array(origins), book, id_start, ids, rulebooks)


def _captures_of(captures: pa.Table, starts: Array, ends: Array) -> Iterator[list[Capture]]:
    """Yield the captures in each range of rows."""
    sizes = ends - starts
    rows = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    each = iter(captures.take(pa.array(rows)).to_pylist())
    for size in sizes.tolist():
        yield [capture_from_row(row) for row in islice(each, size)]


def _compiled(
    groups: Iterator[list[Capture]], folder: Path, usage: Usage, mapper: Mapper
) -> Iterator[Rulebook]:
    chunks = iter(lambda: list(islice(groups, _CHUNK_BOOKS)), [])
    compile_chunk = partial(_compile_chunk, folder / "blobs", usage)
    for rulebooks in mapper(compile_chunk, chunks):
        yield from rulebooks


def _compile_chunk(blobs: Path, usage: Usage, groups: list[list[Capture]]) -> list[Rulebook]:
    store = BlobStore(blobs)
    with _without_collection():
        return [_rulebook(captures, store, usage, of_site=True) for captures in groups]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Spare the garbage collector: what is made here is kept, and it would look at all of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def no_sites() -> SiteIndex:
    """Return the index of no survey at all: every site is not surveyed."""
    nothing = np.zeros(0, dtype=np.int64)
    return SiteIndex(pa.array([], pa.string()), nothing, nothing, pa.array([], pa.string()), [])


def _other_readers(folder: Path) -> IntegrityError:
    return IntegrityError(
        f"the declarations in {folder} differ from what this version reads in the same bytes",
        hint="make them anew from the kept bytes: tercet survey --reread " + str(folder),
    )


def _site_rows(path: Path, columns: Sequence[str]) -> pa.Table:
    coded = [name for name in columns if name in _KEY_COLUMNS]
    with pq.ParquetFile(path, read_dictionary=coded) as file:
        batches = []
        for batch in file.iter_batches(columns=[*columns, "item"], use_threads=False):
            kept = batch.filter(pc.equal(batch["item"], ""))
            batches.append(kept.drop_columns(["item"]))
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    table = pa.Table.from_batches(batches, schema) if batches else schema.empty_table()
    return table.unify_dictionaries().combine_chunks()


def _run_starts(column: pa.ChunkedArray) -> Array:
    """Return where a new value begins in a sorted column."""
    if not len(column):
        return np.zeros(0, dtype=np.int64)
    changed = pc.not_equal(column[1:], column[:-1]).to_numpy()
    return np.concatenate(([0], np.flatnonzero(changed) + 1))


def _signatures(captures: pa.Table, starts: Array) -> Array:
    """Return 128 bits for each site that are the same for the same captured bytes.

    RSL documents name absolute URLs, so a site that has one shares its rulebook with none.
    """
    within = np.arange(len(captures)) - np.repeat(starts, np.diff(np.append(starts, len(captures))))
    mixed = within.astype(np.uint64) + np.uint64(1)
    for name in _KEY_COLUMNS:
        column = captures[name].combine_chunks()
        codes = column.dictionary_encode() if not _is_coded(column) else column
        mixed = _mix(mixed, codes.indices.to_numpy(zero_copy_only=False).astype(np.uint64))
    alone = pc.equal(captures["resource"].cast(pa.string()), str(Resource.RSL_XML)).to_numpy()
    row = np.where(alone, np.arange(1, len(captures) + 1), 0).astype(np.uint64)
    mixed = _mix(mixed, row)
    if not len(starts):
        return np.zeros((0, 2), dtype=np.uint64)
    other = _mix(mixed, np.full(len(mixed), 0x5DEECE66D, dtype=np.uint64))
    return np.column_stack((np.add.reduceat(mixed, starts), np.add.reduceat(other, starts)))


def _is_coded(column: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(column.type))


def _mix(left: Array, right: Array) -> Array:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014) over both numbers."""
    with np.errstate(over="ignore"):
        mixed = left * np.uint64(0x9E3779B97F4A7C15) + right
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out: Array = mixed ^ (mixed >> np.uint64(31))
    return out


def _classes(signatures: Array) -> tuple[Array, Array]:
    """Return each site's class number, and one site of each class."""
    whole = np.ascontiguousarray(signatures).view([("a", "u8"), ("b", "u8")]).ravel()
    _, example, number = np.unique(whole, return_index=True, return_inverse=True)
    return number.astype(np.int32), example


def _site_ids(folder: Path, origins: pa.ChunkedArray) -> tuple[pa.Array, Array, Array]:
    declared = _site_rows(folder / "declarations.parquet", ("declaration_id", "site"))
    starts = _run_starts(declared["site"])
    ends = np.append(starts, len(declared))[1:]
    named = declared["site"].take(pa.array(starts))
    at = pc.index_in(named, value_set=_string_array(origins)).to_numpy()
    id_start = np.zeros(len(origins), dtype=np.int64)
    counts = np.zeros(len(origins), dtype=np.int64)
    id_start[at] = starts
    counts[at] = ends - starts
    return _string_array(declared["declaration_id"]), id_start, counts


def _string_array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], pa.string())
    return whole


def _rulebook(
    captures: list[Capture], blobs: BlobStore, usage: Usage, *, of_site: bool
) -> Rulebook:
    pairs = [(c, blobs.get(c.raw_sha256) if c.raw_sha256 else b"") for c in captures]
    return compile_rulebook(pairs, usage, of_site=of_site)


@dataclass(slots=True)
class ItemEvidence:
    """What was captured from items themselves, looked up batch by batch."""

    folders: tuple[Path, ...]
    usage: Usage
    scratch: Path

    def of_rows(self, rows: pa.Table, folder: Path) -> Iterator[tuple[int, Rulebook, list[str]]]:
        """Yield (row, rulebook, declaration ids) for those ``rows`` (row, item) with captures.

        Raises IntegrityError as `load_sites`.
        """
        captures = self._joined(rows, folder / "captures.parquet", _CAPTURE_QUERY)
        declared = self._joined(rows, folder / "declarations.parquet", _DECLARATION_QUERY)
        ids: dict[int, list[str]] = {}
        for row, declaration_id in zip(
            declared["row"].to_pylist(), declared["id"].to_pylist(), strict=True
        ):
            ids.setdefault(row, []).append(declaration_id)
        yield from self._compiled(folder, captures, ids, BlobStore(folder / "blobs"))

    def _compiled(
        self, folder: Path, captures: pa.Table, ids: dict[int, list[str]], blobs: BlobStore
    ) -> Iterator[tuple[int, Rulebook, list[str]]]:
        starts = _run_starts(captures["row"])
        ends = np.append(starts, len(captures))[1:]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows = captures.slice(start, end - start)
            row = rows["row"][0].as_py()
            captured = [capture_from_row(each) for each in rows.drop_columns(["row"]).to_pylist()]
            rulebook = _rulebook(captured, blobs, self.usage, of_site=False)
            declared = ids.get(row, [])
            if len(declared) != rulebook.declaration_count:
                raise _other_readers(folder)
            yield row, rulebook, declared

    def _joined(self, rows: pa.Table, file: Path, query: str) -> pa.Table:
        import duckdb

        with duckdb.connect() as engine:
            engine.execute("SET threads = 1")
            engine.execute("SET memory_limit = '384MB'")
            engine.execute("SET temp_directory = ?", [str(self.scratch)])
            engine.register("asked", rows)
            joined: pa.Table = engine.sql(query, params=[str(file)]).to_arrow_table()
            return joined


_CAPTURE_QUERY = """
    SELECT asked.row AS row, c.resource, c.carrier, c.failure, c.media_type, c.raw_sha256,
           c.site, c.item, c.uri, c.redirects
    FROM read_parquet($1) AS c JOIN asked ON c.item = asked.item
    ORDER BY asked.row, c.site, c.resource, c.uri, c.raw_sha256
"""
_DECLARATION_QUERY = """
    SELECT asked.row AS row, d.declaration_id AS id
    FROM read_parquet($1) AS d JOIN asked ON d.item = asked.item
    ORDER BY asked.row, d.site, d.resource, d.uri, d.raw_sha256, d.ordinal
"""
