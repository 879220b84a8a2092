"""Matroska and WebM: the tags that speak of rights.

Sources: RFC 8794 (EBML) sections 4 to 6; RFC 9559 (Matroska) section 5.1.8 (Tags); Matroska tag
registry (COPYRIGHT, LICENSE, TERMS_OF_USE and others).
"""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.media.gathering import Gathering, decode_text

MAGIC = b"\x1aE\xdf\xa3"
_SEGMENT, _CLUSTER, _TAGS = 0x18538067, 0x1F43B675, 0x1254C367
_TAG, _SIMPLE_TAG, _NAME, _STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
_TAGS_MARK, _CLUSTER_MARK = b"\x12T\xc3g", b"\x1fC\xb6u"
_ELEMENTS_MAX = 200_000
_DEPTH_MAX = 8

Element = tuple[int, int, int]


def read(gathering: Gathering) -> None:
    """Walk the segment's children; clusters are skipped, never read."""
    raw = gathering.raw
    fields: list[tuple[str, str]] = []
    top = list(_elements(gathering, 0, len(raw)))
    for kind, start, end in top:
        if kind == _SEGMENT:
            for inner, first, last in _elements(gathering, start, end):
                if inner == _TAGS:
                    fields += _tags(gathering, first, last, 0)
    gathering.metadata("matroska", fields, (0, len(raw)), "Tags")


def _elements(gathering: Gathering, at: int, end: int) -> Iterator[Element]:
    """Yield (id, start and end of content) of the elements in a range."""
    raw = gathering.raw
    for _ in range(_ELEMENTS_MAX):
        if at >= end:
            return
        kind, at = _number(raw, at, keep_marker=True)
        size, start = _number(raw, at, keep_marker=False)
        if kind < 0 or size == _BROKEN:
            gathering.fault("truncated: matroska element" if start >= end else "matroska: broken")
            return
        stop = _unknown_end(raw, kind, start, end) if size == _UNKNOWN else start + size
        if stop > end:
            gathering.fault("truncated: matroska element")
        yield kind, start, min(stop, end)
        at = stop
    gathering.fault("matroska: more elements than the limit")


_BROKEN, _UNKNOWN = -1, -2


def _number(raw: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """Read a variable-size integer; return it and the place behind it."""
    first = raw[at] if at < len(raw) else 0
    width = 9 - first.bit_length()
    if first == 0 or at + width > len(raw):
        return _BROKEN, len(raw) if at + width > len(raw) else at + 1
    value = int.from_bytes(raw[at : at + width], "big")
    if keep_marker:
        return value, at + width
    value &= (1 << 7 * width) - 1
    return (_UNKNOWN if value == (1 << 7 * width) - 1 else value), at + width


def _unknown_end(raw: bytes, kind: int, start: int, end: int) -> int:
    """Return where an element of unknown size ends: live streams leave sizes open."""
    if kind != _CLUSTER:
        return end
    places = (raw.find(mark, start, end) for mark in (_CLUSTER_MARK, _TAGS_MARK))
    return min((place for place in places if place >= 0), default=end)


def _tags(gathering: Gathering, start: int, end: int, depth: int) -> list[tuple[str, str]]:
    """Return the simple tags in a range, nested ones included."""
    found: list[tuple[str, str]] = []
    name, value = "", ""
    for kind, first, last in _elements(gathering, start, end):
        if kind in (_TAG, _SIMPLE_TAG) and depth < _DEPTH_MAX:
            found += _tags(gathering, first, last, depth + 1)
        elif kind == _NAME:
            name = decode_text(gathering.raw[first:last]).rstrip("\x00").upper()
        elif kind == _STRING:
            value = decode_text(gathering.raw[first:last]).rstrip("\x00")
    return [(name, value), *found] if name else found
