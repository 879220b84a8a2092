"""The survey of items: what is asked of each, and what its robots.txt keeps us from."""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from loopback import Page
from surveyed import (
    captures,
    google_says,
    options,
    real_robots,
    requested,
    run,
    serving,
)

from tercet.flows.survey import survey
from tercet.store.blobs import BlobStore


def test_no_path_is_fetched_that_googles_parser_forbids_us(
    tmp_path: Path, shared_vectors: Path
) -> None:
    says = google_says(shared_vectors)
    real = real_robots(shared_vectors)
    refusing = [host for host in real if "0" in says[host][:3]]
    chosen = refusing[:60] + [host for host in real if host not in refusing][:20]
    with serving(
        lambda host, path: real[host] if path == "/robots.txt" else Page(b"x", media_type="")
    ) as server:
        paths = ["/", "/index.html", "/images/photo-1.jpg?size=large"]
        urls = [f"http://{host}:{server.port}{path}" for host in chosen for path in paths]
        survey(urls, tmp_path, options(items=True))
        fetched = {(request.host, request.path) for request in server.seen}
    for host in chosen:
        for path, allowed in zip(paths, says[host], strict=False):
            assert ((host, path) in fetched) == (allowed == "1"), (host, path)
    refused = captures(tmp_path, resource="http_headers", failure="robots_refused")
    assert len(refused) == sum(says[host][:3].count("0") for host in chosen)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="'
    b'http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/></rdf:RDF></x:xmpmeta>'
)


def jpeg(before: int) -> bytes:
    """A JPEG whose XMP stands behind ``before`` comment segments of 60 KB each."""
    comment = b"\xff\xfe" + struct.pack(">H", 60_002) + b"c" * 60_000
    packet = b"http://ns.adobe.com/xap/1.0/\x00" + XMP
    app1 = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    start_of_scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"d" * 900_000
    return b"\xff\xd8" + comment * before + app1 + start_of_scan + b"\xff\xd9"


def test_items_give_headers_pages_and_embedded_metadata(tmp_path: Path) -> None:
    rsl = b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license/></content></rsl>'
    pages: dict[str, Any] = {
        "a.example/robots.txt": b"User-agent: TercetBot\nDisallow: /private/\n",
        "a.example/near.jpg": Page(jpeg(0), media_type="image/jpeg", ranges=True, etag='"1"'),
        "a.example/far.jpg": Page(jpeg(9), media_type="image/jpeg", ranges=True),
        "a.example/noranges.jpg": Page(jpeg(9), media_type="image/jpeg"),
        "a.example/page": Page(
            b"<html><meta name=robots content=noai>" + b" " * 400_000,
            media_type="text/html; charset=utf-8",
        ),
        "a.example/gone.jpg": Page(b"gone", 410, headers=(("X-Robots-Tag", "noai"),)),
        "a.example/paid": Page(b"", 402, headers=(("crawler-price", "USD 0.01"),)),
        "a.example/private/x.jpg": b"must not be fetched",
        "a.example/to-private": Page(status=302, headers=(("Location", "/private/x.jpg"),)),
        "a.example/empty.jpg": Page(b"", media_type="image/jpeg", ranges=True),
        "a.example/r.xml": Page(rsl, media_type="application/rsl+xml"),
        "a.example/linked.txt": Page(
            b"x", headers=(("Link", '</r.xml>; rel="license"; type="application/rsl+xml"'),)
        ),
    }
    with serving(pages) as server:
        names = [key.removeprefix("a.example") for key in pages][1:]
        urls = [f"http://a.example:{server.port}{name}" for name in names]
        run(server, [*urls, *urls[:3], "ftp://a.example/x", "no url"], tmp_path, items=True)
        paths = server.paths("a.example")
        far = [r for r in server.seen if r.path == "/far.jpg"]
    rows = captures(tmp_path)
    by_item: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        name = row["item"].partition(f":{server.port}")[2]
        by_item.setdefault(name, []).append(row)
    assert set(by_item) == {"", *names}
    assert all(
        sum(row["resource"] == "http_headers" for row in by_item[name]) == 1 for name in names
    )
    assert "/private/x.jpg" not in paths
    for name in ("/private/x.jpg", "/to-private"):
        assert [row["failure"] for row in by_item[name]] == ["robots_refused"]
    blobs = BlobStore(tmp_path / "blobs")
    for name in ("/near.jpg", "/far.jpg", "/noranges.jpg"):
        (xmp,) = [row for row in by_item[name] if row["resource"] == "xmp"]
        assert b"DMI-PROHIBITED" in blobs.get(xmp["raw_sha256"])
        assert xmp["carrier"] == "embedded"
    assert [r.headers["range"] for r in far] == ["bytes=0-262143", "bytes=262144-1048575"]
    (page,) = [row for row in by_item["/page"] if row["resource"] == "html"]
    assert page["raw_bytes"] > 400_000
    assert page["failure"] == ""
    assert [row["failure"] for row in by_item["/gone.jpg"]] == ["client_error"]
    assert b"crawler-price: USD 0.01" in blobs.get(by_item["/paid"][0]["raw_sha256"])
    assert next(row["failure"] for row in by_item["/empty.jpg"]) == ""
    assert {row["resource"] for row in by_item["/linked.txt"]} == {"http_headers", "rsl_xml"}
    assert paths.count("/near.jpg") == 1
    denied = pq.read_table(tmp_path / "declarations.parquet").to_pylist()
    assert {d["item"].rpartition("/")[2] for d in denied if d["mine"] == "deny"} >= {"far.jpg"}


