"""Terms as Story's PIL and back: nothing is permitted that the terms do not permit."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from terms_cases import OWNER, whole_terms

from tercet.consent.licences.reach import reach_of
from tercet.consent.licences.story_pil import ZERO_ADDRESS, PilToken, pil_of, pil_unsaid
from tercet.consent.licences.story_pil_import import terms_of_pil
from tercet.consent.licences.terms_difference import differences
from tercet.consent.licences.terms_errors import TermsError
from tercet.consent.licences.terms_validity import check_terms
from tercet.consent.licences.unsaid import FormatError
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.strict_json import read_json
from tercet.core.terms import (
    WORLD,
    FieldOfUse,
    Grant,
    Law,
    ModelScope,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import TRAINING, Usage

TOKEN = PilToken("0x" + "a" * 40, "USD", 18, "0x" + "b" * 40)
WORKS = RepertoireName("5" * 64, 3)
GRANT = Grant(
    (Usage.TRAIN_GENERATIVE,), (Purpose.PRETRAIN,), fields_of_use=(FieldOfUse.CONSUMER,),
    models=ModelScope(Versions.ANY), territory=Territory(("VN", "SE")),
    period=Period("2027-01-01", "2027-01-31"),
)  # fmt: skip
TERMS = Terms(OWNER, WORKS, grant=GRANT, price=Price("USD", 2_500_000, share_basis_points=1_250),
              law=Law("VN"))  # fmt: skip

# The off-chain terms of piplabs/pil-document, off-chain-terms/CC-BY.json, with the struct that
# "PIL Flavors" gives for Creative Commons Attribution.
CC_BY: dict[str, Any] = {
    "pilTerms": {
        "transferable": True, "royaltyPolicy": ZERO_ADDRESS, "defaultMintingFee": "0",
        "expiration": "0", "commercialUse": True, "commercialAttribution": True,
        "commercializerChecker": ZERO_ADDRESS, "commercializerCheckerData": "0x",
        "commercialRevShare": 0, "commercialRevCeiling": "0", "derivativesAllowed": True,
        "derivativesAttribution": True, "derivativesApproval": False,
        "derivativesReciprocal": True, "derivativeRevCeiling": "0", "currency": ZERO_ADDRESS,
        "uri": "https://github.com/piplabs/pil-document",
    },
    "offChainTerms": {
        "territory": [], "channelsOfDistribution": [], "attribution": True,
        "contentStandards": ["No-Hate", "Suitable-for-All-Ages", "No-Drugs-or-Weapons",
                             "No-Pornography"],
        "sublicensable": False, "aiLearningModels": True, "restrictionOnCrossPlatformUse": False,
        "governingLaw": "California, USA", "additionalParameters": {},
        "PILUri": "https://github.com/piplabs/pil-document",
    },
}  # fmt: skip


def changed(document: dict[str, Any], part: str, **values: object) -> dict[str, Any]:
    document = copy.deepcopy(document)
    document[part].update(values)
    return document


OPEN = changed(
    changed(CC_BY, "offChainTerms", contentStandards=[]), "pilTerms", derivativesReciprocal=False
)


def test_the_fields_that_pil_has() -> None:
    found = pil_of(TERMS, TOKEN)
    struct, file = found["pilTerms"], found["offChainTerms"]
    assert struct["defaultMintingFee"] == "2500000000000000000"  # 2.5 with 18 decimals
    assert struct["commercialRevShare"] == 12_500_000  # of 100,000,000
    assert struct["expiration"] == str(30 * 86_400)
    assert (struct["commercialUse"], struct["derivativesAllowed"]) == (True, False)
    assert struct["transferable"] is False
    assert (file["territory"], file["governingLaw"]) == (["SE", "VN"], "VN")
    assert file["aiLearningModels"] is True
    assert set(struct) == set(CC_BY["pilTerms"])
    assert set(file) == set(CC_BY["offChainTerms"])


@given(terms=whole_terms())
@settings(max_examples=30, deadline=None)
def test_there_and_back_nothing_differs(terms: Terms) -> None:
    grant = terms.grant
    assume(grant.usages and grant.period.start and reach_of(grant.territory))
    token = replace(TOKEN, currency=terms.price.currency)
    document = read_json(canonical_json(pil_of(terms, token)))
    back = terms_of_pil(document, OWNER, WORKS, token=token)
    assert back.terms == terms
    assert not back.unsaid


@given(terms=whole_terms())
@settings(max_examples=30, deadline=None)
def test_by_its_own_fields_only_what_is_listed_differs(terms: Terms) -> None:
    grant = terms.grant
    assume(grant.usages and grant.period.start and reach_of(grant.territory))
    token = replace(TOKEN, currency=terms.price.currency)
    document = changed(pil_of(terms, token), "offChainTerms", additionalParameters={})
    back = terms_of_pil(document, OWNER, WORKS, token=token, start=grant.period.start)
    listed = tuple(each.path for each in pil_unsaid(terms))
    for difference in differences(terms, back.terms):
        assert difference.path.startswith(listed), difference


def test_terms_that_grant_nothing_are_no_pil() -> None:
    for grant in (Grant(), replace(GRANT, period=Period()), replace(GRANT, territory=Territory())):
        with pytest.raises(FormatError, match="always permits something"):
            raise_with_hint(grant)


def raise_with_hint(grant: Grant) -> None:
    try:
        pil_of(replace(TERMS, grant=grant), TOKEN)
    except FormatError as error:
        raise FormatError(f"{error.message} {error.hint}") from error


@pytest.mark.parametrize(
    "token",
    [None, replace(TOKEN, currency="EUR"), replace(TOKEN, royalty_policy=ZERO_ADDRESS),
     replace(TOKEN, decimals=0)],
)  # fmt: skip
def test_a_fee_without_its_token_does_not_become_free(token: PilToken | None) -> None:
    with pytest.raises(FormatError, match="nothing is due"):
        pil_of(TERMS, token)


def test_exceptions_from_the_world_are_listed_country_by_country() -> None:
    grant = replace(GRANT, territory=Territory((WORLD,), ("SE",)))
    places = pil_of(replace(TERMS, grant=grant), TOKEN)["offChainTerms"]["territory"]
    assert len(places) == 248
    assert "SE" not in places
    world = replace(GRANT, territory=Territory((WORLD,)))
    assert pil_of(replace(TERMS, grant=world), TOKEN)["offChainTerms"]["territory"] == []


def test_pil_of_others() -> None:
    found = terms_of_pil(OPEN, OWNER, WORKS, start="2027-01-01")
    assert frozenset(found.terms.grant.usages) == TRAINING
    assert found.terms.grant.purposes == (Purpose.OUTPUT_FEATURE,)
    assert found.terms.grant.period == Period("2027-01-01", "9999-12-31")
    assert found.terms.grant.territory == Territory((WORLD,))
    assert {each.path for each in found.unsaid} == {
        "pilTerms.transferable", "pilTerms.commercialAttribution",
        "pilTerms.derivativesAttribution", "offChainTerms.attribution",
        "offChainTerms.governingLaw",
    }  # fmt: skip
    assert terms_of_pil(OPEN, OWNER, WORKS).terms.grant.period == Period()


LIMITS = [
    ("pilTerms", {"derivativesApproval": True}),
    ("pilTerms", {"derivativesReciprocal": True}),
    ("pilTerms", {"commercialRevCeiling": "1"}),
    ("pilTerms", {"derivativeRevCeiling": "1"}),
    ("pilTerms", {"commercializerChecker": "0x" + "c" * 40}),
    ("pilTerms", {"commercializerCheckerData": "0x01"}),
    ("pilTerms", {"defaultMintingFee": "1", "currency": "0x" + "c" * 40}),
    ("pilTerms", {"commercialRevShare": 1}),
    ("offChainTerms", {"channelsOfDistribution": ["television"]}),
    ("offChainTerms", {"contentStandards": ["No-Hate"]}),
    ("offChainTerms", {"restrictionOnCrossPlatformUse": True}),
    ("offChainTerms", {"additionalParameters": {"more": "x"}}),
]


@pytest.mark.parametrize(("part", "values"), LIMITS)
def test_a_limit_that_terms_cannot_say_takes_the_grant_away(
    part: str, values: dict[str, object]
) -> None:
    found = terms_of_pil(changed(OPEN, part, **values), OWNER, WORKS, start="2027-01-01")
    assert found.terms.grant == Grant()
    assert "nothing is granted" in found.unsaid[0].words


def test_a_fee_finer_than_a_micro_unit_is_not_rounded_away() -> None:
    document = changed(OPEN, "pilTerms", defaultMintingFee="1", currency=TOKEN.address)
    found = terms_of_pil(document, OWNER, WORKS, token=TOKEN, start="2027-01-01")
    assert found.terms.grant == Grant()
    whole = changed(OPEN, "pilTerms", defaultMintingFee="1000000000000", currency=TOKEN.address)
    paid = terms_of_pil(whole, OWNER, WORKS, token=TOKEN, start="2027-01-01").terms
    assert paid.price == Price("USD", fixed_micros=1)


def test_fields_that_say_else_than_the_terms_beside_them_are_refused() -> None:
    document = pil_of(TERMS, TOKEN)
    for part, values in (
        ("pilTerms", {"commercialRevShare": 0}),
        ("offChainTerms", {"territory": []}),
        ("pilTerms", {"derivativesAllowed": True}),
    ):
        with pytest.raises(FormatError, match="say what the terms beside them say"):
            terms_of_pil(changed(document, part, **values), OWNER, WORKS)
    added = {**document["offChainTerms"]["additionalParameters"], "more": 1}
    with pytest.raises(FormatError):
        terms_of_pil(changed(document, "offChainTerms", additionalParameters=added), OWNER, WORKS)


ANYTHING = st.none() | st.booleans() | st.integers(-5, 10**30) | st.text(max_size=5)
ANYTHING |= st.just([]) | st.just({}) | st.just(["VN"]) | st.just({"tercet/terms@1": []})


@given(
    part=st.sampled_from(("pilTerms", "offChainTerms")), data=st.data(), value=ANYTHING,
    token=st.sampled_from((None, TOKEN, replace(TOKEN, address=ZERO_ADDRESS))),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_whatever_is_put_anywhere_is_read_or_refused(
    part: str, data: st.DataObject, value: object, token: PilToken | None
) -> None:
    name = data.draw(st.sampled_from(sorted(OPEN[part])))
    document = changed(OPEN, part, **{name: value})
    try:
        found = terms_of_pil(document, OWNER, WORKS, token=token, start="2027-01-01")
    except InputError:
        return
    check_terms(found.terms)


@pytest.mark.parametrize(
    "document",
    [None, {}, {"pilTerms": {}, "offChainTerms": {}},
     changed(OPEN, "pilTerms", expiration=-1), changed(OPEN, "pilTerms", expiration="9" * 79),
     changed(OPEN, "pilTerms", commercialUse=1), changed(OPEN, "pilTerms", more=1),
     changed(OPEN, "offChainTerms", territory="VN"),
     changed(OPEN, "offChainTerms", additionalParameters={"tercet/terms@1": {}})],
)  # fmt: skip
def test_what_is_no_pil_is_refused(document: object) -> None:
    with pytest.raises((InputError, TermsError)):
        terms_of_pil(document, OWNER, WORKS, start="2027-01-01")
