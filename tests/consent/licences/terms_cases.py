"""Strategies for whole terms and for uses of them, small enough that they often meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from tercet.consent.licences.terms_validity import faults
from tercet.core.terms import (
    FOREVER,
    WORLD,
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
    Use,
    Versions,
    WindDown,
)
from tercet.core.usage import Usage

OWNER = PartyName("urn:tercet:party:00000000000000aa", "Owner")
STUDIO = PartyName("urn:tercet:party:00000000000000bb", "Studio")
OTHER_STUDIO = PartyName("urn:tercet:party:00000000000000cc", "Other Studio")
PARTIES = (OWNER, STUDIO, OTHER_STUDIO)
COUNTRIES = ("SE", "US", "VN")
MODELS = ("brush", "lens")
DAYS = ("2026-01-01", "2026-01-31", "2026-06-30", "2027-01-01", "2028-02-29")
WORKS = tuple(f"sha256:{digit * 64}" for digit in "abc")
WORDS = ("outputs", "dog", "chó", "seconds")


def subsets(values: Iterable[object]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of some of ``values``, forwards or backwards. One draw, so that terms cost few."""
    listed = tuple(values)

    def some(mask: int) -> tuple[object, ...]:
        chosen = tuple(value for at, value in enumerate(listed) if mask >> at & 1)
        return chosen[::-1] if mask >> len(listed) else chosen

    every = 2 ** len(listed) - 1
    return st.one_of(st.just(every), st.integers(0, 2 * every + 1)).map(some)


def flags(count: int) -> st.SearchStrategy[tuple[bool, ...]]:
    """So many truth values, in one draw."""
    return st.integers(0, 2**count - 1).map(
        lambda mask: tuple(bool(mask >> at & 1) for at in range(count))
    )


def amounts() -> st.SearchStrategy[int]:
    """Micro-units; often none."""
    return st.sampled_from((0, 0, 1, 750_000, 2_500_000, 10**12))


def models() -> st.SearchStrategy[ModelScope]:
    sizes = st.sampled_from((0, 0, 10**6, 10**9))
    model, version = st.sampled_from(MODELS), st.sampled_from(("1", "2"))
    return st.one_of(
        st.builds(ModelScope, parameters_max=sizes),
        st.builds(ModelScope, st.just(Versions.ONE), model, version, sizes),
        st.builds(ModelScope, st.just(Versions.FAMILY), model, parameters_max=sizes),
        st.builds(ModelScope, st.just(Versions.ANY), parameters_max=sizes),
    )


def territories() -> st.SearchStrategy[Territory]:
    return st.one_of(
        st.builds(Territory, subsets(COUNTRIES)),
        st.builds(Territory, st.just((WORLD,)), subsets(COUNTRIES)),
        st.just(Territory((WORLD,))),
    )


@st.composite
def periods(draw: st.DrawFn) -> Period:
    if draw(st.integers(0, 9)) == 0:
        return Period()
    start, end = draw(st.sampled_from(DAYS[:3])), draw(st.sampled_from((*DAYS[2:], FOREVER)))
    if start == end:
        return Period()
    middle = draw(st.sampled_from([day for day in (*DAYS, FOREVER) if start <= day <= end]))
    tail = draw(st.sampled_from(Tail))
    months = draw(st.integers(1, 30)) if tail is Tail.MONTHS else 0
    return Period(start, end, draw(st.sampled_from(("", middle))), tail, months)


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    sublicence = draw(st.sampled_from(Sublicence))
    named = tuple(party.id for party in PARTIES[1:])
    ids = st.lists(st.sampled_from(named), min_size=1, unique=True).map(tuple)
    return Grant(
        draw(subsets(Usage)),
        draw(subsets(Purpose)),
        draw(subsets(Modality)),
        draw(subsets(Modality)),
        draw(subsets(FieldOfUse)),
        draw(models()),
        draw(territories()),
        draw(periods()),
        draw(st.sampled_from(Exclusivity)),
        sublicence,
        draw(ids) if sublicence is Sublicence.NAMED else (),
    )


@st.composite
def prices(draw: st.DrawFn) -> Price:
    floor, guarantee, advance, cap = sorted(draw(st.lists(amounts(), min_size=4, max_size=4)))
    net = draw(st.booleans())
    return Price(
        draw(st.sampled_from(("EUR", "VND", "USD"))),
        *(draw(amounts()) for _ in range(6)),
        share_basis_points=draw(st.integers(0, 10_000)),
        base=RevenueBase.NET if net else RevenueBase.GROSS,
        deductions=("refunds", "sales tax") if net else (),
        guarantee_micros=guarantee,
        advance_micros=advance,
        cap_micros=cap,
        floor_micros=floor,
    )


def retentions() -> st.SearchStrategy[Retention]:
    days = st.integers(0, 400)
    return st.builds(
        lambda raw, feature, deletion, triggers, said: Retention(
            raw, feature, said[0], triggers, deletion, said[1]
        ),
        days, days, days, subsets(Trigger), flags(2),
    )  # fmt: skip


def guards() -> st.SearchStrategy[Guards]:
    return st.builds(
        lambda similarity, quoted, said, words: Guards(similarity, quoted, *said, words),
        st.integers(0, 1_000), st.integers(0, 500), flags(3), subsets(WORDS),
    )  # fmt: skip


