"""What terms permit and cover: laws over whole terms, and each refusal by its own code."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.consent.licences.terms_cases import (
    COUNTRIES,
    OWNER,
    STUDIO,
    granted_uses,
    periods,
    permitting_terms,
    territories,
    uses,
    whole_terms,
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


@settings(max_examples=60)
@given(permitting_terms())
def test_terms_cover_themselves(terms: Terms) -> None:
    assert covers(terms, terms) == ()


@settings(max_examples=60)
@given(permitting_terms(), permitting_terms(), permitting_terms())
def test_covering_is_transitive(first: Terms, second: Terms, third: Terms) -> None:
    middle = narrow(first, second)
    last = narrow(middle, third)
    assert covers(first, middle) == covers(middle, last) == covers(first, last) == ()


@settings(max_examples=60)
@given(st.lists(permitting_terms(), min_size=3, max_size=3))
def test_covering_is_transitive_where_it_happens_to_hold(drawn: list[Terms]) -> None:
    small, middle, large = sorted(drawn, key=lambda terms: len(covers(TERMS, terms)))
    if not covers(large, middle) and not covers(middle, small):
        assert covers(large, small) == ()


@settings(max_examples=60)
@given(permitting_terms(licensor=None), permitting_terms(licensor=None))
def test_what_is_narrowed_is_covered_and_valid(terms: Terms, by: Terms) -> None:
    narrowed = narrow(terms, by)
    assert covers(terms, narrowed) == ()
    assert list(faults(narrowed)) == []
    if terms.licensor == by.licensor:
        assert covers(by, narrowed) == ()


@settings(max_examples=60)
@given(permitting_terms(), permitting_terms(), permitting_terms())
def test_what_is_narrowed_is_the_most_that_both_cover(a: Terms, b: Terms, c: Terms) -> None:
    """Whatever both cover, the narrowed covers: but for days of a tail, which months round down."""
    within = narrow(narrow(a, b), c)
    without_tail = replace(within.grant.period, tail=Tail.NONE, tail_months=0)
    within = replace(within, grant=replace(within.grant, period=without_tail))
    assert covers(narrow(a, b), within) == covers(narrow(b, a), within) == ()


@settings(max_examples=60)
@given(permitting_terms())
def test_narrowing_by_the_same_permits_the_same(terms: Terms) -> None:
    assert covers(narrow(terms, terms), terms) == ()


@settings(max_examples=60)
@given(permitting_terms(), permitting_terms(licensor=None), st.data())
def test_narrowing_permits_nothing_more(terms: Terms, by: Terms, data: st.DataObject) -> None:
    narrowed = narrow(terms, by)
    for asked in (permits, permits_generation):
        use = data.draw(granted_uses(narrowed) | granted_uses(terms) | uses())
        if not asked(narrowed, use):
            assert asked(terms, use) == asked(by, use) == ()


@settings(max_examples=60)
@given(permitting_terms(), permitting_terms(), st.data())
def test_narrowing_permits_all_that_both_do(terms: Terms, by: Terms, data: st.DataObject) -> None:
    terms, by = replace(terms, licensee=None), replace(by, licensee=None)
    use = data.draw(granted_uses(narrow(terms, by)) | granted_uses(terms) | uses())
    if not permits(terms, use) and not permits(by, use):
        assert permits(narrow(terms, by), use) == ()


@settings(max_examples=60)
@given(permitting_terms(), permitting_terms(), st.data())
def test_who_covers_permits_as_much(wider: Terms, other: Terms, data: st.DataObject) -> None:
    narrower = data.draw(st.sampled_from((other, narrow(wider, other))))
    assume(not covers(wider, narrower))
    use = data.draw(granted_uses(narrower) | granted_uses(narrower) | uses())
    for asked in (permits, permits_generation):
        if not asked(narrower, use):
            assert asked(wider, use) == ()


@settings(max_examples=60)
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


@settings(max_examples=60)
@given(uses())
def test_the_silent_party_grants_nothing(use: Use) -> None:
    assert permits(Terms(OWNER, RepertoireName("5" * 64, 3)), use)


@settings(max_examples=60)
@given(permitting_terms(), uses(), st.integers(0, 300))
def test_permitting_never_raises_on_terms_that_nobody_checked(
    terms: Terms, use: Use, seed: int
) -> None:
    broken = ("", "2026", "2026-13-01", "2026-W01-1", "99999-01-01")
    period = Period(broken[seed % 5], broken[seed % 3], broken[seed % 4], Tail.MONTHS, seed)
    grant = replace(terms.grant, period=period, models=ModelScope(Versions.FAMILY))
    assert RefusalCode.NO_PERIOD in codes(permits(replace(terms, grant=grant), use))


# What the vectors in vectors/terms do not show


DUTIES = {
    "mandate", "price", "attribution", "most_favoured", "reporting", "audit",
    "late_interest_basis_points", "grosses_up", "wind_down", "law", "notes",
}  # fmt: skip
"""What is owed or said, and decides nothing here: docs/terms.md lists the same."""


@settings(max_examples=60)
@given(whole_terms(), whole_terms(), uses())
def test_duties_decide_nothing(terms: Terms, other: Terms, use: Use) -> None:
    owed = replace(terms, **{name: getattr(other, name) for name in DUTIES})
    assert permits(terms, use) == permits(owed, use)
    assert covers(terms, owed) == covers(owed, terms) == ()


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
    assert "US" not in reach_of(Territory(("*",), ("US",)))


@given(territories(), territories())
def test_territories_meet_exactly(first: Territory, second: Territory) -> None:
    one, two = (
        replace(TERMS, licensee=None, grant=replace(GRANT, territory=t)) for t in (first, second)
    )
    met = reach_of(narrow(one, two).grant.territory)
    assert met == reach_of(first) & reach_of(second)
    assert met & set(COUNTRIES) <= set(COUNTRIES)
