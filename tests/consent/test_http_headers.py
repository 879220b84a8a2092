"""Raw header blocks: RFC 9110 and RFC 9112 forms, JSON forms, and hostile bytes."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.http_headers import (
    header_values,
    headers_fault,
    parse_headers,
    status_code,
)
from tercet.core.limits import HEADERS_BYTES_MAX


def pairs(raw: bytes) -> list[tuple[str, str]]:
    return [(header.name_lower, header.value) for header in parse_headers(raw)]


def test_lines_with_crlf_and_status_line() -> None:
    raw = b"HTTP/1.1 402 Payment Required\r\nX-Robots-Tag: noai\r\ncontent-type:text/html \r\n\r\n"
    assert pairs(raw) == [("x-robots-tag", "noai"), ("content-type", "text/html")]
    assert status_code(raw) == 402
    header = parse_headers(raw)[0]
    assert (header.line, raw[header.byte_start : header.byte_end]) == (2, b"X-Robots-Tag: noai")


def test_duplicates_are_kept_in_order() -> None:
    raw = b"X-Robots-Tag: noai\nX-ROBOTS-TAG: all\n"
    assert header_values(parse_headers(raw), "x-robots-tag") == ("noai", "all")


def test_obsolete_folding_joins_lines() -> None:
    # RFC 9112 section 5.2: a recipient replaces each obs-fold with spaces.
    raw = b"X-Robots-Tag: noindex,\r\n\tnoai\r\nB: 1"
    assert pairs(raw) == [("x-robots-tag", "noindex, noai"), ("b", "1")]
    first = parse_headers(raw)[0]
    assert raw[first.byte_start : first.byte_end] == b"X-Robots-Tag: noindex,\r\n\tnoai"


def test_space_before_the_colon_still_counts() -> None:
    assert pairs(b"X-Robots-Tag : noai") == [("x-robots-tag", "noai")]


def test_values_are_utf8_else_latin1() -> None:
    assert pairs(b"A: \xc3\xa9\nB: \xe9") == [("a", "\u00e9"), ("b", "\u00e9")]


def test_json_object_with_lists_and_repeated_keys() -> None:
    raw = b'{"X-Robots-Tag": ["noai", "all"], "x-robots-tag": "noml", "Age": 3, "N": null}'
    assert pairs(raw) == [
        ("x-robots-tag", "noai"),
        ("x-robots-tag", "all"),
        ("x-robots-tag", "noml"),
        ("age", "3"),
    ]
    assert headers_fault(raw) == ""
    assert pairs(b'[["X-Robots-Tag", "noai"]]') == [("x-robots-tag", "noai")]


def test_pseudo_status_field() -> None:
    assert status_code(b":status: 402\ncrawler-price: USD 0.01") == 402
    assert status_code(b"no status here") == 0


def test_what_cannot_be_read_has_a_fault() -> None:
    assert headers_fault(b"{'X-Robots-Tag': 'noai'}")  # a Python repr is no JSON
    assert headers_fault(b"[" * 5000)
    assert headers_fault(b'{"A": {"b": "c"}}')
    assert headers_fault(b"A: b\n" * HEADERS_BYTES_MAX)
    assert headers_fault(b"A: b") == ""


@given(st.binary(max_size=600))
def test_any_bytes_are_survived(raw: bytes) -> None:
    last = 0
    for header in parse_headers(raw):
        assert header.name_lower == header.name_lower.lower()
        assert 0 <= header.byte_start <= header.byte_end <= len(raw)
        assert header.line == 0 or header.line > last
        last = header.line
    headers_fault(raw)
    status_code(raw)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
        ),
        max_size=8,
    )
)
def test_written_fields_are_read_back(fields: list[tuple[str, str]]) -> None:
    raw = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    assert pairs(raw) == [(name.lower(), value) for name, value in fields]


def test_many_lines_take_linear_time() -> None:
    started = time.process_time()
    for raw in (b"\n" * HEADERS_BYTES_MAX, b"a:\n " * 16_000, b":" * HEADERS_BYTES_MAX):
        parse_headers(raw)
    assert time.process_time() - started < 2
