"""The evidence directory: nothing lost, nothing half-written that looks whole, resumable."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent import signals
from tercet.consent.capture import Capture, capture_of, declarations_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource, Signal, declare
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Carrier, Matching, Reading, Source, Statement
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.core.money import Money
from tercet.core.usage import ALL_USAGES, Permission, Usage, permissions, permit
from tercet.store import evidence_rows, external_sort
from tercet.store.blobs import BlobStore
from tercet.store.evidence import EvidenceWriter, check_evidence, read_survey

STARTED = "2026-11-22T10:00:00Z"
ROBOTS = Capture(Resource.ROBOTS_TXT, Carrier.FILE, fetched_at=STARTED, status=200)


def site_capture(name: str, raw: bytes | None = b"User-agent: *\nDisallow: /\n", **fields):
    site = f"https://{name}"
    return capture_of(replace(ROBOTS, site=site, uri=f"{site}/robots.txt", **fields), raw)


def open_writer(folder: Path) -> EvidenceWriter:
    return EvidenceWriter(folder, user_agent="TercetBot/1 (+x)", started_at=STARTED)


@given(st.binary(max_size=200))
def test_a_blob_comes_back_under_its_sha256(tmp_path_factory, raw: bytes) -> None:
    store = BlobStore(tmp_path_factory.getbasetemp() / "blobs")
    digest = store.put(raw)
    assert digest == hashlib.sha256(raw).hexdigest() == store.put(raw)
    assert store.get(digest) == raw
    assert store.path(digest) == store.folder / digest[:2] / digest


def test_a_changed_or_missing_blob_is_an_integrity_error(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    digest = store.put(b"as fetched")
    store.path(digest).write_bytes(b"changed!!!")
    with pytest.raises(IntegrityError, match="do not have the digest"):
        store.get(digest)
    with pytest.raises(IntegrityError, match="found none"):
        store.get("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "0" * 63, "0" * 64 + "\n"])
def test_a_name_that_is_no_digest_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="SHA-256"):
        BlobStore(tmp_path).path(name)


def test_tables_are_sorted_counted_and_carry_the_documented_schema(tmp_path: Path) -> None:
    names = [f"h{number:03d}.example" for number in range(40)]
    random.Random(1).shuffle(names)
    with open_writer(tmp_path) as evidence:
        for name in names:
            evidence.add([site_capture(name)])
            evidence.add(
                [site_capture(name, None, item=f"https://{name}/a.jpg", failure=Failure.TIMEOUT)]
            )
            if name.endswith("7.example"):
                evidence.flush()
        survey = evidence.finish("2026-11-22T10:01:00Z")
    table = pq.read_table(tmp_path / "captures.parquet")
    assert table.schema.equals(evidence_rows.CAPTURE_SCHEMA)
    rows = table.to_pylist()
    keys = [(row["site"], row["item"], row["resource"], row["uri"]) for row in rows]
    assert keys == sorted(keys)
    assert len(rows) == 80 == survey["counts"]["captures"]
    assert survey["counts"]["sites"] == survey["counts"]["items"] == 40
    assert survey["counts"]["failures"] == {"robots_txt": {"timeout": 40}}
    assert {row["raw_sha256"] == "" for row in rows if row["failure"]} == {True}
    declared = pq.read_table(tmp_path / "declarations.parquet")
    assert declared.schema.equals(evidence_rows.DECLARATION_SCHEMA)
    assert not (tmp_path / "parts").exists()
    assert check_evidence(tmp_path) == survey


def test_the_same_rows_in_any_order_and_any_parts_give_the_same_files(tmp_path: Path) -> None:
    digests = set()
    for seed in range(3):
        names = [f"h{number}.example" for number in range(30)]
        random.Random(seed).shuffle(names)
        with open_writer(tmp_path / str(seed)) as evidence:
            for index, name in enumerate(names):
                evidence.add([site_capture(name)])
                if index % (seed + 2) == 0:
                    evidence.flush()
            survey = evidence.finish(STARTED)
        digests.add(survey["files"]["captures.parquet"]["sha256"])
    assert len(digests) == 1


def test_a_directory_without_survey_json_is_unfinished(tmp_path: Path) -> None:
    with open_writer(tmp_path) as evidence:
        evidence.add([site_capture("a.example")])
    with pytest.raises(InputError, match="unfinished"):
        read_survey(tmp_path)
    with pytest.raises(InputError, match="no survey"):
        read_survey(tmp_path / "elsewhere")


def test_a_changed_table_is_noticed(tmp_path: Path) -> None:
    with open_writer(tmp_path) as evidence:
        evidence.add([site_capture("a.example")])
        evidence.finish(STARTED)
    path = tmp_path / "captures.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match="was changed"):
        check_evidence(tmp_path)


def test_another_agent_does_not_resume_this_agents_survey(tmp_path: Path) -> None:
    with open_writer(tmp_path) as evidence:
        evidence.add([site_capture("a.example")])
    with pytest.raises(InputError, match="unfinished survey by"):
        EvidenceWriter(tmp_path, user_agent="OtherBot/1 (+y)", started_at=STARTED)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_evidence import open_writer, site_capture
evidence = open_writer(Path({folder!r}))
for number in range(5):
    evidence.add([site_capture(f"h{{number}}.example")])
evidence.flush()
evidence.add([site_capture("lost.example")])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_journalled_survives_kill_9(tmp_path: Path) -> None:
    code = KILLED.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    status = subprocess.run([sys.executable, "-c", code], check=False).returncode
    assert status == -signal.SIGKILL
    with open_writer(tmp_path) as evidence:
        assert evidence.sites_done == 5
        assert evidence.is_done("https://h4.example")
        assert not evidence.is_done("https://lost.example")
        evidence.add([site_capture("lost.example")])
        survey = evidence.finish(STARTED)
    assert survey["counts"]["sites"] == survey["counts"]["captures"] == 6


def test_a_part_cut_short_by_a_kill_counts_for_nothing(tmp_path: Path) -> None:
    with open_writer(tmp_path) as evidence:
        evidence.add([site_capture("a.example")])
    part = tmp_path / "parts" / "000000.captures.parquet"
    part.rename(part.with_name(".000000.captures.parquet"))  # as before the last rename
    with open_writer(tmp_path) as evidence:
        assert not evidence.is_done("https://a.example")
        evidence.add([site_capture("a.example")])
        assert evidence.finish(STARTED)["counts"]["captures"] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot write"):
        open_writer(tmp_path / "out")


def test_a_file_in_the_way_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="cannot write"):
        open_writer(tmp_path / "out")


STATEMENTS = st.builds(
    Statement,
    st.dictionaries(st.sampled_from(Usage), st.sampled_from(Permission)).map(permissions),
    st.none() | st.text(),
    st.lists(
        st.builds(
            Condition,
            st.sampled_from(ConditionKind),
            st.text(),
            st.text(),
            st.none() | st.builds(Money, st.just("EUR"), st.integers(0, 10**15)),
            st.text(),
        ),
        max_size=2,
    ).map(tuple),
    st.integers(0, 10**6),
)
READINGS = st.lists(
    st.builds(
        Reading,
        st.lists(STATEMENTS, max_size=3).map(tuple),
        st.sampled_from(Matching),
        st.text(),
    ),
    min_size=1,
    max_size=3,
).map(tuple)


@settings(max_examples=60)
@given(READINGS)
def test_readings_survive_being_written(readings: tuple[Reading, ...]) -> None:
    text = evidence_rows.readings_json(readings)
    assert evidence_rows.readings_from_json(text) == readings
    text.encode("ascii")


@settings(max_examples=60)
@given(READINGS)
def test_the_flat_columns_hold_the_strictest_permission(readings: tuple[Reading, ...]) -> None:
    flat = evidence_rows.strictest(readings)
    for usage in Usage:
        said = {
            str(value)
            for reading in readings
            for statement in reading.statements
            for name, value in statement.permissions
            if name is usage
        }
        order = ["deny", "hold", "conditional", "unknown", "allow"]
        assert flat[str(usage)] == next((p for p in order if p in said), "")


def test_a_reader_that_raises_becomes_a_declaration_that_grants_nothing(monkeypatch) -> None:
    def broken(raw: bytes, source: Source):
        raise RecursionError("too deep")

    def unwritable(raw: bytes, source: Source):
        allow = (Reading((Statement(permit(ALL_USAGES, Permission.ALLOW)),)),)
        return (declare(("b", "s", "1"), raw, source, allow, agents=("\udcff",)),)

    for reader in (broken, unwritable):
        bad = Signal("b", "B", "s", "1", "https://b.example", ((Resource.ROBOTS_TXT, reader),))
        monkeypatch.setattr(signals, "SIGNALS", (bad,))
        capture, raw = site_capture("a.example")
        (declaration,) = declarations_of(capture, raw)
        assert declaration.fault
        row = evidence_rows.declaration_row(declaration, capture, 0)
        assert {row[str(usage)] for usage in Usage} == {"unknown"}
        assert json.loads(row["readings"])[0]["note"] == "unreadable"


def test_what_could_not_be_had_is_not_read(monkeypatch) -> None:
    def count(raw: bytes, source: Source):
        raise AssertionError("must not be read")

    one = Signal("b", "B", "s", "1", "https://b.example", ((Resource.TDMREP_JSON, count),))
    monkeypatch.setattr(signals, "SIGNALS", (one,))
    html = replace(ROBOTS, resource=Resource.TDMREP_JSON, failure=Failure.HTML_INSTEAD)
    assert declarations_of(*capture_of(html, b"<html>")) == ()
    assert declarations_of(*capture_of(html, None)) == ()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "https://a.example", "https://ü.example", "https://b"]),
            st.text(max_size=4).filter(lambda text: "\x00" not in text),
            st.integers(-3, 3),
        ),
        max_size=40,
    ),
    st.integers(1, 5),
    st.integers(1, 7),
)
def test_rows_sorted_outside_memory_are_the_rows_sorted_within(
    tmp_path_factory, rows: list[tuple[str, str, int]], file_count: int, group_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("sort")
    schema = pa.schema([("a", pa.string()), ("b", pa.string()), ("n", pa.int32())])
    files = []
    for number in range(file_count):
        part = [dict(zip("abn", row, strict=True)) for row in rows[number::file_count]]
        files.append(folder / f"{number}.parquet")
        pq.write_table(pa.Table.from_pylist(part, schema), files[-1], use_dictionary=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external_sort, "BUCKET_BYTES", 64)
        tables = list(external_sort.sorted_tables(files, "abn", folder / "work", group_rows))
    got = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    assert got == sorted(rows)
    assert {table.num_rows for table in tables[:-1]} <= {group_rows}
