"""How fast clearing is: millions of URLs against the permission files of many sites.

    python bench/clear.py                        10,000,000 rows, 200,000 hosts, two processes
    python bench/clear.py --rows 100000000       the same per row, if it is flat
    python bench/clear.py --every-host-differs   no two robots.txt alike: the dearest set-up

What is measured is the whole command, `tercet clear`, in a process of its own: reading the table,
compiling the sites' rules, deciding every row, writing and digesting the verdicts, the report.
The peer is what a careful engineer would write with the libraries there are: for each row, the
robots.txt of its host by protego for each AI agent, and datadiligence's header rules. It runs on
a sample of the same rows in the same run, its parsed files kept in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import corpus as made
from tercet.consent.row_matching import COMPILED
from tercet.consent.signals.agents import training_agents

ROOT = Path(__file__).resolve().parent.parent
PEER_AGENTS = ("GPTBot", "CCBot", "ClaudeBot", "Google-Extended", "Bytespider", "TercetBot")


def machine() -> str:
    """Return a line about the machine."""
    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere the plain name must do
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else platform.processor() or platform.machine()
    return f"{model}, {len(os.sched_getaffinity(0))} processors, Python {platform.python_version()}"


class PeakMemory(threading.Thread):
    """Watches the proportional memory of a process and its children (Linux)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak_bytes, self.running = pid, 0, True

    def run(self) -> None:
        """Look five times a second."""
        while self.running:
            self.peak_bytes = max(self.peak_bytes, sum(map(_pss_bytes, _family(self.pid))))
            time.sleep(0.2)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def run_clear(folder: Path, workers: int) -> dict[str, float]:
    """Run `tercet clear` once; return seconds, CPU seconds, peak bytes."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [
        sys.executable, "-m", "tercet", "clear", str(folder / "urls.parquet"), "-o", str(out),
        "--declarations", str(folder / "evidence"), "--workers", str(workers),
        "--key", str(folder / "key"), "--json",
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        memory = PeakMemory(process.pid)
        memory.start()
        printed, _ = process.communicate()
        seconds = time.perf_counter() - start
        memory.running = False
    if process.returncode:
        raise SystemExit(f"tercet clear failed with exit code {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print("  verdicts:", json.loads(printed)["verdicts"])
    return {"seconds": seconds, "cpu": cpu, "peak": float(memory.peak_bytes)}


def run_peer(folder: Path, sites: list[made.Site], kind: np.ndarray, rows: int) -> float:
    """Return the peer's seconds a row over a sample; its parsing of robots.txt is not counted."""
    from datadiligence.rules import TDMRepHeader, XRobotsTagHeader
    from protego import Protego

    with pq.ParquetFile(folder / "urls.parquet") as file:
        urls = next(file.iter_batches(rows, columns=["url"]))["url"].to_pylist()
    hosts = {urlsplit(url).hostname for url in urls}
    parsed = {}
    for host in hosts:
        number = int(str(host).removeprefix("www.site").removesuffix(".example"))
        body = sites[kind[number]].robots.decode("utf-8", "replace")
        parsed[host] = Protego.parse(body)
    headers = {"content-type": "image/jpeg"}
    rules = (XRobotsTagHeader(user_agent="TercetBot"), TDMRepHeader())
    start = time.perf_counter()
    for url in urls:
        robots = parsed[urlsplit(url).hostname]
        all(robots.can_fetch(url, agent) for agent in PEER_AGENTS)
        all(rule.is_allowed(headers=headers) for rule in rules)
    return (time.perf_counter() - start) / len(urls)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--hosts", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sample", type=int, default=20_000, help="rows given to the peer")
    parser.add_argument("--every-host-differs", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep what is made here, and use it again")
    parser.add_argument("--vectors", type=Path, default=ROOT.parent / "shared" / "vectors")
    return parser.parse_args()


def prepare(folder: Path, asked: argparse.Namespace) -> tuple[list[made.Site], np.ndarray]:
    """Make table and evidence, unless they are there."""
    files = made.real_files(asked.vectors)
    sites, kind = made.make_sites(files, asked.hosts, seed=7, unique=asked.every_host_differs)
    marker = folder / f"made-{asked.rows}-{asked.hosts}-{asked.every_host_differs}"
    if not marker.exists():
        print("making the corpus ...", file=sys.stderr)
        made.write_evidence(folder / "evidence", sites, kind)
        paths = made.real_paths(asked.vectors)
        made.write_table(folder / "urls.parquet", asked.rows, sites, kind, paths, seed=7)
        marker.touch()
    return sites, kind


def main() -> None:
    """Measure and print."""
    asked = options()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="tercet-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    sites, kind = prepare(folder, asked)
    print(f"machine: {machine()}; compiled inner loops: {'yes' if COMPILED else 'no'}")
    print(
        f"rows: {asked.rows:,}  hosts: {asked.hosts:,}  different robots.txt and RSL files:"
        f" {len(sites):,}  planted: {made.SHARES}  agents in our table: {len(training_agents())}"
    )
    runs = [run_clear(folder, asked.workers) for _ in range(asked.runs)]
    peer = run_peer(folder, sites, kind, min(asked.sample, asked.rows))
    best = min(runs, key=lambda run: run["seconds"])
    for run in runs:
        print(
            f"tercet clear: {run['seconds']:.2f} s, {asked.rows / run['seconds']:,.0f} rows/s,"
            f" {run['cpu']:.1f} CPU s, peak {run['peak'] / 1e6:,.0f} MB"
        )
    ours = best["seconds"] / asked.rows
    print(f"peer (protego for {len(PEER_AGENTS)} agents + datadiligence): {1 / peer:,.0f} rows/s")
    print(f"ratio, {asked.workers} processes to the peer's one: {peer / ours:.0f}x")
    print(f"ratio, CPU second for CPU second: {peer / (best['cpu'] / asked.rows):.0f}x")
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
