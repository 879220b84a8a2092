"""A loopback web server that answers for any host name: for tests, benchmarks and the tour.

    with LoopbackServer(pages) as server:        # pages: (host, path) -> Page or bytes
        ...  # ask http://any.example:{server.port}/, resolved to 127.0.0.1

Raw HTTP/1.1 over asyncio in a thread of its own, so that faults can be injected that a decent
server library would not commit: bodies without end, connections that break, headers too big.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

NOT_FOUND_BODY = b"<!doctype html><title>Not found</title>"


@dataclass(frozen=True)
class Page:
    """What to answer. ``fault`` is one of "": none, "hang", "drip", "reset", "short", "endless",
    "refuse" (close without an answer), "garbage"."""

    body: bytes = b""
    status: int = 200
    media_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    etag: str = ""
    ranges: bool = False


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it, with its times on the monotonic clock."""

    host: str
    path: str
    headers: Mapping[str, str]
    begun_s: float
    ended_s: float
    status: int


Pages = Callable[[str, str], "Page | bytes | None"]


@dataclass
class LoopbackServer:
    """Serves ``pages`` on 127.0.0.1; None is a 404. ``seen`` records every request."""

    pages: Pages
    seen: list[Seen] = field(default_factory=list)
    delay_s: float = 0.0
    port: int = 0
    record: bool = True
    tls: ssl.SSLContext | None = None
    requests: Counter[str] = field(default_factory=Counter)
    asked: int = 0  # requests begun, answered or not

    def __enter__(self) -> LoopbackServer:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the loopback server did not start")
        return self

    def __exit__(self, *raised: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def paths(self, host: str) -> list[str]:
        """Return the paths asked of one host name, in order."""
        return [request.path for request in list(self.seen) if request.host == host]

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(
            self._connected, "127.0.0.1", self.port, backlog=1024, ssl=self.tls
        )
        server = self._loop.run_until_complete(start)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The client may go away at any time, as a survey that has enough does.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                continue
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        begun_s = time.monotonic()
        self.asked += 1
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        host = headers.get("host", "").rsplit(":", 1)[0]
        page = self.pages(host, path)
        if isinstance(page, bytes):
            page = Page(page)
        if page is None:
            page = Page(NOT_FOUND_BODY, 404, "text/html")
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        status = await self._answer(writer, page, headers)
        self.requests[host] += 1
        if self.record:
            self.seen.append(Seen(host, path, headers, begun_s, time.monotonic(), status))
        return not page.fault

    async def _answer(
        self, writer: asyncio.StreamWriter, page: Page, asked: Mapping[str, str]
    ) -> int:
        if page.fault == "refuse":
            return 0
        if page.fault == "hang":
            await asyncio.sleep(3600)
        if page.fault == "garbage":
            writer.write(b"\x00\xff not http at all \r\n\r\n")
            await writer.drain()
            return 0
        status, body, extra = _chosen(page, asked)
        lines = [f"HTTP/1.1 {status} X"]
        lines += [f"{name}: {value}" for name, value in (*page.headers, *extra)]
        if page.media_type:
            lines.append(f"Content-Type: {page.media_type}")
        if page.fault == "endless":
            lines.append("Transfer-Encoding: chunked")
        elif status != 304:
            lines.append(f"Content-Length: {len(body) + 1000 * (page.fault == 'short')}")
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        await _body(writer, page, body)
        return status


def _chosen(page: Page, asked: Mapping[str, str]) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return status, body and further headers, by validators and ranges as asked."""
    extra = [("ETag", page.etag)] if page.etag else []
    if page.etag and asked.get("if-none-match") == page.etag:
        return 304, b"", extra
    wanted = asked.get("range", "")
    if not page.ranges or page.status != 200 or not wanted.startswith("bytes="):
        return page.status, page.body, extra
    first, _, last = wanted[6:].partition("-")
    start, end = int(first), min(int(last) + 1, len(page.body))
    if start >= len(page.body):
        return 416, b"", [*extra, ("Content-Range", f"bytes */{len(page.body)}")]
    span = ("Content-Range", f"bytes {start}-{end - 1}/{len(page.body)}")
    return 206, page.body[start:end], [*extra, span]


async def _body(writer: asyncio.StreamWriter, page: Page, body: bytes) -> None:
    if page.fault == "endless":
        chunk = (body or b"# more\n") * 1000
        while True:
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
    if page.fault == "drip":
        for octet in body:
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0.15)
        return
    if page.fault == "reset":
        writer.write(body[: len(body) // 2])
        await writer.drain()
        writer.transport.abort()
        return
    writer.write(body)
    await writer.drain()
