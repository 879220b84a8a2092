"""What goes wrong on the way is a failure value: no exception, no lost row, no unbounded memory."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from loopback import Page
from surveyed import (
    captures,
    host_of,
    run,
    serving,
)

from tercet.store.blobs import BlobStore

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
        run(server, hosts, out, timeout_s=0.8)
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
