"""kill -9 of the server loses nothing: what waited waits, what ran is begun once more, marked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from openai.types import Video

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
SCRIPT = Path(__file__).with_name("server_process.py")
Start = Callable[[], tuple[subprocess.Popen[str], openai.OpenAI]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers on one folder; what is left of them is ended with the test."""
    running: list[subprocess.Popen[str]] = []

    def begin() -> tuple[subprocess.Popen[str], openai.OpenAI]:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        return process, openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)

    yield begin
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def running_video(client: openai.OpenAI, prompt: str) -> Video:
    video = client.videos.create(prompt=prompt, seconds="1", size="256x256")
    while client.videos.retrieve(video.id).status == "queued":
        time.sleep(0.05)
    return video


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    others = [
        int(each)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for each in (task / "children").read_text().split()
    ]
    return sorted({*map(int, found), *others})


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_server_loses_nothing(start: Start) -> None:
    server, client = start()
    ran = running_video(client, "a slow dog")
    waits = client.videos.create(prompt="a boat", seconds="1", size="256x256")
    workers = children_of(server.pid)
    assert workers
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    deadline_s = time.monotonic() + 5
    while any(map(is_alive, workers)) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not [pid for pid in workers if is_alive(pid)]  # the worker ends with its server

    server, client = start()
    again = client.videos.retrieve(ran.id)
    assert again.status in {"queued", "in_progress"}
    assert again.model_extra is not None
    assert again.model_extra["restarts"] == 1
    assert [video.id for video in client.videos.list(order="asc")] == [ran.id, waits.id]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_video_that_is_killed_twice_has_failed_and_the_next_is_made(start: Start) -> None:
    server, client = start()
    ran = running_video(client, "a slow dog")
    waits = client.videos.create(prompt="a boat", seconds="1", size="256x256")
    os.kill(server.pid, signal.SIGKILL)
    server, client = start()
    while client.videos.retrieve(ran.id).status == "queued":
        time.sleep(0.05)
    os.kill(server.pid, signal.SIGKILL)
    _, client = start()
    failed = client.videos.retrieve(ran.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "crashed"
    assert "never finished" in failed.error.message
    assert client.videos.poll(waits.id).status == "completed"
    assert len(client.videos.download_content(waits.id).read()) > 1000
