"""Events arrive signed: what the `openai` package verifies, and nothing else, is sent."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest
from drawing_engine import opening
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._webhooks import webhook_signature_matches
from serving import Served

from tercet.core.errors import ConflictError, FieldError
from tercet.flows.serve import Studio
from tercet.flows.serve_notices import ENDPOINTS_MAX, signed_headers

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@dataclass
class Listener:
    """An endpoint that keeps what it is sent; ``statuses`` are its next answers, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int) -> None:
        deadline_s = time.monotonic() + 15
        while len(self.taken) < count and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert len(self.taken) >= count


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Post(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Post)
    found.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_package_sets_up_endpoints_and_verifies_events(
    served: Served, listener: Listener
) -> None:
    client = served.client()
    endpoint = client.webhooks.create(
        name="mine", url=listener.url, event_types=["video.completed", "video.failed"]
    )
    assert endpoint.signing_secret.startswith("whsec_")
    done = client.videos.create_and_poll(prompt="a dog", seconds="1", size="256x256")
    wrong = client.videos.create_and_poll(prompt="a wrong dog", seconds="1")
    listener.wait(2)
    events = [
        client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret)
        for headers, body in listener.taken
    ]
    assert [(event.type, event.data.id) for event in events] == [
        ("video.completed", done.id), ("video.failed", wrong.id),
    ]  # fmt: skip
    headers, body = listener.taken[0]
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body + b" ", headers, secret=endpoint.signing_secret)
    assert [each.id for each in client.webhooks.list()] == [endpoint.id]
    changed = client.webhooks.update(endpoint.id, name="other", event_types=["video.failed"])
    assert (changed.name, changed.url) == ("other", listener.url)
    rotated = client.webhooks.rotate_secret(endpoint.id)
    assert rotated.signing_secret != endpoint.signing_secret
    tested = client.webhooks.test(endpoint.id, event_type="video.failed")
    assert (tested.status_code, tested.success) == (200, True)
    sent = listener.taken[-1]
    assert client.webhooks.unwrap(sent[1], sent[0], secret=rotated.signing_secret)
    assert client.webhooks.delete(endpoint.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.webhooks.retrieve(endpoint.id)
    for video in (done, wrong):
        client.videos.delete(video.id)


def test_an_event_is_sent_again_until_it_arrives(
    served: Served, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.flows.serve_notices.RETRY_AFTER_S", (0, 0, 0))
    listener.statuses += [500, 302]
    client = served.client()
    endpoint = client.webhooks.create(
        name="mine", url=listener.url, event_types=["video.completed"]
    )
    video = client.videos.create_and_poll(prompt="a dog", seconds="1", size="256x256")
    listener.wait(3)
    assert len({headers["webhook-id"] for headers, _ in listener.taken}) == 1
    assert len({body for _, body in listener.taken}) == 1
    client.webhooks.delete(endpoint.id)
    client.videos.delete(video.id)


@given(body=st.text(max_size=50), now=st.integers(0, 2**32))
def test_every_signature_is_the_one_the_package_expects(body: str, now: int) -> None:
    body = body.encode("utf-8", "replace").decode("utf-8")
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(secret, "evt_1", now, body)
    tolerance = 2**40
    assert webhook_signature_matches(body, headers, secret=secret, tolerance=tolerance)
    assert not webhook_signature_matches(body + ".", headers, secret=secret, tolerance=tolerance)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example that Standard Webhooks' own libraries test with."""
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
        '{"test": 2432232314}',
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/",
     "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://user:pw@example.org/",
     "ftp://example.org/", "https://", "https://exa mple.org/", "https://[::1", "", "file:///etc/x",
     "https://example.org/\r\nX: 1", "https://example.org:0/", 5, None],
)  # fmt: skip
def test_events_go_to_public_addresses_only(tmp_path: Path, url: object) -> None:
    studio = Studio(tmp_path, opening(tmp_path / "key"))
    try:
        with pytest.raises(FieldError) as caught:
            studio.notices.add({"name": "x", "url": url, "event_types": ["video.failed"]})
        assert caught.value.field == "url"
    finally:
        studio.close()


def test_an_endpoint_that_never_finishes_its_answer_is_left(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.flows.serve_notices.ANSWER_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = served.studio.notices.add(
            {"name": "x", "url": f"http://127.0.0.1:{server.getsockname()[1]}/",
             "event_types": ["video.failed"]}
        )  # fmt: skip
        ended = threading.Event()

        def drip() -> None:
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                line.sendall(b"HTTP")
                while not ended.wait(0.05):
                    line.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        began_s = time.monotonic()
        with pytest.raises(ConflictError):
            served.studio.notices.test(endpoint.endpoint_id, "video.failed")
        assert time.monotonic() - began_s < 5
        ended.set()
        thread.join()
    served.studio.notices.remove(endpoint.endpoint_id)


def test_there_are_not_endlessly_many_endpoints(served: Served) -> None:
    client = served.client()
    ids = [
        client.webhooks.create(
            name="x", url="https://example.org/", event_types=["video.failed"]
        ).id
        for _ in range(ENDPOINTS_MAX)
    ]
    with pytest.raises(openai.ConflictError):
        client.webhooks.create(name="x", url="https://e.org/", event_types=["video.failed"])
    assert [each.id for each in client.webhooks.list(limit=7)] == ids
    for each in ids:
        client.webhooks.delete(each)
