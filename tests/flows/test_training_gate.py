"""The gate: nothing but a cleared row's own bytes ever passes it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_corpora import FREE, PROHIBITED, png, verdicts, write_evidence, write_table
from train_corpora import (
    LICENCES,
    cleared,
    cleared_works,
    key_in,
    public_key,
    write_works,
)

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, RefusedError
from tercet.core.usage import Usage
from tercet.flows.training_gate import Gate, open_gate
from tercet.flows.verify import read_clearance


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleared")
    cleared_works(folder)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of a clearance and its corpus, to be tampered with."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def passed(place: Path, **fields: Any) -> Gate:
    given: dict[str, Any] = {"public_key": public_key(place), "places": (place / "in/works.jsonl",)}
    return open_gate(place / "out", **(given | fields))


def edit_clearance(place: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = place / "out" / "clearance.json"
    document = json.loads(path.read_bytes())
    document.pop("signature")
    change(document)
    document |= {"signature": key_in(place).signature(canonical_json(document))}
    path.write_bytes(canonical_json(document) + b"\n")


def edit_verdicts(place: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    path = place / "out" / "verdicts.parquet" / "00000.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return path


def test_the_cleared_rows_pass_with_their_bytes(place: Path) -> None:
    gate = passed(place)
    assert [item.item for item in gate.items] == [
        "works/car-1.svg", "works/house-1.svg", "works/ball-1.svg"
    ]  # fmt: skip
    for item in gate.items:
        raw = (place / "in" / item.item).read_bytes()
        assert item.read() == raw
        assert item.sha256 == hashlib.sha256(raw).hexdigest()


def test_where_the_corpus_lies_is_remembered(made: Path) -> None:
    assert len(open_gate(made / "out", public_key=public_key(made)).items) == 3


NAMES = [f"{noun}-{number}" for noun in ("car", "ball") for number in range(3)]
TEXTS = st.sampled_from(
    [*LICENCES.values(), "", "CC0-1.0", "CC-BY-NC-4.0", "public domain?", "CC-BY-4.0", "nothing"]
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=len(NAMES), max_size=len(NAMES)), broken=st.sets(
    st.sampled_from(NAMES)))  # fmt: skip
def test_exactly_the_cleared_rows_pass(texts: list[str], broken: set[str]) -> None:
    """Whatever the verdicts are: blocked, offered and held rows never come through."""
    with tempfile.TemporaryDirectory() as made_here:
        folder = Path(made_here)
        table = write_works(folder / "in", dict(zip(NAMES, texts, strict=True)))
        for name in broken:  # other bytes than the table says: held
            (folder / "in" / "works" / f"{name}.svg").write_bytes(b"<svg/>")
        out = cleared(folder, table)
        expected = [row["item"] for row in verdicts(out) if row["verdict"] == "cleared"]
        if not expected:
            with pytest.raises(RefusedError, match="may be learned from"):
                passed(folder)
            return
        found = [item.item for item in passed(folder).items]
        assert found == expected
        assert not {f"works/{name}.svg" for name in broken} & set(found)


def test_offered_rows_do_not_pass(tmp_path: Path) -> None:
    """Rows of URLs that are cleared have no bytes here; those offered are not even that."""
    urls = ["https://sells.example/6.jpg", "https://grants.example/3.jpg"]
    table = write_table(tmp_path / "t.parquet", urls)
    out = cleared(tmp_path, table, declarations=write_evidence(tmp_path / "evidence"))
    assert [row["verdict"] for row in verdicts(out)] == ["offered", "cleared"]
    with pytest.raises(RefusedError, match="1 cleared of 2, 1 without a local file"):
        open_gate(out, public_key=public_key(tmp_path))


def test_a_folder_of_media(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.png").write_bytes(png(FREE))
    (tmp_path / "in" / "sub" / "b.png").write_bytes(png(FREE) + b"\0")
    (tmp_path / "in" / "c.png").write_bytes(png(PROHIBITED))
    out = cleared(tmp_path, tmp_path / "in")
    expected = [row["item"] for row in verdicts(out) if row["verdict"] == "cleared"]
    assert "a.png" in expected
    assert "c.png" not in expected
    gate = open_gate(out, public_key=public_key(tmp_path))
    assert [item.item for item in gate.items] == expected
    assert gate.items[0].read() == png(FREE)
    (tmp_path / "in" / "c.png").write_bytes(png(FREE))
    with pytest.raises(IntegrityError, match="changed after it was cleared"):
        open_gate(out, public_key=public_key(tmp_path))


def test_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "works.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, raw in (("a.png", png(FREE)), ("b.png", png(PROHIBITED))):
            (tmp_path / name).write_bytes(raw)
            archive.add(tmp_path / name, name)
    out = cleared(tmp_path, path)
    (item,) = open_gate(out, public_key=public_key(tmp_path)).items
    assert (item.item, item.read()) == ("works.tar/a.png", png(FREE))


def test_a_work_changed_after_clearing(place: Path) -> None:
    (place / "in/works/car-1.svg").write_bytes(b"<svg>another</svg>")
    gate = passed(place)  # staged anew, the row has a fault: it does not even come to its bytes
    assert "works/car-1.svg" not in [item.item for item in gate.items]


def test_a_work_changed_between_gate_and_reading(place: Path) -> None:
    (item, *_) = passed(place).items
    path = place / "in" / item.item
    path.write_bytes(path.read_bytes().replace(b"red", b"fur"))
    with pytest.raises(IntegrityError, match="changed after it was cleared"):
        item.read()
    path.write_bytes(path.read_bytes().replace(b"fur", b"red") + b" ")
    with pytest.raises(IntegrityError, match="changed after it was cleared"):
        item.read()
    path.unlink()
    with pytest.raises(IntegrityError, match="cannot read"):
        item.read()


def test_a_digest_changed_in_the_table(place: Path) -> None:
    """A work and its row exchanged together: the table's own digest is signed."""
    raw = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    path = place / "in/works/car-1.svg"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(raw)
    table = place / "in/works.jsonl"
    table.write_text(table.read_text().replace(before, hashlib.sha256(raw).hexdigest()))
    with pytest.raises(IntegrityError, match=r"works\.jsonl was changed after it was cleared"):
        passed(place)


