"""Another server's videos, over a real connection: bounded, stoppable, never "cleared"."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from video_server import VideoServer, served

from tercet.core.errors import (
    InputError,
    RefusedError,
    StoppedError,
    TercetError,
    UncheckedError,
    UndecodableError,
)
from tercet.flows.generate import generate
from tercet.flows.generate_request import Request
from tercet.studio.engines import engines, remote_server
from tercet.studio.engines.engine import Order, Progress, Rights, Shot
from tercet.studio.engines.remote import RemoteEngine, open_engine
from tercet.studio.engines.remote_server import KEY_VARIABLE, parse_address


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VideoServer]:
    server = VideoServer(tmp_path)
    with served(server.app) as url:
        server.url = url
        yield server


def order(**changes: Any) -> Order:
    wanted: dict[str, Any] = {
        "shots": (Shot("a red car", 1.0), Shot("a boat", 0.5)),
        "width_px": 64, "height_px": 96, "frames_per_second": 8, "seed": 7,
    }  # fmt: skip
    return Order(**wanted | changes)


def pictures(engine: RemoteEngine, wanted: Order) -> list[np.ndarray[Any, Any]]:
    return [frame.picture for frame in engine.frames(wanted, lambda progress: None)]


def test_each_shot_is_a_job_and_frames_are_as_ordered(server: VideoServer) -> None:
    told: list[tuple[int, int]] = []
    engine = open_engine(f"{server.url}#wan2.1")
    made = list(engine.frames(order(), lambda p: told.append((p.done, p.total))))
    assert [frame.picture.shape for frame in made] == [(96, 64, 3)] * 12
    same = {"model": "wan2.1", "seconds": "1", "size": "64x96", "fps": 8}
    assert server.created == [
        {"prompt": "a red car", "seed": 7} | same,
        {"prompt": "a boat", "seed": 8} | same,
    ]
    assert told == sorted(told)
    assert (40, 200) in told
    assert told[-1] == (200, 200)
    assert server.deleted == []
    shades = [int(frame.picture.mean()) for frame in made]
    assert shades[:8] == sorted(shades[:8]), "time runs forwards"
    assert shades[7] > 200, "the end of the second is its end"


def test_what_is_ordered_is_asked_for_and_nothing_else(server: VideoServer) -> None:
    engine = open_engine(server.url)
    pictures(engine, order(shots=(Shot("a", 1),), steps=9, guidance=2.5, negative_prompt="rain"))
    (asked,) = server.created
    assert "model" not in asked
    assert asked["num_inference_steps"] == 9
    assert asked["guidance_scale"] == 2.5
    assert asked["negative_prompt"] == "rain"
    assert engine.provenance() == {"model": "wan2.1"}, "what the server called it"


def test_the_first_picture_goes_with_the_first_job(server: VideoServer) -> None:
    first = np.zeros((96, 64, 3), np.uint8)
    first[..., 0] = 200
    pictures(open_engine(server.url), order(first_picture=first))
    (sent,) = server.pictures
    received = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(received, first)


def test_a_long_shot_is_several_jobs(server: VideoServer) -> None:
    made = pictures(open_engine(server.url), order(shots=(Shot("a", 25),)))
    assert [asked["seconds"] for asked in server.created] == ["9", "9", "9"]
    assert len(made) == 200


def test_stopping_deletes_the_job_there(server: VideoServer) -> None:
    server.faults["stuck"] = True
    asked: list[Progress] = []

    def stop(progress: Progress) -> None:
        asked.append(progress)
        if server.polled > 1:
            raise StoppedError("stopped")

    began_s = time.monotonic()
    with pytest.raises(StoppedError):
        list(open_engine(server.url).frames(order(), stop))
    assert time.monotonic() - began_s < 5
    assert server.deleted == ["video_1"]


def test_a_server_that_cannot_delete_changes_nothing_about_stopping(server: VideoServer) -> None:
    server.faults |= {"stuck": True, "delete": 500}

    def stop(progress: Progress) -> None:
        raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        list(open_engine(server.url).frames(order(), stop))
    assert server.deleted == ["video_1"]


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ({"status": 401}, RefusedError, "401: no"),
        ({"status": 429}, RefusedError, "429"),
        ({"status": 400}, RefusedError, "400"),
        ({"status": 503}, UncheckedError, "503"),
        ({"failed": True}, UncheckedError, "out of paint"),
        ({"raw": b"<html>"}, UncheckedError, "no JSON object"),
        ({"raw": b"[]"}, UncheckedError, "no JSON object"),
        ({"raw": b"[" * 100_000}, UncheckedError, "no JSON object"),
        ({"raw": b"{}"}, UncheckedError, "usable id"),
        ({"raw": b'{"id": "../../admin"}'}, UncheckedError, "usable id"),
        ({"raw": b'{"id": "a..b/c"}'}, UncheckedError, "usable id"),
        ({"raw": b'{"id": "v1", "status": "cancelled"}'}, UncheckedError, "cancelled"),
        ({"raw": b'{"id": "v1"}'}, UncheckedError, "did not make"),
        ({"raw": b" " * 1_100_000}, UncheckedError, "more than"),
        ({"content": b"this is no video"}, UndecodableError, "expected a video"),
        ({"content": b""}, UndecodableError, "expected a video"),
        ({"seconds": 2}, UncheckedError, "gave 2 seconds of video, asked for 4"),
        ({"redirect": "http://localhost:1/elsewhere/{job_id}"}, RefusedError, "another host"),
        ({"redirect": "https://127.0.0.1/elsewhere/{job_id}"}, RefusedError, "another host"),
        ({"redirect": "file:///etc/passwd"}, RefusedError, "another host"),
        ({"redirect": "/v1/videos/{job_id}/content"}, UncheckedError, "without end"),
    ],
)
def test_a_server_that_does_wrong(
    server: VideoServer, fault: dict[str, Any], error: type[TercetError], said: str
) -> None:
    server.faults |= fault
    with pytest.raises(error, match=said):
        pictures(open_engine(server.url), order(shots=(Shot("a", 4),)))


def test_a_redirect_within_the_server_is_followed(server: VideoServer) -> None:
    server.faults["redirect"] = "/elsewhere/{job_id}"
    assert len(pictures(open_engine(server.url), order(shots=(Shot("a", 1),)))) == 8


def test_a_video_without_end_is_not_kept(
    server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_server, "REMOTE_BYTES_MAX", 1000)
    server.faults["content"] = b"\0" * 200_000
    with pytest.raises(UncheckedError, match="more than 1,000 bytes"):
        pictures(open_engine(server.url), order())
    assert server.deleted == ["video_1"]


def test_nobody_there_is_told() -> None:
    with pytest.raises(UncheckedError, match="does not answer"):
        pictures(open_engine("http://127.0.0.1:1/v1"), order())


# The key


def test_the_key_goes_to_the_server_and_nowhere_else(
    server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-secret")
    pictures(open_engine(server.url), order(shots=(Shot("a", 1),)))
    assert server.headers[0]["authorization"] == "Bearer sk-secret"
    with pytest.raises(InputError, match="in the clear"):
        open_engine("http://videos.example/v1")
    open_engine("https://videos.example/v1")


def test_a_key_that_breaks_the_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk\r\nx: y")
    with pytest.raises(InputError, match="plain characters"):
        open_engine("http://127.0.0.1:1/v1")


@pytest.mark.parametrize(
    "source",
    ["", "videos.example", "ftp://videos.example", "file:///etc/passwd", "http://", "http://a:b@c/",
     "http://a:99999/", "http://a b/", "http://a/v1?key=x", "http://[::1", "http://ä.example/"],
)  # fmt: skip
def test_what_is_no_address(source: str) -> None:
    with pytest.raises(InputError):
        open_engine(source)


def test_addresses() -> None:
    address = parse_address("http://[::1]:8000/v1/#wan")
    assert (address.base, address.model, address.is_local) == ("http://[::1]:8000/v1", "wan", True)


# Never "cleared works only"


def test_nothing_can_set_the_rights(server: VideoServer) -> None:
    engine = open_engine(server.url)
    for name in ("rights", "name", "origin"):
        with pytest.raises(AttributeError):
            object.__setattr__(engine, name, Rights.CLEARED)
    assert engine.rights is Rights.UNKNOWN
    with pytest.raises(InputError, match="takes no rights"):
        engines.open_engine("remote", server.url, rights="cleared works only")


def test_what_a_server_claims_stands_nowhere(server: VideoServer, tmp_path: Path) -> None:
    request = Request("a car", 1.0, 64, 64, 8, engine="remote", model=server.url)
    made = generate(request, tmp_path / "out.mp4", lambda progress: None, key_path=tmp_path / "key")
    credited = json.loads((tmp_path / "out.credits.json").read_text())
    assert credited["rights"] == made.document()["rights"] == "base model: rights unknown"
    assert credited["engine"] == "remote"
    assert b"base model: rights unknown" in (tmp_path / "out.mp4").read_bytes()
    for file in made.files:
        assert b"cleared works only" not in file.read_bytes(), file
