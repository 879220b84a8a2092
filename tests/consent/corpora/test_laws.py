"""Laws of every format: rows in = rows out, in order, item for item; no bytes make it raise."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tercet.consent.corpora import Corpus, Fault, open_corpus
from tercet.core.errors import InputError

EveryRow = Callable[[Corpus], list[dict[str, Any]]]
NASTY = st.text(
    st.sampled_from(list("a/:,;\"'\t\n\r\\ é€\U0001f600\ufeff\u2028\x0b\x00\x1f")), max_size=12
)
CELLS = st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=12)


def expected(url: str | None, row: int) -> tuple[str, str | None]:
    if not url:
        return f"row:{row}", "no_url"
    return url, "nul_byte" if "\0" in url else None


def opened(name: str, raw: bytes, every_row: EveryRow) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(raw)
        return every_row(open_corpus([path], work=Path(folder, "work")))


@settings(max_examples=60, deadline=None)
@given(cells=CELLS, packed=st.booleans())
def test_csv_round_trip(every_row: EveryRow, cells: Any, packed: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "url", "licence"), *cells])
    raw = text.getvalue().encode()
    name = "t.csv.gz" if packed else "t.csv"
    rows = opened(name, gzip.compress(raw) if packed else raw, every_row)
    # A line end inside quotes is read as LF, so that CRLF and LF files give the same items.
    urls = [url.replace("\r\n", "\n") for _, url, _ in cells]
    assert [(row["item"], row["fault"]) for row in rows] == [
        expected(url, number) for number, url in enumerate(urls)
    ]


@settings(max_examples=60, deadline=None)
@given(cells=CELLS, packed=st.booleans())
def test_jsonl_round_trip(every_row: EveryRow, cells: Any, packed: bool) -> None:
    lines = [json.dumps({"url": u, "licence": w, "x": x}) for u, w, x in cells]
    raw = "\n".join(lines).encode()
    name = "t.jsonl.zst" if packed else "t.jsonl"
    packer = zstandard.ZstdCompressor()
    rows = opened(name, packer.compress(raw) if packed else raw, every_row)
    assert [(row["item"], row["fault"]) for row in rows] == [
        expected(url, number) for number, (url, _, _) in enumerate(cells)
    ]
    assert [row["licence"] for row in rows] == [licence for _, licence, _ in cells]


@settings(max_examples=60, deadline=None)
@given(urls=st.lists(st.none() | NASTY, min_size=1, max_size=20), group=st.integers(1, 20))
def test_parquet_round_trip(every_row: EveryRow, urls: list[str | None], group: int) -> None:
    sink = io.BytesIO()
    table = pa.table({"url": pa.array(urls, pa.string())})
    pq.write_table(table, sink, row_group_size=group)
    rows = opened("t.parquet", sink.getvalue(), every_row)
    assert [(row["item"], row["fault"]) for row in rows] == [
        expected(url, number) for number, url in enumerate(urls)
    ]


@settings(max_examples=150, deadline=None)
@given(
    raw=st.binary(max_size=200),
    suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".txt", ".csv.gz", ".jsonl.zst", ".tar"]),
)
@example(raw=b'"', suffix=".csv")
@example(raw=b"\xff\xfe\x00", suffix=".csv")
@example(raw=b"\x28\xb5\x2f\xfd", suffix=".jsonl.zst")
def test_any_bytes_give_rows_or_one_error(every_row: EveryRow, raw: bytes, suffix: str) -> None:
    head = b"url,a\nhttp://e/,x\n" if suffix == ".csv" else b""
    try:
        rows = opened("t" + suffix, head + raw, every_row)
    except InputError as error:
        rows = []
        hint = error.hint
    else:
        hint = ""
    assert bool(rows) != bool(hint)
    assert {row["fault"] for row in rows} <= {None, *map(str, Fault)}


@settings(max_examples=100, deadline=None)
@given(tail=st.binary(max_size=300))
def test_what_follows_never_changes_the_rows_before(every_row: EveryRow, tail: bytes) -> None:
    head = b"url,a\nhttp://a/,x\nhttp://b/,y\n"
    rows = opened("t.csv", head + tail, every_row)
    assert [(row["item"], row["fault"]) for row in rows[:2]] == [
        ("http://a/", None),
        ("http://b/", None),
    ]


def test_every_fault_is_told_in_the_docs() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "corpora.md").read_text("utf-8")
    assert [fault for fault in Fault if f"`{fault}`" not in text] == []


@pytest.mark.parametrize("module", ["tercet.consent.corpora", "tercet.consent.corpora.corpus"])
def test_importing_does_not_load_pyarrow(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_memory_stays_flat_over_two_million_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"url,caption\n")
        for start in range(0, 2_000_000, 10_000):
            lines = (
                b"https://host%d.example.org/image-%d.jpg,caption %d\n" % (n % 999, n, n)
                for n in range(start, start + 10_000)
            )
            file.write(b"".join(lines))
    code = f"""
import resource
from pathlib import Path
from tercet.consent.corpora import open_corpus, opening
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
corpus = open_corpus([Path({str(path)!r})], work=Path({str(tmp_path)!r}))
rows = sum(len(batch) for shard in corpus.shards for batch in corpus.batches(shard))
assert rows == corpus.row_count == 2_000_000, rows
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 250 * 1024  # KiB
