"""PNG: XMP in iTXt (plain or compressed), rights in tEXt, zTXt and iTXt, Exif.

Sources: PNG Third Edition (W3C, 2025) section 11.3; XMP Specification Part 3 section 3 (PNG).
"""

from __future__ import annotations

import binascii

from tercet.consent.media import tiff
from tercet.consent.media.gathering import Gathering, decode_text

MAGIC = b"\x89PNG\r\n\x1a\n"
_CHUNKS_MAX = 200_000
_XMP_KEYWORD = "XML:com.adobe.xmp"
_PROFILE = "Raw profile type "  # ImageMagick's hexadecimal text form of a binary profile


def read(gathering: Gathering) -> None:
    """Walk the chunks to IEND. Lengths are trusted only as far as the bytes go."""
    raw = gathering.raw
    fields: list[tuple[str, str]] = []
    at = len(MAGIC)
    first, last = at, at
    seen_image = False
    for _ in range(_CHUNKS_MAX):
        if at + 8 > len(raw):
            if at == len(raw) and seen_image:
                gathering.note("png without its end chunk")
            else:
                gathering.fault("truncated: png without its end")
            break
        size = int.from_bytes(raw[at : at + 4], "big")
        kind = raw[at + 4 : at + 8]
        if kind == b"IEND":
            break
        seen_image = seen_image or kind == b"IDAT"
        start, end = at + 8, at + 8 + size
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            last = min(end, len(raw))
            _read_chunk(gathering, kind, start, last, fields)
        if end + 4 > len(raw):
            gathering.fault("truncated: png chunk")
            break
        at = end + 4  # the checksum
    else:
        gathering.fault("png: more chunks than the limit")
    gathering.metadata("png", fields, (first, last), "text chunks")


def _read_chunk(
    gathering: Gathering, kind: bytes, start: int, end: int, fields: list[tuple[str, str]]
) -> None:
    content = gathering.raw[start:end]
    if kind == b"eXIf":
        tiff.read_block(gathering, content, start, "eXIf")
        return
    keyword, text = _text(gathering, kind, content)
    if keyword == _XMP_KEYWORD:
        begin = end - len(text) if content.endswith(text) else start
        gathering.xmp(text, (begin, end), f"{kind.decode()} XMP")
    elif keyword.startswith(_PROFILE):
        _read_profile(gathering, keyword, text, (start, end))
    else:
        fields.append((keyword, decode_text(text)))


def _text(gathering: Gathering, kind: bytes, content: bytes) -> tuple[str, bytes]:
    """Return keyword and text of a text chunk; compressed text is inflated within the limit."""
    name, _, rest = content.partition(b"\x00")
    keyword = name.decode("latin-1")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed = rest[:1] == b"\x01"
        rest = rest[2:]
        for _ in range(2):  # language tag, translated keyword
            _, _, rest = rest.partition(b"\x00")
    elif packed:
        rest = rest[1:]  # compression method
    if not packed:
        return keyword, rest
    return keyword, gathering.inflate(rest, f"png {keyword[:79]}")


def _read_profile(gathering: Gathering, keyword: str, text: bytes, span: tuple[int, int]) -> None:
    lines = text.strip().split(b"\n", 2)  # the profile's name, its length, hexadecimal digits
    try:
        profile = binascii.unhexlify(b"".join(lines[2].split())) if len(lines) == 3 else b""
    except binascii.Error:
        gathering.fault("png: broken raw profile")
        return
    if keyword == _PROFILE + "xmp":
        gathering.xmp(profile, span, "raw profile XMP")
