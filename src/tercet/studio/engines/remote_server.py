"""A server that speaks `/v1/videos`: jobs created, asked after, fetched and deleted. Bounded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tercet.core.errors import InputError, RefusedError, TercetError, UncheckedError
from tercet.core.limits import REMOTE_ANSWER_BYTES_MAX, REMOTE_BYTES_MAX

KEY_VARIABLE = "TERCET_REMOTE_KEY"
_TIMEOUT_S = 30.0
_DELETE_TIMEOUT_S = 1.5  # whoever stops the work does not wait for longer
_REDIRECTS_MAX = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}\Z")
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_POLL_HEADER = "openai-poll-after-ms"
_POLL_S_DEFAULT, _POLL_S_MIN, _POLL_S_MAX = 1.0, 0.05, 10.0
_HINT = "give its address: --model http://localhost:8000/v1, or .../v1#MODEL"


@dataclass(frozen=True, slots=True)
class Job:
    """What a server says of a job. ``poll_s`` is when to ask again; progress is 0 to 100."""

    job_id: str
    status: str
    progress: int
    model: str
    problem: str
    poll_s: float


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and which of its models is meant, "" for its own default."""

    base: str
    model: str
    host: str
    is_local: bool
    is_secure: bool


def parse_address(source: str) -> Address:
    """Return the address in ``http://host:port/v1#model``. Raises InputError for other forms."""
    if not source:
        raise InputError("the engine remote needs a server", hint=_HINT)
    try:
        parts = urlsplit(source)
        port = parts.port
    except ValueError as error:
        raise InputError(f"{source[:200]!r} is no address: {error}", hint=_HINT) from error
    plain = source.isascii() and source.isprintable() and " " not in source
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or parts.query:
        raise InputError(f"{source[:200]!r} is no address of a server", hint=_HINT)
    if parts.username is not None or parts.password is not None:
        raise InputError("an address holds no password", hint=f"put the key in {KEY_VARIABLE}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    base = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    return Address(
        base, parts.fragment, parts.hostname, parts.hostname in _LOCAL_HOSTS,
        parts.scheme == "https",
    )  # fmt: skip


