"""ISO base media files (MP4, MOV, HEIC, AVIF, JPEG 2000, JPEG XL): XMP and copyright.

Sources: ISO/IEC 14496-12 (boxes, iinf, iloc, cprt); C2PA 2.2 appendix A.5 (the uuid box);
XMP Specification Part 3 (the uuid box, QuickTime's XMP_); QuickTime File Format (udta, ilst);
ISO/IEC 23008-12 (HEIF items).
"""

from __future__ import annotations

from tercet.consent.media import bmff_items
from tercet.consent.media.bmff_items import BOXES_MAX, boxes
from tercet.consent.media.gathering import Gathering, decode_text

C2PA_UUID = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_DEPTH_MAX = 12
_PARENTS = frozenset({b"moov", b"trak", b"udta", b"ilst"})
_TEXTS = {b"\xa9cpy": "©cpy", b"\xa9ART": "©ART (artist)", b"\xa9aut": "©aut (author)",
          b"\xa9cmt": "©cmt", b"\xa9lic": "©lic (licence)", b"cprt": "cprt"}  # fmt: skip


def read(gathering: Gathering) -> None:
    """Walk the boxes; media data is skipped, never read."""
    raw = gathering.raw
    fields: list[tuple[str, str]] = []
    queue = [(0, len(raw), 0, b"")]
    gathering.has_c2pa = False
    seen = 0
    while queue:
        start, end, depth, parent = queue.pop(0)
        found, whole = boxes(raw, start, end)
        seen += len(found)
        if seen > BOXES_MAX:
            gathering.fault("isobmff: more boxes than the limit")
            break
        if not whole and parent != b"udta":  # QuickTime ends udta with four zero bytes
            gathering.fault("truncated: isobmff box" if depth == 0 else "isobmff: broken box")
        for kind, first, stop in found:
            inner = first
            if kind == b"meta":
                inner += _meta_head(raw, first)
                bmff_items.read(gathering, inner, stop)
                fields += _keyed(raw, inner, stop)
            if (kind in _PARENTS or kind in (b"meta", b"----")) and depth < _DEPTH_MAX:
                if kind == b"----":
                    fields += _free_form(raw, inner, stop)
                else:
                    queue.append((inner, stop, depth + 1, kind))
            elif kind in _TEXTS and parent in (b"udta", b"ilst"):
                fields.append((_TEXTS[kind], _text(raw, inner, stop, parent, kind)))
            else:
                _read_box(gathering, kind, inner, stop)
    gathering.metadata("mp4", fields, (0, len(raw)), "udta")


def _meta_head(raw: bytes, inner: int) -> int:
    """ISO's meta box has version and flags before its boxes, QuickTime's has not."""
    return 0 if raw[inner + 4 : inner + 8] == b"hdlr" else 4


def _read_box(gathering: Gathering, kind: bytes, inner: int, stop: int) -> None:
    raw = gathering.raw
    if kind == b"uuid" and raw[inner : inner + 16] == XMP_UUID:
        gathering.xmp(raw[inner + 16 : stop], (inner + 16, stop), "uuid XMP")
    elif (kind == b"uuid" and raw[inner : inner + 16] == C2PA_UUID) or kind == b"jumb":
        gathering.has_c2pa = True
    elif kind == b"XMP_":
        gathering.xmp(raw[inner:stop], (inner, stop), "udta XMP_")
    elif kind == b"xml " and b"xmpmeta" in raw[inner:stop]:
        gathering.xmp(raw[inner:stop], (inner, stop), "xml XMP")
    elif kind == b"brob" and raw[inner : inner + 4] == b"xml ":
        gathering.fault("jpeg xl: Brotli-compressed XMP is not read")


def _text(raw: bytes, inner: int, stop: int, parent: bytes, kind: bytes) -> str:
    if parent == b"ilst":
        return _data(raw, inner, stop)
    if kind == b"cprt":  # version, flags, packed language, text
        body = raw[inner + 6 : stop]
        wide = body[:2] in (b"\xfe\xff", b"\xff\xfe")
        return body.decode("utf-16", "replace") if wide else decode_text(body)
    size = int.from_bytes(raw[inner : inner + 2], "big")  # QuickTime: length, language, text
    return decode_text(raw[inner + 4 : min(stop, inner + 4 + size)])


def _keyed(raw: bytes, inner: int, stop: int) -> list[tuple[str, str]]:
    """QuickTime metadata: ``keys`` names the items, ``ilst`` numbers them from 1."""
    found = {kind: (start, end) for kind, start, end in boxes(raw, inner, stop)[0]}
    if b"keys" not in found or b"ilst" not in found:
        return []
    start, end = found[b"keys"]
    names = [raw[first:last] for _, first, last in boxes(raw, start + 8, end)[0]]
    fields = []
    for kind, first, last in boxes(raw, *found[b"ilst"])[0]:
        number = int.from_bytes(kind, "big")
        if 1 <= number <= len(names):
            fields.append((decode_text(names[number - 1]), _data(raw, first, last)))
    return fields


def _data(raw: bytes, inner: int, stop: int) -> str:
    for kind, start, end in boxes(raw, inner, stop)[0]:
        if kind == b"data":
            return decode_text(raw[start + 8 : end])  # type, locale
    return ""


def _free_form(raw: bytes, inner: int, stop: int) -> list[tuple[str, str]]:
    """iTunes free-form items: mean, name, data."""
    name = ""
    for kind, start, end in boxes(raw, inner, stop)[0]:
        if kind == b"name":
            name = decode_text(raw[start + 4 : end])
    return [(name, _data(raw, inner, stop))] if name else []
