"""robots.txt: the file as a value, its declarations, and hostile input."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tercet.consent.signals.agents import agent_table, known_agents, purposes, training_agents
from tercet.consent.signals.robots import read, read_with
from tercet.consent.signals.robots_file import RobotsFile, parse
from tercet.core.declaration import Carrier, Source
from tercet.core.limits import ROBOTS_BYTES_MAX
from tercet.core.usage import TRAINING, Permission, Usage

SOURCE = Source("https://example.org/robots.txt", Carrier.FILE)
LINE = st.sampled_from(
    [
        b"User-agent: GPTBot", b"user-agent:*", b"User-agent: CCBot, ClaudeBot", b"User-agent: foo",
        b"Disallow: /", b"Disallow:", b"Allow: /a*b$", b"Disallow: /a", b"disallow /b", b"Allow: /",
        b"Crawl-delay: 1", b"Content-Usage: train-ai=n", b"Sitemap: x", b"# note", b"", b"junk",
        b"License: https://example.org/l.xml", b"Disallow", b"User-agent", b"\x00", b": x",
    ]
)  # fmt: skip
TEXT = st.lists(LINE, max_size=20).flatmap(
    lambda lines: st.sampled_from([b"\n", b"\r\n", b"\r"]).map(lambda end: end.join(lines))
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), TEXT), st.sampled_from(["rfc9309", "google"]))
def test_reading_never_raises(raw: bytes, profile: Any) -> None:
    robots = parse(raw, profile)
    robots.allowed("GPTBot", b"/a")
    assert len(robots.records) == robots.records_count
    for record in robots.records:
        assert 0 <= record.byte_start <= record.byte_end <= len(raw)
    for declaration in read(raw, SOURCE):
        assert 0 <= declaration.place.byte_start <= declaration.place.byte_end <= len(raw)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["GPTBot", "foo", "*"]), LINE), min_size=1, max_size=6))
def test_order_of_groups_does_not_matter(groups: list[tuple[str, bytes]]) -> None:
    """Each group holds one rule, so no run of agents can form across groups."""
    rules = [(agent, line if line[:1] in b"DdAa" and b"/" in line else b"Disallow: /q")
             for agent, line in groups]  # fmt: skip
    texts = [b"User-agent: " + agent.encode() + b"\n" + rule + b"\n" for agent, rule in rules]
    forward, backward = parse(b"".join(texts)), parse(b"".join(reversed(texts)))
    for agent in ("GPTBot", "foo", "bar"):
        for path in (b"/", b"/a", b"/axb", b"/q", b"/b"):
            assert forward.allowed(agent, path).allowed == backward.allowed(agent, path).allowed


@given(TEXT)
def test_adding_a_denial_never_lets_more_in(raw: bytes) -> None:
    before = parse(raw + b"\nUser-agent: GPTBot\nDisallow: /none\n")
    after = parse(raw + b"\nUser-agent: GPTBot\nDisallow: /none\nDisallow: /a\n")
    for path in (b"/", b"/a", b"/axb"):
        assert after.allowed("GPTBot", path).allowed <= before.allowed("GPTBot", path).allowed


@settings(max_examples=300)
@example(b"\x00\n\x00\nUser-agent: GPTBot\nDisallow: /", b"/")  # no UTF-16, in spite of its NULs
@given(TEXT, st.sampled_from([b"/", b"/a", b"/axb", b"/b", b"/%61", b"/a*b"]))
def test_our_profile_never_lets_in_where_google_does_not(raw: bytes, path: bytes) -> None:
    ours, google = parse(raw).allowed("GPTBot", path), parse(raw, "google").allowed("GPTBot", path)
    assert ours.allowed <= google.allowed


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        (b"User-agent: *\nDisallow: *$\nAllow: /index.html\n", True),  # "/$" ties with "*$"
        (b"User-agent: *\nDisallow\x0b/\n", True),  # only blanks stand for a colon
        (b"User-agent: *\nDisallow\nUser-agent: x\nDisallow: /\n", False),  # no colon: no record
        (b"User-agent: *\nDisallow: /\x00x\n", False),  # C strings end at NUL
    ],
)
def test_corners_of_googles_parser(raw: bytes, allowed: bool) -> None:
    """Each differed once from Google's own parser in a comparison of random files."""
    assert parse(raw, "google").allowed("GPTBot", b"/").allowed is allowed


def test_every_record_is_kept_with_line_bytes_and_group() -> None:
    raw = b"Sitemap: s\r\nUser-agent: a\r\nLicense: l # why\r\nDisallow: /x\r\nHost: h\r\n"
    records = parse(raw).records
    assert [(r.line, r.name, r.value, r.group) for r in records] == [
        (1, "sitemap", b"s", -1),
        (2, "user-agent", b"a", 0),
        (3, "license", b"l", 0),
        (4, "disallow", b"/x", 0),
        (5, "host", b"h", 0),
    ]
    assert raw[records[2].byte_start : records[2].byte_end] == b"License: l # why\r\n"


