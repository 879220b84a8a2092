"""What each Unicode code point is to a text fingerprint: letter, digit, ideograph, nothing at all.

Texts that read alike are to give equal words, however they are encoded or dressed: compatibility
forms, case, accents, vowel points, zero-width characters and look-alike letters of other scripts
are folded away. What is folded is folded on both sides, so nothing need be guessed about a text.

Sources: Unicode Standard Annexes 15 (normalisation) and 29 (segmentation), UTS 39 (confusables,
of which only letters that look alike in one case at least are used).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SEPARATOR, TRANSPARENT, LETTER, DIGIT, SIGN_MARK, SIGN, IDEOGRAPH = range(7)
"""Kinds of code points. A sign is a letter of a script written without spaces (kana, Thai ...):
it is a word of its own, as an ideograph is. A sign's mark belongs to the sign before it."""

TABLE_SIZE = 0x20000
"""Planes 0 and 1. Planes 2 and 3 are ideographs; above are only tags and private use."""

_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

# Scripts without spaces between words: Thai, Lao, Myanmar, Khmer, Tai Le to Khmer symbols,
# Tai Tham, Balinese, kana, Javanese, Myanmar and Tai Viet extensions.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19FF), (0x1A20, 0x1AAF),
    (0x1B00, 0x1B7F), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0xA980, 0xAADF), (0x1B000, 0x1B16F),
)  # fmt: skip
_IDEOGRAPHS = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3400, 0x4DBF),
               (0x4E00, 0x9FFF), (0xF900, 0xFAFF))  # fmt: skip
# Marks that carry the meaning of a letter in their script (Indic vowels, kana voicing) are above
# U+0900 and outside of these ranges; all other marks are accents, points and ornaments.
_ORNAMENTS = ((0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x302A, 0x302F),
              (0xFE00, 0xFE0F), (0xFE20, 0xFE2F))  # fmt: skip

_LOOK_ALIKES = (
    "аaвbеeкkмmнhоoрpсcтtуyхxіiјjѕsԁdһhӏlґгєe"  # Cyrillic
    "αaβbεeζzηhιiκkμmνnοoρpτtυyχx"  # Greek, by the shape of the capital where the two differ
    "ıiȷjɑaɡgɩiʏyɴnʀrʟlɪiᴀaʙbᴄcᴅdᴇeꜰfɢgʜhᴊjᴋkᴍmᴏoᴘpꜱsᴛtᴜuᴠvᴡwᴢz"
    "đdðdøołlħhŧtɓbɗdƙkʼ'"  # letters with a stroke: accents in all but name
    "ىيةهکكیيےيہهھهەهٱا"  # Arabic letters that are written for one another
)
_PAIRS = dict(zip(_LOOK_ALIKES[::2], _LOOK_ALIKES[1::2], strict=True))
_SPELT_OUT = {"æ": "ae", "œ": "oe", "þ": "th"}
# Inside words these are dropped, so that "don't", "don’t" and "dont" are one word.
_APOSTROPHES = "'’ʼʹ´`ʻ＇״׳·"
_TATWEEL = "ـ"


@dataclass(frozen=True, slots=True)
class LetterTable:
    """For every code point below TABLE_SIZE its kind and what it is folded to.

    ``first`` and ``count`` bound the folded letters in ``mixed`` (their hashes, uint64) and
    ``base`` (1: a letter, 0: a mark on the letter before it). ``symbol`` marks what program code
    and listings have much of and prose has not.
    """

    kind: Array
    first: Array
    count: Array
    mixed: Array
    base: Array
    symbol: Array


def mix(values: Array) -> Array:
    """Return a hash of each uint64: the finaliser of SplitMix64 (Steele et al. 2014)."""
    x = values + _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _is_ornament(character: str) -> bool:
    if unicodedata.category(character) not in {"Mn", "Me"}:
        return False
    code = ord(character)
    return code < 0x900 or _within(code, _ORNAMENTS)


def _folded(character: str) -> str:
    """Return the letters and marks that ``character`` counts as, "" for none."""
    whole = unicodedata.normalize("NFKD", character)
    whole = unicodedata.normalize("NFKD", whole.casefold())
    spelt = "".join(_SPELT_OUT.get(letter, _PAIRS.get(letter, letter)) for letter in whole)
    return "".join(
        letter
        for letter in spelt
        if unicodedata.category(letter)[0] in "LNM" and not _is_ornament(letter)
    )


def _kind(character: str, folded: str) -> int:
    category = unicodedata.category(character)
    if category == "Cf" or character in _APOSTROPHES or character == _TATWEEL:
        return TRANSPARENT
    if category[0] not in "LNM":
        return SEPARATOR
    if not folded:
        return TRANSPARENT
    code = ord(folded[0])
    if _within(code, _IDEOGRAPHS):
        return IDEOGRAPH
    if _within(code, _UNSPACED) and category[0] != "N":
        return SIGN_MARK if unicodedata.category(folded[0])[0] == "M" else SIGN
    return DIGIT if category[0] == "N" else LETTER


def _is_plain_ideograph(code: int) -> bool:
    return 0x3400 <= code <= 0x4DBF or 0x4E00 <= code <= 0x9FFF


@cache
def letter_table() -> LetterTable:
    """Return the table, built once a process from the Unicode data of Python (about 0.15 s)."""
    kind = np.zeros(TABLE_SIZE, np.uint8)
    first = np.zeros(TABLE_SIZE, np.intp)
    count = np.zeros(TABLE_SIZE, np.uint8)
    letters: list[int] = []
    base: list[int] = []
    for code in range(TABLE_SIZE):
        character = chr(code)
        if _is_plain_ideograph(code):
            folded, kind[code] = character, IDEOGRAPH
        elif unicodedata.category(character) in {"Cn", "Co", "Cs"}:
            continue
        else:
            folded = _folded(character)
            kind[code] = _kind(character, folded)
            if kind[code] <= TRANSPARENT:
                continue
        first[code], count[code] = len(letters), len(folded)
        letters += map(ord, folded)
        base += [unicodedata.category(letter)[0] != "M" for letter in folded]
    mixed = mix(np.array(letters, np.uint64))
    symbol = np.zeros(TABLE_SIZE, np.uint8)
    symbol[[ord(mark) for mark in "_/\\=<>{}[]|$#@&^~+;%*`0123456789"]] = 1
    return LetterTable(kind, first, count, mixed, np.array(base, np.uint8), symbol)
