"""reread: the same bytes read anew give the same declarations, or those of newer readers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_corpora import URLS, run, write_evidence, write_table

from tercet.consent import signals
from tercet.core.errors import InputError, IntegrityError
from tercet.flows.reread import reread_evidence

COMMAND = Path(sys.executable).parent / "tercet"


def test_the_same_readers_change_nothing(tmp_path: Path) -> None:
    evidence = write_evidence(tmp_path / "evidence")
    before = {p.name: p.read_bytes() for p in evidence.iterdir() if p.is_file()}
    reread_evidence(evidence)
    assert {p.name: p.read_bytes() for p in evidence.iterdir() if p.is_file()} == before
    assert not (evidence / "parts").exists()


def test_evidence_of_older_readers_is_refused_and_then_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_table(tmp_path / "urls.parquet", URLS)
    with monkeypatch.context() as older:
        fewer = tuple(signal for signal in signals.SIGNALS if signal.name != "aipref")
        older.setattr(signals, "SIGNALS", fewer)
        evidence = write_evidence(tmp_path / "evidence")
    with pytest.raises(IntegrityError, match="differ from what this version reads") as caught:
        run(tmp_path, table, declarations=evidence)
    assert caught.value.hint.endswith(f"tercet survey --reread {evidence}")
    document = reread_evidence(evidence)
    assert document["counts"]["signals"]["aipref"]
    fresh = write_evidence(tmp_path / "fresh")
    for name in ("captures.parquet", "declarations.parquet"):
        assert pq.read_table(evidence / name).equals(pq.read_table(fresh / name))
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path, table, declarations=evidence).counts["cleared"] == 1


def test_altered_bytes_are_refused_and_the_old_tables_stay(tmp_path: Path) -> None:
    evidence = write_evidence(tmp_path / "evidence")
    before = (evidence / "survey.json").read_bytes()
    blob = next(p for p in (evidence / "blobs").rglob("*") if p.is_file())
    blob.write_bytes(b"changed")
    with pytest.raises(IntegrityError):
        reread_evidence(evidence)
    assert (evidence / "survey.json").read_bytes() == before


def test_a_folder_without_a_survey(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no survey\.json"):
        reread_evidence(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command(tmp_path: Path) -> None:
    evidence = write_evidence(tmp_path / "evidence")
    done = subprocess.run(
        [COMMAND, "survey", "--reread", evidence, "--json"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((evidence / "survey.json").read_bytes())
    lacking = subprocess.run([COMMAND, "survey"], capture_output=True, text=True, check=False)
    assert lacking.returncode == 2
    assert "Missing" in lacking.stderr
