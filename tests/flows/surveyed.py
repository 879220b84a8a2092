"""What the tests of the survey share: a server that plays any host, and short ways to ask it."""

from __future__ import annotations

import gzip
import json
import tarfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from loopback import LoopbackServer

from tercet.consent.survey import SurveyOptions
from tercet.consent.surveying.politeness import Clock
from tercet.flows.survey import SurveyResult, survey


class FakeClock:
    """Waiting costs no time; ``slept`` says how long each wait would have been."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead_s += seconds

    def clock(self) -> Clock:
        return Clock(
            lambda: time.time() + self.ahead_s,
            lambda: time.monotonic() + self.ahead_s,
            self.sleep,
        )


def serving(pages: dict[str, Any] | Callable[[str, str], Any]) -> Any:
    """Serve a dict of "host/path" to pages, or what a function gives."""
    give = pages if callable(pages) else lambda host, path: pages.get(host + path)
    return LoopbackServer(give)


def options(**fields: Any) -> SurveyOptions:
    given = {
        "contact": "https://bot.example/about",
        "allow_private": True,
        "overrides": (("*", "127.0.0.1"),),
        "host_interval_s": 0.0,
        "timeout_s": 5.0,
        "retries_max": 0,
    }
    return SurveyOptions(**(given | fields))


def run(server: Any, hosts: list[str], out: Path, **fields: Any) -> SurveyResult:
    urls = [host if "//" in host else f"http://{host}:{server.port}/x.jpg" for host in hosts]
    fake = fields.pop("fake", None) or FakeClock()
    return survey(urls, out, options(**fields), clock=fake.clock())


def captures(out: Path, **wanted: str) -> list[dict[str, Any]]:
    rows = pq.read_table(out / "captures.parquet").to_pylist()
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def host_of(row: dict[str, Any]) -> str:
    return row["site"].split("//")[1].rsplit(":", 1)[0]


def requested(row: dict[str, Any]) -> str:
    return (row["redirects"] or [row["uri"]])[0]


@cache
def real_robots(folder: Path) -> dict[str, bytes]:
    files = {}
    with tarfile.open(folder / "robots-real" / "robots.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content:
                files[member.name.removeprefix("./")] = content.read()
    return files


@cache
def google_says(folder: Path) -> dict[str, str]:
    """Per host what Google's own parser lets TercetBot fetch, a digit for each path."""
    text = gzip.decompress((folder / "robots-real" / "google-decisions.jsonl.gz").read_bytes())
    records = [json.loads(line) for line in text.decode().splitlines()]
    return {record["host"]: record["allowed"]["TercetBot"] for record in records}
