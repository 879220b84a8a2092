"""Media made to harm whoever decodes them: small files that claim or unpack to enormous ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from gzip import compress

MIB = 1024 * 1024


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, packed: bytes, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def zeros(size: int) -> bytes:
    """``size`` zero bytes, packed a thousandfold."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*parts, packer.compress(bytes(size % MIB)), packer.flush()])


def gif(width: int, height: int, frames: int) -> bytes:
    screen = (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    )
    loop = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    frame = b"!\xf9\x04\x04\x01\x00\x00\x00," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return screen + loop + (frame + b"\x02\x02\x44\x01\x00") * frames + b";"


def box(kind: bytes, *body: bytes) -> bytes:
    """An ISO base media box."""
    inner = b"".join(body)
    return struct.pack(">I", 8 + len(inner)) + kind + inner


def wav(
    claimed_bytes: int, rate_hz: int = 44_100, channels: int = 2, body: bytes = bytes(8)
) -> bytes:
    frame = channels * 2 & 0xFFFF
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame & 0xFFFFFFFF, frame, 16)
    data = b"data" + struct.pack("<I", claimed_bytes) + body
    return (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + form + data
    )


def epub(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for name, raw in members.items():
            archive.writestr(name, raw, zipfile.ZIP_DEFLATED)
    return out.getvalue()


CONTAINER = (
    b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="a.opf"/></rootfiles></container>'
)


def opf(hrefs: list[str]) -> bytes:
    items = "".join(
        f'<item id="i{n}" href="{href}" media-type="application/xhtml+xml"/>'
        for n, href in enumerate(hrefs)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(hrefs)))
    text = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )
    return text.encode()


def pdf(*objects: bytes) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    lines = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % count + lines
    tail = b"trailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))
    return out + table + tail


def stream(raw: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    return b"<</Length %d/Filter%s>>stream\n" % (len(raw), filters) + raw + b"\nendstream"


def page_of(content: bytes) -> bytes:
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
        content,
    )


def movie(duration: int, samples: int) -> bytes:
    """An MP4 whose one track claims ``samples`` samples of one byte at the same place."""
    head = box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2mp41")
    tkhd = box(
        b"tkhd",
        b"\x01\x00\x00\x07",
        bytes(16),
        struct.pack(">II", 1, 0),
        struct.pack(">Q", duration),
        bytes(52),
        struct.pack(">II", 320 << 16, 240 << 16),
    )
    mdhd = box(
        b"mdhd", b"\x01\x00\x00\x00", bytes(16), struct.pack(">IQ", 1000, duration), bytes(4)
    )
    hdlr = box(b"hdlr", bytes(8), b"vide", bytes(13))
    entry = box(b"mp4v", bytes(6), b"\x00\x01", bytes(16), struct.pack(">HH", 320, 240), bytes(50))
    stbl = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        box(b"stts", bytes(4), struct.pack(">III", 1, samples, 1)),
        box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, samples, 1)),
        box(b"stsz", bytes(4), struct.pack(">II", 1, samples)),
        box(b"stco", bytes(4), struct.pack(">II", 1, 40)),
    )  # fmt: skip
    minf = box(b"minf", box(b"vmhd", bytes(12)), stbl)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    mvhd = box(
        b"mvhd", b"\x01\x00\x00\x00", bytes(16), struct.pack(">IQ", 1000, duration), bytes(80)
    )
    return head + box(b"mdat", bytes(64)) + box(b"moov", mvhd, trak)


def avi_of_tiny_packets(count: int) -> bytes:
    """An AVI of ``count`` empty frames."""
    main = struct.pack("<14I", 1, 0, 0, 0x10, count, 0, 1, 0, 320, 240, 0, 0, 0, 0)
    strh = b"vidsMJPG" + struct.pack("<10I", 0, 0, 0, 1, 25, 0, count, 0, 0, 0) + bytes(8)
    strf = struct.pack("<IiiHHIIiiII", 40, 320, 240, 1, 24, 0x47504A4D, 0, 0, 0, 0, 0)

    def part(kind: bytes, raw: bytes) -> bytes:
        return kind + struct.pack("<I", len(raw)) + raw

    strl = part(b"LIST", b"strl" + part(b"strh", strh) + part(b"strf", strf))
    hdrl = part(b"LIST", b"hdrl" + part(b"avih", main) + strl)
    movi = part(b"LIST", b"movi" + b"00dc\x00\x00\x00\x00" * count)
    return part(b"RIFF", b"AVI " + hdrl + movi)


