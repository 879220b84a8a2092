"""One URL to bytes or a failure: redirects, retries, limits. Nothing here raises for the network.

Every hop is asked whether it may be fetched, takes its host's turn, and connects through the
pinned network. Bodies are decoded and cut while they arrive: a bomb costs no more than the limit.
"""

from __future__ import annotations

import asyncio
import email.utils
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import httpcore2

from tercet.consent.failures import Failure
from tercet.consent.surveying.addresses import AddressRefusedError, PinnedNetwork
from tercet.consent.surveying.connections import Connections
from tercet.consent.surveying.politeness import Clock, Politeness
from tercet.consent.surveying.targets import Target, is_same_host, target_of
from tercet.core import limits

MayFetch = Callable[[Target], Awaitable[bool]]
"""Whether robots.txt lets our agent fetch a target."""

_RETRIED = (Failure.TOO_MANY_REQUESTS, Failure.SERVER_ERROR, Failure.TIMEOUT)
_REDIRECTS = (301, 302, 303, 307, 308)
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_HEADER_TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """What to fetch. ``bytes_max`` bounds the body after decoding; ``headers`` go along."""

    target: Target
    bytes_max: int
    accept: str = "*/*"
    encoding: str = "gzip"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. ``body`` is None when there is none worth keeping.

    ``failure`` speaks of the way there (not of what the bytes are): the status, the redirects,
    the network. ``cut`` tells that the body went on beyond the limit. ``off_host`` tells that a
    redirect led to another host.
    """

    target: Target
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = None
    failure: Failure | None = None
    cut: bool = False
    off_host: bool = False
    redirects: tuple[str, ...] = ()
    note: str = ""
    fetched_at: str = ""

    def header(self, name: str) -> str:
        """Return the last value of a header, "" when it is missing."""
        wanted = name.lower().encode()
        values = [value for key, value in self.headers if key.lower() == wanted]
        return values[-1].decode("latin-1").strip() if values else ""


@dataclass(slots=True)
class Fetcher:
    """Fetches as one named agent. Use it within ``async with``."""

    user_agent: str
    network: PinnedNetwork
    politeness: Politeness
    clock: Clock
    timeout_s: float
    retries_max: int = limits.RETRIES_MAX
    _connections: Connections = field(init=False)

    def __post_init__(self) -> None:
        self._connections = Connections(self.network)

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._connections.aclose()

    async def fetch(self, ask: Ask, may_fetch: MayFetch | None = None) -> Answer:
        """Return what ``ask`` gives, after redirects and retries. Never raises for the network."""
        for attempt in range(self.retries_max + 1):
            answer = await self._follow(ask, may_fetch)
            if answer.failure not in _RETRIED or attempt == self.retries_max:
                break
            asked_s = _retry_after(answer.header("retry-after"), self.clock.now())
            if asked_s > limits.RETRY_AFTER_SECONDS_MAX:
                note = f"{answer.note}; asked to wait {asked_s:.0f} s".removeprefix("; ")
                answer = replace(answer, note=note)
                break
            wait_s = max(asked_s, limits.RETRY_BACKOFF_SECONDS * 2**attempt)
            self.politeness.hold(answer.target.host, wait_s)
        return answer

    async def _follow(self, ask: Ask, may_fetch: MayFetch | None) -> Answer:
        first, seen = ask.target, [ask.target.url]
        while True:
            if may_fetch and not await may_fetch(ask.target):
                answer = Answer(ask.target, failure=Failure.ROBOTS_REFUSED)
            else:
                answer = await self._hop(ask)
            answer = replace(
                answer,
                redirects=tuple(seen[:-1]),
                off_host=not is_same_host(first, ask.target),
                fetched_at=self.clock.timestamp(),
            )
            if answer.failure or answer.status not in _REDIRECTS:
                return answer
            place = answer.header("location")
            following = target_of(place, ask.target.url) if place else None
            note = _redirect_fault(following, seen)
            if note or following is None:
                return replace(answer, failure=Failure.REDIRECT_LOOP, note=note, body=None)
            seen.append(following.url)
            ask = replace(ask, target=following, headers=_unconditional(ask.headers))

    async def _hop(self, ask: Ask) -> Answer:
        """Ask one URL once, within its host's turn and the time limits."""
        async with self.politeness.turn(ask.target.host):
            try:
                # The library limits each read; a server that drips is limited here as a whole.
                async with asyncio.timeout(3 * self.timeout_s):
                    return await self._request(ask)
            except AddressRefusedError as error:
                failure, note = Failure.ADDRESS_REFUSED, str(error)
            except (TimeoutError, httpcore2.TimeoutException) as error:
                failure, note = Failure.TIMEOUT, str(error) or "the answer took too long"
            except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
                failure, note = Failure.UNREACHABLE, f"{type(error).__name__}: {error}"
            except (ValueError, httpcore2.UnsupportedProtocol) as error:
                failure, note = Failure.UNREACHABLE, f"cannot be asked: {error}"
        return Answer(ask.target, failure=failure, note=note[:_HEADER_TEXT_MAX])

    async def _request(self, ask: Ask) -> Answer:
        target = ask.target
        headers = [
            ("Host", target.authority),
            ("User-Agent", self.user_agent),
            ("Accept", ask.accept),
            ("Accept-Encoding", ask.encoding),
            *ask.headers,
        ]
        async with self._connections.get(target, headers, self.timeout_s) as response:
            answer = Answer(target, response.status, tuple(response.headers))
            if not 200 <= response.status < 300:
                await _drain(response.aiter_stream())
                return replace(answer, failure=_status_failure(response.status))
            return await _read_body(answer, response.aiter_stream(), ask.bytes_max)


