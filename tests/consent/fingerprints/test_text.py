"""Texts are found in excerpts, quotations and edits; phrases and boilerplate claim nothing."""

from __future__ import annotations

from tercet.consent.fingerprints import text
from tercet.consent.fingerprints.fingerprint import Band, Unfit

POEM = (
    "The lamp beside the harbour wall was lit by Marguerite each evening, long after the last "
    "trawler had turned for home and the gulls had quarrelled themselves to sleep. She counted "
    "forty-one steps up the slippery granite, carried paraffin in a dented kettle, and sang to "
    "nobody in particular about a shepherd who mistook the moon for a stray lamb. On Sundays her "
    "brother climbed with her, grumbling about his knees, and read aloud whatever newspaper the "
    "fish had been wrapped in, so that for years they knew the world only in fragments."
)


def test_a_quotation_is_found_where_it_stands() -> None:
    quoted = POEM[95:370]
    item = "Nothing of this was ever written before. " * 3 + f"“{quoted}” And so it goes on."
    match = text.METHOD.verify(text.fingerprint(item), 7, text.fingerprint(POEM))
    assert match is not None
    assert (match.work, match.band) == (7, Band.CERTAIN)
    ((in_item, in_work),) = match.pairs
    found = item[in_item.start_character : in_item.end_character]
    assert found == POEM[in_work.start_character : in_work.end_character]
    assert found in quoted
    assert len(found) > len(quoted) - 12  # a word cut in two at either end is not shared


def test_a_text_is_not_found_in_another() -> None:
    other = "A gardener in the north of the county grew pears of eleven kinds along his wall. " * 4
    assert text.METHOD.verify(text.fingerprint(other), 1, text.fingerprint(POEM)) is None


def test_what_says_too_little_claims_nothing() -> None:
    assert text.fingerprint("").unfit == (Unfit.BLANK,)
    assert text.fingerprint("Once upon a time").unfit == (Unfit.TOO_SHORT,)
    assert text.fingerprint("la la la " * 400).unfit == (Unfit.LOW_TEXTURE,)
    numbers = " ".join(str(7919 * n % 100_003) for n in range(2000))
    assert text.fingerprint(numbers).unfit == (Unfit.LOW_TEXTURE,)
