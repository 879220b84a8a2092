"""The tour, run: each example site gets the verdict that its files call for.

What a site says stands in examples/sites; what follows from it under `strict` is written here by
hand, from the policy's own words, not from what the program prints.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {
    "http://open-photos.example/photos/harbour.jpg": ("cleared", "granted_by_aipref"),
    "http://open-photos.example/members/portrait.jpg": ("blocked", "denied_by_aipref"),
    "http://newsroom.example/2026/11/flood.mp4": ("blocked", "denied_by_robots"),
    "http://press-agency.example/pictures/0001.jpg": ("offered", "offer_from_rsl"),
    "http://press-agency.example/clips/0001.mp4": ("offered", "needs_payment"),
    "http://museum.example/works/bowl.html": ("cleared", "granted_by_licence"),
    "http://museum.example/works/poster.html": ("cleared", "duty_attribution"),
    "http://museum.example/works/sculpture.html": ("blocked", "needs_non_commercial"),
    "http://university-press.example/open/preprint.pdf": ("blocked", "no_grant"),
    "http://university-press.example/books/atlas.pdf": ("blocked", "denied_by_tdmrep"),
    "http://university-press.example/books/novel.epub": ("blocked", "denied_by_tdmrep"),
    "http://illustrators.example/ines/fox.png": ("blocked", "denied_by_ai_txt"),
    "http://illustrators.example/tom/jingle.mp3": ("blocked", "no_grant"),
    "http://video-archive.example/reels/1961.mp4": ("blocked", "denied_by_content_signal"),
    "http://signals-yes.example/films/river.webm": ("cleared", "granted_by_content_signal"),
    "http://stock.example/s/100.jpg": ("blocked", "denied_by_x_robots"),
    "http://makers.example/clips/kiln.mp4": ("cleared", "granted_by_aipref"),
    "http://quiet-blog.example/img/cat.jpg": ("blocked", "no_grant"),
    "http://quiet-blog.example/img/tree.jpg": ("cleared", "granted_by_licence"),
    "http://quiet-blog.example/img/fence.jpg": ("blocked", "needs_no_derivatives"),
    "http://flaky.example/a.jpg": ("held", "unchecked"),
    "http://toll-road.example/v/1.mp4": ("held", "unchecked"),
    "http://[not-a-host/x.jpg": ("held", "url_invalid"),
    "image/demo.png": ("cleared", "duty_attribution"),
    "video/demo.mp4": ("blocked", "denied_by_plus"),
    "video/demo.mov": ("blocked", "no_grant"),
}
ROWS = 40

pytestmark = pytest.mark.xdist_group("tour")  # one worker, one tour


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("tour")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "tour.py", folder],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "tour", done.stdout


def test_every_site_gets_what_it_says(tour: tuple[Path, str]) -> None:
    rows = pq.read_table(tour[0] / "out" / "verdicts.parquet").to_pylist()
    found = {row["item"]: (row["verdict"], row["reasons"]) for row in rows}
    wrong = {
        item: found.get(item)
        for item, (verdict, reason) in EXPECTED.items()
        if item not in found or found[item][0] != verdict or reason not in found[item][1]
    }
    assert not wrong


def test_damaged_files_never_clear(tour: tuple[Path, str]) -> None:
    rows = pq.read_table(tour[0] / "out" / "verdicts.parquet").to_pylist()
    damaged = [row["verdict"] for row in rows if "broken-files" in row["item"]]
    assert damaged
    assert set(damaged) <= {"blocked", "held"}


def test_rows_out_are_rows_in_and_the_counts_agree(tour: tuple[Path, str]) -> None:
    rows = pq.read_table(tour[0] / "out" / "verdicts.parquet").to_pylist()
    media = [row for row in rows if not row["item"].startswith(("http", "row:"))]
    assert len(rows) == ROWS + len(media)
    assert len(media) > 20
    said = json.loads((tour[0] / "out" / "clearance.json").read_bytes())
    text = json.dumps(said)
    for verdict in ("cleared", "offered", "blocked", "held"):
        count = sum(row["verdict"] == verdict for row in rows)
        assert f'"{verdict}": {count}' in text


def test_it_shows_the_table_and_leaves_the_report(tour: tuple[Path, str]) -> None:
    folder, shown = tour
    report = folder / "out" / "report.html"
    assert str(report.resolve()) in shown
    assert "press-agency.example" in report.read_text("utf-8")
    assert "newsroom.example" in shown
    assert "Disallow: /" in shown  # explain quotes the line


def test_it_finds_the_works_in_their_edited_copies_and_in_nothing_else(
    tour: tuple[Path, str],
) -> None:
    rows = pq.read_table(tour[0] / "out-copies" / "verdicts.parquet").to_pylist()
    found = {row["item"]: row["reasons"] for row in rows}
    copies = {"collage.jpg", "mirrored.jpg", "excerpt.mp4", "faster.mp3", "quotation.txt"}
    assert {item for item, why in found.items() if why == ["denied_by_registry"]} == copies
    assert set(found) - copies == {"blank.png", "licence.txt", "silence.mp3"}
    assert (tour[0] / "match.html").stat().st_size > 10_000


def test_what_was_licensed_is_cleared_and_nothing_else_changes(tour: tuple[Path, str]) -> None:
    before, after = (
        {
            row["item"]: row["verdict"]
            for row in pq.read_table(tour[0] / name / "verdicts.parquet").to_pylist()
        }
        for name in ("out", "out-licensed")
    )
    offered = {item for item, verdict in before.items() if verdict == "offered"}
    assert {item for item in before if before[item] != after[item]} == offered
    assert {after[item] for item in offered} == {"cleared"}
    assert "Total before negotiation: EUR 0.08" in tour[1]
    assert "Total after negotiation:  EUR 0.056" in tour[1]
