"""Manners towards hosts: one request at a time, a pause between two, and their wish to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

_HOSTS_KEPT = 20_000  # above it, hosts that may be asked again at once are forgotten


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the survey sees it: ``now`` in seconds since 1970, ``sleep`` in seconds."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def timestamp(self) -> str:
        """Return the present as RFC 3339 UTC, to the second."""
        return datetime.fromtimestamp(int(self.now()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    next_at: float = 0.0


class Politeness:
    """Takes turns: per host one request at a time, and ``interval_s`` between end and next start.

    At most ``concurrency`` requests run over all hosts; a host that waits holds no place.
    """

    def __init__(self, clock: Clock, *, interval_s: float, concurrency: int) -> None:
        self._clock = clock
        self._interval_s = interval_s
        self._places = asyncio.Semaphore(concurrency)
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until ``host`` may be asked, and hold it until the request is over."""
        state = self._hosts.setdefault(host, _Host())
        state.users += 1
        try:
            async with state.lock:
                while (wait_s := state.next_at - self._clock.monotonic()) > 0:
                    await self._clock.sleep(wait_s)
                async with self._places:
                    try:
                        yield
                    finally:
                        self._not_before(state, self._interval_s)
        finally:
            state.users -= 1
            self._forget_idle()

    def hold(self, host: str, seconds: float) -> None:
        """Leave ``host`` alone for ``seconds``, as it asked by Retry-After."""
        self._not_before(self._hosts.setdefault(host, _Host()), seconds)

    def _not_before(self, state: _Host, seconds: float) -> None:
        state.next_at = max(state.next_at, self._clock.monotonic() + seconds)

    def _forget_idle(self) -> None:
        if len(self._hosts) <= _HOSTS_KEPT:
            return
        now = self._clock.monotonic()
        kept = {
            name: host for name, host in self._hosts.items() if host.users or host.next_at > now
        }
        self._hosts = kept