def repertoires() -> st.SearchStrategy[RepertoireName]:
    named = st.builds(RepertoireName, st.just("5" * 64), st.just(3), subsets(WORKS))
    return st.one_of(named, named, st.just(RepertoireName("6" * 64, 1)), st.just(RepertoireName()))


def duties() -> st.SearchStrategy[dict[str, object]]:
    """What is owed, as arguments of ``Terms``."""
    small, parts = st.integers(0, 100), st.integers(0, 10_000)
    favoured = st.one_of(st.just(MostFavoured()), st.builds(MostFavoured, st.just(True), small))
    attribution = st.one_of(
        st.builds(AttributionTerms, fallback=st.sampled_from(Fallback)),
        st.builds(AttributionTerms, st.just("grad-cos@1"), small, st.sampled_from(Fallback)),
    )
    return st.fixed_dictionaries(
        {
            "mandate": st.sampled_from(("", "urn:uuid:00000000-0000-4000-8000-000000000001")),
            "price": prices(),
            "attribution": attribution,
            "most_favoured": favoured,
            "reporting": st.builds(Reporting, small, small, subsets(WORDS)),
            "audit": st.builds(Audit, small, small, small, parts),
            "late_interest_basis_points": parts,
            "grosses_up": st.booleans(),
            "wind_down": st.builds(WindDown, small, amounts(), subsets(Surviving)),
            "law": st.builds(Law, st.sampled_from(("", "VN")), st.sampled_from(("", "SE"))),
            "notes": subsets(("Every work is named in a list.", "Xin cảm ơn.")),
        }
    )


@st.composite
def permitting_terms(draw: st.DrawFn, licensor: PartyName | None = OWNER) -> Terms:
    """Valid terms in which all that is permitted is drawn, and what is owed is as by default.

    ``licensor`` None draws that as well.
    """
    owner = licensor or draw(st.sampled_from(PARTIES))
    others = [None, None, *(party for party in PARTIES if party.id != owner.id)]
    drawn = Terms(
        owner,
        draw(repertoires()),
        draw(st.sampled_from(others)),
        grant=draw(grants()),
        retention=draw(retentions()),
        guards=draw(guards()),
    )
    assert not list(faults(drawn))
    return drawn


@st.composite
def neighbours(draw: st.DrawFn, terms: Terms) -> Terms:
    """Valid terms that differ from ``terms`` in two of the parts that permit, at most."""
    owner = terms.licensor.id
    parts: dict[str, st.SearchStrategy[Any]] = {
        "repertoire": repertoires(),
        "licensee": st.sampled_from([None, *(p for p in PARTIES if p.id != owner)]),
        "retention": retentions(),
        "guards": guards(),
    }
    granted: dict[str, st.SearchStrategy[Any]] = {
        "usages": subsets(Usage),
        "purposes": subsets(Purpose),
        "modalities_in": subsets(Modality),
        "modalities_out": subsets(Modality),
        "fields_of_use": subsets(FieldOfUse),
        "models": models(),
        "territory": territories(),
        "period": periods(),
        "exclusivity": st.sampled_from(Exclusivity),
    }
    for name in draw(st.lists(st.sampled_from((*parts, *granted)), max_size=2)):
        if name in parts:
            terms = replace(terms, **{name: draw(parts[name])})
        else:
            terms = replace(terms, grant=replace(terms.grant, **{name: draw(granted[name])}))
    assert not list(faults(terms))
    return terms


def whole_terms(licensor: PartyName | None = OWNER) -> st.SearchStrategy[Terms]:
    """Valid terms with every field drawn."""
    return st.builds(
        lambda terms, owed: replace(terms, **owed), permitting_terms(licensor), duties()
    )


def uses() -> st.SearchStrategy[Use]:
    """Uses that the terms of ``whole_terms`` are often enough about."""
    unsaid = st.none()
    return st.builds(
        Use,
        st.sampled_from(Usage),
        st.dates(date(2025, 12, 1), date(2029, 1, 1)).map(date.isoformat)
        | st.sampled_from((*DAYS, FOREVER)),
        st.sampled_from(("", STUDIO.id, OTHER_STUDIO.id)),
        st.sampled_from(("", *MODELS)),
        st.sampled_from(("", "1", "2")),
        st.sampled_from((0, 1, 10**6, 10**9, 10**10)),
        unsaid | st.sampled_from(Purpose),
        unsaid | st.sampled_from(Modality),
        unsaid | st.sampled_from(Modality),
        unsaid | st.sampled_from(FieldOfUse),
        subsets((*COUNTRIES, WORLD)),
    )


@st.composite
def granted_uses(draw: st.DrawFn, terms: Terms) -> Use:
    """Uses built from what ``terms`` grant, so that most of them are permitted."""
    grant = terms.grant

    def some(values: tuple[Any, ...], other: Any) -> Any:
        return draw(st.sampled_from(values or (other,)))

    return Use(
        some(grant.usages, Usage.SEARCH),
        some((grant.period.start,), "2026-02-01"),
        terms.licensee.id if terms.licensee else "",
        grant.models.model or MODELS[0],
        grant.models.version or "1",
        1,
        some(grant.purposes, None),
        some(grant.modalities_in, None),
        some(grant.modalities_out, None),
        some(grant.fields_of_use, None),
        draw(subsets(grant.territory.include)),
    )
