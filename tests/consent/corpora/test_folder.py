"""A folder of media in, and the checks on what is no corpus at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.corpora import digest_inputs, media_members, open_corpus
from tercet.consent.corpora.folder import FolderRows, media_entries
from tercet.core.errors import InputError, StorageError

Read = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small folder with everything in it that a real one has."""
    root = tmp_path / "media"
    for name in (
        "b.jpg", "b.jpg.xmp", "b.xmp", "b.json", "a.PNG", "copy.jpg", "notes.db", ".hidden.jpg",
        "sub/c.mp4", "sub/.DS_Store", "sub/deep/d.epub", "sub/e.json", ".git/f.jpg", "sub.jpg",
    ):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"same" if "b.jpg" in name else name.encode())
    return root


def test_items_are_media_files_in_order(folder: Path, read: Read) -> None:
    rows = read(folder)
    assert [row["item"] for row in rows] == [
        "a.PNG", "b.jpg", "copy.jpg", "sub.jpg", "sub/c.mp4", "sub/deep/d.epub",
    ]  # fmt: skip
    assert not any(row["fault"] or row["url"] for row in rows)


def test_members_know_their_file_and_sidecars(folder: Path, tmp_path: Path) -> None:
    corpus = open_corpus([folder], work=tmp_path / "work")
    members = list(media_members(corpus, corpus.shards[0]))
    assert [member.row for member in members] == list(range(6))
    second = members[1]
    assert Path(second.path) == folder / "b.jpg"
    assert (second.offset, second.size) == (0, 4)
    assert [Path(each).name for each in second.sidecars] == ["b.jpg.xmp", "b.json", "b.xmp"]
    assert members[0].sidecars == ()


def test_files_of_other_kinds_are_noted(folder: Path, tmp_path: Path) -> None:
    corpus = open_corpus([folder], work=tmp_path / "work")
    assert corpus.notes == ("media: 2 files of other kinds passed over (.db 1, .json 1)",)


def test_links_out_of_the_folder_are_rows_with_a_fault(
    folder: Path, tmp_path: Path, read: Read
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jpg").touch()
    (folder / "out.jpg").symlink_to(outside / "x.jpg")
    (folder / "broken.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "inside.jpg").symlink_to(folder / "b.jpg")
    (folder / "outdir").symlink_to(outside)
    (folder / "circle").symlink_to(folder)
    faults = {row["item"]: row["fault"] for row in read(folder)}
    assert len(faults) == 10
    assert {item for item, fault in faults.items() if fault} == {"out.jpg", "broken.jpg", "outdir"}
    assert faults["out.jpg"] == "link_outside"


def test_a_file_that_cannot_be_opened_is_a_row(
    folder: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe.jpg")
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, m: not str(p).endswith("c.mp4") and real(p, m))
    faults = {row["item"]: row["fault"] for row in read(folder) if row["fault"]}
    assert faults == {"pipe.jpg": "unreadable", "sub/c.mp4": "unreadable"}


def test_a_folder_that_cannot_be_listed_is_a_row(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.listdir

    def refuse(path: str) -> list[str]:
        if path.endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", refuse)
    entries = {entry.item: entry.fault for entry in media_entries(folder, {})}
    assert entries["sub/deep"] == "unreadable"
    assert len(entries) == 6


def test_a_name_that_is_not_utf8_is_a_row(folder: Path, read: Read) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jpg"))).touch()
    faults = {row["item"]: row["fault"] for row in read(folder) if row["fault"]}
    assert faults == {"\\xff.jpg": "bad_name"}


def test_a_changed_folder_is_listed_anew(folder: Path, read: Read) -> None:
    assert len(read(folder)) == 6
    (folder / "new.webm").touch()
    assert len(read(folder)) == 7


def test_a_folder_that_changes_while_it_is_listed_is_an_error(folder: Path) -> None:
    rows = FolderRows(folder)
    (folder / "late.jpg").touch()
    with pytest.raises(InputError, match="changed while it was read"):
        list(rows.chunks(0))


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"type": "tercet/staged@1"}', "\x00"])
def test_a_broken_record_of_parts_is_not_trusted(
    folder: Path, tmp_path: Path, read: Read, record: str
) -> None:
    assert len(read(folder)) == 6
    (path,) = (tmp_path / "work").rglob("staged.json")
    path.write_text(record)
    assert len(read(folder)) == 6


def test_folder_digest_is_that_of_names_sizes_and_contents(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    lines = []
    for name, raw in (("a.jpg", b"1"), ("a.jpg.xmp", b"22"), ("b.jpg", b"")):
        (folder / name).write_bytes(raw)
        digest = hashlib.sha256(raw).hexdigest()
        lines.append(f"{name}\0{len(raw)}\0{digest}\n".encode())
    expected = hashlib.sha256(b"".join(lines)).hexdigest()
    corpus = open_corpus([folder], work=tmp_path / "work")
    assert corpus.inputs[0].sha256 == ""
    assert digest_inputs(corpus).inputs[0].sha256 == expected
    (folder / "a.jpg.xmp").write_bytes(b"23")
    assert digest_inputs(corpus).inputs[0].sha256 != expected


def test_file_digests_are_those_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"url\nhttp://a/\n")
    corpus = open_corpus([tmp_path / "t.csv"], work=tmp_path / "work")
    digest = hashlib.sha256(b"url\nhttp://a/\n").hexdigest()
    assert digest_inputs(corpus).inputs[0].sha256 == digest
    described = json.loads(json.dumps(corpus.describe()))
    assert described["inputs"] == [{"name": "t.csv", "bytes": 14, "sha256": digest, "rows": 1}]
    assert str(tmp_path) not in json.dumps(described)


def test_places_that_are_no_corpus(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "x.docx").touch()
    (tmp_path / "t.csv.lz4").touch()
    for place, words in (
        (tmp_path / "missing.csv", "no such file"),
        (empty, "holds no media and no tables"),
        (tmp_path / "x.docx", "no known corpus format"),
        (tmp_path / "t.csv.lz4", "no known corpus format"),
    ):
        with pytest.raises(InputError, match=words) as error:
            open_corpus([place], work=tmp_path / "work")
        assert error.value.hint
    with pytest.raises(InputError, match="no corpus given"):
        open_corpus([], work=tmp_path)


def test_a_place_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("url\nhttp://a/\n")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="not allowed to read"):
        open_corpus([path], work=tmp_path / "work")


def test_a_folder_of_several_kinds_of_tables_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "0.tar").touch()
    (folder / "0.parquet").touch()
    with pytest.raises(InputError, match="several kinds: parquet, tar"):
        open_corpus([folder], work=tmp_path / "work")


