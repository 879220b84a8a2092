"""HTTP caching for the survey: how long an answer is fresh, and what is kept of it (RFC 9111)."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from typing import Protocol

from tercet.consent.capture import Capture, Captured
from tercet.consent.failures import Failure
from tercet.consent.surveying.fetching import Answer
from tercet.core.limits import CACHE_SECONDS_DEFAULT, CACHE_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier answer left: its captures, its validators and how long it may be reused.

    Times are in seconds since 1970. Within one run each URL is asked once, whatever HTTP says: a
    survey is one look at the world. The next run asks again what is no longer fresh.
    """

    captures: tuple[Capture, ...]
    stored_at: float
    fresh_until: float
    etag: str = ""
    last_modified: str = ""

    def is_fresh(self, now: float, run_started_at: float) -> bool:
        """Return whether the captures may be used again without asking."""
        if not 0 <= now - self.stored_at < CACHE_SECONDS_MAX:
            return False
        return now < self.fresh_until or self.stored_at >= run_started_at


class ResponseCache(Protocol):
    """Where earlier answers are kept, by a key of the survey's own."""

    def get(self, key: str) -> tuple[Stored, tuple[bytes, ...]] | None:
        """Return what is kept and the captures' bytes; None when any of it is missing."""
        ...

    def put(self, key: str, entry: Stored, captured: tuple[Captured, ...]) -> None:
        """Keep an answer with its bytes, in place of an earlier one."""
        ...


def stored(captures: tuple[Capture, ...], answer: Answer, now: float) -> Stored:
    """Return what to keep of an answer."""
    return Stored(captures, now, now + freshness_s(answer, now), *validators(answer))


def freshness_s(answer: Answer, now: float) -> float:
    """Return for how many seconds ``answer`` may be reused without asking, at most a day.

    None at all for a failure that may pass (time-outs, 429, 5xx, an unreachable host).

    Source: RFC 9111 sections 4.2.1 (explicit lifetime less age) and 5.2; RFC 9309 section 2.4.
    """
    if answer.failure not in (None, Failure.CLIENT_ERROR):
        return 0.0
    directives = _directives(answer.header("cache-control"))
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    age_s = _seconds(answer.header("age")) or 0.0
    lifetime_s = _seconds(directives.get("max-age", ""))
    if lifetime_s is None and answer.header("expires"):
        expires = _date(answer.header("expires"))
        date = _date(answer.header("date")) or now
        lifetime_s = expires - date if expires else 0.0  # section 5.3: "0" means expired
    if lifetime_s is None:
        lifetime_s = CACHE_SECONDS_DEFAULT
    return min(max(0.0, lifetime_s - age_s), CACHE_SECONDS_MAX)


def validators(answer: Answer) -> tuple[str, str]:
    """Return the answer's ETag and Last-Modified, "" where it must not be asked for again."""
    if answer.status not in (200, 206, 304) or answer.redirects or answer.cut:
        return "", ""
    if "no-store" in _directives(answer.header("cache-control")):
        return "", ""
    return answer.header("etag"), answer.header("last-modified")


def conditions(earlier: Stored | None) -> tuple[tuple[str, str], ...]:
    """Return the request headers that ask whether ``earlier`` still holds."""
    if earlier is None:
        return ()
    pairs = (("If-None-Match", earlier.etag), ("If-Modified-Since", earlier.last_modified))
    return tuple(pair for pair in pairs if pair[1])


def _directives(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in value.split(","):
        name, _, argument = part.strip().partition("=")
        found.setdefault(name.lower(), argument.strip('" '))
    return found


def _seconds(text: str) -> float | None:
    return float(text[:9]) if text.isascii() and text.isdigit() else None


def _date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
