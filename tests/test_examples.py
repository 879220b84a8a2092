"""The example sites and the loopback server that plays them."""

from __future__ import annotations

import csv
import http.client
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVER = runpy.run_path(str(ROOT / "examples" / "serve_sites.py"))
SITES = ROOT / "examples" / "sites"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    media = tmp_path_factory.mktemp("media")
    for site in SERVER["load_sites"](SITES, media).values():
        for file in site.media.values():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(bytes(range(100)))
    with SERVER["serving"](media) as port:
        yield port


def ask(port: int, host: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": f"{host}:{port}", **named})
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_a_host_is_a_site(port: int) -> None:
    status, headers, raw = ask(port, "Open-Photos.example", "/robots.txt")
    assert (status, raw) == (200, (SITES / "open-photos.example" / "robots.txt").read_bytes())
    assert headers["content-type"].startswith("text/plain")
    assert ask(port, "quiet-blog.example", "/robots.txt")[0] == 404
    assert ask(port, "nobody.example", "/robots.txt")[0] == 421


def test_special_answers(port: int) -> None:
    assert ask(port, "flaky.example", "/robots.txt")[0] == 503
    assert ask(port, "stock.example", "/s/100.jpg")[1]["x-robots-tag"] == "noai, noimageai"
    status, headers, _ = ask(port, "toll-road.example", "/v/1.mp4")
    assert (status, headers["crawler-price"]) == (402, "USD 0.01")


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [("bytes=0-9", 206, bytes(range(10))), ("bytes=90-", 206, bytes(range(90, 100))),
     ("bytes=-5", 206, bytes(range(95, 100))), ("bytes=95-900", 206, bytes(range(95, 100))),
     ("bytes=100-", 416, b""), ("lines=1-2", 200, bytes(range(100)))],
)  # fmt: skip
def test_ranges(port: int, asked: str, status: int, body: bytes) -> None:
    got, _, raw = ask(port, "quiet-blog.example", "/img/cat.jpg", Range=asked)
    assert (got, raw) == (status, body)


def test_unchanged_bytes_are_not_sent_again(port: int) -> None:
    tag = ask(port, "newsroom.example", "/robots.txt")[1]["etag"]
    assert ask(port, "newsroom.example", "/robots.txt", If_None_Match=tag)[0] == 304


@pytest.mark.parametrize(
    "path", ["/site.toml", "/../newsroom.example/robots.txt", "/%2e%2e/x", "//etc/passwd"]
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    assert ask(port, "museum.example", path)[0] == 404


def test_it_serves_while_a_command_runs() -> None:
    code = "import sys; from urllib.request import Request, urlopen; "
    code += "print(urlopen(Request(sys.argv[1], headers={'Host': 'museum.example'})).read())"
    asked = [sys.executable, "-c", code]
    server = str(ROOT / "examples" / "serve_sites.py")
    done = subprocess.run(
        [sys.executable, server, "0", *asked, "http://127.0.0.1:{port}/robots.txt"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "User-agent" in done.stdout) == (0, True), done.stderr


def test_the_table_of_urls_names_these_sites() -> None:
    with (ROOT / "examples" / "urls.csv").open(encoding="utf-8", newline="") as file:
        urls = [row["url"] for row in csv.DictReader(file)]
    sites = SERVER["load_sites"](SITES, Path())
    places = [urlsplit(url) for url in urls if url.startswith("http") and "[" not in url]
    assert {place.hostname for place in places} == set(sites)
    assert not [p for p in places if not sites[p.hostname].file(p.path)]
    assert len(places) == len(urls) - 2  # two rows are broken on purpose


def test_data_files_say_what_they_mean_to() -> None:
    """The damaged one is damaged on purpose, the others are well-formed."""
    from lxml import etree

    json.loads((SITES / "university-press.example/.well-known/tdmrep.json").read_bytes())
    json.loads((SITES / "university-press.example/policy.json").read_bytes())
    etree.fromstring((SITES / "press-agency.example/license.xml").read_bytes())
    with pytest.raises(json.JSONDecodeError):
        json.loads((SITES / "broken-files.example/.well-known/tdmrep.json").read_bytes())
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring((SITES / "broken-files.example/license.xml").read_bytes())
