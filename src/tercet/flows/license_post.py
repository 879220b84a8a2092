"""One message to another party's server, over connections pinned to checked addresses.

Redirects are not followed: a message goes to who it was written for, or to nobody.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from tercet.core.errors import InputError
from tercet.core.limits import URL_BYTES_MAX

TIMEOUT_S = 15.0
REPLY_BYTES_MAX = 4 * 1024 * 1024
FILE_SCHEME = "file:"
_USER_AGENT = "tercet-license"
_ROOM_FOR_PATHS = 200  # of what is set behind an address


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. ``status`` is 0 when nothing was answered, and ``note`` says why."""

    status: int
    body: bytes = b""
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was acknowledged."""
        return 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Whether asking again would give the same. Errors of the server may pass."""
        return self.is_good or (300 <= self.status < 500 and self.status not in (408, 425, 429))


def checked_address(address: str, *, allow_local: bool, allow_folder: bool = False) -> str:
    """Return a party's address without a slash at its end. Raises InputError.

    ``allow_local`` lets it be plain HTTP and an address that is not public; ``allow_folder``
    lets it be the folder of a desk on this machine (``file:/path``).
    """
    if allow_folder and address.startswith(FILE_SCHEME):
        return address
    schemes = ("https", "http") if allow_local else ("https",)
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    is_plain = address.isascii() and address.isprintable() and not set(" #?") & set(address)
    fits = len(address) <= URL_BYTES_MAX - _ROOM_FOR_PATHS
    if not (is_good and is_plain and fits) or parts.username is not None:
        raise InputError(
            f"expected an address that begins with {' or '.join(f'{s}://' for s in schemes)}, "
            f"got {address[:80]!r}",
            hint="" if allow_local else "--allow-local allows addresses that are not public",
        )
    return address.rstrip("/")


def send(
    method: str,
    url: str,
    body: bytes = b"",
    *,
    allow_local: bool = False,
    bytes_max: int = REPLY_BYTES_MAX,
    timeout_s: float = TIMEOUT_S,
) -> Reply:
    """Send one request with a JSON body and return what came back. Never raises for the network."""
    import httpcore2

    from tercet.consent.surveying.addresses import AddressRefusedError

    try:
        return asyncio.run(_within(method, url, body, allow_local, bytes_max, timeout_s))
    except AddressRefusedError as error:
        return Reply(0, note=str(error))
    except (TimeoutError, httpcore2.TimeoutException) as error:
        return Reply(0, note=str(error) or "the answer took too long")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        return Reply(0, note=f"{type(error).__name__}: {error}"[:200])
    except (ValueError, httpcore2.UnsupportedProtocol) as error:
        return Reply(0, note=f"cannot be asked: {error}"[:200])


async def _within(
    method: str, url: str, body: bytes, allow_local: bool, bytes_max: int, timeout_s: float
) -> Reply:
    async with asyncio.timeout(3 * timeout_s):  # as a whole: the library limits each read
        return await _asked(method, url, body, allow_local, bytes_max, timeout_s)


async def _asked(
    method: str, url: str, body: bytes, allow_local: bool, bytes_max: int, timeout_s: float
) -> Reply:
    import httpcore2

    from tercet.consent.surveying.addresses import PinnedNetwork, system_resolver

    network = PinnedNetwork(system_resolver(), allow_private=allow_local)
    wait = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    headers = [
        ("Host", urlsplit(url).netloc),
        ("User-Agent", _USER_AGENT),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
    ]
    if body:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    origin = httpcore2.URL(url).origin
    context = _ssl_context() if url.startswith("https:") else None
    async with httpcore2.AsyncHTTPConnection(
        origin=origin, ssl_context=context, network_backend=network
    ) as connection:
        request = httpcore2.Request(
            method, url, headers=headers, content=body, extensions={"timeout": wait}
        )
        response = await connection.handle_async_request(request)
        try:
            return await _read(response, bytes_max)
        finally:
            await response.aclose()


async def _read(response: object, bytes_max: int) -> Reply:
    status: int = response.status  # type: ignore[attr-defined]
    read = bytearray()
    async for chunk in response.aiter_stream():  # type: ignore[attr-defined]
        read += chunk[: bytes_max + 1 - len(read)]
        if len(read) > bytes_max:
            return Reply(0, note=f"expected an answer of at most {bytes_max:,} bytes, got more")
    return Reply(status, bytes(read))


def _ssl_context() -> ssl.SSLContext:
    import httpx2

    context: ssl.SSLContext = httpx2.create_ssl_context()
    return context
