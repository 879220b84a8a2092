"""Vorbis comments in FLAC and Ogg (Vorbis, Opus, Theora).

Sources: RFC 9639 section 8.6 (FLAC); Vorbis I section 5; RFC 7845 section 5.2 (OpusTags);
RFC 3533 (Ogg pages).
"""

from __future__ import annotations

from tercet.consent.media.gathering import Gathering, decode_text
from tercet.core.limits import METADATA_BYTES_MAX

FLAC_MAGIC, OGG_MAGIC = b"fLaC", b"OggS"
_COMMENTS_MAX = 10_000
_BLOCKS_MAX = 1_000
_PAGES_MAX = 4_096
_COMMENT_HEADS = (b"\x03vorbis", b"OpusTags", b"\x81theora")


def read_flac(gathering: Gathering) -> None:
    """Walk the metadata blocks before the audio."""
    raw, at = gathering.raw, 4
    for _ in range(_BLOCKS_MAX):
        if at + 4 > len(raw):
            gathering.fault("truncated: flac metadata")
            return
        kind, size = raw[at], int.from_bytes(raw[at + 1 : at + 4], "big")
        start, end = at + 4, at + 4 + size
        if kind & 0x7F == 4:
            _read_comments(gathering, raw[start:end], (start, min(end, len(raw))), "flac")
        if kind & 0x80:  # the last block
            return
        at = end
    gathering.fault("flac: more blocks than the limit")


def read_ogg(gathering: Gathering) -> None:
    """Put the first packets of each stream together; comments are the second one."""
    raw, at = gathering.raw, 0
    streams: dict[bytes, bytearray] = {}
    for _ in range(_PAGES_MAX):
        if not raw.startswith(OGG_MAGIC, at):
            if at > len(raw):
                gathering.fault("truncated: ogg page")
            break
        serial, count = raw[at + 14 : at + 18], raw[at + 26] if at + 26 < len(raw) else 0
        lacing = raw[at + 27 : at + 27 + count]
        body = at + 27 + count
        open_packet = streams.setdefault(serial, bytearray())
        for length in lacing:
            if len(open_packet) + length <= METADATA_BYTES_MAX:
                open_packet += raw[body : body + length]
            body += length
            if length < 255:  # a packet ends here
                head = next((h for h in _COMMENT_HEADS if open_packet.startswith(h)), b"")
                if head:
                    packet = bytes(open_packet[len(head) :])
                    _read_comments(gathering, packet, (at, min(body, len(raw))), "ogg")
                    return
                open_packet.clear()
        at = body


def _read_comments(
    gathering: Gathering, block: bytes, span: tuple[int, int], container: str
) -> None:
    at = 4 + int.from_bytes(block[:4], "little")  # the vendor string
    count = int.from_bytes(block[at : at + 4], "little")
    at += 4
    fields: list[tuple[str, str]] = []
    for _ in range(min(count, _COMMENTS_MAX)):
        size = int.from_bytes(block[at : at + 4], "little")
        start, at = at + 4, at + 4 + size
        if at > len(block):
            gathering.fault(f"truncated: {container} comments")
            break
        name, mark, value = block[start:at].partition(b"=")
        if mark and size <= 1 << 20:
            fields.append((name.decode("latin-1").upper(), decode_text(value)))
    gathering.metadata(container, fields, span, "comments")
