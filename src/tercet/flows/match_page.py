"""The match page: items and the registered works found in them, side by side, for people.

One HTML file with nothing outside it and no script: it can be sent, kept as evidence, and printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.consent.registry.match_document import MatchedWork
from tercet.consent.wording import USAGE_WORDS
from tercet.core.usage import Usage
from tercet.flows.fingerprinting import fingerprinting_guard
from tercet.flows.guarded_pool import Casualty, guarded_map
from tercet.flows.match import ItemMatches
from tercet.flows.match_drawing import Drawing, WorkMedia, draw
from tercet.flows.match_drawing_text import missing
from tercet.flows.match_page_style import MATCH_STYLE
from tercet.flows.match_words import (
    BAND_WORDS,
    evidence_words,
    place_words,
    said_of,
    share_words,
    standing_words,
    terms_words,
)
from tercet.flows.report_markup import Markup, element, join, outside, plural, table
from tercet.store.files import write_atomically

if TYPE_CHECKING:
    from tercet.store.registry import Registry

DRAWN_MAX = 400
"""Matches drawn on one page; what is beyond is listed without pictures."""


def write_page(
    path: Path, items: Sequence[ItemMatches], registry: Path, *, made_at: str, workers: int
) -> None:
    """Write the page of ``items`` to ``path``. Raises OSError when it cannot be written."""
    drawn = _drawn(items, registry, workers)
    body = [*_head(items, made_at), *(_item(item, drawn) for item in items), *_nothing(items)]
    write_atomically(path, _page(body).encode("utf-8"))


def _page(body: Iterable[Markup]) -> Markup:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", "Registered works found"),
        element("style", Markup(MATCH_STYLE)),
    )
    page = element("html", head, element("body", element("main", *body)), lang="en")
    return join([Markup("<!doctype html>\n"), page, Markup("\n")])


def _head(items: Sequence[ItemMatches], made_at: str) -> Iterator[Markup]:
    found = sum(1 for item in items if item.found)
    problems = sum(1 for item in items if item.problem)
    yield element("h1", "Registered works found")
    yield element(
        "p",
        f"Registered works were found in {found:,} of {plural(len(items), 'item')}."
        + f" {plural(problems, 'item')} could not be looked at." * bool(problems),
        class_="lead",
    )
    yield element(
        "p",
        f"Made on {made_at} by Tercet. A match is found by machine and is no judgement on who is "
        "right. Outlines and marked stretches show what is the same on either side; the dot is the "
        "upper left corner of what is outlined in the work.",
        class_="soft",
    )


def _item(item: ItemMatches, drawn: dict[tuple[str, int, str], Markup]) -> Markup:
    if not item.found:
        return Markup("")
    parts = [element("h2", outside(item.place.name))]
    if item.problem:
        parts.append(element("p", f"Not wholly looked at: {item.problem}", class_="standing"))
    parts += [_work(item, work, drawn.get(_key(item, work))) for work in item.found]
    return element("section", *parts)


def _work(item: ItemMatches, work: MatchedWork, drawing: Markup | None) -> Markup:
    title = work.title or f"work {work.number}"
    parts = [
        element("h3", element("span", str(work.band), class_=f"band {work.band}"), outside(title)),
        *(
            element("p", _sentence(words), class_=kind)
            for words, kind in ((BAND_WORDS[work.band], ""), (standing_words(work), "standing"))
            if words
        ),
        missing("Not drawn: this page shows no more.") if drawing is None else drawing,
        _facts(item, work),
        _terms(work),
    ]
    return element("article", *parts)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _facts(item: ItemMatches, work: MatchedWork) -> Markup:
    pairs = (
        ("In the item", place_words([mine for mine, _ in work.regions])),
        ("In the work", place_words([theirs for _, theirs in work.regions])),
        ("Part of the item", f"{work.covers_per_mille / 10:g} %"),
        ("Evidence", evidence_words(work)),
        ("Changed by", ", ".join(work.edits) or "nothing that was noticed"),
        ("Work", f"number {work.number}, {work.medium}"),
        ("Work, SHA-256", element("span", work.sha256, class_="hash")),
        ("Item, SHA-256", element("span", item.sha256, class_="hash")),
    )
    inner = [join([element("dt", name), element("dd", value)]) for name, value in pairs]
    return element("dl", *inner, class_="facts")


def _terms(work: MatchedWork) -> Markup:
    columns = (("Owner", "name"), *((_sentence(USAGE_WORDS[usage])[:-1], "") for usage in Usage))
    rows = [
        (outside(share_words(claim)), *(terms_words(said_of(claim, usage)) for usage in Usage))
        for claim in work.claims
    ]
    return table("What the owners' claims say.", columns, rows, label="Terms")


def _nothing(items: Sequence[ItemMatches]) -> Iterator[Markup]:
    problems = [item for item in items if item.problem and not item.found]
    if problems:
        yield element("h2", "Not looked at")
        columns = (("Item", "name"), ("Why", "wide-text"))
        rows = [(outside(item.place.name), outside(item.problem)) for item in problems]
        caption = "What could not be decoded within the limits is held, whatever it may be."
        yield table(caption, columns, rows, label="Not looked at")
    clean = [item for item in items if not item.problem and not item.found]
    if clean:
        yield element("h2", "Nothing found")
        names = [element("li", outside(item.place.name)) for item in clean]
        yield element("ul", *names)


def _key(item: ItemMatches, work: MatchedWork) -> tuple[str, int, str]:
    return item.place.path, work.number, work.method


def _drawn(
    items: Sequence[ItemMatches], folder: Path, workers: int
) -> dict[tuple[str, int, str], Markup]:
    """Draw the matches in children: the media are as hostile now as when they were looked at."""
    from tercet.store.registry import Registry

    registry = Registry.open(folder)
    wanted = [(item, work) for item in items for work in item.found][:DRAWN_MAX]
    drawings = (_drawing(item, work, registry) for item, work in wanted)
    found: dict[tuple[str, int, str], Markup] = {}
    guard = fingerprinting_guard()
    with closing(guarded_map(draw, drawings, workers=workers, guard=guard)) as results:
        for drawing, result in results:
            key = drawing.item.path, drawing.match.number, drawing.match.method
            found[key] = (
                missing(f"It could not be drawn: {result.reason}.")
                if isinstance(result, Casualty)
                else result
            )
    return found


def _drawing(item: ItemMatches, work: MatchedWork, registry: Registry) -> Drawing:
    record = registry.work(work.number)
    media = WorkMedia(
        record.path, record.bytes, record.sha256, record.medium, registry.preview(work.number)
    )
    return Drawing(item.place, item.medium or record.medium, media, work)
