"""How fast the match index is: exact search of 256-bit codes within a Hamming radius.

    python bench/index.py            1 and 10 million random codes, next to faiss and usearch
    python bench/index.py --large    50 million as well, without peers (some 7 GB of memory)
    python bench/index.py --store    one file registered at a time, a thousand times, and searched

Queries are codes of the set with 0 to 31 bits flipped; recall is the share of those whose code is
found. All engines run on one thread, on the same codes and queries, and are timed by the processor
time of this process. Random codes are the hard case for approximate indexes and the fair one for
exact ones; real codes are dealt to the slots by a fixed permutation to come near it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from bench.clear import machine

from tercet.consent.fingerprints import hamming_index
from tercet.consent.fingerprints.fingerprint import Fingerprint, Track
from tercet.store.fingerprint_segments import FingerprintSegments

Array = np.ndarray[Any, np.dtype[Any]]
Search = Callable[[Array], tuple[Array, Array]]

RADIUS = 31
QUERIES = 4096


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine over some codes: seconds it was built in, bytes beyond the codes, its search."""

    name: str
    build_s: float
    extra_bytes: int
    search: Search
    queries: int


def random_codes(count: int) -> Array:
    """Return codes whose bits are all even."""
    return np.random.default_rng(1).integers(0, 256, (count, 32), dtype=np.uint8)


