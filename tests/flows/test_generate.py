"""A video is made whole or not at all, the same for the same request, and says what it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import (
    InputError,
    RefusedError,
    StoppedError,
    StorageError,
    UncheckedError,
)
from tercet.flows.generate import generate
from tercet.flows.generate_request import Request, checked_order, checked_text, parse_size
from tercet.studio.engines.engine import Frame, Order, Progress, Report, Rights, Shot
from tercet.studio.engines.engines import ENGINES, model_folder, open_engine
from tercet.studio.media.decode import facts_of, pictures_of

ENGINE_TESTS = Path(__file__).resolve().parents[1] / "studio" / "engines"
sys.path.insert(0, str(ENGINE_TESTS))

from drawn_engine import DrawnEngine  # noqa: E402

ASKED = Request("a red car, then a boat", 1.5, 64, 64, 8)


def quiet(progress: Progress) -> None:
    """Hear of progress, and say nothing."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "key")


@pytest.fixture
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "key"


def test_everything_stands_beside_the_video(tmp_path: Path, key: Path) -> None:
    told: list[Progress] = []
    out = tmp_path / "out.mp4"
    made = generate(ASKED, out, told.append, engine=DrawnEngine(), key_path=key)
    beside = ["out.credits.json", "out.mp4", "out.spritesheet.jpg", "out.thumbnail.jpg"]
    assert names(tmp_path) == beside
    assert made.files[-1] == made.video == out
    facts = facts_of(out)
    assert (facts.width_px, facts.height_px, facts.frames_per_second) == (64, 64, 8)
    assert len(list(pictures_of(out))) == made.frame_count == 12
    assert (made.duration_s, made.byte_count) == (1.5, out.stat().st_size)
    assert made.rights is Rights.CLEARED
    assert [credit.owner for credit in made.credits] == ["A. Painter"]
    assert [each.word for each in made.unknown] == []
    assert (told[0].done, told[-1].done, told[-1].total) == (1, 12, 12)
    assert told[0].preview is not None
    assert made.taken_s > 0
    document = json.loads(json.dumps(made.document()))
    assert document["rights"] == "cleared works only"
    assert document["origin"] == "composed"


def test_the_same_request_gives_the_same_frames(tmp_path: Path, key: Path) -> None:
    coded = [
        generate(
            asked, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key
        ).coded_sha256
        for asked in (ASKED, ASKED, replace(ASKED, seed=1), replace(ASKED, duration_s=5))
    ]
    assert coded[0] == coded[1]
    assert coded[0] != coded[2]
    assert coded[0] != coded[3]


def test_webm_lies_beside_it_when_asked_for(tmp_path: Path, key: Path) -> None:
    asked = replace(ASKED, webm=True)
    made = generate(asked, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key)
    assert {"out.webm", "out.c2pa"} < set(names(tmp_path))
    assert set(made.coded_sha256) == {"mp4", "webm"}
    assert len(list(pictures_of(tmp_path / "out.webm"))) == 12


def test_words_that_mean_nothing_are_named_and_the_rest_is_made(tmp_path: Path, key: Path) -> None:
    asked = replace(ASKED, prompt="a red carr and four boats, then a zzyzx carr")
    made = generate(asked, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key)
    assert [(each.word, each.near) for each in made.unknown] == [("carr", ("car",)), ("zzyzx", ())]
    assert made.document()["unknown"][0] == {"word": "carr", "near": ["car"]}
    assert made.left_out == ("boat",)
    assert made.frame_count == 12


def test_a_storyboard_that_is_given_decides(tmp_path: Path, key: Path) -> None:
    asked = replace(ASKED, prompt="", shots=(Shot("a car", 0.5), Shot("a boat; a car", 0.25)))
    made = generate(asked, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key)
    assert made.shots == asked.shots
    assert made.frame_count == 6


# Whole or not at all


