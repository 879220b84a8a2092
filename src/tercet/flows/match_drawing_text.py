"""Passages of a match page: what stands in both texts, with the equal words marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from tercet.flows.report_markup import Markup, element, escape, join

CONTEXT_CHARACTERS = 160
PASSAGE_CHARACTERS_MAX = 2_400
_WORDS_MAX = 1_500  # compared with one another; more would take too long
# Scripts without spaces are compared letter by letter.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]|\w+",
    re.UNICODE,
)

Span = tuple[int, int]


def passages(item: str, item_span: Span, work: str, work_span: Span) -> tuple[Markup, Markup]:
    """Return the passage of the item and that of the work, with some text around each.

    Spans are half-open ranges of characters. Words that stand in both, in the same order, are
    marked; what lies around the passage is not compared.
    """
    item_words = _words(item, item_span)
    work_words = _words(work, work_span)
    equal = SequenceMatcher(
        None,
        [item[a:b].casefold() for a, b in item_words],
        [work[a:b].casefold() for a, b in work_words],
        autojunk=False,
    ).get_matching_blocks()
    mine = [item_words[i] for block in equal for i in range(block.a, block.a + block.size)]
    theirs = [work_words[i] for block in equal for i in range(block.b, block.b + block.size)]
    return _shown(item, item_span, mine), _shown(work, work_span, theirs)


def _words(text: str, span: Span) -> list[Span]:
    start, end = _bounded(text, span)
    found = [(match.start(), match.end()) for match in _WORD.finditer(text, start, end)]
    return found[:_WORDS_MAX]


def _bounded(text: str, span: Span) -> Span:
    start = max(0, min(span[0], len(text)))
    return start, max(start, min(span[1], len(text), start + PASSAGE_CHARACTERS_MAX))


def _shown(text: str, span: Span, equal: list[Span]) -> Markup:
    start, end = _bounded(text, span)
    before, after = max(0, start - CONTEXT_CHARACTERS), min(len(text), end + CONTEXT_CHARACTERS)
    cut = end < min(span[1], len(text))
    parts = [
        element("span", "…" * (before > 0) + text[before:start], class_="around"),
        element("span", *_marked(text, (start, end), equal), class_="passage"),
        element("span", " […]" if cut else text[end:after] + "…" * (after < len(text)),
                class_="around"),
    ]  # fmt: skip
    return element("blockquote", *parts, dir="auto")


def _marked(text: str, span: Span, equal: list[Span]) -> list[Markup]:
    """Mark runs of equal words as one, with what stands between neighbouring words."""
    runs: list[list[int]] = []
    for start, end in equal:
        if runs and not _WORD.search(text, runs[-1][1], start):
            runs[-1][1] = end
        else:
            runs.append([start, end])
    parts: list[Markup] = []
    at = span[0]
    for start, end in runs:
        parts += [escape(text[at:start]), element("mark", text[start:end])]
        at = end
    return [*parts, escape(text[at : span[1]])]


def missing(words: str) -> Markup:
    """Return what is shown where one side cannot be."""
    return join([element("p", words, class_="missing")])
