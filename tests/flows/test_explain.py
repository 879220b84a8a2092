"""explain: the right declaration, its right lines, for the item's own path."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_corpora import NOW, URLS, run, site, write_evidence, write_table

from tercet.core.errors import InputError, IntegrityError
from tercet.flows.explain import explain
from tercet.store.evidence import EvidenceWriter

COMMAND = Path(sys.executable).parent / "tercet"


@pytest.fixture(scope="module")
def cleared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    evidence = write_evidence(folder / "evidence")
    table = write_table(folder / "urls.parquet", [*URLS, URLS[0], None])
    run(folder, table, declarations=evidence)
    return folder


@pytest.fixture
def out(cleared: Path) -> Path:
    return cleared / "out"


def test_the_line_that_denies_is_quoted(out: Path) -> None:
    why = explain(out, "https://forbids.example/private/1.jpg")
    assert [code for code, _ in why.reasons] == ["denied_by_robots"]
    assert [quote.lines for quote in why.quotes] == [
        ((1, "User-agent: GPTBot"), (2, "Disallow: /private/"))
    ]
    assert why.quotes[0].says == "It forbids this use."
    assert why.quotes[0].agents == ("GPTBot",)
    assert why.copies == 2


def test_one_file_says_other_things_of_other_paths(out: Path) -> None:
    yes = explain(out, "https://grants.example/3.jpg")
    no = explain(out, "https://grants.example/members/4.jpg")
    assert yes.quotes[0].declaration_id == no.quotes[0].declaration_id
    assert "allows" in yes.quotes[0].says
    assert "forbids" in no.quotes[0].says
    assert (3, "Content-Usage: /members/ train-ai=n") in no.quotes[0].lines


def test_a_price_and_its_lines(out: Path) -> None:
    why = explain(out, "https://sells.example/6.jpg")
    assert "EUR 0.02" in why.quotes[0].says
    assert any("<amount" in text for _, text in why.quotes[0].lines)


def test_what_holds_an_item_is_marked(out: Path) -> None:
    why = explain(out, "https://down.example/7.jpg")
    assert [asked.uri for asked in why.asked if asked.is_doubt] == [
        "https://down.example/robots.txt"
    ]
    assert why.quotes == ()


def test_silence_names_what_was_asked(out: Path) -> None:
    why = explain(out, "https://forbids.example/open/2.jpg")
    assert {asked.uri for asked in why.asked} == {
        "https://forbids.example/robots.txt",
        "https://forbids.example/.well-known/tdmrep.json",
        "https://forbids.example/ai.txt",
        "https://forbids.example/open/2.jpg",
    }
    assert why.is_surveyed


def test_by_position_as_by_name(out: Path) -> None:
    assert explain(out, "0") == explain(out, URLS[0])
    assert explain(out, "10").fault == "no_url"
    with pytest.raises(InputError, match="no item"):
        explain(out, "99")
    with pytest.raises(InputError, match="no item"):
        explain(out, "9" * 50)
    with pytest.raises(InputError, match="no item"):
        explain(out, "https://forbids.example/private/1.jp")


def test_a_survey_that_was_moved_must_be_given(cleared: Path, tmp_path: Path) -> None:
    shutil.copytree(cleared / "out", tmp_path / "out")
    shutil.copytree(cleared / "evidence", tmp_path / "moved")
    (tmp_path / "out" / "local.json").unlink()
    with pytest.raises(InputError, match="is not found") as caught:
        explain(tmp_path / "out", URLS[0])
    assert "--declarations" in caught.value.hint
    why = explain(tmp_path / "out", URLS[0], declarations=tmp_path / "moved")
    assert why == explain(cleared / "out", URLS[0])


def test_another_survey_cannot_explain_it(out: Path, tmp_path: Path) -> None:
    """A later survey of the same sites says other things than those that decided."""
    with EvidenceWriter(tmp_path / "later", started_at=NOW) as evidence:
        evidence.add(site("forbids.example", b"User-agent: *\nAllow: /\n"))
        evidence.finish(NOW)
    with pytest.raises(InputError, match="is not the survey"):
        explain(out, URLS[0], declarations=tmp_path / "later")


def test_altered_bytes_are_not_quoted(cleared: Path, tmp_path: Path) -> None:
    shutil.copytree(cleared / "evidence", tmp_path / "evidence")
    for blob in (tmp_path / "evidence" / "blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(blob.read_bytes() + b"x")
    with pytest.raises(IntegrityError, match="digest"):
        explain(cleared / "out", URLS[0], declarations=tmp_path / "evidence")


def test_a_removed_table_is_an_error_with_a_name(cleared: Path, tmp_path: Path) -> None:
    shutil.copytree(cleared / "out", tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "verdicts.parquet")
    with pytest.raises(IntegrityError, match=r"verdicts\.parquet"):
        explain(tmp_path / "out", URLS[0])


def test_the_letter(out: Path) -> None:
    done = subprocess.run(
        [COMMAND, "explain", out, URLS[0]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    heads = ["Verdict: blocked.", "Asked for:", "Why", "What it rests on", "What was asked"]
    places = [done.stdout.index(head) for head in heads]
    assert places == sorted(places)
    assert "2 | Disallow: /private/" in done.stdout
    assert "names it 2 times" in done.stdout
