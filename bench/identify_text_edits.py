"""Edits of texts, in any script: the reference's list, and others.

A text is a str. Words are what white space parts; in Chinese and Japanese, single characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np
from bench.identify_edits import Edit

Random = np.random.Generator
_HOMOGLYPHS = str.maketrans("aceiopxyABEHKMOPT", "асеіорхуАВЕНКМОРТ")
_MISREAD = {"rn": "m", "m": "rn", "l": "1", "O": "0", "cl": "d", "e": "c", "h": "b", "S": "5",
            "ư": "u", "ệ": "e", "ا": "آ", "的": "白", "の": "@", "н": "п", "и": "н"}  # fmt: skip


def parts_of(text: str) -> tuple[list[str], str]:
    """Return the words of a text and what stands between them; foreign words stay whole."""
    dense = len(re.findall("[\u3040-\u30ff\u4e00-\u9fff]", text)) > len(text) * 0.2
    if not dense:
        return text.split(), " "
    return re.findall(r"[A-Za-z0-9]+[^\w\u3040-\u9fff]*|\S\s*", text), ""


def _stripped(text: str, _r: Random, _o: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]|_", " ", text)).upper()


def _typos(text: str, random: Random, _o: str, *, share: float) -> str:
    """Replace, drop, double or swap ``share`` of the characters."""
    letters = list(text)
    alphabet = [letter for letter in set(letters) if letter.isalnum()] or ["x"]
    alphabet.sort()
    for at in np.flatnonzero(random.random(len(letters)) < share):
        kind = random.integers(4)
        if kind == 0:
            letters[at] = str(random.choice(alphabet))
        elif kind == 1:
            letters[at] = ""
        elif kind == 2:
            letters[at] *= 2
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def _deleted(text: str, random: Random, _o: str, *, share: float) -> str:
    words, space = parts_of(text)
    kept = random.random(len(words)) >= share
    return space.join(word for word, keep in zip(words, kept, strict=True) if keep)


def _replaced(text: str, random: Random, other: str, *, share: float) -> str:
    """Replace ``share`` of the words by words of another text."""
    words, space = parts_of(text)
    strange, _ = parts_of(other)
    drawn = random.random(len(words)) < share
    return space.join(
        str(strange[int(random.integers(len(strange)))]) if change else word
        for word, change in zip(words, drawn, strict=True)
    )


def _shuffled(text: str, random: Random, _o: str) -> str:
    sentences = re.findall(r"[^.!?。！？؟]+[.!?。！？؟]?", text)
    return " ".join(sentences[at] for at in random.permutation(len(sentences)))


def excerpt(text: str, random: Random, _o: str = "", *, share: float = 0.0, words: int = 0) -> str:
    """Return a random run of words: a share of the text, or so many words (characters x 2)."""
    parts, space = parts_of(text)
    count = words * (1 if space else 2) or round(len(parts) * share)
    start = int(random.integers(0, max(1, len(parts) - count + 1)))
    return space.join(parts[start : start + count])


def _buried(text: str, random: Random, other: str) -> str:
    """Between twice as much of another text."""
    around = (other * (1 + len(text) // max(1, len(other))))[: len(text)]
    return f"{around} {text} {around[::-1] if random.random() < 0 else around}"


def _quoted(text: str, random: Random, other: str, *, words: int) -> str:
    """Quote an excerpt inside another text of at least ten times its length."""
    quote = excerpt(text, random, words=words)
    around, space = parts_of(other)
    at = int(random.integers(0, len(around)))
    return f"{space.join(around[:at])} “{quote}” {space.join(around[at:])}"


def _paraphrased(text: str, random: Random, other: str, *, share: float) -> str:
    """Swap ``share`` of neighbouring words and replace a third as many: another's wording."""
    words, space = parts_of(text)
    for at in np.flatnonzero(random.random(max(0, len(words) - 1)) < share):
        words[at], words[at + 1] = words[at + 1], words[at]
    return _replaced(space.join(words), random, other, share=share / 3)


def _misread(text: str, random: Random, _o: str, *, share: float) -> str:
    """As an OCR misreads: likenesses confused, spaces lost, lines broken with hyphens."""
    found = re.compile("|".join(sorted(map(re.escape, _MISREAD), key=len, reverse=True)))
    out = found.sub(lambda m: _MISREAD[m[0]] if random.random() < share * 3 else m[0], text)
    letters = ["" if x == " " and random.random() < share else x for x in out]
    broken = "".join(letters)
    return "".join(
        part + ("-\n" if part[-1:].isalpha() else "\n")
        for part in re.findall("(?s).{1,72}", broken)
    )


def _homoglyphs(text: str, random: Random, _o: str, *, share: float) -> str:
    return "".join(
        letter.translate(_HOMOGLYPHS) if random.random() < share else letter for letter in text
    )


def _zero_width(text: str, random: Random, _o: str) -> str:
    marks = ["\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad"]
    return "".join(
        letter + (str(random.choice(marks)) if random.random() < 0.15 else "") for letter in text
    )


def _chain(text: str, random: Random, other: str, *, steps: tuple[Callable[..., str], ...]) -> str:
    for step in steps:
        text = step(text, random, other)
    return text


def _listed(name: str, strength: str, make: Callable[..., str]) -> Edit:
    return Edit(name, strength, make, listed=True)


EDITS = (
    _listed("case and marks stripped", "", _stripped),
    _listed("typos", "2 %", partial(_typos, share=0.02)),
    _listed("typos", "5 %", partial(_typos, share=0.05)),
    _listed("words deleted", "10 %", partial(_deleted, share=0.1)),
    _listed("words replaced", "10 %", partial(_replaced, share=0.1)),
    _listed("words replaced", "30 %", partial(_replaced, share=0.3)),
    _listed("sentences shuffled", "", _shuffled),
    _listed("excerpt", "50 %", partial(excerpt, share=0.5)),
    _listed("excerpt", "20 %", partial(excerpt, share=0.2)),
    _listed("buried", "in 2x", _buried),
    _listed("excerpt", "50 words", partial(excerpt, words=50)),
    Edit("excerpt", "100 words", partial(excerpt, words=100)),
    Edit("excerpt", "30 words", partial(excerpt, words=30)),
    Edit("quoted", "50 words", partial(_quoted, words=50)),
    Edit("typos", "10 %", partial(_typos, share=0.1)),
    Edit("words replaced", "50 %", partial(_replaced, share=0.5)),
    Edit("paraphrase", "15 %", partial(_paraphrased, share=0.15)),
    Edit("paraphrase", "30 %", partial(_paraphrased, share=0.3)),
    Edit("OCR noise", "3 %", partial(_misread, share=0.03)),
    Edit("OCR noise", "10 %", partial(_misread, share=0.1)),
    Edit("homoglyphs", "20 %", partial(_homoglyphs, share=0.2)),
    Edit("zero-width characters", "15 %", _zero_width),
    Edit("chain", "100 words, typos 2 %, quoted", partial(
        _chain, steps=(partial(excerpt, words=150), partial(_typos, share=0.02),
                       partial(_quoted, words=100)))),
)  # fmt: skip
