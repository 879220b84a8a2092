"""Words as numbers: captions of a closed vocabulary, one number a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EMPTY = 0  # fills a caption up
START = 1  # stands before every caption, and alone for no caption at all
UNKNOWN = 2
FIRST_WORD = 3
_WORD = re.compile(r"[a-z0-9']+|,")


def split(text: str) -> tuple[str, ...]:
    """Return the words of a text, lower case, with commas as words of their own."""
    return tuple(_WORD.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words a model knows, in a fixed order."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of these words, each once, in alphabetical order."""
        return cls(tuple(sorted({part for word in words for part in split(word)})))

    def __len__(self) -> int:
        return len(self.words) + FIRST_WORD

    def numbers(self, captions: Sequence[str], length: int) -> list[list[int]]:
        """Return every caption as ``length`` numbers; words beyond that are cut off."""
        at = {word: number for number, word in enumerate(self.words, start=FIRST_WORD)}
        rows = []
        for caption in captions:
            row = [START, *(at.get(word, UNKNOWN) for word in split(caption))][:length]
            rows.append(row + [EMPTY] * (length - len(row)))
        return rows
