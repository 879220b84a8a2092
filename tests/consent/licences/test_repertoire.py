"""Repertoires: one set of works has one text; a million of them are read at once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.repertoire import (
    HEADER,
    Repertoire,
    RepertoireError,
    RepertoireOrderError,
    RepertoireSwappedError,
    UnknownWorkError,
    check_known,
    holds,
    minus,
    read_repertoire,
    repertoire_bytes,
    repertoire_from,
    repertoire_of,
    union,
    unknown_works,
)

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
SITE, SITE_2 = "site:https://films.example.org", "site:https://songs.example.org:8443"
URL, URL_2 = "url:https://a.example/film", "url:https://b.example/clips/1?x=%20"
LINES = [A, B, SITE, SITE_2, URL, URL_2]

WORKS = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
SITES = st.sampled_from([SITE, SITE_2, "site:http://x.example", "site:https://127.0.0.1"])
URLS = st.sampled_from([URL, URL_2, "url:https://films.example.org/a", "url:https://ü.example/ö"])
LISTS = st.lists(WORKS | SITES | URLS | st.sampled_from([A, B, C]), max_size=12)


def text_of(lines: list[str]) -> bytes:
    return HEADER + "".join(f"{line}\n" for line in lines).encode()


def test_the_format_is_what_it_is_said_to_be() -> None:
    raw = text_of(LINES)
    read = read_repertoire(raw)
    assert read.sha256 == hashlib.sha256(raw).hexdigest()
    assert read.work_count == 6
    assert [read.line(at) for at in range(6)] == LINES
    assert repertoire_bytes(read) == raw
    assert read_repertoire(raw, read.sha256) == read == repertoire_of(reversed(LINES + LINES))


def test_no_work_at_all_is_a_repertoire() -> None:
    empty = read_repertoire(HEADER)
    assert empty == repertoire_of([]) == union([])
    assert empty.work_count == 0
    assert unknown_works(empty, empty) is None


def test_lines_come_into_normal_form() -> None:
    given_lines = [
        f"sha256:{'AB' * 32}", "site:HTTPS://Films.Example.org/", "url:https://ü.example:443/ö#a",
        "url:http://a.example/x/../y",
    ]  # fmt: skip
    assert repertoire_bytes(repertoire_of(given_lines)) == text_of(
        [f"sha256:{'ab' * 32}", "site:https://films.example.org", "url:http://a.example/y",
         "url:https://xn--tda.example/%C3%B6"]
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "", "work", "sha256:abc", f"sha256:{'g' * 64}", f"sha1:{'a' * 64}", "site:example.org",
        "site:https://example.org/path", "site:ftp://example.org", "url:/relative",
        "url:mailto:a@b.example", "url:https://", f"SHA256:{'a' * 64}", f" {A}",
        "url:https://a.example/" + "x" * 20_000,
    ],
)  # fmt: skip
def test_a_line_of_no_kind_is_refused(line: str) -> None:
    with pytest.raises(RepertoireError):
        repertoire_of([line])


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (text_of([A, A]), 3),
        (text_of([B, A]), 3),
        (text_of([A, C, B]), 4),
        (text_of([SITE_2, SITE]), 3),
        (text_of([URL, URL]), 3),
        (text_of([A, URL_2, URL]), 4),
    ],
)
def test_lines_out_of_order_or_twice_are_named(raw: bytes, number: int) -> None:
    with pytest.raises(RepertoireOrderError, match=f"line {number} "):
        read_repertoire(raw)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (text_of([A, B[:-1]]), 3),
        (text_of([A, B.upper()]), 3),
        (text_of([A, f"sha256:{'B' * 64}"]), 3),
        (text_of([A, f"sha256:{'b' * 63}g"]), 3),
        (text_of([A, "", B]), 3),
        (text_of([SITE, A]), 3),
        (text_of([URL, SITE]), 3),
        (text_of([SITE, "site:https://songs.example.org/"]), 3),
        (text_of([SITE, "site:https://songs.example.org:443"]), 3),
        (text_of([URL, "url:https://b.example"]), 3),
        (text_of([URL, "url:https://b.example/a/../b"]), 3),
        (text_of([URL, "url:https://b.example/a#b"]), 3),
        (text_of([URL, "url:https://b.example/a b"]), 3),
        (text_of([URL, "url:https://b.example/ä"]), 3),
        (text_of([URL, "url:https://xn--a.example/"]), 3),
        (text_of([URL, "url:https://1.2.3/"]), 3),
        (text_of([URL, "url:https://user@b.example/"]), 3),
        (text_of([URL, "url:javascript:alert(1)"]), 3),
        (text_of([A, "zzz"]), 3),
        (HEADER + A.encode() + b"\r\n", 2),
        (HEADER + b"\n", 2),
    ],
)
def test_a_line_in_another_form_is_named(raw: bytes, number: int) -> None:
    with pytest.raises(RepertoireError, match=f"line {number} "):
        read_repertoire(raw)


@pytest.mark.parametrize(
    "raw",
    [b"", b"tercet/repertoire@1", b"tercet/repertoire@2\n", b"\xef\xbb\xbf" + HEADER,
     text_of([A])[:-1], text_of([A]) + b"sha", b"TERCET" + HEADER[6:]],
)  # fmt: skip
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(RepertoireError):
        read_repertoire(raw)


def test_a_line_that_is_too_long_is_refused() -> None:
    with pytest.raises(RepertoireError):
        read_repertoire(text_of(["url:https://b.example/" + "a" * 16_384]))


@pytest.mark.parametrize(
    "line",
    ["url:https://a.example/x/.hidden", "url:https://a.example/x/..y", "url:https://[::1]/a",
     "url:http://a.example:8080/", "url:https://a.example/?", "url:https://a.example/a%20b|c",
     "url:https://127.0.0.1/a", "url:https://xn--tda.example/", "site:http://localhost"],
)  # fmt: skip
def test_unusual_lines_in_normal_form_are_read(line: str) -> None:
    assert repertoire_bytes(repertoire_of([line])) == text_of([line])
    assert read_repertoire(text_of([line])).line(0) == line


def test_a_swapped_repertoire_is_refused() -> None:
    agreed, other = repertoire_of([A, B]), repertoire_of([A, C])
    with pytest.raises(RepertoireSwappedError):
        read_repertoire(repertoire_bytes(other), agreed.sha256)


def test_what_a_repertoire_holds() -> None:
    works = repertoire_of(LINES)
    assert holds(works, sha256="a" * 64)
    assert not holds(works, sha256="c" * 64)
    assert not holds(works, sha256="a" * 63)
    assert holds(works, url="https://a.example/film")
    assert holds(works, url="HTTPS://A.example/x/../film#t=3")
    assert not holds(works, url="https://a.example/film2")
    assert holds(works, url="https://films.example.org/any/thing")
    assert not holds(works, url="http://films.example.org/any/thing")
    assert not holds(works, url="https://films.example.org.evil.example/")
    assert not holds(works)
    assert not holds(repertoire_of([]), sha256="a" * 64, url="https://a.example/")


def test_addresses_of_a_known_site_are_known() -> None:
    known = repertoire_of([SITE])
    assert unknown_works(repertoire_of(["url:https://films.example.org/a"]), known) is None
    assert unknown_works(known, repertoire_of(["url:https://films.example.org/a"])) is not None


@given(LISTS, LISTS)
def test_union_and_minus_are_those_of_sets(one: list[str], other: list[str]) -> None:
    first, second = repertoire_of(one), repertoire_of(other)
    a, b = set(lines_of(first)), set(lines_of(second))
    assert set(lines_of(union([first, second]))) == a | b
    assert set(lines_of(minus(first, second))) == a - b
    assert union([first, second]) == union([second, first, first])
    assert minus(first, first) == repertoire_of([])


@given(LISTS, LISTS)
def test_what_is_unknown_is_what_is_not_there(one: list[str], other: list[str]) -> None:
    first, known = repertoire_of(one), repertoire_of(other)
    unknown = unknown_works(first, known)
    sites = {line.removeprefix("site:") for line in lines_of(known) if line.startswith("site:")}
    missing = [
        line
        for line in lines_of(minus(first, known))
        if not any(line.startswith(f"url:{site}/") for site in sites)
    ]
    assert (unknown.count, unknown.line) == (len(missing), missing[0]) if unknown else not missing


@given(LISTS)
def test_what_is_written_is_read(lines: list[str]) -> None:
    works = repertoire_of(lines)
    raw = repertoire_bytes(works)
    assert read_repertoire(raw, works.sha256) == works
    assert raw.removeprefix(HEADER).splitlines() == sorted(raw.removeprefix(HEADER).splitlines())


@given(st.data())
def test_one_changed_byte_is_another_repertoire_or_none(data: st.DataObject) -> None:
    raw = bytearray(text_of(LINES))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        read = read_repertoire(bytes(raw))
    except RepertoireError:
        return
    assert read.sha256 != repertoire_of(LINES).sha256
    assert repertoire_bytes(read) == raw


def lines_of(works: Repertoire) -> list[str]:
    return [works.line(at) for at in range(works.work_count)]


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def random_works(count: int) -> Repertoire:
    return repertoire_from(np.random.default_rng(5).integers(0, 256, (count, 32), np.uint8))


def test_one_unknown_work_among_many_is_named_by_its_line() -> None:
    works = random_works(20_000)
    missing = works.line(12_345)
    known = minus(works, repertoire_of([missing]))
    unknown = unknown_works(works, known)
    assert unknown is not None
    assert (unknown.count, unknown.line_number, unknown.line) == (1, 12_347, missing)
    assert repertoire_bytes(works).splitlines()[unknown.line_number - 1].decode() == missing
    with pytest.raises(UnknownWorkError, match="line 12347 "):
        check_known(works, known)
    check_known(known, works)


@pytest.mark.slow
def test_one_unknown_work_in_a_million_is_named_within_a_second() -> None:
    works = random_works(1_000_000)
    raw, missing = repertoire_bytes(works), works.line(777_777)
    known = minus(works, repertoire_of([missing]))
    read: list[Repertoire] = []
    assert seconds(lambda: read.append(read_repertoire(raw, works.sha256))) < 1.5
    assert seconds(lambda: unknown_works(read[0], known)) < 1
    unknown = unknown_works(read[0], known)
    assert unknown is not None
    assert (unknown.count, unknown.line_number, unknown.line) == (1, 777_779, missing)


@pytest.mark.slow
def test_a_million_addresses_are_read_within_seconds() -> None:
    urls = sorted(f"https://site{at % 1000}.example.org/a/{at}.mp4" for at in range(1_000_000))
    raw = text_of([f"url:{url}" for url in urls])
    assert seconds(lambda: read_repertoire(raw)) < 3
