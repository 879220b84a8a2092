"""Who is told when a video is done: endpoints, signed events, and attempts until they arrive.

Signatures are those of Standard Webhooks (symmetric, `v1`), which OpenAI clients verify.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import logging
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tercet.consent.surveying.addresses import is_public
from tercet.core.errors import ConflictError, FieldError, TercetError
from tercet.core.limits import URL_BYTES_MAX
from tercet.flows.serve_request import check_names
from tercet.store.jobs_webhooks import EVENT_TYPES, Delivery, Endpoint, Webhooks, event_body

ENDPOINTS_MAX = 20
NAME_CHARACTERS_MAX = 200
TIMEOUT_S = 10.0
ANSWER_WITHIN_S = 20.0
RETRY_AFTER_S = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
"""Waits between attempts; after the last one an event is given up."""

_LOOK_EVERY_S = 1.0
_BATCH = 16
_LOG = logging.getLogger("tercet.serve")


class Notices:
    """The endpoints of a service, and a thread that tells them what they asked for.

    ``allow_local`` lets events go to addresses that are not public, and by plain HTTP.
    """

    def __init__(
        self, webhooks: Webhooks, *, clock: Callable[[], float], allow_local: bool = False
    ) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._allow_local = allow_local
        self._bell = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def ring(self) -> None:
        """Say that there may be something to deliver."""
        self._bell.set()

    def close(self) -> None:
        """End; what is not delivered stays noted."""
        self._closing = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    # ---- endpoints ------------------------------------------------------------------------------

    def add(self, fields: Mapping[str, Any]) -> Endpoint:
        """Keep a new endpoint. Raises FieldError, or ConflictError when there are too many."""
        check_names(fields, ("name", "url", "event_types"))
        if len(self._webhooks.all()) >= ENDPOINTS_MAX:
            raise ConflictError(f"expected at most {ENDPOINTS_MAX} webhook endpoints")
        now = self._clock()
        endpoint = Endpoint(
            endpoint_id=f"wh_{secrets.token_hex(16)}",
            name=_name(fields.get("name")),
            url=self._url(fields.get("url")),
            event_types=_event_types(fields.get("event_types")),
            secret=_new_secret(),
            created_at=now,
            updated_at=now,
        )
        self._webhooks.add(endpoint)
        return endpoint

    def change(self, endpoint_id: str, fields: Mapping[str, Any]) -> Endpoint:
        """Change what is given of an endpoint. Raises FieldError, MissingError."""
        check_names(fields, ("name", "url", "event_types"))
        known = self._webhooks.get(endpoint_id)
        changed = replace(
            known,
            name=_name(fields["name"]) if "name" in fields else known.name,
            url=self._url(fields["url"]) if "url" in fields else known.url,
            event_types=_event_types(fields["event_types"])
            if "event_types" in fields
            else known.event_types,
            updated_at=self._clock(),
        )
        self._webhooks.change(changed)
        return changed

    def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, oldest first."""
        return self._webhooks.all()

    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint. Raises MissingError."""
        return self._webhooks.get(endpoint_id)

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint. Raises MissingError."""
        self._webhooks.remove(endpoint_id)

    def rotate_secret(self, endpoint_id: str) -> Endpoint:
        """Give an endpoint a new secret; the old one signs nothing any more."""
        changed = replace(
            self._webhooks.get(endpoint_id), secret=_new_secret(), updated_at=self._clock()
        )
        self._webhooks.change(changed)
        return changed

    def test(self, endpoint_id: str, event_type: str) -> int:
        """Send a sample event now, and return the status of the answer.

        Raises FieldError for an unknown event, ConflictError when nobody answers.
        """
        _event_types([event_type])
        now = self._clock()
        event_id = f"evt_{secrets.token_hex(16)}"
        body = event_body(event_type, "video_" + 32 * "0", event_id, now=now)
        delivery = Delivery(0, self._webhooks.get(endpoint_id), event_id, body, 0)
        try:
            return self._send(delivery, int(now))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConflictError(f"the endpoint does not answer: {error}") from error

    def _url(self, given: Any) -> str:
        text = given if isinstance(given, str) else ""
        schemes = {"https", "http"} if self._allow_local else {"https"}
        try:
            parts = urlsplit(text)
            is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        is_plain = text.isascii() and text.isprintable() and " " not in text
        if not (is_good and is_plain and len(text) <= URL_BYTES_MAX) or parts.username is not None:
            raise FieldError("url", f"expected an address that begins with {' or '.join(schemes)}")
        if not self._allow_local and _is_local_literal(parts.hostname or ""):
            raise FieldError(
                "url",
                "expected a public address",
                hint="tercet serve --local-webhooks allows others",
            )
        return text

    # ---- deliveries -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            try:
                for delivery in self._webhooks.due(now=self._clock(), limit=_BATCH):
                    if self._closing:
                        return
                    self._deliver(delivery)
            except TercetError as error:
                _LOG.error("webhooks: %s", error.message)
            self._bell.wait(_LOOK_EVERY_S)
            self._bell.clear()

    def _deliver(self, delivery: Delivery) -> None:
        now = self._clock()
        try:
            status = self._send(delivery, int(now))
        except (OSError, http.client.HTTPException, ValueError) as error:
            _LOG.warning("webhook %s: %s", delivery.endpoint.endpoint_id, error)
            status = 0
        if 200 <= status < 300 or delivery.attempts >= len(RETRY_AFTER_S):
            self._webhooks.delivered(delivery.number)
            return
        self._webhooks.postpone(delivery.number, due_at=now + RETRY_AFTER_S[delivery.attempts])

    def _send(self, delivery: Delivery, now: int) -> int:
        """Post one event and return the status of the answer; redirects are not followed."""
        parts = urlsplit(delivery.endpoint.url)
        connection = self._connection(parts)
        line = connection.sock
        # A time-out is for one read; this one is for an answer that comes byte by byte.
        limit = threading.Timer(ANSWER_WITHIN_S, lambda: line.shutdown(socket.SHUT_RDWR))
        limit.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "tercet-webhooks",
                **signed_headers(delivery.endpoint.secret, delivery.event_id, now, delivery.body),
            }
            connection.request("POST", target, delivery.body.encode("utf-8"), headers)
            return connection.getresponse().status
        finally:
            limit.cancel()
            connection.close()

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        """Connect to the very address that was checked. Raises OSError."""
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        good = [each for each in addresses if self._allow_local or is_public(each)]
        if not good:
            raise OSError(f"{host} has no public address")
        plain = socket.create_connection((good[0], port), timeout=TIMEOUT_S)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        if parts.scheme == "https":
            try:
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(plain, server_hostname=host)
            except OSError:
                plain.close()
                raise
        else:
            connection.sock = plain
        return connection


def signed_headers(secret: str, event_id: str, timestamp: int, body: str) -> dict[str, str]:
    """Return the headers that show who sent ``body``, and when (Standard Webhooks, scheme v1)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode('ascii')}"


def _name(given: Any) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= NAME_CHARACTERS_MAX:
        raise FieldError("name", f"expected a name of 1 to {NAME_CHARACTERS_MAX} characters")
    if not given.isprintable():
        raise FieldError("name", "expected a name without control characters")
    return given


def _event_types(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or any(each not in EVENT_TYPES for each in given):
        raise FieldError("event_types", f"expected a list out of {', '.join(EVENT_TYPES)}")
    return tuple(dict.fromkeys(given))


def _is_local_literal(host: str) -> bool:
    """Tell whether a host is an address, and not a public one; names are looked at when used."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return not is_public(host)
