"""RIFF: WebP, WAV and AVI. XMP chunks, and the INFO list's copyright.

Sources: WebP container specification (RFC 9649); XMP Specification Part 3 (WAV and AVI:
chunk ``_PMX``); Microsoft RIFF INFO list.
"""

from __future__ import annotations

from tercet.consent.media import id3, tiff
from tercet.consent.media.gathering import Gathering, decode_text

MEDIA_TYPES = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_CHUNKS_MAX = 100_000
_DEPTH_MAX = 8
_INFO = {b"ICOP": "Copyright", b"IART": "Artist", b"ICMT": "Comment"}


def read(gathering: Gathering) -> None:
    """Walk the chunks; lists are entered, chunk lengths are trusted only within the bytes."""
    raw = gathering.raw
    fields: list[tuple[str, str]] = []
    declared = 8 + int.from_bytes(raw[4:8], "little")
    if declared in (8, 8 + 0xFFFFFFFF):  # written to a pipe: the size was never filled in
        declared = len(raw)
    if declared > len(raw) + 1:  # some writers leave out the last padding byte
        gathering.fault("truncated: riff file")
    ranges = [(12, min(len(raw), max(declared, 12)), 0)]
    chunks = 0
    while ranges:
        at, stop, depth = ranges.pop()
        while at + 8 <= stop:
            chunks += 1
            if chunks > _CHUNKS_MAX:
                gathering.fault("riff: more chunks than the limit")
                return
            kind, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
            start, end = at + 8, min(at + 8 + size, stop)
            if kind == b"LIST" and depth < _DEPTH_MAX and raw[start : start + 4] != b"movi":
                ranges.append((start + 4, end, depth + 1))
            else:
                _read_chunk(gathering, kind, start, end, fields)
            at += 8 + size + (size & 1)
    gathering.metadata("riff", fields, (0, len(raw)), "INFO list")


def _read_chunk(
    gathering: Gathering, kind: bytes, start: int, end: int, fields: list[tuple[str, str]]
) -> None:
    raw = gathering.raw
    if kind in (b"XMP ", b"_PMX"):
        gathering.xmp(raw[start:end], (start, end), f"{kind.decode()} chunk")
    elif kind == b"EXIF":
        content = raw[start:end].removeprefix(b"Exif\x00\x00")
        tiff.read_block(gathering, content, end - len(content), "EXIF chunk")
    elif kind in (b"id3 ", b"ID3 "):
        id3.read_tag(gathering, start, end)
    elif kind in _INFO:
        fields.append((_INFO[kind], decode_text(raw[start:end])))
