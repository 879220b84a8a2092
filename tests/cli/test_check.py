"""tercet check on the command line: what it prints, and how it exits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tercet.cli.main import main
from tercet.flows.check import STANDINGS, Standing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flows"))

from made_videos import Drawn, copied, made_video


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    made_video(tmp_path / "a.mp4")
    return tmp_path / "a.mp4"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["check", *map(str, arguments)])
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out, said.err


def test_intact(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, video)
    assert (status, err) == (0, "")
    assert out.startswith("intact: ")
    assert 'rights       "cleared works only", says who signed it; no training record' in out
    assert "credits      2 works, 2 owners (exact)" in out
    assert "DIFFERS" not in out


def test_altered_says_that_nothing_of_it_is_sure(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = bytearray(video.read_bytes())
    raw[-50] ^= 4
    video.write_bytes(raw)
    status, out, _ = run(capsys, video)
    assert status == 1
    assert out.startswith("altered: ")
    assert "what it says of itself; it was altered, so none of this is sure" in out


def test_unsigned(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, copied(video, tmp_path / "b.mp4", "mp4"))
    assert (status, out) == (3, "unsigned: no credentials: nothing can be said\n")
    assert "strip credentials" in err


def test_a_stranger(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_video(tmp_path / "b.mp4", key_path=tmp_path / "stranger" / "key")
    status, out, err = run(capsys, tmp_path / "b.mp4")
    assert status == 3
    assert "anybody could have written this" in out
    assert "--trust" in err
    assert run(capsys, tmp_path / "b.mp4", "--trust",
               tmp_path / "stranger" / "credentials-root.pem")[0] == 0  # fmt: skip


def test_json(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, video, "--json")
    document = json.loads(out)
    assert (status, document["type"], document["exit_status"]) == (0, "tercet/check@1", 0)
    assert document["credentials"]["making"]["rights"] == "cleared works only"
    assert document["credits"]["works"] == 2


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, tmp_path / "none.mp4", "--json")
    assert (status, out) == (2, "")
    assert "there is no file" in json.loads(err)["title"]


def test_names_of_strangers_steer_no_terminal(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_video(tmp_path / "b.mp4", Drawn(name="\x1b]0;owned\x07", model="\x1b[2J\u202e"))
    _, out, _ = run(capsys, tmp_path / "b.mp4")
    assert "owned" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_every_standing_has_its_words_here_and_on_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/commands/check.md").read_text("utf-8")
    assert set(STANDINGS) == set(Standing)
    assert all(f"| `{standing.value}` |" in page for standing in Standing)
