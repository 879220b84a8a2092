"""Small corpora and evidence for the tests of the clearing, made by hand."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.failures import Failure
from tercet.consent.policy_file import built_in
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.usage import Usage
from tercet.flows.clear import ClearRequest, clear
from tercet.flows.clearance import Clearance
from tercet.store.evidence import EvidenceWriter
from tercet.store.keys import load_or_make_key

NOW = "2026-11-22T10:00:00Z"
TRAINING = Usage.TRAIN_GENERATIVE

FORBIDDING = b"User-agent: GPTBot\nDisallow: /private/\n\nUser-agent: *\nAllow: /\n"
GRANTING = b"User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: /members/ train-ai=n\n"
SELLING = b"User-agent: *\nAllow: /\n\nLicense: https://sells.example/license.xml\n"
LICENSE = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
<permits type="usage">ai-train</permits>
<payment type="training"><amount currency="EUR">0.02</amount></payment>
</license></content></rsl>
"""

EXPECTED = {  # under strict, from what the sites below say
    "https://forbids.example/private/1.jpg": "blocked",
    "https://forbids.example/open/2.jpg": "blocked",  # silence
    "https://grants.example/3.jpg": "cleared",
    "https://grants.example/members/4.jpg": "blocked",
    "https://grants.example/noai/5.jpg": "blocked",  # its own header forbids
    "https://sells.example/6.jpg": "offered",
    "https://down.example/7.jpg": "held",
    "https://never-asked.example/8.jpg": "held",
    "http://[broken/9.jpg": "held",
}
URLS = list(EXPECTED)


def site(name: str, robots: bytes | Failure, **more: bytes) -> list[Captured]:
    """Return the captures of one site: robots.txt as given, the other files not there."""
    origin = f"https://{name}"
    base = Capture(Resource.ROBOTS_TXT, Carrier.FILE, site=origin, fetched_at=NOW)
    first = replace(base, uri=f"{origin}/robots.txt")
    if isinstance(robots, Failure):
        found = [capture_of(replace(first, failure=robots), None)]
    else:
        found = [capture_of(replace(first, status=200), robots)]
    for resource, path in (
        (Resource.TDMREP_JSON, "/.well-known/tdmrep.json"),
        (Resource.AI_TXT, "/ai.txt"),
    ):
        absent = replace(base, resource=resource, uri=origin + path, status=404)
        found.append(capture_of(replace(absent, failure=Failure.CLIENT_ERROR), None))
    for path, raw in more.items():
        uri = f"{origin}/{path.replace('_', '.')}"
        found.append(capture_of(replace(base, resource=Resource.RSL_XML, uri=uri, status=200), raw))
    return found


def own_headers(url: str) -> list[Captured]:
    """Return what an item itself answered; one of them forbids there."""
    origin = "/".join(url.split("/")[:3])
    capture = Capture(Resource.HTTP_HEADERS, Carrier.HEADER, site=origin, item=url, uri=url)
    own = b"X-Robots-Tag: noai\r\n" if "/noai/" in url else b""
    found = replace(capture, fetched_at=NOW, status=200)
    return [capture_of(found, b"HTTP/1.1 200 OK\r\n" + own)]


def write_evidence(folder: Path, *, shuffled: bool = False) -> Path:
    """Write what a survey of the sites above would have found."""
    groups = [
        site("forbids.example", FORBIDDING),
        site("grants.example", GRANTING),
        site("sells.example", SELLING, license_xml=LICENSE),
        site("down.example", Failure.UNREACHABLE),
        *(own_headers(url) for url in URLS[:6]),
    ]
    with EvidenceWriter(folder, user_agent="TercetBot/1 (+x)", started_at=NOW) as evidence:
        for group in reversed(groups) if shuffled else groups:
            evidence.add(list(reversed(group)) if shuffled else group)
        evidence.finish(NOW)
    return folder


def write_table(
    path: Path, urls: list[str | None], group_rows: int = 1000, **columns: list
) -> Path:
    """Write a Parquet table of URLs; more columns by name."""
    table = pa.table({"url": pa.array(urls, pa.string()), **columns})
    pq.write_table(table, path, row_group_size=group_rows)
    return path


def request(folder: Path, *places: Path, policy: str = "strict", **fields) -> ClearRequest:
    """Return a request as `tercet clear` makes it, with a key in ``folder``."""
    given = {
        "usage": TRAINING,
        "out": folder / "out",
        "key": load_or_make_key(folder / "operator.key"),
        "now": NOW,
        "workers": 2,
    }
    return ClearRequest(places=places, policy=built_in(policy), **(given | fields))


def run(folder: Path, *places: Path, **fields) -> Clearance:
    """Clear ``places`` into ``folder``/out."""
    return clear(request(folder, *places, **fields))


def verdicts(out: Path) -> list[dict]:
    """Return every row of a clearing, in order."""
    return pq.read_table(out / "verdicts.parquet").to_pylist()


def png(xmp: str = "") -> bytes:
    """Return a PNG of one pixel, with an XMP packet when given (PNG third edition, iTXt)."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))]
    if xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()))
    chunks += [(b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def xmp(fields: str) -> str:
    """Return an XMP packet with the given child elements of one rdf:Description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'
        ' xmlns:cc="http://creativecommons.org/ns#">'
        f"{fields}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


PROHIBITED = xmp(
    "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining>"
)
FREE = xmp('<cc:license rdf:resource="https://creativecommons.org/publicdomain/zero/1.0/"/>')
