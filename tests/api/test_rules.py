"""Full queues, repeated requests, ranges, keys and other sites: asked over a real socket."""

from __future__ import annotations

import base64
import json
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from serving import Served, png, serving

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for a key and lets two videos wait."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(folder, api_key=KEY, waiting_max=2) as server:
        yield server


def ask(served: Served, method: str, path: str, **given: object) -> httpx2.Response:
    return httpx2.request(method, f"{served.url}{path}", **given)  # type: ignore[arg-type]


# ---- idempotency ------------------------------------------------------------------------------


def test_the_same_key_and_request_give_the_same_video(served: Served) -> None:
    client = served.client()
    headers = {"Idempotency-Key": f"key-{time.time_ns()}"}
    first = client.videos.create(prompt="a slow dog", seconds="1", extra_headers=headers)
    raw = client.videos.with_raw_response.create(
        prompt="a slow dog", seconds="1", extra_headers=headers
    )
    assert raw.parse().id == first.id
    assert raw.headers["idempotent-replayed"] == "true"
    with pytest.raises(openai.UnprocessableEntityError, match="Idempotency-Key"):
        client.videos.create(prompt="another dog", seconds="1", extra_headers=headers)
    client.videos.delete(first.id)
    with pytest.raises(openai.ConflictError, match="was deleted"):
        client.videos.create(prompt="a slow dog", seconds="1", extra_headers=headers)


def test_a_key_tells_pictures_apart(served: Served) -> None:
    body = {"prompt": "a dog"}
    headers = {"Idempotency-Key": f"key-{time.time_ns()}"}
    first = ask(served, "POST", "/v1/videos", json=body, headers=headers)
    url = f"data:image/png;base64,{base64.b64encode(png(8, 8, (1, 2, 3))).decode()}"
    body_with = body | {"input_reference": {"image_url": url}}
    assert ask(served, "POST", "/v1/videos", json=body_with, headers=headers).status_code == 422
    ask(served, "DELETE", f"/v1/videos/{first.json()['id']}")


def test_one_key_sent_many_times_at_once_gives_one_video(served: Served) -> None:
    headers = {"Idempotency-Key": f"key-{time.time_ns()}"}
    body = {"prompt": "a slow dog", "seconds": "1"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: ask(served, "POST", "/v1/videos", json=body, headers=headers), range(16)
        ))  # fmt: skip
    assert [answer.status_code for answer in answers] == [200] * 16
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 1
    assert len(served.studio.list(limit=100).jobs) >= 1
    served.studio.delete(ids.pop())


@pytest.mark.parametrize(
    "picture",
    [
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60000, 60000, 8, 6, 0, 0, 0),
        png(64, 64, (1, 2, 3))[:-20] + b"\xff" * 20,
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"",
        b"RIFF\x10\0\0\0WEBPVP8 ",
    ],
    ids=["bomb", "broken", "gif", "svg", "empty", "cut"],
)
def test_hostile_pictures_are_refused_and_order_nothing(served: Served, picture: bytes) -> None:
    before = served.studio.waiting_count()
    files = {"input_reference": ("a.png", picture, "image/png")}
    answer = ask(served, "POST", "/v1/videos", data={"prompt": "a dog"}, files=files)
    if answer.status_code == 200:  # a decoder may forgive a damaged end; then it is a picture
        assert picture.endswith(b"\xff" * 20)
        served.studio.delete(answer.json()["id"])
    else:
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "input_reference"
    assert served.studio.waiting_count() == before


# ---- a full queue, a key ----------------------------------------------------------------------


def test_a_full_queue_says_when_to_come_again(guarded: Served) -> None:
    client = guarded.client(api_key=KEY)
    videos = [client.videos.create(prompt="a slow dog", seconds="4")]
    while client.videos.retrieve(videos[0].id).status == "queued":
        time.sleep(0.05)
    videos += [client.videos.create(prompt="a dog", seconds="4") for _ in range(2)]
    positions = [client.videos.retrieve(video.id).model_extra for video in videos]
    assert [extra and extra["queue_position"] for extra in positions] == [0, 1, 2]
    with pytest.raises(openai.RateLimitError, match="fewer than 2 videos") as caught:
        client.videos.create(prompt="one too many", seconds="4")
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 300
    for video in videos[::-1]:
        client.videos.delete(video.id)
    client.videos.delete(client.videos.create(prompt="again", seconds="4").id)


