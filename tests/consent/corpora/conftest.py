"""Open a corpus and read all of it, checking what must hold of every corpus."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.corpora import CORPUS_SCHEMA, ColumnNames, Corpus, open_corpus

Rows = list[dict[str, Any]]


def all_rows(corpus: Corpus, batch_rows: int = 131_072) -> Rows:
    """Every row of a corpus, read from a copy such as another process would get."""
    corpus = pickle.loads(pickle.dumps(corpus))
    found: Rows = []
    assert [shard.index for shard in corpus.shards] == list(range(len(corpus.shards)))
    for shard in corpus.shards:
        assert shard.row_start == len(found)
        for batch in corpus.batches(shard, batch_rows):
            assert batch.schema.equals(CORPUS_SCHEMA)
            assert len(batch) <= batch_rows
            batch.validate(full=True)
            found.extend(batch.to_pylist())
        assert len(found) == shard.row_start + shard.row_count
    assert [row["row"] for row in found] == list(range(corpus.row_count))
    assert all(row["item"] for row in found)
    assert all(row["url"] is None for row in found if row["fault"])
    assert sum(each.rows for each in corpus.inputs) == corpus.row_count
    return found


@pytest.fixture(scope="session")
def every_row() -> Callable[..., Rows]:
    """The function that reads all of an open corpus."""
    return all_rows


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Rows]:
    """Read places into rows; keyword arguments name columns."""

    def reader(*places: Path, batch_rows: int = 131_072, **columns: str) -> Rows:
        corpus = open_corpus(places, work=tmp_path / "work", columns=ColumnNames(**columns))
        return all_rows(corpus, batch_rows)

    return reader
