"""Fingerprinting a file: whatever it is, it ends with fingerprints or with a problem in words."""

from __future__ import annotations

import io
import os
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import iscc_samples
import numpy as np
import pytest
from hostile_media import BOMBS, gif, wav
from registered import drawing, save
from small_media import film

from tercet.core.ids import sha256_hex
from tercet.core.limits import FINGERPRINT_SECONDS_MAX
from tercet.core.work import Medium
from tercet.flows import fingerprinting
from tercet.flows.fingerprinting import (
    FileFingerprints,
    MediaPlace,
    fingerprint_all,
    fingerprint_file,
    fingerprinting_guard,
)
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map

SAMPLES = Path(iscc_samples.__file__).parent / "files"
HARMLESS = {"drawing.svg", "playlist.m3u8", "divisions_in_divisions.html", "frames_without_end.gif",
            "brackets.html"}  # fmt: skip
"""What is bounded by work done, not by a refusal: text without words, pictures without content."""


def of_file(path: Path) -> FileFingerprints:
    return fingerprint_file(str(path), 0, path.stat().st_size, path.name)


def written(folder: Path, name: str, raw: bytes) -> MediaPlace:
    path = folder / name
    path.write_bytes(raw)
    return MediaPlace(str(path), 0, len(raw), name)


def test_every_medium_by_its_content_whatever_its_name(tmp_path: Path) -> None:
    names = {"image/demo.jpg": "image-1", "audio/short.wav": "audio-1", "text/demo.txt": "text-1"}
    for name, method in names.items():
        disguised = tmp_path / "invoice.mp4"
        disguised.write_bytes((SAMPLES / name).read_bytes())
        found = of_file(disguised)
        assert found == replace(of_file(SAMPLES / name), fingerprints=found.fingerprints)
        assert [each.method for each in found.fingerprints] == [method]
        assert found.problem == ""
        assert found.sha256 == sha256_hex((SAMPLES / name).read_bytes())
        assert found.iscc.startswith("ISCC:K")


def test_a_video_has_its_picture_and_its_sound(tmp_path: Path) -> None:
    path = written(tmp_path, "film.bin", film("mp4", "libx264", "aac", seconds=4)).path
    found = of_file(Path(path))
    assert found.medium is Medium.VIDEO
    assert [each.method for each in found.fingerprints] == ["video-1", "audio-1"]
    strip = cv2.imdecode(_array(found.preview), cv2.IMREAD_COLOR)
    assert max(strip.shape) <= 320
    assert strip.shape[1] > 3 * strip.shape[0]  # frames side by side


def test_a_preview_is_small_and_shows_the_picture(tmp_path: Path) -> None:
    picture = drawing(3, (900, 1400))
    found = of_file(save(tmp_path / "large.png", picture))
    seen = cv2.imdecode(_array(found.preview), cv2.IMREAD_COLOR)
    assert seen.shape[1] == 320
    small = cv2.resize(picture, seen.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert cv2.absdiff(seen, small).mean() < 8


def _array(raw: bytes) -> object:
    import numpy as np

    return np.frombuffer(raw, np.uint8)


def test_a_member_of_an_archive_is_the_file_itself(tmp_path: Path) -> None:
    """Nothing outside the member is read: neither its neighbours nor the archive's own headers."""
    names = ("image/demo.jpg", "audio/short.wav", "video/demo.gif", "text/demo.txt")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for name in names:
            archive.add(SAMPLES / name, name)
    with tarfile.open(tmp_path / "all.tar") as archive:
        for member in archive:
            place = str(tmp_path / "all.tar")
            inside = fingerprint_file(place, member.offset_data, member.size, member.name)
            alone = of_file(SAMPLES / member.name)
            assert (inside.sha256, inside.iscc, inside.preview) == (
                alone.sha256, alone.iscc, alone.preview
            )  # fmt: skip
            for one, other in zip(inside.fingerprints, alone.fingerprints, strict=True):
                for track in one.tracks:
                    assert (one.tracks[track].keys == other.tracks[track].keys).all()


def test_a_moving_webp_is_a_video(tmp_path: Path) -> None:
    from PIL import Image

    frames = [Image.fromarray(drawing(1)[at : at + 200, at : at + 260, ::-1]) for at in
              range(0, 60, 5)]  # fmt: skip
    raw = io.BytesIO()
    frames[0].save(raw, "WEBP", save_all=True, append_images=frames[1:], duration=500)
    found = of_file(Path(written(tmp_path, "moving.webp", raw.getvalue()).path))
    assert (found.medium, found.problem) == (Medium.VIDEO, "")
    assert found.fingerprints[0].extent[0] == pytest.approx(5.5, abs=0.3)


# ---- what is no file, or not all of it ------------------------------------------------------


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zeros.jpg").symlink_to("/dev/zero")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle.jpg").symlink_to(tmp_path / "circle.jpg")
    (tmp_path / "folder.png").mkdir()
    for path in sorted(tmp_path.iterdir()):
        found = fingerprint_file(str(path), 0, 100, path.name)
        assert found.problem.startswith("cannot read"), path
        assert found.medium is None


