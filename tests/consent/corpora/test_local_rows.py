"""Tables of local files: the digest of the table binds the bytes of every file it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.corpora import media_members, open_corpus
from tercet.core.errors import InputError

Read = Callable[..., list[dict[str, Any]]]
RAW = b"<svg/>"
SHA256 = hashlib.sha256(RAW).hexdigest()


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a table beside a folder of works with one file in it."""
    (tmp_path / "in" / "works").mkdir(parents=True)
    (tmp_path / "in" / "works" / "a.svg").write_bytes(RAW)
    (tmp_path / "outside.svg").write_bytes(RAW)

    def write(*records: dict[str, Any]) -> Path:
        path = tmp_path / "in" / "works.jsonl"
        path.write_text("\n".join(json.dumps(record) for record in records))
        return path

    return write


def test_a_row_is_the_file_with_its_columns(
    table: Callable[..., Path], read: Read, tmp_path: Path
) -> None:
    path = table({"path": "works/a.svg", "sha256": SHA256, "licence": "CC0-1.0", "title": "A"})
    (row,) = read(path)
    assert (row["item"], row["url"], row["fault"]) == ("works/a.svg", None, None)
    assert (row["licence"], row["sha256"]) == ("CC0-1.0", SHA256)
    corpus = open_corpus([path], work=tmp_path / "w")
    (member,) = media_members(corpus, corpus.shards[0])
    assert Path(member.path).read_bytes() == RAW


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"path": "works/a.svg"}, "no_digest"),
        ({"path": "works/a.svg", "sha256": ""}, "no_digest"),
        ({"path": "works/a.svg", "sha256": "0" * 64}, "digest_differs"),
        ({"path": "works/a.svg", "sha256": SHA256.upper()}, "digest_differs"),
        ({"path": "works/a.svg", "sha256": 7}, "not_text"),
        ({"path": "works/none.svg", "sha256": SHA256}, "unreadable"),
        ({"path": "works", "sha256": SHA256}, "unreadable"),
        ({"path": "../outside.svg", "sha256": SHA256}, "bad_name"),
        ({"path": "works/../../outside.svg", "sha256": SHA256}, "bad_name"),
        ({"path": "/etc/hostname", "sha256": SHA256}, "bad_name"),
        ({"path": "a\0b", "sha256": SHA256}, "bad_name"),
        ({"path": "\ud800.svg", "sha256": SHA256}, "bad_name"),
        ({"path": 7, "sha256": SHA256}, "not_text"),
        ({"path": "", "sha256": SHA256}, "no_path"),
        ({"sha256": SHA256}, "no_path"),
    ],
)
def test_what_cannot_be_bound_is_a_fault(
    record: dict[str, Any], fault: str, table: Callable[..., Path], read: Read
) -> None:
    good = {"path": "works/a.svg", "sha256": SHA256}
    rows = read(table(good, record))
    assert [row["fault"] for row in rows] == [None, fault]


def test_a_link_that_leads_out(table: Callable[..., Path], read: Read, tmp_path: Path) -> None:
    (tmp_path / "in" / "works" / "out.svg").symlink_to(tmp_path / "outside.svg")
    (row,) = read(table({"path": "works/out.svg", "sha256": SHA256}))
    assert row["fault"] == "link_outside"


def test_a_path_beside_a_url_is_not_read(table: Callable[..., Path], read: Read) -> None:
    """Tables of URLs may have a column ``path`` of their own meaning."""
    (row,) = read(table({"url": "http://a/", "path": "works/none.svg"}))
    assert (row["item"], row["fault"]) == ("http://a/", None)


def test_neither_path_nor_url(table: Callable[..., Path], read: Read) -> None:
    with pytest.raises(InputError, match="no URL column"):
        read(table({"title": "A"}))
