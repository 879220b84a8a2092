"""WebDataset tar archives in."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.corpora import archive as reading
from tercet.consent.corpora import media_members, open_corpus
from tercet.core.errors import InputError

Read = Callable[..., list[dict[str, Any]]]


def pack(path: Path, members: list[tuple[str, bytes]], kind: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w", format=kind) as archive:
        for name, raw in members:
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def sample(number: int) -> list[tuple[str, bytes]]:
    facts = {"url": f"http://e/{number}", "license": "CC0", "caption": "x", "sha256": "ab"}
    return [
        (f"{number:05d}.jpg", b"J" * (number + 1)),
        (f"{number:05d}.txt", b"a caption"),
        (f"{number:05d}.json", json.dumps(facts).encode()),
    ]


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_groups_become_items(tmp_path: Path, read: Read, kind: int) -> None:
    path = pack(tmp_path / "0.tar", [each for n in range(50) for each in sample(n)], kind)
    rows = read(path)
    assert [row["item"] for row in rows] == [f"0.tar/{n:05d}.jpg" for n in range(50)]
    assert [row["url"] for row in rows] == [f"http://e/{n}" for n in range(50)]
    assert {row["licence"] for row in rows} == {"CC0"}
    assert {row["sha256"] for row in rows} == {"ab"}


def test_members_can_be_read_in_place(tmp_path: Path) -> None:
    path = pack(tmp_path / "0.tar", [each for n in range(3) for each in sample(n)])
    corpus = open_corpus([path], work=tmp_path / "work")
    raw = path.read_bytes()
    for number, member in enumerate(media_members(corpus, corpus.shards[0])):
        assert raw[member.offset : member.offset + member.size] == b"J" * (number + 1)
        where, offset, size = member.sidecars[0].rsplit(":", 2)
        assert Path(where) == path
        found = json.loads(raw[int(offset) : int(offset) + int(size)])
        assert found["url"] == f"http://e/{number}"


def test_groups_without_metadata_of_several_media_and_of_text_alone(
    tmp_path: Path, read: Read
) -> None:
    members = [
        ("a/1.mp4", b"v"),
        ("a/1.wav", b"s"),
        ("a/2.txt", b"t"),
        ("b/2.png", b"p"),
        ("b/3.cls", b"7"),
    ]
    rows = read(pack(tmp_path / "x.tar", members))
    assert [(row["item"], row["fault"]) for row in rows] == [
        ("x.tar/a/1.mp4", None),
        ("x.tar/a/1.wav", None),
        ("x.tar/a/2.txt", None),
        ("x.tar/b/2.png", None),
        ("x.tar/b/3.cls", "no_media"),
    ]
    assert {row["url"] for row in rows} == {None}


def test_bad_metadata_holds_the_item(tmp_path: Path, read: Read) -> None:
    bad = [
        b"{", b'{"url": 7}', b'{"url": "http://\xff/"}', b'{"url": "http://e/\\u0000"}', b"[]",
        b'{"pad": "' + b"x" * 2_000_000 + b'"}',
    ]  # fmt: skip
    members = [("0.jpg", b"j"), ("0.json", b'{"url": "http://e/"}')]
    for number, raw in enumerate(bad, 1):
        members += [(f"{number}.jpg", b"j"), (f"{number}.json", raw)]
    rows = read(pack(tmp_path / "x.tar", members))
    assert [row["fault"] for row in rows] == [
        None, "sidecar_unreadable", "not_text", "sidecar_unreadable", "nul_byte",
        "sidecar_unreadable", "sidecar_unreadable",
    ]  # fmt: skip
    assert rows[4]["item"] == "x.tar/4.jpg"


@pytest.mark.parametrize("cut", [1000, 10_000, 30_100, 31_000])
def test_truncated_archive_keeps_the_rows_so_far(tmp_path: Path, read: Read, cut: int) -> None:
    path = pack(tmp_path / "x.tar", [each for n in range(50) for each in sample(n)])
    path.write_bytes(path.read_bytes()[:cut])
    rows = read(path)
    whole = len(rows) - 2  # the group that was cut is held, since its metadata may be missing
    assert [row["fault"] for row in rows] == [None] * whole + ["truncated"] * 2
    assert rows[-1]["item"] == "x.tar/"
    assert [row["url"] for row in rows[:whole]] == [f"http://e/{n}" for n in range(whole)]
    assert whole == (cut - 512) // (6 * 512)


def test_archive_without_end_mark_is_noticed(tmp_path: Path, read: Read) -> None:
    path = pack(tmp_path / "x.tar", sample(0))
    path.write_bytes(path.read_bytes()[: 6 * 512])
    assert [row["fault"] for row in read(path)] == ["truncated", "truncated"]


def test_damaged_header_in_the_middle_is_noticed(tmp_path: Path, read: Read) -> None:
    path = pack(tmp_path / "x.tar", [each for n in range(4) for each in sample(n)])
    raw = bytearray(path.read_bytes())
    raw[12 * 512 : 12 * 512 + 100] = b"\xff" * 100
    path.write_bytes(raw)
    assert [row["fault"] for row in read(path)] == [None, "truncated", "truncated"]


def test_links_and_bad_names_in_an_archive(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        named = tarfile.TarInfo("\udcff.jpg")
        named.size = 1
        archive.addfile(named, io.BytesIO(b"j"))
        long = tarfile.TarInfo("x" * 300 + ".jpg")
        archive.addfile(long)
    rows = read(path)
    assert [(row["item"][:14], row["fault"]) for row in rows] == [
        ("x.tar/a.jpg", "unreadable"),
        ("x.tar/\\xff.jpg", None),
        ("x.tar/xxxxxxxx", None),
    ]


def test_two_url_keys_are_an_error(tmp_path: Path) -> None:
    members = [("0.jpg", b"j"), ("0.json", b'{"url": "http://e/", "image_url": "http://f/"}')]
    with pytest.raises(InputError, match="could be the url"):
        open_corpus([pack(tmp_path / "x.tar", members)], work=tmp_path)


@pytest.mark.parametrize("raw", [b"", b"not a tar archive" * 100])
def test_what_is_no_archive_is_one_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(raw)
    with pytest.raises(InputError):
        open_corpus([tmp_path / "x.tar"], work=tmp_path / "work")


def test_a_run_that_was_stopped_continues(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.consent.corpora.staging.SHARD_ROWS", 20)
    monkeypatch.setattr(reading, "CHUNK_ROWS", 10)
    path = pack(tmp_path / "0.tar", [each for n in range(100) for each in sample(n)])
    seen = 0

    def stop_midway(rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_corpus([path], work=tmp_path / "work", progress=stop_midway)
    staged: list[int] = []
    open_corpus([path], work=tmp_path / "work", progress=staged.append)
    assert sum(staged) == 60
    assert [row["url"] for row in read(path)] == [f"http://e/{n}" for n in range(100)]
