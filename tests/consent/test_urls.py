"""The vectorised cut of URLs agrees with a WHATWG library, whatever the URL."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tercet.consent.paths import normalise_path
from tercet.consent.urls import is_clean_host, origin_of, split_url, split_urls

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


@given(st.lists(urls, min_size=1, max_size=20))
@example(["http://a.example"])
@example(["https://a.example/x?y/z", "", "http:", "a/b/c/d/e"])
def test_a_plain_cut_means_what_the_library_means(batch: list[str]) -> None:
    columns = split_urls(pa.array(batch, pa.string()))
    for at, url in enumerate(batch):
        host = columns.hosts[at].as_py()
        if not columns.plain[at] or not is_clean_host(host):
            continue
        scheme = "https" if columns.secure[at] else "http"
        origin = origin_of(scheme, host)
        split = split_url(url)
        assert (origin is None) == (split is None)
        if split is None:
            continue
        assert origin == split.origin
        if not columns.odd[at]:
            path = "/" + columns.rests[at].as_py()
            assert path == split.path
            if not columns.escaped[at]:
                assert normalise_path(path.encode()) == path.encode()


def test_paths_come_as_one_text_with_bounds() -> None:
    columns = split_urls(
        pa.array(["http://a.example/x?y", "https://b.example", "http://c.example/z"])
    )
    text, bounds = columns.paths(np.array([2, 1, 0]))
    assert [text[s:e] for s, e in pairwise(bounds.tolist())] == ["/z", "/", "/x?y"]


def test_words_are_the_first_eight_octets() -> None:
    columns = split_urls(
        pa.array(["http://a.example/abcdefghij", "https://a.example/ab", "http://a.example"])
    )
    assert [int(word).to_bytes(8, "little") for word in columns.words] == [
        b"abcdefgh",
        b"ab" + bytes(6),
        bytes(8),
    ]  # fmt: skip


def test_sliced_arrays_are_cut_at_their_own_rows() -> None:
    whole = pa.array(["http://skip.example/0", "https://a.example/one", "http://b.example/two"])
    columns = split_urls(whole[1:])
    assert columns.hosts.to_pylist() == ["a.example", "b.example"]
    assert columns.secure.tolist() == [True, False]
    assert np.all(columns.plain)


@pytest.mark.parametrize(
    "url", ["", "example.org/x", "mailto:a@b.example", "http://", "http://a b/", "http://[::1/",
            "http://1.2.3.4.5/", "javascript:alert(1)", "file:///etc/passwd", "http://\ud800/"]
)  # fmt: skip
def test_what_is_no_web_url_is_none(url: str) -> None:
    assert split_url(url) is None