def test_metadata_out_of_reach_is_held_not_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.core.limits.METADATA_BYTES_MAX", 400_000)
    with serving({"a.example/x.jpg": Page(jpeg(12), media_type="image/jpeg", ranges=True)}) as s:
        run(s, ["a.example"], tmp_path, items=True)
    (row,) = captures(tmp_path, resource="metadata")
    assert row["failure"] == "oversize"
    assert "truncated" in row["note"]


def test_rsl_files_that_robots_names_are_fetched_once_each(tmp_path: Path) -> None:
    names = "".join(f"License: /rsl{number}.xml\n" for number in range(10))
    robots = f"License: http://A.example:1/../R.xml\n{names}License: ftp://x.example/y\n"
    with serving({"a.example/robots.txt": robots.encode()}) as server:
        run(server, ["a.example"], tmp_path)
        paths = server.paths("a.example")
    rows = captures(tmp_path, resource="rsl_xml")
    pointers = pq.read_table(tmp_path / "declarations.parquet").to_pylist()
    pointed = {json.loads(row["evidence"]).get("licence_url") for row in pointers} - {None}
    assert pointed
    assert {requested(row) for row in rows} == pointed
    assert all(row["failure"] for row in rows)
    assert max(Counter(paths).values()) == 1


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def long_video(media_bytes: int, *, wide: bool = False) -> bytes:
    """An MP4 that ends with its XMP, as cameras and editors write it."""
    identity = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    length = struct.pack(">I4sQ", 1, b"mdat", media_bytes + 16) if wide else b""
    media = length + b"p" * media_bytes if wide else box(b"mdat", b"p" * media_bytes)
    start = box(b"ftyp", b"isom\x00\x00\x00\x00isom")
    return start + media + box(b"moov", box(b"mvhd", bytes(100))) + box(b"uuid", identity + XMP)


@pytest.mark.parametrize("wide", [False, True])
def test_metadata_behind_the_pictures_of_a_video_is_read(tmp_path: Path, wide: bool) -> None:
    video = long_video(40_000_000, wide=wide)
    page = Page(video, media_type="video/mp4", ranges=True, etag='"v"')
    with serving({"a.example/x.jpg": page}) as server:
        run(server, ["a.example"], tmp_path, items=True)
        asked = [r for r in server.seen if r.path == "/x.jpg"]
    (xmp,) = captures(tmp_path, resource="xmp")
    assert b"DMI-PROHIBITED" in BlobStore(tmp_path / "blobs").get(xmp["raw_sha256"])
    assert "without the media data" in xmp["note"]
    assert captures(tmp_path, resource="metadata", failure="oversize") == []
    assert len(asked) == 2
    assert asked[1].headers["if-range"] == '"v"'


def lying(video: bytes, at: int, size: int) -> bytes:
    return video[:at] + struct.pack(">I", size) + video[at + 4 :]


@pytest.mark.parametrize(
    ("flaw", "size"),
    [("media_data_longer_than_the_file", 2**32 - 1), ("box_smaller_than_its_head", 3)],
)
def test_a_video_whose_boxes_lie_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flaw: str, size: int
) -> None:
    monkeypatch.setattr("tercet.core.limits.METADATA_BYTES_MAX", 600_000)
    video = lying(long_video(3_000_000), 20, size)
    with serving({"a.example/x.jpg": Page(video, media_type="video/mp4", ranges=True)}) as server:
        run(server, ["a.example"], tmp_path, items=True)
        assert len(server.seen) < 12
    failures = {row["failure"] for row in captures(tmp_path) if row["item"]}
    assert failures & {"oversize", "parse_error"}, flaw


def test_a_c2pa_manifest_is_checked_against_the_whole_file(
    tmp_path: Path, shared_vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.core.limits.ITEM_PREFIX_BYTES", 60_000)
    image = (shared_vectors / "c2pa" / "C_with_CAWG_data.jpg").read_bytes()
    with serving({"a.example/x.jpg": Page(image, media_type="image/jpeg", ranges=True)}) as server:
        run(server, ["a.example"], tmp_path, items=True)
    (row,) = captures(tmp_path, resource="c2pa")
    report = BlobStore(tmp_path / "blobs").get(row["raw_sha256"])
    assert b"dataHash.mismatch" not in report
    assert row["note"].endswith(str(len(image))) or "only the first" not in row["note"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changes_between_two_ranges_is_not_pieced_together(
    tmp_path: Path, ranges: bool
) -> None:
    versions = iter([(jpeg(9), '"1"'), (jpeg(8), '"2"')])

    def pages(host: str, path: str) -> Any:
        if path != "/x.jpg":
            return None
        body, etag = next(versions, (b"", '"3"'))
        return Page(body, media_type="image/jpeg", ranges=ranges, etag=etag)

    with serving(pages) as server:
        run(server, ["a.example"], tmp_path, items=True)
    assert captures(tmp_path, resource="xmp") == []
    (row,) = captures(tmp_path, resource="metadata")
    assert row["failure"] == "oversize"  # what stands in the rest is not known: held
