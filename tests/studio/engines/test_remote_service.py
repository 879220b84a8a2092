"""The engine remote against Tercet's own service, as one installation uses another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tercet.core.errors import RefusedError, StoppedError, UncheckedError
from tercet.studio.engines.engine import Order, Progress, Shot
from tercet.studio.engines.remote import open_engine
from tercet.studio.engines.remote_server import KEY_VARIABLE

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "api"))

from serving import Served, serving

KEY = "a-key-of-some-length"


pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("service"), api_key=KEY) as served:
        yield served


def order(prompt: str) -> Order:
    return Order((Shot(prompt, 1.0),), 256, 256, 8, seed=5)


def test_a_video_comes_through(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    told: list[Progress] = []
    engine = open_engine(f"{service.url}/v1")
    frames = list(engine.frames(order("a red car"), told.append))
    assert [frame.picture.shape for frame in frames] == [(256, 256, 3)] * 8
    assert abs(int(frames[0].picture[10, 200].mean()) - 5) < 12, "the ground is drawn by the seed"
    assert not (frames[0].picture == frames[-1].picture).all(), "the square moves"
    assert told[-1].done == told[-1].total
    assert engine.provenance() == {"model": "drawing"}


def test_stopping_stops_it_there(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    began_s = time.monotonic()

    def stop(progress: Progress) -> None:
        if progress.done > 0:
            raise StoppedError("stopped")
        assert time.monotonic() - began_s < 60

    with pytest.raises(StoppedError):
        list(open_engine(f"{service.url}/v1").frames(order("slow"), stop))
    with service.client(api_key=KEY) as client:
        assert [video.status for video in client.videos.list() if video.prompt == "slow"] == []


def test_what_the_service_says_is_told(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="401"):
        list(open_engine(f"{service.url}/v1").frames(order("a car"), lambda progress: None))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with pytest.raises(UncheckedError, match="expected another prompt, got a wrong one"):
        list(open_engine(f"{service.url}/v1").frames(order("wrong"), lambda progress: None))
    odd = Order((Shot("a car", 1.0),), 258, 256, 8)
    with pytest.raises(RefusedError, match="sizes served"):
        list(open_engine(f"{service.url}/v1").frames(odd, lambda progress: None))
