"""Standing documents: written by us, read back; whatever is not understood never grants."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.capture import Capture, capture_of
from tercet.consent.facts import Standing
from tercet.consent.licences.agreement_finding import finding_of
from tercet.consent.licences.agreement_standing import (
    Effect,
    KnownAgreement,
    standing_document,
    standing_of,
)
from tercet.consent.licences.obstacle import Obstacle
from tercet.consent.rulebook import compile_rulebook
from tercet.consent.signal import Resource
from tercet.consent.signals.agreement import read_standing
from tercet.core.declaration import Carrier, Source
from tercet.core.terms import (
    WORLD,
    Exclusivity,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Use,
    Versions,
)
from tercet.core.usage import Permission, Usage

OWNER, STUDIO, OTHER = (
    PartyName(f"urn:tercet:party:{at:016x}", name)
    for at, name in enumerate(("Owner", "Studio", "Other"))
)
USE = Use(Usage.TRAIN_GENERATIVE, "2026-11-22", STUDIO.id, "Reel", "1", territories=("SE",))
GRANT = Grant(
    usages=(Usage.TRAIN_GENERATIVE,),
    purposes=(Purpose.PRETRAIN, Purpose.FINETUNE),
    models=ModelScope(Versions.ANY),
    territory=Territory((WORLD,)),
    period=Period("2026-01-01", "2028-01-01"),
)
TERMS = Terms(OWNER, RepertoireName("0" * 64, 1), STUDIO, grant=GRANT)
GOOD = KnownAgreement("urn:uuid:1", "0" * 64, TERMS, is_trusted=True)
EXCLUSIVE = replace(
    GOOD,
    terms=replace(TERMS, licensee=OTHER, grant=replace(GRANT, exclusivity=Exclusivity.EXCLUSIVE)),
)
SOURCE = Source("urn:uuid:1", Carrier.REGISTRY)


def read_back(agreement: KnownAgreement) -> int:
    """Return the standing that the document of an agreement compiles to."""
    raw = standing_document(agreement, USE, standing_of(agreement, USE))
    capture = capture_of(Capture(Resource.AGREEMENT, Carrier.REGISTRY, uri=agreement.id), raw)
    book = compile_rulebook([capture], USE.usage, of_site=False)
    return dict(book.everywhere.facts.standings).get(("agreement", 0), Standing.NONE)


def test_a_document_says_what_the_row_was_decided_by() -> None:
    decisive = Standing.ALLOWS | Standing.DENIES
    ended = replace(GOOD, terminated_on="2026-11-22")
    for agreement in (GOOD, EXCLUSIVE, ended, replace(GOOD, fault=Obstacle.UNSIGNED)):
        bits = standing_of(agreement, USE).bits
        assert read_back(agreement) == bits & decisive


def test_duties_come_of_the_terms() -> None:
    priced = replace(GOOD, terms=replace(TERMS, price=Price("EUR", fixed_micros=1)))
    assert [str(d) for d in standing_of(priced, USE).duties] == ["payment", "reporting"]
    unpriced = replace(GOOD, terms=replace(TERMS, price=Price("EUR")))
    assert [str(d) for d in standing_of(unpriced, USE).duties] == ["reporting"]


def test_sole_means_the_owner_and_one_licensee() -> None:
    sole = replace(
        EXCLUSIVE,
        terms=replace(EXCLUSIVE.terms, grant=replace(GRANT, exclusivity=Exclusivity.SOLE)),
    )
    assert standing_of(sole, USE).effect is Effect.EXCLUDES
    owner = replace(USE, licensee=OWNER.id)
    assert standing_of(sole, owner).effect is Effect.NOTHING
    assert standing_of(EXCLUSIVE, owner).effect is Effect.EXCLUDES


def test_an_agreement_that_does_not_count_excludes_nobody() -> None:
    for flaw in (Obstacle.UNSIGNED, Obstacle.WRONGLY_SIGNED, Obstacle.OTHER_REPERTOIRE):
        assert standing_of(replace(EXCLUSIVE, fault=flaw), USE).effect is Effect.NOTHING


@given(st.permutations([GOOD, EXCLUSIVE, replace(GOOD, superseded_by="x")]), st.integers(1, 3))
def test_order_never_matters(agreements: list[KnownAgreement], count: int) -> None:
    chosen = agreements[:count]
    standings = [standing_of(each, USE) for each in chosen]
    facts = finding_of(standings).facts
    assert facts == finding_of(standings[::-1]).facts


@given(st.sampled_from(Effect), st.text(max_size=20), st.sampled_from(["use", "type", "effect"]))
def test_a_damaged_document_never_allows(effect: Effect, junk: str, name: str) -> None:
    document: dict[str, Any] = json.loads(standing_document(GOOD, USE, standing_of(GOOD, USE)))
    document["effect"] = str(effect)
    (declaration,) = read_standing(json.dumps(document | {name: junk}).encode(), SOURCE)
    if junk not in set(Effect):
        assert declaration.fault
        said = {p for s in declaration.readings[0].statements for _, p in s.permissions}
        assert said == {Permission.UNKNOWN}
