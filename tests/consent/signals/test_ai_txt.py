"""ai.txt: laws that hold for any bytes, and hostile files. The cases are in vectors/ai_txt.json."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tercet.consent.paths import matches, normalise_path
from tercet.consent.signals import ai_txt
from tercet.core.declaration import Carrier, Matching, Reading, Source
from tercet.core.limits import ROBOTS_BYTES_MAX
from tercet.core.usage import Permission, Usage

FILE = Source("https://example.org/ai.txt", Carrier.FILE)


def denies(reading: Reading, path: str) -> bool:
    """Whether training is denied at a path, worked out from the contract of `Matching` alone."""
    found = [
        (len(s.pattern or ""), said is not Permission.DENY)
        for s in reading.statements
        for usage, said in s.permissions
        if usage is Usage.TRAIN_GENERATIVE
        and matches((s.pattern or "").encode(), normalise_path(path.encode()))
    ]
    if reading.matching is Matching.LONGEST and found:
        found = [max(found)]
    return any(not lifted for _, lifted in found)


def denied(text: str, path: str) -> bool:
    return any(denies(r, path) for d in ai_txt.read_file(text.encode(), FILE) for r in d.readings)


@pytest.mark.parametrize("path", ["/", "/a.jpg", "/deep/b.html?q=1"])
@pytest.mark.parametrize("pattern", ["/", "*", "/*"])
def test_everything_blocked(pattern: str, path: str) -> None:
    assert denied(f"User-Agent: *\nDisallow: {pattern}\n", path)


@pytest.mark.parametrize("pattern", ["*.jpg", ".jpg", "/*.jpg"])
def test_a_file_type_blocked(pattern: str) -> None:
    text = f"User-Agent: *\nDisallow: {pattern}\n"
    assert denied(text, "/photos/a.jpg")
    assert denied(text, "/photos/a.jpg?width=100")
    assert not denied(text, "/photos/a.png")


def test_allow_takes_a_file_type_out_of_a_broader_block() -> None:
    text = "User-Agent: *\nDisallow: /\nAllow: *.jpg\n"
    assert not denied(text, "/a.jpg")
    assert denied(text, "/a.png")


def test_flaw_bare_allow_lifts_everything() -> None:
    assert denied("User-Agent: *\nDisallow: /\nAllow: /\nAllow: *\nAllow: /*\n", "/a")


lines = st.lists(
    st.builds(
        "{}: {}".format,
        st.sampled_from(["User-agent", "Disallow", "Allow", "Dissallow", "Sitemap", "#"]),
        st.sampled_from(["*", "/", "*.jpg", "jpg", "/a", "/a*b", "GPTBot", "", "/é"]),
    ),
    max_size=12,
).map("\n".join)


@given(lines)
def test_law_nothing_ever_grants(text: str) -> None:
    for found in ai_txt.read_file(text.encode(), FILE):
        for statement in found.readings[0].statements:
            assert {said for _, said in statement.permissions} <= {
                Permission.DENY,
                Permission.UNKNOWN,
            }


@given(lines, st.sampled_from(["/", "/a.jpg", "/a/b"]))
def test_law_one_more_disallow_of_all_denies_or_is_lifted_by_an_allow(text: str, path: str) -> None:
    whole = f"User-agent: *\nDisallow: /\n{text}"
    assert denied(whole, path) or "Allow:" in text


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@example(b"\xff\xfeU\x00s\x00")
@example(b"# a\nUser-agent: *\nDisallow: \xff\xfe*\x00")
def test_law_no_bytes_raise(raw: bytes) -> None:
    for prefix in (b"", b"# x\nUser-agent: *\nDisallow: ", b"User-agent: "):
        for found in ai_txt.read_file(prefix + raw, FILE):
            assert found.readings[0].statements
            assert len(found.declaration_id) == 16
            assert all((s.pattern or "").isascii() for s in found.readings[0].statements)


HOSTILE = {
    "many-groups": b"User-agent: a\nDisallow: /\n" * 20_000,
    "many-rules": b"User-agent: *\n" + b"Disallow: /*a*b$\nAllow: /*c\n" * 18_000,
    "one-line": b"User-agent: *\nDisallow: /" + b"*a" * 300_000,
    "no-lines": b"#" * 2_000_000,
    "blank-lines": b"# x" + b"\r\n" * 250_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_stay_fast(name: str) -> None:
    started = time.process_time()
    ai_txt.read_file(HOSTILE[name], FILE)
    assert time.process_time() - started < 2.0


def test_what_lies_beyond_the_limit_is_a_doubt() -> None:
    raw = b"User-agent: *\nDisallow: /a\n" + b"#\n" * ROBOTS_BYTES_MAX
    *read, rest = ai_txt.read_file(raw, FILE)
    assert len(read) == 1
    assert rest.fault
