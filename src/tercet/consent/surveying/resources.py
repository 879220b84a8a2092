"""What each resource of a site is expected to be, and an answer judged by it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.fetching import Answer
from tercet.core import limits
from tercet.core.declaration import Carrier


@dataclass(frozen=True, slots=True)
class Kind:
    """A file a site may have: where, how big it may be, which media types are right."""

    resource: Resource
    paths: tuple[str, ...]  # a later one is asked only where the earlier ones are absent
    bytes_max: int
    media_types: tuple[str, ...]

    @property
    def accept(self) -> str:
        """The Accept header: the right types first, anything all the same."""
        return ", ".join([*self.media_types, "*/*;q=0.5"])


ROBOTS = Kind(Resource.ROBOTS_TXT, ("/robots.txt",), limits.ROBOTS_BYTES_MAX, ("text/plain",))
SITE_KINDS: tuple[Kind, ...] = (
    Kind(
        Resource.TDMREP_JSON,
        ("/.well-known/tdmrep.json",),
        limits.TEXT_FILE_BYTES_MAX,
        ("application/json",),
    ),
    Kind(
        Resource.AI_TXT,
        ("/ai.txt", "/.well-known/ai.txt"),
        limits.TEXT_FILE_BYTES_MAX,
        ("text/plain",),
    ),
    Kind(
        Resource.LLMS_TXT,
        ("/llms.txt",),
        limits.TEXT_FILE_BYTES_MAX,
        ("text/plain", "text/markdown"),
    ),
)
RSL = Kind(
    Resource.RSL_XML,
    (),
    limits.XML_BYTES_MAX,
    ("application/rsl+xml", "application/xml", "text/xml"),
)
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")
_SNIFF_BYTES = 1024


def media_type_of(answer: Answer) -> str:
    """Return the Content-Type as it was sent, cut to a sensible length."""
    return answer.header("content-type")[:200]


def essence(media_type: str) -> str:
    """Return a media type without parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_html(media_type: str) -> bool:
    """Return whether a media type says that the body is a web page."""
    return essence(media_type) in _HTML_TYPES


def looks_like_html(raw: bytes) -> bool:
    """Return whether bytes begin as a web page does, after any space, mark or comment."""
    start = raw[: 4 * _SNIFF_BYTES]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        start = start.decode("utf-16", "replace").encode()
    start = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith((b"<?xml", b"<!--")):  # an XHTML prologue, or a comment before the page
        start = start[start.find(b">") + 1 :].lstrip()
    return start[:_SNIFF_BYTES].lower().startswith(_HTML_STARTS)


def captured_file(
    answer: Answer, kind: Kind, site: str, *, item: str = "", pointer: str = ""
) -> Captured:
    """Return the capture of a well-known or pointed-to file.

    ``pointer`` is the URL as it was written where it differs from what was asked.
    """
    raw = answer.body if answer.failure is None else None
    redirects = answer.redirects
    asked = redirects[0] if redirects else answer.target.url
    if pointer and pointer != asked:
        redirects = (pointer, *redirects)
    capture = Capture(
        resource=kind.resource,
        carrier=Carrier.FILE,
        site=site,
        item=item,
        uri=answer.target.url,
        media_type=media_type_of(answer),
        fetched_at=answer.fetched_at,
        status=answer.status,
        failure=_failure(answer, kind),
        redirects=redirects,
        note=answer.note,
    )
    return capture_of(capture, raw)


def _failure(answer: Answer, kind: Kind) -> Failure | None:
    """Return why an answer is not what was asked for; what the bytes are counts before the way."""
    if answer.failure is not None:
        return answer.failure
    body = answer.body or b""
    if looks_like_html(body):
        return Failure.HTML_INSTEAD
    if answer.cut:
        return Failure.OVERSIZE
    if answer.off_host:
        return Failure.REDIRECT_OFF_HOST
    said = essence(media_type_of(answer))
    return Failure.WRONG_MEDIA_TYPE if said and said not in kind.media_types else None
