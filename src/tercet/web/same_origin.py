"""Whether a request that changes something comes from our own pages, not from another site's.

Browsers say so themselves: `Sec-Fetch-Site` (W3C Fetch Metadata), `Origin` (RFC 6454) in older
ones. A request that says neither is refused: programs have the API for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from tercet.core.errors import RefusedError

_OURS = "same-origin"


def check_same_origin(headers: Mapping[str, str]) -> None:
    """Raise RefusedError unless the browser says that our own page sent this.

    ``headers`` has lower-case names. An ``Origin`` that differs from ``Host`` refuses, whatever
    else is said.
    """
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    if origin:
        is_ours = _names_host(origin, headers.get("host", "")) and site in {"", _OURS}
    else:
        is_ours = site == _OURS
    if not is_ours:
        raise RefusedError(
            "expected this to be sent by a page of this server, it came from elsewhere",
            hint="open the page here and try again; programs use /v1/videos",
        )


def _names_host(origin: str, host: str) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
