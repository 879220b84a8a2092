"""What a licence's guards say of a prompt: words that may not stand in it, styles by name.

The other guards of `Guards` are about outputs, and are duties of the licensee: nothing here can
see a person's face or a scene made again in a prompt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tercet.consent.licences.names import skeleton
from tercet.core.terms import Guards

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Letters of scripts that set no space between words (Thai, Lao, Burmese, Khmer, Kana, Han)."""
_WORD = re.compile(rf"[^\W_{_UNSPACED}]+|[{_UNSPACED}]")
_UNSEEN = ("Cc", "Cf", "Mn", "Me")  # joiners, soft hyphens, marks that no letter is made with
_ASKING = (
    ("style", "of"), ("manner", "of"), ("look", "of"), ("work", "of"), ("by",), ("like",),
    ("after",), ("phong", "cách"), ("phong", "cách", "của"), ("kiểu",), ("kiểu", "của"),
    ("theo",), ("giống",),
)  # fmt: skip
"""Words before a name that ask for its owner's style, in English and Vietnamese."""
_MANNERS = frozenset({"style", "styled", "esque"})  # words after it that do


class BreachCode(StrEnum):
    """Which guard a prompt breaks."""

    BLOCKED_WORD = "blocked_word"
    STYLE_BY_NAME = "style_by_name"


@dataclass(frozen=True, slots=True)
class Breach:
    """One guard broken, and the words of the prompt that break it, as the licence writes them."""

    code: BreachCode
    words: str


def prompt_breaches(guards: Guards, names: Iterable[str], prompt: str) -> tuple[Breach, ...]:
    """Return how ``prompt`` breaks ``guards``; nothing: it does not.

    ``names`` are the owners the licence speaks for. A name of several words breaks the guard on
    styles wherever it stands; of one word only where the words around it ask for a style, since
    it may be a common word ("a red rose" asks for nobody's style).
    """
    return tuple(_breaches(guards, names, words_of(prompt)))


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of ``text``, however they are written.

    Letters of any width and case, with or without what cannot be seen between them; letters of
    other scripts that look like Latin ones are read as these. Where a script sets no spaces, each
    letter is a word.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return tuple(_WORD.findall("".join(map(_seen, plain))))


@lru_cache(maxsize=65_536)
def _seen(character: str) -> str:
    """Return what a person sees of a character, "" where that is nothing."""
    if character.isspace():
        return character
    if unicodedata.category(character) in _UNSEEN:
        return ""
    if character.isascii():
        return character
    like = skeleton(character)
    return like if like.isascii() and like.isalnum() else character


def _breaches(guards: Guards, names: Iterable[str], prompt: tuple[str, ...]) -> Iterator[Breach]:
    for blocked in guards.blocked_words:
        if any(_places(words_of(blocked), prompt)):
            yield Breach(BreachCode.BLOCKED_WORD, blocked)
    if guards.styles:
        for name in names:
            if _asks_for(words_of(name), prompt):
                yield Breach(BreachCode.STYLE_BY_NAME, name)


def _asks_for(name: Sequence[str], prompt: tuple[str, ...]) -> bool:
    for start, end in _places(name, prompt):
        before, after = prompt[:start], prompt[end : end + 2]
        if len(name) > 1 or _MANNERS & set(after):
            return True
        if any(before[-len(asking) :] == asking for asking in _ASKING):
            return True
    return False


def _places(words: Sequence[str], prompt: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where ``words`` stand in ``prompt`` one after another."""
    size = len(words)
    for start in range(len(prompt) - size + 1) if size else ():
        if tuple(prompt[start : start + size]) == tuple(words):
            yield start, start + size
