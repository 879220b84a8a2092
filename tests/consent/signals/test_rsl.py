"""RSL: laws that hold for any bytes, hostile documents, and what a document does to a path.

The cases themselves are in vectors/rsl.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tercet.consent.facts import Standing, join_readings, permission_standing
from tercet.consent.paths import matches, normalise_path
from tercet.consent.signals import rsl
from tercet.consent.web_link import WebLink, parse_links
from tercet.core.declaration import Carrier, Declaration, Matching, Reading, Source
from tercet.core.limits import CONDITION_TEXT_MAX, XML_BYTES_MAX
from tercet.core.usage import Permission, Usage

FILE = Source("https://example.org/license.xml", Carrier.FILE)
PAGE = Source("https://example.org/p", Carrier.META, media_type="text/html")
XMP = Source("a.jpg", Carrier.EMBEDDED)
OPENING = '<rsl xmlns="https://rslstandard.org/rsl">'
READERS: tuple[Callable[[bytes, Source], tuple[Declaration, ...]], ...] = (
    rsl.read_rsl_xml, rsl.read_robots, rsl.read_headers, rsl.read_html, rsl.read_embedded,
    rsl.read_metadata,
)  # fmt: skip


def document(*contents: str) -> bytes:
    return f"{OPENING}{''.join(contents)}</rsl>".encode()


def content(url: str, terms: str) -> str:
    return f'<content url="{url}"><license>{terms}</license></content>'


def permits(words: str) -> str:
    return f'<permits type="usage">{words}</permits>'


def prohibits(words: str) -> str:
    return f'<prohibits type="usage">{words}</prohibits>'


def priced(number: int) -> str:
    return f'<payment type="crawl"><amount currency="EUR">{number}</amount></payment>'


def said(reading: Reading, path: bytes, usage: Usage) -> Standing:
    """What a reading says at a path, worked out from the contract of `Matching` alone."""
    found = [
        (len(s.pattern or ""), p is not Permission.DENY, permission_standing(p, s.conditions))
        for s in reading.statements
        for named, p in s.permissions
        if named is usage and matches((s.pattern or "").encode(), path)
    ]
    if reading.matching is Matching.LONGEST:
        found = [max(found, key=lambda one: one[:2])] if found else []
    joined = Standing.NONE
    for _, _, standing_ in found:
        joined |= standing_
    return joined


def standing(raw: bytes, path: str, usage: Usage = Usage.TRAIN_GENERATIVE) -> Standing:
    joined = Standing.NONE
    for found in rsl.read_rsl_xml(raw, FILE):
        readings = [said(one, normalise_path(path.encode()), usage) for one in found.readings]
        joined |= join_readings(readings, fault=bool(found.fault))
    return joined


def test_the_example_of_section_3_1_2_at_paths() -> None:
    raw = document(content("/", permits("all")), content("/articles/", prohibits("ai-train")))
    assert standing(raw, "/about") == Standing.ALLOWS
    assert standing(raw, "/articles/1") == Standing.DENIES
    assert standing(raw, "/articles/1", Usage.SEARCH) == Standing.ALLOWS


def test_narrow_grant_inside_a_broad_denial() -> None:
    raw = document(content("/", prohibits("all")), content("/open/", permits("ai-train")))
    assert standing(raw, "/open/a") == Standing.ALLOWS
    assert standing(raw, "/open/a", Usage.SEARCH) == Standing.DENIES  # left out of the list
    assert standing(raw, "/") == Standing.DENIES


def test_flaw_allow_wins_a_tie_of_pattern_length() -> None:
    raw = document(content("/a*.bc", permits("all")), content("/a/x*c", prohibits("all")))
    assert standing(raw, "/a/x.bc") & Standing.DENIES


@pytest.mark.parametrize("wide", ["/a*", "/a**", "/a*$", "https://www.example.org/a*"])
def test_flaw_a_star_at_the_end_looks_narrower(wide: str) -> None:
    raw = document(content(wide, permits("all")), content("/a", prohibits("all")))
    assert standing(raw, "/a") == Standing.DENIES


@pytest.mark.parametrize("everywhere", ["", "*", "/*", "https://example.org", "//example.org/"])
def test_flaw_everywhere_written_otherwise_is_broader(everywhere: str) -> None:
    raw = document(content("/", permits("all")), content(everywhere, prohibits("all")))
    assert standing(raw, "/a") == Standing.DENIES


def test_flaw_a_grant_in_a_faulty_document() -> None:
    raw = document(content("/", permits("ai-train") + "<permit>ai-train</permit>"))
    assert standing(raw, "/") == Standing.UNREADABLE


def test_flaw_a_pointer_that_grants() -> None:
    (declaration,) = rsl.read_robots(b"License: https://example.org/l.xml\n", FILE)
    assert all(said(declaration.readings[0], b"/", usage) == Standing.NONE for usage in Usage)
    assert not declaration.fault


def test_scope_outside_every_pattern_is_not_spoken_of() -> None:
    assert standing(document(content("/private/", permits("search"))), "/x") == Standing.NONE


def test_a_document_that_lies_elsewhere_speaks_of_the_site_that_points_to_it() -> None:
    """Section 4.4: a License line may name a collective's file on another host."""
    lies_at = "https://collective.example/royalty.xml"
    source = Source(lies_at, Carrier.FILE, site="https://example.org")
    for url, said_ in (("https://example.org/", "deny"), ("/", "deny"), (lies_at, "unknown")):
        (found,) = rsl.read_rsl_xml(document(content(url, prohibits("all"))), source)
        permissions = dict(found.readings[0].statements[0].permissions)
        assert permissions[Usage.TRAIN_GENERATIVE] == said_
        assert bool(found.fault) == (said_ == "unknown")