@pytest.mark.parametrize("given", ["", "wrong", KEY[:-1], f"{KEY}0", KEY.upper(), "\xff\xfe"])
def test_without_the_key_nothing_is_answered(guarded: Served, given: str) -> None:
    headers = {"Authorization": f"Bearer {given}".encode("latin-1")} if given else {}
    for method, path in (("GET", "/v1/videos"), ("POST", "/v1/videos"), ("GET", "/openapi.json"),
                         ("DELETE", "/v1/videos/x"), ("GET", "/nowhere")):  # fmt: skip
        answer = ask(guarded, method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
    assert ask(guarded, "GET", "/healthz").status_code == 200
    with pytest.raises(openai.AuthenticationError):
        guarded.client(api_key="wrong").videos.list()


# ---- ranges -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def content(served: Served) -> tuple[str, bytes]:
    video = served.client().videos.create_and_poll(prompt="a dog", seconds="1", size="256x256")
    path = f"/v1/videos/{video.id}/content"
    return path, ask(served, "GET", path).content


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=5-99", 5, 100), ("bytes=-10", -10, None), ("bytes=7-", 7, None)],
)
def test_a_range_is_that_part_of_the_file(
    served: Served, content: tuple[str, bytes], wanted: str, start: int, end: int | None
) -> None:
    path, whole = content
    answer = ask(served, "GET", path, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == whole[start:end]
    first = start % len(whole)
    last = first + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"


@pytest.mark.parametrize("wanted", ["bytes=9999999-", "bytes=-0"])
def test_a_range_outside_is_refused(
    served: Served, content: tuple[str, bytes], wanted: str
) -> None:
    path, whole = content
    answer = ask(served, "GET", path, headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "wanted", ["bytes=5-2", "bytes=0-1,4-5", "pages=1-2", "bytes=-", "bytes=x-y"]
)
def test_other_range_headers_are_ignored(
    served: Served, content: tuple[str, bytes], wanted: str
) -> None:
    path, whole = content
    answer = ask(served, "GET", path, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, whole)


def test_a_range_of_a_changed_file_is_the_whole_file(
    served: Served, content: tuple[str, bytes]
) -> None:
    path, whole = content
    etag = ask(served, "GET", path).headers["etag"]
    for known, status in ((etag, 206), ('"other"', 200)):
        answer = ask(served, "GET", path, headers={"Range": "bytes=0-3", "If-Range": known})
        assert answer.status_code == status
    assert len(whole) > 4


# ---- other sites, other bodies ----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_orders_nothing(served: Served, headers: dict[str, str]) -> None:
    answer = ask(served, "POST", "/v1/videos", json={"prompt": "a dog"}, headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_rebound_name_reads_nothing(served: Served) -> None:
    assert ask(served, "GET", "/v1/videos", headers={"Host": "evil.example"}).status_code == 403
    assert ask(served, "GET", "/v1/videos", headers={"Host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'"text"', b"\xff", b'{"prompt": "\\ud800"}', b'{"prompt": NaN}',
     b"[" * 5000,
     b'{"prompt":' + b"[" * 90 + b"]" * 90 + b"}", b'{"prompt": null}', b'{"prompt": 5}',
     b'{"prompt": "x", "size": ["512x512"]}', b'{"prompt": "x", "seed": []}',
     b'{"prompt": "x", "model": {}}', b'{"prompt": "x", "seconds": true}',
     b'{"prompt": "x", "\\ud800": 1}', b'{"prompt": "x", "input_reference": "file_1"}',
     b'{"prompt": "x", "input_reference": {"file_id": "file_1"}}',
     b'{"prompt": "x", "input_reference": {"image_url": "https://example.org/a.png"}}',
     b'{"prompt": "x", "input_reference": {"image_url": "data:image/png;base64,***"}}'],
)  # fmt: skip
def test_broken_json_is_bad_input(served: Served, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ask(served, "POST", "/v1/videos", content=raw, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=y"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nno header\r\n\r\na\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_broken_forms_are_bad_input(served: Served, raw: bytes, kind: str) -> None:
    answer = ask(served, "POST", "/v1/videos", content=raw, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text


def test_other_kinds_of_body_are_told_what_is_expected(served: Served) -> None:
    answer = ask(served, "POST", "/v1/videos", data={"prompt": "a dog"})
    assert answer.status_code == 415
    assert "application/json or multipart/form-data" in answer.json()["title"]


def test_bodies_too_large_are_refused_before_they_are_read(served: Served) -> None:
    parts = urlsplit(served.url)
    head = "POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for rest in (f"Content-Length: {10**11}\r\n\r\n", "Content-Length: -1\r\n\r\n"):
        with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as line:
            line.sendall((head + rest).encode("ascii"))
            status = line.recv(64).split(b" ", 2)[1]
            assert status in {b"413", b"400"}
    assert ask(served, "GET", "/healthz").status_code == 200


def test_bodies_that_hide_their_length_are_cut_off(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 1024 * 1024

    headers = {"Content-Type": "application/json"}
    answer = ask(served, "POST", "/v1/videos", content=endless(), headers=headers)
    assert answer.status_code == 413


def test_errors_of_every_kind_are_problems_that_openai_clients_read(served: Served) -> None:
    asked = [("GET", "/nowhere", 404), ("PUT", "/v1/videos", 405), ("GET", "/v1/videos/x", 404),
             ("GET", "/v1/videos?limit=0", 400), ("GET", "/v1/videos?limit=x", 400),
             ("GET", "/v1/videos?order=up", 400), ("GET", "/v1/videos?after=no", 404)]  # fmt: skip
    for method, path, status in asked:
        answer = ask(served, method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        document = json.loads(answer.content)
        assert document["status"] == status
        assert document["title"]
        assert set(document["error"]) == {"message", "type", "param", "code"}
