"""Terms as RSL and back: our own reader of RSL finds the same meaning, what is lost is listed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from terms_cases import OWNER, whole_terms

from tercet.consent.licences.rsl_terms_export import (
    payable,
    rsl_of,
    rsl_unsaid,
    rsl_usage_words,
    terms_urn,
)
from tercet.consent.licences.rsl_terms_import import EUROPEAN_UNION, terms_of_rsl
from tercet.consent.licences.terms_difference import differences
from tercet.consent.licences.unsaid import FormatError, Unsaid
from tercet.consent.signals.rsl import read_rsl_xml
from tercet.core.condition import ConditionKind
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.terms import WORLD, Grant, Price, RepertoireName, Terms, Territory
from tercet.core.territories import TERRITORIES
from tercet.core.usage import ALL_USAGES, TRAINING, Permission, Usage

SITE = Source("https://example.org/license.xml", Carrier.FILE)
OFFER_URL = "https://example.org/offers/1.json?a=1&b=<2>"
EVERYWHERE = Grant(usages=tuple(TRAINING), territory=Territory((WORLD,)))
TERMS = Terms(OWNER, RepertoireName("5" * 64, 3), grant=EVERYWHERE)


def read_back(terms: Terms, offer_url: str = "") -> Declaration:
    (found,) = read_rsl_xml(rsl_of(terms, ["/"], offer_url).encode(), SITE)
    assert not found.fault
    return found


def said(found: Declaration) -> dict[Usage, Permission]:
    (reading,) = found.readings
    return {usage: permission for each in reading.statements
            for usage, permission in each.permissions}  # fmt: skip


def expected(terms: Terms) -> dict[Usage, Permission]:
    """What a reader of RSL must find: never a plain grant, and a denial for what is not granted.

    Either training stands for both, mining only where everything is granted.
    """
    granted = frozenset(terms.grant.usages)
    if not terms.grant.territory.include or not rsl_usage_words(granted):
        return dict.fromkeys(Usage, Permission.DENY)
    offered = granted if granted == ALL_USAGES else granted - {Usage.MINE}
    offered |= TRAINING if granted & TRAINING else frozenset()
    return {u: Permission.CONDITIONAL if u in offered else Permission.DENY for u in Usage}


@given(terms=whole_terms())
@settings(max_examples=40, deadline=None)
def test_our_reader_finds_the_same_meaning(terms: Terms) -> None:
    found = read_back(terms)
    assert said(found) == expected(terms)
    conditions = [c for each in found.readings[0].statements for c in each.conditions]
    kinds = {condition.kind for condition in conditions}
    if conditions:
        assert kinds & {ConditionKind.PAYMENT, ConditionKind.LICENCE}
        assert (ConditionKind.PAYMENT in kinds) == bool(payable(terms.price))
        bounded = terms.grant.territory.exclude or WORLD not in terms.grant.territory.include
        assert (ConditionKind.GEOGRAPHY in kinds) == bool(bounded)
        assert terms_urn(terms) in {condition.url for condition in conditions}


@given(terms=whole_terms())
@settings(max_examples=40, deadline=None)
def test_there_and_back_only_what_is_listed_differs(terms: Terms) -> None:
    back = terms_of_rsl(rsl_of(terms, ["/"]).encode(), OWNER, terms.repertoire)
    listed = tuple(each.path for each in rsl_unsaid(terms))
    lost_on_the_way_in = {each.path for each in back.unsaid}
    for difference in differences(terms, back.terms):
        is_listed = difference.path.startswith(listed)
        is_refused = difference.path == "grant.usages" and "payment" in lost_on_the_way_in
        assert is_listed or is_refused, difference


def test_nobody_may_act_on_the_rsl_file_alone() -> None:
    """Free terms with limits must not read as a free grant without limits."""
    statements = read_back(TERMS, OFFER_URL).readings[0].statements
    (hanging,) = [each for each in statements if each.conditions]
    assert {(each.kind, each.url) for each in hanging.conditions} == {
        (ConditionKind.LICENCE, OFFER_URL)
    }


def test_one_price_of_a_kind_that_rsl_has_is_said() -> None:
    terms = replace(TERMS, price=Price("EUR", per_work_micros=50_000))
    (condition,) = read_back(terms, OFFER_URL).readings[0].statements[-1].conditions
    assert str(condition.price) == "EUR 0.05"
    assert condition.price_unit == "training"
    assert not [each for each in rsl_unsaid(terms) if each.path.startswith("price")]


def test_prices_that_add_up_are_not_told_as_alternatives() -> None:
    """Several licenses in one content are alternatives in RSL: either price would do."""
    terms = replace(TERMS, price=Price("EUR", fixed_micros=10**9, per_minute_micros=2_000_000))
    document = rsl_of(terms, ["/"], OFFER_URL)
    assert document.count("<license>") == 1
    assert "<amount" not in document
    paths = [each.path for each in rsl_unsaid(terms) if each.path.startswith("price")]
    assert paths == ["price.fixed_micros", "price.per_minute_micros", "price.currency"]


def test_every_limit_that_rsl_cannot_say_is_listed() -> None:
    paths = {each.path for each in rsl_unsaid(TERMS)}
    assert {"guards", "retention", "grant.period", "grant.models", "audit", "reporting"} <= paths
    assert not {"notes", "mandate", "licensee"} & paths
    noted = replace(TERMS, notes=("One.",), mandate="urn:uuid:1")
    assert {"notes", "mandate"} <= {each.path for each in rsl_unsaid(noted)}


def test_one_kind_of_training_is_said_as_both_and_listed() -> None:
    terms = replace(TERMS, grant=replace(EVERYWHERE, usages=(Usage.TRAIN_GENERATIVE, Usage.MINE)))
    assert 'type="usage">ai-train<' in rsl_of(terms, ["/"])
    assert [each.path for each in rsl_unsaid(terms)][:2] == ["grant.usages"] * 2


def test_terms_without_works_or_country_permit_nothing() -> None:
    with pytest.raises(FormatError, match="the paths or URLs"):
        rsl_of(TERMS, [])
    nowhere = replace(
        TERMS,
        grant=replace(EVERYWHERE, territory=Territory()),
        price=Price("EUR", per_work_micros=1),
    )
    lost = {each.path for each in rsl_unsaid(nowhere)}
    assert {"grant.usages", "grant.territory", "price.per_work_micros"} <= lost
    assert set(said(read_back(nowhere)).values()) == {Permission.DENY}


def test_names_and_addresses_cannot_break_out_of_the_xml() -> None:
    name = '</copyright></content><content url="/"><license/>'
    terms = replace(TERMS, licensor=replace(OWNER, name=name))
    (found,) = read_rsl_xml(rsl_of(terms, ['/a"><b>'], OFFER_URL).encode(), SITE)
    assert found.fault == ""
    assert said(found)[Usage.SEARCH] is Permission.DENY


def wrapped(license_xml: str, attributes: str = "") -> bytes:
    return (
        f'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"{attributes}>'
        f"<license>{license_xml}</license></content></rsl>"
    ).encode()


TRAIN = '<permits type="usage">ai-train</permits>'
FREE = '<payment type="free"/>'


def imported(license_xml: str, attributes: str = "") -> tuple[Terms, tuple[Unsaid, ...]]:
    found = terms_of_rsl(wrapped(license_xml, attributes), OWNER, RepertoireName())
    return found.terms, found.unsaid


def test_reading_rsl_of_others() -> None:
    paid = '<payment type="purchase"><amount currency="USD">250</amount></payment>'
    terms, unsaid = imported(f'{TRAIN}<permits type="geo">VN EU</permits>{paid}')
    assert frozenset(terms.grant.usages) == TRAINING
    assert terms.grant.territory.include == ("VN", *EUROPEAN_UNION)
    assert terms.price == Price("USD", fixed_micros=250_000_000)
    assert [each.path for each in unsaid] == ["license.geo", "payment"]
    assert len(EUROPEAN_UNION) == 27
    assert set(EUROPEAN_UNION) <= TERRITORIES


@pytest.mark.parametrize(
    ("unit", "price"),
    [("minute", Price("EUR", per_minute_micros=2_000_000)),
     ("fixed", Price("EUR", fixed_micros=2_000_000)), ("price in terms", None), ("year", None)],
)  # fmt: skip
def test_a_price_of_our_extension_is_taken_by_its_unit(unit: str, price: Price | None) -> None:
    """Not by RSL's payment type: two euros a minute are not two euros a work."""
    own = f'<t:price xmlns:t="urn:tercet:rsl-price:1" amount="2" currency="EUR" unit="{unit}"/>'
    terms, unsaid = imported(f'{TRAIN}<payment type="training">{own}</payment>')
    assert terms.price == (price or Price())
    assert bool(terms.grant.usages) == (price is not None)
    assert bool(unsaid) == (price is None)


