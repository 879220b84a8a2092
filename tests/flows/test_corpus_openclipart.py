"""The Openclipart corpus: packages made here, gathered, stopped, cleared; hostile ones refused."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tercet.cli.main import main
from tercet.core.errors import InputError, IntegrityError, UncheckedError
from tercet.flows import corpus_openclipart, debian_package
from tercet.flows.corpus_openclipart import gather_openclipart

ROOT = "./usr/share/openclipart/svg/"
PUBLIC = "http://web.resource.org/cc/PublicDomain"


def drawing(title: str, *, licence: str = PUBLIC, fill: str = "red", side: int = 90) -> bytes:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><metadata>'
        '<rdf:RDF xmlns:cc="http://web.resource.org/cc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work rdf:about="">'
        f"<dc:title>{title}</dc:title><dc:creator><cc:Agent><dc:title>Ada Lee</dc:title>"
        f'</cc:Agent></dc:creator><cc:license rdf:resource="{licence}"/></cc:Work></rdf:RDF>'
        f'</metadata><ellipse cx="50" cy="50" rx="45" ry="{side // 2}" fill="{fill}"/></svg>'
    ).encode()


FILES = {
    "food/fruit/apple.svg": drawing("Apple"),
    "food/fruit/pear.svg": drawing("Pear", fill="green"),
    "food/again/pear.svg": drawing("Pear", fill="green"),
    "food/fruit/lemon.svg": drawing("Lemon", fill="green"),  # the picture of the pear
    "food/fruit/plum.svg": drawing("Plum", fill="purple", licence="http://example.org/mine"),
    "signs_and_symbols/flags/red.svg": drawing("Apple", side=60),
    "food/broken.svg": b"<svg",
}


def package(
    place: Path,
    files: Mapping[str, bytes] = FILES,
    links: Mapping[str, str] | None = None,
    *,
    root: str = ROOT,
) -> Path:
    """Write a .deb as dpkg-deb lays it out: an ar archive with a data.tar.xz."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(root + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(root + name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    members = {"debian-binary": b"2.0\n", "control.tar.xz": lzma.compress(b"\0" * 1024)}
    members["data.tar.xz"] = lzma.compress(raw.getvalue())
    out = b"!<arch>\n"
    for name, content in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    place.write_bytes(out)
    return place


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    return package(tmp_path / "openclipart-svg_1.deb")


def test_every_file_is_a_work_or_left_out_with_a_reason(deb: Path, tmp_path: Path) -> None:
    out = tmp_path / "clipart"
    found = gather_openclipart(out, package=deb)
    works, left = rows(out / "works.jsonl"), rows(out / "left_out.jsonl")
    assert found.file_count == len(FILES) == len(works) + len(left)
    # food/again/ comes first: of two files of the same bytes it stays, and of two pictures
    assert {row["noun"] for row in works} == {"apple", "plum", "pear"}
    assert {row["path"]: row["reason"] for row in left} == {
        "food/fruit/lemon.svg": "same_picture",
        "food/fruit/pear.svg": "duplicate",
        "signs_and_symbols/flags/red.svg": "flag",
        "food/broken.svg": "not_drawable",
    }
    for row in works:
        raw = (out / str(row["path"])).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == row["sha256"]
        assert raw in FILES.values()
    assert not (out / ".gathering").exists()


def test_links_inside_are_duplicates(tmp_path: Path) -> None:
    links = {"animals/apple.svg": "../food/fruit/apple.svg", "animals/loop.svg": "loop.svg"}
    deb = package(tmp_path / "a.deb", {"food/fruit/apple.svg": drawing("Apple")}, links)
    found = gather_openclipart(tmp_path / "out", package=deb)
    assert (found.file_count, found.work_count, dict(found.left_out)) == (2, 1, {"duplicate": 1})


@pytest.mark.parametrize(
    ("files", "links", "root"),
    [
        ({"x.svg": b"<svg/>"}, {}, "../../outside/"),
        ({"x.svg": b"<svg/>"}, {}, "/etc/"),
        ({}, {"x.svg": "/etc/passwd"}, ROOT),
        ({}, {"x.svg": "../../../../../../etc/passwd"}, ROOT),
    ],
    ids=["path_leads_up", "path_is_absolute", "link_is_absolute", "link_leads_up"],
)
def test_a_package_that_leads_out_of_itself_is_refused(
    files: dict[str, bytes], links: dict[str, str], root: str, tmp_path: Path
) -> None:
    deb = package(tmp_path / "a.deb", files, links, root=root)
    with pytest.raises(IntegrityError, match="outside of it"):
        gather_openclipart(tmp_path / "out", package=deb)
    assert not (tmp_path / "out" / "works.jsonl").exists()


