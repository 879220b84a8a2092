"""A capture: one thing fetched or extracted (or that could not be), and what is declared in it.

    captured = capture_of(raw, resource=Resource.AI_TXT, carrier=Carrier.FILE, uri="https://...")
    declarations = declarations_of(*captured)

Failures are values: a resource that could not be had is a capture with a ``failure`` and no bytes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from tercet.consent.failures import Consequence, Failure, consequence
from tercet.consent.signal import Resource, unreadable
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.ids import sha256_hex

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capture:
    """One resource of a site or an item, as it was had.

    ``site`` is an origin ("https://example.org", default port dropped) or "" for local files;
    ``item`` the corpus key of the item, or "" for what belongs to the whole site. ``uri`` is where
    the bytes came from in the end, ``redirects`` the URLs that led there, first request first.
    ``status`` is the HTTP status (0: none). ``raw_sha256`` is "" when there are no bytes.
    ``fetched_at`` is RFC 3339 UTC.
    """

    resource: Resource
    carrier: Carrier
    site: str = ""
    item: str = ""
    uri: str = ""
    media_type: str = ""
    fetched_at: str = ""
    status: int = 0
    failure: Failure | None = None
    raw_sha256: str = ""
    raw_bytes: int = 0
    redirects: tuple[str, ...] = ()
    note: str = ""

    @property
    def requested_uri(self) -> str:
        """The URL asked for first, before any redirect."""
        return self.redirects[0] if self.redirects else self.uri


Captured = tuple[Capture, bytes]
"""A capture with its bytes; b"" also when there are none (then ``raw_sha256`` is "")."""


def capture_of(capture: Capture, raw: bytes | None) -> Captured:
    """Return ``capture`` bound to its bytes (None: there are none)."""
    if raw is None:
        return replace(capture, raw_sha256="", raw_bytes=0), b""
    return replace(capture, raw_sha256=sha256_hex(raw), raw_bytes=len(raw)), raw


def declarations_of(capture: Capture, raw: bytes) -> tuple[Declaration, ...]:
    """Return what every signal finds in a capture, in the order of ``signals.read``.

    Empty when there are no bytes, or when the failure's consequence is not to read them. A reader
    that raises is a defect of ours: it is logged and becomes an unreadable declaration, so that
    the item is held and never granted.
    """
    from tercet.consent import signals

    if not capture.raw_sha256 or not _is_read(capture):
        return ()
    source = Source(
        capture.uri, capture.carrier, capture.fetched_at, capture.media_type, capture.site
    )
    found: list[Declaration] = []
    for signal in signals.SIGNALS:
        for kind, reader in signal.readers:
            if kind is not capture.resource:
                continue
            identity = (signal.name, signal.spec, signal.spec_version)
            try:
                declarations = reader(raw, source)
                _check(declarations)
            except Exception as error:  # noqa: BLE001  a reader's defect must never lose a row
                _log.exception("reader of %s failed on %s", signal.name, capture.uri)
                fault = f"the reader failed: {type(error).__name__}"
                declarations = (unreadable(identity, raw, source, fault),)
            found.extend(declarations)
    return tuple(found)


def _is_read(capture: Capture) -> bool:
    if capture.failure is None:
        return True
    return consequence(capture.resource, capture.failure) is Consequence.READ


def _check(declarations: tuple[Declaration, ...]) -> None:
    """Raise where a declaration could not be written down: its id needs encodable text."""
    for declaration in declarations:
        _ = declaration.declaration_id
