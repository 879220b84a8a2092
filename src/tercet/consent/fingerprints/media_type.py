"""What a file is, by its bytes alone: never by its name, which anybody can choose.

Containers that hold sound or pictures alike are told by their streams, in `medium_of`.
Sources: the formats' own signatures; https://www.w3.org/TR/png-3/ section 11.3 (acTL), the WebP
container's VP8X flags, the GIF89a blocks, ISO/IEC 14496-12 section 4.3 (brands).
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from tercet.consent.media.epub import is_epub
from tercet.core.work import Medium

HEAD_BYTES = 4096
STREAMED_FORMATS = (
    "aac,ac3,aiff,amr,ape,apng,asf,au,avi,caf,eac3,flac,flv,gif,m4v,matroska,mov,mp3,mpeg,mpegts,"
    "mpegvideo,nut,ogg,rm,swf,tta,w64,wav,wv"
)
"""The formats that a decoder of sound or video may be asked for.

Formats that name other files or addresses (playlists, manifests, session descriptions) are left
out: hostile media must not make anybody fetch or read something else.
"""
CONTAINER_OPTIONS = {"format_whitelist": STREAMED_FORMATS, "protocol_whitelist": "none"}
"""Options for ``av.open``, wherever media from strangers is opened."""


class MediaType(NamedTuple):
    """``name`` is a media type ("image/png"), ``medium`` None where only the streams tell."""

    name: str
    medium: Medium | None


UNKNOWN = MediaType("", None)
PDF = MediaType("application/pdf", Medium.TEXT)

_IMAGE, _VIDEO, _AUDIO, _TEXT = Medium.IMAGE, Medium.VIDEO, Medium.AUDIO, Medium.TEXT
_STILLS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"#?RADIANCE", "image/vnd.radiance"),
    (b"qoif", "image/qoi"),
)
_SOUNDS = (
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"wvpk", "audio/x-wavpack"),
    (b"MAC ", "audio/x-ape"),
    (b"TTA1", "audio/x-tta"),
    (b".snd", "audio/basic"),
    (b"caff", "audio/x-caf"),
    (b"#!AMR", "audio/amr"),
    (b"\x0b\x77", "audio/ac3"),
    (b"riff\x2e\x91\xcf\x11", "audio/x-w64"),
)
_EITHER = (
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"OggS", "application/ogg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b".RMF", "application/vnd.rn-realmedia"),
    (b"FWS", "application/x-shockwave-flash"),
    (b"CWS", "application/x-shockwave-flash"),
)
_HEADS = (
    *((head, MediaType(name, _IMAGE)) for head, name in _STILLS),
    *((head, MediaType(name, _AUDIO)) for head, name in _SOUNDS),
    *((head, MediaType(name, None)) for head, name in _EITHER),
)
_STILL_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1"), "image/heic"),
    b"avif": "image/avif",
    b"crx ": "image/x-canon-cr3",
}
_MOVING_BRANDS = {b"avis": "image/avif", b"msf1": "image/heic", b"hevc": "image/heic"}
_FIRST_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx")
_BINARY_HEADS = tuple(magic for magic, _ in _HEADS if not magic.isascii())
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
_BARE_TEXT_BYTES_MIN = 16  # of text in an encoding that is not UTF-8 and has no mark
_CONTROL_SHARE_MAX = 0.002  # of a text's head: stray bytes of old editors, not of binary data
_BLOCKS_MAX = 1_000_000  # of a GIF looked at for a second picture; a frame of 250 MB has as many
_CHUNKS_MAX = 10_000


def medium_of(file: BinaryIO) -> MediaType:
    """Return what ``file`` is; `UNKNOWN` when its bytes show nothing that is known.

    ``file`` can be seeked and is left anywhere. Total: damage makes it unknown or leaves the
    medium to the decoder.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    found = sniff(head)
    if found.name == "image/gif" and _is_moving_gif(file):
        return MediaType(found.name, _VIDEO)
    if found.name == "image/png" and _is_moving_png(file):
        return MediaType("image/apng", _VIDEO)
    if found.name and found.medium is None:
        return MediaType(found.name, _by_streams(file))
    return found


def sniff(head: bytes) -> MediaType:
    """Return what the first bytes show; the medium is None where only the streams tell."""
    if _is_text(head):
        return _text(head)
    if head[:4] == b"RIFF" or head[:4] in (b"RF64", b"RIFX"):
        return _riff(head)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return MediaType("audio/aiff", _AUDIO)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return MediaType("image/gif", _IMAGE)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType("image/png", _IMAGE)
    if head[4:8] == b"ftyp":
        return _bmff(head)
    if head[4:8] in _FIRST_BOXES:
        return MediaType("video/quicktime", None)
    for magic, found in _HEADS:
        if head.startswith(magic):
            return found
    if _is_mpeg_audio(head):
        return MediaType("audio/mpeg", _AUDIO)
    if _is_transport_stream(head):
        return MediaType("video/mp2t", None)
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(b"PK\x03\x04") and is_epub(head):
        return MediaType("application/epub+zip", _TEXT)
    return UNKNOWN


