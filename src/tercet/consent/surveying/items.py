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
from tercet.consent.surveying.fetching import Answer, Ask
from tercet.consent.surveying.resources import is_html, media_type_of
from tercet.consent.surveying.sites import follow_rsl
from tercet.consent.surveying.targets import Target
from tercet.core import limits
from tercet.core.declaration import Carrier

if TYPE_CHECKING:
    from tercet.consent.media.gathering import Extraction

_log = logging.getLogger(__name__)
_GROWTH = 4  # each further range ends four times as far into the file
_Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Body:
    """The start of an item's bytes; ``answer`` is the last one, ``whole`` when nothing is left."""

    answer: Answer
    raw: bytes
    whole: bool


async def survey_item(collector: Collector, item: str, target: Target) -> list[Captured]:
    """Return the captures of one item: its response headers first, always.

    Only the start of a media file is fetched (ITEM_PREFIX_BYTES), and more, up to
    METADATA_BYTES_MAX, while its metadata goes on. What ends beyond that is an OVERSIZE capture.
    """

    async def work(headers: _Headers) -> tuple[Answer, tuple[Captured, ...]]:
        body = await _first_bytes(collector, target, headers)
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


async def _first_bytes(collector: Collector, target: Target, headers: _Headers) -> _Body:
    size = limits.ITEM_PREFIX_BYTES
    ranged = (*headers, ("Range", f"bytes=0-{size - 1}"))
    answer = await _ask(collector, target, size, ranged)
    if answer.status == 416:  # an empty file has no first byte
        answer = await _ask(collector, target, size, headers)
    if answer.status == 304 and not headers:
        answer = replace(answer, failure=Failure.SERVER_ERROR, note="304 without a condition")
    if answer.status == 206 and not _given_range(answer).startswith("0-"):
        answer = replace(answer, failure=Failure.SERVER_ERROR, note="206 for another range")
    return _Body(answer, answer.body or b"", _is_whole(answer, 0))


async def _ask(collector: Collector, target: Target, size: int, headers: _Headers) -> Answer:
    # A range of compressed bytes could not be read, so no content coding is asked for.
    ask = Ask(target, size, encoding="identity", headers=headers)
    return await collector.fetcher.fetch(ask, collector.may_fetch)


def _is_whole(answer: Answer, start: int) -> bool:
    """Return whether ``answer`` ends where the file ends. False where it cannot be told."""
    if answer.cut or answer.body is None:
        return False
    if answer.status != 206:
        return True
    total = answer.header("content-range").rpartition("/")[2].strip()
    return total.isdigit() and start + len(answer.body) >= int(total[:18])


def _given_range(answer: Answer) -> str:
    return answer.header("content-range").lower().removeprefix("bytes").strip()


async def _further(collector: Collector, body: _Body, size: int) -> _Body:
    """Return ``body`` read on to ``size`` bytes; unchanged when the server gives no more."""
    target, start = body.answer.target, len(body.raw)
    headers: _Headers = (("Range", f"bytes={start}-{size - 1}"),)
    etag = body.answer.header("etag")
    if etag.startswith('"'):
        headers = (*headers, ("If-Range", etag))
    answer = await _ask(collector, target, size, headers)
    if answer.failure is not None or not answer.body:
        return body
    if answer.status != 206:  # the server gives the whole file, or the file has changed
        return _Body(replace(body.answer, cut=answer.cut), answer.body, _is_whole(answer, 0))
    if not _given_range(answer).startswith(f"{start}-"):
        return body
    return _Body(body.answer, body.raw + answer.body, _is_whole(answer, start))


async def _content(collector: Collector, body: _Body, site: str) -> list[Captured]:
    if is_html(media_type_of(body.answer)):
        if not body.whole:
            body = await _further(collector, body, limits.HTML_BYTES_MAX)
        return [_page_capture(body, site)]
    size = limits.ITEM_PREFIX_BYTES
    name = PurePosixPath(body.answer.target.path.partition("?")[0]).name
    extraction, faults = await _extract(body.raw, name)
    while not body.whole and _is_truncated(faults) and size < limits.METADATA_BYTES_MAX:
        size = min(size * _GROWTH, limits.METADATA_BYTES_MAX)
        longer = await _further(collector, body, size)
        if len(longer.raw) <= len(body.raw):
            break
        body = longer
        extraction, faults = await _extract(body.raw, name)
    return _packet_captures(extraction, faults, body, site)


async def _extract(raw: bytes, name: str) -> tuple[Extraction | None, tuple[str, ...]]:
    """Return what is embedded in ``raw`` and what could not be read of it."""
    from tercet.consent.media.packets import extract

    try:
        extraction = await asyncio.to_thread(extract, raw, name)
    except Exception as error:  # noqa: BLE001  a defect of an extractor must never lose an item
        _log.exception("the extractor failed on %s", name)
        return None, (f"the extractor failed: {type(error).__name__}",)
    return extraction, extraction.faults


def _is_truncated(faults: tuple[str, ...]) -> bool:
    return any(fault.startswith("truncated") for fault in faults)


def _headers_capture(answer: Answer, site: str) -> Captured:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers)
    capture = _capture(answer, site, Resource.HTTP_HEADERS, Carrier.HEADER)
    if answer.failure is None and answer.off_host:
        capture = replace(capture, failure=Failure.REDIRECT_OFF_HOST)
    return capture_of(capture, lines if answer.status else None)


def _page_capture(body: _Body, site: str) -> Captured:
    capture = _capture(body.answer, site, Resource.HTML, Carrier.META)
    if not body.whole:
        capture = replace(capture, failure=Failure.OVERSIZE)
    elif body.answer.off_host:
        capture = replace(capture, failure=Failure.REDIRECT_OFF_HOST)
    return capture_of(capture, body.raw)


def _packet_captures(
    extraction: Extraction | None, faults: tuple[str, ...], body: _Body, site: str
) -> list[Captured]:
    found: list[Captured] = []
    for packet in extraction.packets if extraction else ():
        place = f"{packet.member} at bytes {packet.byte_start}-{packet.byte_end}"
        capture = _capture(body.answer, site, packet.resource, Carrier.EMBEDDED)
        capture = replace(capture, media_type=packet.media_type, note=place)
        found.append(capture_of(capture, packet.raw))
    if faults:
        kind = Failure.OVERSIZE if _is_truncated(faults) else Failure.PARSE_ERROR
        capture = _capture(body.answer, site, Resource.METADATA, Carrier.EMBEDDED)
        note = "; ".join(faults)[:1000]
        found.append(capture_of(replace(capture, failure=kind, note=note), None))
    return found


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
