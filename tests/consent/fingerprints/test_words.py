"""Words are the same however a text is encoded, dressed or typed, and stand where they stand."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.fingerprints.words import CHARACTER, HAN, NUMBER, WORD, words_of


def shown(text: str) -> list[str]:
    """The words of a text as they stand in it."""
    words = words_of(text)
    return [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]


def same(one: str, two: str) -> bool:
    return np.array_equal(words_of(one).hashes, words_of(two).hashes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t stop — now!", ["Don’t", "stop", "now"]),
        ("well-known co_op 3.14", ["well", "known", "co", "op", "3", "14"]),
        ("exam-\nple of a line", ["exam-\nple", "of", "a", "line"]),
        ("我们的书 2024 年", ["我", "们", "的", "书", "2024", "年"]),
        ("これはペンです", list("これはペンです")),
        ("ที่นี่", ["ที่", "นี่"]),  # two consonants with their vowels and tones
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("تسجيل الخروج", ["تسجيل", "الخروج"]),
        ("Tiếng Việt", ["Tiếng", "Việt"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("𠀀𠀁 x", ["𠀀", "𠀁", "x"]),
        (" .,;!\n", []),
        ("", []),
    ],
)
def test_segments(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


def test_kinds() -> None:
    assert words_of("word w0rd 字 か").kinds.tolist() == [WORD, NUMBER, HAN, CHARACTER]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("STRASSE", "Straße"),
        ("ﬁne ﬂow", "fine flow"),
        ("ｗｉｄｅ", "wide"),
        ("𝐛𝐨𝐥𝐝", "bold"),
        ("naïve café", "naive cafe"),
        ("Đường", "duong"),
        ("so\u00adft", "soft"),
        ("z\u200be\u200dr\u2060o", "zero"),
        ("don't", "dont"),
        ("раssроrt", "passport"),  # Cyrillic р, а, о
        ("ΑΒΕ", "abe"),  # Greek capitals
        ("كِتَابٌ", "كتاب"),
        ("كتـــاب", "كتاب"),
        ("أحمد إلى", "احمد الي"),
        ("ﾊﾞﾅﾅ", "バナナ"),
        ("שָׁלוֹם", "שלום"),
        ("x\ufe0f", "x"),
    ],
)
def test_folded(one: str, two: str) -> None:
    assert same(one, two)


@pytest.mark.parametrize(
    ("one", "two"), [("ab", "ba"), ("कि", "की"), ("は", "ば"), ("ก", "ข"), ("1", "2"), ("字", "子")]
)
def test_not_folded(one: str, two: str) -> None:
    assert not same(one, two)


@given(st.text("aăâáấặđệươỹのがパ한국กี่कि عربيёйǖ .-'", max_size=60))
def test_composed_and_decomposed_text_are_the_same(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert same(*forms)


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_text_has_the_words_of_its_parts(one: str, two: str) -> None:
    joined = words_of(f"{one} . {two}").hashes
    assert np.array_equal(joined, np.append(words_of(one).hashes, words_of(two).hashes))


@given(st.text(max_size=200))
def test_words_stand_in_order_inside_the_text(text: str) -> None:
    words = words_of(text)
    assert (words.starts < words.ends).all()
    assert (words.ends[:-1] <= words.starts[1:]).all()
    assert not len(words) or (words.starts[0] >= 0 and words.ends[-1] <= len(text))


@given(st.text("abcdefgh ", max_size=100))
def test_different_words_have_different_hashes(text: str) -> None:
    words = words_of(text)
    assert len(set(words.hashes.tolist())) == len(set(text.split()))


def test_words_of_a_thousand_letters_are_told_apart_and_cost_nothing() -> None:
    assert not same("a" * 1000, "a" * 999)
    assert len(words_of("a" * 1_000_000)) == 1
    assert len(words_of("e" + "\u0301" * 1_000_000)) == 1
