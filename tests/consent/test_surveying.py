"""The parts of the survey, each against facts from outside."""

from __future__ import annotations

import asyncio
import ipaddress
import zlib
from dataclasses import replace
from typing import Any

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.capture import Capture
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.addresses import AddressRefusedError, PinnedNetwork, is_public
from tercet.consent.surveying.caching import Stored, freshness_s, validators
from tercet.consent.surveying.collecting import permits, rules_of
from tercet.consent.surveying.fetching import Answer, _Inflating, _retry_after
from tercet.consent.surveying.politeness import Clock, Politeness
from tercet.consent.surveying.resources import looks_like_html
from tercet.consent.surveying.targets import Target, is_same_host, target_of
from tercet.core.declaration import Carrier

TARGET = Target("https", "a.example", 443, "/robots.txt")


def answer(*headers: tuple[str, str], **fields: Any) -> Answer:
    raw = tuple((name.encode(), value.encode()) for name, value in headers)
    return Answer(TARGET, **({"status": 200, "headers": raw} | fields))


@pytest.mark.parametrize(
    ("url", "site", "path"),
    [
        ("https://Example.ORG", "https://example.org", "/"),
        ("http://a.example:80/x?y=1#z", "http://a.example", "/x?y=1"),
        ("https://a.example:8443/x", "https://a.example:8443", "/x"),
        ("https://user:pass@a.example/", "https://a.example", "/"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example", "/%C3%BC"),
        ("http://0x7f000001/", "http://127.0.0.1", "/"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080", "/"),
        ("HTTP:\\\\a.example\\b", "http://a.example", "/b"),
        ("http://a.example/a/../b/./c", "http://a.example", "/b/c"),
    ],
)
def test_urls_are_taken_apart_as_whatwg_says(url: str, site: str, path: str) -> None:
    target = target_of(url)
    assert target
    assert (target.site, target.path) == (site, path)
    assert target_of(target.url) == target


@pytest.mark.parametrize(
    "url",
    ["", "x", "//a.example/", "ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)",
     "http://", "http://a b/", "http://[::1", "http://a.example:99999/", "gopher://a:70/_x",
     "http://a.example/" + "x" * 20_000, "http://\x00/", "data:text/plain,x"],
)  # fmt: skip
def test_what_cannot_be_asked_is_no_target(url: str) -> None:
    assert target_of(url) is None


@given(st.text(max_size=60))
def test_no_text_makes_taking_apart_fail(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://a.example/{text}"):
        target = target_of(url)
        if target:
            assert target.url.isascii()
            assert not set(target.url) & set("\r\n \x00")


def test_relative_redirects_resolve_against_the_page() -> None:
    assert target_of("../c", "https://a.example/a/b/x").url == "https://a.example/a/c"
    assert target_of("//b.example/x", "https://a.example/").site == "https://b.example"
    assert target_of("http://[bad", "https://a.example/") is None


def test_only_the_www_makes_no_other_host() -> None:
    one = target_of("http://a.example/")
    for url, same in [
        ("https://www.a.example:8443/", True),
        ("http://b.a.example/", False),
        ("http://a.example.evil.example/", False),
    ]:
        other = target_of(url)
        assert one
        assert other
        assert is_same_host(one, other) is same


@given(st.ip_addresses())
def test_an_address_python_calls_not_global_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_disguise_is_never_public(address: ipaddress.IPv4Address) -> None:
    value = int(address)
    for prefix in ("::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "::"):
        assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.ip_address(prefix)) | value)))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (value << 80))
    teredo = ipaddress.IPv6Address((0x20010000 << 96) | (value ^ 0xFFFFFFFF))
    assert not is_public(str(six_to_four))
    assert not is_public(str(teredo))


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::6810:84e5"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "fe80::1%eth0", "1.2.3", "0x7f.1", "::1/128"])
def test_what_is_no_plain_address_is_not_public(text: str) -> None:
    assert not is_public(text)


class Recorder(httpcore2.AsyncNetworkBackend):
    """Records where a connection would have gone."""

    def __init__(self) -> None:
        self.places: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any) -> Any:
        self.places.append((host, port))
        raise httpcore2.ConnectError("recorded")


