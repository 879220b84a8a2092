"""Parquet in: types, shards, faults, damaged files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tercet.consent.corpora import Fault, open_corpus
from tercet.consent.corpora import parquet as reading
from tercet.core import limits
from tercet.core.errors import InputError

URLS = ["https://example.org/a.jpg", "https://example.org/ä?x=1", "not a url"]


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_real_url_table(shared_vectors: Path, read: Callable[..., Any]) -> None:
    rows = read(shared_vectors / "url-table" / "test_10000.parquet", batch_rows=999)
    assert len(rows) == 10_000
    assert sum(row["fault"] is None for row in rows) == 10_000
    assert rows[0]["item"].startswith("http")


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
        pa.binary_view(), pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)  # fmt: skip
def test_every_text_type_reads_alike(tmp_path: Path, read: Callable[..., Any], kind: Any) -> None:
    if pa.types.is_dictionary(kind):
        column = pa.array([*URLS, None]).dictionary_encode()
    else:
        column = pa.array([*URLS, None]).cast(kind)
    rows = read(write(tmp_path / "t.parquet", {"url": column}))
    assert [row["item"] for row in rows] == [*URLS, "row:3"]
    assert [row["url"] for row in rows] == [*URLS, None]
    assert [row["fault"] for row in rows] == [None, None, None, Fault.NO_URL]


def test_faults_are_rows_and_keep_their_place(tmp_path: Path, read: Callable[..., Any]) -> None:
    huge = "https://example.org/" + "a" * 10_000_000
    cells = [b"https://a/", None, b"", b"http://\xff/", huge.encode(), b"http://a/\0", b"http://b"]
    path = write(tmp_path / "t.parquet", {"url": pa.array(cells, pa.binary())})
    rows = read(path)
    assert [row["fault"] for row in rows] == [
        None, "no_url", "no_url", "invalid_utf8", "url_too_long", "nul_byte", None,
    ]  # fmt: skip
    assert rows[1]["item"] == "row:1"
    assert rows[3]["item"] == "http://\ufffd/"
    assert rows[4]["item"].startswith("https://example.org/aaa")
    assert len(rows[4]["item"]) < 400
    assert rows[5]["item"] == "http://a/\0"
    assert rows == read(path, batch_rows=2)


def test_invalid_utf8_in_a_column_that_claims_to_be_text(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    good = [f"http://e/{n}".encode() for n in range(3000)]
    raw = pa.array([*good, b"http://\xc3\x28/", None, *good], pa.binary())
    lying = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    rows = read(write(tmp_path / "t.parquet", {"url": lying}))
    assert len(rows) == 6002
    assert {row["row"]: row["fault"] for row in rows if row["fault"]} == {
        3000: "invalid_utf8",
        3001: "no_url",
    }


def test_a_url_at_the_limit_is_read_and_one_byte_more_is_not(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    longest = "http://e/".ljust(limits.URL_BYTES_MAX, "x")
    rows = read(write(tmp_path / "t.parquet", {"url": [longest, longest + "x"]}))
    assert [row["fault"] for row in rows] == [None, "url_too_long"]
    assert rows[0]["url"] == longest


def test_headers_of_every_shape_become_text(tmp_path: Path, read: Callable[..., Any]) -> None:
    text = {"headers": ['{"X-Robots-Tag": "noai"}', None]}
    kind = pa.map_(pa.string(), pa.string())
    pairs = [[("X-Robots-Tag", "noai"), ("Server", "x")], None]
    mapped = {"headers": pa.array(pairs, kind)}
    nested = {"headers": pa.array([{"X-Robots-Tag": "noai", "Server": None}, None])}
    for number, columns in enumerate((text, mapped, nested)):
        path = write(tmp_path / f"{number}.parquet", {"url": ["http://a/", "http://b/"], **columns})
        rows = read(path)
        assert json.loads(rows[0]["headers"])["X-Robots-Tag"] == "noai"
        assert rows[1]["headers"] is None


def test_a_header_that_stands_twice_keeps_both_values(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    pairs = [("X-Robots-Tag", "all"), ("x-robots-tag", "noai\r\nX-Robots-Tag: all")]
    column = pa.array([pairs], pa.map_(pa.string(), pa.string()))
    rows = read(write(tmp_path / "t.parquet", {"url": ["http://a/"], "headers": column}))
    assert rows[0]["headers"].split("\r\n") == [
        "X-Robots-Tag: all",
        "x-robots-tag: noai X-Robots-Tag: all",
    ]


def test_invalid_utf8_inside_a_map_of_headers_holds_the_row(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    raw = pa.array([b"noai", b"\xff"], pa.binary())
    lying = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    names = pa.array(["X-Robots-Tag", "X-Robots-Tag"])
    column = pa.MapArray.from_arrays(pa.array([0, 1, 2], pa.int32()), names, lying)
    rows = read(write(tmp_path / "t.parquet", {"url": URLS[:2], "headers": column}))
    assert [row["fault"] for row in rows] == [None, "invalid_utf8"]
    assert rows[0]["headers"] == '{"X-Robots-Tag": "noai"}'


def test_index_with_names_that_are_not_utf8_is_one_clear_error(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"zzz_url": URLS}, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"zzz_url", b"zzz_\xffrl"))
    with pytest.raises(InputError, match="not a whole Parquet file"):
        open_corpus([path], work=tmp_path)


def test_licence_and_hash_columns(tmp_path: Path, read: Callable[..., Any]) -> None:
    columns = {"URL": URLS, "License": ["CC0", None, "x"], "sha256": ["ab", "cd", None]}
    rows = read(write(tmp_path / "t.parquet", columns))
    assert [row["licence"] for row in rows] == ["CC0", None, "x"]
    assert [row["sha256"] for row in rows] == ["ab", "cd", None]


def test_invalid_utf8_in_the_licence_holds_the_row(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    licence = pa.array([b"CC0", b"\xa9 all rights reserved"], pa.binary())
    rows = read(write(tmp_path / "t.parquet", {"url": URLS[:2], "license": licence}))
    assert [row["fault"] for row in rows] == [None, "invalid_utf8"]
    assert rows[1]["item"] == URLS[1]


@pytest.mark.parametrize("group", [7, 50, 100, 350, 1000])
def test_shards_cut_every_layout_without_loss(
    tmp_path: Path, read: Callable[..., Any], group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SHARD_ROWS", 100)
    urls = [f"http://e/{n}" for n in range(1000)]
    path = write(tmp_path / "t.parquet", {"url": urls}, row_group_size=group)
    assert [row["url"] for row in read(path, batch_rows=33)] == urls
    corpus = open_corpus([path], work=tmp_path)
    assert 8 <= len(corpus.shards) <= 12
    assert corpus == open_corpus([path], work=tmp_path / "elsewhere")


def test_a_batch_of_big_rows_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES_MAX", 100_000)
    urls = [f"http://e/{n}".ljust(10_000, "x") for n in range(200)]
    options = {"use_dictionary": False, "compression": "none"}
    path = write(tmp_path / "t.parquet", {"url": urls}, **options)
    corpus = open_corpus([path], work=tmp_path)
    sizes = [len(batch) for batch in corpus.batches(corpus.shards[0])]
    assert sum(sizes) == 200
    assert max(sizes) <= 10


def test_truncated_file_is_one_clear_error(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"url": URLS * 100})
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match="not a whole Parquet file") as error:
        open_corpus([path], work=tmp_path)
    assert error.value.hint


def test_damaged_page_is_one_clear_error(tmp_path: Path) -> None:
    urls = [f"http://e/{n}" for n in range(5000)]
    options = {"compression": "zstd", "use_dictionary": False}
    path = write(tmp_path / "t.parquet", {"url": urls}, **options)
    raw = bytearray(path.read_bytes())
    for place in range(200, 3000, 7):
        raw[place] ^= 0x5A
    path.write_bytes(raw)
    corpus = open_corpus([path], work=tmp_path)
    with pytest.raises(InputError, match="not a whole Parquet file"):
        list(corpus.batches(corpus.shards[0]))


def test_a_url_column_of_numbers_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"url": [1, 2]})
    with pytest.raises(InputError, match="should hold text, but is int64"):
        open_corpus([path], work=tmp_path)


def test_a_folder_of_parts_is_one_corpus_even_with_empty_parts(
    tmp_path: Path, read: Callable[..., Any]
) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    write(folder / "part-0.parquet", {"url": ["http://a/"]})
    write(folder / "part-1.parquet", {"url": pa.array([], pa.string())})
    write(folder / "part-2.parquet", {"url": ["http://b/", None]})
    (folder / "_SUCCESS").touch()
    assert [row["item"] for row in read(folder)] == ["http://a/", "http://b/", "row:2"]
    corpus = open_corpus([folder], work=tmp_path)
    assert [each.name for each in corpus.inputs] == [f"table/part-{n}.parquet" for n in range(3)]


def test_flaw_an_index_beyond_its_own_dictionary(tmp_path: Path) -> None:
    place = tmp_path / "t.parquet"
    texts = pa.array(["http://e/"] * 5).dictionary_encode()
    write(place, {"url": texts}, compression="none")
    raw = place.read_bytes()
    head = range(raw.index(b"http://e/"))  # the dictionary page's own header
    told: list[str] = []
    for at, octet in [(at, octet) for at in head[8:12] for octet in range(256)]:
        place.write_bytes(raw[:at] + bytes([octet]) + raw[at + 1 :])
        try:
            corpus = open_corpus([place], work=tmp_path / "work")
            assert sum(len(batch) for s in corpus.shards for batch in corpus.batches(s)) == 5
        except InputError as error:
            told.append(error.message)
    assert any("out of bounds" in message for message in told)
