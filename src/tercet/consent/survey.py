"""The survey: asks sites and items what they declare, politely, and keeps every answer.

    async with Surveyor(SurveyOptions(contact="https://example.org/bot"), cache) as surveyor:
        captured = await surveyor.site(target_of("https://example.org/a.jpg"))

It names itself, obeys robots.txt for its own token on everything but /robots.txt itself
(RFC 9309 section 2.2.2), asks one host one thing at a time, and connects to public addresses
only. Whatever goes wrong is a capture with a failure: no site and no item is ever lost.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass, replace

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.addresses import PinnedNetwork, Resolver, system_resolver
from tercet.consent.surveying.caching import ResponseCache
from tercet.consent.surveying.collecting import Collector
from tercet.consent.surveying.fetching import Fetcher
from tercet.consent.surveying.items import survey_item
from tercet.consent.surveying.politeness import Clock, Politeness
from tercet.consent.surveying.resources import ROBOTS, SITE_KINDS
from tercet.consent.surveying.sites import not_asked, survey_site
from tercet.consent.surveying.targets import Target
from tercet.core import limits
from tercet.core.declaration import Carrier
from tercet.core.errors import InputError, StorageError

_log = logging.getLogger(__name__)
_TOKEN = re.compile(r"[A-Za-z_-]{1,40}\Z")  # RFC 9309 section 2.2.1: a product token
_CONTACT = re.compile(r"[!-'*-\[\]-~]{3,200}\Z")  # visible ASCII without ( ) \ that end a comment
_OVERRIDE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9.]+):([0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """How to survey. Times in seconds.

    ``contact`` is a URL or mail address at which site owners reach whoever runs this survey; it
    goes into the User-Agent. ``agent`` is the product token, both in the User-Agent and for
    robots.txt. ``items`` also asks every item, not only every site. ``overrides`` are pairs of a
    host name (or "*") and "ADDRESS" or "ADDRESS:PORT" to connect to in its place.

    Raises InputError when a value cannot be used.
    """

    contact: str
    agent: str = "TercetBot"
    items: bool = False
    concurrency: int = 64
    host_interval_s: float = 1.0
    timeout_s: float = 20.0
    retries_max: int = limits.RETRIES_MAX
    allow_private: bool = False
    overrides: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not _CONTACT.match(self.contact):
            raise InputError(
                f"expected a contact URL or mail address, got {self.contact[:80]!r}",
                hint="a survey must say who runs it: --contact https://your.example/bot",
            )
        if not _TOKEN.match(self.agent):
            raise InputError(
                f"expected an agent of letters, '-' and '_', got {self.agent[:80]!r}",
                hint="RFC 9309 allows no digits in it: --agent TercetBot",
            )
        if not 1 <= self.concurrency <= 1024:
            raise InputError(
                f"expected a concurrency of 1 to 1024, got {self.concurrency}",
                hint="it counts requests under way over all hosts; one host gets one at a time",
            )
        if not 0 <= self.host_interval_s <= 3600 or not 0 < self.timeout_s <= 600:
            raise InputError(
                f"expected an interval of 0 to 3600 s and a time-out of up to 600 s, got "
                f"{self.host_interval_s} s and {self.timeout_s} s",
                hint="leave them out for 1 s and 20 s",
            )
        for host, place in self.overrides:
            _check_override(host, place)

    @property
    def user_agent(self) -> str:
        """The User-Agent header: who asks, in which version, and where to complain."""
        from tercet.core.version import __version__

        return f"{self.agent}/{__version__} (+{self.contact})"


class Surveyor:
    """Asks sites and items. Use it within ``async with``; ``resolve`` and ``clock`` for tests."""

    def __init__(
        self,
        options: SurveyOptions,
        cache: ResponseCache,
        *,
        clock: Clock | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        self.options = options
        self.clock = clock or Clock()
        network = PinnedNetwork(
            resolve or system_resolver(),
            allow_private=options.allow_private,
            overrides={host.lower(): place for host, place in options.overrides},
        )
        politeness = Politeness(
            self.clock, interval_s=options.host_interval_s, concurrency=options.concurrency
        )
        self._fetcher = Fetcher(
            options.user_agent,
            network,
            politeness,
            self.clock,
            options.timeout_s,
            options.retries_max,
        )
        self._collector = Collector(self._fetcher, cache, options.agent, self.clock.now())

    async def __aenter__(self) -> Surveyor:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._fetcher.__aexit__(*raised)

    async def site(self, target: Target) -> list[Captured]:
        """Return what the site of ``target`` gave. Raises StorageError, nothing else."""
        at = self.clock.timestamp()
        every = [not_asked(kind, target, Failure.UNREACHABLE, at) for kind in (ROBOTS, *SITE_KINDS)]
        return await _held_on_defect(survey_site(self._collector, target), every)

    async def item(self, item: str, target: Target) -> list[Captured]:
        """Return what one item gave; ``item`` is its key. Raises StorageError, nothing else."""
        capture = Capture(
            resource=Resource.HTTP_HEADERS,
            carrier=Carrier.HEADER,
            site=target.site,
            item=item,
            uri=target.url,
            fetched_at=self.clock.timestamp(),
            failure=Failure.UNREACHABLE,
        )
        work = survey_item(self._collector, item, target)
        return await _held_on_defect(work, [capture_of(capture, None)])


async def _held_on_defect(
    work: Awaitable[list[Captured]], otherwise: list[Captured]
) -> list[Captured]:
    """Await ``work``; a defect of ours is logged and gives ``otherwise``, which is held."""
    try:
        return await work
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001  the other sites must not suffer from one
        _log.exception("the survey of %s failed", otherwise[0][0].uri)
        note = f"the survey failed: {type(error).__name__}"
        return [(replace(capture, note=note), raw) for capture, raw in otherwise]


def _check_override(host: str, place: str) -> None:
    match = _OVERRIDE.match(place)
    address = match[1].strip("[]") if match else place
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise InputError(
            f"expected HOST:ADDRESS or HOST:ADDRESS:PORT, got {host[:80]!r} at {place[:80]!r}",
            hint="for example --resolve example.org:192.0.2.7 or --resolve '*:127.0.0.1:8080'",
        ) from None
    if match and not 0 < int(match[2]) < 65536:
        raise InputError(
            f"expected a port of 1 to 65535, got {match[2]}",
            hint="as in --resolve '*=127.0.0.1:8080'",
        )
