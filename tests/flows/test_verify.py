"""verify after tampering: each change of a clearance fails, and by name."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_corpora import URLS, run, write_evidence, write_table

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.flows.verify import verify
from tercet.store.keys import load_or_make_key


@pytest.fixture(scope="module")
def cleared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleared")
    evidence = write_evidence(folder / "evidence")
    licences = ["CC0-1.0"] * len(URLS)
    tables = [
        write_table(folder / f"{name}.parquet", [*URLS, None], licence=[*licences, None])
        for name in "abc"
    ]
    run(folder, *tables, declarations=evidence)
    assert all(check.holds for check in verify(folder / "out"))
    return folder


@pytest.fixture
def out(cleared: Path, tmp_path: Path) -> Path:
    shutil.copytree(cleared / "out", tmp_path / "out")
    shutil.copy(cleared / "operator.key", tmp_path)
    return tmp_path / "out"


def part(out: Path, index: int) -> Path:
    return out / "verdicts.parquet" / f"{index:05d}.parquet"


def failed(out: Path, **given: str) -> set[str]:
    return {check.name for check in verify(out, **given) if not check.holds}


def edit(out: Path, change: Callable[[dict[str, Any]], None], *, sign: bool = False) -> None:
    path = out / "clearance.json"
    document = json.loads(path.read_bytes())
    change(document)
    if sign:
        document.pop("signature")
        key = load_or_make_key(out.parent / "operator.key")
        document |= {"signature": key.signature(canonical_json(document))}
    path.write_bytes(canonical_json(document) + b"\n")


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_one_changed_byte_of_a_part(out: Path) -> None:
    raw = bytearray(part(out, 1).read_bytes())
    raw[len(raw) // 2] ^= 1
    part(out, 1).write_bytes(raw)
    assert "verdicts.parquet/00001.parquet" in failed(out)


def test_a_changed_count(out: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["verdicts"]["cleared"] += 1
        document["verdicts"]["blocked"] -= 1

    edit(out, change)
    assert failed(out) == {"signature", "verdicts"}


def test_a_changed_count_signed_anew_by_the_same_key(out: Path) -> None:
    """A signature alone does not make a count true: it is made again from the rows."""

    def change(document: dict[str, Any]) -> None:
        document["verdicts"]["cleared"] += 1

    edit(out, change, sign=True)
    assert failed(out) == {"verdicts", "verdicts add up"}


def test_a_changed_signature(out: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        value = bytearray(base64.b64decode(document["signature"]["value"]))
        value[0] ^= 1
        document["signature"]["value"] = base64.b64encode(value).decode()

    edit(out, change)
    assert failed(out) == {"signature"}


def test_another_signer(out: Path, tmp_path: Path) -> None:
    """Somebody else signs the same words: only the public key tells."""
    mine = json.loads((out / "clearance.json").read_bytes())["signature"]["public_key"]
    (out.parent / "operator.key").unlink()
    edit(out, lambda document: None, sign=True)
    assert failed(out) == set()
    assert failed(out, public_key=mine) == {"signature"}


def test_no_signature(out: Path) -> None:
    edit(out, lambda document: document.pop("signature"))
    assert failed(out) == {"signature"}


def test_a_removed_part(out: Path) -> None:
    part(out, 2).unlink()
    assert {"verdicts.parquet/00002.parquet", "rows", "verdicts", "reasons"} <= failed(out)


def test_swapped_parts(out: Path) -> None:
    first, second = part(out, 0).read_bytes(), part(out, 1).read_bytes()
    part(out, 0).write_bytes(second)
    part(out, 1).write_bytes(first)
    assert {
        "verdicts.parquet/00000.parquet",
        "verdicts.parquet/00001.parquet",
        "verdicts.parquet/00000.parquet positions",
    } <= failed(out)


def test_an_added_part(out: Path) -> None:
    shutil.copy(part(out, 0), part(out, 7))
    assert failed(out) == {"nothing added"}


def test_an_edited_verdict(out: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        next(row for row in rows if row["verdict"] == "blocked")["verdict"] = "cleared"

    rewrite(part(out, 0), change)
    assert {"verdicts.parquet/00000.parquet", "verdicts", "reasons"} <= failed(out)


def test_an_edited_reason(out: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        row = next(row for row in rows if row["reasons"] == ["denied_by_robots"])
        row["reasons"] = ["denied_by_rsl"]

    rewrite(part(out, 0), change)
    assert failed(out) == {"verdicts.parquet/00000.parquet", "reasons"}


def test_two_rows_of_one_position(out: Path) -> None:
    """First, last and number of the positions still fit; the position between is missing."""

    def change(rows: list[dict[str, Any]]) -> None:
        rows[1]["item_id"] = rows[2]["item_id"]

    rewrite(part(out, 0), change)
    assert "verdicts.parquet/00000.parquet rows" in failed(out)


def test_another_policy_written_into_the_rows(out: Path) -> None:
    rewrite(part(out, 0), lambda rows: [row.update(policy="eu-tdm@1") for row in rows] and None)
    assert "verdicts.parquet/00000.parquet policy" in failed(out)


@pytest.mark.parametrize(
    "name", ["offers.parquet", "columns/00000.parquet", "faults/00000.parquet", "plan.json"]
)
def test_what_the_verdicts_refer_to_is_signed_too(out: Path, name: str) -> None:
    path = out / name
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1) + b" ")
    if name == "plan.json":
        path.write_bytes(path.read_bytes().replace(b"train_gen", b"train_non"))
    assert name in failed(out)


def test_a_path_out_of_the_folder(out: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["parts"][0]["file"] = "../out/verdicts.parquet/00000.parquet"

    edit(out, change, sign=True)
    assert "../out/verdicts.parquet/00000.parquet" in failed(out)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"type": "tercet/clearance@1"}',
        b"[" * 100_000,
        b'{"type": "tercet/clearance@1", "rows": "many"}',
    ],
)
def test_what_is_no_clearance_is_an_error_with_a_name(out: Path, raw: bytes) -> None:
    (out / "clearance.json").write_bytes(raw)
    with pytest.raises(InputError, match=r"clearance\.json"):
        verify(out)


@pytest.mark.parametrize("key", ["rows", "verdicts", "parts", "policy", "files", "reasons"])
@pytest.mark.parametrize("value", [None, 1.5, "x", [1], True, {"a": []}])
def test_values_of_another_kind_never_crash(out: Path, key: str, value: object) -> None:
    def change(document: dict[str, Any]) -> None:
        document[key] = value

    path = out / "clearance.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document), "utf-8")
    try:
        found = failed(out)
    except InputError as error:
        found = {error.message}
    assert any(key in name or name == "signature" for name in found)
