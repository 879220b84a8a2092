"""JSONL in, and plain lists of URLs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.corpora import open_corpus
from tercet.core.errors import InputError

Read = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lines(tmp_path: Path, read: Read) -> Callable[..., list[dict[str, Any]]]:
    """Read lines of bytes as a JSONL file."""

    def reader(*raw: bytes, name: str = "t.jsonl", **columns: str) -> list[dict[str, Any]]:
        text = b"\n".join(raw)
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return read(tmp_path / name, **columns)

    return reader


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "T.JSONL", "t.jsonl.gz"])
def test_objects_become_rows(lines: Read, name: str) -> None:
    rows = lines(
        b'{"url": "http://a/", "license": "CC0", "headers": {"X-Robots-Tag": "noai"}}',
        b"",
        b'{"url": "http://b/", "sha256": "ab", "headers": "X-Robots-Tag: noai"}\r',
        name=name,
    )
    assert [row["url"] for row in rows] == ["http://a/", "http://b/"]
    assert rows[0]["licence"] == "CC0"
    assert json.loads(rows[0]["headers"]) == {"X-Robots-Tag": "noai"}
    assert rows[1]["headers"] == "X-Robots-Tag: noai"
    assert rows[1]["sha256"] == "ab"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"url": "http://a/"', "bad_json"),
        (b"http://a/", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b'{"url": "http://a/", "n": 1' + b"0" * 5000 + b"}", "bad_json"),
        (b'{"url": "http://a/", "url": "http://b/"}', "bad_json"),
        (b'{"url": "http://a/", "headers": {"A": "noai", "A": "all"}}', "bad_json"),
        (b'"http://a/"', "not_an_object"),
        (b'["http://a/"]', "not_an_object"),
        (b'{"url": 7}', "not_text"),
        (b'{"url": {"href": "http://a/"}}', "not_text"),
        (b'{"url": "http://a/", "sha256": 7}', "not_text"),
        (b'{"url": null}', "no_url"),
        (b'{"url": ""}', "no_url"),
        (b"{}", "no_url"),
        (b'{"url": "http://\xe9/"}', "invalid_utf8"),
        (b'{"url": "http://\\ud800/"}', "invalid_utf8"),
        (b'{"url": "http://a/", "license": "\\udc00"}', "invalid_utf8"),
        (b'{"url": "http://a/\\u0000"}', "nul_byte"),
        (b'{"url": "http://a/\x00"}', "bad_json"),
        (b'{"url": "http://a/' + b"x" * 20_000 + b'"}', "url_too_long"),
    ],
)
def test_a_bad_line_is_one_row_with_its_fault(lines: Read, line: bytes, fault: str) -> None:
    good = b'{"url": "http://e/", "sha256": null, "headers": null, "license": null}'
    rows = lines(good, line, good)
    assert [row["fault"] for row in rows] == [None, fault, None]
    assert len(rows[1]["item"]) < limit_of(line)


def limit_of(line: bytes) -> int:
    return 400 if len(line) > 16_384 else 16_384


def test_headers_as_a_list_of_pairs_keep_repeated_names(lines: Read) -> None:
    rows = lines(b'{"url": "http://a/", "headers": [["X-Robots-Tag", "a"], ["X-Robots-Tag", "b"]]}')
    assert rows[0]["headers"] == "X-Robots-Tag: a\r\nX-Robots-Tag: b"


def test_licence_as_object_stays_readable(lines: Read) -> None:
    rows = lines(b'{"url": "http://a/", "license": {"name": "CC0"}}')
    assert rows[0]["licence"] == '{"name": "CC0"}'


def test_no_url_key_names_the_keys(lines: Read) -> None:
    with pytest.raises(InputError, match=r"no URL column in .*'address'"):
        lines(b'{"address": "http://a/"}')


def test_empty_file_is_an_error(lines: Read) -> None:
    with pytest.raises(InputError, match="has no rows"):
        lines(b"", b"")


def test_truncated_gzip_keeps_the_rows_so_far(tmp_path: Path, read: Read) -> None:
    raw = b"".join(b'{"url": "http://e/%d/%x"}\n' % (n, n * n) for n in range(50_000))
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(raw)[:-100_000])
    rows = read(path)
    assert len(rows) > 10_000
    assert [bool(row["fault"]) for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows[-1]["fault"] == "truncated"


def test_a_text_file_is_a_url_a_line(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "urls.txt"
    path.write_bytes(b"http://a/\r\n\n  http://b/\nhttp://\xff/\n")
    rows = read(path)
    assert [(row["item"], row["fault"]) for row in rows] == [
        ("http://a/", None),
        ("http://b/", None),
        ("http://\ufffd/", "invalid_utf8"),
    ]
    assert str(open_corpus([path], work=tmp_path).kind) == "urls"
