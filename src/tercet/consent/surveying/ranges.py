"""The bytes of an item that matter: its start, more where needed, and around the pictures.

An item's file may be gigabytes long, and its metadata a few kilobytes at either end. Ranges are
asked for (RFC 9110 section 14), guarded by the ETag, so that pieces never come from two versions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tercet.consent.failures import Failure
from tercet.consent.surveying.collecting import Collector
from tercet.consent.surveying.fetching import Answer, Ask
from tercet.consent.surveying.targets import Target
from tercet.core import limits

_BOXES_MAX = 64  # top-level boxes of one file that are looked at
_STEP_BYTES = 64 * 1024  # asked for at least, so that small boxes come together
_EMPTY_MEDIA_DATA = b"\x00\x00\x00\x08mdat"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes had of an item; ``answer`` is the first one.

    ``whole`` tells that nothing is left that could speak; ``elided`` that the media data in the
    middle was left out, so that positions after it are not those of the file.
    """

    answer: Answer
    raw: bytes
    whole: bool
    elided: bool = False


async def first_bytes(collector: Collector, target: Target, headers: Headers) -> Body:
    """Return the start of an item (ITEM_PREFIX_BYTES), or why there is none."""
    size = limits.ITEM_PREFIX_BYTES
    answer = await _ask(collector, target, size, (*headers, _range(0, size)))
    if answer.status == 416:  # an empty file has no first byte
        answer = await _ask(collector, target, size, headers)
    if answer.status == 304 and not headers:
        answer = replace(answer, failure=Failure.SERVER_ERROR, note="304 without a condition")
    if answer.status == 206 and not _given_range(answer).startswith("0-"):
        answer = replace(answer, failure=Failure.SERVER_ERROR, note="206 for another range")
    return Body(answer, answer.body or b"", _is_whole(answer, 0))


async def further(collector: Collector, body: Body, size: int) -> Body:
    """Return ``body`` read on to ``size`` bytes.

    Unchanged when the server gives no more, or gives another version: its headers are not those
    that were captured.
    """
    start = len(body.raw)
    answer = await _piece(collector, body, start, size)
    if answer.failure is not None or not answer.body:
        return body
    if _version(answer) != _version(body.answer):
        return body
    if answer.status != 206:  # the server knows no ranges and gives the file from its start
        return Body(replace(body.answer, cut=answer.cut), answer.body, _is_whole(answer, 0))
    if not _given_range(answer).startswith(f"{start}-"):
        return body
    return Body(body.answer, body.raw + answer.body, _is_whole(answer, start))


async def around_media_data(collector: Collector, body: Body) -> Body | None:
    """Return all boxes of an ISO media file but the media data, however long that is.

    None where the file is not so built, goes on beyond METADATA_BYTES_MAX without its media data,
    or the server gives no ranges. Source: ISO/IEC 14496-12 section 4.2.
    """
    total = _total(body.answer)
    kept = bytearray()
    window = _Window(collector, body, total)
    position = 0
    for _ in range(_BOXES_MAX):
        if position >= total:
            return Body(body.answer, bytes(kept), whole=True, elided=True) if kept else None
        head = await window.span(position, min(16, total - position))
        size = _box_size(head, total - position)
        if not size:
            return None
        if head[4:8] == b"mdat":
            kept += _EMPTY_MEDIA_DATA
        elif len(kept) + size > limits.METADATA_BYTES_MAX:
            return None
        else:
            box = await window.span(position, size)
            if len(box) != size:
                return None
            kept += box
        position += size
    return None


def _version(answer: Answer) -> tuple[str, str]:
    return answer.header("etag"), answer.header("last-modified")


def _box_size(head: bytes, left: int) -> int:
    """Return the size of the box that begins with ``head``, 0 when it cannot be one."""
    if len(head) < 8:
        return 0
    size, least = int.from_bytes(head[:4], "big"), 8
    if size == 1:
        size, least = int.from_bytes(head[8:16], "big"), 16
    elif size == 0:  # to the end of the file
        size = left
    return size if least <= size <= left else 0


class _Window:
    """A piece of the file that moves along, fetched when it is needed."""

    def __init__(self, collector: Collector, body: Body, total: int) -> None:
        self._collector = collector
        self._body = body
        self._total = total
        self._start = 0
        self._raw = body.raw

    async def span(self, start: int, size: int) -> bytes:
        """Return ``size`` bytes from ``start``, b"" when the server does not give them."""
        offset = start - self._start
        if offset < 0 or offset + size > len(self._raw):
            end = min(self._total, start + max(size, _STEP_BYTES))
            answer = await _piece(self._collector, self._body, start, end)
            right = answer.status == 206 and _given_range(answer).startswith(f"{start}-")
            right = right and _version(answer) == _version(self._body.answer)
            if answer.failure is not None or not right or len(answer.body or b"") < size:
                return b""
            self._start, self._raw, offset = start, answer.body or b"", 0
        return self._raw[offset : offset + size]


async def _piece(collector: Collector, body: Body, start: int, end: int) -> Answer:
    headers: Headers = (_range(start, end),)
    etag = body.answer.header("etag")
    if etag.startswith('"'):  # a weak one cannot vouch for bytes
        headers = (*headers, ("If-Range", etag))
    return await _ask(collector, body.answer.target, end, headers)


async def _ask(collector: Collector, target: Target, size: int, headers: Headers) -> Answer:
    # A range of compressed bytes could not be read, so no content coding is asked for.
    ask = Ask(target, size, encoding="identity", headers=headers)
    return await collector.fetcher.fetch(ask, collector.may_fetch)


def _range(start: int, end: int) -> tuple[str, str]:
    return "Range", f"bytes={start}-{end - 1}"


def _given_range(answer: Answer) -> str:
    return answer.header("content-range").lower().removeprefix("bytes").strip()


def _total(answer: Answer) -> int:
    """Return the length of the whole file as a 206 tells it, 0 when it is not told."""
    digits = answer.header("content-range").rpartition("/")[2].strip()
    return int(digits) if answer.status == 206 and digits.isdigit() and len(digits) < 16 else 0


def _is_whole(answer: Answer, start: int) -> bool:
    """Return whether ``answer`` ends where the file ends. False where it cannot be told."""
    if answer.cut or answer.body is None:
        return False
    if answer.status != 206:
        return True
    return 0 < _total(answer) <= start + len(answer.body)
