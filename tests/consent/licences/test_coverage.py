"""What terms permit and cover: laws over whole terms, and each refusal by its own code."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.consent.licences.terms_cases import (
    COUNTRIES,
    OTHER_STUDIO,
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
from tercet.consent.licences.refusal import REFUSAL_WORDS, RefusalCode
from tercet.consent.licences.terms_validity import faults
from tercet.core.terms import (
    FOREVER,
    Exclusivity,
    FieldOfUse,
    Grant,
    Guards,
    Modality,
    ModelScope,
    Period,
    Purpose,
    RepertoireName,
    Retention,
    Sublicence,
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


# Each refusal of a use


def test_the_use_that_the_others_differ_from_is_permitted() -> None:
    assert permits(TERMS, USE) == permits_generation(TERMS, USE) == ()


REFUSED_USES = [
    ("usage", {"usage": Usage.TRAIN_NONGENERATIVE}, ["other_usage"]),
    ("purpose", {"purpose": Purpose.FINETUNE}, ["other_purpose"]),
    ("modality-in", {"modality_in": Modality.TEXT}, ["other_modality_in"]),
    ("modality-out", {"modality_out": Modality.AUDIO}, ["other_modality_out"]),
    ("field", {"field_of_use": FieldOfUse.RESEARCH}, ["other_field_of_use"]),
    ("licensee", {"licensee": OTHER_STUDIO.id}, ["other_licensee"]),
    ("licensor-itself", {"licensee": OWNER.id}, ["other_licensee"]),
    ("licensee-unsaid", {"licensee": ""}, ["licensee_unsaid"]),
    ("model", {"model": "lens"}, ["other_model"]),
    ("model-look-alike", {"model": "Brush"}, ["other_model"]),
    ("model-version", {"version": "3"}, ["other_model_version"]),
    ("version-unsaid", {"version": ""}, ["other_model_version"]),
    ("model-unsaid", {"model": "", "version": ""}, ["model_unsaid"]),
    ("parameters", {"parameters": 1_001}, ["too_many_parameters"]),
    ("parameters-unsaid", {"parameters": 0}, ["parameters_unsaid"]),
    ("territory", {"territories": ("SE", "US")}, ["other_territory"]),
    ("whole-world", {"territories": ("*",)}, ["other_territory"]),
    ("territory-unknown", {"territories": ("SE", "XX")}, ["unknown_territory"]),
    ("day-before", {"on": "2025-12-31"}, ["not_begun"]),
    ("day-no-day", {"on": "2026-02-30"}, ["day_unreadable"]),
    ("day-week", {"on": "2026-W01-1"}, ["day_unreadable"]),
    ("day-time", {"on": "2026-06-01T00:00:00Z"}, ["day_unreadable"]),
    ("day-empty", {"on": ""}, ["day_unreadable"]),
    ("training-over", {"on": "2027-01-01"}, ["training_ended"]),
    ("expired", {"on": "2028-01-01"}, ["expired"]),
    ("input-expired", {"usage": Usage.AI_INPUT, "on": "2028-01-01"}, ["expired"]),
    ("two-at-once", {"on": "2028-01-01", "model": "lens"}, ["expired", "other_model"]),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [case[1:] for case in REFUSED_USES], ids=[c[0] for c in REFUSED_USES]
)
def test_a_use_that_differs_is_refused(changes: dict[str, Any], expected: list[str]) -> None:
    refusals = permits(TERMS, replace(USE, **changes))
    assert codes(refusals) == expected
    assert all(REFUSAL_WORDS[refusal.code] in str(refusal) for refusal in refusals)


PERMITTED_USES: list[tuple[str, Terms, dict[str, Any]]] = [
    ("nothing-special", TERMS, {
        "purpose": None, "modality_in": None, "modality_out": None, "field_of_use": None,
        "territories": (),
    }),
    ("last-day", TERMS, {"on": "2026-12-31"}),
    ("first-day", TERMS, {"on": "2026-01-01"}),
    ("input-after-training", TERMS, {"usage": Usage.AI_INPUT, "on": "2027-12-31"}),
    ("search-without-model", TERMS,
     {"usage": Usage.SEARCH, "model": "", "version": "", "parameters": 0}),
    ("family", with_grant(models=ModelScope(Versions.FAMILY, "brush")), {"version": "9"}),
    ("any", with_grant(models=ModelScope(Versions.ANY)),
     {"model": "", "version": "", "parameters": 0}),
    ("everybody", replace(TERMS, licensee=None), {"licensee": ""}),
    ("sublicensee", with_grant(
        sublicence=Sublicence.NAMED, sublicensees=(OTHER_STUDIO.id,)
    ), {"licensee": OTHER_STUDIO.id}),
    ("any-sublicence", with_grant(sublicence=Sublicence.ANY), {"licensee": OTHER_STUDIO.id}),
    ("world", with_grant(territory=Territory(("*",))), {"territories": ("*", "US")}),
    ("world-without", with_grant(territory=Territory(("*",), ("US",))), {"territories": ("VN",)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "changes"), [c[1:] for c in PERMITTED_USES], ids=[c[0] for c in PERMITTED_USES]
)
def test_a_use_within_is_permitted(terms: Terms, changes: dict[str, Any]) -> None:
    assert permits(terms, replace(USE, **changes)) == ()


def test_affiliates_are_not_taken_on_trust() -> None:
    terms = with_grant(sublicence=Sublicence.AFFILIATES)
    refusals = permits(terms, replace(USE, licensee=OTHER_STUDIO.id))
    assert codes(refusals) == [RefusalCode.AFFILIATE_UNPROVEN]


def test_a_model_may_generate_longer_than_works_may_be_used() -> None:
    late = replace(USE, on="2028-06-30")
    assert codes(permits(TERMS, late)) == [RefusalCode.EXPIRED]
    assert permits_generation(TERMS, late) == ()
    refusals = permits_generation(TERMS, replace(USE, on="2028-07-01"))
    assert codes(refusals) == [RefusalCode.GENERATION_ENDED]
    assert codes(permits_generation(TERMS, replace(USE, on="2025-12-31"))) == ["not_begun"]


# Each refusal of other terms


WIDER: list[tuple[str, Terms, str]] = [
    ("usages", with_grant(usages=tuple(Usage)), "other_usage"),
    ("purposes", with_grant(purposes=tuple(Purpose)), "other_purpose"),
    ("modalities-in", with_grant(modalities_in=tuple(Modality)), "other_modality_in"),
    ("modalities-out", with_grant(modalities_out=tuple(Modality)), "other_modality_out"),
    ("fields", with_grant(fields_of_use=tuple(FieldOfUse)), "other_field_of_use"),
    ("family", with_grant(models=ModelScope(Versions.FAMILY, "brush", parameters_max=10)),
     "other_model_version"),
    ("other-version", with_grant(models=ModelScope(Versions.ONE, "brush", "3", 10)),
     "other_model_version"),
    ("any-model", with_grant(models=ModelScope(Versions.ANY, parameters_max=10)), "other_model"),
    ("no-cap", with_grant(models=ModelScope(Versions.ONE, "brush", "2")), "too_many_parameters"),
    ("territory", with_grant(territory=Territory(("SE", "VN", "US"))), "other_territory"),
    ("world-without", with_grant(territory=Territory(("*",), ("US",))), "other_territory"),
    ("earlier", with_grant(period=replace(GRANT.period, start="2025-12-31")), "not_begun"),
    ("later", with_grant(period=replace(GRANT.period, end="2028-01-02", tail_months=1)),
     "expired"),
    ("longer-training", with_grant(period=replace(GRANT.period, training_end="")),
     "training_ended"),
    ("longer-tail", with_grant(period=replace(GRANT.period, tail_months=7)), "generation_ended"),
    ("perpetual-tail", with_grant(
        period=replace(GRANT.period, tail=Tail.PERPETUAL, tail_months=0)
    ), "generation_ended"),
    ("exclusive", with_grant(exclusivity=Exclusivity.SOLE), "more_exclusive"),
    ("sublicence", with_grant(sublicence=Sublicence.AFFILIATES), "wider_sublicence"),
    ("licensor", replace(TERMS, licensor=STUDIO, licensee=OTHER_STUDIO), "other_licensor"),
    ("licensee", replace(TERMS, licensee=OTHER_STUDIO), "other_licensee"),
    ("everybody", replace(TERMS, licensee=None), "other_licensee"),
    ("works", replace(TERMS, repertoire=RepertoireName("6" * 64, 3)), "other_repertoire"),
    ("exclusions", replace(TERMS, repertoire=RepertoireName("5" * 64, 3)), "fewer_exclusions"),
    ("raw-kept", replace(TERMS, retention=replace(TERMS.retention, raw_days=31)),
     "weaker_retention"),
    ("features-kept", replace(TERMS, retention=replace(TERMS.retention, feature_days=61)),
     "weaker_retention"),
    ("deletion-later", replace(TERMS, retention=replace(TERMS.retention, deletion_days=15)),
     "weaker_retention"),
    ("no-certificate", replace(TERMS, retention=replace(TERMS.retention, certificate=False)),
     "weaker_retention"),
    ("trigger", replace(TERMS, retention=replace(TERMS.retention, delete_on=(Trigger.EXPIRY,))),
     "weaker_retention"),
    ("similarity", replace(TERMS, guards=replace(TERMS.guards, similarity_max_per_mille=101)),
     "weaker_guards"),
    ("quotes", replace(TERMS, guards=replace(TERMS.guards, quoted_words_max=21)),
     "weaker_guards"),
    ("persons", replace(TERMS, guards=replace(TERMS.guards, persons=False)), "weaker_guards"),
    ("styles", replace(TERMS, guards=replace(TERMS.guards, styles=False)), "weaker_guards"),
    ("scenes", replace(TERMS, guards=replace(TERMS.guards, scenes=False)), "weaker_guards"),
    ("blocked", replace(TERMS, guards=replace(TERMS.guards, blocked_words=())), "weaker_guards"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "code"), [w[1:] for w in WIDER], ids=[w[0] for w in WIDER])
def test_terms_that_permit_more_are_not_covered(other: Terms, code: str) -> None:
    refusals = covers(TERMS, other)
    assert code in codes(refusals)
    assert set(codes(refusals)) <= {code, "other_licensee"}  # of another licensor, another licensee
    assert all(str(refusal) for refusal in refusals)
    assert list(faults(other)) == []


def test_checkpoints_that_may_be_kept_are_more() -> None:
    strict = replace(TERMS, retention=replace(TERMS.retention, keeps_checkpoints=False))
    assert codes(covers(strict, TERMS)) == [RefusalCode.RETENTION]
    assert covers(TERMS, strict) == ()


def test_no_period_covers_none() -> None:
    assert codes(covers(with_grant(period=Period()), TERMS)) == [RefusalCode.NO_PERIOD]


def test_every_code_has_words_and_is_reached() -> None:
    assert set(REFUSAL_WORDS) == set(RefusalCode)
    reached = {code for *_, expected in REFUSED_USES for code in expected}
    reached |= {code for *_, code in WIDER}
    tested_alone = {"affiliate_unproven", "no_period", "generation_ended"}
    assert reached | tested_alone == set(RefusalCode)


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
