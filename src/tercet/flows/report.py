"""The report of a clearance: one HTML page that needs nothing but itself.

No script, no outside resource, every chart with its figures beside it. The page is a picture of
clearance.json; what is signed, and what counts, is that file.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from tercet.core.errors import IntegrityError
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome
from tercet.flows.agreement_lines import AgreementLine
from tercet.flows.report_markup import (
    Markup,
    bar,
    element,
    join,
    link,
    number,
    outside,
    plural,
    prose,
    share,
    size,
    table,
    wide_bar,
)
from tercet.flows.report_style import STYLE

OUTCOME_TEXT: dict[Outcome, str] = {
    Outcome.CLEARED: "may be used, under the duties its reasons name",
    Outcome.OFFERED: "not yet: a licence can be had at a known price",
    Outcome.BLOCKED: "may not be used",
    Outcome.HELD: "could not be decided; not to be used until it is",
}
USAGE_TEXT: dict[Usage, str] = {
    Usage.TRAIN_GENERATIVE: "training generative models",
    Usage.TRAIN_NONGENERATIVE: "training models that generate nothing",
    Usage.AI_INPUT: "input to a model at the time of use",
    Usage.AI_INDEX: "indexing for a model's answers",
    Usage.SEARCH: "search",
    Usage.MINE: "text and data mining",
}

_AGREEMENTS_SHOWN = 50
_SINGULAR = {"have": "has", "are": "is", "stand": "stands", "need": "needs", "lie": "lies"}


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """The policy as the report shows it; ``assertion`` is "" for all but contested policies."""

    id: str
    version: str
    date: str
    title: str
    summary: str
    assertion: str


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """Everything the report shows. Counts are items unless said otherwise.

    ``created_at`` is an RFC 3339 time, ``usage`` a `Usage` value.

    verdict_counts  (outcome, items)
    reason_counts   (code, plain text, outcome, items); an item may have several reasons
    top_sites       (site, cleared, offered, blocked, held); "" is a local file
    signal_counts   (signal, title, declarations, allow, deny, conditional, unreadable)
    remedies        (what is missing and what it would take, to follow "9 items"; items);
                    `...` in it is shown as code
    offers          (price as text, URL, items)
    inputs          (name, rows, bytes, SHA-256)
    agreements      those that cleared items rest on, those of most items first
    """

    title: str
    created_at: str
    policy: PolicySummary
    usage: str
    row_count: int
    verdict_counts: tuple[tuple[str, int], ...]
    reason_counts: tuple[tuple[str, str, str, int], ...]
    top_sites: tuple[tuple[str, int, int, int, int], ...]
    signal_counts: tuple[tuple[str, str, int, int, int, int, int], ...]
    remedies: tuple[tuple[str, int], ...]
    offers: tuple[tuple[str, str, int], ...]
    inputs: tuple[tuple[str, int, int, str], ...]
    clearance_digest: str
    key_id: str
    agreements: tuple[AgreementLine, ...] = ()


def render_report(summary: ReportSummary) -> str:
    """Return the whole page.

    Raises IntegrityError when the verdict counts do not add up to the rows.
    """
    counts = _counts(summary)
    sections = (
        ("verdicts", "Verdicts", _verdicts(summary, counts)),
        ("missing", "What is missing, and what it would take", _missing(summary, counts)),
        ("agreements", "Agreements", _agreements(summary)),
        ("offers", "Offers", _offers(summary)),
        ("reasons", "Reasons", _reasons(summary)),
        ("sites", "Sites", _sites(summary)),
        ("signals", "Signals found", _signals(summary)),
        ("policy", "Policy", _policy(summary)),
        ("inputs", "Inputs", _inputs(summary)),
        ("verify", "How to verify", _verify(summary)),
    )
    shown = [section for section in sections if section[2]]
    links = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in shown]
    main = element(
        "main",
        element("header", *_header(summary, counts)),
        element("nav", element("ul", *links), aria_label="Contents"),
        *(
            element("section", element("h2", name, id=f"{key}-title"), content,
                    id=key, aria_labelledby=f"{key}-title")
            for key, name, content in shown
        ),
    )  # fmt: skip
    body = element("body", main, element("footer", *_footer()))
    return "<!doctype html>\n" + element("html", _head(summary), body, lang="en") + "\n"


def _counts(summary: ReportSummary) -> dict[Outcome, int]:
    counts = dict.fromkeys(Outcome, 0)
    for name, count in summary.verdict_counts:
        counts[Outcome(name)] += count
    if sum(counts.values()) != summary.row_count:
        raise IntegrityError(
            f"expected verdicts for {summary.row_count} rows, got {sum(counts.values())}",
            hint="the report is made from counts that do not add up; clear the corpus again",
        )
    return counts


def _head(summary: ReportSummary) -> Markup:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{summary.title}: clearance report"),
        element("style", Markup(STYLE)),
    )


def _header(summary: ReportSummary, counts: dict[Outcome, int]) -> list[Markup]:
    policy = summary.policy
    cleared = counts[Outcome.CLEARED]
    lead = element(
        "p",
        element("b", f"{number(cleared)} of {plural(summary.row_count, 'item')}"),
        f" ({share(cleared, summary.row_count)}) {'is' if cleared == 1 else 'are'} cleared for ",
        element("b", _usage(summary.usage)),
        " under the policy ",
        element("b", policy.title),
        ".",
        class_="lead",
    )
    when = element("time", _day(summary.created_at), datetime=summary.created_at)
    parts = [
        element("h1", outside(summary.title)),
        element(
            "p",
            "Clearance report, ",
            when,
            f" · policy {policy.id} {policy.version}",
            class_="soft",
        ),
    ]
    return [*parts, *_assertion(policy), lead]


def _assertion(policy: PolicySummary) -> list[Markup]:
    if not policy.assertion:
        return []
    words = (element("h2", "This clearance rests on an assertion"), element("p", policy.assertion))
    return [element("div", *words, class_="assertion", role="note")]


def _usage(usage: str) -> str:
    return USAGE_TEXT[Usage(usage)] if usage in set(Usage) else usage


def _day(moment: str) -> str:
    try:
        seen = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    zone = seen.tzname() or ""
    return f"{seen.day} {seen:%B %Y, %H:%M} {zone}".rstrip()


def _verdicts(summary: ReportSummary, counts: dict[Outcome, int]) -> Markup:
    whole = summary.row_count
    tiles = [
        element(
            "div",
            element("dt", outcome.capitalize()),
            element("dd", number(count), class_="count"),
            element("dd", share(count, whole), ", ", OUTCOME_TEXT[outcome], class_="soft"),
            class_=f"tile {outcome}",
        )
        for outcome, count in counts.items()
    ]
    if not whole:
        return join(
            [element("p", "The corpus has no items."), element("dl", *tiles, class_="tiles")]
        )
    chart = wide_bar([(str(o), str(o), count) for o, count in counts.items()], whole)
    order = "The bar shows the shares in this order: cleared, offered, blocked, held."
    return join([chart, element("p", order, class_="soft"), element("dl", *tiles, class_="tiles")])


def _missing(summary: ReportSummary, counts: dict[Outcome, int]) -> Markup:
    left = summary.row_count - counts[Outcome.CLEARED]
    if not left:
        return element("p", "Nothing: every item is cleared.")
    intro = element("p", f"{plural(left, 'item')} {'is' if left == 1 else 'are'} not cleared.")
    steps = [
        element("li", element("b", plural(items, "item")), " ", prose(_agreeing(text, items)))
        for text, items in summary.remedies
    ]
    offered = counts[Outcome.OFFERED]
    if offered:
        words = " can be licensed at a price their owners name"
        offers = element("a", "see the offers", href="#offers") if summary.offers else Markup("")
        known = element(
            "li", element("b", plural(offered, "item")), words, ": " * bool(offers), offers
        )
        steps.insert(0, known)
    return join([intro, element("ul", *steps, class_="remedies")] if steps else [intro])


def _agreeing(text: str, items: int) -> str:
    """Put the verb that begins ``text`` into the singular for one item."""
    verb, space, rest = text.partition(" ")
    return _SINGULAR.get(verb, verb) + space + rest if items == 1 else text


def _offers(summary: ReportSummary) -> Markup:
    if not summary.offers:
        return Markup("")
    rows = [(outside(price), link(url), number(items)) for price, url, items in summary.offers]
    columns = (("Price", "name"), ("Where", "wide-text"), ("Items", "n"))
    caption = "Prices as the owners' own declarations state them. Nothing is agreed by this report."
    return table(caption, columns, rows, label="Offers")


def _agreements(summary: ReportSummary) -> Markup:
    """Say on which agreements the clearance rests, and what they ask in return."""
    if not summary.agreements:
        return Markup("")
    columns = (("Licensor", "name"), ("Items", "n"), ("Until", "n"), ("Duties", "wide-text"),
               ("Agreement", "hash"))  # fmt: skip
    rows = [
        (outside(each.with_whom), number(each.rows), each.until or "no end said",
         outside("; ".join(each.duties)), outside(each.id))
        for each in summary.agreements[:_AGREEMENTS_SHOWN]
    ]  # fmt: skip
    many = len(summary.agreements)
    shown = f" The {len(rows)} with most items are shown." if many > len(rows) else ""
    caption = (
        f"{plural(many, 'agreement')} that both sides signed {'clears' if many == 1 else 'clear'} "
        f"items here, until the day named, while the duties are met.{shown}"
    )
    when = "What falls due when, under all of them:"
    command = element("pre", element("code", "tercet duties ."))
    return join([table(caption, columns, rows, label="Agreements"), element("p", when), command])


def _reasons(summary: ReportSummary) -> Markup:
    columns = (
        ("Reason", "wide-text"), ("Items", "n"), ("Share", "n"), ("Part of all", "graph"),
        ("Verdict", ""), ("Code", "name"),
    )  # fmt: skip
    whole = summary.row_count
    rows = [
        (text, number(items), share(items, whole), bar([(verdict, items)], whole), verdict,
         element("code", outside(code)))
        for code, text, verdict, items in summary.reason_counts
    ]  # fmt: skip
    caption = "An item can have several reasons, so the shares may add up to more than 100 %."
    return table(caption, columns, rows, label="Reasons") if rows else Markup("")


def _sites(summary: ReportSummary) -> Markup:
    kinds = tuple(str(outcome) for outcome in Outcome)
    counted = ((kind.capitalize(), "n") for kind in kinds)
    columns = (("Site", "name"), ("Items", "n"), *counted, ("Shares", "graph"))
    rows = []
    for site, *counts in summary.top_sites:
        graph = bar(list(zip(kinds, counts, strict=True)), sum(counts))
        name = outside(site) if site else "local files"
        rows.append((name, number(sum(counts)), *map(number, counts), graph))
    caption = f"The {plural(len(rows), 'site')} with most items. Bars follow the columns' order."
    return table(caption, columns, rows, label="Sites") if rows else Markup("")


def _signals(summary: ReportSummary) -> Markup:
    kinds = ("allow", "deny", "conditional", "unreadable")
    counted = ((kind.capitalize(), "n") for kind in kinds)
    columns = (("Signal", "name"), ("Declarations", "n"), *counted, ("Shares", "graph"))
    rows = []
    for _, title, declarations, *counts in summary.signal_counts:
        graph = bar(list(zip(kinds, counts, strict=True)), max(declarations, sum(counts)))
        rows.append((title, number(declarations), *map(number, counts), graph))
    if not rows:
        return element("p", "No permission signal was found. Silence is not consent.")
    caption = (
        f"What the declarations found say of {_usage(summary.usage)}. The rest of them say nothing "
        "of it. An unreadable declaration never grants. Bars follow the columns' order."
    )
    return table(caption, columns, rows, label="Signals found")


def _policy(summary: ReportSummary) -> Markup:
    policy = summary.policy
    facts = (
        ("Policy", element("code", policy.id)), ("Version", policy.version), ("Dated", policy.date),
        ("Usage asked", join([_usage(summary.usage), " (", element("code", summary.usage), ")"])),
    )  # fmt: skip
    words = element("p", policy.summary)
    asserted = [element("p", element("strong", policy.assertion))] if policy.assertion else []
    advice = element(
        "p", "A policy is a dated reading of the law, not legal advice.", class_="soft"
    )
    return join([element("h3", policy.title), words, *asserted, _facts(facts), advice])


def _facts(pairs: tuple[tuple[str, str], ...]) -> Markup:
    inner = [join([element("dt", name), element("dd", value)]) for name, value in pairs]
    return element("dl", *inner, class_="facts")


def _inputs(summary: ReportSummary) -> Markup:
    columns = (("Input", "name"), ("Rows", "n"), ("Size", "n"), ("SHA-256", "hash"))
    rows = [
        (outside(name), number(count), size(raw_bytes), element("span", sha256))
        for name, count, raw_bytes, sha256 in summary.inputs
    ]
    return (
        table("What was read, byte for byte.", columns, rows, label="Inputs")
        if rows
        else Markup("")
    )


def _verify(summary: ReportSummary) -> Markup:
    facts = (
        ("Clearance", element("span", summary.clearance_digest, class_="hash")),
        ("Signed with key", element("span", summary.key_id, class_="hash")),
    )
    intro = element(
        "p",
        "This page shows what ",
        element("code", "clearance.json"),
        " says. That file is signed; this page is not. Compare the digest and the key with those "
        "you were given by another way.",
    )
    check = "In the folder that holds this page, check signature, digests and counts, offline:"
    explain = "To see why one item got its verdict, with the lines it rests on:"
    parts = [intro, _facts(facts)]
    for words, command in ((check, "tercet verify ."), (explain, "tercet explain . ITEM")):
        parts += [element("p", words), element("pre", element("code", command))]
    return join(parts)


def _footer() -> list[Markup]:
    return [
        element(
            "p",
            "Made by Tercet. A clearance proves what was declared, when, and how it was judged; it "
            "cannot prove that whoever declared something was entitled to. No legal advice.",
            class_="soft",
        )
    ]
