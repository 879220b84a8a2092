"""Real clips: cut into windows, cleared by their manifest, and trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from small_clips import write_clips, write_video
from small_corpora import verdicts
from train_corpora import cleared, training, write_works

from tercet.cli.corpus_clips import clips as clips_command
from tercet.core.errors import InputError, UndecodableError
from tercet.flows.check_clips import check_clips
from tercet.flows.train import train
from tercet.studio.clip_windows import clip_windows, squared
from tercet.studio.training_record import parse_works
from tercet.studio.training_samples import Windows, WindowSamples


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def shades(windows: np.ndarray) -> list[int]:
    return [round(float(frame.mean()) / 3) for window in windows for frame in window]


def test_windows_follow_one_another(tmp_path: Path) -> None:
    """At 8 pictures a second, 16 frames in 5 s are 2.5 pictures apart."""
    write_video(tmp_path / "a.mp4", 10.0)
    windows = clip_windows(tmp_path / "a.mp4")
    assert windows.shape == (2, 16, 64, 64, 3)
    expected = [round(at * 2.5) for at in range(32)]
    assert np.abs(np.subtract(shades(windows), expected)).max() <= 1


def test_only_the_part_that_was_given(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 10.0)
    windows = clip_windows(tmp_path / "a.mp4", start_s=2.0, end_s=9.0)
    assert len(windows) == 1  # the rest of 2 s is no window
    found = shades(windows)
    assert abs(found[0] - 16) <= 1
    assert max(found) <= 9 * 8


def test_a_short_clip_is_one_window(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 2.0)
    windows = clip_windows(tmp_path / "a.mp4")
    assert windows.shape == (1, 16, 64, 64, 3)
    found = shades(windows)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 15)


def test_what_is_too_short_or_no_video(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 0.25)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    for name, said in (("a.mp4", "at least 0.5 seconds"), ("b.mp4", "expected a video")):
        with pytest.raises(UndecodableError, match=said):
            clip_windows(tmp_path / name)
    write_video(tmp_path / "c.mp4", 2.0)
    with pytest.raises(UndecodableError, match="got 0 pictures"):
        clip_windows(tmp_path / "c.mp4", start_s=5.0)


def test_the_middle_square() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 2:6] = 200
    assert (squared(picture, 4) == 200).all()


def test_every_window_once_before_any_twice() -> None:
    pixels = [np.full((n, 2, 4, 4, 3), n, np.uint8) for n in (1, 3, 2)]
    clips = [Windows(f"{at}" * 64, f"o{at}", "words", own) for at, own in enumerate(pixels)]
    source = WindowSamples(clips, seed=3)
    rounds = [[source.sample(6 * turn + at).record for at in range(6)] for turn in range(3)]
    sources = [[record.source for record in records] for records in rounds]
    assert all(len(set(each)) == 6 for each in sources)
    assert sources[0] != sources[1] or sources[1] != sources[2]
    again = WindowSamples(list(reversed(clips)), seed=3)
    assert [again.sample(at).record for at in reversed(range(18))] == [
        record for records in reversed(rounds) for record in reversed(records)
    ]


def test_clips_are_cleared_and_trained_on(tmp_path: Path) -> None:
    manifest = write_clips(
        tmp_path / "in", [{}, {"licence": "All rights reserved"}, {"seconds": 11.0, "end_s": 6.0}]
    )
    assert check_clips(tmp_path / "in").problems == ()
    out = cleared(tmp_path, manifest)
    assert [row["verdict"] for row in verdicts(out)] == ["cleared", "blocked", "cleared"]
    trained = train(training(tmp_path, steps=2))
    works = parse_works((tmp_path / "run/model/works.jsonl").read_bytes())
    assert {(work.item, work.owner, work.use) for work in works} == {
        ("clips/0.mp4", "owner 0", "clip"),
        ("clips/2.mp4", "owner 2", "clip"),
    }
    assert trained.record["order"]["clips"] == 2
    again = train(training(tmp_path, steps=2))
    assert again.chain == trained.chain


def test_drawings_and_clips_by_turns(tmp_path: Path) -> None:
    manifest = write_clips(tmp_path / "a", [{}])
    table = write_works(tmp_path / "b", {"car-1": "CC0-1.0"})
    cleared(tmp_path, manifest, table)
    train(training(tmp_path, steps=1))
    works = parse_works((tmp_path / "run/model/works.jsonl").read_bytes())
    assert sorted(work.use for work in works) == ["clip", "sprite"]


def test_every_problem_of_a_manifest_is_told(tmp_path: Path) -> None:
    manifest = write_clips(tmp_path, [{}, {"start_s": 60}, {"caption": ""}, {}, {}])
    (tmp_path / "clips/3.mp4").write_bytes(b"another")
    (tmp_path / "clips/4.mp4").unlink()
    with manifest.open("a") as file:
        file.write("{\n")
    found = check_clips(manifest)
    assert [problem.line for problem in found.problems] == [2, 3, 4, 5, 6]
    said = ["start_s is 60", "caption: expected text", "has SHA-256", "cannot read", "JSON object"]
    for problem, text in zip(found.problems, said, strict=True):
        assert text in problem.text
        assert problem.hint
    assert len(found.clips) == 1
    assert found.duration_s == pytest.approx(6.0, abs=0.2)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        check_clips(tmp_path)
    (tmp_path / "clips.jsonl").write_bytes(b"\n")
    assert "has no lines" in check_clips(tmp_path).problems[0].text


def test_the_command(tmp_path: Path) -> None:
    write_clips(tmp_path, [{}, {}])
    done = CliRunner().invoke(clips_command, [str(tmp_path)], standalone_mode=False)
    assert done.return_value == 0
    assert "2 sound clips by 2 owners, 12.0 s" in done.output
    (tmp_path / "clips/1.mp4").write_bytes(b"x")
    done = CliRunner().invoke(clips_command, [str(tmp_path), "--json"], standalone_mode=False)
    assert done.return_value == 1
    found = json.loads(done.stdout)
    assert (found["clips"], len(found["problems"])) == (1, 1)
