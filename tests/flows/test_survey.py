"""The survey against a real HTTP server on loopback, with real robots.txt files and real faults."""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
import signal
import struct
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tercet.consent.survey import SurveyOptions
from tercet.consent.surveying import addresses, collecting
from tercet.consent.surveying.politeness import Clock
from tercet.core.errors import InputError, StorageError
from tercet.flows.survey import Progress, SurveyResult, rows_of, survey
from tercet.store.blobs import BlobStore
from tercet.store.evidence import check_evidence, read_survey

ROOT = Path(__file__).resolve().parents[2]
SITE_FILES = ["/robots.txt", "/.well-known/tdmrep.json", "/ai.txt", "/.well-known/ai.txt"]


@cache
def load_loopback() -> ModuleType:
    """The loopback server lies with the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location("loopback", ROOT / "bench" / "loopback.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["loopback"] = module
    spec.loader.exec_module(module)
    return module


loopback = load_loopback()
Page = loopback.Page


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
    return loopback.LoopbackServer(give)


def options(**fields: Any) -> SurveyOptions:
    given = {
        "contact": "https://bot.example/about",
        "allow_private": True,
        "overrides": (("*", "127.0.0.1"),),
        "host_interval_s": 0.0,
        "timeout_s": 0.4,
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


def test_every_site_has_every_resource_once_and_the_real_bytes(
    tmp_path: Path, shared_vectors: Path
) -> None:
    real = dict(list(real_robots(shared_vectors).items())[:250])
    with serving(lambda host, path: real.get(host) if path == "/robots.txt" else None) as server:
        urls = [f"http://{host}:{server.port}/{name}.jpg" for name in ("a", "b") for host in real]
        result = survey(urls, tmp_path, options(timeout_s=5.0))
    rows = captures(tmp_path)
    counted = Counter((host_of(row), row["resource"], requested(row)) for row in rows)
    assert set(counted.values()) == {1}
    for resource in ("robots_txt", "tdmrep_json", "ai_txt", "llms_txt"):
        assert {host for host, kind, _ in counted if kind == resource} == set(real)
    blobs = BlobStore(tmp_path / "blobs")
    for row in captures(tmp_path, resource="robots_txt"):
        limit = 500 * 1024
        assert blobs.get(row["raw_sha256"]) == real[host_of(row)][:limit]
        assert row["failure"] in {"", "html_instead", "oversize"}
        assert row["status"] == 200
    assert result.asked == len(real) == result.document["counts"]["sites"]
    assert result.document["counts"]["captures"] == len(rows)
    assert check_evidence(tmp_path) == result.document


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
        survey(urls, tmp_path, options(items=True, timeout_s=5.0))
        fetched = {(request.host, request.path) for request in server.seen}
    for host in chosen:
        for path, allowed in zip(paths, says[host], strict=False):
            assert ((host, path) in fetched) == (allowed == "1"), (host, path)
    refused = captures(tmp_path, resource="http_headers", failure="robots_refused")
    assert len(refused) == sum(says[host][:3].count("0") for host in chosen)


REDIRECTS = {
    "five.example/robots.txt": ["/1", "/2", "/3", "/4", "/5"],
    "six.example/robots.txt": ["/1", "/2", "/3", "/4", "/5", "/6"],
}


BOMB = gzip.compress(b"#" * 50_000_000)


def faulty_pages(host: str, path: str) -> Any:
    name, good = host.split(".", maxsplit=1)[0], b"User-agent: *\nAllow: /\n"
    if "tdmrep" in path:
        return Page(b"[]", media_type="application/json")
    if host in ("five.example", "six.example"):
        chain = [*REDIRECTS[f"{host}/robots.txt"], ""]
        if path == "/robots.txt":
            return Page(status=301, headers=(("Location", chain[0]),))
        following = chain[chain.index(path) + 1] if path in chain else None
        return Page(status=302, headers=(("Location", following),)) if following else good
    if path != "/robots.txt":
        return None
    if name.startswith("status"):
        return Page(b"no", status=int(name.removeprefix("status")))
    if name in ("hang", "drip", "reset", "short", "endless", "refuse", "garbage"):
        return Page(good, fault=name)
    return {
        "fine": good,
        "empty": b"",
        "bomb": Page(BOMB, headers=(("Content-Encoding", "gzip"),)),
        "members": Page(
            gzip.compress(good) + gzip.compress(b"Disallow: /x"),
            headers=(("Content-Encoding", "gzip"),),
        ),
        "cutgzip": Page(gzip.compress(good)[:-9], headers=(("Content-Encoding", "gzip"),)),
        "brotli": Page(b"\x0b\x02\x80abc\x03", headers=(("Content-Encoding", "br"),)),
        "loop": Page(status=302, headers=(("Location", "/robots.txt"),)),
        "nowhere": Page(status=302, headers=(("Location", "mailto:a@b.example"),)),
        "noplace": Page(status=302),
        "html": Page(b"\xef\xbb\xbf\n<!DOCTYPE html><title>x</title>", media_type="text/html"),
        "wrongtype": Page(good, media_type="application/octet-stream"),
        "utf16": Page("User-agent: *\nDisallow: /".encode("utf-16"), media_type=""),
        "hugeheaders": Page(good, headers=(("X-Big", "x" * 200_000),)),
        "unasked304": Page(b"", status=304),
    }[name]


FAULTS = {
    "fine": "",
    "empty": "",
    "five": "",
    "six": "redirect_loop",
    "loop": "redirect_loop",
    "nowhere": "redirect_loop",
    "noplace": "redirect_loop",
    "status403": "client_error",
    "status404": "client_error",
    "status410": "client_error",
    "status451": "client_error",
    "status429": "too_many_requests",
    "status500": "server_error",
    "status503": "server_error",
    "status305": "redirect_loop",
    "status999": "server_error",
    "unasked304": "server_error",
    "hang": "timeout",
    "drip": "timeout",
    "reset": "unreachable",
    "short": "unreachable",
    "refuse": "unreachable",
    "garbage": "unreachable",
    "hugeheaders": "unreachable",
    "cutgzip": "unreachable",
    "endless": "oversize",
    "bomb": "oversize",
    "members": "",
    "brotli": "server_error",
    "html": "html_instead",
    "wrongtype": "wrong_media_type",
    "utf16": "",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("faulty")
    with serving(faulty_pages) as server:
        hosts = [f"{name}.example" for name in FAULTS]
        run(server, hosts, out, fake=FakeClock())
    return out


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_failure_value(faulty: Path, name: str) -> None:
    (row,) = [
        row for row in captures(faulty, resource="robots_txt") if host_of(row) == f"{name}.example"
    ]
    assert row["failure"] == FAULTS[name], row["note"]
    has_bytes = row["failure"] in {"", "oversize", "html_instead", "wrong_media_type"}
    assert bool(row["raw_sha256"]) == has_bytes


def test_what_follows_from_robots_for_the_other_files(faulty: Path) -> None:
    got = {
        host_of(row).split(".")[0]: row["failure"]
        for row in captures(faulty, resource="tdmrep_json")
    }
    out_of_reach = {"unreachable", "timeout"}
    for name, failure in FAULTS.items():
        if failure in out_of_reach:
            assert got[name] == failure
        elif failure in {"too_many_requests", "server_error", "redirect_loop"}:
            assert got[name] == "robots_refused"  # RFC 9309 2.3.1.4: complete disallow
        elif name == "utf16":
            assert got[name] == "robots_refused"  # it says Disallow: /
        else:
            assert got[name] == ""  # RFC 9309 2.3.1.3: a 4xx means no rules


def test_limits_bound_what_is_kept(faulty: Path) -> None:
    rows = {host_of(row): row for row in captures(faulty, resource="robots_txt")}
    for name in ("endless.example", "bomb.example"):
        assert rows[name]["raw_bytes"] == 500 * 1024
    blobs = BlobStore(faulty / "blobs")
    assert blobs.get(rows["members.example"]["raw_sha256"]).endswith(b"Disallow: /x")


def test_redirects_are_kept_and_leaving_the_host_is_noted(tmp_path: Path) -> None:
    place = "http://cdn.example:{port}/r"
    pages: dict[str, Any] = {"cdn.example/r": b"User-agent: *\nDisallow: /a\n"}
    with serving(lambda host, path: pages.get(host + path)) as server:
        away = Page(status=301, headers=(("Location", place.format(port=server.port)),))
        www = Page(
            status=308, headers=(("Location", f"http://www.b.example:{server.port}/robots.txt"),)
        )
        pages["a.example/robots.txt"] = away
        pages["b.example/robots.txt"] = www
        pages["www.b.example/robots.txt"] = b"User-agent: *\nDisallow:\n"
        run(server, ["a.example", "b.example"], tmp_path)
    rows = {host_of(row): row for row in captures(tmp_path, resource="robots_txt")}
    assert rows["a.example"]["failure"] == "redirect_off_host"
    assert rows["a.example"]["uri"].startswith("http://cdn.example:")
    assert requested(rows["a.example"]).endswith("a.example:" + str(server.port) + "/robots.txt")
    assert rows["a.example"]["raw_bytes"] == 27
    assert rows["b.example"]["failure"] == ""


PRIVATE = [
    "http://127.0.0.1/a.jpg",
    "http://[::1]/",
    "http://10.1.2.3/",
    "http://172.31.0.1/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0.0.0.0/",
    "http://100.64.0.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[2002:7f00:1::]/",
    "http://224.0.0.1/",
    "http://localhost/",
    "http://rebinding.example/",
    "https://rebinding.example:8443/",
]


def test_private_addresses_are_refused_however_they_are_written(tmp_path: Path) -> None:
    asked: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1", "::1", "10.0.0.7"]

    chosen = options(allow_private=False, overrides=())
    with serving({}) as server:
        urls = [*PRIVATE, f"http://localhost:{server.port}/", f"http://127.0.0.1:{server.port}/"]
        survey(urls, tmp_path, chosen, clock=FakeClock().clock(), resolve=resolve)
        assert not server.seen
    rows = captures(tmp_path)
    assert {row["failure"] for row in rows} == {"address_refused"}
    assert {row["raw_sha256"] for row in rows} == {""}
    assert set(asked) == {"localhost", "rebinding.example"}


def test_an_override_does_not_lift_the_address_check(tmp_path: Path) -> None:
    with serving({}) as server:
        run(server, ["a.example"], tmp_path, allow_private=False)
        assert not server.seen
    assert {row["failure"] for row in captures(tmp_path)} == {"address_refused"}


@pytest.mark.parametrize(
    "place", ["http://10.0.0.1/x", "http://inside.example/x", "http://[::1]:{port}/x"]
)
def test_a_redirect_to_a_private_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    async def resolve(host: str) -> list[str]:
        return ["192.168.1.1"] if host == "inside.example" else ["127.0.0.1"]

    pages: dict[str, Any] = {}
    with serving(pages) as server:
        location = place.format(port=server.port)
        pages["a.example/robots.txt"] = Page(status=302, headers=(("Location", location),))
        chosen = options(allow_private=False, overrides=())
        url = f"http://a.example:{server.port}/"
        survey([url], tmp_path, chosen, clock=FakeClock().clock(), resolve=resolve)
        assert {request.host for request in server.seen} == {"a.example"}
    (row,) = captures(tmp_path, resource="robots_txt")
    assert row["failure"] == "address_refused"
    assert row["redirects"] == [f"http://a.example:{server.port}/robots.txt"]


def test_the_survey_names_itself_and_sends_no_credentials(tmp_path: Path) -> None:
    with serving({"a.example/robots.txt": b"User-agent: TercetBot\nDisallow: /ai.txt\n"}) as server:
        run(server, [f"http://user:secret@a.example:{server.port}/#top"], tmp_path)
        for request in server.seen:
            agent = request.headers["user-agent"]
            assert agent.startswith("TercetBot/")
            assert agent.endswith("(+https://bot.example/about)")
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
        assert "/ai.txt" not in server.paths("a.example")
        assert "/.well-known/tdmrep.json" in server.paths("a.example")
    assert "secret" not in str(captures(tmp_path))
    assert {row["site"] for row in captures(tmp_path)} == {f"http://a.example:{server.port}"}


def test_hosts_are_asked_one_thing_at_a_time_with_a_pause(tmp_path: Path) -> None:
    hosts = [f"h{number}.example" for number in range(8)]
    with serving(lambda host, path: b"") as server:
        server.delay_s = 0.01
        urls = [f"http://{host}:{server.port}/{n}" for host in hosts for n in range(4)]
        chosen = options(items=True, host_interval_s=0.03, concurrency=3, timeout_s=5.0)
        survey(urls, tmp_path, chosen)
        seen = list(server.seen)
    for host in hosts:
        mine = sorted((r for r in seen if r.host == host), key=lambda r: r.begun_s)
        assert len(mine) == 4 + 4  # robots, tdmrep, ai, llms; four items
        gaps = [b.begun_s - a.ended_s for a, b in itertools.pairwise(mine)]
        assert min(gaps) >= 0.028
    marks = sorted([(r.begun_s, 1) for r in seen] + [(r.ended_s, -1) for r in seen])
    running = most = 0
    for _, step in marks:
        running += step
        most = max(most, running)
    assert most <= 3


def test_retry_after_is_honoured_and_bounded(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def pages(host: str, path: str) -> Any:
        asked[host + path] += 1
        wait = {"soon.example": "7", "late.example": "86400"}.get(host)
        if path != "/robots.txt" or (host != "late.example" and asked[host + path] > 1):
            return b"User-agent: *\nDisallow:\n"
        status = 500 if host == "broken.example" else 429
        return Page(b"", status, headers=(("Retry-After", wait),) if wait else ())

    fake = FakeClock()
    with serving(pages) as server:
        hosts = ["soon.example", "late.example", "broken.example"]
        run(server, hosts, tmp_path, retries_max=2, fake=fake)
    rows = {host_of(row): row for row in captures(tmp_path, resource="robots_txt")}
    assert rows["soon.example"]["failure"] == rows["broken.example"]["failure"] == ""
    assert rows["late.example"]["failure"] == "too_many_requests"
    assert asked["late.example/robots.txt"] == 1
    assert sum(fake.slept) >= 7
    assert max(fake.slept) < 60


def test_a_second_look_asks_only_for_what_is_no_longer_fresh(tmp_path: Path) -> None:
    robots = b"User-agent: *\nDisallow: /p\n"
    cached = {
        "etag.example/robots.txt": Page(
            robots, etag='"v1"', headers=(("Cache-Control", "max-age=60"),)
        ),
        "long.example/robots.txt": Page(robots, headers=(("Cache-Control", "max-age=999999"),)),
        "never.example/robots.txt": Page(robots, headers=(("Cache-Control", "no-store"),)),
        "expired.example/robots.txt": Page(robots, headers=(("Expires", "0"),)),
        "broken.example/robots.txt": Page(status=503),
    }
    hosts = sorted({key.split("/")[0] for key in cached})
    fake = FakeClock()
    with serving(cached) as server:
        first = run(server, hosts, tmp_path, fake=fake)
        assert len(server.paths("etag.example")) == 5
        server.seen.clear()
        fake.ahead_s += 30
        run(server, hosts, tmp_path, fake=fake)
        again = {r.host for r in server.seen if r.path == "/robots.txt"}
        assert again == {"never.example", "expired.example", "broken.example"}
        server.seen.clear()
        fake.ahead_s += 100
        last = run(server, hosts, tmp_path, fake=fake)
        asked = {r.host: r for r in server.seen if r.path == "/robots.txt"}
        assert "long.example" not in asked
        assert asked["etag.example"].headers["if-none-match"] == '"v1"'
        assert asked["etag.example"].status == 304
        server.seen.clear()
        fake.ahead_s += 24 * 3600
        run(server, hosts, tmp_path, fake=fake)
        assert "/robots.txt" in server.paths("long.example")  # RFC 9309 2.4: a day at most
    (row,) = [r for r in captures(tmp_path, resource="robots_txt") if "etag" in r["site"]]
    assert BlobStore(tmp_path / "blobs").get(row["raw_sha256"]) == robots
    assert first.document["counts"] == last.document["counts"]


STOPPED = """
import sys, tercet.flows.survey as flow
from pathlib import Path
from tercet.consent.survey import SurveyOptions
port, out = sys.argv[1], Path(sys.argv[2])
flow._FLUSH_SECONDS = (0.05, 0.05)
options = SurveyOptions(contact="https://bot.example/about", allow_private=True,
    overrides=(("*", "127.0.0.1"),), host_interval_s=0.02, concurrency=4)
