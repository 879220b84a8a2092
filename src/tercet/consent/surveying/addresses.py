"""Which network addresses may be connected to, and connections pinned to a checked address.

A survey fetches URLs that strangers wrote. The address is checked where the connection is made,
after the name is resolved and for every redirect, and the connection goes to the very address
that was checked: a name that resolves differently a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore2

from tercet.core.limits import ADDRESSES_TRIED_MAX

Resolver = Callable[[str], Awaitable[list[str]]]
"""A host name to its addresses as text, best first. Raises OSError when it has none."""

_RESOLVER_THREADS = 64  # a slow name server must not hold up the other hosts

# IANA IPv4 Special-Purpose Address Registry, with multicast (224/4) and reserved (240/4).
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; clouds keep credentials at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Only global unicast may be reached, so that IPv4-mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96),
# unique-local, link-local and multicast addresses are out; these are exceptions inside it.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols, among them Teredo, which embeds IPv4 addresses
        "2001:db8::/32",
        "2002::/16",  # 6to4 embeds IPv4 addresses
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class AddressRefusedError(Exception):
    """The host has no address that may be connected to."""


def is_public(address: str) -> bool:
    """Return whether ``address`` is a public unicast address. False for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    return parsed in _GLOBAL_V6 and not any(parsed in network for network in _REFUSED_V6)


def system_resolver() -> Resolver:
    """Return a resolver that asks the operating system."""
    threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="resolve")

    async def resolve(host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            threads, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    return resolve


def _literal(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


class PinnedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections to checked addresses only.

    ``overrides`` maps a host name (or "*") to "ADDRESS" or "ADDRESS:PORT", as curl's --connect-to;
    the address it names is checked like any other. ``allow_private`` lifts the check: for tests
    and for a survey of one's own network.
    """

    def __init__(
        self,
        resolve: Resolver,
        *,
        allow_private: bool = False,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._overrides = dict(overrides or {})
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first public address of ``host`` that answers.

        Raises AddressRefusedError when it has none, and the library's errors otherwise.
        """
        host, port = self._override(host, port)
        last: Exception = httpcore2.ConnectError(f"no address for {host}")
        for address in await self._checked(host, timeout):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    async def sleep(self, seconds: float) -> None:
        """Wait, as the library asks for between its own attempts."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, limit_s: float | None) -> list[str]:
        literal = _literal(host)
        try:
            found = [literal] if literal else await asyncio.wait_for(self._resolve(host), limit_s)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"resolving {host} took too long") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"cannot resolve {host}: {error}") from error
        good = [each for each in found if self._allow_private or is_public(each)]
        if found and not good:
            raise AddressRefusedError(f"{host} is at {', '.join(found[:3])}, which is not public")
        return good[:ADDRESSES_TRIED_MAX]

    def _override(self, host: str, port: int) -> tuple[str, int]:
        place = self._overrides.get(host.lower(), self._overrides.get("*", ""))
        if not place:
            return host, port
        if _literal(place):
            return place, port
        address, _, digits = place.rpartition(":")
        return address.strip("[]"), int(digits)
