"""One connection for each site asked, kept a little while: a site is asked one thing at a time.

The HTTP library's own pool looks at every open connection for every request; with hundreds of
hosts that costs more than all the rest, so connections are held by site here.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore2

from tercet.consent.surveying.addresses import PinnedNetwork
from tercet.consent.surveying.targets import Target

_KEPT_MAX = 256  # idle connections; the oldest are closed
_KEPT_SECONDS = 5.0
_BROKEN = (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError)


class Connections:
    """Opens connections through ``network`` and keeps the idle ones."""

    def __init__(self, network: PinnedNetwork) -> None:
        self._network = network
        self._idle: OrderedDict[str, httpcore2.AsyncHTTPConnection] = OrderedDict()
        self._ssl: ssl.SSLContext | None = None

    @asynccontextmanager
    async def get(
        self, target: Target, headers: list[tuple[str, str]], timeout_s: float
    ) -> AsyncIterator[httpcore2.Response]:
        """Ask ``target`` and yield the answer's head; its body can be streamed inside.

        Raises the library's errors. A kept connection that the server has closed meanwhile is
        replaced once.
        """
        wait = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        request = httpcore2.Request(
            "GET", _url(target), headers=headers, extensions={"timeout": wait}
        )
        kept = await self._take(target.site)
        connection = kept or self._open(target)
        try:
            try:
                response = await connection.handle_async_request(request)
            except _BROKEN:
                if kept is None:
                    raise
                await kept.aclose()
                connection = self._open(target)
                response = await connection.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except BaseException:
            await connection.aclose()
            raise
        await self._keep(target.site, connection)

    async def aclose(self) -> None:
        """Close all idle connections."""
        while self._idle:
            await self._idle.popitem()[1].aclose()

    def _open(self, target: Target) -> httpcore2.AsyncHTTPConnection:
        if self._ssl is None:
            self._ssl = _ssl_context()
        return httpcore2.AsyncHTTPConnection(
            origin=_url(target).origin,
            ssl_context=self._ssl,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=self._network,
        )

    async def _take(self, site: str) -> httpcore2.AsyncHTTPConnection | None:
        connection = self._idle.pop(site, None)
        if connection is None:
            return None
        if connection.is_available() and not connection.has_expired():
            return connection
        await connection.aclose()
        return None

    async def _keep(self, site: str, connection: httpcore2.AsyncHTTPConnection) -> None:
        if not connection.is_available():
            await connection.aclose()
            return
        self._idle[site] = connection
        while len(self._idle) > _KEPT_MAX:
            await self._idle.popitem(last=False)[1].aclose()


def _url(target: Target) -> httpcore2.URL:
    return httpcore2.URL(
        scheme=target.scheme, host=target.host, port=target.port, target=target.path
    )


def _ssl_context() -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context()
