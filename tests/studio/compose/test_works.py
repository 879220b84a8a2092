"""A pack of works: read back as written, and refused when anything in it was altered."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drawn_works import cleared

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.studio.compose.works import CLEARANCE_NAME, INDEX_NAME, open_works
from tercet.studio.engines.compose import open_engine
from tercet.studio.engines.engine import Rights


def altered(pack: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """Return the pack with one of its files changed."""
    out = pack.with_name("altered.zip")
    with zipfile.ZipFile(pack) as source, zipfile.ZipFile(out, "w") as target:
        for each in source.namelist():
            raw = source.read(each)
            target.writestr(each, change(raw) if each == name else raw)
    return out


def with_index(pack: Path, **fields: Any) -> Path:
    return altered(pack, INDEX_NAME, lambda raw: canonical_json(json.loads(raw) | fields))


def test_a_pack_is_read_back_as_written(pack: Path) -> None:
    opened = open_works(pack)
    assert set(opened.kinds) == {"car", "house", "balloon", "fish"}
    with zipfile.ZipFile(pack) as source:
        assert opened.clearance == sha256_hex(source.read(CLEARANCE_NAME))
    assert opened.is_cleared
    assert len(opened.key_id) == 16
    for work in opened.works:
        assert sha256_hex(opened.raw(work)) == work.work
        assert opened.of_noun(work.noun) == (work,)
    with zipfile.ZipFile(pack) as source:
        assert opened.digest == sha256_hex(source.read(INDEX_NAME))


def test_the_same_works_give_the_same_file(write: Callable[..., Path]) -> None:
    assert write().read_bytes() == write(name="again.zip").read_bytes()


def test_bytes_of_another_work_are_not_packed(write: Callable[..., Path], pack: Path) -> None:
    raws = {work.work: b"<svg/>" for work in open_works(pack).works}
    with pytest.raises(IntegrityError, match="expected the bytes of"):
        write(raws)


def test_a_drawing_that_was_altered_is_not_drawn(pack: Path) -> None:
    work = open_works(pack).works[0]
    opened = open_works(altered(pack, f"works/{work.work}.svg", lambda raw: raw + b" "))
    with pytest.raises(IntegrityError, match="another digest"):
        opened.raw(work)
    assert opened.raw(opened.works[1])


def test_an_owner_swapped_in_the_index_breaks_the_signature(pack: Path) -> None:
    listed = json.loads(zipfile.ZipFile(pack).read(INDEX_NAME))["works"]
    swapped = [entry | {"owner": "somebody else"} for entry in listed]
    with pytest.raises(IntegrityError, match="signature"):
        open_works(with_index(pack, works=swapped))


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "tercet/works@2"},
        {"works": 3},
        {"works": [{"work": "a"}]},
        {"clearance": "d2" * 32},
        {"signature": {}},
        {"signature": {"public_key": "AAAA", "value": "AAAA"}},
        {"signature": 7},
    ],
)
def test_an_index_that_is_not_as_signed_is_refused(pack: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=r"works\.json"):
        open_works(with_index(pack, **fields))


@pytest.mark.parametrize("raw", [b"", b"no zip at all", b"PK\x03\x04"])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "works.zip"
    path.write_bytes(raw)
    with pytest.raises(IntegrityError, match="cannot be read"):
        open_works(path)


def test_a_pack_cut_off_is_refused(pack: Path) -> None:
    raw = pack.read_bytes()
    pack.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(IntegrityError):
        open_works(pack)


def without(pack: Path, name: str) -> Path:
    """Return the pack with one of its files left out."""
    out = pack.with_name("without.zip")
    with zipfile.ZipFile(pack) as source, zipfile.ZipFile(out, "w") as target:
        for each in source.namelist():
            if each != name:
                target.writestr(each, source.read(each))
    return out


def test_a_pack_that_only_names_a_clearance_claims_nothing(pack: Path) -> None:
    bare = without(pack, CLEARANCE_NAME)
    assert not open_works(bare).is_cleared
    engine = open_engine(str(bare))
    assert engine.rights is Rights.UNKNOWN
    assert engine.provenance()["clearance_sha256"] == ""
    assert open_engine(str(pack)).rights is Rights.CLEARED


@pytest.mark.parametrize(
    "clearance",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        cleared(count=3),  # of four works
        cleared(verdicts={}),
        cleared(verdicts={"cleared": "many"}),
        cleared(type="tercet/training-record@1"),
        cleared().replace(b'"cleared":4', b'"cleared":9'),  # altered after it was signed
        canonical_json({"type": "tercet/clearance@1", "verdicts": {"cleared": 9}}),
    ],
)
def test_a_clearance_that_does_not_hold_clears_nothing(
    write: Callable[..., Path], clearance: bytes
) -> None:
    with pytest.raises(IntegrityError, match=r"works\.json"):
        open_works(write(clearance=clearance))


def test_a_clearance_of_others_does_not_clear_these(write: Callable[..., Path]) -> None:
    other = cleared(rows=9)
    with pytest.raises(IntegrityError, match="not the clearance that it names"):
        open_works(altered(write(), CLEARANCE_NAME, lambda _: other))


def test_no_pack_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_works(tmp_path / "none.zip")
    assert "tercet pack" in caught.value.hint


def test_an_endless_index_is_not_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tercet.studio.compose.works.INDEX_BYTES_MAX", 100)
    with pytest.raises(IntegrityError, match="at most 100 bytes"):
        open_works(pack)
