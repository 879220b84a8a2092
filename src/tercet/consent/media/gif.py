"""GIF: the XMP application extension and comments.

Sources: GIF89a section 26; XMP Specification Part 3 section 3 (GIF: the packet stands unblocked,
followed by a 258-byte trailer that leads any block reader back in step).
"""

from __future__ import annotations

from tercet.consent.media.gathering import Gathering, decode_text

_XMP_HEAD = b"\x0bXMP DataXMP"
_BLOCKS_MAX = 200_000


def read(gathering: Gathering) -> None:
    """Walk the blocks to the trailer."""
    raw = gathering.raw
    if len(raw) < 13:
        gathering.fault("truncated: gif header")
        return
    at = 13 + _table_bytes(raw[10])
    fields: list[tuple[str, str]] = []
    seen_image = False
    for _ in range(_BLOCKS_MAX):
        mark = raw[at : at + 1]
        if mark == b";":
            break
        if mark == b",":
            seen_image = True
            table = _table_bytes(raw[at + 9]) if at + 9 < len(raw) else 0
            at = _skip(raw, at + 11 + table)
        elif mark == b"!":
            at = _read_extension(gathering, at + 1, fields)
        elif at == len(raw) and seen_image:
            gathering.note("gif without its trailer")
            break
        else:
            gathering.fault("gif: broken block" if mark else "truncated: gif without its end")
            break
    gathering.metadata("gif", fields, (0, min(at, len(raw))), "comments")


def _table_bytes(packed: int) -> int:
    """Bytes of the colour table a packed field announces."""
    return 3 * (2 << (packed & 7)) if packed & 0x80 else 0


def _skip(raw: bytes, at: int) -> int:
    """Return the place behind a run of sub-blocks."""
    while at < len(raw) and raw[at]:
        at += 1 + raw[at]
    return at + 1


def _read_extension(gathering: Gathering, at: int, fields: list[tuple[str, str]]) -> int:
    raw = gathering.raw
    label = raw[at : at + 1]
    if label == b"\xff" and raw.startswith(_XMP_HEAD, at + 1):
        start = at + 1 + len(_XMP_HEAD)
        end = raw.find(b"\x01\xff\xfe\xfd", start)  # the magic trailer
        if end < 0:
            gathering.fault("truncated: gif XMP")
            end = len(raw)
        gathering.xmp(raw[start:end], (start, end), "XMP extension")
        return _skip(raw, start) if end == len(raw) else end + 258
    end = _skip(raw, at + 1)
    if label == b"\xfe":
        fields.append(("Comment", decode_text(_unblocked(raw, at + 1, min(end, len(raw))))))
    return end


def _unblocked(raw: bytes, at: int, end: int) -> bytes:
    parts = []
    while at < end and raw[at]:
        parts.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return b"".join(parts)
