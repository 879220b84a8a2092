"""What stands in front of every route: size of the body, the key, and the site that calls."""

from __future__ import annotations

import asyncio
import hmac
import time
from urllib.parse import urlsplit

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tercet.api.bodies import BODY_BYTES_MAX
from tercet.api.problems import ApiError, problem_response

BODY_GRACE_S = 30.0
BODY_BYTES_PER_S_MIN = 16 * 1024
_SAFE = {"GET", "HEAD", "OPTIONS"}


class BodyLimit:
    """Refuses bodies that are too large, by what they say and by what comes, or come too slowly.

    A body has ``grace_s``, and then a second for every ``bytes_per_s`` that came.
    """

    def __init__(
        self,
        app: ASGIApp,
        bytes_max: int = BODY_BYTES_MAX,
        grace_s: float = BODY_GRACE_S,
        bytes_per_s: int = BODY_BYTES_PER_S_MIN,
    ) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._grace_s = grace_s
        self._bytes_per_s = bytes_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdecimal() or int(said[:20]) > self._bytes_max:
            await problem_response(self._error())(scope, receive, send)
            return
        seen, is_whole, began_s = 0, False, time.monotonic()

        async def counted() -> Message:
            nonlocal seen, is_whole
            if is_whole:  # what is waited for now is that the client goes away
                return await receive()
            left_s = self._grace_s + seen / self._bytes_per_s - (time.monotonic() - began_s)
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left_s))
            except TimeoutError:
                raise _slow() from None
            is_whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise self._error()
            return message

        await self._app(scope, counted, send)

    def _error(self) -> ApiError:
        return ApiError(
            413, "too-large", f"expected a request of at most {self._bytes_max:,} bytes, got more",
            headers={"Connection": "close"},
        )  # fmt: skip


def _slow() -> ApiError:
    return ApiError(
        408, "too-slow", "expected the rest of the request, it does not come",
        headers={"Connection": "close"},
    )  # fmt: skip


OPEN_PATHS = frozenset({"/healthz", "/rates", "/v1/offers", "/v1/letters"})
OPEN_PREFIXES = ("/v1/offers/", "/static/", "/dsp/", "/v1/letters/", "/letters/")
"""What is for everybody: whether videos are made, offers, which are to be found, open letters, and
negotiations, in which signatures say who speaks.
"""


class KeyGuard:
    """Asks every request but those for everybody for the key, where there is one."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode("utf-8", "surrogateescape")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._key or _is_for_everybody(scope["path"]):
            await self._app(scope, receive, send)
            return
        kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        # Both are compared in full, whatever is given: the time says nothing of the key.
        if hmac.compare_digest(given.strip().encode("latin-1"), self._key) and (
            kind.lower() == "bearer"
        ):
            await self._app(scope, receive, send)
            return
        error = ApiError(
            401, "invalid_api_key", "expected the API key of this server",
            hint="send it as Authorization: Bearer KEY",
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip
        await problem_response(error)(scope, receive, send)


def _is_for_everybody(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


class SiteGuard:
    """Refuses what a page of another site makes a browser send: it is not its user who asks.

    A name that is not the server's own may be another site's that was pointed here (DNS
    rebinding); a form of another site may send a request that changes something.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or (refusal := self._refusal(scope)) is None:
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if self._hosts and _name(host) not in self._hosts:
            return _refused(f"expected a host name of this server, got {host[:80]!r}")
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("origin", "")
        if (origin and not _names_host(origin, host)) or headers.get("sec-fetch-site", "") in {
            "cross-site", "same-site",
        }:  # fmt: skip
            return _refused("expected a request of this site, got one that another site sent")
        return None


def _name(host: str) -> str:
    """Return a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _names_host(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host
    except ValueError:  # brackets that do not close
        return False


def _refused(message: str) -> Response:
    return problem_response(ApiError(403, "other-site", message))
