"""Throw damaged bytes at every corpus format, from the command's own entry: a file on disk.

    python fuzz/corpora.py --inputs 200000 --seed 1

A corpus either gives rows, each with an item and a known fault or none, or one InputError with a
hint: anything else keeps the input and fails, as do a slow input and too much memory.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from campaign import Reader, options, run

from tercet.consent.corpora import Fault, media_members, open_corpus
from tercet.core.errors import InputError

ROWS = 3
LISTED_MAX = 200
FAULTS = {None, *map(str, Fault)}
URLS = ("https://example.org/a.jpg", "http://user@[::1]:8080/b?c=d#e", "//x", "\u00fc.example/%zz")
HEADERS = '{"X-Robots-Tag": ["noai"], "tdm-reservation": "1"}'
WORDS = (
    b"url", b"URL", b"licence", b"license", b"headers", b"sha256", b"md5", b"caption", b"https://",
    b'"url":', b'{"url":"https://e/"}', b"null", b"true", b"1e400", b"\\ud83d", b"PAR1", b"ustar",
    b"a.jpg", b"../../etc/passwd", b"0000644", b"\xef\xbb\xbf", b"\xff\xfe",
)  # fmt: skip


def delimited(comma: str) -> bytes:
    """Return a small table with quotes and line ends inside them."""
    lines = [comma.join(("id", "url", "licence", "headers", "sha256"))]
    quoted = HEADERS.replace('"', '""')
    lines += [
        comma.join((str(n), f'"{url}"', '"CC BY\n4.0"', f'"{quoted}"', "ab" * 32))
        for n, url in enumerate(URLS)
    ]
    return "\r\n".join(lines).encode()


def json_lines() -> bytes:
    """Return a small table of JSON lines, with nested values and one line that is no object."""
    rows = [{"url": url, "license": None, "headers": {"A": [1, "b"]}, "x": 1.5} for url in URLS]
    return b"\n".join([*(json.dumps(row).encode() for row in rows), b"[1]", b""])


def parquet(compression: str) -> bytes:
    """Return a small Parquet file of two row groups."""
    table = pa.table({
        "url": pa.array([*URLS, None]), "license": pa.array(["MIT"] * 5).dictionary_encode(),
        "headers": pa.array([HEADERS] * 5), "sha256": pa.array([bytes(32)] * 5, pa.binary()),
    })  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=ROWS, compression=compression)
    return sink.getvalue()


def archive(kind: int) -> bytes:
    """Return a small WebDataset tar: a picture, its sidecars, a link and a folder."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=kind) as tar:
        for name, raw in (
            ("a/0.jpg", b"\xff\xd8\xff\xd9"), ("a/0.json", b'{"url":"https://e/0"}'),
            ("a/0.txt", b"caption"), ("a/1.png", b"\x89PNG"), ("a/1.xmp", b"<x/>"),
            ("b" * 180 + ".jpg", b"x" * 700),
        ):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
        link = tarfile.TarInfo("c.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return sink.getvalue()


def formats() -> Iterator[tuple[str, list[bytes]]]:
    """Yield (file name, starting files)."""
    zstd = zstandard.ZstdCompressor()
    yield "c.csv", [delimited(","), b"url\nhttps://e/\n", b'url\n"' + b"a\n" * 3_000]
    yield "c.tsv", [delimited("\t")]
    yield "c.jsonl", [json_lines(), b'{"url":"https://e/"}\n', b'{"url":' + b"[" * 5_000]
    yield "c.txt", ["\n".join(URLS).encode(), b"# note\r\nhttps://e/\r"]
    yield "c.csv.gz", [gzip.compress(delimited(","), mtime=0), gzip.compress(b"url\n", mtime=0) * 3]
    yield "c.jsonl.zst", [zstd.compress(json_lines()), zstd.compress(bytes(1_000_000))]
    yield "c.parquet", [parquet("none"), parquet("zstd"), parquet("snappy")]
    yield "c.tar", [archive(tarfile.PAX_FORMAT), archive(tarfile.GNU_FORMAT)]
    yield "c.list", [b"t.csv\n# note\n", b"t.csv\r\nt.csv\r\n", b"none\n", b"c.list"]


def attempt(folder: Path, name: str, raw: bytes) -> None:
    """Open ``raw`` as a corpus of its own and read it whole."""
    if name == "c.list" and (b"/" in raw or b"." in raw.replace(b"t.csv", b"")):
        return  # it might name a whole disk
    if name == "c.list" and raw.count(b"t.csv") > LISTED_MAX:
        return  # as much work as it names files
    path, work = folder / name, folder / "work"
    path.write_bytes(raw)
    shutil.rmtree(work, ignore_errors=True)
    try:
        corpus = open_corpus([path], work=work)
        position = 0
        for shard in corpus.shards:
            for batch in corpus.batches(shard):
                for row in batch.to_pylist():
                    assert row["row"] == position, row
                    assert row["item"], row
                    assert row["fault"] in FAULTS, row
                    position += 1
            for member in media_members(corpus, shard):
                assert member.offset >= 0, member
                assert name == "c.list" or member.offset + member.size <= len(raw), member
        assert position == corpus.row_count, (position, corpus.row_count)
    except InputError as error:
        if not error.hint:
            raise


def main() -> None:
    chosen = options(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "t.csv").write_bytes(b"url\nhttps://e/\n")

        def reader(file: str, starts: list[bytes]) -> Reader:
            return Reader(f"corpus {file}", starts, lambda raw: attempt(folder, file, raw), WORDS)

        run([reader(file, starts) for file, starts in formats()], chosen)


if __name__ == "__main__":
    main()