def test_stopping_leaves_nothing(tmp_path: Path, key: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 5:
            raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        generate(ASKED, tmp_path / "out.mp4", stop, engine=DrawnEngine(), key_path=key)
    assert names(tmp_path) == []


def test_an_engine_without_steps_can_be_stopped_at_each_frame(tmp_path: Path, key: Path) -> None:
    class Silent(DrawnEngine):
        def frames(self, order: Order, report: Report) -> Iterator[Frame]:
            return super().frames(order, quiet)

    heard = 0

    def stop(progress: Progress) -> None:
        nonlocal heard
        heard += 1
        if heard == 3:
            raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        generate(ASKED, tmp_path / "out.mp4", stop, engine=Silent(), key_path=key)
    assert heard == 3


def test_an_older_video_stays_when_a_new_one_fails(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "out.mp4"
    generate(ASKED, out, quiet, engine=DrawnEngine(), key_path=key)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def stop(progress: Progress) -> None:
        raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        generate(replace(ASKED, seed=9), out, stop, engine=DrawnEngine(), key_path=key)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


class Broken(DrawnEngine):
    """Gives what was not ordered."""

    def __init__(self, change: str) -> None:
        self.change = change

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        made = list(super().frames(order, report))
        if self.change == "few":
            yield from made[:-1]
        elif self.change == "many":
            yield from [*made, made[0]]
        else:
            yield from (Frame(frame.picture[:-2], frame.pixels_by_work) for frame in made)

    def provenance(self) -> Mapping[str, str]:
        return {}


@pytest.mark.parametrize(
    ("change", "said"),
    [("few", "11 frames instead of 12"), ("many", "more than 12"), ("small", "instead of (64")],
)
def test_an_engine_that_breaks_its_promise_makes_no_video(
    tmp_path: Path, key: Path, change: str, said: str
) -> None:
    with pytest.raises(UncheckedError) as caught:
        generate(ASKED, tmp_path / "out.mp4", quiet, engine=Broken(change), key_path=key)
    assert said in caught.value.message
    assert names(tmp_path) == []


def test_two_never_make_one_name(tmp_path: Path, key: Path) -> None:
    out, begun, go_on = tmp_path / "out.mp4", threading.Event(), threading.Event()

    def wait(progress: Progress) -> None:
        begun.set()
        assert go_on.wait(30)

    first = threading.Thread(
        target=generate, args=(ASKED, out, wait), kwargs={"engine": DrawnEngine(), "key_path": key}
    )
    first.start()
    assert begun.wait(30)
    with pytest.raises(StorageError, match="another process"):
        generate(ASKED, out, quiet, engine=DrawnEngine(), key_path=key)
    go_on.set()
    first.join(60)
    assert out.is_file()
    assert not [name for name in names(tmp_path) if name.startswith(".")]


MAKING = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from drawn_engine import DrawnEngine
from tercet.core.errors import TercetError
from tercet.flows.generate import generate
from tercet.flows.generate_request import Request

def report(progress):
    if progress.done == {at}:
        print("here", flush=True)
        signal.pause()

if {bytes_max}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_max}, {bytes_max}))
try:
    generate(Request("a red car", {seconds}, 256, 256, 8), Path("out.mp4"), report,
             engine=DrawnEngine(), key_path=Path({key!r}))
except TercetError as error:
    print(type(error).__name__, error.message, flush=True)
