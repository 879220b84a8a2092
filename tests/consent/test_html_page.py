"""HTML as crawlers see it: WHATWG tokenization facts, encodings, and hostile pages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.html_page import Page, parse_page
from tercet.core.limits import HTML_BYTES_MAX


def page(text: str) -> Page:
    return parse_page(text.encode())


def contents(text: str) -> list[tuple[str, str]]:
    return [(meta.name, meta.content) for meta in page(text).metas]


def test_metas_links_and_lines() -> None:
    found = page(
        '<!doctype html>\n<META NAME="Robots"\n CONTENT=noai>\n'
        "<link rel='License  Nofollow' href=' /l ' type='application/RSL+xml; x=y'>"
    )
    assert [(m.name, m.content, m.line) for m in found.metas] == [("robots", "noai", 2)]
    link = found.links[0]
    assert (link.rel, link.href, link.media_type) == (
        ("license", "nofollow"), "/l", "application/rsl+xml",
    )  # fmt: skip
    assert (link.tag, link.line) == ("link", 4)
    assert found.resolve(link.href, "https://example.org/a/b") == "https://example.org/l"


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- <meta name=robots content=noai> -->",
        "<script>'<meta name=robots content=noai>'</script>",
        "<style><meta name=robots content=noai></style>",
        "<textarea><meta name=robots content=noai></textarea>",
        "<a title='<meta name=robots content=noai>'>",
        "<title><meta name=robots content=noai></title>",
    ],
)
def test_what_is_not_markup_is_not_read(hidden: str) -> None:
    assert contents(hidden) == []


@pytest.mark.parametrize(
    "shown",
    [
        "<noscript><meta name=robots content=noai></noscript>",
        "<!--><meta name=robots content=noai>",
        "<!-- --!><meta name=robots content=noai>",
        "<!---><meta name=robots content=noai>",
        "<? php ><meta name=robots content=noai>",
        "<script>x</SCRIPT ><meta name=robots content=noai>",
        "a < b <meta/name='robots'/content=noai>",
        "<body><div></p></p><meta name=robots content='no&#97;i'>",
        "<meta name = robots name=other content = noai>",
        "<meta name=robots content=no&#0000000000097;i>",
        "<div>" * 20_000 + "<meta name=robots content=noai>",
    ],
)
def test_what_is_markup_is_read(shown: str) -> None:
    assert contents(shown) == [("robots", "noai")]


@pytest.mark.parametrize(
    ("raw", "media_type", "encoding"),
    [
        ("\ufeff<meta name=robots content=noai>".encode("utf-16-le"), "", "utf-16-le"),
        ("\ufeff<meta name=robots content=noai>".encode(), "text/html; charset=latin1", "utf-8"),
        (b"<meta name=robots content=noai>\xe9", "", "cp1252"),
        (b"<meta charset=utf-7><meta name=robots content=noai>", "", "utf-8"),
        (b"<meta charset=rot13><meta name=robots content=noai>", "", "utf-8"),
        (b"<meta name=robots content=noai>", 'text/html; charset="Shift_JIS"', "cp932"),
        (b"<meta charset=koi8-r><meta name=robots content=noai>", "", "koi8-r"),
    ],
)
def test_encodings(raw: bytes, media_type: str, encoding: str) -> None:
    found = parse_page(raw, media_type)
    assert found.encoding == encoding
    assert ("robots", "noai") in [(m.name, m.content) for m in found.metas]


def test_data_scripts_are_kept_and_javascript_is_not() -> None:
    found = page(
        "<script>var a;</script><script type='text/javascript'>b</script><script type=module>"
        'c</script>\n<script type=\'application/LD+JSON; charset=utf-8\'>{"a": "</b>"}</script>'
    )
    assert [(s.media_type, s.text, s.line) for s in found.scripts] == [
        ("application/ld+json", '{"a": "</b>"}', 2)
    ]


def test_microdata_values_and_nesting() -> None:
    # HTML Standard section 5.2.4 (values): content, URL attributes, else the text.
    found = page(
        '<div itemscope itemtype="https://schema.org/Photograph">'
        '<a itemprop="license" href="/l">terms</a><b itemprop=creditText> Jo <i>Doe</i></b>'
        '<span itemprop=copyrightHolder itemscope><b itemprop="name alternateName">Acme</b></span>'
        "</div><p itemprop=stray>x</p>"
    )
    got = [(p.path, p.value, p.item) for p in found.properties]
    assert got == [
        ("license", "/l", 1),
        ("creditText", "Jo Doe", 1),
        ("copyrightHolder.name", "Acme", 1),
        ("copyrightHolder.alternateName", "Acme", 1),
        ("stray", "x", 0),
    ]
    assert found.properties[0].item_type == "https://schema.org/Photograph"


def test_rdfa_properties_and_subjects() -> None:
    found = page(
        '<div about="photo.jpg"><a rel="cc:license" href="u">x</a></div>'
        '<span property="dct:title">T</span><meta property="og:title" content="o">'
    )
    assert (found.links[0].rel, found.links[0].about) == (("cc:license",), "photo.jpg")
    assert [(p.path, p.value, p.about) for p in found.properties] == [
        ("dct:title", "T", ""),
        ("og:title", "o", ""),
    ]
    assert found.metas[0].property == "og:title"


def test_oversize_page_has_a_fault() -> None:
    raw = b"<meta name=robots content=noai>" + b" " * HTML_BYTES_MAX
    assert parse_page(raw).fault
    assert parse_page(raw).metas
    assert not parse_page(b"<p>").fault


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(raw: bytes) -> None:
    assert parse_page(raw) == parse_page(bytes(raw))


HTML_PIECES = st.sampled_from(
    ["<", ">", "</", "<!--", "-->", "<meta ", "<a ", "<script>", "</script", "itemprop=", "'", '"',
     "=", "&#9", "9" * 40, "itemscope", " ", "/", "x", "<div>", "</div>", "property=p", "rel=r "]
)  # fmt: skip


@given(st.lists(HTML_PIECES, max_size=60))
def test_any_markup_is_survived(pieces: list[str]) -> None:
    found = page("".join(pieces))
    assert all(meta.line >= 1 for meta in found.metas)


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<!--", "</", "<a b=", "<a b='", "&#", "&#9", "<script>", "</script", "<b><i>",
     "<p itemprop=a itemscope>x", "<i itemprop=b>x", "<a b c d", "<title>", "\n", "<meta x>"],
)  # fmt: skip
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    raw = (piece * 400_000)[:200_000].encode()
    started = time.process_time()
    parse_page(raw)
    assert time.process_time() - started < 3


def test_a_number_of_many_digits_does_not_raise() -> None:
    assert contents(f"<meta name=a content='&#{'9' * 5000};x'>") == [("a", "\ufffdx")]


PLAIN = st.sampled_from(
    [
        '<meta name="robots" content="a&amp;b">', '<link rel="license" href="/x?a=1&amp;b=2">',
        "<p>text <b>bold</b></p>", "<!-- <meta name=x content=y> -->", "<META CONTENT=z NAME=q>",
        "<script>if(a<b){}</script>", '<img src=a.png alt="<meta>">', "<style>a>b{}</style>",
        '<a rel="license nofollow" href="u">t</a>', "<noscript><link rel=a href=b></noscript>",
        "<title><b></title>", "<ul><li>a<li>b</ul>", "<br/>", "<input disabled value='>'>",
    ]
)  # fmt: skip


@given(st.lists(PLAIN, max_size=15))
def test_a_tree_builder_sees_the_same_metas_and_links(parts: list[str]) -> None:
    html = pytest.importorskip("lxml.html")
    raw = ("<html><body>" + "\n".join(parts) + "</body></html>").encode()
    found = parse_page(raw)
    tree = html.fromstring(raw)
    assert sorted((m.name, m.content) for m in found.metas) == sorted(
        (element.get("name"), element.get("content")) for element in tree.iter("meta")
    )
    assert [(" ".join(link.rel), link.href) for link in found.links] == [
        (element.get("rel"), element.get("href")) for element in tree.xpath("//*[@rel]")
    ]
