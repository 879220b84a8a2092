"""JPEG: XMP and extended XMP (APP1), Exif copyright (APP1), IPTC fields (APP13).

Sources: XMP Specification Part 3 (2020) section 3 (APP1, ExtendedXMP by GUID and MD5);
Adobe Photoshop File Formats, image resource blocks; IPTC IIM 4.2.
"""

from __future__ import annotations

import hashlib
import struct

from tercet.consent.media import irb, tiff
from tercet.consent.media.gathering import Gathering
from tercet.core.limits import METADATA_BYTES_MAX

XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED_HEAD = b"http://ns.adobe.com/xmp/extension/\x00"
_EXTENDED_FIXED_BYTES = 32 + 4 + 4  # GUID, full length, offset
_PHOTOSHOP_HEAD = b"Photoshop 3.0\x00"
_BARE = frozenset([0x01, *range(0xD0, 0xD9)])  # TEM, RSTn, SOI: markers without a length
_SOS, _EOI, _APP1, _APP13 = 0xDA, 0xD9, 0xE1, 0xED

Piece = tuple[int, int, int]  # offset in the extended packet, start and end in the file


def read(gathering: Gathering) -> None:
    """Walk the marker segments up to the first scan; metadata stands before it."""
    raw = gathering.raw
    extended: dict[tuple[bytes, int], list[Piece]] = {}
    resources: list[tuple[int, int]] = []
    at = 2
    while True:
        if at < len(raw) and raw[at] != 0xFF:
            gathering.fault("jpeg: no marker where one was expected")
            break
        while at < len(raw) and raw[at] == 0xFF:  # any number of fill bytes
            at += 1
        if at >= len(raw):
            gathering.fault("truncated: jpeg before its image data")
            break
        marker, at = raw[at], at + 1
        if marker in (_SOS, _EOI):
            break
        if marker in _BARE:
            continue
        size = int.from_bytes(raw[at : at + 2], "big")
        if size < 2 or at + size > len(raw):
            gathering.fault(
                "truncated: jpeg segment" if size >= 2 or at + 2 > len(raw)
                else "jpeg: segment shorter than its length field"
            )  # fmt: skip
            break
        start, end = at + 2, at + size
        if marker == _APP1:
            _read_app1(gathering, start, end, extended)
        elif marker == _APP13 and raw.startswith(_PHOTOSHOP_HEAD, start):
            resources.append((start + len(_PHOTOSHOP_HEAD), end))
        at = end
    gathering.has_c2pa = raw.find(b"jumb", 0, at) >= 0 and raw.find(b"c2pa", 0, at) >= 0
    _join_extended(gathering, extended)
    if resources:
        # Photoshop data beyond one segment goes on in the next one: join before reading.
        joined = b"".join(raw[start:end] for start, end in resources)
        span = (resources[0][0], resources[-1][1])
        irb.read(gathering, joined, span, problem=gathering.note)


def _read_app1(
    gathering: Gathering, start: int, end: int, extended: dict[tuple[bytes, int], list[Piece]]
) -> None:
    raw = gathering.raw
    if raw.startswith(XMP_HEAD, start):
        begin = start + len(XMP_HEAD)
        gathering.xmp(raw[begin:end], (begin, end), "APP1 XMP")
    elif raw.startswith(EXTENDED_HEAD, start):
        begin = start + len(EXTENDED_HEAD)
        if end - begin < _EXTENDED_FIXED_BYTES:
            gathering.fault("jpeg: extended XMP segment too short")
            return
        guid = raw[begin : begin + 32]
        full, offset = struct.unpack_from(">II", raw, begin + 32)
        extended.setdefault((guid, full), []).append((offset, begin + _EXTENDED_FIXED_BYTES, end))
    elif raw.startswith(b"Exif\x00\x00", start):
        tiff.read_block(gathering, raw[start + 6 : end], start + 6, "APP1 Exif")


def _join_extended(gathering: Gathering, extended: dict[tuple[bytes, int], list[Piece]]) -> None:
    for (guid, full), pieces in extended.items():
        if full > METADATA_BYTES_MAX:
            gathering.fault("jpeg: extended XMP beyond the limit")
            continue
        joined, at = bytearray(), 0
        for offset, start, end in sorted(pieces):
            if offset == at:
                joined += gathering.raw[start:end]
                at = len(joined)
        span = (min(p[1] for p in pieces), max(p[2] for p in pieces))
        whole = bytes(joined[:full])
        if len(whole) < full:
            gathering.fault("jpeg: a piece of the extended XMP is missing")
        elif hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode() != guid:
            gathering.fault("jpeg: extended XMP does not match its GUID")
        gathering.xmp(whole, span, "APP1 extended XMP")
