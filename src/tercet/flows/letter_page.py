"""A letter as a page: one HTML file, no script, nothing from elsewhere, fit for print.

The same page is an export and what the server shows; there a form to sign stands below the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tercet.consent.licences.letter_counts import Cell, ProofKind, Table
from tercet.consent.licences.letter_export import NamedSignatory, PublicLetter
from tercet.flows.letter_style import STYLE
from tercet.flows.letter_words import (
    LetterWords,
    count_words,
    country_name,
    day_words,
    words_for,
)
from tercet.flows.report_markup import Markup, element, join, outside, prose

NOTHING = Markup()


def letter_page(public: PublicLetter, below: Markup = NOTHING, links: Markup = NOTHING) -> str:
    """Return the page of a letter. ``below`` stands under its text, ``links`` in the foot."""
    words = words_for(public.letter.language)
    parts = [
        _head_of_letter(public, words),
        _text(public),
        _figures(public, words),
        below,
        _tables(public, words),
        _names(public, words),
        _proofs(public, words),
        _integrity(public, words, links),
    ]
    return page_of(public.letter.title, words.language, join(parts))


def page_of(title: str, language: str, content: Markup) -> str:
    """Return a whole page in the style of a letter's."""
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", title),
            Markup(f"<style>{STYLE}</style>"),
        ]
    )
    body = element("main", content)
    return (
        f'<!doctype html>\n<html lang="{language}"><head>{head}</head><body>{body}</body></html>\n'
    )


def _head_of_letter(public: PublicLetter, words: LetterWords) -> Markup:
    letter = public.letter
    before, _, after = words.from_whom.partition("{name}")
    day = day_words(letter.made_at, words.language)
    return element(
        "header",
        element("p", words.open_letter, class_="kind"),
        element("h1", letter.title, lang=letter.language),
        element("p", before, outside(letter.initiator.name), after.format(day=day), class_="by"),
    )


def _text(public: PublicLetter) -> Markup:
    letter = public.letter
    paragraphs = [part.strip("\n") for part in letter.text.split("\n\n")]
    shown = (element("p", part) for part in paragraphs if part)
    return element("article", join(shown), class_="text", lang=letter.language)


def _figures(public: PublicLetter, words: LetterWords) -> Markup:
    counts, language = public.counts, words.language

    def line(text: str, count: int, class_: str = "") -> Markup:
        return element("li", text.format(count=count_words(count, language)), class_=class_)

    total = words.signed_one if counts.verified == 1 else words.signed_many
    lines = [line(total, counts.verified, "total")]
    if counts.named:
        lines.append(line(words.named, counts.named))
    if counts.unverified:
        lines.append(line(words.unverified, counts.unverified))
    if counts.withdrawn:
        lines.append(line(words.withdrawn, counts.withdrawn))
    if closes_on := public.letter.closes_on:
        text = words.closes if public.made_at[:10] < closes_on else words.closed
        lines.append(element("li", text.format(day=day_words(closes_on, language))))
    return element("ul", join(lines), class_="figures")


def _tables(public: PublicLetter, words: LetterWords) -> Markup:
    counts = public.counts
    tables = [
        _table(words.countries, words.country, counts.countries, words,
               lambda code: country_name(code, words.language)),
        _table(words.professions, words.profession, counts.professions, words, str),
    ]  # fmt: skip
    shown = [each for each in tables if each]
    if not shown:
        return NOTHING
    return join([element("div", join(shown), class_="tables"),
                 element("p", words.rest_why, class_="soft")])  # fmt: skip


def _table(
    caption: str, heading: str, table: Table, words: LetterWords, name: Callable[[str], str]
) -> Markup:
    if not table.cells:
        return NOTHING
    rows = [_row(Cell(name(cell.label), cell.count), words) for cell in table.cells]
    if table.rest:
        rows.append(_row(Cell(words.rest, table.rest), words, "rest"))
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", _heading(heading), _heading(words.signatories))),
        element("tbody", join(rows)),
    )


def _heading(text: str) -> Markup:
    return element("th", text, scope="col")


def _row(cell: Cell, words: LetterWords, class_: str = "") -> Markup:
    label = element("th", outside(cell.label), scope="row")
    return element(
        "tr", label, element("td", count_words(cell.count, words.language)), class_=class_
    )


def _names(public: PublicLetter, words: LetterWords) -> Markup:
    if not public.signatories:
        content = element("p", words.no_names, class_="soft") if public.counts.verified else ""
        return Markup(content)
    return join(
        [
            element("h2", words.names),
            element("ul", join(_name(each, words) for each in public.signatories), class_="names"),
        ]
    )


def _name(signatory: NamedSignatory, words: LetterWords) -> Markup:
    beside = [signatory.profession, country_name(signatory.country, words.language)]
    said = ", ".join(filter(None, beside))
    return element(
        "li", outside(signatory.name), element("small", outside(said)) if said else NOTHING
    )


def _proofs(public: PublicLetter, words: LetterWords) -> Markup:
    if not public.counts.proofs:
        return NOTHING
    named = [Cell(words.proof[ProofKind(c.label)], c.count) for c in public.counts.proofs]
    rows = join(_proof_rows(named, words))
    return join(
        [element("h2", words.proofs), element("p", words.proofs_why, class_="soft"),
         element("table", element("tbody", rows))]
    )  # fmt: skip


def _proof_rows(cells: Iterable[Cell], words: LetterWords) -> list[Markup]:
    return [_row(cell, words) for cell in cells]


def _integrity(public: PublicLetter, words: LetterWords, links: Markup) -> Markup:
    pairs = [
        (words.hash, element("code", public.sha256)),
        (words.kept_by, join([outside(public.keeper.name), " ",
                              element("code", public.keeper.id)])),
        (words.state_of, element("time", public.made_at, datetime=public.made_at)),
    ]  # fmt: skip
    facts = join(join([element("dt", name), element("dd", value)]) for name, value in pairs)
    return join(
        [
            element("h2", words.integrity),
            element("p", prose(words.check), class_="note"),
            element("dl", facts),
            links,
        ]
    )
