"""What terms permit and cover: laws over whole terms, and each refusal by its own code."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.consent.licences.terms_cases import (
    COUNTRIES,
    OTHER_STUDIO,
    OWNER,
    STUDIO,
    duties,
    granted_uses,
    neighbours,
    periods,
    permitting_terms,
    territories,
    uses,
)

from tercet.consent.licences.coverage import covers, narrow, permits, permits_generation
from tercet.consent.licences.reach import (
    days_of,
    generation_end,
    is_day,
    month_later,
    months_between,
    reach_of,
)
from tercet.consent.licences.refusal import RefusalCode
from tercet.consent.licences.terms_validity import faults
from tercet.core.terms import (
    FOREVER,
    FieldOfUse,
    Grant,
    Guards,
    Modality,
    ModelScope,
    Period,
    Purpose,
    RepertoireName,
    Retention,
    Tail,
    Terms,
    Territory,
    Trigger,
    Use,
    Versions,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import Usage

LAW = settings(max_examples=35)  # whole terms are many draws; every run draws others
GRANT = Grant(
    usages=(Usage.TRAIN_GENERATIVE, Usage.AI_INPUT, Usage.SEARCH),
    purposes=(Purpose.PRETRAIN,),
    modalities_in=(Modality.IMAGE,),
    modalities_out=(Modality.VIDEO,),
    fields_of_use=(FieldOfUse.CONSUMER,),
    models=ModelScope(Versions.ONE, "brush", "2", parameters_max=1_000),
    territory=Territory(("SE", "VN")),
    period=Period("2026-01-01", "2028-01-01", "2027-01-01", Tail.MONTHS, 6),
)
TERMS = Terms(
    OWNER,
    RepertoireName("5" * 64, 3, ("sha256:" + "a" * 64,)),
    STUDIO,
    grant=GRANT,
    retention=Retention(30, 60, True, (Trigger.EXPIRY, Trigger.TERMINATION), 14, True),
    guards=Guards(100, 20, True, True, True, ("dog",)),
)
USE = Use(
    Usage.TRAIN_GENERATIVE, "2026-06-01", STUDIO.id, "brush", "2", 1_000,
    Purpose.PRETRAIN, Modality.IMAGE, Modality.VIDEO, FieldOfUse.CONSUMER, ("SE", "VN"),
)  # fmt: skip


def codes(refusals: tuple[Any, ...]) -> list[RefusalCode]:
    return [refusal.code for refusal in refusals]


def with_grant(**changes: Any) -> Terms:
    return replace(TERMS, grant=replace(GRANT, **changes))


# Laws


@LAW
@given(permitting_terms())
def test_terms_cover_themselves(terms: Terms) -> None:
    assert covers(terms, terms) == ()


@LAW
@given(permitting_terms(), st.data())
def test_covering_is_transitive(first: Terms, data: st.DataObject) -> None:
    middle = narrow(first, data.draw(neighbours(first)))
    last = narrow(middle, data.draw(neighbours(middle)))
    assert covers(first, middle) == covers(middle, last) == covers(first, last) == ()


@LAW
@given(permitting_terms(), st.data())
def test_covering_is_transitive_where_it_happens_to_hold(one: Terms, data: st.DataObject) -> None:
    terms = [one, data.draw(neighbours(one)), data.draw(neighbours(one))]
    for large, middle, small in permutations(terms):
        if not covers(large, middle) and not covers(middle, small):
            assert covers(large, small) == ()


@LAW
@given(permitting_terms(licensor=None), st.data())
def test_what_is_narrowed_is_covered_and_valid(terms: Terms, data: st.DataObject) -> None:
    by = data.draw(neighbours(terms) | permitting_terms(licensor=None))
    narrowed = narrow(terms, by)
    assert covers(terms, narrowed) == ()
    assert list(faults(narrowed)) == []
    if terms.licensor == by.licensor:
        assert covers(by, narrowed) == ()


@LAW
@given(permitting_terms(), st.data())
def test_what_is_narrowed_is_the_most_that_both_cover(a: Terms, data: st.DataObject) -> None:
    """Whatever both cover, the narrowed covers; but days of a tail, which months round down."""
    b, c = data.draw(neighbours(a)), data.draw(neighbours(a))
    within = c if not covers(a, c) and not covers(b, c) else narrow(narrow(a, b), c)
    without_tail = replace(within.grant.period, tail=Tail.NONE, tail_months=0)
    within = replace(within, grant=replace(within.grant, period=without_tail))
    assert covers(narrow(a, b), within) == covers(narrow(b, a), within) == ()


@LAW
@given(permitting_terms())
def test_narrowing_by_the_same_permits_the_same(terms: Terms) -> None:
    assert covers(narrow(terms, terms), terms) == ()


@LAW
@given(permitting_terms(), st.data())
def test_narrowing_permits_nothing_more(terms: Terms, data: st.DataObject) -> None:
    by = data.draw(neighbours(terms) | permitting_terms(licensor=None))
    narrowed = narrow(terms, by)
    for asked in (permits, permits_generation):
        use = data.draw(granted_uses(narrowed) | granted_uses(terms) | uses())
        if not asked(narrowed, use):
            assert asked(terms, use) == asked(by, use) == ()


@LAW
@given(permitting_terms(), st.data())
def test_narrowing_permits_all_that_both_do(terms: Terms, data: st.DataObject) -> None:
    terms = replace(terms, licensee=None)
    by = replace(data.draw(neighbours(terms)), licensee=None)
    use = data.draw(granted_uses(narrow(terms, by)) | granted_uses(terms) | uses())
    if not permits(terms, use) and not permits(by, use):
        assert permits(narrow(terms, by), use) == ()


@LAW
@given(permitting_terms(), st.data())
def test_who_covers_permits_as_much(wider: Terms, data: st.DataObject) -> None:
    narrower = data.draw(neighbours(wider))
    if covers(wider, narrower):
        narrower = narrow(wider, narrower)
    use = data.draw(granted_uses(narrower) | granted_uses(narrower) | uses())
    for asked in (permits, permits_generation):
        if not asked(narrower, use):
            assert asked(wider, use) == ()


@LAW
@given(permitting_terms(), st.data())
def test_terms_that_are_not_covered_permit_more_somewhere(
    terms: Terms, data: st.DataObject
) -> None:
    """Taking any one thing that is granted away from the wider is noticed."""
    assume(terms.grant.usages and days_of(terms.grant.period))
    usage = data.draw(st.sampled_from(terms.grant.usages))
    left = tuple(other for other in terms.grant.usages if other is not usage)
    lesser = replace(terms, grant=replace(terms.grant, usages=left))
    assert codes(covers(lesser, terms)) == [RefusalCode.USAGE]
    assert covers(terms, lesser) == ()


@LAW
@given(uses())
def test_the_silent_party_grants_nothing(use: Use) -> None:
    assert permits(Terms(OWNER, RepertoireName("5" * 64, 3)), use)


@LAW
@given(permitting_terms(), uses(), st.integers(0, 300))
def test_permitting_never_raises_on_terms_that_nobody_checked(
    terms: Terms, use: Use, seed: int
) -> None:
    broken = ("", "2026", "2026-13-01", "2026-W01-1", "99999-01-01")
    period = Period(broken[seed % 5], broken[seed % 3], broken[seed % 4], Tail.MONTHS, seed)
    grant = replace(terms.grant, period=period, models=ModelScope(Versions.FAMILY))
    assert RefusalCode.NO_PERIOD in codes(permits(replace(terms, grant=grant), use))


# What the vectors in vectors/terms do not show


def test_the_example_is_permitted() -> None:
    assert permits(TERMS, USE) == permits_generation(TERMS, USE) == ()


STRICTER: list[tuple[str, Terms]] = [
    ("usages", with_grant(usages=(Usage.AI_INPUT,))),
    ("no-modalities", with_grant(modalities_in=())),
    ("smaller-model", with_grant(models=replace(GRANT.models, parameters_max=10))),
    ("country", with_grant(territory=Territory(("VN",)))),
    ("later-start", with_grant(period=replace(GRANT.period, start="2026-02-01"))),
    ("shorter-tail", with_grant(period=replace(GRANT.period, tail_months=5))),
    ("no-tail", with_grant(period=replace(GRANT.period, tail=Tail.NONE, tail_months=0))),
    ("less-training", with_grant(period=replace(GRANT.period, training_end="2026-03-01"))),
    ("no-training", with_grant(period=replace(GRANT.period, training_end="2026-01-01"))),
    ("exclusions", replace(TERMS, repertoire=replace(
        TERMS.repertoire, exclusions=(*TERMS.repertoire.exclusions, "sha256:" + "b" * 64)
    ))),
    ("no-raw", replace(TERMS, retention=replace(TERMS.retention, raw_days=0))),
    ("no-features", replace(TERMS, retention=replace(TERMS.retention, feature_days=59))),
    ("sooner", replace(TERMS, retention=replace(TERMS.retention, deletion_days=13))),
    ("no-checkpoints", replace(TERMS, retention=replace(
        TERMS.retention, keeps_checkpoints=False
    ))),
    ("triggers", replace(TERMS, retention=replace(
        TERMS.retention, delete_on=(*TERMS.retention.delete_on, Trigger.INSOLVENCY)
    ))),
    ("similarity", replace(TERMS, guards=replace(TERMS.guards, similarity_max_per_mille=99))),
    ("quotes", replace(TERMS, guards=replace(TERMS.guards, quoted_words_max=0))),
    ("words", replace(TERMS, guards=replace(TERMS.guards, blocked_words=("dog", "cat")))),
]  # fmt: skip


@pytest.mark.parametrize("stricter", [s[1] for s in STRICTER], ids=[s[0] for s in STRICTER])
def test_the_stricter_of_two_is_what_is_left(stricter: Terms) -> None:
    assert narrow(TERMS, stricter) == narrow(stricter, TERMS) == stricter
    assert covers(TERMS, stricter) == ()
    assert covers(stricter, TERMS)


def test_of_what_is_in_neither_nothing_is_left() -> None:
    family = with_grant(models=ModelScope(Versions.FAMILY, "brush"))
    assert narrow(TERMS, family).grant.models == GRANT.models
    lens = with_grant(models=ModelScope(Versions.ANY, parameters_max=5))
    assert narrow(family, lens).grant.models == ModelScope(Versions.FAMILY, "brush", "", 5)
    other = with_grant(models=ModelScope(Versions.ONE, "brush", "3"))
    assert narrow(TERMS, other).grant.models == ModelScope(parameters_max=1_000)
    here, there = (with_grant(territory=Territory(("*",), (code,))) for code in ("US", "SE"))
    assert narrow(here, there).grant.territory == Territory(("*",), ("US", "SE"))
    later = with_grant(period=Period("2028-01-01", "2029-01-01"))
    assert narrow(TERMS, later).grant.period == Period()
    elsewhere = replace(TERMS, repertoire=RepertoireName("6" * 64, 3))
    assert narrow(TERMS, elsewhere).repertoire == RepertoireName()
    assert narrow(TERMS, replace(TERMS, licensee=OTHER_STUDIO)).grant == Grant()


def test_parties_price_and_duties_stay_those_of_the_first() -> None:
    offer = replace(TERMS, licensee=None, notes=("first",))
    narrowed = narrow(offer, replace(TERMS, licensor=OTHER_STUDIO, notes=("second",)))
    assert (narrowed.licensor, narrowed.licensee) == (OWNER, STUDIO)
    assert (narrowed.price, narrowed.notes) == (offer.price, ("first",))
    own = narrow(offer, replace(TERMS, licensor=STUDIO, licensee=OWNER))
    assert (own.licensee, own.grant) == (None, Grant())


DUTIES = {
    "mandate", "price", "attribution", "most_favoured", "reporting", "audit",
    "late_interest_basis_points", "grosses_up", "wind_down", "law", "notes",
}  # fmt: skip
"""What is owed or said, and decides nothing here: docs/terms.md lists the same."""


@LAW
@given(permitting_terms(), duties(), uses())
def test_duties_decide_nothing(terms: Terms, owed: dict[str, Any], use: Use) -> None:
    assert set(owed) == DUTIES
    indebted = replace(terms, **owed)
    assert permits(terms, use) == permits(indebted, use)
    assert covers(terms, indebted) == covers(indebted, terms) == ()


def test_every_field_is_a_duty_or_decides() -> None:
    decided = {"licensor", "licensee", "repertoire", "grant", "retention", "guards"}
    assert decided | DUTIES == {item.name for item in fields(Terms)}


# Days and countries


@given(periods())
def test_the_days_of_a_period_are_in_order(period: Period) -> None:
    days = days_of(period)
    if days is None:
        assert generation_end(period) == ""
    else:
        assert days.start < days.end <= days.generation_end == generation_end(period)
        assert days.start <= days.training_end <= days.end


def test_periods_that_nobody_checked_grant_no_more_than_they_say() -> None:
    assert days_of(Period("2027-01-01", "2026-01-01", "", Tail.PERPETUAL)) is None
    days = days_of(Period("2026-01-01", "2027-01-01", "2028-01-01"))
    assert days is not None
    assert days.training_end == "2027-01-01"


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-06-30", 12, "2027-06-30"),
        ("9999-12-01", 1, FOREVER),
        (FOREVER, 0, FOREVER),
    ],
)
def test_months_end_where_the_calendar_does(day: str, months: int, later: str) -> None:
    assert month_later(day, months) == later


@given(st.dates(), st.dates())
def test_months_between_is_the_most_that_fit(first: Any, second: Any) -> None:
    start, end = min(first, second).isoformat(), max(first, second).isoformat()
    months = months_between(start, end)
    assert month_later(start, months) <= end
    assert month_later(start, months + 1) > end or end == FOREVER


@given(st.text("0123456789-W", max_size=11))
def test_a_day_is_three_numbers_that_the_calendar_has(text: str) -> None:
    parts = text.split("-")
    shaped = [len(part) for part in parts] == [4, 2, 2] and all(p.isdigit() for p in parts)
    assert shaped or not is_day(text)


def test_the_world_holds_countries_to_come() -> None:
    listed = Territory(tuple(sorted(TERRITORIES)))
    assert reach_of(listed) == TERRITORIES
    assert reach_of(Territory(("*",))) > reach_of(Territory(("*",), ("US",))) - {"VN"}
    assert not reach_of(Territory(("*",))) <= reach_of(listed)
    assert not {"US", "*"} & reach_of(Territory(("*",), ("US",)))


@given(territories(), territories())
def test_territories_meet_exactly(first: Territory, second: Territory) -> None:
    one, two = (
        replace(TERMS, licensee=None, grant=replace(GRANT, territory=t)) for t in (first, second)
    )
    met = reach_of(narrow(one, two).grant.territory)
    assert met == reach_of(first) & reach_of(second)
    assert met & set(COUNTRIES) <= set(COUNTRIES)
