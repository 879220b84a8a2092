"""The clearing from end to end: verdicts, counts, order, resuming, refusing."""

from __future__ import annotations

import csv
import json
import random
import tarfile
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_corpora import (
    EXPECTED,
    FREE,
    LICENSE,
    NOW,
    PROHIBITED,
    URLS,
    png,
    request,
    run,
    site,
    verdicts,
    write_evidence,
    write_table,
)

from tercet.consent.capture import Capture, capture_of
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.errors import InputError, IntegrityError
from tercet.core.usage import Usage
from tercet.flows.clear import clear
from tercet.flows.compare import compare
from tercet.flows.explain import explain
from tercet.flows.verify import verify
from tercet.store.evidence import EvidenceWriter


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_evidence(tmp_path_factory.mktemp("evidence"))


def by_item(out: Path) -> dict[str, tuple[str, list[str]]]:
    return {row["item"]: (row["verdict"], row["reasons"]) for row in verdicts(out)}


def test_each_site_gets_what_it_says(tmp_path: Path, evidence: Path) -> None:
    table = write_table(tmp_path / "urls.parquet", [*URLS, None])
    clearance = run(tmp_path, table, declarations=evidence)
    found = by_item(tmp_path / "out")
    assert {item: verdict for item, (verdict, _) in found.items()} == EXPECTED | {"row:9": "held"}
    assert found["https://forbids.example/private/1.jpg"][1] == ["denied_by_robots"]
    assert "offer_from_rsl" in found["https://sells.example/6.jpg"][1]
    assert found["https://down.example/7.jpg"][1] == ["unchecked"]
    assert found["row:9"][1] == ["row_fault"]
    assert all(check.holds for check in verify(tmp_path / "out"))
    offers = pq.read_table(tmp_path / "out" / "offers.parquet").to_pylist()
    assert [(o["currency"], o["amount_micros"]) for o in offers] == [("EUR", 20_000)]
    assert clearance.row_count == 10


def test_rows_out_are_rows_in_and_counts_are_those_of_the_files(
    tmp_path: Path, evidence: Path
) -> None:
    urls = [random.Random(1).choice(URLS) for _ in range(5000)]
    table = write_table(tmp_path / "urls.parquet", urls)
    clearance = run(tmp_path, table, declarations=evidence)
    rows = verdicts(tmp_path / "out")
    assert [row["item"] for row in rows] == urls
    assert [row["item_id"] for row in rows] == list(range(5000))
    assert Counter(row["verdict"] for row in rows) == Counter(
        {k: n for k, n in clearance.counts.items() if n}
    )
    reasons = Counter((code, row["verdict"]) for row in rows for code in row["reasons"])
    said = clearance.document["reasons"]
    assert reasons == Counter({(c, v): n for c, by in said.items() for v, n in by.items()})
    known = {url: EXPECTED[url] for url in urls}
    assert {row["item"]: row["verdict"] for row in rows} == known


def many_shards(path: Path, urls: list[str]) -> list[Path]:
    path.mkdir()
    size = len(urls) // 4
    return [
        write_table(path / f"{at}.parquet", urls[at * size : (at + 1) * size]) for at in range(4)
    ]


def test_workers_and_the_order_of_evidence_and_corpus_change_no_verdict(
    tmp_path: Path, evidence: Path
) -> None:
    urls = [random.Random(2).choice(URLS) for _ in range(400)]
    tables = many_shards(tmp_path / "tables", urls)
    alone = run(tmp_path, *tables, declarations=evidence, out=tmp_path / "a", workers=1)
    together = run(tmp_path, *tables, declarations=evidence, out=tmp_path / "b", workers=2)
    assert alone.document == together.document
    other = write_evidence(tmp_path / "other", shuffled=True)
    assert by_item(tmp_path / "a") == by_item_of(tmp_path, "c", tables, other)
    mixed = random.Random(3).sample(urls, len(urls))
    shuffled = many_shards(tmp_path / "shuffled", mixed)
    assert by_item(tmp_path / "a") == by_item_of(tmp_path, "d", shuffled, evidence)
    assert verify(tmp_path / "b") == verify(tmp_path / "a")


def by_item_of(folder: Path, name: str, tables: list[Path], evidence: Path) -> dict:
    run(folder, *tables, declarations=evidence, out=folder / name)
    return by_item(folder / name)


def test_a_second_run_changes_nothing(tmp_path: Path, evidence: Path) -> None:
    table = write_table(tmp_path / "urls.parquet", URLS)
    run(tmp_path, table, declarations=evidence)
    out = tmp_path / "out"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in (out / "verdicts.parquet").iterdir()}
    run(tmp_path, table, declarations=evidence, now="2027-01-01T00:00:00Z")
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_damaged_part_is_done_again(tmp_path: Path, evidence: Path) -> None:
    table = write_table(tmp_path / "urls.parquet", URLS)
    run(tmp_path, table, declarations=evidence)
    part = tmp_path / "out" / "verdicts.parquet" / "00000.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:-7])
    run(tmp_path, table, declarations=evidence)
    assert part.read_bytes() == whole


