"""CSV and TSV in: what RFC 4180 says, and every way real files break it."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tercet.consent.corpora import delimited, open_corpus
from tercet.core import limits
from tercet.core.errors import InputError

Read = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def table(tmp_path: Path, read: Read) -> Callable[..., list[dict[str, Any]]]:
    """Read bytes as a CSV file."""

    def reader(raw: bytes, name: str = "t.csv", **columns: str) -> list[dict[str, Any]]:
        (tmp_path / name).write_bytes(raw)
        return read(tmp_path / name, **columns)

    return reader


def brief(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["item"], row["fault"]) for row in rows]


def test_plain_quoted_and_multi_line_rows(table: Read) -> None:
    rows = table(
        b"url,caption,license\r\n"
        b"http://a/,cat,CC0\r\n"
        b'"http://b/?q=""x"",y","a, b\r\nc",\r\n'
        b"\r\n"
        b'http://c/,"","CC BY"'
    )
    assert brief(rows) == [("http://a/", None), ('http://b/?q="x",y', None), ("http://c/", None)]
    assert [row["licence"] for row in rows] == ["CC0", None, "CC BY"]


def test_tab_separated(table: Read) -> None:
    assert brief(table(b"id\turl\n1\thttp://a/,b\n", "t.tsv")) == [("http://a/,b", None)]


def test_semicolons_of_european_spreadsheets(table: Read) -> None:
    assert brief(table(b"id;url\n1;http://a/\n")) == [("http://a/", None)]


def test_too_few_and_too_many_fields_are_rows(table: Read) -> None:
    rows = table(b"url,caption\nhttp://a/,x\nhttp://b/\nhttp://c/,d,x\nhttp://e/,x\n")
    assert brief(rows) == [
        ("http://a/", None),
        ("http://b/", "field_count"),
        ("http://c/,d,x", "field_count"),
        ("http://e/", None),
    ]


def test_a_stray_quote_costs_one_row_not_the_rest_of_the_file(table: Read) -> None:
    good = b"".join(b"http://e/%d,x\n" % n for n in range(5000))
    rows = table(b'url,caption\nhttp://a/,"open\n' + good)
    assert rows[0]["fault"] == "bad_quotes"
    assert len(rows) == 5001
    assert not any(row["fault"] for row in rows[1:])


def test_a_quote_that_closes_in_mid_field_is_one_bad_row(table: Read) -> None:
    rows = table(b'url,caption\n"http://a/"x,y\nhttp://b/,y\n')
    assert brief(rows) == [('"http://a/"x,y', "bad_quotes"), ("http://b/", None)]


def test_rows_joined_by_stray_quotes_are_told_by_their_field_count(table: Read) -> None:
    rows = table(b'url,caption\n"http://a/,x\nhttp://b/",y,z\nhttp://c/,y\n')
    assert brief(rows) == [
        ('"http://a/,x', "bad_quotes"),
        ('http://b/",y,z', "field_count"),
        ("http://c/", None),
    ]


def test_quotes_inside_a_plain_field_are_text(table: Read) -> None:
    assert brief(table(b'url,caption\nhttp://a/?q="x",5" nail\n')) == [('http://a/?q="x"', None)]


def test_mixed_encodings_hold_only_rows_whose_read_cells_are_wrong(table: Read) -> None:
    rows = table(b"url,caption,license\nhttp://a/,caf\xe9,CC0\nhttp://\xe9/,x,\nhttp://c/,x,\xa9\n")
    assert brief(rows) == [
        ("http://a/", None),
        ("http://\ufffd/", "invalid_utf8"),
        ("http://c/", "invalid_utf8"),
    ]


def test_nul_bytes_and_missing_urls(table: Read) -> None:
    rows = table(b"url,caption\nhttp://a/\0,x\n,x\nhttp://b/,\0\n")
    assert brief(rows) == [("http://a/\0", "nul_byte"), ("row:1", "no_url"), ("http://b/", None)]


def test_ten_megabyte_url(table: Read) -> None:
    raw = b"http://a/" + b"x" * 10_000_000
    rows = table(b'url,caption\nhttp://b/,x\n"' + raw + b'",x\nhttp://c/,x\n')
    assert [row["fault"] for row in rows] == [None, "url_too_long", None]
    assert len(rows[1]["item"]) < 400


def test_a_line_without_end_is_one_row(table: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROW_BYTES_MAX", 2_000_000)
    rows = table(b"url,caption\nhttp://b/,x\n" + b"x" * 9_000_000 + b"\nhttp://c/,x\n")
    assert [row["fault"] for row in rows] == [None, "row_too_long", None]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_byte_order_marks(table: Read, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    rows = table((mark + "url,caption\nhttp://ä/,x\n").encode(encoding))
    assert brief(rows) == [("http://ä/", None)]


def test_old_macintosh_line_ends(table: Read) -> None:
    assert brief(table(b"url,caption\rhttp://a/,x\rhttp://b/,y\r")) == [
        ("http://a/", None),
        ("http://b/", None),
    ]


LONG = b"url,caption\n" + b"".join(b"http://e/%d,%x\n" % (n, n * 7919) for n in range(50_000))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed(table: Read, suffix: str) -> None:
    pack = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
    rows = table(pack(LONG[:50]) + pack(LONG[50:]), "t.csv" + suffix)
    assert [row["url"] for row in rows] == [f"http://e/{n}" for n in range(50_000)]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_truncated_compression_keeps_the_rows_so_far(table: Read, suffix: str) -> None:
    raw = gzip.compress(LONG) if suffix == ".gz" else zstandard.ZstdCompressor().compress(LONG)
    rows = table(raw[: len(raw) * 3 // 4], "t.csv" + suffix)
    assert len(rows) > 10_000
    assert [row["url"] for row in rows[:-1]] == [f"http://e/{n}" for n in range(len(rows) - 1)]
    assert rows[-1]["fault"] == "truncated"


def test_damaged_gzip_keeps_the_rows_so_far(table: Read) -> None:
    raw = bytearray(gzip.compress(LONG))
    raw[len(raw) // 2 : len(raw) // 2 + 64] = bytes(64)
    rows = table(bytes(raw), "t.csv.gz")
    assert rows[-1]["fault"] == "truncated"
    assert len(rows) > 1


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_file_that_is_not_compressed_is_one_error(table: Read, suffix: str) -> None:
    with pytest.raises(InputError, match="stream is damaged"):
        table(LONG, "t.csv" + suffix)


def test_a_gzip_bomb_of_one_line_stays_small(
    tmp_path: Path, table: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROW_BYTES_MAX", 1_000_000)
    bomb = gzip.compress(b"url\n" + b"x" * 50_000_000 + b"\nhttp://a/\n", 1)
    rows = table(bomb, "t.csv.gz")
    assert [row["fault"] for row in rows] == ["row_too_long", None]


@pytest.mark.parametrize("raw", [b"", b"url,caption\n", b"url,caption\n\n\n"])
def test_an_empty_table_is_an_error(table: Read, raw: bytes) -> None:
    with pytest.raises(InputError, match="has no rows"):
        table(raw)


def test_no_url_column_names_the_columns_and_the_option(table: Read) -> None:
    with pytest.raises(InputError, match=r"no URL column in .*'address', 'caption'") as error:
        table(b"address,caption\nhttp://a/,x\n")
    assert "--url-column" in error.value.hint
    assert brief(table(b"address,caption\nhttp://a/,x\n", url="address")) == [("http://a/", None)]


def test_two_url_columns_are_an_error_that_names_them(table: Read) -> None:
    with pytest.raises(InputError, match="could be the url: 'url', 'image_url'") as error:
        table(b"url,image_url\nhttp://a/,http://b/\n")
    assert "--url-column" in error.value.hint
    rows = table(b"url,image_url\nhttp://a/,http://b/\n", url="image_url")
    assert brief(rows) == [("http://b/", None)]


def test_two_licence_columns_are_an_error_since_one_may_deny(table: Read) -> None:
    with pytest.raises(InputError, match="could be the licence"):
        table(b"url,license,rights\nhttp://a/,CC0,all rights reserved\n")


def test_a_run_that_was_stopped_continues_where_it_was(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.consent.corpora.staging.SHARD_ROWS", 10_000)
    monkeypatch.setattr(delimited, "CHUNK_ROWS", 1000)
    path = tmp_path / "t.csv"
    path.write_bytes(LONG)
    done = 0

    def stop_midway(rows: int) -> None:
        nonlocal done
        done += rows
        if done > 35_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_corpus([path], work=tmp_path / "work", progress=stop_midway)
    parts = sorted((tmp_path / "work").rglob("*.parquet"))
    assert len(parts) == 3
    assert not list((tmp_path / "work").rglob(".*"))
    times = [part.stat().st_mtime_ns for part in parts]

    staged: list[int] = []
    corpus = open_corpus([path], work=tmp_path / "work", progress=staged.append)
    assert sum(staged) == 20_000
    assert [part.stat().st_mtime_ns for part in parts] == times
    assert [row["url"] for row in read(path)] == [f"http://e/{n}" for n in range(50_000)]
    fresh = open_corpus([path], work=tmp_path / "other")
    assert corpus.inputs == fresh.inputs


def test_staged_parts_are_used_again_until_the_input_changes(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(LONG)
    open_corpus([path], work=tmp_path / "work")
    staged: list[int] = []
    open_corpus([path], work=tmp_path / "work", progress=staged.append)
    assert not staged
    status = path.stat()
    path.write_bytes(LONG.replace(b"http://e/7,", b"http://f/7,"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read(path)[7]["url"] == "http://f/7"


def test_flaw_quotes_that_close_and_open_on_every_line_take_a_thousandfold_time(
    table: Callable[..., list[dict[str, Any]]],
) -> None:
    before = time.process_time()
    rows = table(b"url,a\n" + b'x","y\n' * 8_000 + b'http://f/,"1\n2"\n')
    assert time.process_time() - before < 2.0
    assert len(rows) == 8_001
    assert {row["fault"] for row in rows[:-1]} == {"bad_quotes"}
    assert rows[-1]["item"] == "http://f/"
    assert rows[-1]["fault"] is None
