"""PDF, EPUB and SVG: documents with metadata of their own."""

from __future__ import annotations

import io
import json
import zipfile
from types import SimpleNamespace

import pytest

from tercet.consent.media.packets import Extraction, extract
from tercet.consent.signal import Resource


def xmp_of(extraction: Extraction) -> list[bytes]:
    return [p.raw for p in extraction.packets if p.resource is Resource.XMP]


def fields_of(extraction: Extraction) -> dict[str, str]:
    found: dict[str, str] = {}
    for packet in extraction.packets:
        if packet.resource is Resource.METADATA:
            found |= json.loads(packet.raw)
    return found


def test_pdf_information_and_newest_revision(make: SimpleNamespace) -> None:
    old = make.pdf(make.xmp("DMI-ALLOWED"), info=b"/Author(A\\(b\\)\\101)/Copyright<FEFF00A9>")
    body = make.xmp()
    new = (
        b"2 0 obj\n<</Type/Metadata/Length " + str(len(body)).encode() + b">>\nstream\n" + body
        + b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R/Prev 9>>\nstartxref\n0\n%%EOF\n"
    )  # fmt: skip
    extraction = extract(old + new)
    assert xmp_of(extraction) == [body]
    assert fields_of(extraction) == {"container": "pdf", "Author": "A(b)A", "Copyright": "©"}


def test_metadata_of_an_attached_pdf_is_not_the_documents(make: SimpleNamespace) -> None:
    inner = make.pdf(make.xmp("DMI-ALLOWED"), info=b"/Copyright(inner)")
    attached = (
        b"7 0 obj\n<</Type/EmbeddedFile/Length " + str(len(inner)).encode() + b">>\nstream\n"
        + inner + b"\nendstream\nendobj\n"
    )  # fmt: skip
    outer = make.pdf(make.xmp(), info=b"/Copyright(outer)")
    at = outer.index(b"trailer")
    extraction = extract(outer[:at] + attached + outer[at:])
    assert xmp_of(extraction) == [make.xmp()]
    assert fields_of(extraction)["Copyright"] == "outer"


def test_pdf_catalog_replaced_inside_an_object_stream(make: SimpleNamespace) -> None:
    old = make.pdf(make.xmp("DMI-ALLOWED"), info=b"/Copyright(old)")
    new = make.pdf_object_stream(make.xmp()).removeprefix(b"%PDF-1.7\n")
    extraction = extract(old + new)
    assert xmp_of(extraction) == [make.xmp()]
    assert fields_of(extraction)["Copyright"] == "© Müller"


def test_pdf_object_streams(make: SimpleNamespace) -> None:
    extraction = extract(make.pdf_object_stream(make.xmp()))
    assert fields_of(extraction) == {"container": "pdf", "Copyright": "© Müller"}


def test_pdf_encrypted_metadata_is_a_fault(make: SimpleNamespace) -> None:
    extraction = extract(make.pdf(bytes(range(200)), encrypt=b"/Encrypt 9 0 R"))
    assert extraction.packets == ()
    assert extraction.faults == ("pdf: encrypted metadata",)


def test_pdf_metadata_left_readable_beside_encryption(make: SimpleNamespace) -> None:
    extraction = extract(make.pdf(make.xmp(), encrypt=b"/Encrypt 9 0 R"))
    assert xmp_of(extraction) == [make.xmp()]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_epub_package(make: SimpleNamespace, compression: int) -> None:
    opf = b"<package><metadata/></package>"
    (packet,) = extract(make.epub(opf, compression)).packets
    assert (packet.resource, packet.raw, packet.member) == (Resource.OPF, opf, "EPUB/a.opf")


def test_epub_from_its_head(make: SimpleNamespace) -> None:
    raw = make.epub(b"<package/>") + bytes(100)
    cut = raw[: raw.index(b"PK\x01\x02")]
    extraction = extract(cut)
    assert [p.raw for p in extraction.packets] == [b"<package/>"]
    assert extraction.faults[0].startswith("truncated")


def test_epub_without_container_is_a_fault() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
    assert extract(out.getvalue()).faults == ("epub: no META-INF/container.xml",)


def test_svg_keeps_the_namespaces_of_its_root() -> None:
    raw = (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" '
        b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><rdf:RDF>'
        b'<rdf:Description plus:DataMining="DMI-PROHIBITED"/></rdf:RDF></metadata></svg>'
    )
    (packet,) = xmp_of(extract(raw))
    assert b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"' in packet
    assert b'plus:DataMining="DMI-PROHIBITED"' in packet


def written_by_pypdf(make: SimpleNamespace, password: str = "", algorithm: str = "") -> bytes:
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(72, 72)
    writer.xmp_metadata = make.xmp()
    writer.add_metadata({"/Copyright": "© M"})
    if algorithm:
        writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


ALGORITHMS = ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"]


@pytest.mark.parametrize("algorithm", ["", *ALGORITHMS])
def test_pdf_that_everybody_may_open(make: SimpleNamespace, algorithm: str) -> None:
    raw = written_by_pypdf(make, "", algorithm)
    assert (b"DMI-" in raw) is (not algorithm)
    extraction = extract(raw)
    assert extraction.faults == ()
    assert xmp_of(extraction) == [make.xmp()]
    assert fields_of(extraction)["Copyright"] == "© M"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pdf_that_needs_a_password_is_a_fault(make: SimpleNamespace, algorithm: str) -> None:
    extraction = extract(written_by_pypdf(make, "secret", algorithm))
    assert extraction.packets == ()
    assert extraction.faults == ("pdf: encrypted metadata",)