def _riff(head: bytes) -> MediaType:
    kind = head[8:12]
    if kind == b"WEBP":
        moving = head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)
        return MediaType("image/webp", _VIDEO if moving else _IMAGE)
    if kind == b"WAVE":
        return MediaType("audio/wav", _AUDIO)
    return MediaType("video/x-msvideo", None) if kind in (b"AVI ", b"AVIX") else UNKNOWN


def _bmff(head: bytes) -> MediaType:
    brand = head[8:12]
    if brand in _MOVING_BRANDS:
        return MediaType(_MOVING_BRANDS[brand], _VIDEO)
    if brand in _STILL_BRANDS:
        return MediaType(_STILL_BRANDS[brand], _IMAGE)
    return MediaType("video/mp4", None)


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether an MPEG audio or ADTS frame begins the file; FF FE is a byte order mark."""
    return (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] != 0xFE
        and head[2] & 0xF0 != 0xF0
    )


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) > start + 2 * step and all(head[start + n * step] == 0x47 for n in range(3))
        for start, step in ((0, 188), (4, 192))
    )


def _is_text(head: bytes) -> bool:
    """Whether it reads as text in an encoding of one or several octets, or has their marks."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if head and (_is_wide(head, 0) or _is_wide(head, 1)):
        return True
    if not head or b"\x00" in head or any(head.startswith(magic) for magic in _BINARY_HEADS):
        return False
    if len(head) < _BARE_TEXT_BYTES_MIN and not _is_utf8(head):
        return False
    return sum(byte in _CONTROLS for byte in head) <= _CONTROL_SHARE_MAX * len(head)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_wide(head: bytes, zero_at: int) -> bool:
    """Whether it reads as UTF-16 without its mark: printable ASCII, a zero beside nearly each."""
    zeros, others = head[zero_at::2], head[1 - zero_at :: 2]
    plain = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in others)
    return zeros.count(0) > 0.95 * len(zeros) > 0 and plain > 0.95 * len(others)


def _text(head: bytes) -> MediaType:
    if b"%PDF-" in head[:1024]:
        return PDF
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and (b"<svg" in start or b":svg" in start) and b"<html" not in start:
        return MediaType("image/svg+xml", _IMAGE)
    if start.startswith(b"<!doctype html") or b"<html" in start:
        return MediaType("text/html", _TEXT)
    return MediaType("text/plain", _TEXT)


def _is_moving_gif(file: BinaryIO) -> bool:
    """Whether a second picture follows the first; a GIF cut short before it is a still one."""
    file.seek(10)
    screen = file.read(3)
    if len(screen) < 3:
        return False
    file.seek(3 * (2 << (screen[0] & 7)) if screen[0] & 0x80 else 0, 1)
    pictures = 0
    for _ in range(_BLOCKS_MAX):
        match file.read(1):
            case b",":
                pictures += 1
                place = file.read(9)
                if pictures == 2 or len(place) < 9:
                    return pictures == 2
                file.seek(1 + (3 * (2 << (place[8] & 7)) if place[8] & 0x80 else 0), 1)
            case b"!":
                file.seek(1, 1)
            case _:
                return False
        for _ in range(_BLOCKS_MAX):
            size = file.read(1)
            if not size or size == b"\x00":
                break
            file.seek(size[0], 1)
    return False


def _is_moving_png(file: BinaryIO) -> bool:
    """Whether an animation control chunk with several frames stands before the picture."""
    file.seek(8)
    for _ in range(_CHUNKS_MAX):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            return False
        if head[4:] == b"acTL":
            return int.from_bytes(file.read(4), "big") > 1
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return False


def _by_streams(file: BinaryIO) -> Medium:
    """Return video where there are pictures other than a cover, audio where there is only sound.

    What cannot be opened is called video: its decoder will say what is wrong.
    """
    import av

    file.seek(0)
    try:
        with av.open(file, "r", options=dict(CONTAINER_OPTIONS)) as container:
            shown = [
                stream
                for stream in container.streams.video
                if not stream.disposition & av.stream.Disposition.attached_pic
            ]
            return _AUDIO if container.streams.audio and not shown else _VIDEO
    except (av.FFmpegError, ValueError, OSError, LookupError):
        return _VIDEO
