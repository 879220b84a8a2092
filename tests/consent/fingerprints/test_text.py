"""Texts are found in excerpts, quotations and edits; phrases and boilerplate claim nothing."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints import text
from tercet.consent.fingerprints.fingerprint import Band, Hits, Match, Method, Region, Unfit
from tercet.consent.fingerprints.text_boilerplate import packed, unpacked
from tercet.consent.fingerprints.text_keys import WINDOW, grams_of, winnowed, word_weights
from tercet.consent.fingerprints.words import words_of

POEM = (
    "The lamp beside the harbour wall was lit by Marguerite each evening, long after the last "
    "trawler had turned for home and the gulls had quarrelled themselves to sleep. She counted "
    "forty-one steps up the slippery granite, carried paraffin in a dented kettle, and sang to "
    "nobody in particular about a shepherd who mistook the moon for a stray lamb. On Sundays her "
    "brother climbed with her, grumbling about his knees, and read aloud whatever newspaper the "
    "fish had been wrapped in, so that for years they knew the world only in fragments."
)
HAN = [chr(0x4E00 + 37 * n % 3000) for n in range(2000)]
SYLLABLES = [first + rest for first in "bcdghklmnprstvx" for rest in ("ải", "ương", "ế", "ồng")]
ARABIC = [a + b + c for a in "كتبلم" for b in "اوين" for c in "سرقدفح"]
LATIN = [a + b + c + d for a in "bdglmprstv" for b in "aeiou" for c in "nrlst" for d in "aeo"]


def page(words: list[str], space: str, count: int = 600, seed: int = 1) -> str:
    """A page of random words of one script, in sentences."""
    draw = random.Random(seed)
    parts = [draw.choice(words) + (". " if draw.random() < 0.06 else space) for _ in range(count)]
    return "".join(parts)


SCRIPTS = {
    "latin": (LATIN, " "),
    "vietnamese": (SYLLABLES, " "),
    "arabic": (ARABIC, " "),
    "chinese": (HAN, ""),
}


def found(item: str, work: str) -> Match | None:
    return text.METHOD.verify(text.fingerprint(item), 7, text.fingerprint(work))


def band(item: str, work: str) -> Band | None:
    match = found(item, work)
    return match.band if match else None


def test_it_is_a_method() -> None:
    method: Method = text.METHOD
    assert method.name == "text-1"
    assert text.fingerprint(POEM).method == method.name


def test_a_quotation_is_found_where_it_stands() -> None:
    quoted = POEM[95:370]
    item = "Nothing of this was ever written before. " * 3 + f"“{quoted}” And so it goes on."
    match = found(item, POEM)
    assert match is not None
    assert (match.work, match.band) == (7, Band.CERTAIN)
    ((in_item, in_work),) = match.pairs
    shown = item[in_item.start_character : in_item.end_character]
    assert shown == POEM[in_work.start_character : in_work.end_character]
    assert shown in quoted
    assert len(shown) > len(quoted) - 12  # a word cut in two at either end is not shared
    assert match.edits == ("excerpt", "inside other text")


EDITS: dict[str, Callable[[str, str, random.Random], str]] = {
    "case and marks": lambda t, _s, _r: t.upper().replace(".", ""),
    "a third of the words": lambda t, s, r: (
        s.join("zzz" if r.random() < 0.3 else word for word in t.split(s or None))
        if s
        else "".join("界" if r.random() < 0.25 else sign for sign in t)
    ),
    "words left out": lambda t, s, r: s.join(
        word for word in (t.split(s) if s else t) if r.random() > 0.1
    ),
    "sentences shuffled": lambda t, _s, r: ". ".join(r.sample(x := t.split(". "), len(x))),
    "zero-width signs": lambda t, _s, r: "".join(
        c + ("\u200b" if r.random() < 0.3 else "") for c in t
    ),
    "signs between all words": lambda t, s, _r: f" # {s}".join(t.split(s)) if s else t,
    "buried": lambda t, s, _r: f"{page(LATIN, ' ', 900, 5)} {t} {page(LATIN, ' ', 900, 6)}",
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_edited_pages_are_found(script: str, edit: str) -> None:
    words, space = SCRIPTS[script]
    work = page(words, space)
    assert band(EDITS[edit](work, space, random.Random(3)), work) is Band.CERTAIN


@pytest.mark.parametrize("script", SCRIPTS)
def test_fifty_words_are_found_anywhere_in_a_long_text(script: str) -> None:
    words, space = SCRIPTS[script]
    work = page(words, space, 3000)
    for seed in range(5):
        start = random.Random(seed).randrange(len(work) - 1000)
        excerpt = work[start:]
        excerpt = space.join(excerpt.split(space)[1:51]) if space else excerpt[:90]
        match = found(f"{page(LATIN, ' ', 400, seed + 9)} {excerpt}", work)
        assert match is not None
        assert match.band is Band.CERTAIN
        place = match.pairs[-1][1].start_character
        assert place is not None
        assert abs(place - work.index(excerpt)) < 30


@pytest.mark.parametrize("script", SCRIPTS)
def test_other_texts_of_the_same_words_are_not_found(script: str) -> None:
    words, space = SCRIPTS[script]
    assert found(page(words, space, 2000, 1), page(words, space, 2000, 2)) is None


def test_what_was_done_is_told() -> None:
    work = page(LATIN, " ")
    match = found(EDITS["a third of the words"](work, " ", random.Random(1)), work)
    assert match is not None
    assert match.edits == ("words changed 29 %",)
    shuffled = found(EDITS["sentences shuffled"](work, " ", random.Random(1)), work)
    assert shuffled is not None
    assert "reordered" in shuffled.edits


@given(st.integers(0, 2**32), st.integers(2, 60))
@settings(max_examples=40)
def test_any_shared_run_shares_a_key(seed: int, extra: int) -> None:
    """Winnowing's guarantee: WINDOW + n - 1 words in common are enough."""
    shared = page(LATIN, " ", WINDOW + 4, seed)
    texts = (page(LATIN, " ", 600 + extra, seed + n) for n in (1, 2))
    keys = []
    for other in texts:
        words = words_of(f"{other} {shared} {other[::-1]}")
        grams = grams_of(words, word_weights(words))
        grams.telling[:] = True
        keys.append(set(grams.hashes[winnowed(grams, short_words=0)].tolist()))
    assert keys[0] & keys[1]