@pytest.mark.parametrize(
    "changed", [{"policy": "eu-tdm"}, {"usage": "search"}, {"declarations": None}]
)
def test_another_question_needs_another_folder(
    tmp_path: Path, evidence: Path, changed: dict
) -> None:
    table = write_table(tmp_path / "urls.parquet", URLS)
    run(tmp_path, table, declarations=evidence)
    with pytest.raises(InputError, match="holds a clearing of other") as caught:
        run(tmp_path, table, **({"declarations": evidence} | changed))
    assert "-o" in caught.value.hint


def test_a_corpus_that_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    """Same size, same number of rows, other content: finished shards would not fit it."""
    table = write_table(tmp_path / "urls.parquet", ["https://a.example/1"])
    run(tmp_path, table)
    write_table(tmp_path / "urls.parquet", ["https://b.example/1"])
    with pytest.raises(InputError, match="was changed after its clearing"):
        run(tmp_path, table)


def test_altered_evidence_is_refused(tmp_path: Path) -> None:
    evidence = write_evidence(tmp_path / "evidence")
    table = write_table(tmp_path / "urls.parquet", URLS)
    captures = evidence / "captures.parquet"
    captures.write_bytes(captures.read_bytes()[:-1] + b"X")
    with pytest.raises(IntegrityError, match="was changed after the survey"):
        run(tmp_path, table, declarations=evidence)


def test_an_altered_blob_is_refused(tmp_path: Path) -> None:
    """A quiet change of robots.txt from Disallow to Allow must not clear anything."""
    evidence = write_evidence(tmp_path / "evidence")
    table = write_table(tmp_path / "urls.parquet", URLS)
    for blob in (evidence / "blobs").rglob("*"):
        if blob.is_file() and b"Disallow" in blob.read_bytes():
            blob.write_bytes(blob.read_bytes().replace(b"Disallow", b"Allow   "))
    with pytest.raises(IntegrityError, match="digest"):
        run(tmp_path, table, declarations=evidence)


def test_a_result_inside_the_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.png").write_bytes(png())
    with pytest.raises(InputError, match="lies inside the corpus"):
        run(tmp_path, tmp_path / "media", out=tmp_path / "media" / "out")
    assert not (tmp_path / "media" / "out").exists()


