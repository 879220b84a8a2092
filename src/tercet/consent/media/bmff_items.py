"""Boxes of ISO base media files, and the XMP and Exif items of HEIF and AVIF.


Source: ISO/IEC 14496-12 sections 8.11.3 (iloc) and 8.11.6 (iinf, infe).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tercet.consent.media import tiff
from tercet.consent.media.gathering import Gathering

_ITEMS_MAX = 10_000
_EXTENTS_MAX = 256
BOXES_MAX = 50_000

Box = tuple[bytes, int, int]


def boxes(raw: bytes, start: int, end: int) -> tuple[list[Box], bool]:
    """Return the boxes in a range as (type, start and end of content), and whether all fit."""
    found: list[Box] = []
    at = start
    while at + 8 <= end and len(found) < BOXES_MAX:
        size, head = int.from_bytes(raw[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(raw[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < head:
            return found, at + 16 > end  # too short to hold itself
        found.append((raw[at + 4 : at + 8], at + head, min(at + size, end)))
        if at + size > end:
            return found, False
        at += size
    return found, at == end or not any(raw[at : min(end, at + 8)])


@dataclass(slots=True)
class _Reader:
    """A cursor over a box; reading beyond its end gives zeros and sets ``short``."""

    raw: bytes
    at: int
    end: int
    short: bool = False

    def number(self, width: int) -> int:
        if self.at + width > self.end:
            self.short = True
            self.at = self.end
            return 0
        self.at += width
        return int.from_bytes(self.raw[self.at - width : self.at], "big")


def read(gathering: Gathering, start: int, end: int) -> None:
    """Read the item tables of a meta box whose boxes fill [start, end)."""
    raw = gathering.raw
    by_kind = {kind: (inner, stop) for kind, inner, stop in boxes(raw, start, end)[0]}
    if b"iinf" not in by_kind or b"iloc" not in by_kind:
        return
    inner, stop = by_kind[b"iinf"]
    version = raw[inner] if inner < stop else 0
    entries, _ = boxes(raw, inner + (6 if version == 0 else 8), stop)
    wanted: dict[int, str] = {}
    for kind, entry, entry_end in entries[:_ITEMS_MAX]:
        if kind == b"infe":
            item, what = _info(raw, entry, entry_end)
            if what:
                wanted[item] = what
    if not wanted:
        return
    data_box = by_kind.get(b"idat", (0, 0))
    for item, extents in _locations(gathering, *by_kind[b"iloc"], data_box).items():
        if item in wanted:
            _keep(gathering, wanted[item], extents)


def _info(raw: bytes, at: int, end: int) -> tuple[int, str]:
    """Return an item's id and whether it is "xmp" or "exif" ("" for anything else)."""
    reader = _Reader(raw, at, end)
    version = reader.number(1)
    reader.number(3)
    if version < 2:
        return 0, ""
    item = reader.number(2 if version == 2 else 4)
    reader.number(2)  # protection
    kind = reader.number(4).to_bytes(4, "big")
    if kind == b"Exif":
        return item, "exif"
    texts = raw[reader.at : end].split(b"\x00", 2)
    is_xmp = kind == b"mime" and len(texts) > 1 and texts[1] == b"application/rdf+xml"
    return item, "xmp" if is_xmp else ""


def _locations(
    gathering: Gathering, at: int, end: int, data_box: tuple[int, int]
) -> dict[int, list[tuple[int, int]]]:
    reader = _Reader(gathering.raw, at, end)
    version = reader.number(1)
    reader.number(3)
    sizes = reader.number(2)
    offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_bytes = sizes & 15 if version in (1, 2) else 0
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(reader.number(4 if version == 2 else 2), _ITEMS_MAX)):
        item = reader.number(4 if version == 2 else 2)
        method = reader.number(2) & 15 if version in (1, 2) else 0
        reader.number(2)  # data reference
        base = reader.number(base_bytes) if base_bytes else 0
        extents: list[tuple[int, int]] = []
        for _ in range(min(reader.number(2), _EXTENTS_MAX)):
            reader.number(index_bytes) if index_bytes else None
            offset = reader.number(offset_bytes) if offset_bytes else 0
            length = reader.number(length_bytes) if length_bytes else 0
            start = base + offset + (data_box[0] if method == 1 else 0)
            extents.append((start, start + length))
        if reader.short:
            gathering.fault("truncated: item locations")
            break
        if method <= 1:
            places[item] = extents
    return places


def _keep(gathering: Gathering, what: str, extents: list[tuple[int, int]]) -> None:
    raw = gathering.raw
    if not extents:
        return
    if any(end > len(raw) for _, end in extents):
        gathering.fault("truncated: item data")
    content = b"".join(
        raw[start : min(end, start + gathering.bytes_left)] for start, end in extents
    )
    span = (extents[0][0], extents[-1][1])
    if what == "xmp":
        gathering.xmp(content, span, "item XMP")
    elif len(content) > 4:
        (skip,) = struct.unpack_from(">I", content)  # where the TIFF header begins
        tiff.read_block(gathering, content[4 + skip :], span[0] + 4 + skip, "item Exif")
