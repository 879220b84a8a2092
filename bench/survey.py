"""How many sites a second a survey can ask: against a loopback server in a process of its own.

    python bench/survey.py [--sites 4000] [--robots FOLDER_OR_TAR]

Politeness is switched off (no pause between requests), because it is what a real survey waits for.
With --robots the sites have the robots.txt files of a tar (the member's name is its host).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import tarfile
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from loopback import LoopbackServer

from tercet.consent.survey import SurveyOptions
from tercet.flows.survey import survey

_PLAIN = b"User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\n"


def read_robots(archive: Path | None) -> list[bytes]:
    """Return the robots.txt files of a tar, or a plain one."""
    if archive is None:
        return [_PLAIN]
    found = []
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member)
            if content:
                found.append(content.read())
    return found


def serve(robots: list[bytes], pipe: Connection) -> None:
    """Answer until told to stop; then tell how many requests there were."""

    def pages(host: str, path: str) -> bytes | None:
        number = int(host.partition(".")[0].removeprefix("site"))
        return robots[number % len(robots)] if path == "/robots.txt" else None

    with LoopbackServer(pages, record=False) as server:
        pipe.send(server.port)
        pipe.recv()
        pipe.send(sum(server.requests.values()))


def main() -> None:
    """Run, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sites", type=int, default=4000)
    parser.add_argument("--robots", type=Path)
    given = parser.parse_args()
    robots = read_robots(given.robots)
    pipe, other = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(robots, other), daemon=True)
    server.start()
    port = pipe.recv()
    options = SurveyOptions(
        contact="https://bot.example/about",
        allow_private=True,
        overrides=(("*", "127.0.0.1"),),
        host_interval_s=0.0,
    )
    urls = [f"http://site{number}.example:{port}/a.jpg" for number in range(given.sites)]
    with tempfile.TemporaryDirectory() as folder:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        result = survey(urls, Path(folder), options)
        spent_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        began_s = time.perf_counter()
        survey(urls, Path(folder), options)
        again_s = time.perf_counter() - began_s
    pipe.send("stop")
    requests = pipe.recv()
    report = {
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "sites": given.sites,
        "requests": requests,
        "seconds": round(spent_s, 2),
        "cpu_seconds": round(cpu_s, 2),
        "sites_per_second": round(given.sites / spent_s),
        "requests_per_second": round(requests / spent_s),
        "second_look_seconds": round(again_s, 2),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "counts": result.document["counts"],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