def test_price_is_an_exact_offer() -> None:
    terms = '<payment type="training"><amount currency="usd">0.015</amount></payment>'
    (found,) = rsl.read_rsl_xml(document(content("/", permits("ai-train") + terms)), FILE)
    prices = [c for s in found.readings[0].statements for c in s.conditions if c.price]
    assert [(str(c.price), c.price_unit) for c in prices] == [("USD 0.015", "training")]
    assert standing(document(content("/", terms)), "/") & Standing.PRICED


def test_no_kind_of_condition_is_lost_among_many_offers() -> None:
    offers = [priced(n) for n in range(200)]
    offers.append('<permits type="user">personal</permits>')
    raw = document(content("/", "</license><license>".join(offers)))
    assert standing(raw, "/") & Standing.NON_COMMERCIAL


@pytest.mark.parametrize("amount", ["1_000", "-5", "1e3", "٣", "1,50", "NaN", "", "0.0000001"])
def test_flaw_an_amount_that_is_no_price(amount: str) -> None:
    terms = f'<payment type="training"><amount currency="EUR">{amount}</amount></payment>'
    raw = document(content("/", permits("ai-train") + terms))
    found = standing(raw, "/")
    assert found & Standing.PAYMENT
    assert not found & (Standing.PRICED | Standing.ALLOWS)


def test_lines_of_an_inline_document_are_lines_of_the_page() -> None:
    raw = (
        b"<html>\n<script type='application/rsl+xml'>\n\n"
        + document("\n", content("", "\n" + prohibits("ai-train")))
        + b"</script>"
    )
    (found,) = rsl.read_html(raw, PAGE)
    assert found.readings[0].statements[0].line == 5
    assert raw.splitlines()[4].startswith(b"<content")


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ('<a>; rel="license"', [("a", ("license",), "")]),
        ("<a>;rel=x , <b> ; rel = license", [("a", ("x",), ""), ("b", ("license",), "")]),
        ('<a>; title="<b>; rel=license"', [("a", (), "")]),
        ('<a>; rel="x\\"y', [("a", ('x"y',), "")]),
        ("<a>; rel=first; rel=second", [("a", ("first",), "")]),
        ("no link", []),
    ],
)
def test_link_field_syntax(value: str, links: list[tuple[str, tuple[str, ...], str]]) -> None:
    """RFC 8288 section 3 and appendix B.2."""
    assert parse_links(value) == tuple(WebLink(*link) for link in links)


# ---- laws over generated documents

WORDS = ("all", "ai-all", "ai-train", "ai-input", "ai-index", "search", "train-ai", "x")
URLS = ("", "/", "/a", "/a/b", "/*.jpg", "/a*", "https://example.org/a", "https://e.net/", "nope")
terms = st.lists(
    st.one_of(
        st.builds(permits, st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)),
        st.builds(prohibits, st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)),
        st.sampled_from(
            ["", '<payment type="free"/>', '<payment type="crawl"/>', "<unknown/>",
             '<permits type="user">personal</permits>', "<permits>search</permits>"]
        ),
    ),
    max_size=4,
).map("".join)  # fmt: skip
contents = st.lists(st.builds(content, st.sampled_from(URLS), terms), min_size=1, max_size=4)
GRANTS = Standing.ALLOWS | Standing.CONDITIONAL


@given(contents, st.sampled_from(["/", "/a", "/a/b.jpg", "/c"]), st.sampled_from(list(Usage)))
def test_law_order_of_contents_means_nothing(found: list[str], path: str, usage: Usage) -> None:
    """Section 3.1.1: document order must not affect the interpretation."""
    forward = standing(document(*found), path, usage)
    assert forward == standing(document(*reversed(found)), path, usage)


