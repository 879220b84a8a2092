"""URLs as the survey asks for them: WHATWG-normalised, http or https, without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from tercet.core.limits import URL_BYTES_MAX

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One URL, taken apart. All parts are ASCII.

    ``host`` has no brackets also where it is an IPv6 address; ``path`` includes the query and is
    what robots.txt rules are matched against.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def site(self) -> str:
        """The origin, lower case, default port dropped: "https://example.org:8443"."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """What goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL, without fragment and credentials."""
        return self.site + self.path


def target_of(url: str, base: str = "") -> Target | None:
    """Return where ``url`` leads (relative to ``base``), or None when it cannot be fetched.

    None for what the WHATWG URL standard cannot parse, for other schemes than http and https and
    for URLs beyond URL_BYTES_MAX. Credentials and the fragment are dropped; hosts written as
    numbers ("0x7f000001", "2130706433") become the address they mean. Source: url.spec.whatwg.org.
    """
    import can_ada

    if len(url) > URL_BYTES_MAX:
        return None
    try:
        parsed = can_ada.parse(urljoin(base, url) if base else url)
        scheme = parsed.protocol.rstrip(":")
        host, port = parsed.hostname.strip("[]"), parsed.port
        path = parsed.pathname + parsed.search
    except (ValueError, TypeError, UnicodeError):
        return None
    if scheme not in _PORTS or not host or not (host + path).isascii():
        return None
    return Target(scheme, host, int(port) if port else _PORTS[scheme], path)


def is_same_host(one: Target, other: Target) -> bool:
    """Return whether two targets lie on one host: the scheme, the port and "www." do not count."""
    return one.host.removeprefix("www.") == other.host.removeprefix("www.")