class RemoteServer:
    """One server. Every call raises UncheckedError where it fails, RefusedError where it says no.

    The key in ``TERCET_REMOTE_KEY`` goes to the server that was named, never to another host, and
    never in the clear over a network.
    """

    def __init__(self, address: Address) -> None:
        import httpx2

        key = os.environ.get(KEY_VARIABLE, "")
        if key and not (address.is_secure or address.is_local):
            raise InputError(
                f"the key in {KEY_VARIABLE} would travel in the clear to {address.host}",
                hint="use https, or unset it",
            )
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"the key in {KEY_VARIABLE} holds other than plain characters")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self.address = address
        self._client = httpx2.Client(
            headers=headers,
            timeout=_TIMEOUT_S,
            follow_redirects=False,
            trust_env=not address.is_local,  # proxies are for what is elsewhere
        )

    def create(self, fields: Mapping[str, str | float], picture_png: bytes = b"") -> Job:
        """Ask for a video; the picture that it begins with is sent along."""
        if picture_png:
            files = {"input_reference": ("picture.png", picture_png, "image/png")}
            text = {name: str(value) for name, value in fields.items()}
            return self._job("POST", "/videos", data=text, files=files)
        return self._job("POST", "/videos", json=dict(fields))

    def job(self, job_id: str) -> Job:
        """Ask how far a job is."""
        return self._job("GET", f"/videos/{job_id}")

    def delete(self, job_id: str) -> None:
        """Have a job stopped and removed. It is no error where the server has forgotten it."""
        path = f"/videos/{job_id}"
        with self._answer("DELETE", path, is_missing_fine=True, timeout=_DELETE_TIMEOUT_S):
            return

    def fetch(self, job_id: str, path: Path) -> None:
        """Write the finished video to ``path``."""
        with self._answer("GET", f"/videos/{job_id}/content") as answer, path.open("wb") as file:
            for chunk in self._bounded(answer, REMOTE_BYTES_MAX):
                file.write(chunk)

    def _job(self, method: str, path: str, **content: Any) -> Job:
        with self._answer(method, path, **content) as answer:
            raw = b"".join(self._bounded(answer, REMOTE_ANSWER_BYTES_MAX))
            poll_s = _poll_s(answer.headers.get(_POLL_HEADER, ""))
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise self._broken("an answer that is no JSON object")
        job_id = document.get("id")
        if not isinstance(job_id, str) or not _ID.match(job_id) or ".." in job_id:
            raise self._broken("a job without a usable id")
        return Job(
            job_id,
            str(document.get("status", ""))[:40],
            _progress(document.get("progress")),
            str(document.get("model") or "")[:200],
            _problem(document.get("error")),
            poll_s,
        )

    @contextmanager
    def _answer(
        self, method: str, path: str, *, is_missing_fine: bool = False, **content: Any
    ) -> Iterator[Any]:
        """Give the answer, its body not yet read; redirects within the server are followed."""
        import httpx2

        url = f"{self.address.base}{path}"
        try:
            for _ in range(_REDIRECTS_MAX + 1):
                with self._client.stream(method, url, **content) as answer:
                    if method == "GET" and answer.status_code in _REDIRECTS:
                        url = self._redirected(answer)
                        continue
                    if not (is_missing_fine and answer.status_code == 404):
                        self._check_status(answer)
                    yield answer
                    return
        except httpx2.HTTPError as error:
            raise UncheckedError(
                f"{self.address.base} does not answer: {type(error).__name__}: {error}"[:400],
                hint="is the server running, and is that its address?",
            ) from error
        raise self._broken("redirects without end")

    def _redirected(self, answer: Any) -> str:
        """Return where a redirect leads: to the same server, or not at all."""
        there = answer.url.join(answer.headers.get("location", ""))
        here = answer.url
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise RefusedError(
                f"{self.address.base} sends us to another host: {str(there)[:200]}",
                hint="only the server that was named is asked",
            )
        return str(there)

    def _check_status(self, answer: Any) -> None:
        status: int = answer.status_code
        if 200 <= status < 300:
            return
        said = _said(b"".join(self._bounded(answer, REMOTE_ANSWER_BYTES_MAX)))
        message = f"{self.address.base} answered {status}{f': {said}' if said else ''}"
        if status in {401, 403}:
            raise RefusedError(message, hint=f"put the server's key in {KEY_VARIABLE}")
        if status == 429:
            raise RefusedError(message, hint="it has too much to do: try again later")
        if 400 <= status < 500:
            raise RefusedError(message, hint="the server does not take this request")
        raise UncheckedError(message, hint="look at the server's own log")

    def _bounded(self, answer: Any, bytes_max: int) -> Iterator[bytes]:
        count = 0
        for chunk in answer.iter_bytes():
            count += len(chunk)
            if count > bytes_max:
                raise self._broken(f"more than {bytes_max:,} bytes")
            yield chunk

    def _broken(self, what: str) -> TercetError:
        return UncheckedError(
            f"{self.address.base} gave {what}", hint="is it a server that speaks /v1/videos?"
        )


def _poll_s(text: str) -> float:
    """Return when to ask again: what the server says in milliseconds, within bounds."""
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        return _POLL_S_DEFAULT
    return min(max(int(text) / 1000, _POLL_S_MIN), _POLL_S_MAX)


def _progress(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return 0
    return int(value)


def _problem(error: object) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("code")
    return str(error)[:400] if error else ""


def _said(raw: bytes) -> str:
    """Return what an error answer says: the common shapes, else nothing."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    for name in ("error", "detail", "message", "title"):
        if text := _problem(document.get(name)):
            return text
    return ""
