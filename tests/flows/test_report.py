"""The report page: nothing foreign in it, nothing missing from it, readable by everybody."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import IntegrityError
from tercet.flows.agreement_lines import AgreementLine
from tercet.flows.report import PolicySummary, ReportSummary, render_report
from tercet.flows.report_markup import number, share, size
from tercet.flows.report_style import STYLE

THIN = "\u202f"
VOID = {"meta", "br"}
SUMMARY = ReportSummary(
    title="crawl.parquet",
    created_at="2026-11-22T13:40:00+00:00",
    policy=PolicySummary("strict", "1", "2026-11-22", "Opt-in", "Only a grant clears.", ""),
    usage="train_generative",
    row_count=1_234_567,
    verdict_counts=(("held", 1), ("blocked", 834_566), ("cleared", 400_000)),
    reason_counts=(("no_grant", "Nobody allowed it", "blocked", 800_000),),
    top_sites=(("https://example.org", 3, 0, 7, 0), ("", 1, 0, 0, 0)),
    signal_counts=(("robots", "robots.txt", 90, 1, 20, 0, 2),),
    remedies=(("have no grant: a licence from the owners of 310 sites", 800_000),),
    offers=(("EUR 0.01", "https://example.org/licence.xml", 9),),
    inputs=(("crawl.parquet", 1_234_567, 20_123_456, "ab" * 32),),
    clearance_digest="cd" * 32,
    key_id="7f1c9a0e",
    agreements=(
        AgreementLine("urn:uuid:a1", "Owner", "urn:tercet:party:1", "", 40, "2028-01-01", ("pay",)),
        AgreementLine("urn:uuid:a2", "Makers", "urn:tercet:party:2", "urn:uuid:s", 12, "", ()),
    ),
)


class Outline(HTMLParser):
    """What a browser would build: elements in order, attributes, text, balance."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def hostile(text: str) -> ReportSummary:
    """The summary with ``text`` wherever a stranger can put it."""
    return replace(
        SUMMARY,
        title=text,
        top_sites=((text, 1, 0, 0, 0),),
        offers=((text, text, 1),),
        inputs=((text, 1, 1, text),),
        reason_counts=((text, text, "blocked", 1),),
        signal_counts=((text, text, 1, 1, 0, 0, 0),),
        remedies=((text.replace("`", "'"), 1),),
        agreements=(AgreementLine(text, text, text, text, 1, "2028-01-01", (text,)),),
    )


def test_every_figure_is_on_the_page() -> None:
    text = Outline(render_report(SUMMARY)).text
    for shown in (
        f"1{THIN}234{THIN}567", f"400{THIN}000", f"834{THIN}566", f"32.4{THIN}%",
        "22 November 2026", "example.org", "local files",
        "Nobody allowed it", "no_grant", "robots.txt", "EUR 0.01",
        "the owners of 310 sites", "ab" * 32, "cd" * 32, "7f1c9a0e", f"20.1{THIN}MB",
        "training generative models", "Only a grant clears.", "tercet verify .",
        "2 agreements", "Owner", "2028-01-01", "pay", "urn:uuid:a1", "Makers, for its members",
        "no end said", "tercet duties .",
    ):  # fmt: skip
        assert shown in text, shown


def test_it_is_one_page_and_asks_nobody_for_anything() -> None:
    page = render_report(SUMMARY)
    outline = Outline(page)
    assert not outline.open
    assert not {"script", "img", "iframe", "object", "link", "form"} & {
        e for e, _ in outline.elements
    }
    attributes = {name for _, given in outline.elements for name in given}
    assert not {a for a in attributes if a in {"src", "style"} or a.startswith("on")}
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_the_content_policy_allows_this_style_and_nothing_else() -> None:
    policies = [m for m in Outline(render_report(SUMMARY)).every("meta") if "http-equiv" in m]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    content = policies[0]["content"] or ""
    assert "default-src 'none'" in content
    assert f"style-src 'sha256-{digest}'" in content


def test_counts_that_do_not_add_up_make_no_report() -> None:
    with pytest.raises(IntegrityError, match="1234567 rows, got 1234566"):
        render_report(replace(SUMMARY, verdict_counts=(("blocked", 1_234_566),)))


def test_a_contested_assertion_stands_above_everything_else() -> None:
    claim = "ASSERTS A CONTESTED DEFENCE"
    contested = replace(SUMMARY, policy=replace(SUMMARY.policy, assertion=claim))
    text = Outline(render_report(contested)).text
    assert text.index(claim) < text.index("items")
    assert text.count(claim) == 2
    assert "assertion" not in Outline(render_report(SUMMARY)).text


