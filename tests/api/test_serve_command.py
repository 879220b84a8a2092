"""`tercet serve` itself: a process that serves another server's videos, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import openai
import pytest
from click.testing import CliRunner
from serving import Served

from tercet.cli.serve import serve
from tercet.core.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def test_the_command_serves_api_and_pages(served: Served, tmp_path: Path) -> None:
    """With the engine `remote`, pointed at the tests' own server: nothing is stood in for."""
    command = [sys.executable, "-m", "tercet", "serve", "--engine", "remote",
               "--model", f"{served.url}/v1", "--port", "0", "--json",
               "--data", str(tmp_path / "data"), "--key", str(tmp_path / "key")]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert process.stdout is not None
    try:
        told = ""
        while "}" not in told:
            told += process.stdout.readline()
        document = json.loads(told)
        assert document["engine"] == "remote"
        assert document["rights"] == "base model: rights unknown"
        url = document["url"]
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
        video = client.videos.create_and_poll(prompt="a dog", seconds="1", size="256x256")
        assert video.status == "completed", video.error
        assert (video.model, video.size) == ("remote", "256x256")
        page = httpx2.get(f"{url}/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in {0, -signal.SIGTERM}
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def refusal(*arguments: str, **environment: str) -> InputError:
    result = CliRunner().invoke(serve, list(arguments), env=environment)
    assert isinstance(result.exception, InputError), result.output
    return result.exception


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.evil"])
def test_nothing_is_open_to_others_without_a_key(host: str, tmp_path: Path) -> None:
    found = refusal("--host", host, "--data", str(tmp_path), TERCET_API_KEY="")
    assert "no key is set" in found.message
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    found = refusal("--host", "0.0.0.0", "--data", str(tmp_path), TERCET_API_KEY="secret")
    assert "at least 16 characters" in found.message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "horse"], "no engine 'horse'"),
        (["--engine", "compose", "--model", "no-such-model"], "no model 'no-such-model'"),
        (["--engine", "remote"], "needs a server"),
    ],
)
def test_an_engine_that_is_not_there_is_told_and_nothing_serves(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    found = refusal("--data", str(tmp_path), *arguments)
    assert words in found.message


def test_a_port_in_use_is_told(served: Served, tmp_path: Path) -> None:
    port = served.url.rpartition(":")[2]
    found = refusal("--data", str(tmp_path), "--port", port)
    assert f"port {port}" in found.message


def test_a_desk_is_served_alone(tmp_path: Path) -> None:
    """A desk behind the command takes a message of another server's desk, and answers it."""
    from desk_serving import served_desk, terms_of_owner

    from tercet.flows import license as steps
    from tercet.flows.desk import make_desk
    from tercet.flows.license_delivery import deliver
    from tercet.flows.license_places import peer_at

    owner = make_desk(tmp_path / "owner", "Owner")
    terms = terms_of_owner(owner)
    command = [sys.executable, "-m", "tercet", "serve", "--engine", "none", "--port", "0",
               "--desk", str(tmp_path / "owner"), "--local-parties", "--json"]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert process.stdout is not None
    try:
        told = ""
        while "}" not in told:
            told += process.stdout.readline()
        document = json.loads(told)
        assert document["party"] == owner.party.id
        with served_desk(tmp_path / "studio", "Studio") as studio:
            peer = peer_at(studio.desk, document["dsp"])
            steps.request(studio.desk, peer, terms)
            (delivery,) = deliver(studio.desk)
            assert delivery.is_done, delivery.note
            # the owner's command signs the agreement; the served desk delivers it
            theirs = delivery.negotiation.peer_pid
            steps.accept(owner, theirs)
            until = time.monotonic() + 20
            while owner.store.outbox() and time.monotonic() < until:
                time.sleep(0.1)
            assert studio.desk.store.negotiation(delivery.negotiation.pid).state == "AGREED"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_desk_that_nobody_could_answer_is_not_served(tmp_path: Path) -> None:
    from tercet.flows.desk import make_desk

    make_desk(tmp_path / "desk", "Owner")
    refused = refusal("--engine", "none", "--desk", str(tmp_path / "desk"), "--host", "0.0.0.0",
                      "--port", "0")  # fmt: skip
    assert "without an address" in refused.message
    assert "no desk in" in refusal("--engine", "none", "--desk", str(tmp_path / "no")).message
