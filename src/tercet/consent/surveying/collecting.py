"""Fetching with memory and manners: nothing fresh is asked again, nothing forbidden is fetched."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Union
from weakref import WeakValueDictionary

from tercet.consent.capture import Capture, Captured
from tercet.consent.failures import Consequence, Failure, consequence
from tercet.consent.signal import Resource
from tercet.consent.surveying.caching import ResponseCache, Stored, conditions, stored
from tercet.consent.surveying.fetching import Answer, Ask, Fetcher, MayFetch
from tercet.consent.surveying.resources import ROBOTS, Kind, captured_file
from tercet.consent.surveying.targets import Target
from tercet.core.limits import CACHE_SECONDS_DEFAULT

if TYPE_CHECKING:
    from tercet.consent.signals.robots_file import RobotsFile

_RULES_BYTES_MAX = 16 * 1024 * 1024  # of robots.txt kept parsed; about ten times that in memory

Rules = Union["RobotsFile", bool]

Work = Callable[[tuple[tuple[str, str], ...]], Awaitable[tuple[Answer, tuple[Captured, ...]]]]
"""Asks for something, with the request headers given, and says what was captured."""


@dataclass(slots=True)
class Collector:
    """Gets captures, from the cache where HTTP allows it and from the network otherwise.

    ``agent`` is the product token whose robots.txt rules are obeyed.
    """

    fetcher: Fetcher
    cache: ResponseCache
    agent: str
    run_started_at: float
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _rules: OrderedDict[str, tuple[float, Rules]] = field(default_factory=OrderedDict)
    _rules_bytes: int = 0

    async def remembered(self, key: str, work: Work) -> tuple[Captured, ...]:
        """Return the captures under ``key``: kept ones while fresh, else what ``work`` gives.

        Two callers with the same key ask once. A 304 renews what is kept.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            now = self.fetcher.clock.now()
            kept = self.cache.get(key)
            if kept and kept[0].is_fresh(now, self.run_started_at):
                return tuple(zip(kept[0].captures, kept[1], strict=True))
            answer, captured = await work(conditions(kept[0] if kept else None))
            if kept and answer.status == 304 and answer.failure is None:
                captured = _renewed(kept[0], kept[1], answer)
            captures = tuple(capture for capture, _ in captured)
            entry = stored(captures, answer, self.fetcher.clock.now())
            if kept and answer.status == 304 and not (entry.etag or entry.last_modified):
                entry = replace(entry, etag=kept[0].etag, last_modified=kept[0].last_modified)
            self.cache.put(key, entry, captured)
            return captured

    async def file(
        self, kind: Kind, target: Target, site: str, *, item: str = "", pointer: str = ""
    ) -> Captured:
        """Return a permission file. All but /robots.txt itself is subject to robots.txt.

        RFC 9309 section 2.2.2 excepts only /robots.txt from its rules; so a file it forbids us is
        not fetched, and what was not read is held.
        """
        may_fetch: MayFetch | None = None if kind is ROBOTS else self.may_fetch

        async def work(
            headers: tuple[tuple[str, str], ...],
        ) -> tuple[Answer, tuple[Captured, ...]]:
            ask = Ask(target, kind.bytes_max, kind.accept, headers=headers)
            answer = _expected(await self.fetcher.fetch(ask, may_fetch), headers)
            return answer, (captured_file(answer, kind, site, pointer=pointer),)

        key = f"{kind.resource} {pointer or target.url}"
        (captured,) = await self.remembered(key, work)
        return replace(captured[0], site=site, item=item), captured[1]

    async def may_fetch(self, target: Target) -> bool:
        """Return whether the robots.txt of the target's site lets our agent fetch it."""
        now = self.fetcher.clock.now()
        known = self._rules.get(target.site)
        if known and known[0] > now:
            self._rules.move_to_end(target.site)
            rules = known[1]
        else:
            robots = replace(target, path=ROBOTS.paths[0])
            capture, raw = await self.file(ROBOTS, robots, target.site)
            rules = rules_of(capture, raw)
            self._keep(target.site, now, rules)
        return permits(rules, self.agent, target.path)

    def _keep(self, site: str, now: float, rules: Rules) -> None:
        """Keep rules parsed for the requests that follow; the oldest make room."""
        if site in self._rules:
            self._rules_bytes -= _size(self._rules.pop(site)[1])
        self._rules_bytes += _size(rules)
        self._rules[site] = (now + CACHE_SECONDS_DEFAULT, rules)
        while self._rules_bytes > _RULES_BYTES_MAX:
            self._rules_bytes -= _size(self._rules.popitem(last=False)[1][1])


def rules_of(capture: Capture, raw: bytes) -> Rules:
    """Return the rules of a robots.txt as it was had; a bool where it holds for everything.

    A 4xx means there are no rules (RFC 9309 section 2.3.1.3); what could not be had or read
    forbids everything (section 2.3.1.4), also where the RFC would let a crawler assume more.
    """
    from tercet.consent.signals import robots_file

    if capture.failure is Failure.CLIENT_ERROR:
        return True
    if capture.failure is not None and (
        consequence(Resource.ROBOTS_TXT, capture.failure) is not Consequence.READ
    ):
        return False
    rules = robots_file.parse(raw)
    return False if rules.fault else rules


def permits(rules: Rules, agent: str, path: str) -> bool:
    """Return whether ``rules`` let ``agent`` fetch ``path`` (with its query)."""
    if isinstance(rules, bool):
        return rules
    return rules.allowed(agent, path.encode("ascii", "replace")).allowed


def _size(rules: Rules) -> int:
    return 256 + (0 if isinstance(rules, bool) else len(rules.raw))


def _renewed(kept: Stored, raws: tuple[bytes, ...], answer: Answer) -> tuple[Captured, ...]:
    """Return kept captures as they hold at the time of a 304."""
    note = f"not modified since {kept.captures[0].fetched_at}" if kept.captures else ""
    renewed = [replace(each, fetched_at=answer.fetched_at, note=note) for each in kept.captures]
    return tuple(zip(renewed, raws, strict=True))


def _expected(answer: Answer, headers: tuple[tuple[str, str], ...]) -> Answer:
    """Return ``answer``; a 304 nobody asked for is the server's error."""
    if answer.status == 304 and not headers:
        return replace(answer, failure=Failure.SERVER_ERROR, note="304 without a condition")
    return answer
