"""The nouns: what the works of a corpus are called, what kind of thing each is, and the rule.

The rule reads a work's file name, its title, its keywords. They are of many makers, in four
languages and often sloppy; `nouns.json` keeps the words met for each noun.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from tercet.studio.scenes.plurals import plural
from tercet.studio.scenes.sprite import Kind

NOUNS_TYPE = "tercet/nouns@1"
_LETTERS = re.compile(r"[^\W_]+")
_BY = re.compile(r"clip ?art by .{1,60}? - ", re.I)
_GENERIC = frozenset(
    {"bird", "fish", "tree", "flower", "leaf", "house", "tower", "box", "book", "plate", "bottle",
     "man", "woman", "girl", "boy", "heart", "star", "hat", "computer", "globe", "sun", "moon",
     "cup"}
)  # fmt: skip
"""As keywords they stand on many works that show something else of the same field."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing: its name, several of it, what it is to a scene, and what else it is called."""

    noun: str
    plural: str
    kind: Kind
    words: tuple[str, ...]


@lru_cache(maxsize=1)
def nouns() -> Mapping[str, Noun]:
    """Return all nouns by their name, in alphabetical order."""
    text = resources.files("tercet.studio.scenes").joinpath("nouns.json").read_text("utf-8")
    entries = json.loads(text)["nouns"]
    return MappingProxyType(
        {
            one["noun"]: Noun(
                one["noun"], plural(one["noun"]), Kind(one["kind"]), tuple(one["words"])
            )
            for one in entries
        }
    )


def noun_of(title: str, keywords: Iterable[str] = (), names: Iterable[str] = ()) -> str:
    """Return the noun that a work's file names, title and keywords name; empty if there is none.

    File names come first: titles were often copied through a whole series. Of the nouns in one
    text the one with the most words counts, then the one that comes last: English puts the thing
    itself behind what describes it. A keyword counts only where nothing else names anything, and
    all keywords agree.
    """
    for text in (*names, _BY.sub("", title)):
        found = _in_text(text)
        if found:
            return found
    named = [_in_text(word) for word in keywords]
    exact = {name for name in named if name and name not in _GENERIC}
    return exact.pop() if len(exact) == 1 else ""


def _in_text(text: str) -> str:
    words = [word.casefold() for word in _LETTERS.findall(re.sub(r"\d+", " ", text))]
    table = _phrases()
    best, best_length = "", 0
    for start in range(len(words)):
        for length in range(min(_longest(), len(words) - start), 0, -1):
            noun = table.get(" ".join(words[start : start + length]))
            if noun and length >= best_length:
                best, best_length = noun, length
                break
    return best


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, str]:
    """Return the noun of every phrase that names one, phrases as words in lower case."""
    table: dict[str, str] = {}
    for noun in nouns().values():
        for phrase in (*noun.words, *(plural(word) for word in noun.words)):
            table.setdefault(_plain(phrase), noun.noun)
    for noun in nouns().values():  # a noun's own name is nobody else's
        table |= {_plain(noun.noun): noun.noun, _plain(noun.plural): noun.noun}
    return MappingProxyType(table)


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(phrase.count(" ") + 1 for phrase in _phrases())


def _plain(phrase: str) -> str:
    return " ".join(_LETTERS.findall(phrase.casefold()))
