"""How fast robots.txt files are read: Tercet and protego, alternately, in one run.

    python bench/robots.py [--vectors DIR] [--rounds N]

Three jobs are timed over the same files, each tool in turn: reading; reading and one decision for
GPTBot; and (Tercet only, protego keeps no records) reading and listing every record as a value.
Decoding bytes to text is part of protego's job: it takes text. Figures are CPU seconds of the
best round; peak memory is that of the whole process, with both libraries in it.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import resource
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "vectors"
PATH = "/images/photo-1.jpg?size=large"


def main() -> None:
    """Run the comparison and print one line for each job."""
    arguments = _arguments()
    files = _files(arguments.vectors)
    jobs = _jobs(files)
    best = {name: float("inf") for name in jobs}
    for _ in range(arguments.rounds):
        for name, job in jobs.items():
            best[name] = min(best[name], _cpu_seconds(job))
    size = sum(map(len, files))
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"files: {len(files)}, {size / 1e6:.1f} MB; rounds: {arguments.rounds} (best counts)")
    for name, seconds in best.items():
        print(f"{name:24} {seconds:8.4f} s {len(files) / seconds:10.0f} files/s")
    for job in ("read", "read and decide"):
        ratio = best[f"protego {job}"] / best[f"tercet {job}"]
        print(f"ratio, {job}: {ratio:.2f} times protego's files per second")
    print(f"records kept: {_records(files)} of all kinds, with line, bytes and group")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory: {peak / 1024:.0f} MiB")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="folder of robots-real/")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if not (arguments.vectors / "robots-real" / "robots.tar.gz").is_file():
        parser.error(f"no robots-real/robots.tar.gz in {arguments.vectors}; give --vectors DIR")
    return arguments


def _files(vectors: Path) -> list[bytes]:
    with tarfile.open(vectors / "robots-real" / "robots.tar.gz") as archive:
        streams = [archive.extractfile(member) for member in archive if member.isfile()]
        return [stream.read() for stream in streams if stream is not None]


def _jobs(files: list[bytes]) -> dict[str, Callable[[], None]]:
    from protego import Protego

    from tercet.consent.signals.robots_file import parse

    url, path = f"https://example.org{PATH}", PATH.encode()

    def ours() -> None:
        for raw in files:
            parse(raw)

    def theirs() -> None:
        for raw in files:
            Protego.parse(raw.decode("utf-8", "replace"))

    def ours_decide() -> None:
        for raw in files:
            parse(raw).allowed("GPTBot", path)

    def theirs_decide() -> None:
        for raw in files:
            Protego.parse(raw.decode("utf-8", "replace")).can_fetch(url, "GPTBot")

    def ours_records() -> None:
        for raw in files:
            parse(raw).records  # noqa: B018

    return {
        "tercet read": ours,
        "protego read": theirs,
        "tercet read and decide": ours_decide,
        "protego read and decide": theirs_decide,
        "tercet read and list": ours_records,
    }


def _cpu_seconds(job: Callable[[], None]) -> float:
    gc.collect()
    start = time.process_time()
    job()
    return time.process_time() - start


def _records(files: list[bytes]) -> int:
    from tercet.consent.signals.robots_file import parse

    return sum(parse(raw).records_count for raw in files)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
