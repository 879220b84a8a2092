"""URLs one by one, by a library: whose site, and which path.

Most URLs of a corpus are in WHATWG normal form already and are only cut at their slashes
(row_matching.py). What is not comes here: upper case, ports, user names, dot segments, IDNA ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLEAN_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class SplitUrl:
    """One URL in normal form: its origin ("https://example.org") and its path with query."""

    origin: str
    path: str


def split_url(url: str) -> SplitUrl | None:
    """Return the parts of an absolute http or https URL (WHATWG URL, IDNA), else None."""
    import can_ada

    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: text that is not Unicode
        return None
    if parsed.protocol not in ("http:", "https:") or not parsed.hostname:
        return None
    whole = parsed.href.partition("#")[0]
    path = whole[whole.index("/", len(parsed.protocol) + 2) :]  # keeps an empty query's "?"
    return SplitUrl(f"{parsed.protocol}//{parsed.host}", path)


def origin_of(scheme: str, host: str) -> str | None:
    """Return the origin in normal form, None when the host is not one."""
    split = split_url(f"{scheme}://{host}/")
    return split.origin if split else None


def is_clean_host(host: str) -> bool:
    """Say whether ``host`` (with an optional port) can be looked at apart from its URL."""
    return _CLEAN_HOST.match(host) is not None
