"""Throw damaged media files at the extractors and at the signals that read what they find.

    python fuzz/media.py --inputs 200000 --seed 1

Starts from one small file of every container, made byte by byte by the tests, and damages each
container by itself, mostly near the head where the structure is.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

from campaign import Reader, options, run

from tercet.consent.media.packets import extract
from tercet.consent.signals import read
from tercet.core.declaration import Carrier, Source
from tercet.core.limits import METADATA_BYTES_MAX

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Source("fuzz", Carrier.EMBEDDED)
WORDS = (
    b"\x00\x00\x00\x01", b"\x80\x00\x00\x00", b"\x00\x00", b"\xff\xff", b"moov", b"uuid", b"meta",
    b"iloc", b"iinf", b"XML_", b"tEXt", b"iTXt", b"zTXt", b"XML:com.adobe.xmp", b"XMP ", b"RIFF",
    b"TCOP", b"TXXX", b"WCOP", b"PRIV", b"\xff\xe1", b"\xff\xed", b"http://ns.adobe.com/xap/1.0/",
    b"8BIM", b"/Metadata", b"/ObjStm", b"/Encrypt", b"/Filter/FlateDecode", b"/Length", b"obj",
    b"endobj", b"stream", b"endstream", b"trailer", b"startxref", b"xref", b"1 0 R", b"<<", b">>",
    b"PK\x01\x02", b"PK\x05\x06", b"META-INF/container.xml", b"jumb", b"c2pa", b"OggS", b"vorbis",
    b"<x:xmpmeta", b"<?xpacket end", b"DMI-PROHIBITED", b"<svg", b"<metadata>",
)  # fmt: skip


def attempt(raw: bytes) -> None:
    """Extract and read ``raw``, and check the extraction's own bounds."""
    found = extract(raw)
    total = 0
    for packet in found.packets:
        assert 0 <= packet.byte_start <= packet.byte_end, packet.member
        total += len(packet.raw)
        read(packet.resource, packet.raw, SOURCE)
    assert total <= METADATA_BYTES_MAX


def readers(files: Path | None) -> Iterator[Reader]:
    """Yield a reader for each container, and one for the files given."""
    builders = runpy.run_path(str(ROOT / "tests" / "consent" / "media" / "conftest.py"))
    samples: dict[str, bytes] = builders["samples"]()
    for name, raw in samples.items():
        yield Reader(f"media {name}", [raw], attempt, WORDS)
    if files is not None:
        real = [path.read_bytes() for path in sorted(files.rglob("*.jpg"))]
        yield Reader("media real files", real, attempt, WORDS)


def main() -> None:
    chosen = options(__doc__)
    run(list(readers(chosen.files)), chosen)


if __name__ == "__main__":
    main()
