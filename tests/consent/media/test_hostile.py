"""Hostile files: nothing raises, hangs or grows without bound; each case is named by its flaw."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tercet.consent.media.packets import extract
from tercet.core.limits import METADATA_BYTES_MAX


def peak_of(raw: bytes) -> tuple[int, tuple[str, ...]]:
    tracemalloc.start()
    try:
        faults = extract(raw).faults
        return tracemalloc.get_traced_memory()[1], faults
    finally:
        tracemalloc.stop()


def test_zlib_bomb_in_png_text(make: SimpleNamespace) -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    raw = make.png(make.chunk(b"zTXt", b"Copyright\x00\x00" + bomb))
    peak, faults = peak_of(raw)
    assert peak < 5 * METADATA_BYTES_MAX
    assert "beyond the limit" in faults[0]


def test_many_small_bombs_share_one_budget(make: SimpleNamespace) -> None:
    bomb = make.chunk(b"zTXt", b"Copyright\x00\x00" + zlib.compress(bytes(8 << 20), 9))
    peak, faults = peak_of(make.png(*[bomb] * 50))
    assert peak < 5 * METADATA_BYTES_MAX
    assert "beyond the limit" in faults[0]


def test_zip_bomb_as_package_document(make: SimpleNamespace) -> None:
    peak, faults = peak_of(make.epub(bytes(100 << 20)))
    assert peak < 5 * METADATA_BYTES_MAX
    assert any("limit" in fault for fault in faults)


def test_epub_with_more_members_than_the_limit(make: SimpleNamespace) -> None:
    assert "epub: more members than the limit" in extract(make.epub(b"", extra=10_050)).faults


def test_epub_directory_that_counts_more_than_it_holds(make: SimpleNamespace) -> None:
    raw = bytearray(make.epub(b"<package/>"))
    struct.pack_into("<H", raw, raw.rindex(b"PK\x05\x06") + 10, 65_535)
    assert [p.raw for p in extract(bytes(raw)).packets] == [b"<package/>"]


def test_epub_container_with_entities(make: SimpleNamespace) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<!DOCTYPE c [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><c>&b;</c>',
        )
    assert any("entities" in fault for fault in extract(out.getvalue()).faults)


def test_pdf_stream_bomb(make: SimpleNamespace) -> None:
    peak, faults = peak_of(make.pdf(bytes(100 << 20), packed=True))
    assert peak < 5 * METADATA_BYTES_MAX
    assert any("beyond the limit" in fault for fault in faults)


@pytest.mark.parametrize(
    "objects",
    [
        b"1 0 obj\n1 0 R\nendobj\n",
        b"1 0 obj\n2 0 R\nendobj\n2 0 obj\n1 0 R\nendobj\n",
        b"1 0 obj\n<</Metadata 1 0 R>>\nendobj\n",
        b"1 0 obj\n" + b"[" * 100_000,
        b"1 0 obj\n" + b"<</a" * 50_000,
        b"1 0 obj\n(" + b"(" * 200_000,
        b"1 0 obj\n<</Metadata 2 0 R>>\n2 0 obj\n<</Length 99999999999>>stream\nabc",
        b"1 0 obj\n<</Metadata 2 0 R>>\n2 0 obj\n<</Length -5/Filter/LZWDecode>>stream\nabc",
    ],
    ids=["self", "pair", "metadata-is-catalog", "arrays", "dictionaries", "parentheses",
         "length-beyond-the-file", "length-negative"],
)  # fmt: skip
def test_pdf_that_goes_round_or_deep(objects: bytes) -> None:
    raw = b"%PDF-1.7\n" + objects + b"\ntrailer\n<</Root 1 0 R/Prev 0>>\n%%EOF"
    assert extract(raw).faults


VALUES = st.recursive(
    st.sampled_from(
        [b"1", b"2", b"4", b"5", b"6", b"-1", b"40", b"128", b"true", b"null", b"/Standard",
         b"/V2", b"/AESV3", b"/S", b"(short)", b"<" + b"ab" * 48 + b">", b"9 0 R"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: b"[" + b" ".join(items) + b"]"),
        st.dictionaries(
            st.sampled_from([b"/S", b"/CFM", b"/Length"]), inner, max_size=3
        ).map(lambda d: b"<<" + b" ".join(k + b" " + v for k, v in d.items()) + b">>"),
    ),
    max_leaves=4,
)  # fmt: skip
KEYS = [b"/V", b"/R", b"/O", b"/U", b"/UE", b"/P", b"/Length", b"/CF", b"/StmF"]


@settings(
    max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(entries=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_pdf_encryption_dictionaries_of_any_shape(
    make: SimpleNamespace, entries: dict[bytes, bytes]
) -> None:
    whole = {b"/V": b"4", b"/R": b"4", b"/U": b"<" + b"ab" * 48 + b">"} | entries
    packed = b" ".join(key + b" " + value for key, value in whole.items())
    encrypt = b"/Encrypt<</Filter/Standard " + packed + b">>/ID[(a)(b)]"
    assert extract(make.pdf(bytes(range(200)), encrypt=encrypt)).faults


def test_pdf_object_stream_that_holds_itself() -> None:
    body = b"4 0 <</Type/ObjStm>>"
    raw = (
        b"%PDF-1.7\n4 0 obj\n<</Type/ObjStm/N 1000000000/First 4/Length 20>>\nstream\n" + body
        + b"\nendstream\nendobj\ntrailer\n<</Root 9 0 R>>\n%%EOF"
    )  # fmt: skip
    assert extract(raw).faults == ("pdf: no catalog",)


def test_tiff_directories_in_a_loop(make: SimpleNamespace) -> None:
    raw = make.tiff([(33432, 2, b"(c) M\x00")], following=8)
    extraction = extract(raw)
    assert extraction.faults == (), "nothing is missed"
    assert len(extraction.packets) == 1


def test_tiff_sub_directories_that_lead_to_themselves(make: SimpleNamespace) -> None:
    raw = make.tiff([(330, 4, struct.pack("<4I", 8, 8, 8, 8)), (33432, 2, b"(c) M\x00")])
    assert len(extract(raw).packets) == 1


def test_tiff_of_directories_without_end() -> None:
    link = struct.pack("<HHHII", 1, 330, 4, 1, 0)
    raw = b"II" + struct.pack("<HI", 42, 8)
    for _ in range(20_000):
        raw += link + struct.pack("<I", len(raw) + len(link) + 4)
    assert extract(raw).faults == ("tiff: more directories than the limit",)


def test_tiff_value_of_four_gigabytes() -> None:
    raw = b"II" + struct.pack("<HIHHHII", 42, 8, 1, 700, 1, 0xFFFFFFFF, 26) + bytes(4)
    assert extract(raw).faults[0].startswith("truncated")


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF])
def test_png_chunk_of_four_gigabytes(make: SimpleNamespace, size: int) -> None:
    raw = make.png()[:33] + struct.pack(">I", size) + b"tEXtCopyright\x00M"
    extraction = extract(raw)
    assert any(fault.startswith("truncated") for fault in extraction.faults)
    assert len(extraction.packets) == 1, "what is there is kept"


@pytest.mark.parametrize("version", [2, 3, 4])
def test_id3_frame_larger_than_its_tag(make: SimpleNamespace, version: int) -> None:
    name = b"TCR" if version == 2 else b"TCOP"
    raw = bytearray(make.id3(version, (name, b"\x00M")))
    raw[10 + len(name)] = 0x7F
    assert any(fault.startswith("truncated") for fault in extract(bytes(raw)).faults)


def test_id3_of_no_frames_but_zero_sizes(make: SimpleNamespace) -> None:
    assert len(extract(make.id3(3, *[(b"TCOP", b"")] * 20_000)).packets) <= 1


def test_boxes_of_no_size(make: SimpleNamespace) -> None:
    for size in range(1, 8):
        assert extract(make.mp4(struct.pack(">I", size) + b"moov" * 40)).packets == ()


def test_boxes_nested_without_end(make: SimpleNamespace) -> None:
    inner = b""
    for _ in range(3_000):
        inner = make.box(b"moov", inner)
    assert extract(make.mp4(inner)).packets == ()


def test_heif_item_beyond_the_file(make: SimpleNamespace) -> None:
    raw = make.heic(make.xmp())
    assert any(f.startswith("truncated") for f in extract(raw[: raw.index(b"mdat") + 9]).faults)


def test_flat_scan_of_openings_without_ends() -> None:
    assert extract(b"\x1a" + b"<x:xmpmeta" * 200_000).faults


def test_svg_with_entities() -> None:
    raw = b'<!DOCTYPE svg [<!ENTITY a "x">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'
    assert any("entities" in fault for fault in extract(raw).faults)


@pytest.mark.parametrize("step", [1, 7])
def test_every_cut_of_every_container(make: SimpleNamespace, step: int) -> None:
    for name, raw in make.samples().items():
        for end in range(step, len(raw), 13):
            extraction = extract(raw[:end])
            assert len(extraction.packets) <= 64, name


MUTATIONS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.binary(min_size=0, max_size=6)), max_size=6
)


@settings(
    max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), changes=MUTATIONS)
def test_mutated_containers_never_raise(
    make: SimpleNamespace, data: st.DataObject, changes: list[tuple[int, bytes]]
) -> None:
    name = data.draw(st.sampled_from(sorted(make.samples())))
    raw = bytearray(make.samples()[name])
    for place, content in changes:
        at = place % (len(raw) + 1)
        raw[at : at + len(content)] = content
    extraction = extract(bytes(raw))
    assert all(0 <= p.byte_start <= p.byte_end for p in extraction.packets)
    assert sum(len(p.raw) for p in extraction.packets) <= METADATA_BYTES_MAX


@settings(max_examples=100, deadline=2000)
@given(
    head=st.sampled_from(
        [b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00+",
         b"RIFF\x00\x00\x00\x00WEBP",
         b"GIF89a", b"\x00\x00\x00\x10ftypisom", b"%PDF-1.4 1 0 obj", b"PK\x03\x04mimetype",
         b"ID3\x04\x00\x00", b"fLaC", b"OggS", b"8BPS", b"<svg"]
    ),
    rest=st.binary(max_size=300),
)  # fmt: skip
def test_anything_behind_a_known_head_never_raises(head: bytes, rest: bytes) -> None:
    extract(head + rest)