def test_csv_and_jsonl_clear_as_parquet_does(tmp_path: Path, evidence: Path) -> None:
    with (tmp_path / "urls.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["url"], *([url] for url in URLS)])
    lines = "".join(json.dumps({"url": url}) + "\n" for url in URLS)
    (tmp_path / "urls.jsonl").write_text(lines, "utf-8")
    for name in ("urls.csv", "urls.jsonl"):
        run(tmp_path, tmp_path / name, declarations=evidence, out=tmp_path / f"{name}.out")
        found = by_item(tmp_path / f"{name}.out")
        assert {item: verdict for item, (verdict, _) in found.items()} == EXPECTED


def test_licence_and_headers_columns_speak(tmp_path: Path, evidence: Path) -> None:
    url = "https://forbids.example/open/{}.jpg".format
    plain = '{"Content-Type": "image/jpeg"}'
    table = write_table(
        tmp_path / "urls.parquet",
        [url(at) for at in range(4)],
        licence=["CC0-1.0", "CC-BY-NC-4.0", None, "CC0-1.0"],
        headers=[plain, plain, '{"X-Robots-Tag": "noai"}', '{"X-Robots-Tag": "noai"}'],
    )
    run(tmp_path, table, declarations=evidence)
    found = by_item(tmp_path / "out")
    assert [found[url(at)][0] for at in range(4)] == ["cleared", "blocked", "blocked", "blocked"]
    assert found[url(0)][1] == ["granted_by_licence"]
    assert found[url(3)][1] == ["denied_by_x_robots"]  # a grant beside a denial grants nothing
    why = explain(tmp_path / "out", url(3))
    assert [quote.uri for quote in why.quotes] == ["urls.parquet#headers"]


def test_an_offer_of_one_item_is_kept_as_those_of_sites_are(tmp_path: Path) -> None:
    """An RSL file that only one page names: its price is of that page alone."""
    item = "https://one.example/sold.html"
    origin = "https://one.example"
    page = Capture(Resource.RSL_XML, Carrier.FILE, site=origin, item=item, fetched_at=NOW)
    with EvidenceWriter(tmp_path / "evidence", started_at=NOW) as evidence:
        evidence.add(site("one.example", b"User-agent: *\nAllow: /\n"))
        evidence.add([capture_of(replace(page, uri=f"{origin}/one.xml", status=200), LICENSE)])
        evidence.finish(NOW)
    urls = [item, "https://one.example/free.html", item]
    table = write_table(tmp_path / "urls.parquet", urls)
    run(tmp_path, table, declarations=tmp_path / "evidence")
    assert [row["verdict"] for row in verdicts(tmp_path / "out")] == [
        "offered", "blocked", "offered",
    ]  # fmt: skip
    offers = pq.read_table(tmp_path / "out" / "offers.parquet").to_pylist()
    assert {(o["item"], o["site"], o["amount_micros"]) for o in offers} == {(item, origin, 20_000)}
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "EUR 0.02" in report
    assert all(check.holds for check in verify(tmp_path / "out"))


def media_folder(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "no.png").write_bytes(png(PROHIBITED))
    (folder / "yes.png").write_bytes(png(FREE))
    (folder / "silent.png").write_bytes(png())
    (folder / "sub" / "beside.png").write_bytes(png())
    (folder / "sub" / "beside.png.xmp").write_text(PROHIBITED, "utf-8")
    (folder / "page.html").write_text("<html><p>words</p></html>", "utf-8")
    (folder / "torn.png").write_bytes(png(PROHIBITED)[:60])
    return folder


MEDIA = {
    "no.png": "blocked",
    "yes.png": "cleared",
    "silent.png": "blocked",
    "sub/beside.png": "blocked",
    "page.html": "blocked",
}


def test_a_folder_of_media(tmp_path: Path) -> None:
    folder = media_folder(tmp_path / "media")
    run(tmp_path, folder)
    found = by_item(tmp_path / "out")
    assert {item: found[item][0] for item in MEDIA} == MEDIA
    assert found["sub/beside.png"][1] == ["denied_by_plus"]
    assert found["torn.png"][0] in {"blocked", "held"}
    assert all(check.holds for check in verify(tmp_path / "out"))
    run(tmp_path, folder, policy="eu-tdm", out=tmp_path / "eu")
    eu = by_item(tmp_path / "eu")
    assert eu["silent.png"] == ("held", ["no_source"])
    assert eu["torn.png"][0] == "held"
    assert eu["no.png"][0] == "blocked"


def test_a_tar_clears_as_its_folder_does(tmp_path: Path) -> None:
    folder = media_folder(tmp_path / "media")
    with tarfile.open(tmp_path / "media.tar", "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = tarfile.TarInfo(path.relative_to(folder).as_posix())
                info.size = path.stat().st_size
                archive.addfile(info, BytesIO(path.read_bytes()))
    run(tmp_path, tmp_path / "media.tar")
    found = by_item(tmp_path / "out")
    assert {item: found[f"media.tar/{item}"][0] for item in MEDIA if "/" not in item} == {
        item: verdict for item, verdict in MEDIA.items() if "/" not in item
    }


def test_files_of_one_name_never_speak_for_each_other(tmp_path: Path) -> None:
    """Two folders with a `same.png`: the licence of one must not clear the other."""
    for name, packet in (("one", FREE), ("two", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.png").write_bytes(png(packet))
    run(tmp_path, tmp_path / "one", tmp_path / "two")
    assert [row["verdict"] for row in verdicts(tmp_path / "out")] == ["held", "held"]


def test_compare_two_policies(tmp_path: Path, evidence: Path) -> None:
    table = write_table(tmp_path / "urls.parquet", [*URLS, *URLS])
    run(tmp_path, table, declarations=evidence, out=tmp_path / "strict")
    run(tmp_path, table, declarations=evidence, policy="eu-tdm", out=tmp_path / "eu")
    found = compare(tmp_path / "strict", tmp_path / "eu")
    assert ("blocked", "cleared", 2) in found.moves  # silence: /open/2.jpg, twice
    assert found.changed_count == 2
    assert {example[0] for example in found.examples} == {"https://forbids.example/open/2.jpg"}


def test_compare_by_name_counts_copies_once_each(tmp_path: Path, evidence: Path) -> None:
    """Joined by name alone, n copies on both sides would count n * n times."""
    first = write_table(tmp_path / "first.parquet", [URLS[0]] * 5 + [URLS[2]])
    second = write_table(tmp_path / "second.parquet", [URLS[0]] * 3 + [URLS[5]])
    run(tmp_path, first, declarations=evidence, out=tmp_path / "a")
    run(tmp_path, second, declarations=evidence, out=tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert {(old, new): count for old, new, count in found.moves} == {
        ("blocked", "blocked"): 3,
        ("blocked", "absent"): 2,
        ("cleared", "absent"): 1,
        ("absent", "offered"): 1,
    }


def test_a_policy_that_does_not_speak_of_the_usage(tmp_path: Path) -> None:
    table = write_table(tmp_path / "urls.parquet", URLS)
    with pytest.raises(InputError, match="does not speak of the usage search"):
        clear(request(tmp_path, table, policy="eu-tdm", usage=Usage.SEARCH))
