"""Control of a domain, shown by a file with the owner's public key under `.well-known`.

    https://HOST/.well-known/tercet-owner.txt

holds one public key a line, in Base64 as it stands in claims; "#" begins a comment. Only the host
itself counts: neither its parent nor its subdomains, which may be somebody else's.
"""

from __future__ import annotations

from tercet.consent.urls import is_clean_host
from tercet.core.errors import InputError

PATH = "/.well-known/tercet-owner.txt"
BYTES_MAX = 64 * 1024


def host_named(text: str) -> str:
    """Return a host as it stands in evidence: lower case, ASCII. Raises InputError."""
    host = text.strip().lower().rstrip(".")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not host or "." not in host or not is_clean_host(host):
        raise InputError(
            f"expected a host such as example.org, got {text[:80]!r}",
            hint="without scheme, port and path",
        )
    return host


def file_url(host: str) -> str:
    """Return the URL of the file that shows control of ``host``."""
    return f"https://{host}{PATH}"


def names_key(raw: bytes, public_key: str) -> bool:
    """Say whether the file names this key. Total; a file that is too long names none."""
    if len(raw) > BYTES_MAX:
        return False
    lines = raw.decode("utf-8-sig", "replace").splitlines()
    return public_key in {line.partition("#")[0].strip() for line in lines}
