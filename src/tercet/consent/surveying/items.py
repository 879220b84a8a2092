"""What is asked of one item: its headers, its page or its embedded metadata, and RSL it names."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.collecting import Collector
from tercet.consent.surveying.fetching import Answer
from tercet.consent.surveying.ranges import (
    Body,
    Headers,
    around_media_data,
    first_bytes,
    further,
)
from tercet.consent.surveying.resources import is_html, media_type_of
from tercet.consent.surveying.sites import follow_rsl
from tercet.consent.surveying.targets import Target
from tercet.core import limits
from tercet.core.declaration import Carrier

if TYPE_CHECKING:
    from tercet.consent.media.gathering import Packet

_log = logging.getLogger(__name__)
_GROWTH = 4  # each further range ends four times as far into the file
_MEDIA_DATA_TYPES = ("video/mp4", "video/quicktime", "video/3gpp", "audio/mp4")
_ELIDED = "; positions without the media data, which was not fetched"
_PARTIAL = "; only the first bytes of the file were had, so no hash over all of it can match"


async def survey_item(collector: Collector, item: str, target: Target) -> list[Captured]:
    """Return the captures of one item: its response headers first, always.

    Only the start of a media file is fetched (ITEM_PREFIX_BYTES), of a video also what follows
    its pictures, and more, up to METADATA_BYTES_MAX, while its metadata goes on. What ends beyond
    that is an OVERSIZE capture.
    """

    async def work(headers: Headers) -> tuple[Answer, tuple[Captured, ...]]:
        body = await first_bytes(collector, target, headers)
        if body.answer.failure is None and body.answer.status == 304:
            return body.answer, ()
        found = [_headers_capture(body.answer, target.site)]
        if body.answer.failure is None:
            found += await _content(collector, body, target.site)
        return body.answer, tuple(found)

    captured = [
        (replace(capture, site=target.site, item=item), raw)
        for capture, raw in await collector.remembered(f"item {target.url}", work)
    ]
    return captured + await follow_rsl(collector, captured, target.site, item)


async def _content(collector: Collector, body: Body, site: str) -> list[Captured]:
    if is_html(media_type_of(body.answer)):
        if not body.whole:
            body = await further(collector, body, limits.HTML_BYTES_MAX)
        return [_page_capture(body, site)]
    size = limits.ITEM_PREFIX_BYTES
    found = await _extract(body)
    if not body.whole and found.is_truncated and found.media_type in _MEDIA_DATA_TYPES:
        around = await around_media_data(collector, body)
        if around:
            body, found = around, await _extract(around)
    while not body.whole and found.wants_more and size < limits.METADATA_BYTES_MAX:
        size = min(size * _GROWTH, limits.METADATA_BYTES_MAX)
        longer = await further(collector, body, size)
        if len(longer.raw) <= len(body.raw):
            break
        body = longer
        found = await _extract(body)
    return _packet_captures(found, body, site)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is embedded in the bytes had, and what could not be read of it."""

    packets: tuple[Packet, ...]
    faults: tuple[str, ...]
    media_type: str

    @property
    def is_truncated(self) -> bool:
        """Whether the metadata goes on after the bytes had."""
        return any(fault.startswith("truncated") for fault in self.faults)

    @property
    def wants_more(self) -> bool:
        """Whether more bytes would tell more: a C2PA manifest is bound to all of them by hash."""
        return self.is_truncated or any(p.resource is Resource.C2PA for p in self.packets)


async def _extract(body: Body) -> _Found:
    from tercet.consent.media.packets import extract

    name = PurePosixPath(body.answer.target.path.partition("?")[0]).name
    try:
        found = await asyncio.to_thread(extract, body.raw, name)
    except Exception as error:  # noqa: BLE001  a defect of an extractor must never lose an item
        _log.exception("the extractor failed on %s", name)
        return _Found((), (f"the extractor failed: {type(error).__name__}",), "")
    return _Found(found.packets, found.faults, found.media_type)


def _headers_capture(answer: Answer, site: str) -> Captured:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers)
    capture = _capture(answer, site, Resource.HTTP_HEADERS, Carrier.HEADER)
    if answer.failure is None and answer.off_host:
        capture = replace(capture, failure=Failure.REDIRECT_OFF_HOST)
    return capture_of(capture, lines if answer.status else None)


def _page_capture(body: Body, site: str) -> Captured:
    capture = _capture(body.answer, site, Resource.HTML, Carrier.META)
    if not body.whole:
        capture = replace(capture, failure=Failure.OVERSIZE)
    elif body.answer.off_host:
        capture = replace(capture, failure=Failure.REDIRECT_OFF_HOST)
    return capture_of(capture, body.raw)


def _packet_captures(found: _Found, body: Body, site: str) -> list[Captured]:
    captured: list[Captured] = []
    doubt = _ELIDED if body.elided else "" if body.whole else _PARTIAL
    for packet in found.packets:
        place = f"{packet.member} at bytes {packet.byte_start}-{packet.byte_end}"
        capture = _capture(body.answer, site, packet.resource, Carrier.EMBEDDED)
        capture = replace(capture, media_type=packet.media_type, note=place + doubt)
        captured.append(capture_of(capture, packet.raw))
    if found.faults:
        kind = Failure.OVERSIZE if found.is_truncated else Failure.PARSE_ERROR
        capture = _capture(body.answer, site, Resource.METADATA, Carrier.EMBEDDED)
        note = "; ".join(found.faults)[:1000]
        captured.append(capture_of(replace(capture, failure=kind, note=note), None))
    return captured


def _capture(answer: Answer, site: str, resource: Resource, carrier: Carrier) -> Capture:
    fields: dict[str, Any] = {"failure": answer.failure, "redirects": answer.redirects}
    return Capture(
        resource=resource,
        carrier=carrier,
        site=site,
        uri=answer.target.url,
        media_type=media_type_of(answer),
        fetched_at=answer.fetched_at,
        status=answer.status,
        note=answer.note,
        **fields,
    )
