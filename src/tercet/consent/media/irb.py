"""Photoshop image resource blocks: XMP, and the IPTC IIM fields that speak of rights.

Sources: Adobe Photoshop File Formats Specification (2019), "Image Resource Blocks" and
"Image Resource IDs"; IPTC-NAA IIM 4.2 chapter 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tercet.consent.media.gathering import Gathering, decode_text

_IPTC, _COPYRIGHT_URL, _XMP = 0x0404, 0x040B, 0x0424
_BLOCKS_MAX = 2_000
_RECORD_TWO = {
    40: "SpecialInstructions (rights)",
    80: "By-line (author)",
    110: "Credit",
    116: "CopyrightNotice",
    118: "Contact",
}


def read_file(gathering: Gathering) -> None:
    """Read a PSD or PSB file: header (26 bytes), colour mode data, resource blocks."""
    raw = gathering.raw
    start = 30 + int.from_bytes(raw[26:30], "big")
    end = start + 4 + int.from_bytes(raw[start : start + 4], "big")
    if end > len(raw):
        gathering.fault("truncated: photoshop resources")
    span = (start + 4, min(end, len(raw)))
    read(gathering, raw[start + 4 : end], span, problem=gathering.fault)


def read(
    gathering: Gathering,
    block: bytes,
    span: tuple[int, int],
    *,
    problem: Callable[[str], None],
) -> None:
    """Read a run of resource blocks that takes up ``span`` in the file.

    ``problem`` is told what is broken: a fault where XMP stands here and nowhere else (PSD), a
    note where the blocks hold no more than credit lines (JPEG, TIFF).
    """
    at = 0
    for _ in range(_BLOCKS_MAX):
        if len(block) - at < 12 or not any(block[at : at + 12]):
            return
        if block[at : at + 4] not in (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"):
            problem("photoshop: broken resource block")
            return
        (kind,) = struct.unpack_from(">H", block, at + 4)
        name_bytes = block[at + 6] + 1
        start = at + 6 + name_bytes + (name_bytes & 1)
        size = int.from_bytes(block[start : start + 4], "big")
        start += 4
        if start + size > len(block):
            problem("truncated: photoshop resource block")
        _read_one(gathering, kind, block[start : start + size], span)
        at = start + size + (size & 1)
    problem("photoshop: more resource blocks than the limit")


def _read_one(gathering: Gathering, kind: int, content: bytes, span: tuple[int, int]) -> None:
    if kind == _XMP:
        gathering.xmp(content, span, "photoshop XMP")
    elif kind == _IPTC:
        gathering.metadata("iptc", iim_fields(content), span, "IPTC IIM")
    elif kind == _COPYRIGHT_URL:
        fields = [("CopyrightURL", decode_text(content))]
        gathering.metadata("photoshop", fields, span, "photoshop URL")


def iim_fields(content: bytes) -> list[tuple[str, str]]:
    """Return the rights fields of record 2; reading stops at the first broken dataset."""
    fields: list[tuple[str, str]] = []
    at = 0
    while at + 5 <= len(content) and content[at] == 0x1C:
        record, dataset = content[at + 1], content[at + 2]
        size = int.from_bytes(content[at + 3 : at + 5], "big")
        if size & 0x8000:  # extended dataset: the low bits count the bytes of the real length
            wide = size & 0x7FFF
            if wide > 4:
                break
            size = int.from_bytes(content[at + 5 : at + 5 + wide], "big")
            at += wide
        start = at + 5
        if start + size > len(content):
            break
        if record == 2:
            name = _RECORD_TWO.get(dataset, f"2:{dataset:03d}")
            fields.append((name, decode_text(content[start : start + size])))
        at = start + size
    return fields
