"""Creative Commons licences as ready terms: valid, never wider than the licence."""

from __future__ import annotations

import pytest
from terms_cases import OWNER

from tercet.consent.licences.coverage import covers, permits
from tercet.consent.licences.creative_commons import READY, creative_commons_terms
from tercet.consent.licences.terms_schema import terms_fields, terms_of
from tercet.consent.licences.terms_voice import Language
from tercet.consent.licences.terms_words import terms_text
from tercet.consent.licences.unsaid import FormatError, Imported
from tercet.core.terms import FieldOfUse, Purpose, RepertoireName, Use
from tercet.core.usage import Usage

WORKS = RepertoireName("5" * 64, 3)


def ready(name: str) -> Imported:
    return creative_commons_terms(name, OWNER, WORKS, start="2026-01-01")


@pytest.mark.parametrize("name", READY)
def test_ready_terms_are_valid_and_name_their_licence(name: str) -> None:
    found = ready(name)
    assert terms_of(terms_fields(found.terms)) == found.terms
    assert "https://creativecommons.org/" in found.terms.notes[0]
    assert found.unsaid
    for language in Language:
        assert found.terms.notes[0] in terms_text(found.terms, language)


def test_the_short_name_is_the_same() -> None:
    assert ready("by-4.0") == ready("CC-BY-4.0")
    assert (
        ready("BY-NC-SA-4.0")
        .terms.notes[0]
        .startswith("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International, ")
    )


@pytest.mark.parametrize("name", ["BY-3.0", "GPL-3.0-only", "", "CC-BY", "CC-BY-4.0 OR MIT"])
def test_other_licences_have_no_ready_terms(name: str) -> None:
    with pytest.raises(FormatError, match=r"CC-BY-4\.0"):
        ready(name)


def test_a_stricter_licence_is_covered_by_a_freer_one_and_not_the_other_way() -> None:
    """After the legal codes: every condition takes something away."""
    free, credit = ready("CC0-1.0").terms, ready("BY-4.0").terms
    for strict in ("BY-SA-4.0", "BY-NC-4.0", "BY-ND-4.0", "BY-NC-SA-4.0", "BY-NC-ND-4.0"):
        assert not covers(free, ready(strict).terms)
        assert not covers(credit, ready(strict).terms)
        assert covers(ready(strict).terms, credit)


def test_what_each_condition_takes_away() -> None:
    feature = Use(Usage.TRAIN_GENERATIVE, "2027-01-01", model="m", purpose=Purpose.OUTPUT_FEATURE)
    selling = Use(Usage.TRAIN_GENERATIVE, "2027-01-01", model="m", field_of_use=FieldOfUse.CONSUMER)
    assert not permits(ready("BY-4.0").terms, feature)
    assert not permits(ready("BY-4.0").terms, selling)
    assert permits(ready("BY-SA-4.0").terms, feature)
    assert permits(ready("BY-ND-4.0").terms, feature)
    assert permits(ready("BY-NC-4.0").terms, selling)
    assert ready("BY-ND-4.0").terms.guards.similarity_max_per_mille == 0


@pytest.mark.parametrize("name", READY)
def test_no_licence_gives_the_likeness_of_persons(name: str) -> None:
    """Section 2(b)(1): publicity, privacy and similar personality rights are not licensed."""
    assert ready(name).terms.guards.persons


def test_what_terms_cannot_say_is_listed() -> None:
    paths = {each.path for each in ready("BY-NC-SA-4.0").unsaid}
    assert {"attribution", "grant.fields_of_use", "grant.purposes"} <= paths
    assert "attribution" not in {each.path for each in ready("CC0-1.0").unsaid}
