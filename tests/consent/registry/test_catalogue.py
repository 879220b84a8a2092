"""Catalogues: every row is taken or named with its line; one bad row stops nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.registry.catalogue import (
    CatalogueFault,
    CatalogueRow,
    is_catalogue,
    read_catalogue,
    read_row,
    role_of,
)
from tercet.consent.registry.claim import Owner
from tercet.consent.registry.description import parse_owners
from tercet.core.errors import InputError
from tercet.core.work import Medium

HASH = "ab" * 32


def rows_of(path: Path) -> list[CatalogueRow | CatalogueFault]:
    return list(read_catalogue(path))


def test_a_catalogue_in_every_format_says_the_same(tmp_path: Path) -> None:
    record = {"Title": "Ön", "Artist": "A; B", "Owners": "Ann:50; Bob:33.33", "ISRC":
              "US-RC1-76-07839", "File": "a.mp3", "License": "CC-BY-4.0", "URL":
              "https://example.org/a", "Medium": "music"}  # fmt: skip
    (tmp_path / "c.csv").write_text(
        ",".join(record) + "\n" + ",".join(f'"{v}"' for v in record.values()) + "\n", "utf-8"
    )
    (tmp_path / "c.tsv").write_text("\t".join(record) + "\n" + "\t".join(record.values()), "utf-8")
    (tmp_path / "c.jsonl").write_text(
        json.dumps(
            record
            | {"Artist": ["A", "B"]}
            | {"Owners": [{"name": "Ann", "share": 50}, {"name": "Bob", "share": 33.33}]}
        )
    )
    pq.write_table(pa.table({k: [v] for k, v in record.items()}), tmp_path / "c.parquet")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress((tmp_path / "c.csv").read_bytes()))
    semicolons = (tmp_path / "c.tsv").read_text("utf-8").replace("; ", " & ").replace("\t", ";")
    descriptions = set()
    for name in ("c.csv", "c.tsv", "c.jsonl", "c.parquet", "c.csv.gz"):
        assert is_catalogue(tmp_path / name)
        (row,) = rows_of(tmp_path / name)
        assert isinstance(row, CatalogueRow), row
        descriptions.add((row.path, row.description))
    assert len(descriptions) == 1
    _, description = descriptions.pop()
    assert description.owners == ((Owner("Ann"), 5000), (Owner("Bob"), 3333))
    assert description.identifiers == (("isrc", "USRC17607839"),)
    assert description.creators == ("A", "B")
    assert description.medium is Medium.AUDIO
    (tmp_path / "s.csv").write_text(semicolons.replace("50 & Bob:33.33", "50"), "utf-8")
    (row,) = rows_of(tmp_path / "s.csv")
    assert isinstance(row, CatalogueRow)
    assert row.description.title == "Ön"


def test_bad_rows_are_named_by_line_and_lose_no_other(tmp_path: Path) -> None:
    lines = [
        "title,owners,isrc,sha256,train_generative,medium",
        f"one,Ann,,{HASH},,text",
        f"two,Ann,WRONG,{HASH},,text",
        "",
        f"three,Ann:60;Bob:50,,{HASH},,text",
        f'"four with\na line",Ann,,{HASH},allow,text',
        f"five,Ann,,{HASH},maybe,text",
        "six,Ann,,beef,,text",
        "seven,Ann,,,,text",
        f"eight,Ann,,{HASH},,text,more",
        f'"nine,Ann,,{HASH},,text',
        f"ten,Ann,,{HASH},,sculpture",
        f"eleven,Ann; Bob,,{HASH},,text",
        f"twelve,Ann,,{HASH},,text",
    ]
    path = tmp_path / "c.csv"
    path.write_bytes("\n".join(lines).encode() + b"\nthirteen,\xff\xfe,,,,\n")
    found = rows_of(path)
    taken = [row.line for row in found if isinstance(row, CatalogueRow)]
    faults = {row.line: row.reason for row in found if isinstance(row, CatalogueFault)}
    assert taken == [2, 6, 15]
    assert sorted(faults) == [3, 5, 8, 9, 10, 11, 12, 13, 14, 16]
    assert "ISRC" in faults[3]
    assert "110 %" in faults[5]
    assert "maybe" in faults[8]
    assert "SHA-256" in faults[9]
    assert "neither path nor sha256" in faults[10]
    assert "6 cells" in faults[11]
    assert "quotes" in faults[12]
    assert "sculpture" in faults[13]
    assert "share" in faults[14]
    assert "UTF-8" in faults[16]


def test_two_columns_that_differ_are_no_guess() -> None:
    same = read_row({"license": "CC0-1.0", "licence": "CC0-1.0", "sha256": HASH}, 2, "c")
    assert isinstance(same, CatalogueRow)
    other = read_row({"license": "CC0-1.0", "licence": "MIT", "sha256": HASH}, 2, "c")
    assert isinstance(other, CatalogueFault)
    assert "differ" in other.reason


def test_columns_by_their_usual_names() -> None:
    for name, role in {"Rights Holder": "owners", "work_title": "title", "FILE": "path",
                       "SHA-256": "sha256", "Train Generative": "train_generative",
                       "colour": ""}.items():  # fmt: skip
        assert role_of(name) == role


def test_a_catalogue_that_names_no_works_is_refused(tmp_path: Path) -> None:
    for name, text in {"a.csv": "title,owner\nx,y\n", "b.csv": "", "c.parquet": "no"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError):
            rows_of(tmp_path / name)


def test_a_cut_catalogue_says_that_rows_are_missing(tmp_path: Path) -> None:
    text = "sha256,medium\n" + f"{HASH},text\n" * 20_000
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0)[:-20])
    found = rows_of(path)
    assert isinstance(found[-1], CatalogueFault)
    assert "missing" in found[-1].reason


@pytest.mark.parametrize(
    ("text", "points"),
    [("Ann", [10_000]), ("Ann:100", [10_000]), ("Ann: 12.5 %; B: C:7", [1250, 700]),
     ("Studio: North", [10_000]), ("Ann:0.01", [1])],
)  # fmt: skip
def test_owners(text: str, points: list[int]) -> None:
    assert [share for _, share in parse_owners(text)] == points


@pytest.mark.parametrize("text", ["Ann:0; B:1", "Ann:101", "Ann; Bob", "Ann:33.333",
                                  "Ann:50; Ann:50", ":50", "Ann:60; Bob:41"])  # fmt: skip
def test_owners_that_do_not_add_up(text: str) -> None:
    with pytest.raises(InputError):
        parse_owners(text)


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_faults(raw: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.csv"
        path.write_bytes(b"title,owners,sha256,price,isbn\n" + raw)
        lines = [row.line for row in read_catalogue(path)]
    assert lines == sorted(lines)
    assert len(lines) <= raw.count(b"\n") + 1
