"""A picture's kind, size and orientation, from its first bytes: before anything is allocated.

Sources: JPEG ITU-T T.81 B.2.2 (frame header), PNG 3rd edition section 11.2.1, GIF89a section 18,
WebP RFC 9649 section 2.7, BMP (BITMAPINFOHEADER), TIFF 6.0 section 2, ISO/IEC 23008-12 6.5.3
(``ispe``), JPEG 2000 ISO/IEC 15444-1 A.5.1, Exif 3.0 section 4.6.5 (Orientation, tag 274).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """``kind`` is "jpeg", "png" ...; the size in pixels is (0, 0) where the kind does not tell."""

    kind: str
    width_px: int = 0
    height_px: int = 0


_HEVC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))


def picture_header(raw: bytes) -> PictureHeader | None:
    """Return what the bytes say of themselves; None when they are no picture known here."""
    if raw[:3] == b"\xff\xd8\xff":
        return PictureHeader("jpeg", *_jpeg_size(raw))
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        return PictureHeader("png", _big(raw, 16, 4), _big(raw, 20, 4))
    if raw[:6] in (b"GIF87a", b"GIF89a"):
        return PictureHeader("gif", _little(raw, 6, 2), _little(raw, 8, 2))
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return PictureHeader("webp", *_webp_size(raw))
    if raw[:2] == b"BM" and len(raw) > 26:
        return PictureHeader("bmp", *_bmp_size(raw))
    if raw[:4] in (b"II*\0", b"MM\0*"):
        tags = _tiff_tags(raw, (256, 257))
        return PictureHeader("tiff", tags.get(256, 0), tags.get(257, 0))
    if raw[4:8] == b"ftyp":
        brands = {raw[at : at + 4] for at in range(8, min(_big(raw, 0, 4), 256), 4)}
        kind = "avif" if brands & _AVIF_BRANDS else "heic" if brands & _HEVC_BRANDS else ""
        return PictureHeader(kind, *_ispe_size(raw)) if kind else None
    return _rare_header(raw)


def _rare_header(raw: bytes) -> PictureHeader | None:
    if raw[:12] == b"\0\0\0\x0cjP  \r\n\x87\n":
        at = raw.find(b"ihdr", 0, 4096)
        return PictureHeader("jp2", _big(raw, at + 8, 4), _big(raw, at + 4, 4)) if at > 0 else None
    if raw[:4] == b"\xff\x4f\xff\x51":
        return PictureHeader("jp2", _big(raw, 8, 4), _big(raw, 12, 4))
    if raw[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6") and raw[2:3].isspace():
        numbers = [word for word in raw[2:256].split() if word.isdigit() and len(word) < 10]
        return PictureHeader("pnm", *map(int, numbers[:2])) if len(numbers) > 1 else None
    head = raw[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if raw[:2] == b"\x1f\x8b" or (head[:1] == b"<" and b"<svg" in raw[:65536]):
        return PictureHeader("svg")
    return None


def _big(raw: bytes, at: int, count: int) -> int:
    return int.from_bytes(raw[at : at + count], "big")


def _little(raw: bytes, at: int, count: int) -> int:
    return int.from_bytes(raw[at : at + count], "little")


def _jpeg_segments(raw: bytes) -> list[tuple[int, int, int]]:
    """Return (marker, start, stop) of the segments before the scan, at most 10,000."""
    found = []
    at = 2
    for _ in range(10_000):
        at = raw.find(b"\xff", at)
        if at < 0 or at + 4 > len(raw):
            break
        marker = raw[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xDA, 0xD9):
            break
        length = _big(raw, at + 2, 2)
        found.append((marker, at + 4, at + 2 + length))
        at += 2 + max(length, 2)
    return found


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    """Return the largest size any frame header tells."""
    sizes = [
        (_big(raw, start + 3, 2), _big(raw, start + 1, 2))
        for marker, start, _ in _jpeg_segments(raw)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _webp_size(raw: bytes) -> tuple[int, int]:
    if raw[12:16] == b"VP8X":
        return _little(raw, 24, 3) + 1, _little(raw, 27, 3) + 1
    if raw[12:16] == b"VP8L":
        bits = _little(raw, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(raw, 26, 2) & 0x3FFF, _little(raw, 28, 2) & 0x3FFF


def _bmp_size(raw: bytes) -> tuple[int, int]:
    if _little(raw, 14, 4) == 12:
        return _little(raw, 18, 2), _little(raw, 20, 2)
    width = int.from_bytes(raw[18:22], "little", signed=True)
    height = int.from_bytes(raw[22:26], "little", signed=True)
    return abs(width), abs(height)


def _ispe_size(raw: bytes) -> tuple[int, int]:
    """Return the largest spatial extent that an image item of an ISO file tells."""
    largest = (0, 0)
    at = raw.find(b"ispe")
    for _ in range(1_000):
        if at < 0:
            break
        size = (_big(raw, at + 8, 4), _big(raw, at + 12, 4))
        largest = max(largest, size, key=lambda pair: pair[0] * pair[1])
        at = raw.find(b"ispe", at + 4)
    return largest


def _tiff_tags(raw: bytes, wanted: tuple[int, ...]) -> dict[int, int]:
    """Return the wanted short and long values of the first directory of a TIFF structure."""
    number = _little if raw[:2] == b"II" else _big
    start = number(raw, 4, 4)
    found = {}
    for entry in range(min(number(raw, start, 2), 4096)):
        at = start + 2 + 12 * entry
        tag, kind = number(raw, at, 2), number(raw, at + 2, 2)
        if tag in wanted and at + 12 <= len(raw):
            found[tag] = number(raw, at + 8, 2 if kind == 3 else 4)
    return found


def exif_orientation(exif: bytes) -> int:
    """Return the Orientation, 1 to 8, of an Exif block; 1 when it tells none."""
    start = min((at for at in (exif.find(b"II*\0"), exif.find(b"MM\0*")) if at >= 0), default=-1)
    if start < 0 or start > 64:
        return 1
    value = _tiff_tags(exif[start:], (274,)).get(274, 1)
    return value if 1 <= value <= 8 else 1