def test_disk_full_is_a_storage_error_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("url\nhttp://a/\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left") as error:
        open_corpus([path], work=tmp_path / "work")
    assert "make room" in error.value.hint
    assert not [each for each in (tmp_path / "work").rglob("*") if each.is_file()]
    monkeypatch.undo()
    assert open_corpus([path], work=tmp_path / "work").row_count == 1


def test_list_of_places(tmp_path: Path, folder: Path, read: Read) -> None:
    (tmp_path / "t.csv").write_text("url\nhttp://a/\n\nhttp://b/\n")
    (tmp_path / "all.list").write_text(f"# both\nt.csv\n\n{folder}\nt.csv\n", "utf-8")
    rows = read(tmp_path / "all.list")
    assert len(rows) == 10
    assert rows[8]["item"] == "http://a/"
    assert str(open_corpus([tmp_path / "all.list"], work=tmp_path / "work").kind) == "mixed"


@pytest.mark.parametrize("name", ["9" * 5_000, "a\0b"])
def test_a_list_with_a_name_no_disk_takes_is_an_input_error(tmp_path: Path, name: str) -> None:
    place = tmp_path / "c.list"
    place.write_text(name)
    with pytest.raises(InputError, match=r"c\.list, line 1"):
        open_corpus([place], work=tmp_path / "work")


def test_a_list_names_the_line_that_fails(tmp_path: Path) -> None:
    (tmp_path / "all.list").write_text("\nmissing.csv\n")
    with pytest.raises(InputError, match=r"all\.list, line 2: no such file"):
        open_corpus([tmp_path / "all.list"], work=tmp_path)
    (tmp_path / "all.list").write_text("all.list\n")
    with pytest.raises(InputError, match="a list cannot name a list"):
        open_corpus([tmp_path / "all.list"], work=tmp_path)
    (tmp_path / "all.list").write_text("# nothing\n")
    with pytest.raises(InputError, match="has no rows"):
        open_corpus([tmp_path / "all.list"], work=tmp_path)