def test_an_empty_corpus_has_a_report() -> None:
    empty = replace(
        SUMMARY, row_count=0, verdict_counts=(), reason_counts=(), top_sites=(), signal_counts=(),
        remedies=(), offers=(), inputs=(), agreements=(),
    )  # fmt: skip
    outline = Outline(render_report(empty))
    assert "The corpus has no items." in outline.text
    assert not outline.every("table")


def test_of_many_agreements_those_of_most_items_are_shown() -> None:
    (line, _) = SUMMARY.agreements
    many = tuple(replace(line, id=f"urn:uuid:{at}") for at in range(10_000))
    text = Outline(render_report(replace(SUMMARY, agreements=many))).text
    assert f"10{THIN}000 agreements" in text
    assert "The 50 with most items are shown." in text
    assert text.count("urn:uuid:") == 50


def test_remedies_read_as_sentences() -> None:
    said = replace(SUMMARY, remedies=(("have no date: run `tercet survey` again", 1), ("lie", 2)))
    outline = Outline(render_report(said))
    text = " ".join(outline.text.split())
    assert "1 item has no date: run tercet survey again" in text
    assert "2 items lie" in text


def test_what_can_be_bought_is_said_first() -> None:
    counts = (("offered", 2), ("blocked", 834_565), ("cleared", 400_000))
    text = " ".join(Outline(render_report(replace(SUMMARY, verdict_counts=counts))).text.split())
    bought = text.index("2 items can be licensed at a price their owners name: see the offers")
    assert bought < text.index("have no grant")


ATTACKS = (
    "</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onload="alert(1)',
    "javascript:alert(1)", "data:text/html,<script>", "https://a.example/\u202egpj.exe",
    "\x00\x1b[2J", "&lt;b&gt;", "</bdi></table></style>", "https://x.example/\ud800", "a" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=[repr(attack[:20]) for attack in ATTACKS])
def test_hostile_names_stay_text(attack: str) -> None:
    page = render_report(hostile(attack))
    outline = Outline(page)
    harmless = Outline(render_report(hostile("plain")))
    assert [tag for tag, _ in outline.elements] == [tag for tag, _ in harmless.elements]
    assert all((a["href"] or "").startswith(("#", "https://")) for a in outline.every("a"))
    page.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


@given(st.text(max_size=60))
def test_no_text_changes_the_structure(text: str) -> None:
    tags = [tag for tag, _ in Outline(render_report(hostile("x" + text))).elements]
    assert tags == [tag for tag, _ in Outline(render_report(hostile("x"))).elements]


def test_headings_tables_and_charts_speak_to_everybody() -> None:
    outline = Outline(render_report(SUMMARY))
    assert outline.every("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(outline.every("caption")) == len(outline.every("table")) >= 5
    assert all(th.get("scope") in {"col", "row"} for th in outline.every("th"))
    assert all(
        svg.get("aria-hidden") or (svg.get("role") == "img" and svg.get("aria-label"))
        for svg in outline.every("svg")
    )
    ids = [given["id"] for _, given in outline.elements if "id" in given]
    assert len(ids) == len(set(ids))
    inner = {(a["href"] or "")[1:] for a in outline.every("a") if (a["href"] or "").startswith("#")}
    assert inner <= set(ids)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


PALETTES = [dict(re.findall(r"--([a-z-]+): #([0-9a-f]{3,6});", root))
            for root in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)]  # fmt: skip


@pytest.mark.parametrize("palette", PALETTES, ids=["light", "dark", "paper"])
def test_contrast(palette: dict[str, str]) -> None:
    kinds = ("cleared", "offered", "blocked", "held")
    text = [(ink, ground) for ink in ("ink", "soft") for ground in ("paper", "panel")]
    text += [("link", "paper"), ("ink", "warn-paper"), *(("on", kind) for kind in kinds)]
    low = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in text}
    assert not {pair: ratio for pair, ratio in low.items() if ratio < 4.5}
    shapes = [(kind, "paper") for kind in (*kinds, "warn-line")]
    assert not [pair for pair in shapes if contrast(palette[pair[0]], palette[pair[1]]) < 3]


@pytest.mark.parametrize(
    ("count", "whole", "shown"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (1, 10**6, "< 0.1 %"), (999_999, 10**6, "> 99.9 %"),
     (10**6, 10**6, "100 %"), (1, 3, "33.3 %"), (999, 1000, "99.9 %")],
)  # fmt: skip
def test_shares_round_nothing_away(count: int, whole: int, shown: str) -> None:
    assert share(count, whole) == shown.replace(" ", THIN)


def test_numbers_and_sizes() -> None:
    assert number(1234567).replace(THIN, " ") == "1 234 567"
    assert [size(n).replace(THIN, " ") for n in (999, 1000, 1_999_999, 3 * 10**9)] == [
        "999 bytes", "1.0 kB", "1.9 MB", "3.0 GB",
    ]  # fmt: skip
