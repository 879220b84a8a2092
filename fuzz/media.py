"""Throw damaged media files at the extractors and at the signals that read what they find.

    python fuzz/media.py --inputs 200000 --seed 1

Starts from one small file of every container and changes bytes, lengths and order, mostly near the
head where the structure is. Stops at the first error and leaves the input in ``--keep``. Prints the
count, the slowest input and the peak memory. A slow input (``--slow-s``) is an error too.
"""

from __future__ import annotations

import argparse
import random
import resource
import runpy
import time
from pathlib import Path

from tercet.consent.media.packets import extract
from tercet.consent.signals import read
from tercet.core.declaration import Carrier, Source

ROOT = Path(__file__).resolve().parent.parent
LENGTHS = (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01", b"\x80\x00\x00\x00")
SOURCE = Source("fuzz", Carrier.EMBEDDED)


def starting_files(folder: Path | None) -> list[bytes]:
    builders = runpy.run_path(str(ROOT / "tests" / "consent" / "media" / "conftest.py"))
    found: list[bytes] = list(builders["samples"]().values())
    if folder is not None:
        found += [path.read_bytes()[:200_000] for path in sorted(folder.rglob("*.*"))]
    return found


def damaged(source: random.Random, files: list[bytes]) -> bytes:
    raw = bytearray(source.choice(files))
    for _ in range(source.choice((1, 1, 2, 3, 8, 30))):
        near = min(len(raw), 600) if source.random() < 0.8 else len(raw)
        at = source.randrange(max(1, near))
        match source.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([source.choice((0, 1, 0x7F, 0x80, 0xFF))])
            case 1:
                raw[at : at + 4] = source.choice(LENGTHS)
            case 2:
                del raw[at : at + source.randrange(20)]
            case 3:
                other = source.choice(files)
                start = source.randrange(len(other))
                raw[at:at] = other[start : start + source.randrange(200)]
            case 4:
                del raw[at + 1 :]
            case _:
                raw[at:at] = raw[max(0, at - 50) : at]
    return bytes(raw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slow-s", type=float, default=2.0)
    parser.add_argument("--files", type=Path, help="a folder of further files to start from")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-media.bin"))
    options = parser.parse_args()
    source, files = random.Random(options.seed), starting_files(options.files)
    slowest, packets, started = 0.0, 0, time.perf_counter()
    for _ in range(options.inputs):
        raw = damaged(source, files)
        before = time.perf_counter()
        try:
            found = extract(raw)
            for packet in found.packets:
                read(packet.resource, packet.raw, SOURCE)
            packets += len(found.packets)
            slowest = max(slowest, time.perf_counter() - before)
            if slowest > options.slow_s:
                raise TimeoutError(f"{slowest:.1f} s for {len(raw)} bytes")
        except BaseException:
            options.keep.write_bytes(raw)
            raise
    spent = time.perf_counter() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{options.inputs} inputs, {packets} packets read, {spent:.0f} s")
    print(f"slowest {slowest * 1000:.0f} ms, peak {peak_mib} MiB")


if __name__ == "__main__":
    main()
