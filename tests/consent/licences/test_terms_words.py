"""Terms in plain words: every field and every default is said, in both languages alike."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terms_cases import OWNER, STUDIO, whole_terms

from tercet.consent.licences.terms_difference import differences
from tercet.consent.licences.terms_schema import json_value
from tercet.consent.licences.terms_validity import check_terms
from tercet.consent.licences.terms_voice import TABLES, Language, Voice
from tercet.consent.licences.terms_words import changes, describe, terms_text
from tercet.core.currencies import CURRENCIES
from tercet.core.terms import (
    FOREVER,
    AttributionTerms,
    Audit,
    Exclusivity,
    Fallback,
    FieldOfUse,
    Grant,
    Guards,
    Law,
    Modality,
    ModelScope,
    MostFavoured,
    PartyName,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Reporting,
    Retention,
    RevenueBase,
    Sublicence,
    Surviving,
    Tail,
    Terms,
    Territory,
    Trigger,
    Versions,
    WindDown,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import Usage

BARE = Terms(OWNER, RepertoireName())


def leaves(value: object, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    prefix = f"{path}." if path else ""
    return {leaf for name, inner in value.items() for leaf in leaves(inner, prefix + name)}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def closed_sets(kind: type = Terms) -> set[type[StrEnum]]:
    found: set[type[StrEnum]] = set()
    for hint in get_type_hints(kind).values():
        for inner in (hint, *get_args(hint)):
            if isinstance(inner, type) and is_dataclass(inner):
                found |= closed_sets(inner)
            elif isinstance(inner, type) and issubclass(inner, StrEnum):
                found.add(inner)
    return found


@pytest.mark.parametrize("language", Language)
def test_no_sentence_lacks_its_translation(language: Language) -> None:
    english, table = TABLES[Language.ENGLISH], TABLES[language]
    assert list(table) == list(english)
    differing = [key for key in table if placeholders(table[key]) != placeholders(english[key])]
    assert not differing
    assert all(text and unicodedata.is_normalized("NFC", text) for text in table.values())


def test_the_languages_do_not_share_sentences() -> None:
    english, vietnamese = TABLES[Language.ENGLISH], TABLES[Language.VIETNAMESE]
    same = {key for key in english if english[key] == vietnamese[key]}
    assert same == {"currency.name", "country.name", "party.named", "quote", "Modality.video"}


def test_every_member_of_every_closed_set_is_told() -> None:
    """A word of its own, or a sentence of its own: a new member without either fails here."""
    table = TABLES[Language.ENGLISH]
    named = {"Exclusivity": "exclusivity", "Sublicence": "sublicence", "Tail": "tail",
             "Fallback": "fallback", "RevenueBase": "share", "Versions": "models"}  # fmt: skip
    sets = closed_sets()
    assert len(sets) == 12
    for kind in sets:
        prefix = named.get(kind.__name__, kind.__name__)
        assert not [member for member in kind if f"{prefix}.{member}" not in table]
    assert {f"Price.{each.name}" for each in fields(Price)} - set(table) == {
        "Price.currency", "Price.base", "Price.deductions"
    }  # fmt: skip


class Recording(dict[str, str]):
    """A table that remembers what was asked of it."""

    def __init__(self, table: Mapping[str, str]) -> None:
        super().__init__(table)
        self.told: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.told.add(key)
        return super().__getitem__(key)


FULL = Terms(
    PartyName(OWNER.id, ""),
    RepertoireName("5" * 64, 1_200, ("url:https://example.org/a",)),
    STUDIO,
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    Grant(
        tuple(Usage), tuple(Purpose), tuple(Modality), tuple(Modality), tuple(FieldOfUse),
        ModelScope(Versions.FAMILY, "brush", "", 10**9), Territory(("*",), ("SE",)),
        Period("2027-01-01", "2029-01-01", "2028-01-01", Tail.MONTHS, 12), Exclusivity.SOLE,
        Sublicence.NAMED, ("urn:tercet:party:00000000000000cc",),
    ),
    Price("USD", *range(1, 8), RevenueBase.NET, ("refunds",), 3, 2, 4, 1),
    Retention(30, 1, keeps_checkpoints=True, delete_on=(), certificate=False),
    Guards(150, 1, persons=False, styles=False, scenes=False, blocked_words=("dog",)),
    AttributionTerms("grad-cos@1", 600, Fallback.HOLD),
    MostFavoured(True, 12),
    Reporting(3, 10, ()),
    Audit(30, 2, 1, 0),
    900,
    True,
    WindDown(0, 5, ()),
    Law("VN", "SE", ()),
    ("Xin cảm ơn.",),
)  # fmt: skip


def variants() -> Iterator[Terms]:
    """Terms that between them give cause for every sentence."""
    yield from (BARE, FULL, replace(FULL, audit=Audit(per_year=0, records_years=0)))
    yield replace(FULL, reporting=Reporting(0), most_favoured=MostFavoured(True))
    yield replace(FULL, most_favoured=MostFavoured(True, 1))
    yield replace(FULL, price=Price("USD", share_basis_points=1_000))
    half = Grant(*(tuple(kind)[:1] for kind in (Usage, Purpose, Modality, Modality, FieldOfUse)))
    some = replace(
        half, models=ModelScope(Versions.ONE, "brush", "1"), territory=Territory(("SE",))
    )
    rest = {"retention": Retention(delete_on=(Trigger.EXPIRY,)),
            "wind_down": WindDown(survival=(Surviving.AUDIT,))}  # fmt: skip
    yield replace(BARE, grant=some, **rest)  # type: ignore[arg-type]
    for fallback in Fallback:
        yield replace(BARE, attribution=AttributionTerms(fallback=fallback))
    for exclusivity in Exclusivity:
        yield replace(BARE, grant=Grant(exclusivity=exclusivity))
    for sublicence in set(Sublicence) - {Sublicence.NAMED}:
        yield replace(BARE, grant=Grant(sublicence=sublicence))
    yield replace(BARE, grant=Grant(models=ModelScope(Versions.ANY)))
    for period in (
        Period("2027-01-01", "2029-01-01", "2027-01-01", Tail.PERPETUAL),
        Period("2027-01-01", FOREVER, "", Tail.NONE),
    ):
        yield replace(BARE, grant=Grant(period=period))


def test_no_sentence_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(TABLES[Language.ENGLISH])
    monkeypatch.setitem(TABLES, Language.ENGLISH, recording)
    for terms in variants():
        check_terms(terms)
        terms_text(terms, Language.ENGLISH)
    dead = [key for key in set(recording) - recording.told if not key.startswith("free.")]
    assert not [key for key in dead if not re.fullmatch(r"currency\.[A-Z]{3}", key)]


@given(terms=whole_terms(), language=st.sampled_from(Language))
@settings(max_examples=25, deadline=None)
def test_every_field_is_said(terms: Terms, language: Language) -> None:
    said = [path for section in describe(terms, language) for each in section.sentences
            for path in each.paths]  # fmt: skip
    assert set(said) == leaves(json_value(terms))
    assert not re.search(r"[{}]|duration|None", terms_text(terms, language))


MOOT = frozenset(
    {"price.base", "price.deductions", "reporting.due_days", "reporting.fields",
     "audit.notice_days"}
)  # fmt: skip
"""Fields that another one takes the meaning from: no share, no reports, no audits."""


@given(one=whole_terms(), other=whole_terms(), language=st.sampled_from(Language))
@settings(max_examples=25, deadline=None)
def test_terms_that_differ_read_differently(one: Terms, other: Terms, language: Language) -> None:
    """Field by field: nothing that is decided hides behind the same words."""
    before = terms_text(one, language)
    for name in (each.name for each in fields(Terms)):
        changed = replace(one, **{name: getattr(other, name)})
        paths = {each.path for each in differences(one, changed)}
        paths -= {"grant.period.training_end", *MOOT}
        if paths:
            assert terms_text(changed, language) != before, paths
            assert changes(one, changed, language), paths
    assert not changes(one, one, language)


@pytest.mark.parametrize("language", Language)
def test_every_country_and_currency_has_a_name(language: Language) -> None:
    voice = Voice(language)
    assert not [code for code in TERRITORIES if voice.country(code) == code]
    assert not [code for code in CURRENCIES if voice.currency(code) == code]


AMOUNTS = [
    (2_000_000, "USD", "USD 2.00", "2,00 USD"),
    (1_234_567_500_000, "EUR", "EUR 1,234,567.50", "1.234.567,50 EUR"),
    (500, "USD", "USD 0.0005", "0,0005 USD"),
    (1, "EUR", "EUR 0.000001", "0,000001 EUR"),
    (50_000_000_000, "VND", "VND 50,000", "50.000 VND"),
    (1_500_000, "JPY", "JPY 1.5", "1,5 JPY"),
    (9_007_199_254_740_991, "KWD", "KWD 9,007,199,254.740991", "9.007.199.254,740991 KWD"),
]


@pytest.mark.parametrize(("micros", "currency", "english", "vietnamese"), AMOUNTS)
def test_money_is_written_exactly(
    micros: int, currency: str, english: str, vietnamese: str
) -> None:
    for language, words in ((Language.ENGLISH, english), (Language.VIETNAMESE, vietnamese)):
        assert Voice(language).money(micros, currency).replace("\u00a0", " ") == words


def test_days_shares_and_names() -> None:
    english, vietnamese = Voice(Language.ENGLISH), Voice(Language.VIETNAMESE)
    assert english.day("2027-01-31") == "31 January 2027"
    assert vietnamese.day("2027-01-31") == "ngày 31 tháng 1 năm 2027"
    assert english.day_before("2028-03-01") == "29 February 2028"
    assert english.share(1, 10_000) == "0.01%"
    assert vietnamese.share(125, 1_000) == "12,5%"
    assert english.country("VN") == "Vietnam (VN)"
    assert vietnamese.country("US") == "Hoa Kỳ (US)"
    assert vietnamese.counted("every", 1) == "mỗi tháng một lần"


def text_of(terms: Terms, language: Language = Language.ENGLISH) -> str:
    return terms_text(terms, language).replace("\u00a0", " ")


def test_what_grants_nothing_says_so() -> None:
    text = text_of(BARE)
    for line in (
        "The works may not be used at all.",
        "No purpose is permitted.",
        "No country is named, so the licence holds nowhere.",
        "No time is named, so the licence holds at no time.",
        "No model is named, so no model is permitted.",
        "Nothing is to be paid.",
        "An output must not measurably resemble a work.",
    ):
        assert line in text
    assert "Không được phép sử dụng tác phẩm vào bất cứ việc gì." in text_of(
        BARE, Language.VIETNAMESE
    )


PERIODS = [
    (Period("2027-01-01", "2029-01-01"), "Its last day is 31 December 2028."),
    (Period("2027-01-01", "2029-01-01"), "Training is permitted as long as the licence lasts."),
    (Period("2027-01-01", "2029-01-01", "2027-07-01"), "day for training is 30 June 2027."),
    (Period("2027-01-01", "2029-01-01", "2027-01-01"), "Not a single day is left for training."),
    (Period("2027-01-01", FOREVER), "It begins on 1 January 2027 and holds for ever."),
    (Period("2027-01-01", "2029-01-01", "", Tail.MONTHS, 1), "go on generating for 1 month."),
]


@pytest.mark.parametrize(("period", "words"), PERIODS)
def test_a_period_ends_the_day_before_its_end(period: Period, words: str) -> None:
    assert words in text_of(replace(BARE, grant=replace(BARE.grant, period=period)))
    assert date.fromisoformat(FOREVER).year == 9999


def test_a_name_cannot_pretend_to_be_a_sentence() -> None:
    """Line ends, marks that turn the writing round and quotation marks show as escapes."""
    name = "Owner” (urn:tercet:party:ffffffffffffffff).\n3. What is permitted\n   All\u202e."
    text = text_of(replace(BARE, licensor=PartyName(OWNER.id, name), notes=("{title}",)))
    assert text.count("3. What is permitted\n") == 1
    assert "\u202e" not in text
    assert r"Owner\u{201d} (urn" in text
    assert "“{title}”" in text


def test_words_that_people_chose_are_told_or_quoted() -> None:
    terms = replace(BARE, reporting=Reporting(3, 10, ("outputs", "cảnh quay")))
    assert "how many outputs were made; “cảnh quay”." in text_of(terms)
    assert "3 tháng một lần, chậm nhất 10 ngày" in text_of(terms, Language.VIETNAMESE)
    assert "số sản phẩm được tạo ra; “cảnh quay”." in text_of(terms, Language.VIETNAMESE)
