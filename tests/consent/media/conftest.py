"""Media files made by hand, byte by byte, from the formats' own specifications."""

from __future__ import annotations

import binascii
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest

HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")


def xmp(value: str = "DMI-PROHIBITED") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">'
        f"<plus:DataMining>http://ns.useplus.org/ldf/vocab/{value}</plus:DataMining>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xda\x00\x02\x00\xff\xd9"


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", binascii.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def tiff(entries: list[tuple[int, int, bytes]], order: str = "<", following: int = 0) -> bytes:
    """One directory; entries are (tag, type, value), values behind the directory."""
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
    start = 8 + 2 + 12 * len(entries) + 4
    table, values = b"", b""
    for tag, kind, value in sorted(entries):
        count = len(value) // widths[kind]
        if len(value) <= 4:
            place = value.ljust(4, b"\x00")
        else:
            place = struct.pack(order + "I", start + len(values))
            values += value
        table += struct.pack(order + "HHI", tag, kind, count) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    count_bytes = struct.pack(order + "H", len(entries))
    return head + count_bytes + table + struct.pack(order + "I", following) + values


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, version: int, *content: bytes) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *content)


def mp4(*boxes: bytes) -> bytes:
    return box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2") + b"".join(boxes)


def heic(packet: bytes, method: int = 0) -> bytes:
    """A HEIF file whose item 7 is XMP, in the file (method 0) or in idat (method 1)."""
    item = full_box(
        b"infe", 2, struct.pack(">HH", 7, 0), b"mime", b"\x00", b"application/rdf+xml\x00"
    )
    iinf = full_box(b"iinf", 0, struct.pack(">H", 1), item)
    ftyp = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic")

    def meta(offset: int) -> bytes:
        place = struct.pack(">HHHHII", 7, method, 0, 1, offset, len(packet))
        iloc = full_box(b"iloc", 1, b"\x44\x00", struct.pack(">H", 1), place)
        idat = box(b"idat", packet) if method else b""
        return full_box(b"meta", 0, iinf, iloc, idat)

    if method:
        return ftyp + meta(0)
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", packet)


