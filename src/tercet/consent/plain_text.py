"""Text from strangers, made fit to keep: encodable, on one line, and no longer than a limit."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from tercet.consent.paths import normalise_pattern
from tercet.core.limits import CONDITION_TEXT_MAX


def clean(text: str, characters_max: int = CONDITION_TEXT_MAX) -> str:
    """Return ``text`` on one line, cut, with lone surrogates and NUL replaced."""
    # Cut before splitting as well: white space alone must not cost more than the limit.
    line = " ".join(text[: characters_max * 4].split())[:characters_max]
    return line.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def resolve(base: str, reference: str) -> str:
    """Return ``reference`` as an absolute URL where that is possible, else as it stands. Total."""
    try:
        return clean(urljoin(base, reference.strip()))
    except ValueError:  # an IPv6 address left open
        return clean(reference)


def host_of(url: str) -> str:
    """Return the host of ``url`` in lower case without a leading ``www.``, or "". Total.

    ``www.`` is dropped because files in the wild name either form for the same site.
    """
    try:
        host = (urlsplit(url.strip()).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    return host.removeprefix("www.")


def pattern_text(pattern: str) -> str:
    """Return a pattern in the percent-normalised form kept in statements."""
    return normalise_pattern(pattern.encode("utf-8", "replace")).decode("ascii", "replace")