def connect(answers: list[list[str]], times: int = 1, **fields: Any) -> tuple[list[Any], list[Any]]:
    """Connect to rebinding.example; return where it went and what was raised."""

    async def resolve(host: str) -> list[str]:
        return answers.pop(0)

    network = PinnedNetwork(resolve, **fields)
    network._inner = recorder = Recorder()  # the socket layer below the check
    raised = []
    for _ in range(times):
        try:
            asyncio.run(network.connect_tcp("rebinding.example", 443, 1.0))
        except (AddressRefusedError, httpcore2.ConnectError) as error:
            raised.append(type(error))
    return recorder.places, raised


def test_a_rebinding_name_is_checked_each_time_and_connected_where_checked() -> None:
    places, raised = connect([["8.8.8.8"], ["127.0.0.1"]], times=2)
    assert places == [("8.8.8.8", 443)]
    assert raised == [httpcore2.ConnectError, AddressRefusedError]


def test_of_several_addresses_only_the_public_ones_are_tried() -> None:
    many = ["10.0.0.1", "8.8.8.8", "::1", "8.8.4.4", "1.1.1.1", "9.9.9.9"]
    places, _ = connect([many])
    assert places == [("8.8.8.8", 443), ("8.8.4.4", 443), ("1.1.1.1", 443)]


def test_an_override_names_address_and_port() -> None:
    chosen = {"rebinding.example": "[2606:4700::1]:8443"}
    assert connect([], overrides=chosen)[0] == [("2606:4700::1", 8443)]
    assert connect([], overrides={"*": "9.9.9.9"})[0] == [("9.9.9.9", 443)]
    assert connect([], overrides={"*": "127.0.0.1:80"})[1] == [AddressRefusedError]


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 3600),
        ([("Cache-Control", "max-age=60")], 60),
        ([("Cache-Control", "public, MAX-AGE=60"), ("Age", "20")], 40),
        ([("Cache-Control", "max-age=60"), ("Age", "999")], 0),
        ([("Cache-Control", "max-age=9999999")], 24 * 3600),
        ([("Cache-Control", "no-cache")], 0),
        ([("Cache-Control", "no-store, max-age=60")], 0),
        ([("Cache-Control", 'max-age="60"')], 60),
        ([("Cache-Control", "max-age=-5")], 3600),
        ([("Expires", "0")], 0),
        ([("Expires", "Tue, 14 Nov 2023 22:15:20 GMT")], 120),
        (
            [
                ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"),
                ("Expires", "Tue, 14 Nov 2023 22:13:50 GMT"),
            ],
            30,
        ),
        ([("Expires", "Tue, 14 Nov 2023 22:15:20 GMT"), ("Cache-Control", "max-age=5")], 5),
    ],
)
def test_freshness_follows_rfc_9111(headers: list[tuple[str, str]], seconds: float) -> None:
    assert freshness_s(answer(*headers), NOW) == seconds


def test_failures_that_may_pass_are_never_fresh() -> None:
    for failure in Failure:
        lasting = freshness_s(answer(("Cache-Control", "max-age=60"), failure=failure), NOW)
        assert lasting == (60 if failure is Failure.CLIENT_ERROR else 0)


def test_validators_are_used_only_for_what_they_belong_to() -> None:
    plain = answer(("ETag", '"1"'), ("Last-Modified", "x"))
    assert validators(plain) == ('"1"', "x")
    for other in ({"redirects": ("http://b.example",)}, {"cut": True}, {"status": 404}):
        assert validators(replace(plain, **other)) == ("", "")
    assert validators(answer(("ETag", '"1"'), ("Cache-Control", "no-store"))) == ("", "")


def test_one_run_asks_once_and_no_answer_lives_longer_than_a_day() -> None:
    kept = Stored((), stored_at=NOW, fresh_until=NOW)
    assert kept.is_fresh(NOW + 3000, run_started_at=NOW - 1)
    assert not kept.is_fresh(NOW + 3000, run_started_at=NOW + 1)
    kept = Stored((), stored_at=NOW, fresh_until=NOW + 10**9)
    assert kept.is_fresh(NOW + 24 * 3600 - 1, run_started_at=NOW)
    assert not kept.is_fresh(NOW + 24 * 3600, run_started_at=NOW)
    assert not kept.is_fresh(NOW - 1, run_started_at=NOW)  # a clock set back


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120),
        ("Tue, 14 Nov 2000 22:15:20 GMT", 0),
        ("soon", 0),
        ("-1", 0),
        ("", 0),
        ("9" * 5000, 999_999_999),
    ],
)
def test_retry_after_in_both_forms(value: str, seconds: float) -> None:
    assert _retry_after(value, NOW) == seconds


