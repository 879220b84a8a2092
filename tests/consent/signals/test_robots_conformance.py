"""Two third-party conformance sets for robots.txt: Google's suite, and Google's decisions."""

from __future__ import annotations

import ast
import gzip
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tercet.consent.signals.robots_file import Profile, parse

PATHS = (
    b"/",
    b"/index.html",
    b"/images/photo-1.jpg?size=large",
    b"/search?q=a",
    b"/private/x.mp4",
    b"/a/b/c/d.html",
)
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[A-Za-z_]+|[\[\]{}:]|#[^\n]*|[\s,]+')


class Expectation(NamedTuple):
    """One case: may ``agent`` fetch ``url`` under ``raw``?"""

    name: str
    raw: bytes
    agent: str
    url: str
    allowed: bool
    google_only: bool


def expectations(folder: Path) -> Iterator[Expectation]:
    """Yield Google's 400 expectations from the text-format protocol buffers in ``folder``."""
    for file in sorted(folder.rglob("*.textproto")):
        tokens = [
            token
            for token in _TOKEN.findall(file.read_text("utf-8"))
            if token.strip(" \t\r\n,") and not token.startswith("#")
        ]
        message, _ = _message(tokens, 0)
        for number, test in enumerate(message["tests"]):
            for expected in test["test_expectations"]:
                yield Expectation(
                    f"{file.stem}-{number}",
                    test.get("robotstxt", b""),
                    expected.get("useragent", b"").decode(),
                    expected.get("testurl", b"").decode(),
                    expected["expected_outcome"] == "ALLOWED",
                    expected.get("test_type") == "GOOGLE_SPECIFIC",
                )


def _message(tokens: list[str], at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at < len(tokens) and tokens[at] != "}":
        name, at = tokens[at], at + 1
        at += tokens[at] == ":"
        if tokens[at] == "[":
            values, at = [], at + 1
            while tokens[at] != "]":
                value, at = _message(tokens, at + 1)
                values.append(value)
            found[name], at = values, at + 1
        elif tokens[at] == "{":
            value, at = _message(tokens, at + 1)
            found.setdefault(name, []).append(value)
        elif tokens[at].startswith('"'):
            raw = b""
            while at < len(tokens) and tokens[at].startswith('"'):
                raw += ast.literal_eval("b" + _ascii(tokens[at]))
                at += 1
            found[name] = raw
        else:
            found[name], at = tokens[at], at + 1
    return found, at + 1


def _ascii(literal: str) -> str:
    return "".join(
        c if c.isascii() else "".join(rf"\x{b:02x}" for b in c.encode()) for c in literal
    )


def path_and_query(url: str) -> bytes:
    """Return what follows the authority of a well-formed URL, without fragment."""
    rest = url.partition("://")[2] if "://" in url else url
    cut = min(
        (at for at in (rest.find("/"), rest.find("?"), rest.find(";")) if at >= 0), default=-1
    )
    path = rest[cut:].partition("#")[0] if cut >= 0 else "/"
    return path.encode()


def real_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (host, bytes) of the real robots.txt files."""
    with tarfile.open(folder / "robots.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield Path(member.name).name, content.read()


def google_decisions(folder: Path) -> dict[str, dict[str, str]]:
    """Return by host and agent one digit per path of ``PATHS``: what Google's parser decides."""
    with gzip.open(folder / "google-decisions.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {row["host"]: row["allowed"] for row in map(json.loads, lines)}


def test_google_conformance_suite(shared_vectors: Path) -> None:
    counts: dict[Profile, int] = {"rfc9309": 0, "google": 0}
    wrong = []
    for case in expectations(shared_vectors / "robots-google" / "CTC"):
        profile: Profile = "google" if case.google_only else "rfc9309"
        counts[profile] += 1
        decision = parse(case.raw, profile).allowed(case.agent, path_and_query(case.url))
        if decision.allowed != case.allowed:
            wrong.append(case)
    assert counts == {"rfc9309": 378, "google": 22}
    assert not wrong


def test_google_conformance_suite_as_google(shared_vectors: Path) -> None:
    for case in expectations(shared_vectors / "robots-google" / "CTC"):
        decision = parse(case.raw, "google").allowed(case.agent, path_and_query(case.url))
        assert decision.allowed == case.allowed, case


def test_real_files_are_decided_as_google_does(shared_vectors: Path) -> None:
    folder = shared_vectors / "robots-real"
    decisions = google_decisions(folder)
    count = 0
    for host, raw in real_files(folder):
        robots = parse(raw, "google")
        for agent, digits in decisions[host].items():
            got = "".join(str(int(robots.allowed(agent, path).allowed)) for path in PATHS)
            assert got == digits, (host, agent)
            count += len(digits)
    assert count == 76_320


def test_scanning_and_compiled_rules_agree(shared_vectors: Path) -> None:
    """The first few decisions scan the rules, later ones use compiled rules: the same answers."""
    for host, raw in real_files(shared_vectors / "robots-real"):
        robots = parse(raw)
        scanned = [parse(bytes(bytearray(raw))).allowed("GPTBot", path) for path in PATHS]
        for _ in range(2):
            compiled = [robots.allowed("GPTBot", path) for path in PATHS]
        assert [d.allowed for d in scanned] == [d.allowed for d in compiled], host


def test_real_files_keep_every_record(shared_vectors: Path) -> None:
    """Every line with a colon before any comment is a record with its exact bytes."""
    for host, raw in real_files(shared_vectors / "robots-real"):
        robots = parse(raw)
        records = robots.records
        assert len(records) == robots.records_count
        if robots.truncated or raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in raw[:4]:
            continue
        lines = raw.removeprefix(b"\xef\xbb\xbf").splitlines()
        expected = {
            number
            for number, line in enumerate(lines, 1)
            if line.partition(b"#")[0].partition(b":")[0].strip()
            and b":" in line.partition(b"#")[0]
        }
        assert expected <= {record.line for record in records}, host
        for record in records:
            assert record.value in raw[record.byte_start : record.byte_end], host
