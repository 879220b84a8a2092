"""What files say of themselves: read where the formats keep it, and never more than said."""

from __future__ import annotations

import io
import zipfile

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.registry.description import Description
from tercet.consent.registry.file_metadata import describe_file, description_of

# As Inkscape writes it, and as Debian's openclipart carries it.
SVG = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<metadata><rdf:RDF><cc:Work rdf:about="">
<dc:title>Red apple</dc:title>
<dc:creator><cc:Agent><dc:title>Architetto Francesco</dc:title></cc:Agent></dc:creator>
<dc:rights><cc:Agent><dc:title>Someone else</dc:title></cc:Agent></dc:rights>
<dc:identifier>urn:isbn:0-306-40615-2</dc:identifier>
<cc:license rdf:resource="http://creativecommons.org/licenses/publicdomain/"/>
</cc:Work>
<cc:License rdf:about="http://creativecommons.org/licenses/publicdomain/">
<dc:title>No title of the work</dc:title></cc:License>
</rdf:RDF></metadata><rect width="1" height="1"/></svg>"""

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:r="http://ns.adobe.com/xap/1.0/rights/">
<rdf:Description rdf:about="" r:WebStatement="https://creativecommons.org/licenses/by/4.0/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Harbour</rdf:li>
<rdf:li xml:lang="de">Hafen</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Ann</rdf:li></rdf:Alt></dc:rights>
</rdf:Description></rdf:RDF></x:xmpmeta>"""

OPF = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A book</dc:title>
<dc:creator>Nguyễn Du</dc:creator><dc:identifier id="i">urn:isbn:9780306406157</dc:identifier>
<dc:rights>CC0-1.0</dc:rights></metadata><manifest/><spine/></package>"""


def describe(raw: bytes, *, has_streams: bool = False) -> Description:
    return describe_file(io.BytesIO(raw), "file", has_streams=has_streams)


def test_the_rdf_of_a_drawing() -> None:
    found = describe(SVG)
    assert found.title == "Red apple"
    assert found.creators == ("Architetto Francesco",)
    assert found.rights == "http://creativecommons.org/licenses/publicdomain/"
    assert found.identifiers == (("isbn", "9780306406157"),)
    assert found.terms is None, "what a file says is never a statement of its owner"
    assert found.owners == ()


def test_xmp() -> None:
    found = describe(XMP)
    assert (found.title, found.creators) == ("Harbour", ("Ann", "Bob"))
    assert found.rights == "https://creativecommons.org/licenses/by/4.0/"


def test_an_epub() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
            '<rootfiles><rootfile full-path="b.opf" media-type="application/oebps-package+xml"/>'
            "</rootfiles></container>",
        )
        archive.writestr("b.opf", OPF)
    found = describe(out.getvalue())
    assert (found.title, found.creators, found.rights) == ("A book", ("Nguyễn Du",), "CC0-1.0")
    assert found.identifiers == (("isbn", "9780306406157"),)


def test_the_tags_of_sound() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as media:
        media.metadata.update({"TITLE": "Air", "ARTIST": "Ann", "ISRC": "US-RC1-76-07839",
                               "LICENSE": "CC-BY-4.0"})  # fmt: skip
        stream = media.add_stream("flac", rate=8000, layout="mono")
        samples = np.zeros((1, 4096), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 8000
        media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    found = describe(out.getvalue(), has_streams=True)
    assert (found.title, found.creators, found.rights) == ("Air", ("Ann",), "CC-BY-4.0")
    assert found.identifiers == (("isrc", "USRC17607839"),)


def test_a_licence_named_with_certainty_goes_before_other_words() -> None:
    found = description_of([("rights", "(c) Ann"), ("terms", "CC-BY-4.0"), ("licence", "see web")])
    assert found.rights == "CC-BY-4.0"
    assert description_of([("isrc", "nonsense"), ("title", " \n ")]) == Description()


@given(st.binary(max_size=200), st.sampled_from([b"", SVG[:600], XMP[:400], b"ID3\x04\x00\x00"]))
def test_any_bytes_are_described(raw: bytes, head: bytes) -> None:
    assert describe(head + raw).terms is None