def peak_gb(count: int) -> float:
    """Build and search our index in a process of its own; return the most memory it held."""
    command = [sys.executable, __file__, "--peak", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_peak(count: int) -> None:
    """Do what `peak_gb` measures."""
    codes = random_codes(count)
    tercet(codes).search(codes[:QUERIES])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def planted(codes: Array, count: int) -> tuple[Array, Array]:
    """Return queries, and the entry each was made from."""
    random = np.random.default_rng(2)
    entries = random.integers(0, len(codes), count)
    bits = np.unpackbits(codes[entries], axis=1)
    for row, flips in enumerate(random.integers(0, RADIUS + 1, count).tolist()):
        bits[row, random.choice(256, flips, replace=False)] ^= 1
    return np.packbits(bits, axis=1), entries


def processor_s(act: Callable[[], Any]) -> tuple[float, Any]:
    """Run ``act`` and return its seconds of processor time, and what it returned."""
    start = time.process_time()
    value = act()
    return time.process_time() - start, value


def tercet(codes: Array, plan: hamming_index.Plan | None = None) -> Engine:
    """Our index, as it is planned for so many codes, or by another plan."""
    build_s, index = processor_s(lambda: hamming_index.build(codes, plan))

    def search(queries: Array) -> tuple[Array, Array]:
        near = hamming_index.search(index, queries, RADIUS)
        return near.query, near.entry

    cut = f"{index.plan.slots}x{index.plan.bits}" if index.plan.slots else "every code compared"
    queries = QUERIES if index.plan.slots and hamming_index.COMPILED else 256
    return Engine(f"tercet, {cut}", build_s, index.rows.nbytes, search, queries)


def faiss_flat(codes: Array) -> Engine:
    """Every code compared, by faiss."""
    import faiss

    index = faiss.IndexBinaryFlat(256)
    build_s, _ = processor_s(lambda: index.add(codes))
    return Engine("faiss IndexBinaryFlat", build_s, 0, faiss_search(index), 32)


def faiss_hash(codes: Array, slots: int, bits: int, flips: int) -> Engine:
    """Multi-index hashing by faiss, with the flips that make it exact."""
    import faiss

    index = faiss.IndexBinaryMultiHash(256, slots, bits)
    index.nflip = flips
    before = resident_bytes()
    build_s, _ = processor_s(lambda: index.add(codes))
    extra = resident_bytes() - before - codes.nbytes
    name = f"faiss MultiHash {slots}x{bits}, {flips} flipped"
    return Engine(name, build_s, extra, faiss_search(index), 64)


def faiss_search(index: Any) -> Search:
    """Return a search of a faiss index within the radius. Its own bound is exclusive."""

    def search(queries: Array) -> tuple[Array, Array]:
        limits, _, entries = index.range_search(queries, RADIUS + 1)
        return np.repeat(np.arange(len(queries)), np.diff(limits).astype(np.int64)), entries

    return search


def usearch_exact(codes: Array) -> Engine:
    """Every code compared, by usearch: the ten nearest, as it has no radius."""
    from usearch.index import MetricKind, search

    def nearest(queries: Array) -> tuple[Array, Array]:
        found = search(codes, queries, 10, MetricKind.Hamming, exact=True, threads=1)
        near = np.asarray(found.distances) <= RADIUS
        rows = np.repeat(np.arange(len(queries)), near.sum(axis=1))
        return rows, np.asarray(found.keys)[near]

    return Engine("usearch exact, ten nearest", 0.0, 0, nearest, 16)


def resident_bytes() -> int:
    """Return the memory this process holds now (Linux)."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * resource.getpagesize()


def measured(engine: Engine, codes: Array) -> float:
    """Print one line about an engine; return milliseconds a query."""
    queries, entries = planted(codes, engine.queries)
    engine.search(queries[:2])
    search_s, (rows, found) = processor_s(lambda: engine.search(queries))
    pairs = set(zip(rows.tolist(), found.tolist(), strict=True))
    recall = sum((row, entry) in pairs for row, entry in enumerate(entries.tolist())) / len(entries)
    query_ms = 1e3 * search_s / len(queries)
    print(
        f"  {engine.name:34} {query_ms:9.3f} ms  recall {recall:.4f}  build {engine.build_s:6.1f} s"
        f"  beyond the codes {engine.extra_bytes / 1e6:6.0f} MB",
        flush=True,
    )
    return query_ms


def table(count: int, peers: bool) -> float:
    """Print the table for so many codes; return our milliseconds a query."""
    codes = random_codes(count)
    print(f"{count:,} random codes of 256 bits ({codes.nbytes / 1e6:.0f} MB), radius {RADIUS}")
    query_ms = measured(tercet(codes), codes)
    print(f"  {'':34} peak memory, codes and Python included: {peak_gb(count):.2f} GB")
    measured(tercet(codes, hamming_index.Plan(0, 0)), codes)
    if not peers:
        return query_ms
    for name, make in (
        ("faiss-cpu", lambda: faiss_flat(codes)),
        ("faiss-cpu", lambda: faiss_hash(codes, 16, 16, 1)),
        ("faiss-cpu", lambda: faiss_hash(codes, 11, 23, 2)),
        ("usearch", lambda: usearch_exact(codes)),
    ):
        try:
            measured(make(), codes)
        except ModuleNotFoundError:
            print(f"  {name} is not installed: pip install 'tercet[bench]'")
    return query_ms


def on_paper(curve: dict[int, float]) -> None:
    """Print what a thousand million codes would take, from the two largest measured sets.

    Probes are the same for every set and candidates grow with it: time is a line in the count.
    """
    (small, small_ms), (large, large_ms) = sorted(curve.items())[-2:]
    slope = (large_ms - small_ms) / (large - small)
    whole = 1_000_000_000
    one = large_ms + slope * (whole - large)
    print(
        f"1,000,000,000 codes on paper, from {small:,} and {large:,}: 32 GB of codes, 44 GB of "
        f"entries, {one:.1f} ms a query; 100 segments of 10,000,000: "
        f"{100 * curve.get(10_000_000, large_ms):.0f} ms"
    )


def store(works: int = 1000) -> None:
    """Print what registering one file at a time costs, and searching what came of it."""
    random = np.random.default_rng(1)

    def picture() -> Fingerprint:
        codes = random.integers(0, 256, (500, 32), dtype=np.uint8)
        places = random.random((500, 4)).astype(np.float32)
        return Fingerprint("image-1", {"codes": Track(codes, places)}, (640.0, 480.0))

    with tempfile.TemporaryDirectory() as folder:
        segments = FingerprintSegments(Path(folder) / "fingerprints")
        pictures = [picture() for _ in range(works)]
        start = time.perf_counter()

        def write() -> None:
            for work, value in enumerate(pictures, 1):
                segments.write([(work, value)], {"image-1": {"codes": RADIUS}})

        write_s, _ = processor_s(write)
        wall_s = time.perf_counter() - start
        keys = pictures[works // 2].tracks["codes"].keys
        for state in ("as it grew", "compacted"):
            reader = segments.reader()
            reader.search("image-1", "codes", keys, RADIUS, 10)
            search_s, _ = processor_s(
                lambda reader=reader: reader.search("image-1", "codes", keys, RADIUS, 10)
            )
            print(
                f"  {state}, {len(reader.segments)} segments: 500 keys against "
                f"{500 * works:,} codes in {1e3 * search_s:.1f} ms"
            )
            segments.compact()
        check_s, problems = processor_s(segments.check)
        print(f"  {works} writes of one work: {1e3 * write_s / works:.1f} ms of processor each, "
              f"{wall_s:.1f} s in all; check {check_s:.2f} s, problems {problems}")  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="50 million codes as well")
    parser.add_argument("--store", action="store_true", help="the segment store instead")
    parser.add_argument("--sizes", default="1000000,10000000", help="how many codes")
    parser.add_argument("--peak", type=int, help="print the gigabytes an index needs")
    asked = parser.parse_args()
    if asked.peak:
        print_peak(asked.peak)
        return
    kinds = ("plainly", "by popcnt", "by AVX-512 VPOPCNTDQ")
    kind = hamming_index._call("counting_kind") if hamming_index.COMPILED else None
    print(f"{machine()}; compiled: {'no' if kind is None else f'yes, counting {kinds[kind]}'}")
    if asked.store:
        store()
        return
    curve = {int(size): table(int(size), True) for size in asked.sizes.split(",")}
    if asked.large:
        curve[50_000_000] = table(50_000_000, False)
    if len(curve) > 1:
        on_paper(curve)


if __name__ == "__main__":
    main()