def test_groupings_of_an_ambiguous_file() -> None:
    robots = parse(b"User-agent: a\nCrawl-delay: 1\nUser-agent: b\nDisallow: /\n")
    assert robots.ambiguous
    assert robots.tokens() == {"a": (0,), "b": (0,)}
    assert robots.tokens(split=True) == {"a": (0,), "b": (1,)}
    assert not parse(b"User-agent: a\nUser-agent: b\nCrawl-delay: 1\nDisallow: /\n").ambiguous


def test_the_deciding_line_is_named() -> None:
    robots = parse(b"User-agent: *\nDisallow: /a\nAllow: /a/b\n")
    assert robots.allowed("x", b"/a/c") == (False, 2)
    assert robots.allowed("x", b"/a/b/c") == (True, 3)
    assert robots.allowed("x", b"/") == (True, 0)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_text_is_decoded(codec: str) -> None:
    raw = "User-agent: GPTBot\r\nDisallow: /\r\n".encode(codec)
    assert not parse(raw).allowed("GPTBot", b"/").allowed


def test_a_file_beyond_the_limit_is_read_up_to_it() -> None:
    head = b"User-agent: GPTBot\nDisallow: /a\n"
    filler = b"# %s\n" % (b"x" * 100)
    raw = head + filler * (ROBOTS_BYTES_MAX // len(filler) + 1) + b"Disallow: /b\n"
    robots = parse(raw)
    assert robots.truncated
    assert not robots.allowed("GPTBot", b"/a").allowed
    assert robots.allowed("GPTBot", b"/b").allowed
    assert dict(read(raw, SOURCE)[0].evidence)["truncated"]
    assert not parse(raw, "google").allowed("GPTBot", b"/b").allowed  # its parser has no limit


def test_a_cut_allow_does_not_allow_more() -> None:
    head = b"User-agent: *\nDisallow: /\n"
    raw = head + b"#" * (ROBOTS_BYTES_MAX - len(head) - 8) + b"\nAllow: /only/this\n"
    assert not parse(raw).allowed("x", b"/o").allowed


def test_a_policy_token_grants() -> None:
    """draft-kelley-aipref-training-preference-signal: a group keyed by a purpose, not a crawler."""
    document = {
        "dated": "2026-11-22",
        "purposes": {},
        "agents": [],
        "policy_tokens": [{"token": "example-training", "usages": ["train_generative"]}],
    }
    raw = b"User-agent: example-training\nAllow: /\nDisallow: /private/\n"
    (declaration,) = read_with(raw, SOURCE, agent_table(document))
    said = [(s.pattern, s.permissions) for s in declaration.readings[0].statements]
    assert said == [
        ("/", ((Usage.TRAIN_GENERATIVE, Permission.ALLOW),)),
        ("/private/", ((Usage.TRAIN_GENERATIVE, Permission.DENY),)),
    ]
    assert read(raw, SOURCE) == ()


def test_no_shipped_token_grants() -> None:
    assert not any(agent.policy for agent in known_agents().agents.values())


def test_agents_table() -> None:
    assert purposes("gptbot") == TRAINING
    assert purposes("anthropic-ai") == purposes("ClaudeBot") == TRAINING
    assert TRAINING | {Usage.MINE, Usage.AI_INDEX} == purposes("CCBot")
    assert purposes("OAI-SearchBot") >= {Usage.SEARCH, Usage.AI_INPUT}
    assert purposes("Claude-User") == {Usage.AI_INPUT}
    assert purposes("Googlebot") == {Usage.SEARCH}
    assert purposes("SemrushBot") == frozenset()
    assert {"GPTBot", "CCBot", "Google-Extended", "TercetBot"} <= set(training_agents())
    controls = {a.token for a in known_agents().agents.values() if a.control_only}
    assert controls == {"Google-Extended", "Applebot-Extended", "Webzio-Extended"}


def _hostile() -> list[bytes]:
    names = [token.encode() for token in known_agents().agents]
    every = b"User-agent: " + b", ".join(names) + b"\n"
    own = [b"User-agent: %s\nDisallow: /%d\n" % (n, i) for i, n in enumerate(names)]
    return [
        b"User-agent: *\n" * 1_000_000,
        b"User-agent: *\nCrawl-delay: 1\n" * 500_000,
        b"\n" * 1_000_000,
        b"User-agent: *\n" + b"Disallow: /*a*a*a*a$\n" * 50_000,
        every + b"Disallow: /\n" * 30_000 + b"".join(own),
        b"a" * 1_000_000,
        b"a:" * 500_000,
        b"User-agent: " + b"a," * 500_000,
    ]


@pytest.mark.parametrize("number", range(8))
def test_hostile_files_are_read_in_time(number: int) -> None:
    raw = _hostile()[number]
    start = time.process_time()
    robots: RobotsFile = parse(raw)
    for _ in range(6):
        robots.allowed("GPTBot", b"/" + b"a" * 1000)
    assert len(robots.records) == robots.records_count
    read(raw, SOURCE)
    assert time.process_time() - start < 6.0