def riff(form: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = form
    for kind, content in chunks:
        body += kind + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(*extensions: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"".join(extensions) + b";"


def gif_xmp(packet: bytes) -> bytes:
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
    return b"!\xff\x0bXMP DataXMP" + packet + trailer


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(version: int, *frames: tuple[bytes, bytes]) -> bytes:
    body = b""
    for name, content in frames:
        if version == 2:
            body += name + len(content).to_bytes(3, "big") + content
        else:
            size = syncsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
            body += name + size + b"\x00\x00" + content
    return b"ID3" + bytes([version, 0, 0]) + syncsafe(len(body)) + body + b"\xff\xfb" * 8


def comments(*pairs: str) -> bytes:
    packed = b"".join(struct.pack("<I", len(p.encode())) + p.encode() for p in pairs)
    return struct.pack("<I", 4) + b"test" + struct.pack("<I", len(pairs)) + packed


def flac(*pairs: str) -> bytes:
    block = comments(*pairs)
    info = b"\x00" + (34).to_bytes(3, "big") + bytes(34)
    return b"fLaC" + info + b"\x84" + len(block).to_bytes(3, "big") + block


def ogg(*pairs: str) -> bytes:
    def page(packet: bytes, sequence: int) -> bytes:
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        head = b"OggS\x00\x02" + bytes(8) + b"\x01\x02\x03\x04" + struct.pack("<I", sequence)
        return head + bytes(4) + bytes([len(lacing), *lacing]) + packet

    return page(b"\x01vorbis" + bytes(23), 0) + page(b"\x03vorbis" + comments(*pairs), 1)


def element(kind: int, *content: bytes, unknown: bool = False) -> bytes:
    body = b"".join(content)
    size = b"\x01" + b"\xff" * 7 if unknown else (len(body) | 1 << 56).to_bytes(8, "big")
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + size + body


def matroska(*pairs: tuple[str, str], live: bool = False) -> bytes:
    """A WebM file with a cluster before its tags; ``live`` leaves the sizes open."""
    tags = [
        element(0x67C8, element(0x45A3, name.encode()), element(0x4487, value.encode()))
        for name, value in pairs
    ]
    cluster = element(0x1F43B675, element(0xA3, bytes(300)), unknown=live)
    segment = element(
        0x18538067, cluster, element(0x1254C367, element(0x7373, *tags)), unknown=live
    )
    return element(0x1A45DFA3, element(0x4282, b"webm")) + segment


CONTAINER_XML = (
    b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="EPUB/a.opf" media-type="application/oebps-package+xml"/>'
    b"</rootfiles></container>"
)


def epub(opf: bytes, compression: int = zipfile.ZIP_DEFLATED, extra: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER_XML)
        for number in range(extra):
            archive.writestr(f"x{number}", b"")
        archive.writestr("EPUB/a.opf", opf)
    return out.getvalue()


def pdf(packet: bytes, *, packed: bool = False, info: bytes = b"", encrypt: bytes = b"") -> bytes:
    body = zlib.compress(packet) if packed else packet
    extra = b"/Filter/FlateDecode" if packed else b""
    return (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Metadata 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Metadata/Subtype/XML/Length "
        + str(len(body)).encode() + extra + b">>\nstream\n" + body + b"\nendstream\nendobj\n"
        b"3 0 obj\n<<" + info + b">>\nendobj\n"
        b"trailer\n<</Root 1 0 R/Info 3 0 R" + encrypt + b">>\nstartxref\n0\n%%EOF\n"
    )  # fmt: skip


def pdf_object_stream(packet: bytes) -> bytes:
    """Catalog and Info inside a compressed object stream, a cross-reference stream as trailer."""
    catalog, info = b"<</Type/Catalog/Metadata 2 0 R>>", b"<</Copyright(\\251 M\\374ller)>>"
    index = f"1 0 3 {len(catalog) + 1} ".encode()
    body = zlib.compress(index + catalog + b" " + info)
    xref = zlib.compress(bytes(20))
    return (
        b"%PDF-1.7\n2 0 obj\n<</Type/Metadata/Length " + str(len(packet)).encode() + b">>\n"
        b"stream\n" + packet + b"\nendstream\nendobj\n"
        b"4 0 obj\n<</Type/ObjStm/N 2/First " + str(len(index)).encode()
        + b"/Filter/FlateDecode/Length " + str(len(body)).encode() + b">>\nstream\n" + body
        + b"\nendstream\nendobj\n5 0 obj\n<</Type/XRef/Root 1 0 R/Info 3 0 R/Size 6/W[1 2 1]"
        b"/Filter/FlateDecode/Length " + str(len(xref)).encode() + b">>\nstream\n" + xref
        + b"\nendstream\nendobj\nstartxref\n0\n%%EOF\n"
    )  # fmt: skip


def samples() -> dict[str, bytes]:
    """One small file of every container, each with one packet or more."""
    packet = xmp()
    return {
        "jpeg": jpeg(segment(0xE1, HEAD + packet)),
        "png": png(chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + packet)),
        "tiff": tiff([(700, 1, packet), (33432, 2, b"(c) M\x00")]),
        "webp": riff(b"WEBP", (b"VP8 ", b"abc"), (b"XMP ", packet)),
        "gif": gif(gif_xmp(packet)),
        "mp4": mp4(box(b"mdat", bytes(64)), box(b"uuid", UUID, packet)),
        "heic": heic(packet),
        "pdf": pdf(packet, packed=True, info=b"/Copyright(M)"),
        "pdf_objects": pdf_object_stream(packet),
        "epub": epub(b"<package/>"),
        "id3": id3(4, (b"TCOP", b"\x032020 M"), (b"PRIV", b"XMP\x00" + packet)),
        "flac": flac("COPYRIGHT=M"),
        "ogg": ogg("COPYRIGHT=M"),
        "matroska": matroska(("COPYRIGHT", "M")),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>'
        + packet[packet.index(b"<rdf:RDF") : packet.index(b"</x:xmpmeta>")]
        + b"</metadata></svg>",
    }


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders, by name."""
    found: dict[str, Callable[..., bytes]] = {
        name: value for name, value in globals().items() if callable(value)
    }
    return SimpleNamespace(**found, HEAD=HEAD, UUID=UUID, CONTAINER_XML=CONTAINER_XML)
