"""X-Robots-Tag and robots metas: the flaws proven in other readers, and laws.

The flaws of datadiligence 0.1.7 and img2dataset 1.47.0 were measured by running them.
"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.http_headers import parse_headers
from tercet.consent.signals.x_robots import directives, read_headers, read_page
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.limits import HEADERS_BYTES_MAX
from tercet.core.usage import TRAINING, Permission, Usage

HEADER = Source("https://example.org/a.jpg", Carrier.HEADER)
META = Source("https://example.org/", Carrier.META, media_type="text/html")


def read(*values: str) -> tuple[Declaration, ...]:
    return read_headers("".join(f"X-Robots-Tag: {v}\r\n" for v in values).encode(), HEADER)


def denied(declarations: tuple[Declaration, ...]) -> set[Usage]:
    """Usages some declaration denies in every reading."""
    found: set[Usage] = set()
    for declaration in declarations:
        per_reading = [
            {u for s in r.statements for u, p in s.permissions if p is Permission.DENY}
            for r in declaration.readings
        ]
        found |= set.intersection(*per_reading)
    return found


def test_datadiligence_flaw_noai_in_capitals_passes() -> None:
    assert denied(read("NoAI")) >= TRAINING


def test_datadiligence_flaw_other_bot_blocks_everyone() -> None:
    (declaration,) = read("otherbot: noindex, noai")
    assert declaration.agents == ("otherbot",)
    assert denied((declaration,)) == set()  # one reading holds for otherbot alone


def test_datadiligence_flaw_agent_scope_is_case_sensitive() -> None:
    assert read("MyBot: noai")[0].agents == read("mybot: noai")[0].agents == ("mybot",)
    assert denied(read("GPTBOT: noai")) == denied(read("gptbot: noai")) == set(TRAINING)


def test_datadiligence_flaw_plain_dict_header_is_ignored() -> None:
    raw = json.dumps({"X-ROBOTS-tag": "noai"}).encode()
    assert denied(read_headers(raw, HEADER)) >= TRAINING


def test_datadiligence_flaw_duplicate_headers_collapse_to_the_last() -> None:
    assert denied(read("noai", "all")) >= TRAINING
    assert denied(read("all", "noai")) >= TRAINING


def test_datadiligence_flaw_any_exception_allows() -> None:
    (declaration,) = read_headers(b"{not json", HEADER)
    assert declaration.fault
    assert all(
        permission is Permission.UNKNOWN
        for reading in declaration.readings
        for statement in reading.statements
        for _, permission in statement.permissions
    )


def test_img2dataset_flaw_a_value_with_a_colon_hides_noai() -> None:
    assert denied(read("max-snippet:50, noai")) >= TRAINING
    assert denied(read("unavailable_after: 25 Jun 2027 15:00:00 PST, noai")) >= TRAINING


def test_img2dataset_flaw_noml_is_not_known() -> None:
    assert denied(read("noml")) == set(TRAINING)


def test_a_late_part_of_an_oversize_block_is_doubt() -> None:
    raw = b"A: b\r\n" * (HEADERS_BYTES_MAX // 6 + 1) + b"X-Robots-Tag: noai\r\n"
    assert [declaration.fault for declaration in read_headers(raw, HEADER)] != [""]


def test_noindex_is_not_a_training_denial() -> None:
    assert denied(read("noindex")) == {Usage.SEARCH}


def test_directives_by_agent() -> None:
    value = "googlebot: noindex, max-snippet:20, MyBot: NoAI"
    assert directives(value) == {"googlebot": ("noindex", "max-snippet:20"), "mybot": ("noai",)}


def test_peer_reads_the_same_plain_values() -> None:
    """On values without scope, colon or capitals datadiligence is right: agree with it."""
    rules = pytest.importorskip("datadiligence.rules")
    rule = rules.XRobotsTagHeader(user_agent="ourbot")
    for value in ("noai", "noimageai", "noindex, noai", "all", "nofollow", "", "index, noimageai"):
        expected = not rule.is_allowed(headers={"X-Robots-Tag": value})
        assert (Usage.TRAIN_GENERATIVE in denied(read(value))) == expected, value


WORDS = st.sampled_from(
    ["noai", "NOAI", "noimageai", "noml", "noindex", "none", "all", "index", "nosnippet", "bot:",
     "max-snippet:0", "max-snippet: 50", "unavailable_after: 25 Jun 2027 15:00:00 PST", ":", ""]
)  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=5), max_size=4))
def test_more_words_never_deny_less(fields: list[list[str]]) -> None:
    values = [", ".join(words) for words in fields]
    before = denied(read(*values))
    assert denied(read(*values, "noai")) >= before | TRAINING
    assert all(
        permission in (Permission.DENY, Permission.UNKNOWN)
        for declaration in read(*values)
        for reading in declaration.readings
        for statement in reading.statements
        for _, permission in statement.permissions
    )


@given(st.text(max_size=80))
def test_noai_after_any_text_is_at_least_a_possible_denial(text: str) -> None:
    found = read(text.replace("\n", " ").replace("\r", " ") + ", noai")
    assert any(
        (Usage.TRAIN_GENERATIVE, Permission.DENY) in statement.permissions
        for declaration in found
        for reading in declaration.readings
        for statement in reading.statements
    )


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(raw: bytes) -> None:
    for declaration in (*read_headers(raw, HEADER), *read_page(raw, META)):
        assert 0 <= declaration.place.byte_start <= declaration.place.byte_end <= len(raw)
    read_headers(b"X-Robots-Tag: " + raw, HEADER)
    read_page(b"<meta name=robots content='" + raw + b"'>", META)


@pytest.mark.parametrize("piece", ["a:", "noai:", ",", " ", "bot:noai,", "max-snippet:", "'"])
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    raw = b"X-Robots-Tag: " + (piece * HEADERS_BYTES_MAX).encode()[: HEADERS_BYTES_MAX - 20]
    assert len(parse_headers(raw)) == 1
    started = time.process_time()
    read_headers(raw, HEADER)
    assert time.process_time() - started < 2


def test_more_metas_than_the_limit_leave_a_doubt() -> None:
    raw = b"<meta name=robots content=nosnippet>" * 10_001 + b"<meta name=robots content=noai>"
    started = time.process_time()
    found = read_page(raw, META)
    assert time.process_time() - started < 4
    assert len(found) == 10_001
    assert [bool(declaration.fault) for declaration in found[-2:]] == [False, True]


def test_many_agents_in_one_field_take_bounded_time() -> None:
    raw = "X-Robots-Tag: " + ",".join(f"b{n}:noai" for n in range(6_000))
    started = time.process_time()
    assert len(read_headers(raw.encode(), HEADER)) >= 5_000
    assert time.process_time() - started < 3