LIMITS = [
    ('<permits type="user">education</permits>', "", "license.user"),
    ('<prohibits type="geo">QQ</prohibits>', "", "license.geo"),
    ('<payment type="subscription"><amount currency="USD">1</amount></payment>', "", "payment"),
    ('<payment type="training"/>', "", "payment"),
    ('<payment type="attribution"/>', "", "payment"),
    ('<payment type="purchase"><amount currency="USD">0</amount></payment>', "", "payment"),
    ('<payment type="purchase"><amount currency="XAU">1</amount></payment>', "", "payment"),
    ("", ' server="https://example.org/olp"', "content.server"),
    ('<reporting profile="https://example.org/p"/>', "", "license.reporting"),
]


@pytest.mark.parametrize(("limit", "attributes", "path"), LIMITS)
def test_a_limit_that_terms_cannot_say_takes_the_grant_away(
    limit: str, attributes: str, path: str
) -> None:
    terms, unsaid = imported(TRAIN + limit, attributes)
    assert terms.grant.usages == ()
    assert path in {each.path for each in unsaid}


def test_what_is_told_beside_the_licence_is_listed() -> None:
    legal = '<legal type="disclaimer">as-is</legal>'
    terms, unsaid = imported(TRAIN + FREE + legal)
    assert frozenset(terms.grant.usages) == TRAINING
    assert unsaid == (Unsaid("license.legal_disclaimer", unsaid[0].words),)
    assert "as-is" in unsaid[0].words


BROKEN = [
    b"<rsl",
    b"<html/>",
    wrapped('<permits type="usage">train-ai</permits>'),
    wrapped(TRAIN + TRAIN),
    b'<!DOCTYPE a [<!ENTITY b "c">]>' + wrapped(TRAIN),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_a_document_with_a_fault_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError, match="conformant"):
        terms_of_rsl(raw, OWNER, RepertoireName())


def test_one_of_several_licenses_is_chosen_and_the_others_told() -> None:
    raw = (
        '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
        f"{TRAIN}{FREE}</license><license><permits type='usage'>search</permits></license>"
        "</content></rsl>"
    ).encode()
    second = terms_of_rsl(raw, OWNER, RepertoireName(), number=2)
    assert second.terms.grant.usages == (Usage.SEARCH,)
    assert [each.path for each in second.unsaid] == ["license"]
    with pytest.raises(FormatError, match="from 1 to 2"):
        terms_of_rsl(raw, OWNER, RepertoireName(), number=3)