def _status_failure(status: int) -> Failure | None:
    if status in _REDIRECTS or status == 304:
        return None
    if status == 429:
        return Failure.TOO_MANY_REQUESTS
    if 400 <= status < 500:
        return Failure.CLIENT_ERROR
    # Other 3xx lead nowhere; what is no HTTP status at all is the server's error.
    return Failure.REDIRECT_LOOP if 300 <= status < 400 else Failure.SERVER_ERROR


def _redirect_fault(following: Target | None, seen: list[str]) -> str:
    if following is None:
        return "redirected to what is no http or https URL"
    if following.url in seen:
        return "redirected in a circle"
    if len(seen) > limits.REDIRECTS_MAX:
        return f"more than {limits.REDIRECTS_MAX} redirects"
    return ""


def _unconditional(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Leave out validators: they belong to the URL asked first."""
    return tuple(pair for pair in headers if not pair[0].lower().startswith("if-"))


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Read a short error page to its end, so that the connection can be used again."""
    size = 0
    try:
        async with asyncio.timeout(limits.DRAIN_SECONDS_MAX):
            async for chunk in stream:
                size += len(chunk)
                if size > limits.DRAIN_BYTES_MAX:
                    return
    except (TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError):
        return
    except httpcore2.ProtocolError:
        return


async def _read_body(answer: Answer, stream: AsyncIterator[bytes], bytes_max: int) -> Answer:
    coding = answer.header("content-encoding").lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        note = f"content-encoding {coding[:40]!r} was not asked for and cannot be decoded"
        return replace(answer, failure=Failure.SERVER_ERROR, note=note)
    inflating = _Inflating() if coding not in ("", "identity") else None
    body = bytearray()
    try:
        async for chunk in stream:
            room = bytes_max + 1 - len(body)
            body += inflating.take(chunk, room) if inflating else chunk[:room]
            if len(body) > bytes_max:
                return replace(answer, body=bytes(body[:bytes_max]), cut=True)
    except zlib.error as error:
        return replace(answer, failure=Failure.SERVER_ERROR, note=f"broken {coding}: {error}")
    if inflating and not inflating.is_complete:
        note = f"the {coding} body ends early"
        return replace(answer, failure=Failure.UNREACHABLE, note=note)
    return replace(answer, body=bytes(body))


class _Inflating:
    """A gzip or zlib body as it arrives; several members in a row are one body (RFC 1952)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._begun = False

    @property
    def is_complete(self) -> bool:
        """Whether the body ended where a member ends; an empty body has none."""
        return self._member.eof or not self._begun

    def take(self, chunk: bytes, room: int) -> bytes:
        """Return at most ``room`` bytes that ``chunk`` adds. Raises zlib.error."""
        found = bytearray()
        while chunk and len(found) < room:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._begun = True
            found += self._member.decompress(chunk, room - len(found))
            chunk = self._member.unused_data
        return bytes(found)


def _retry_after(value: str, now: float) -> float:
    """Return the seconds a Retry-After header asks for, 0 when it says nothing readable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return 0.0
    return max(0.0, when.timestamp() - now)
