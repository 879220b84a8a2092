"""The survey against a real HTTP server on loopback, with real robots.txt files and real faults."""

from __future__ import annotations

import itertools
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from loopback import LoopbackServer, Page
from surveyed import (
    FakeClock,
    captures,
    host_of,
    options,
    real_robots,
    requested,
    run,
    serving,
)

from tercet.consent.surveying import addresses, collecting
from tercet.consent.surveying.targets import target_of
from tercet.core.errors import InputError, StorageError
from tercet.flows.survey import Progress, _site_of, rows_of, survey
from tercet.store.blobs import BlobStore
from tercet.store.evidence import check_evidence, read_survey


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
        chosen = options(items=True, host_interval_s=0.03, concurrency=3)
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


def make_certificate(folder: Path, host: str) -> Path:
    """A self-signed certificate for ``host`` with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    form = serialization
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    pem.write_bytes(certificate.public_bytes(form.Encoding.PEM) + private)
    return pem


def test_https_is_checked_by_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = make_certificate(tmp_path, "good.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    out = tmp_path / "out"
    with LoopbackServer(lambda host, path: b"", tls=tls) as server:
        urls = [f"https://{name}.example:{server.port}/" for name in ("good", "bad")]
        survey(urls, out, options())
    rows = {row["site"]: row["failure"] for row in captures(out, resource="robots_txt")}
    assert rows == {urls[0].rstrip("/"): "", urls[1].rstrip("/"): "unreachable"}


URL_PARTS = ["http:", "https:", "/", "//", "\\", "a.example", "B.example", "@", ":", "80", "?",
             "#", "\t", "%61", ".", "x", "[::1]", "user:pw@", "ü.example", " "]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(URL_PARTS), max_size=7).map("".join), max_size=6))
def test_the_short_way_to_a_site_is_the_long_way(texts: list[str]) -> None:
    known: dict[str, str] = {}
    for text in texts:
        for url in (text, f"http://{text}", f"https://a.example{text}"):
            target = target_of(url)
            assert _site_of(url, known) == (target.site if target else "")