@given(contents, st.sampled_from(["/", "/a", "/a/b.jpg"]), st.sampled_from(list(Usage)))
def test_law_a_prohibition_of_a_scope_never_grants_more(
    found: list[str], path: str, usage: Usage
) -> None:
    before = standing(document(*found), path, usage)
    after = standing(document(*found, content(path, prohibits("all"))), path, usage)
    assert not after & GRANTS & ~before
    assert after & (Standing.DENIES | Standing.UNREADABLE)


@given(contents, st.sampled_from(["/", "/a", "/a/b.jpg"]), st.integers(0, 60))
def test_law_a_document_cut_short_never_grants_more(found: list[str], path: str, cut: int) -> None:
    whole = document(*found)
    assert not standing(whole[: max(0, len(whole) - 1 - cut)], path) & GRANTS


# ---- hostile bytes


@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode)))
@example(b"\xff\xfe<\x00")
@example(b"Link: <//[>; rel=license; type=application/rsl+xml")
@example(b"License: //[\n")
def test_law_no_bytes_raise(raw: bytes) -> None:
    for reader in READERS:
        for source in (FILE, XMP):
            for prefix in (b"", OPENING.encode(), b"<link rel=license type=application/rsl+xml "):
                for found in reader(prefix + raw, source):
                    assert found.readings
                    assert len(found.declaration_id) == 16


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text(max_size=20))
def test_law_any_attribute_and_word_is_survived(url: str, word: str) -> None:
    from xml.sax.saxutils import escape, quoteattr

    inner = f"<license>{prohibits(escape(word))}<payment type={quoteattr(word)}/></license>"
    raw = f"{OPENING}<content url={quoteattr(url)}>{inner}</content></rsl>".encode()
    for found in rsl.read_rsl_xml(raw, FILE):
        for statement in found.readings[0].statements:
            assert all(p is not Permission.ALLOW for _, p in statement.permissions)
            assert (statement.pattern or "").isascii()


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
HOSTILE = {
    "billion-laughs": f'<!DOCTYPE rsl [<!ENTITY l0 "lol">{LAUGHS}]>{OPENING}&l9;</rsl>'.encode(),
    "quadratic-blow-up": b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 10**5 + b'">]><r>' + b"&a;" * 10**5,
    "external-entity": b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>',
    "deep": OPENING.encode() + b'<content url="/"><license>' * 50_000,
    "deep-permits": OPENING.encode() + b"<license><permits type='usage'>" * 120
    + b"x " * 1_000_000,
    "wide": document(*[content(f"/{n}", permits("search")) for n in range(20_000)]),
    "many-licenses": document(content("/", "</license><license>".join(["<payment/>"] * 50_000))),
    "many-patterns": document(*[content(f"/*{n}", prohibits("all")) for n in range(9_000)]),
    "many-offers": document(content("/", "</license><license>".join(map(priced, range(9_000))))),
    "many-offers-of-one-scope": document(*[content("/", priced(n)) for n in range(9_000)]),
    "huge-attribute": document(content("/" + "a*" * 500_000, permits("all"))),
    "huge-list": document(content("/", prohibits("ai-train " * 300_000))),
    "many-attributes": OPENING.encode() + b"<content "
    + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/></rsl>",
    "oversize": OPENING.encode() + b" " * XML_BYTES_MAX,
    "many-namespaces": b"".join(b'<a xmlns:n%d="x">' % n for n in range(200)) + OPENING.encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_stay_fast_and_bounded(name: str) -> None:
    started = time.process_time()
    declarations = rsl.read_rsl_xml(HOSTILE[name], FILE)
    assert time.process_time() - started < 3.0
    assert 1 <= len(declarations) <= 2
    assert all(len(text) <= CONDITION_TEXT_MAX for d in declarations for _, text in d.evidence)


@pytest.mark.parametrize("name", ["billion-laughs", "quadratic-blow-up", "external-entity"])
def test_flaw_entities_are_expanded(name: str) -> None:
    (found,) = rsl.read_rsl_xml(HOSTILE[name], FILE)
    assert "entities" in found.fault


@pytest.mark.parametrize(
    "value",
    [
        b"<" * 60_000,
        b"<a>;" * 15_000,
        b'<a>; x="' + b"\\" * 60_000,
        b"<a>" + b" ;" * 30_000,
        b'<a>; rel="license"; type="application/rsl+xml",' * 1_000,
    ],
)
def test_hostile_link_fields_stay_fast(value: bytes) -> None:
    started = time.process_time()
    rsl.read_headers(b"Link: " + value, FILE)
    assert time.process_time() - started < 1.0


def test_many_license_records_are_bounded() -> None:
    found = rsl.read_robots(b"License: /a\n" * 40_000, FILE)
    assert len(found) <= 501
    assert found[-1].fault
