"""URLs cut in bulk agree with a WHATWG library; compiled and plain loops agree."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tercet.consent import row_matching, row_matching_plain
from tercet.consent.paths import normalise_path
from tercet.consent.row_matching import (
    ESCAPED,
    ODD,
    PLAIN,
    SECURE,
    PathMatcher,
    TextIndex,
    UrlCuts,
    octets_of,
    second_octets,
)
from tercet.consent.urls import is_clean_host, origin_of, split_url

NASTY = "abcA0/.:?#@%[]\\ \t\n~'\"<>|^`{}é☃$&*-_=\x00"
urls = st.one_of(
    st.text(alphabet=NASTY, max_size=40),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["http://", "https://", "HTTP://", "http:/", "ftp://", "//", "https:"]),
        st.sampled_from(
            ["a.example", "A.Example", "a.example:80", "a.example:8080", "u:p@a.example", "1.2.3",
             "0x7f.1", "[::1]", "xn--bcher-kva.example", "bücher.example", "a..b", "a.example."]
        ),
        st.one_of(st.just(""), st.text(alphabet=NASTY, max_size=12).map(lambda t: "/" + t)),
    ),
)  # fmt: skip


@pytest.fixture(autouse=True, params=["compiled", "plain"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(row_matching, "_library", None)
    elif not row_matching.COMPILED:
        pytest.skip("no C compiler was there when Tercet was installed")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(urls, min_size=1, max_size=20))
@example(["http://a.example"])
@example(["https://a.example/x?y/z", "", "http:", "a/b/c/d/e"])
def test_a_plain_cut_means_what_the_library_means(batch: list[str]) -> None:
    cuts = UrlCuts.of(pa.array(batch, pa.string()))
    octets = cuts.data.tobytes()
    for at, url in enumerate(batch):
        if not cuts.flags[at] & PLAIN or not is_clean_host(cuts.host(at)):
            continue
        origin = origin_of("https" if cuts.flags[at] & SECURE else "http", cuts.host(at))
        split = split_url(url)
        assert (origin is None) == (split is None)
        if split is None:
            continue
        assert origin == split.origin
        if not cuts.flags[at] & ODD:
            path = octets[cuts.host_end[at] : cuts.end[at]]
            assert path == split.path.encode()
            if not cuts.flags[at] & ESCAPED:
                assert normalise_path(path) == path


@given(st.lists(urls, min_size=1, max_size=20))
def test_both_implementations_cut_alike(batch: list[str]) -> None:
    texts = pa.array(batch, pa.string())
    cuts = UrlCuts.of(texts)
    flags, start, end = (np.empty_like(a) for a in (cuts.flags, cuts.host_start, cuts.host_end))
    row_matching_plain.cut_urls(cuts.data, cuts.offset, flags, start, end)
    assert flags.tolist() == cuts.flags.tolist()
    assert start.tolist() == cuts.host_start.tolist()
    assert end.tolist() == cuts.host_end.tolist()


patterns = st.builds(
    "{}{}".format, st.sampled_from(["/", "*", ""]), st.text(alphabet="/ab*$?.", max_size=10)
)
some_paths = st.text(alphabet="/ab?.", max_size=12).map(lambda text: "/" + text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.lists(patterns, max_size=5)), max_size=4),
    st.lists(some_paths, min_size=1, max_size=10),
)
def test_both_implementations_match_alike(
    readings: list[tuple[int, list[str]]], paths: list[str]
) -> None:
    every = [pattern.encode() for _, group in readings for pattern in group]
    sizes = [len(group) for _, group in readings]
    pattern = np.cumsum([0] + [len(pattern) + 1 for pattern in every])
    text = np.frombuffer(b"\n".join([*every, b""]) or b"\n", dtype=np.uint8)
    matcher = PathMatcher(
        reading_of_book=np.array([0, len(readings)]),
        matching=np.array([mode for mode, _ in readings], dtype=np.uint8),
        rule_of_reading=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        broad=np.array([pattern in (b"/", b"/*") for pattern in every], dtype=np.uint8),
        second=second_octets(pattern, text),
        pattern=pattern,
        text=text,
    )
    data = np.frombuffer("".join(paths).encode(), dtype=np.uint8)
    bound = np.cumsum([0] + [len(path) for path in paths])
    book = np.zeros(len(paths), dtype=np.int32)
    got = matcher.keys(data, bound[:-1], bound[1:], book)
    expected = np.empty(len(paths), dtype=np.uint64)
    row_matching_plain.match_paths(data, bound[:-1], bound[1:], book, matcher, expected)
    assert got.tolist() == expected.tolist()


@given(st.lists(st.text(max_size=20), unique=True, max_size=30), st.lists(st.text(max_size=20)))
def test_texts_are_found_by_their_octets(known: list[str], asked: list[str]) -> None:
    index = TextIndex(pa.array(known, pa.string()))
    wanted = [*asked, *known]
    data, offset = octets_of(pa.array(wanted, pa.string()))
    found = index.find(data, offset[:-1], offset[1:])
    assert found.tolist() == [known.index(text) if text in known else -1 for text in wanted]


def test_sliced_arrays_are_cut_at_their_own_rows() -> None:
    whole = pa.array(["http://skip.example/0", "https://a.example/one", "http://b.example"])
    cuts = UrlCuts.of(whole[1:])
    assert [cuts.host(0), cuts.host(1)] == ["a.example", "b.example"]
    assert cuts.flags.tolist() == [PLAIN | SECURE, PLAIN | ODD]


@pytest.mark.parametrize(
    "url", ["", "example.org/x", "mailto:a@b.example", "http://", "http://a b/", "http://[::1/",
            "http://1.2.3.4.5/", "javascript:alert(1)", "file:///etc/passwd", "http://\ud800/"]
)  # fmt: skip
def test_what_is_no_web_url_is_none(url: str) -> None:
    assert split_url(url) is None
