"""tercet generate as a person types it: what is printed, what is refused, and nothing lost."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tercet.cli.main import main
from tercet.studio.engines import engines
from tercet.studio.media.still import StillFormat, still_bytes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "studio" / "engines"))
DRAWN = engines.EngineEntry("drawn_engine", "draws", "", may_be_cleared=True)
SMALL = ("--size", "64x64", "--fps", "8", "--seconds", "1", "-o", "out.mp4")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: its exit status and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def _drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "house", DRAWN)
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def generate(*arguments: str) -> Done:
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
        pytest.raises(SystemExit) as left,
    ):
        main(["generate", *arguments])
    assert isinstance(left.value.code, int)
    return Done(left.value.code, out.getvalue(), err.getvalue())


def refused(done: Done, status: int = 2) -> str:
    """Check that an error is shown as all errors are, and that there is no video."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "\nhint: " in done.stderr
    assert not list(Path.cwd().glob("*.mp4"))
    assert not list(Path.cwd().glob(".*.making"))
    return next(line for line in done.stderr.splitlines() if line.startswith("error: "))


def test_a_prompt_becomes_a_video_and_the_mark_is_told() -> None:
    done = generate("a red carr, then a boat", *SMALL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("out.mp4: 1 s, 64x64, 8 frames a second, ")
    assert lines[1] == "engine   drawn, composed: cleared works only"
    assert lines[2] == "credits  1 work of 1 owner (exact)"
    assert {line.strip() for line in lines[3:]} == {
        "out.credits.json", "out.spritesheet.jpg", "out.thumbnail.jpg",
    }  # fmt: skip
    assert "unknown  carr: did you mean car?" in done.stderr
    assert done.stderr.count("making the video 8 of 8") == 1
    assert Path("out.mp4").is_file()


def test_json_is_the_only_thing_on_stdout() -> None:
    done = generate("a red car", *SMALL, "--webm", "--json")
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert document["rights"] == "cleared works only"
    assert document["engine"] == "drawn"
    assert sorted(document["files"])[:2] == ["out.c2pa", "out.credits.json"]
    assert document["shots"] == [{"prompt": "a red car", "seconds": 1.0}]
    assert set(document["coded_sha256"]) == {"mp4", "webm"}


def test_a_storyboard_from_a_file() -> None:
    Path("board.json").write_text(
        '[{"prompt": "a car", "seconds": 0.5}, {"prompt": "b", "seconds": 1}]'
    )
    arguments = ("--storyboard", "board.json", "--size", "64x64", "--fps", "8", "-o", "out.mp4")
    done = generate(*arguments, "--json")
    assert json.loads(done.stdout)["frame_count"] == 12
    assert "not 10" in generate(*arguments, "--seconds", "10").stderr


def test_a_picture_to_begin_with() -> None:
    picture = still_bytes(np.full((40, 60, 3), 99, np.uint8), StillFormat.JPEG)
    Path("first.jpg").write_bytes(picture)
    assert generate("a car", *SMALL, "--input", "first.jpg").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "either a PROMPT or a --storyboard"),
        (("a car", "--storyboard", "board.json"), "either a PROMPT or a --storyboard"),
        (("",), "the prompt is empty"),
        (("  ",), "the prompt is empty"),
        (("x" * 10**6,), "1,000,000 characters"),
        (("a car \udcff",), "not UTF-8"),
        (("a car\x1b[2J",), "control character U+001B"),
        (("a car", "--seconds", "0"), "more than 0"),
        (("a car", "--seconds", "1000000"), "at most 60"),
        (("a car", "--seconds", "nan"), "more than 0"),
        (("a car", "--seconds", "ten"), "not a valid float"),
        (("a car", "--size", "63x64"), "even sides"),
        (("a car", "--size", "64"), "a size like"),
        (("a car", "--size", "100000x100000"), "even sides"),
        (("a car", "--fps", "1000"), "frames a second of 8 to 30"),
        (("a car", "--seed", "-1"), "a seed of 0"),
        (("a car", "--steps", "100000"), "steps of 0 to"),
        (("a car", "--engine", "huose"), "no engine 'huose'"),
        (("a car", "--engine", "remote"), "needs a server"),
        (("a car", "--engine", "remote", "--model", "\x1b[31m"), "no address"),
        (("a car", "--lora", "x.safetensors"), "takes no lora"),
        (("a car", "-o", "out.avi"), "ends in .mp4"),
        (("a car", "-o", "none/out.mp4"), "no folder"),
        (("a car", "--input", "none.png"), "no file none.png"),
        (("a car", "--input", "text.png"), "JPEG, PNG or WebP"),
        (("a car", "--input", "torn.png"), "broken"),
        (("--storyboard", "none.json"), "no file none.json"),
        (("--storyboard", "text.png"), "not JSON"),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_leaves_nothing(arguments: tuple[str, ...], said: str) -> None:
    Path("text.png").write_text("hello")
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000100000001008020000009091683600")
    Path("torn.png").write_bytes(png)
    done = generate(*SMALL, *arguments)
    assert said in refused(done)
    assert "\x1b" not in done.stderr


def test_an_unknown_engine_gets_a_near_one() -> None:
    assert "did you mean house?" in generate("a car", *SMALL, "--engine", "huose").stderr


def test_a_folder_that_cannot_be_written_is_a_matter_of_storage() -> None:
    assert "cannot write" in refused(generate("a car", *SMALL, "-o", "/proc/out.mp4"), 3)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom tercet.cli.main import main\n"
        "try:\n    main(['generate', '--help'])\nexcept SystemExit:\n"
        "    print([name for name in ('torch', 'cv2', 'av', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "[]"