@pytest.mark.parametrize("cut", [0, 4, 40, 100, 400, -60])
def test_a_package_that_was_cut_is_refused(deb: Path, tmp_path: Path, cut: int) -> None:
    deb.write_bytes(deb.read_bytes()[:cut])
    with pytest.raises((InputError, IntegrityError)):
        gather_openclipart(tmp_path / "out", package=deb)
    assert not (tmp_path / "out" / "works.jsonl").exists()


def test_one_flipped_bit_anywhere_in_the_files_is_noticed(deb: Path, tmp_path: Path) -> None:
    raw = bytearray(deb.read_bytes())
    start = raw.index(b"data.tar.xz") + 60
    for at in range(start + 30, len(raw) - 2, 97):
        raw[at] ^= 4
        deb.write_bytes(raw)
        with pytest.raises(IntegrityError):
            gather_openclipart(tmp_path / "out", package=deb)
        raw[at] ^= 4


def test_a_package_of_something_else_is_refused(tmp_path: Path) -> None:
    deb = package(tmp_path / "a.deb", {"README": b"hello"})
    with pytest.raises(InputError, match="holds no drawings"):
        gather_openclipart(tmp_path / "out", package=deb)


def test_a_member_beyond_the_limit_is_refused(
    deb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian_package, "MEMBER_BYTES_MAX", 100)
    with pytest.raises(IntegrityError, match="larger than is read"):
        gather_openclipart(tmp_path / "out", package=deb)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run the command line and return what it prints as JSON."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    assert ended.value.code == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


class Killed(BaseException):
    """What ends a run at once."""


def test_a_run_that_was_killed_goes_on_and_ends_alike(
    deb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather_openclipart(tmp_path / "whole", package=deb)
    real = corpus_openclipart._judgement
    seen: list[str] = []

    def counted(work: str, found: Any) -> object:
        if len(seen) == 3:
            raise Killed
        seen.append(work)
        return real(work, found)

    monkeypatch.setattr(corpus_openclipart, "_judgement", counted)
    with pytest.raises(Killed):
        gather_openclipart(tmp_path / "cut", package=deb)
    note = next((tmp_path / "cut" / ".gathering").glob("judged-*.jsonl"))
    note.write_bytes(note.read_bytes() + b'{"work":"torn')
    looked = len(seen)

    def noted(work: str, found: Any) -> object:
        seen.append(work)
        return real(work, found)

    monkeypatch.setattr(corpus_openclipart, "_judgement", noted)
    gather_openclipart(tmp_path / "cut", package=deb)
    assert looked == 3
    assert len(seen) == len(set(seen)) == len(set(FILES.values()))  # nothing is looked at twice
    for name in ("works.jsonl", "left_out.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_works_that_are_none_any_more_go_and_other_files_stay(deb: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "works"
    folder.mkdir(parents=True)
    (folder / f"{'a' * 64}.svg").write_bytes(b"old")
    (folder / "mine.svg").write_bytes(b"mine")
    gather_openclipart(tmp_path / "out", package=deb)
    assert not (folder / f"{'a' * 64}.svg").exists()
    assert (folder / "mine.svg").read_bytes() == b"mine"


def test_without_apt_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="expected apt-get") as caught:
        gather_openclipart(tmp_path / "out")
    assert "--package" in caught.value.hint


def test_what_apt_says_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with pytest.raises(UncheckedError, match="Unable to locate package") as caught:
        gather_openclipart(tmp_path / "out")
    assert "apt-get update" in caught.value.hint


def test_the_licence_in_the_file_is_what_clears(
    deb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clipart"
    said = run(capsys, "corpus", "openclipart", str(out), "--package", str(deb))
    assert (said["works"], said["files"]) == (3, len(FILES))
    assert said["works"] + sum(said["left_out"].values()) == said["files"]
    places = (str(out / "works.jsonl"), "-o", str(tmp_path / "cleared"))
    clearance = run(capsys, "clear", *places, "--workers", "1", "--key", str(tmp_path / "key"))
    assert clearance["verdicts"]["cleared"] == 2  # the plum names a licence that is none
    assert clearance["reasons"]["granted_by_licence"] == {"cleared": 2}
