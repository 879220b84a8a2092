"""ID3v2 tags: the frames that speak of rights, and XMP in PRIV.

Sources: ID3v2.2.0, ID3v2.3.0 and ID3v2.4.0 (id3.org) sections 3 and 4; XMP Specification
Part 3 section 3 (MP3: a PRIV frame with owner "XMP").
"""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.media.gathering import Gathering

MAGIC = b"ID3"
_FRAMES_MAX = 10_000
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_LONG_NAMES = {"TCR": "TCOP", "WCP": "WCOP", "WXX": "WXXX", "TXX": "TXXX", "COM": "COMM"}


def read(gathering: Gathering) -> None:
    """Read the tag at the head of an audio file."""
    read_tag(gathering, 0, len(gathering.raw))


def read_tag(gathering: Gathering, start: int, end: int) -> None:
    """Read a tag that begins at ``start`` and lies before ``end``."""
    raw = gathering.raw
    if end - start < 10 or raw[start : start + 3] != MAGIC:
        gathering.fault("truncated: id3 header")
        return
    version, flags = raw[start + 3], raw[start + 5]
    if version not in (2, 3, 4):
        gathering.fault(f"id3: unknown version 2.{version}")
        return
    size = _syncsafe(raw[start + 6 : start + 10])
    stop = start + 10 + size
    if stop > end:
        gathering.fault("truncated: id3 tag")
        stop = end
    body = raw[start + 10 : stop]
    if flags & 0x80 and version < 4:  # unsynchronised as a whole; in 2.4 frame by frame
        body = body.replace(b"\xff\x00", b"\xff")
    at = _after_extended_header(body, version) if flags & 0x40 and version > 2 else 0
    frames = _frames(gathering, body, at, version)
    fields = [pair for frame in frames for pair in _read_frame(gathering, *frame, (start, stop))]
    gathering.metadata("id3", fields, (start, stop), f"ID3v2.{version}")


def _syncsafe(raw: bytes) -> int:
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
    return value


def _after_extended_header(body: bytes, version: int) -> int:
    if version == 4:
        return _syncsafe(body[:4])  # counts itself
    return 4 + int.from_bytes(body[:4], "big")


def _frames(
    gathering: Gathering, body: bytes, at: int, version: int
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each frame that may speak of rights."""
    width, head = (3, 6) if version == 2 else (4, 10)
    for _ in range(_FRAMES_MAX):
        if at + head > len(body) or not body[at]:
            return  # padding, or the end
        name = body[at : at + width].decode("latin-1")
        digits = body[at + width : at + 2 * width]
        # iTunes writes plain sizes into 2.4 tags; a byte above 127 gives it away.
        safe = version == 4 and max(digits) < 0x80
        size = _syncsafe(digits) if safe else int.from_bytes(digits, "big")
        start, end = at + head, at + head + size
        if end > len(body):
            gathering.fault("truncated: id3 frame")
            end = len(body)
        flags = body[at + 9] if version > 2 else 0
        if name[0] in "TWUCP":
            content = _content(gathering, body[start:end], version, flags)
            yield _LONG_NAMES.get(name, name), content
        at = end
    gathering.fault("id3: more frames than the limit")


def _content(gathering: Gathering, raw: bytes, version: int, flags: int) -> bytes:
    """Undo what the frame's format flags say was done to it."""
    packed, encrypted = (0x08, 0x04) if version == 4 else (0x80, 0x40)
    if flags & encrypted:
        gathering.fault("id3: encrypted frame")
        return b""
    if version == 4:
        raw = raw[bool(flags & 0x40) + (4 if flags & 0x01 else 0) :]
        raw = raw.replace(b"\xff\x00", b"\xff") if flags & 0x02 else raw
    elif version == 3:
        raw = raw[(4 if flags & 0x80 else 0) + bool(flags & 0x20) :]
    return gathering.inflate(raw, "id3 frame") if flags & packed else raw


def _read_frame(
    gathering: Gathering, name: str, content: bytes, span: tuple[int, int]
) -> list[tuple[str, str]]:
    if name == "PRIV":
        owner, _, data = content.partition(b"\x00")
        if owner == b"XMP":
            gathering.xmp(data, span, "PRIV XMP")
        return []
    if name in ("TXXX", "WXXX"):
        label, value = _pair(content[:1], content[1:])
        value = value if name == "TXXX" else value.split("\x00")[0]
        return [(f"{name}:{label}" if label else name, value)]
    if name == "COMM":
        return [(name, _pair(content[:1], content[4:])[1])]
    if name == "USER":  # encoding, language, terms of use
        return [(name, _decode(content[:1], content[4:]))]
    if name.startswith("W"):
        return [(name, content.split(b"\x00")[0].decode("latin-1"))]
    return [(name, _decode(content[:1], content[1:]))] if name.startswith("T") else []


def _decode(encoding: bytes, raw: bytes) -> str:
    name = _ENCODINGS[encoding[0]] if encoding and encoding[0] < 4 else "latin-1"
    return raw.decode(name, "replace").strip("\x00\ufeff")


def _pair(encoding: bytes, raw: bytes) -> tuple[str, str]:
    """Split a description from the value behind its terminator."""
    wide = encoding in (b"\x01", b"\x02")
    if not wide:
        label, _, value = raw.partition(b"\x00")
        return _decode(encoding, label), _decode(encoding, value)
    for at in range(0, len(raw) - 1, 2):
        if raw[at : at + 2] == b"\x00\x00":
            return _decode(encoding, raw[:at]), _decode(encoding, raw[at + 2 :])
    return "", _decode(encoding, raw)