def test_what_says_too_little_claims_nothing() -> None:
    assert text.fingerprint("").unfit == (Unfit.BLANK,)
    assert text.fingerprint("Once upon a time").unfit == (Unfit.TOO_SHORT,)
    assert text.fingerprint("la la la " * 400).unfit == (Unfit.LOW_TEXTURE,)
    assert text.fingerprint("All work and no play. " * 400).unfit == (Unfit.LOW_TEXTURE,)
    numbers = " ".join(str(7919 * n % 100_003) for n in range(2000))
    assert text.fingerprint(numbers).unfit == (Unfit.LOW_TEXTURE,)


MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this
software and associated documentation files (the "Software"), to deal in the Software without
restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions: The above copyright notice and
this permission notice shall be included in all copies or substantial portions of the Software."""
PSALM = """The LORD is my shepherd; I shall not want. He maketh me to lie down in green pastures:
he leadeth me beside the still waters. He restoreth my soul: he leadeth me in the paths of
righteousness for his name's sake. Yea, though I walk through the valley of the shadow of death, I
will fear no evil: for thou art with me; thy rod and thy staff they comfort me."""
LOREM = """Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor
incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation
ullamco laboris nisi ut aliquip ex ea commodo consequat."""


@pytest.mark.parametrize("common", [MIT, PSALM, LOREM], ids=["MIT", "Psalm 23", "lorem ipsum"])
def test_what_everybody_may_repeat_is_nobodys(common: str) -> None:
    assert text.fingerprint(common).unfit == (Unfit.BOILERPLATE,)
    assert (
        found(f"{page(LATIN, ' ', 300, 1)} {common}", f"{common} {page(LATIN, ' ', 300, 2)}")
        is None
    )


def test_a_text_is_not_hidden_by_licences_around_it() -> None:
    assert band(f"{MIT * 20} {' '.join(POEM.split()[10:65])} {MIT * 20}", POEM) is Band.CERTAIN


def test_a_refrain_says_no_more_the_second_time() -> None:
    line = "And the bells of old Saint Anne ring slowly over the frozen river tonight, "
    one, two = (line * 30 + page(LATIN, " ", 200, seed) for seed in (1, 2))
    match = found(one, two)
    assert match is None or match.band is not Band.CERTAIN


def test_candidates_are_those_that_share_rare_ngrams() -> None:
    query = text.fingerprint(POEM)
    hits = Hits(
        np.array([0, 0, 0, 1, 2]), np.array([5, 6, 7, 9, 9]), np.zeros(5, np.int64),
        np.zeros(5, np.uint8),
    )  # fmt: skip
    assert text.METHOD.candidates(query, {"grams": hits})[0] == 9
    assert text.METHOD.candidates(query, {}) == []


def test_a_passage_in_works_of_two_owners_proves_neither() -> None:
    def match(work: int, start: int, end: int) -> Match:
        region = Region(start_character=start, end_character=end)
        return Match(work, "text-1", Band.CERTAIN, 60.0, "distinct words", ((region, region),))

    quoting, original = match(1, 1000, 1400), match(2, 0, 4000)
    owners = {1: frozenset({"a"}), 2: frozenset({"b"}), 3: frozenset({"b"})}
    settled = text.METHOD.settle([quoting, original], owners)
    assert [one.band for one in settled] == [Band.LIKELY, Band.CERTAIN]
    same_owner = [match(2, 0, 4000), match(3, 0, 4000)]
    assert text.METHOD.settle(same_owner, owners) == same_owner


def test_a_fingerprint_is_small_and_the_same_every_time() -> None:
    work = page(LATIN, " ", 5000)
    one, two = text.fingerprint(work), text.fingerprint(work)
    size = sum(track.keys.nbytes + track.places.nbytes for track in one.tracks.values())
    assert size < 3 * len(work)
    for name, track in one.tracks.items():
        assert np.array_equal(track.keys, two.tracks[name].keys)
        assert np.array_equal(track.places, two.tracks[name].places)


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_the_list_of_boilerplate_is_read_as_it_was_written(seed: int) -> None:
    hashes = np.random.default_rng(seed).integers(0, 2**64, 150_000, np.uint64)
    assert np.array_equal(unpacked(packed(hashes)), np.unique(hashes & np.uint64(2**36 - 1)))


LISTING = """drwxr-xr-x 2 root root 4096 Jan 12 10:22 /usr/share/doc/zlib1g
-rw-r--r-- 1 root root 1331 Mar 21 09:10 /usr/share/doc/zlib1g/changelog.gz
-rw-r--r-- 1 root root 2771 Oct 03 18:41 /usr/share/doc/zlib1g/copyright
-rw-r--r-- 1 root root 9110 Oct 03 18:41 /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
"""


def test_a_listing_that_two_books_print_is_not_certain() -> None:
    one, two = (f"{page(LATIN, ' ', 300, seed)}\n{LISTING}" for seed in (1, 2))
    assert band(one, two) is not Band.CERTAIN


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=60)
def test_any_two_texts_can_be_laid_side_by_side(one: str, two: str) -> None:
    shared = POEM[40:300]
    match = found(f"{one} {shared} {two}", f"{two} {shared} {one}")
    assert match is not None
    for in_item, in_work in match.pairs:
        assert 0 <= (in_item.start_character or 0) < (in_item.end_character or 0)
        assert 0 <= (in_work.start_character or 0) < (in_work.end_character or 0)