flow.survey([f"http://h{n:03d}.example:{port}/a" for n in range(60)], out, options)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_survey_goes_on_where_it_stopped(tmp_path: Path, how: signal.Signals) -> None:
    hosts = [f"h{number:03d}.example" for number in range(60)]
    with serving(lambda host, path: b"" if path == "/robots.txt" else None) as server:
        server.delay_s = 0.004
        command = [sys.executable, "-c", STOPPED, str(server.port), str(tmp_path)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 20
        while len(server.seen) < 120 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(how)
        assert process.wait(20) != 0
        with pytest.raises(InputError, match="unfinished"):
            read_survey(tmp_path)
        parts = sorted((tmp_path / "parts").glob("[0-9]*.captures.parquet"))
        done = {
            site.split("//")[1].split(":")[0]
            for part in parts
            for site in pq.read_table(part, columns=["site"])["site"].to_pylist()
        }
        assert 0 < len(done) < 60
        before = {host: len(server.paths(host)) for host in hosts}
        result = run(server, hosts, tmp_path)
        assert all(len(server.paths(host)) == before[host] for host in done)
    assert result.resumed == len(done)
    assert result.asked + result.resumed == 60 == result.document["counts"]["sites"]
    rows = captures(tmp_path)
    counted = Counter((host_of(row), row["resource"], requested(row)) for row in rows)
    assert set(counted.values()) == {1}
    assert len(rows) == 60 * 5
    assert not (tmp_path / "parts").exists()


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


def test_a_defect_of_ours_holds_one_site_and_spares_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = collecting.rules_of

    def broken(capture: Any, raw: bytes) -> Any:
        if "bad.example" in capture.site:
            raise ZeroDivisionError
        return real(capture, raw)

    monkeypatch.setattr(collecting, "rules_of", broken)
    with serving(lambda host, path: b"") as server:
        result = run(server, ["bad.example", "good.example"], tmp_path)
    bad = [row for row in captures(tmp_path) if host_of(row) == "bad.example"]
    assert {row["resource"] for row in bad} == {"robots_txt", "tdmrep_json", "ai_txt", "llms_txt"}
    assert {row["failure"] for row in bad} == {"unreachable"}
    good = [row for row in captures(tmp_path, resource="ai_txt") if "good" in row["site"]]
    assert [row["failure"] for row in good] == [""]
    assert result.asked == 2


def test_a_full_disk_stops_with_an_error_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = BlobStore.put, []

    def full(self: BlobStore, raw: bytes) -> str:
        calls.append(raw)
        if len(calls) > 8:
            raise StorageError("no space left on device")
        return real(self, raw)

    hosts = [f"h{number}.example" for number in range(12)]
    with serving(lambda host, path: host.encode()) as server:
        monkeypatch.setattr(BlobStore, "put", full)
        with pytest.raises(StorageError, match="no space"):
            run(server, hosts, tmp_path, concurrency=1)
        monkeypatch.setattr(BlobStore, "put", real)
        result = run(server, hosts, tmp_path)
    assert result.document["counts"]["sites"] == 12


def test_progress_counts_up_to_the_total_and_says_when(tmp_path: Path) -> None:
    told: list[Progress] = []
    with serving({}) as server:
        urls = [f"http://h{n}.example:{server.port}/{m}" for n in range(5) for m in range(2)]
        survey(urls, tmp_path, options(items=True), progress=told.append)
    sites = [p for p in told if p.stage == "sites"]
    items = [p for p in told if p.stage == "items"]
    assert [p.done for p in sites] == [1, 2, 3, 4, 5]
    assert {p.total for p in sites} == {5}
    assert [p.done for p in items] == list(range(1, 11))
    assert sites[-1].eta_s == 0
    assert sites[-1].failures == 5


def test_corpus_batches_are_rows() -> None:
    batch = pa.record_batch({"row": [0, 1], "item": ["a", "b"], "url": ["http://x.example", None]})
    assert list(rows_of([batch])) == [("a", "http://x.example"), ("b", None)]


def test_an_empty_corpus_gives_finished_empty_evidence(tmp_path: Path) -> None:
    result = survey([], tmp_path, options())
    assert result.document["counts"]["captures"] == 0
    assert check_evidence(tmp_path)["type"] == "tercet/survey@1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": ""},
        {"contact": "a\r\nX-Evil: 1"},
        {"contact": "x) (compatible"},
        {"agent": "Bot 1"},
        {"concurrency": 0},
        {"timeout_s": 0},
        {"host_interval_s": -1},
        {"overrides": (("a.example", "b.example"),)},
        {"overrides": (("a.example", "127.0.0.1:99999"),)},
    ],
)
def test_options_that_cannot_be_used_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        options(**wrong)
