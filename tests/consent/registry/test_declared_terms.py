"""Terms: silence reserves, a licence says what it says, and nothing grants by accident."""

from __future__ import annotations

import pytest

from tercet.consent.registry.declared_terms import (
    licence_terms,
    read_terms_file,
    reserved_terms,
    stated_terms,
)
from tercet.consent.registry.match_document import UsageTerms
from tercet.core.condition import ConditionKind
from tercet.core.errors import InputError
from tercet.core.money import Money
from tercet.core.usage import Permission, Usage


def said(terms: tuple[UsageTerms, ...]) -> dict[str, str]:
    return {str(each.usage): str(each.permission) for each in terms}


def test_to_register_is_to_reserve_all_but_search_and_index() -> None:
    assert said(reserved_terms()) == dict.fromkeys(
        ("ai_input", "mine", "train_generative", "train_nongenerative"), "deny"
    )


def test_licences() -> None:
    assert set(said(licence_terms("CC0-1.0")).values()) == {"allow"}
    by_nc = licence_terms("https://creativecommons.org/licenses/by-nc/4.0/")
    assert {each.permission for each in by_nc} == {Permission.CONDITIONAL}
    assert {c.kind for each in by_nc for c in each.conditions} == {
        ConditionKind.ATTRIBUTION, ConditionKind.NON_COMMERCIAL
    }  # fmt: skip
    assert licence_terms("All rights reserved") == reserved_terms()


@pytest.mark.parametrize(
    "text",
    ["", "free", "not CC BY", "CC BY except the photos", "MIT or GPL-3.0-only",
     "CC0, but no AI training"],
)  # fmt: skip
def test_what_is_no_certain_licence_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(InputError):
        licence_terms(text)


def test_single_usages() -> None:
    terms = stated_terms(reserved_terms(), allow=["ai_index", "mine"], deny=["search"])
    assert said(terms)["mine"] == said(terms)["ai_index"] == "allow"
    assert said(terms)["search"] == said(terms)["train_generative"] == "deny"
    with pytest.raises(InputError, match="both"):
        stated_terms(reserved_terms(), allow=["mine"], deny=["mine"])
    with pytest.raises(InputError, match="no usage"):
        stated_terms(reserved_terms(), allow=["everything"])


def test_an_offer_opens_what_is_reserved_and_not_what_is_denied() -> None:
    terms = stated_terms(
        reserved_terms(), deny=["mine"], offer_url="https://example.org/buy", price="EUR 12.50"
    )
    assert said(terms) == {
        "ai_input": "conditional", "mine": "deny", "train_generative": "conditional",
        "train_nongenerative": "conditional",
    }  # fmt: skip
    condition = terms[0].conditions[0]
    assert condition.price == Money("EUR", 12_500_000)
    with pytest.raises(InputError, match="http"):
        stated_terms(reserved_terms(), offer_url="javascript:alert(1)")
    with pytest.raises(InputError, match="needs the URL"):
        stated_terms(reserved_terms(), price="EUR 1")


def test_a_terms_file() -> None:
    terms = read_terms_file(
        b"""
        search = "allow"
        mine = "deny"
        [train_generative]
        url = "https://example.org/licence"
        price = "25 USD"
        price_unit = "work"
        [ai_input]
        permission = "conditional"
        conditions = ["attribution", "non_commercial"]
        """,
        "terms.toml",
    )
    by_usage = {each.usage: each for each in terms}
    assert by_usage[Usage.SEARCH].permission is Permission.ALLOW
    assert by_usage[Usage.TRAIN_NONGENERATIVE].permission is Permission.DENY  # not named
    assert by_usage[Usage.TRAIN_GENERATIVE].conditions[0].price == Money("USD", 25_000_000)
    assert len(by_usage[Usage.AI_INPUT].conditions) == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('everything = "allow"', "no usage"),
        ('mine = "perhaps"', "perhaps"),
        ('mine = "conditional"', "conditional"),
        ('[mine]\npermission = "allow"\nurl = "https://a.example/"', "conditional"),
        ('[mine]\nprice = "EUR 1"', "url"),
        ('[mine]\ncost = "EUR 1"', "cost"),
        ("mine = ", "TOML"),
        ('[mine]\nconditions = ["kindness"]', "kindness"),
    ],
)
def test_a_terms_file_that_is_wrong_says_where(text: str, word: str) -> None:
    with pytest.raises(InputError) as caught:
        read_terms_file(text.encode(), "terms.toml")
    assert "terms.toml" in caught.value.message
    assert word in caught.value.message