def playlist_behind_a_tag() -> bytes:
    """What decoders take for a playlist, which would make them read another file."""
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x00"
    return (
        tag
        + b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "empty.jpg": lambda: b"",
    "one_byte.png": lambda: b"\x89",
    "hundred_thousand_squared.png": lambda: png(100_000, 100_000, 8, 2, zeros(MIB)),
    "thirty_thousand_squared_one_bit.png": lambda: png(30_000, 30_000, 1, 0, zeros(112 * MIB)),
    "text_of_zeros.png": lambda: png(
        64, 64, 8, 0, b"", chunk(b"zTXt", b"a\x00\x00" + zeros(96 * MIB))
    ),
    "hundred_thousand_squared.jp2": lambda: b"\xff\x4f\xff\x51" + struct.pack(
        ">HHIIIIIIIIHBBB", 41, 0, 100_000, 100_000, 0, 0, 100_000, 100_000, 0, 0, 1, 7, 1, 1
    ),
    "canvas_of_16_million.webp": lambda: b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"
    + b"\x00" * 4 + b"\xff" * 6 + b"VP8 \x00\x00\x00\x00",
    "animated_canvas_of_16_million.webp": lambda: b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"
    + b"\x02\x00\x00\x00" + b"\xff" * 6 + b"ANIM\x06\x00\x00\x00" + bytes(6),
    "largest_screen.gif": lambda: gif(65_535, 65_535, 1),
    "largest_moving_screen.gif": lambda: gif(65_535, 65_535, 50),
    "hundred_thousand_squared.tif": lambda: b"II*\x00\x08\x00\x00\x00\x02\x00"
    + struct.pack("<HHIIHHII", 256, 4, 1, 100_000, 257, 4, 1, 100_000) + bytes(4),
    "directory_that_loops.tif": lambda: b"II*\x00\x08\x00\x00\x00\x01\x00"
    + struct.pack("<HHII", 256, 4, 1, 64) + struct.pack("<I", 8),
    "hundred_thousand_squared.bmp": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII",
        54, 0, 54, 40, 100_000, 100_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(64),
    "drawing.svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "drawing_of_zeros.svgz": lambda: compress(b"<svg>" + bytes(16 * MIB) + b"</svg>"),
    "chapter_of_zeros.epub": lambda: epub({
        "META-INF/container.xml": CONTAINER, "a.opf": opf(["a.xhtml"]),
        "a.xhtml": b"<p>" + b"a " * (12 * MIB),
    }),
    "chapters_without_end.epub": lambda: epub({
        "META-INF/container.xml": CONTAINER, "a.opf": opf(["a.xhtml"] * 40_000),
        "a.xhtml": b"<p>" + b"word " * 200_000,
    }),
    "page_of_zeros.pdf": lambda: page_of(stream(zeros(96 * MIB))),
    "page_packed_twice.pdf": lambda: page_of(
        stream(zlib.compress(zeros(96 * MIB), 9), b"[/FlateDecode/FlateDecode]")
    ),
    "pages_that_hold_themselves.pdf": lambda: pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R 2 0 R]/Count 99999999>>"
    ),
    "four_billion_samples.wav": lambda: wav(0xFFFFFFFF),
    "four_gigahertz.wav": lambda: wav(0xFFFFFFFF, 0xFFFFFFFF, 65_535, bytes(MIB)),
    "sixty_eight_billion_samples.flac": lambda: b"fLaC\x80\x00\x00\x22\x10\x00\x10\x00" + bytes(6)
    + b"\x0a\xc4\x42\xff\xff\xff\xff\xff" + bytes(16) + b"\xff\xf8" + bytes(64),
    "playlist_behind_a_tag.mp3": playlist_behind_a_tag,
    "playlist.m3u8": lambda: b"#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n",
    "films_of_ages.mp4": lambda: movie(2**63 - 1, 0xFFFFFFFF),
    "tiny_packets.avi": lambda: avi_of_tiny_packets(100_000),
    "frames_without_end.gif": lambda: gif(64, 64, 15_000),
    "dots_without_end.gif": lambda: gif(1, 1, 50_000),
    "brackets.html": lambda: b"<!doctype html>" + b"<" * 200_000,
    "divisions_in_divisions.html": lambda: b"<!doctype html>" + b"<div>" * 60_000,
}  # fmt: skip
