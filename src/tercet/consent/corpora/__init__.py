"""Corpora in: folders, tables and archives, as one stream of rows. See docs/corpora.md.

    corpus = open_corpus([Path("urls.parquet")], work=Path("work"))
    for shard in corpus.shards:
        for batch in corpus.batches(shard):   # of CORPUS_SCHEMA
            ...

Importing this package does not load pyarrow; opening a corpus does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.corpora.corpus import (
    BATCH_ROWS,
    SHARD_ROWS,
    ColumnNames,
    Corpus,
    InputFile,
    Kind,
    Member,
    Part,
    Shard,
)
from tercet.consent.corpora.faults import Fault

if TYPE_CHECKING:
    import pyarrow as pa

    CORPUS_SCHEMA: pa.Schema

__all__ = [
    "BATCH_ROWS",
    "CORPUS_SCHEMA",
    "SHARD_ROWS",
    "ColumnNames",
    "Corpus",
    "Fault",
    "InputFile",
    "Kind",
    "Member",
    "Part",
    "Shard",
    "digest_inputs",
    "media_members",
    "open_corpus",
]


def open_corpus(
    places: Sequence[Path],
    *,
    work: Path,
    columns: ColumnNames | None = None,
    progress: Callable[[int], None] | None = None,
) -> Corpus:
    """Return the corpus made of ``places``, in the order given.

    Formats other than Parquet are streamed once into ``work`` and read from there. ``columns``
    names columns that are not to be found by their usual names; ``progress`` is called with the
    number of rows staged since its last call. Raises InputError, with a hint, for a place that is
    missing, cannot be read, is of no known format or has no rows; StorageError when ``work``
    cannot be written.
    """
    from tercet.consent.corpora import opening

    return opening.open_corpus(places, work=work, columns=columns, progress=progress)


def media_members(corpus: Corpus, shard: Shard) -> Iterator[Member]:
    """Yield the media files of a shard of a folder or tar corpus, in order.

    Rows with a fault are left out, as are all shards of tables, which hold no media.
    """
    from tercet.consent.corpora.parquet import shard_members

    return shard_members(corpus.shards[shard.index]) if shard.staged else iter(())


def digest_inputs(corpus: Corpus, *, threads: int = 2) -> Corpus:
    """Return ``corpus`` with the SHA-256 of every input.

    Of a file it is the digest of its bytes as they lie there; of a folder, that of the sorted
    lines "path NUL size NUL SHA-256 LF" of its media files and sidecars, in which all their bytes
    are read. Inputs that have a digest from staging are not read again.
    Raises InputError when an input can no longer be read.
    """
    from tercet.consent.corpora import digests

    return digests.digest_inputs(corpus, threads)


def __getattr__(name: str) -> Any:
    if name == "CORPUS_SCHEMA":
        from tercet.consent.corpora.schema import CORPUS_SCHEMA

        return CORPUS_SCHEMA
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
