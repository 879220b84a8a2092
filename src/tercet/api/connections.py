"""Connections that must say what they want: those that stay silent make room for others."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_WITHIN_S = 20.0


class PromptConnection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it; the head of the first request must come within a time.

    The server counts connections and refuses those beyond a limit: without this, a few hundred
    that never say anything would keep everybody else out. Later requests on a connection have
    uvicorn's own limit for one that is kept alive.
    """

    request_within_s = REQUEST_WITHIN_S
    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._silence = self.loop.call_later(self.request_within_s, self._end_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._silence is not None:
            self._silence.cancel()
        super().connection_lost(exc)

    def _end_if_silent(self) -> None:
        if self.conn.their_state is h11.IDLE and self.cycle is None:
            self.transport.close()