"""


def making(key: Path, *, at: int, bytes_max: int, seconds: float) -> list[str]:
    tests = str(ENGINE_TESTS)
    text = MAKING.format(tests=tests, at=at, bytes_max=bytes_max, seconds=seconds, key=str(key))
    return [sys.executable, "-c", text]


def test_kill_leaves_nothing_under_the_name_and_the_next_run_cleans_up(
    tmp_path: Path, key: Path
) -> None:
    command = making(key, at=9, bytes_max=0, seconds=1.5)
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        os.kill(child.pid, signal.SIGKILL)
    assert names(tmp_path) == [".out.mp4.making"]
    assert names(tmp_path / ".out.mp4.making"), "it was killed while it was at work"
    generate(ASKED, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key)
    assert [name for name in names(tmp_path) if name.startswith(".")] == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, key: Path) -> None:
    key.write_bytes(b"")
    key.unlink()
    done = subprocess.run(
        making(key, at=-1, bytes_max=3000, seconds=10), cwd=tmp_path, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.startswith("StorageError cannot write"), done.stdout + done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["out", "out.avi", "none/out.mp4", "folder.mp4", ".mp4"])
def test_names_that_no_video_can_have(tmp_path: Path, key: Path, name: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError):
        generate(ASKED, tmp_path / name, quiet, engine=DrawnEngine(), key_path=key)
    assert names(tmp_path) == ["folder.mp4"]


def test_a_link_in_the_way_of_the_hidden_folder_is_not_followed(tmp_path: Path, key: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    (tmp_path / ".out.mp4.making").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError):
        generate(ASKED, tmp_path / "out.mp4", quiet, engine=DrawnEngine(), key_path=key)
    assert (tmp_path / "precious" / "file").read_text() == "kept"


# What can be asked for


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt": ""}, "is empty"),
        ({"prompt": " \n\t "}, "is empty"),
        ({"prompt": "..."}, "says nothing"),
        ({"prompt": "x" * 2001}, "2,001 characters"),
        ({"prompt": "a car\x00"}, "U+0000"),
        ({"prompt": "a car\x1b[31m"}, "U+001B"),
        ({"prompt": "a car \u202eoat"}, "U+202E"),
        ({"prompt": "a car \udcff"}, "not UTF-8"),
        ({"negative_prompt": "rain\x07"}, "negative prompt"),
        ({"duration_s": 0}, "more than 0"),
        ({"duration_s": -1}, "more than 0"),
        ({"duration_s": 1e6}, "1e+06"),
        ({"duration_s": 60.001}, "at most 60"),
        ({"duration_s": float("nan")}, "nan"),
        ({"duration_s": float("inf")}, "inf"),
        ({"duration_s": 0.01}, "not one frame"),
        ({"width_px": 65}, "even sides"),
        ({"height_px": 62}, "64 to 1920"),
        ({"width_px": 1922}, "64 to 1920"),
        ({"width_px": 0}, "even sides"),
        ({"width_px": -64}, "even sides"),
        ({"frames_per_second": 7}, "8 to 30"),
        ({"frames_per_second": 31}, "8 to 30"),
        ({"seed": -1}, "a seed"),
        ({"seed": 2**53}, "a seed"),
        ({"steps": 201}, "steps"),
        ({"guidance": float("nan")}, "guidance"),
        ({"guidance": -1.0}, "guidance"),
        ({"engine": "hause"}, "no engine 'hause'"),
        ({"shots": (Shot("a", 40), Shot("b", 30))}, "at most 60"),
        ({"shots": (Shot("a", 5), Shot("", 5))}, "shot 2"),
        ({"shots": (Shot("a", 5), Shot("b", -1))}, "more than 0"),
    ],
)
def test_requests_that_cannot_be_made(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_order(replace(ASKED, **changes))  # type: ignore[arg-type]
    assert said in caught.value.message
    assert caught.value.hint


@given(st.text(max_size=100))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        kept = checked_text(text)
    except InputError:
        kept = "refused"
    assert kept
    assert checked_text(kept) == kept
    assert kept.encode("utf-8")


@pytest.mark.parametrize(
    "text", ["", "x", "512", "512x", "x512", "512×512", "512x512x3", "-64x64", "٦٤x٦٤", "1e3x64"]
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="a size like"):
        parse_size(text)


def test_pictures_to_begin_with_are_made_to_fit() -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 15:25] = 255
    order = checked_order(replace(ASKED, first_picture=wide, earlier=(wide,)))
    assert order.first_picture is not None
    assert order.first_picture.shape == order.earlier[0].shape == (64, 64, 3)
    assert order.first_picture.min() == 255


def test_a_picture_of_one_row_is_not_blown_up() -> None:
    thin = np.full((1, 30_000, 3), 7, np.uint8)
    order = checked_order(replace(ASKED, first_picture=thin, width_px=1920, height_px=1920))
    assert order.first_picture is not None
    assert (order.first_picture == 7).all()


# Engines


def test_an_engine_that_may_not_be_cleared_cannot_say_so(tmp_path: Path, key: Path) -> None:
    for name, entry in ENGINES.items():
        asked = replace(ASKED, engine=name)
        out = tmp_path / f"{name}.mp4"
        if entry.may_be_cleared:
            continue
        with pytest.raises(RefusedError, match="may not claim"):
            generate(asked, out, quiet, engine=DrawnEngine(), key_path=key)
        assert not out.exists()
    assert {name for name, entry in ENGINES.items() if entry.may_be_cleared} == {"house", "compose"}


def test_options_that_an_engine_does_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="takes no lora"):
        open_engine("remote", "http://localhost:1", lora="x.safetensors")


def test_models_are_found_by_name_or_path(tmp_path: Path) -> None:
    assert model_folder(str(tmp_path)) == tmp_path
    for name in ("no-such-model", "", "../models", str(tmp_path / "none")):
        with pytest.raises(InputError, match="no model"):
            model_folder(name)