HTML = [
    b"<!DOCTYPE html>", b"\xef\xbb\xbf <HTML lang=en>", b"\r\n\t<head>", b"<body>",
    b"<!-- page --><html>", b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD'>",
    "<!doctype html><title>x".encode("utf-16"),
]  # fmt: skip
NOT_HTML = [
    b"", b"User-agent: *\n", b"# <html>\n", b"{}", b'<rsl xmlns="https://rslstandard.org/rsl">',
    b"<?xml version='1.0'?><rsl/>", b"\xff\xfe", b"<!--", "User-agent: *".encode("utf-16"),
]  # fmt: skip


def test_web_pages_are_told_by_their_bytes() -> None:
    assert [raw for raw in HTML if not looks_like_html(raw)] == []
    assert [raw for raw in NOT_HTML if looks_like_html(raw)] == []


@given(st.binary(max_size=40))
def test_telling_web_pages_never_fails(raw: bytes) -> None:
    assert looks_like_html(raw) in (True, False)
    assert looks_like_html(b"\xff\xfe" + raw) in (True, False)


@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 7), st.integers(1, 400))
def test_inflating_gives_the_members_in_order_and_never_more_than_asked(
    members: list[bytes], step: int, room: int
) -> None:
    packed = b"".join(zlib.compress(member, wbits=31) for member in members)
    whole, inflating, got = b"".join(members), _Inflating(), b""
    for start in range(0, len(packed), step):
        piece = inflating.take(packed[start : start + step], max(0, room - len(got)))
        got += piece
        if len(got) >= room:
            break
    assert got == whole[:room]
    if len(whole) < room:
        assert inflating.is_complete


@pytest.mark.parametrize(
    ("failure", "raw", "allowed"),
    [
        (None, b"User-agent: *\nDisallow: /\n", False),
        (None, b"User-agent: *\nDisallow: /\n\nUser-agent: TercetBot\nDisallow: /b\n", True),
        (None, b"User-agent: TercetBot\nDisallow: /a\n", False),
        (None, b"", True),
        (Failure.CLIENT_ERROR, b"", True),  # RFC 9309 section 2.3.1.3
        (Failure.SERVER_ERROR, b"", False),  # section 2.3.1.4
        (Failure.UNREACHABLE, b"", False),
        (Failure.TIMEOUT, b"", False),
        (Failure.TOO_MANY_REQUESTS, b"", False),
        (Failure.REDIRECT_LOOP, b"", False),
        (Failure.ADDRESS_REFUSED, b"", False),
        (Failure.OVERSIZE, b"User-agent: *\nDisallow: /a\n", False),
        (Failure.WRONG_MEDIA_TYPE, b"User-agent: *\nDisallow: /a\n", False),
        (Failure.REDIRECT_OFF_HOST, b"User-agent: *\nDisallow: /a\n", False),
        (None, b"\xff\xfe\x00\xd8", False),  # UTF-16 that cannot be decoded
    ],
)
def test_what_robots_lets_us_do(failure: Failure | None, raw: bytes, allowed: bool) -> None:
    capture = Capture(Resource.ROBOTS_TXT, Carrier.FILE, failure=failure)
    assert permits(rules_of(capture, raw), "TercetBot", "/a.jpg") is allowed


def test_a_host_that_asks_to_wait_is_left_alone() -> None:
    times: list[float] = []
    ahead = [0.0]

    async def sleep(seconds: float) -> None:
        ahead[0] += seconds

    clock = Clock(lambda: 0.0, lambda: ahead[0], sleep)

    async def ask() -> None:
        politeness = Politeness(clock, interval_s=1.0, concurrency=1)
        for number in range(3):
            async with politeness.turn("a.example"):
                times.append(ahead[0])
            if number == 1:
                politeness.hold("a.example", 30.0)
        async with politeness.turn("b.example"):
            times.append(ahead[0])

    asyncio.run(ask())
    assert times == [0.0, 1.0, 31.0, 31.0]
