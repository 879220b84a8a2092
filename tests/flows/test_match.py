"""tercet match: what is told of files, and the page that shows both sides."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from registered import drawing, register, registry_in, save, signing
from small_media import film, prose

from tercet.core.errors import InputError
from tercet.flows.match import ItemMatches, listed, match_items, reject
from tercet.flows.match_drawing_pictures import clipped
from tercet.flows.match_drawing_text import PASSAGE_CHARACTERS_MAX, passages
from tercet.flows.match_drawing_time import peaks
from tercet.flows.match_page import write_page
from tercet.flows.match_words import clock, place_words

HOSTILE = '"><script>alert(1)</script><img src=https://evil.example/x>\u202egnp'


def matches(folder: Path, *items: Path) -> dict[str, ItemMatches]:
    found = match_items(list(items), folder / "registry", workers=1)
    return {Path(each.place.path).name: each for each in found}


def page(folder: Path, *items: ItemMatches) -> str:
    path = folder / "page.html"
    write_page(path, items, folder / "registry", made_at="2026-01-01T00:00:00Z", workers=1)
    return path.read_text("utf-8")


# ---- items ----------------------------------------------------------------------------------


def test_every_file_of_a_folder_is_told_of(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    folder = tmp_path / "items"
    save(folder / "deep" / "copy.jpg", drawing(5), 50)
    save(folder / "other.png", np.full((90, 90, 3), 9, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    (folder / "outside.png").symlink_to("/etc/hostname")
    found = matches(tmp_path, folder)
    assert set(found) == {"copy.jpg", "other.png", "broken.jpg", "outside.png"}
    assert [work.title for work in found["copy.jpg"].found] == ["work"]
    assert found["other.png"] == ItemMatches(
        found["other.png"].place, found["other.png"].medium, found["other.png"].sha256
    )
    assert found["broken.jpg"].problem
    assert found["outside.png"].problem == "link outside"


def test_a_pipe_is_a_problem_and_nothing_waits_for_it(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in matches(tmp_path, tmp_path / "pipe.png")["pipe.png"].problem


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no"):
        list(listed([tmp_path / "nowhere.png"]))
    with pytest.raises(InputError):
        list(match_items([tmp_path], tmp_path / "no-registry", workers=1))


def test_a_rejected_match_is_told_as_rejected(tmp_path: Path) -> None:
    done = register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    item = save(tmp_path / "copy.jpg", drawing(5), 50)
    folder = tmp_path / "registry"
    who = signing(tmp_path, "keeper")
    assert reject(item, done.number, folder, reason="J. Doe", signing=who)
    assert not reject(item, done.number, folder, reason="J. Doe", signing=who)
    assert [work.rejected for work in matches(tmp_path, item)["copy.jpg"].found] == [True]
    with pytest.raises(InputError):
        reject(item, done.number + 1, folder, reason="J. Doe", signing=who)


# ---- the page -------------------------------------------------------------------------------


def assert_self_contained(text: str) -> None:
    tree = html.fromstring(text)
    assert not tree.xpath("//script | //link | //iframe | //object | //embed | //base | //form")
    for value in tree.xpath("//@href | //@src | //@srcset | //@action | //@background"):
        assert value.startswith(("data:image/jpeg;base64,", "#"))
    assert not [name for node in tree.iter() for name in node.attrib if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_pictures_stand_side_by_side_with_outlines(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    around = np.full((900, 1200, 3), 235, np.uint8)
    around[300:720, 500:1060] = drawing(5)
    item = save(tmp_path / "item.jpg", around)
    text = page(tmp_path, *matches(tmp_path, item).values())
    assert_self_contained(text)
    tree = html.fromstring(text)
    first, second = tree.xpath("//svg[@class='picture']")
    width = float(first.attrib["viewbox"].split()[2])
    points = first.xpath(".//polygon[@class='over']/@points")[0]
    across = [float(pair.split(",")[0]) for pair in points.split()]
    assert min(across) == pytest.approx(width * 500 / 1200, abs=width / 60)
    assert max(across) == pytest.approx(width * 1060 / 1200, abs=width / 60)
    assert second.xpath(".//title/text()") == ["the work"]


def test_a_work_that_was_moved_is_shown_from_its_preview_or_not_at_all(tmp_path: Path) -> None:
    source = save(tmp_path / "work.png", drawing(5))
    done = register(tmp_path, source)
    item = save(tmp_path / "item.jpg", drawing(5), 50)
    save(source, drawing(6))  # another picture lies there now: it must not be shown as the work
    shown = list(matches(tmp_path, item).values())
    text = page(tmp_path, *shown)
    assert "no picture of it is kept" in text
    assert len(html.fromstring(text).xpath("//svg[@class='picture']")) == 1
    preview = registry_in(tmp_path).preview_path(done.number)
    preview.parent.mkdir(parents=True, exist_ok=True)
    small = save(tmp_path / "small.jpg", drawing(5)[::2, ::2])
    preview.write_bytes(small.read_bytes())
    assert "as the registry keeps it" in page(tmp_path, *shown)


def test_videos_show_the_same_moments_and_sound_the_same_stretch(tmp_path: Path) -> None:
    for name, raw in (
        ("film.mp4", film("mp4", "libx264", "", seconds=6)),
        ("sound.wav", film("wav", "", "pcm_s16le", seconds=5)),
    ):
        (tmp_path / name).write_bytes(raw)
        register(tmp_path, tmp_path / name)
    (tmp_path / "copy.avi").write_bytes(film("avi", "mpeg4", "", seconds=6))
    (tmp_path / "copy.mp3").write_bytes(film("mp3", "", "libmp3lame", seconds=5))
    found = matches(tmp_path, tmp_path / "copy.avi", tmp_path / "copy.mp3")
    text = page(tmp_path, *found.values())
    assert_self_contained(text)
    tree = html.fromstring(text)
    assert [work.title for work in found["copy.avi"].found] == ["film"]
    assert len(tree.xpath("//svg[@class='picture']")) >= 2
    assert tree.xpath("//svg[@class='strip bar-of-time']//rect[@class='found']")
    assert [work.title for work in found["copy.mp3"].found] == ["sound"]
    assert len(tree.xpath("//svg[@class='strip']//path")) == 4  # both, whole and enlarged


def test_hostile_names_do_nothing(tmp_path: Path) -> None:
    source = tmp_path / "work.txt"
    words = prose(4, 300)
    source.write_text(f"<script>alert(2)</script> {words}", "utf-8")
    register(tmp_path, source, owner=HOSTILE)
    folder = tmp_path / "items"
    folder.mkdir()
    name = HOSTILE.replace("/", "_") + ".txt"
    (folder / name).write_text(f"{words} <script>alert(2)</script>", "utf-8")
    (folder / f"broken{name}.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    text = page(tmp_path, *matches(tmp_path, folder).values())
    assert_self_contained(text)
    assert "\u202e" not in text
    assert "<script" not in text.lower()
    assert words[400:430] in re.sub(r"<[^>]+>", "", text)


# ---- texts ----------------------------------------------------------------------------------


def marked(markup: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", part) for part in re.findall(r"<mark>(.*?)</mark>", markup)]


def test_equal_words_are_marked_and_changed_ones_are_not() -> None:
    item, work = "before One two THREE four five after", "start one two three 4 five end"
    mine, theirs = passages(item, (7, 30), work, (6, 26))
    assert marked(mine) == ["One two THREE", "five"]
    assert marked(theirs) == ["one two three", "five"]
    assert '<span class="around">before </span>' in mine
    assert 'dir="auto"' in mine


def test_scripts_without_spaces_are_compared_letter_by_letter() -> None:
    mine, theirs = passages("吾輩は猫である", (0, 7), "吾輩は犬である", (0, 7))
    assert marked(mine) == marked(theirs) == ["吾輩は", "である"]


@given(st.text(max_size=80), st.text(max_size=80), st.integers(-5, 90), st.integers(-5, 90))
def test_any_spans_can_be_shown(item: str, work: str, start: int, end: int) -> None:
    for side in passages(item, (start, end), work, (end, start)):
        assert side.count("<mark>") == side.count("</mark>")
        assert "<blockquote" in side


def test_long_passages_are_cut(tmp_path: Path) -> None:
    text = "word " * 100_000
    mine, _ = passages(text, (0, len(text)), text, (0, len(text)))
    assert len(mine) < 2 * PASSAGE_CHARACTERS_MAX
    assert "[…]" in mine


# ---- pieces ---------------------------------------------------------------------------------

points = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


@given(st.lists(points, min_size=3, max_size=6))
def test_what_is_clipped_lies_in_the_picture(polygon: list[tuple[float, float]]) -> None:
    assert all(-1e-9 <= edge <= 1 + 1e-9 for point in clipped(polygon) for edge in point)


def test_clipping_keeps_what_is_inside() -> None:
    square = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.9), (0.2, 0.9)]
    assert np.allclose(clipped(square), square)
    around = [(-1.0, -1.0), (2.0, -1.0), (2.0, 2.0), (-1.0, 2.0)]
    assert sorted(clipped(around)) == [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    assert clipped([(2.0, 2.0), (3.0, 2.0), (3.0, 3.0)]) == []


def test_peaks_follow_the_sound(tmp_path: Path) -> None:
    import io
    import wave

    raw = io.BytesIO()
    with wave.open(raw, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        loud = (np.sin(np.arange(8000) / 3) * 20_000).astype("<i2")
        out.writeframes(bytes(16_000) + loud.tobytes() + bytes(16_000))
    levels = peaks(raw, 0.0, 3.0)
    assert levels is not None
    third = len(levels) // 3
    assert levels[: third - 8].max() < 0.05
    assert levels[third + 8 : 2 * third - 8].min() > 0.9
    assert peaks(io.BytesIO(b"no sound"), 0.0, 1.0) is None


def test_words_for_places() -> None:
    assert [clock(value) for value in (0, 7.46, 61, 3725.04)] == [
        "0:00.0", "0:07.5", "1:01.0", "1:02:05.0"
    ]  # fmt: skip
    assert place_words([]) == "all of it"
    assert place_words([{"quad_per_mille": [[0, 0], [1000, 0], [1000, 1000], [0, 1000]]}]) == (
        "the whole picture"
    )
    assert place_words([{"quad_per_mille": [[-90, 100], [455, 100], [455, 900], [-90, 900]]}]) == (
        "0 to 46 % across, 10 to 90 % down"
    )
    many = [{"start_ms": at * 1000, "end_ms": at * 1000 + 500} for at in range(5)]
    assert place_words(many).endswith("0:02.0 to 0:02.5 and 2 more")
