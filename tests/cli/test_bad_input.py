"""Bad input by hand: a clear error or a held row, never a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tercet.cli.main import main

COMMAND = Path(sys.executable).parent / "tercet"
GOOD = "url\nhttps://a.example/1.jpg\n"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: its exit status and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def tercet(folder: Path, *arguments: str) -> Done:
    """Run a command as a terminal would, without the time a new process takes."""
    home = {"TERCET_HOME": str(folder / "home")}
    with (
        mock.patch.dict(os.environ, home),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
        pytest.raises(SystemExit) as left,
    ):
        main(list(arguments))
    assert isinstance(left.value.code, int)
    return Done(left.value.code, out.getvalue(), err.getvalue())


def refused(done: Done, status: int) -> str:
    """Check that an error is shown as all errors are, and return what it says."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    assert lines[at + 1] == ""
    assert lines[at + 2].startswith("hint: ")
    return lines[at]


def held(folder: Path, name: str) -> list[tuple[str, str, list[str]]]:
    """Clear a table and return its rows."""
    done = tercet(folder, "clear", name, "-o", "out")
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(folder / "out" / "verdicts.parquet").to_pylist()
    return [(row["item"], row["verdict"], row["reasons"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("missing.csv", None, "no such file"),
        ("empty.csv", b"", "empty.csv"),
        ("headings.csv", b"url\n", "no rows"),
        ("other.csv", b"name,age\nx,3\n", "URL"),
        ("notes.docx", b"x", "known"),
        ("torn.parquet", b"PAR1 this is no Parquet file", "torn.parquet"),
        ("zero.parquet", b"", "zero.parquet"),
        ("empty.jsonl", b"", "empty.jsonl"),
        ("torn.tar", b"no archive", "torn.tar"),
        ("torn.csv.gz", b"no gzip", "torn.csv.gz"),
    ],
)
def test_a_corpus_that_cannot_be_used(
    tmp_path: Path, name: str, raw: bytes | None, said: str
) -> None:
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    done = tercet(tmp_path, "clear", name, "-o", "out")
    if done.returncode == 0:  # a damaged archive is rows too: all of them held
        rows = pq.read_table(tmp_path / "out" / "verdicts.parquet").to_pylist()
        assert {row["verdict"] for row in rows} == {"held"}
        return
    assert said in refused(done, 2)
    assert not (tmp_path / "out" / "clearance.json").exists()


def test_an_empty_folder_and_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert "no media and no tables" in refused(tercet(tmp_path, "clear", "nothing", "-o", "o"), 2)
    pq.write_table(pa.table({"url": pa.array([], pa.string())}), tmp_path / "none.parquet")
    assert "no rows" in refused(tercet(tmp_path, "clear", "none.parquet", "-o", "o"), 2)
    pq.write_table(pa.table({"number": [1]}), tmp_path / "numbers.parquet")
    said = refused(tercet(tmp_path, "clear", "numbers.parquet", "-o", "o"), 2)
    assert "URL" in said
    asked = tercet(tmp_path, "clear", "numbers.parquet", "-o", "o", "--url-column", "absent")
    assert "absent" in refused(asked, 2)


def test_nul_bytes(tmp_path: Path) -> None:
    (tmp_path / "nul.csv").write_bytes(b"url\nhttps://a.example/\0.jpg\nhttps://b.example/1\n")
    found = held(tmp_path, "nul.csv")
    assert len(found) == 2
    assert (found[0][1], found[0][2]) == ("held", ["row_fault"])
    assert found[1][2] == ["not_surveyed"]
    why = tercet(tmp_path, "explain", "out", "0").stdout
    assert "nul byte" in why


def test_a_url_of_ten_megabytes(tmp_path: Path) -> None:
    long = "https://a.example/" + "x" * 10_000_000
    (tmp_path / "long.csv").write_text(f"url\n{long}\nhttps://b.example/1\n", "utf-8")
    pq.write_table(pa.table({"url": [long, "https://b.example/1"]}), tmp_path / "long.parquet")
    for name in ("long.csv", "long.parquet"):
        found = held(tmp_path, name)
        assert [row[2] for row in found] == [["row_fault"], ["not_surveyed"]]
        assert len(found[0][0]) < 1000
        shutil.rmtree(tmp_path / "out")


def test_mixed_encodings(tmp_path: Path) -> None:
    raw = "url\nhttps://a.example/é.jpg\n".encode() + "https://b.example/é.jpg\n".encode("latin-1")
    (tmp_path / "mixed.csv").write_bytes(b"\xef\xbb\xbf" + raw)
    assert [row[2] for row in held(tmp_path, "mixed.csv")] == [["not_surveyed"], ["row_fault"]]


def test_bad_lines_of_json(tmp_path: Path) -> None:
    lines = [b'{"url": "https://a.example/1"}', b"{", b"[1]", b'{"url": 7}', b'{"other": 1}']
    (tmp_path / "lines.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    found = held(tmp_path, "lines.jsonl")
    assert [row[2] for row in found] == [["not_surveyed"]] + [["row_fault"]] * 4


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody may write")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    refused(tercet(tmp_path, "clear", "urls.csv", "-o", "/proc/tercet-out"), 3)


@pytest.mark.parametrize("table", ["urls.csv", "urls.parquet"])
def test_a_file_where_the_result_should_be(tmp_path: Path, table: str) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    pq.write_table(pa.table({"url": ["https://a.example/1"]}), tmp_path / "urls.parquet")
    (tmp_path / "out").write_text("mine", "utf-8")
    refused(tercet(tmp_path, "clear", table, "-o", "out"), 3)
    assert (tmp_path / "out").read_text("utf-8") == "mine"


def test_the_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    assert tercet(tmp_path, "clear", "urls.csv", "-o", "out").returncode == 0
    key = tmp_path / "home" / "operator.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    done = tercet(tmp_path, "clear", "urls.csv", "-o", "again")
    assert "mode 644" in refused(done, 2)
    assert "chmod 600" in done.stderr


@pytest.mark.parametrize("raw", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\n\n"])
def test_a_key_that_is_none(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    (tmp_path / "bad.key").write_bytes(raw)
    (tmp_path / "bad.key").chmod(0o600)
    done = tercet(tmp_path, "clear", "urls.csv", "-o", "out", "--key", "bad.key")
    assert "bad.key" in refused(done, 2)


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

    pem = Ed448PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    (tmp_path / "other.key").write_bytes(pem)
    (tmp_path / "other.key").chmod(0o600)
    done = tercet(tmp_path, "clear", "urls.csv", "-o", "out", "--key", "other.key")
    assert "Ed25519" in refused(done, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("clear", "urls.csv"),
        ("clear", "-o", "out"),
        ("clear", "urls.csv", "-o", "out", "--usage", "everything"),
        ("clear", "urls.csv", "-o", "out", "--workers", "0"),
        ("clear", "urls.csv", "-o", "out", "--nonsense"),
        ("clear", "urls.csv", "-o", "out", "--policy", "none"),
        ("clear", "urls.csv", "-o", "out", "--policy", "eu-tdm", "--usage", "search"),
        ("clear", "urls.csv", "-o", "out", "--declarations", "nowhere"),
    ],
)
def test_usage_errors(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    refused(tercet(tmp_path, *arguments), 2)


def test_errors_as_problem_documents(tmp_path: Path) -> None:
    """RFC 9457: type and title."""
    for arguments in (("clear", "none.csv", "-o", "out"), ("verify", "none"), ("clear", "--bad")):
        done = tercet(tmp_path, *arguments, "--json")
        assert done.returncode == 2
        assert done.stdout == ""
        problem = json.loads(done.stderr)
        assert problem["type"].startswith("urn:tercet:error:")
        assert problem["title"]


def test_no_colour_where_it_is_piped(tmp_path: Path) -> None:
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment |= {"TERCET_HOME": str(tmp_path), "TERM": "xterm-256color", "COLORTERM": "1"}
    for arguments in (("clear", "urls.csv", "-o", "out"), ("compare", "out", "out")):
        done = subprocess.run(
            [COMMAND, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_names_that_look_like_patterns(tmp_path: Path) -> None:
    """A folder may be called anything: `[1]`, `*` and `?` are no wildcards here."""
    (tmp_path / "urls.csv").write_text(GOOD, "utf-8")
    name = "out[1]a*b?"
    for arguments in (
        ("clear", "urls.csv", "-o", name), ("verify", name), ("explain", name, "0"),
        ("compare", name, name),
    ):  # fmt: skip
        assert tercet(tmp_path, *arguments).returncode == 0, arguments


def test_a_defect_is_shown_as_an_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("somewhere deep")

    monkeypatch.setattr("tercet.flows.verify.verify", broken)
    done = tercet(tmp_path, "verify", "out")
    assert "ZeroDivisionError: somewhere deep" in refused(done, 3)
