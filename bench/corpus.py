"""Makes the corpus and the evidence that bench/clear.py measures: real files, planted records.

Hosts get one of the real robots.txt files, drawn at random. On a stated share of them records for
AI are planted: groups for AI agents with path rules, Content-Usage, Content-Signal, and License
with an RSL document. Paths are the real ones of a URL table; on one row in fifty the path is
made to meet one of the host's own rules.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tercet.consent.capture import Capture, capture_of, declarations_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.core.canonical import canonical_json
from tercet.core.declaration import Carrier
from tercet.store.blobs import BlobStore
from tercet.store.evidence_rows import (
    capture_row,
    capture_schema,
    declaration_row,
    declaration_schema,
)
from tercet.store.files import sha256_of_file

FETCHED_AT = "2026-11-01T00:00:00Z"
SHARES = {"agents": 0.10, "aipref": 0.005, "content_signal": 0.03, "rsl": 0.001}
_AGENTS = b"""
User-agent: GPTBot
User-agent: CCBot
User-agent: ClaudeBot
Disallow: /images/
Disallow: /media/*.jpg$
Disallow: /*?download=
Allow: /images/public/
"""
_AIPREF = b"\nUser-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /open/ train-ai=y\n"
_SIGNAL = b"\nUser-agent: *\nContent-Signal: search=yes, ai-train=no\n"
_RSL = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
<permits type="usage">ai-train</permits><payment type="training">
<amount currency="USD">0.02</amount></payment></license></content></rsl>"""


@dataclass(frozen=True)
class Site:
    """One kind of site: its robots.txt, and whether it has an RSL document."""

    robots: bytes
    rsl: bool


def real_files(vectors: Path) -> list[bytes]:
    """Return the real robots.txt files in the archive of the test data."""
    with tarfile.open(vectors / "robots-real" / "robots.tar.gz") as archive:
        members = [m for m in archive.getmembers() if m.isfile()]
        return [archive.extractfile(m).read() for m in members]  # type: ignore[union-attr]


def make_sites(
    files: list[bytes], hosts: int, seed: int, *, unique: bool = False
) -> tuple[list[Site], np.ndarray]:
    """Return the kinds of site and each host's kind; ``unique``: every host is its own kind."""
    draw = np.random.default_rng(seed)
    chosen = draw.integers(0, len(files), hosts)
    planted = np.stack([draw.random(hosts) < share for share in SHARES.values()])
    code = chosen * 16 + (planted * np.array([[1], [2], [4], [8]])).sum(axis=0)
    if unique:
        bodies = ((_site(files[k // 16], int(k % 16)), at) for at, k in enumerate(code.tolist()))
        own = [Site(site.robots + b"\n# %d\n" % at, site.rsl) for site, at in bodies]
        return own, np.arange(hosts)
    kinds, number = np.unique(code, return_inverse=True)
    return [_site(files[k // 16], int(k % 16)) for k in kinds.tolist()], number


def _site(body: bytes, planted: int) -> Site:
    parts = [body]
    parts += [_AGENTS] if planted & 1 else []
    parts += [_AIPREF] if planted & 2 else []
    parts += [_SIGNAL] if planted & 4 else []
    parts += [b"\nLicense: https://HOST/license.xml\n"] if planted & 8 else []
    return Site(b"".join(parts), bool(planted & 8))


def host_name(number: int) -> str:
    """Return the host of one number."""
    return f"www.site{number:06d}.example"


def write_evidence(folder: Path, sites: list[Site], kind: np.ndarray) -> None:
    """Write an evidence directory for hosts of the given kinds, as `tercet survey` would.

    The column ``readings`` is left empty: it is for people, and clearing does not read it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blobs = BlobStore(folder / "blobs")
    captures = pq.ParquetWriter(folder / "captures.parquet", capture_schema())
    declarations = pq.ParquetWriter(folder / "declarations.parquet", declaration_schema())
    known: dict[tuple, list[dict]] = {}
    rows: tuple[list, list] = ([], [])
    ids = 0
    for host, number in enumerate(kind.tolist()):
        site = f"https://{host_name(host)}"
        for capture, raw in _captures(site, sites[number]):
            if capture.raw_sha256 and not blobs.has(capture.raw_sha256):
                blobs.put(raw)
            rows[0].append(capture_row(capture))
            key = (number, capture.resource, sites[number].rsl and host)
            if key not in known:
                found = declarations_of(capture, raw)
                known[key] = [declaration_row(d, capture, i) for i, d in enumerate(found)]
            for row in known[key]:
                own = {"site": site, "uri": capture.uri, "declaration_id": f"{ids:016x}"}
                rows[1].append(row | own | {"readings": "[]"})
                ids += 1
        if len(rows[0]) > 20_000:
            _flush(captures, declarations, rows)
    _flush(captures, declarations, rows)
    captures.close()
    declarations.close()
    names = ("captures.parquet", "declarations.parquet")
    files = {n: {"sha256": sha256_of_file(folder / n), "bytes": (folder / n).stat().st_size}
             for n in names}  # fmt: skip
    document = {"type": "tercet/survey@1", "counts": {"items": 0, "sites": len(kind)},
                "files": files}  # fmt: skip
    (folder / "survey.json").write_bytes(canonical_json(document))


def _flush(captures: pq.ParquetWriter, declarations: pq.ParquetWriter, rows: tuple) -> None:
    captures.write_table(pa.Table.from_pylist(rows[0], schema=capture_schema()))
    declarations.write_table(pa.Table.from_pylist(rows[1], schema=declaration_schema()))
    rows[0].clear()
    rows[1].clear()


def _captures(site: str, kind: Site) -> list[tuple[Capture, bytes]]:
    """Captures of one site in the order of the evidence: by resource, then URI."""
    robots = kind.robots.replace(b"https://HOST", site.encode())
    absent = [
        (Resource.AI_TXT, "/ai.txt", None),
        (Resource.ROBOTS_TXT, "/robots.txt", robots),
        (Resource.RSL_XML, "/license.xml", _RSL if kind.rsl else None),
        (Resource.TDMREP_JSON, "/.well-known/tdmrep.json", None),
    ]
    return [
        capture_of(
            Capture(
                resource, Carrier.FILE, site=site, uri=site + path, fetched_at=FETCHED_AT,
                media_type="text/plain" if raw else "", status=200 if raw is not None else 404,
                failure=None if raw is not None else Failure.CLIENT_ERROR,
            ),
            raw,
        )
        for resource, path, raw in absent
        if raw is not None or resource is not Resource.RSL_XML
    ]  # fmt: skip


def write_table(
    path: Path, rows: int, sites: list[Site], kind: np.ndarray, paths: pa.Array, seed: int
) -> None:
    """Write the URL table, in row groups of 131,072 rows."""
    draw = np.random.default_rng(seed + 1)
    hosts = pa.array([f"https://{host_name(host)}" for host in range(len(kind))])
    own = _own_paths(sites)
    every = pa.concat_arrays([paths, pa.array([p for group in own for p in group], pa.string())])
    sizes = np.array([len(group) for group in own])
    first = len(paths) + np.cumsum(sizes) - sizes
    schema = pa.schema([("url", pa.string()), ("caption_length", pa.int32())])
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for start in range(0, rows, 1 << 20):
            count = min(1 << 20, rows - start)
            host = draw.integers(0, len(kind), count)
            chosen = draw.integers(0, len(paths), count)
            size = sizes[kind[host]]
            meets = (draw.random(count) < 0.02) & (size > 0)
            place = first[kind[host]] + draw.integers(0, 1 << 30, count) % np.maximum(size, 1)
            chosen = np.where(meets, place, chosen)
            url = pc.binary_join_element_wise(
                hosts.take(pa.array(host)), every.take(pa.array(chosen)), ""
            )
            length = pa.array(draw.integers(5, 200, count).astype(np.int32))
            writer.write_table(pa.table([url, length], schema=schema), row_group_size=1 << 17)


def _own_paths(sites: list[Site]) -> list[list[str]]:
    """Return for each kind of site up to eight paths that one of its rules matches."""
    groups = []
    for site in sites:
        lines = [line.partition(b":") for line in site.robots.splitlines()[-60:]]
        rules = [v.strip() for k, _, v in lines if k.strip().lower() == b"disallow"]
        texts = [r.decode("ascii", "ignore").replace("*", "x").replace("$", "") for r in rules]
        groups.append([t for t in texts if t.startswith("/") and len(t) > 1][:8])
    return groups


def real_paths(vectors: Path) -> pa.Array:
    """Return the paths with query of the real URL table."""
    table = pq.read_table(vectors / "url-table" / "test_10000.parquet", columns=["URL"])
    paths = pc.replace_substring_regex(table["URL"].combine_chunks(), "^https?://[^/]*", "")
    return paths.filter(pc.starts_with(paths, "/"))