def test_rows_exchanged_in_the_table(place: Path) -> None:
    table = place / "in/works.jsonl"
    table.write_text("".join(reversed(table.read_text().splitlines(keepends=True))))
    with pytest.raises(IntegrityError):
        passed(place)


def test_another_corpus(place: Path) -> None:
    other = write_works(place / "other", {"car-9": LICENCES["blocked"]})
    with pytest.raises(IntegrityError, match="expected 4 of 1"):
        passed(place, places=(other,))


def clear_all(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["verdict"] = "cleared"


def test_an_uncleared_row_made_cleared(place: Path) -> None:
    edit_verdicts(place, clear_all)
    with pytest.raises(IntegrityError, match="not as signed"):
        passed(place)


def test_an_uncleared_row_made_cleared_and_its_part_signed_anew(place: Path) -> None:
    """Whoever holds the key can sign anything, but counts that do not add up are found."""
    path = edit_verdicts(place, clear_all)

    def change(document: dict[str, Any]) -> None:
        document["parts"][0]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    edit_clearance(place, change)
    with pytest.raises(IntegrityError, match="not as signed"):
        passed(place)


def test_a_clearance_edited_without_its_key(place: Path) -> None:
    path = place / "out" / "clearance.json"
    path.write_bytes(path.read_bytes().replace(b'"cleared":3', b'"cleared":4'))
    with pytest.raises(IntegrityError, match="not as signed: signature"):
        passed(place)


def test_a_clearance_signed_by_somebody_else(place: Path) -> None:
    mine = public_key(place)
    (place / "operator.key").unlink()
    edit_clearance(place, lambda document: None)
    with pytest.raises(RefusedError, match="is signed with key"):
        passed(place, public_key=mine)
    assert len(passed(place).items) == 3  # named as trusted, it counts


def test_a_clearance_without_signature(place: Path) -> None:
    path = place / "out" / "clearance.json"
    document = json.loads(path.read_bytes())
    del document["signature"]
    path.write_bytes(canonical_json(document))
    with pytest.raises(RefusedError, match="signed with key none"):
        passed(place)


def test_a_clearance_for_another_usage(tmp_path: Path) -> None:
    table = write_works(tmp_path / "in", {"car-1": LICENCES["cleared"]})
    cleared(tmp_path, table, usage=Usage.SEARCH)
    with pytest.raises(RefusedError, match="clears for search"):
        passed(tmp_path)


def test_no_cleared_row(tmp_path: Path) -> None:
    cleared(tmp_path, write_works(tmp_path / "in", {"car-1": LICENCES["blocked"]}))
    with pytest.raises(RefusedError, match="0 cleared of 1"):
        passed(tmp_path)


def test_no_clearance(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(InputError, match="no clearance"):
            open_gate(folder, public_key=public_key(tmp_path))


def test_a_corpus_that_is_gone(place: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        passed(place, places=(place / "gone.jsonl",))


def test_a_clearance_exchanged_while_it_is_checked(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged document is read, and the true one lies there by the time it is verified."""
    path = place / "out" / "clearance.json"
    true = path.read_bytes()
    document = json.loads(true)
    document["usage"] = str(Usage.TRAIN_GENERATIVE)
    document["created_at"] = "2020-01-01T00:00:00Z"
    path.write_bytes(canonical_json(document) + b"\n")

    def read_then_exchange(folder: Path) -> Any:
        found = read_clearance(folder)
        path.write_bytes(true)
        return found

    monkeypatch.setattr("tercet.flows.training_gate.read_clearance", read_then_exchange)
    with pytest.raises(IntegrityError, match="not as signed: signature"):
        passed(place)


@pytest.mark.parametrize("other", ["blocked", "cleared"])
def test_bytes_that_are_cleared_in_one_row_and_blocked_in_another(
    tmp_path: Path, other: str
) -> None:
    """Who says no to a work is heard, whoever else says yes to a copy of it."""
    free = LICENCES["cleared"]
    table = write_works(tmp_path / "in", {"car-1": free, "ball-1": free})
    first, last = table.read_text().splitlines()
    copy = json.loads(first) | {"path": "works/copy.svg", "licence": LICENCES[other]}
    shutil.copy(tmp_path / "in/works/car-1.svg", tmp_path / "in/works/copy.svg")
    table.write_text("\n".join([first, last, json.dumps(copy)]) + "\n")
    gate = open_gate(cleared(tmp_path, table), public_key=public_key(tmp_path))
    names = ["works/car-1.svg", "works/ball-1.svg", "works/copy.svg"]
    assert [item.item for item in gate.items] == (names[1:2] if other == "blocked" else names)
    assert gate.contradicted == (1 if other == "blocked" else 0)
    assert gate.without_file == 0