@pytest.mark.parametrize(("offset", "size"), [(0, 5), (3, 2), (-1, 2), (0, -1), (0, 2**60)])
def test_a_place_outside_the_file_is_a_problem(tmp_path: Path, offset: int, size: int) -> None:
    path = written(tmp_path, "four.txt", b"four").path
    assert fingerprint_file(path, offset, size, "four.txt").problem


def test_reading_far_behind_the_end_is_reading_nothing(tmp_path: Path) -> None:
    """Damaged WMV headers made a decoder seek beyond what the system can."""
    with fingerprinting.opened_media(written(tmp_path, "four.txt", b"four")) as file:
        for at in (4, 5, 2**62, 2**63 - 1, 2**80):
            file.raw.seek(at)
            assert file.raw.read(1) == b""
        file.seek(2)
        assert file.read() == b"ur"


# ---- bombs ----------------------------------------------------------------------------------

SLOW = {"frames_without_end.gif", "dots_without_end.gif", "tiny_packets.avi", "brackets.html",
        "divisions_in_divisions.html"}  # fmt: skip


def test_bombs_end_as_problems(tmp_path: Path) -> None:
    names = [name for name in BOMBS if name not in SLOW]
    places = (written(tmp_path, name, BOMBS[name]()) for name in names)
    found = dict(_by_name(fingerprint_all(places, workers=1)))
    assert set(found) == set(names)
    unnoticed = {name for name, each in found.items() if not each.problem}
    assert unnoticed <= HARMLESS
    claiming = {name for name, each in found.items() if any(not f.unfit for f in each.fingerprints)}
    assert not claiming
    ended = {name for name, each in found.items() if not each.sha256}
    assert not ended, "refused before anything is allocated: no child dies of these"


def test_bombs_of_work_end_within_the_limits(tmp_path: Path) -> None:
    places = (written(tmp_path, name, BOMBS[name]()) for name in sorted(SLOW))
    started = time.monotonic()
    found = dict(_by_name(fingerprint_all(places, workers=1)))
    assert set(found) == SLOW
    assert time.monotonic() - started < len(SLOW) * FINGERPRINT_SECONDS_MAX
    assert all(each.problem or name in HARMLESS for name, each in found.items())


def _by_name(
    results: Iterator[tuple[MediaPlace, FileFingerprints]],
) -> Iterator[tuple[str, FileFingerprints]]:
    for place, found in results:
        yield place.name, found


def test_a_sound_of_no_samples_is_not_taken_for_silence(tmp_path: Path) -> None:
    found = of_file(Path(written(tmp_path, "long.wav", wav(0xFFFFFFFF)).path))
    assert "without one sample" in found.problem


# ---- children -------------------------------------------------------------------------------


def test_a_decoder_that_crashes_costs_its_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A native crash is a signal: the parent must live, say so, and go on with the rest."""

    def crash(file: object, size: int, kind: object, name: str) -> None:
        if name == "crash.txt":
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(fingerprinting, "_text", _then(crash, fingerprinting._text))
    text = (SAMPLES / "text" / "demo.txt").read_bytes()
    names = ("before.txt", "crash.txt", "after.txt")
    found = dict(_by_name(fingerprint_all((written(tmp_path, n, text) for n in names), workers=1)))
    assert {name: bool(each.problem) for name, each in found.items()} == {
        "before.txt": False, "crash.txt": True, "after.txt": False,
    }  # fmt: skip
    assert "died" in found["crash.txt"].problem


def _then(first: Callable[..., None], second: Callable[..., object]) -> Callable[..., object]:
    def both(*arguments: object) -> object:
        first(*arguments)
        return second(*arguments)

    return both


def test_memory_beyond_the_limit_costs_its_file_only(tmp_path: Path) -> None:
    places = [written(tmp_path, "large.gif", gif(8_000, 8_000, 2))]
    places.append(written(tmp_path, "small.txt", (SAMPLES / "text" / "demo.txt").read_bytes()))
    guard = replace(fingerprinting_guard(), memory_bytes=48 * 1024 * 1024)
    found = {
        place.name: result
        for place, result in guarded_map(
            fingerprinting.fingerprint_place, iter(places), workers=1, guard=guard
        )
    }
    large = found["large.gif"]
    assert isinstance(large, Casualty) or large.problem
    assert set(found) == {"large.gif", "small.txt"}


def test_big_files_may_take_longer() -> None:
    guard = fingerprinting_guard()
    small, film = MediaPlace("", 0, 1_000, ""), MediaPlace("", 0, 2_000_000_000, "")
    assert guard.seconds_for(small) == pytest.approx(FINGERPRINT_SECONDS_MAX, abs=1)
    assert guard.seconds_for(film) > 60 * FINGERPRINT_SECONDS_MAX
    assert Guard(5.0, 1).seconds_for(film) == 5.0


def test_a_second_track_of_sound_is_said_to_be_left_out(tmp_path: Path) -> None:
    def recording(tracks: int) -> FileFingerprints:
        path = tmp_path / f"{tracks}.mka"
        with av.open(str(path), "w", format="matroska") as container:
            streams = [container.add_stream("pcm_s16le", rate=8000) for _ in range(tracks)]
            noise = np.random.default_rng(5).integers(-9000, 9000, (1, 40_000)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, 0
            for stream in streams:
                container.mux(stream.encode(frame))
        return of_file(path)

    assert not recording(1).problem
    assert recording(2).problem == "only the first track of sound was looked at"
