"""What strangers send that no client would: each test is named after a flaw there once was."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time

import httpx2
import pytest
import uvicorn
from serving import Served, png
from starlette.types import Message, Receive, Scope

from tercet.api.connections import PromptConnection
from tercet.api.guards import BodyLimit
from tercet.api.problems import ApiError

HUGE = "1" + "0" * 400  # a whole number that no float holds


def sent(served: Served, raw: bytes, kind: str, **headers: str) -> httpx2.Response:
    given = {"Content-Type": kind} | headers
    return httpx2.post(f"{served.url}/v1/videos", content=raw, headers=given)


def form(*parts: bytes) -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"


def field(name: bytes, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value


@pytest.mark.parametrize(
    "raw",
    [
        f'{{"storyboard": [{{"prompt": "a dog", "seconds": {HUGE}}}]}}',
        json.dumps({"storyboard": f'[{{"prompt": "a dog", "seconds": {HUGE}}}]'}),
    ],
)
def test_a_shot_of_more_seconds_than_a_float_holds_is_a_clear_error(
    served: Served, raw: str
) -> None:
    answer = sent(served, raw.encode(), "application/json")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == "storyboard"
    assert "at most 60" in answer.json()["title"]


def test_an_origin_that_is_no_address_is_another_site(served: Served) -> None:
    answer = sent(served, b'{"prompt": "a dog"}', "application/json", Origin="http://[x")
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["", "; charset=utf-16", "; charset=latin-1", "; charset=zz"])
def test_form_text_that_is_no_utf_8_is_not_taken_for_other_letters(
    served: Served, kind: str
) -> None:
    raw = form(field(b"prompt", b"a caf\xe9"))
    answer = sent(served, raw, f"multipart/form-data{kind}; boundary=x")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == "prompt"
    assert "UTF-8" in answer.json()["title"]
    named = sent(served, form(field(b"\xff", b"a")), f"multipart/form-data{kind}; boundary=x")
    assert named.status_code == 400, named.text


def test_form_text_in_utf_8_is_kept_letter_by_letter(served: Served) -> None:
    prompt = "a café by the sea 🚲"
    raw = form(field(b"prompt", prompt.encode()), field(b"seconds", b"1"))
    for boundary in ("boundary=x", 'boundary="x"', 'charset=ascii; boundary="x"'):
        answer = sent(served, raw, f"multipart/form-data; {boundary}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["prompt"] == prompt
        served.studio.delete(answer.json()["id"])


def test_a_boundary_with_quotes_is_still_one(served: Served) -> None:
    raw = form(field(b"prompt", b"a dog"), field(b"seconds", b"0")).replace(b"--x", b"--a'(b)+c")
    answer = sent(served, raw, 'multipart/form-data; boundary="a\'(b)+c"')
    assert answer.json()["error"]["param"] == "seconds", answer.text


def test_json_that_would_swell_in_memory_is_not_parsed(served: Served) -> None:
    raw = b'{"prompt": "a dog", "user": [' + b"[]," * 2_000_000 + b"[]]}"
    began_s = time.monotonic()
    answer = sent(served, raw, "application/json")
    assert answer.status_code == 400
    assert "values" in answer.json()["title"]
    assert time.monotonic() - began_s < 20


def test_a_large_picture_in_json_is_no_bomb(served: Served) -> None:
    picture = base64.b64encode(png(64, 64, (1, 2, 3)) + b"," * 200_000).decode()
    body = {"prompt": "a dog", "seconds": "0",
            "input_reference": f"data:image/png;base64,{picture}"}  # fmt: skip
    answer = sent(served, json.dumps(body).encode(), "application/json")
    assert answer.json()["error"]["param"] == "seconds", answer.text


def test_a_bound_is_told_in_digits(served: Served) -> None:
    answer = sent(served, b'{"prompt": "a dog", "seed": -1}', "application/json")
    assert "from 0 to 2147483647" in answer.json()["title"]


def test_browsers_do_not_guess_what_an_answer_is(served: Served) -> None:
    for path in ("/v1/videos", "/v1/videos/none", "/healthz"):
        answer = httpx2.get(f"{served.url}{path}")
        assert answer.headers["x-content-type-options"] == "nosniff"


# ---- what comes too slowly ----------------------------------------------------------------------

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def send(_: Message) -> None:
    """Take an answer and forget it."""


async def called(limit: BodyLimit, receive: Receive) -> None:
    await asyncio.wait_for(limit(SCOPE, receive, send), 5)


def test_a_body_that_trickles_in_is_given_up() -> None:
    async def trickle() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def read_all(_: Scope, receive: Receive, __: object) -> None:
        while True:
            await receive()

    limit = BodyLimit(read_all, grace_s=0.1, bytes_per_s=1000)
    with pytest.raises(ApiError) as caught:
        asyncio.run(called(limit, trickle))
    assert caught.value.status == 408


def test_a_long_answer_is_not_cut_off_by_the_limit_of_its_request() -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.sleep(0.3)
        return {"type": "http.disconnect"}

    async def answer_slowly(_: Scope, ask: Receive, __: object) -> None:
        assert (await ask())["type"] == "http.request"
        assert (await ask())["type"] == "http.disconnect"

    asyncio.run(called(BodyLimit(answer_slowly, grace_s=0.05), receive))


def test_a_connection_that_says_nothing_makes_room(served: Served) -> None:
    class Hasty(PromptConnection):
        request_within_s = 0.2

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    config = uvicorn.Config(served.app, http=Hasty, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        for said in (b"", b"GET /healthz HT"):
            with socket.create_connection(bound.getsockname(), 10) as line:
                line.sendall(said)
                line.settimeout(10)
                assert line.recv(1) == b""  # closed by the server
        with socket.create_connection(bound.getsockname(), 10) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(12) == b"HTTP/1.1 200"
            time.sleep(0.4)  # answered once: the other limit holds from now on
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(4096)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
