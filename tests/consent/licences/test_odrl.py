"""Terms and agreements as ODRL under our profile: nothing is lost, and the way back is closed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import party_examples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from party_examples import SEEN, agreement_signed
from terms_cases import OWNER, STUDIO, whole_terms

from tercet.consent.licences import dsp_json
from tercet.consent.licences.odrl import PROFILE, REPERTOIRE, odrl_agreement, odrl_terms
from tercet.consent.licences.odrl_reading import agreement_in_odrl, terms_in_odrl
from tercet.consent.licences.standing import Standing, check_agreement
from tercet.consent.licences.terms_errors import TermsError
from tercet.consent.licences.terms_schema import terms_fields
from tercet.consent.licences.unsaid import FormatError
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.strict_json import read_json
from tercet.core.terms import (
    WORLD,
    Grant,
    ModelScope,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage

GRANT = Grant(
    (Usage.TRAIN_GENERATIVE,), (Purpose.PRETRAIN,), models=ModelScope(Versions.ANY),
    territory=Territory((WORLD,), ("SE",)), period=Period("2027-01-01", "2029-01-01"),
)  # fmt: skip
TERMS = Terms(
    OWNER,
    RepertoireName("5" * 64, 3),
    STUDIO,
    grant=GRANT,
    price=Price("EUR", per_minute_micros=2_500_000, share_basis_points=1_205, cap_micros=10**10),
)
UUID = "urn:uuid:00000000-0000-4000-8000-00000000000"


def agreement(terms: Terms = TERMS) -> dict[str, Any]:
    return {
        "type": "tercet/agreement@1",
        "id": f"{UUID}1",
        "negotiation": {"consumer_pid": f"{UUID}2", "provider_pid": f"{UUID}3"},
        "made_at": "2026-11-22T10:00:00Z",
        "terms": terms_fields(terms),
        "offer_sha256": "6" * 64,
        "supersedes": "",
        "parties": {"assigner": OWNER.id, "assignee": STUDIO.id},
        "signatures": [{"party": OWNER.id, "key_id": "k", "jws": "a..b"}],
    }


@given(terms=whole_terms())
@settings(max_examples=40, deadline=None)
def test_there_and_back_nothing_differs(terms: Terms) -> None:
    policy = odrl_terms(terms)
    assert terms_in_odrl(policy) == terms
    assert terms_in_odrl(read_json(canonical_json(policy))) == terms


def test_a_whole_agreement_comes_back_to_the_byte_with_its_signatures() -> None:
    document = agreement()
    policy = odrl_agreement(document)
    assert policy["@type"] == "Agreement"
    assert (policy["assigner"]["uid"], policy["assignee"]["uid"]) == (OWNER.id, STUDIO.id)
    assert canonical_json(agreement_in_odrl(policy)) == canonical_json(document)


def test_the_signatures_of_an_agreement_hold_after_the_way_through_odrl() -> None:
    text = canonical_json(odrl_agreement(agreement_signed()))
    back = agreement_in_odrl(read_json(text))
    assert check_agreement(back, party_examples.PARTIES, None, SEEN) is Standing.VALID
    for said, other in ((b'"2.00"', b'"0.02"'), (b'"2028-03-01"', b'"2038-03-01"')):
        assert text.count(said) == 1
        forged = agreement_in_odrl(read_json(text.replace(said, other)))
        assert check_agreement(forged, party_examples.PARTIES, None, SEEN) is not Standing.VALID


def constraints(policy: dict[str, Any]) -> set[tuple[str, str, str]]:
    (rule,) = policy["permission"]
    return {(each["leftOperand"], each["operator"], str(each["rightOperand"]))
            for each in rule["constraint"]}  # fmt: skip


def test_odrl_says_in_its_own_words_what_it_has_words_for() -> None:
    """Terms of ODRL Vocabulary 2.2: spatial, dateTime, purpose, compensate, payAmount."""
    policy = odrl_terms(TERMS)
    assert policy["profile"] == PROFILE
    assert policy["target"]["uid"] == "urn:tercet:repertoire:" + "5" * 64
    assert policy["permission"][0]["action"] == ["tercet:train_generative"]
    assert len(policy["prohibition"][0]["action"]) == 5
    said = constraints(policy)
    day = "{'@value': '%s', '@type': 'xsd:date'}"
    assert {
        ("spatial", "isAnyOf", "[{'@id': 'tercet:world'}]"),
        ("spatial", "isNoneOf", "['SE']"),
        ("purpose", "isAnyOf", "[{'@id': 'tercet:pretrain'}]"),
        ("dateTime", "gteq", day % "2027-01-01"),
        ("dateTime", "lt", day % "2029-01-01"),
    } <= said
    duties = [each["action"][0] for each in policy["permission"][0]["duty"]]
    paid = {each["refinement"][1]["rightOperand"]: each["refinement"][0] for each in duties[:-1]}
    assert paid["per_minute"]["rightOperand"]["@value"] == "2.50"
    assert paid["per_minute"]["unit"] == "urn:iso:std:iso:4217:EUR"
    assert paid["share_basis_points"]["leftOperand"] == "percentage"
    assert paid["share_basis_points"]["rightOperand"]["@value"] == "12.05"
    assert paid["cap"]["operator"] == "lteq"


def test_the_profile_is_the_one_that_negotiations_name() -> None:
    assert (PROFILE, REPERTOIRE) == (dsp_json.PROFILE, dsp_json.REPERTOIRE_PREFIX)


def test_terms_that_grant_no_time_or_usage_do_not_read_as_unlimited() -> None:
    bare = odrl_terms(Terms(OWNER, RepertoireName()))
    assert "permission" not in bare
    timeless = odrl_terms(replace(TERMS, grant=replace(GRANT, period=Period())))
    assert ("dateTime", "lt", "{'@value': '0001-01-01', '@type': 'xsd:date'}") in constraints(
        timeless
    )
    nowhere = odrl_terms(replace(TERMS, grant=replace(GRANT, territory=Territory())))
    assert ("spatial", "isAnyOf", "[]") in constraints(nowhere)


def more_limits(policy: dict[str, Any]) -> None:
    limit = {"leftOperand": "industry", "operator": "eq", "rightOperand": "film"}
    policy["permission"][0]["constraint"].append(limit)


def another_rule(policy: dict[str, Any]) -> None:
    policy["prohibition"].append({"action": ["use"]})


def other_number_format(policy: dict[str, Any]) -> None:
    value = policy["permission"][0]["duty"][0]["action"][0]["refinement"][0]["rightOperand"]
    value["@value"] = "2.5"


def other_operator(policy: dict[str, Any]) -> None:
    policy["permission"][0]["constraint"][0]["operator"] = "isNoneOf"


def other_profile(policy: dict[str, Any]) -> None:
    policy["profile"] = "http://www.w3.org/ns/tdmrep"


def no_profile(policy: dict[str, Any]) -> None:
    del policy["profile"]


def no_obligation(policy: dict[str, Any]) -> None:
    del policy["obligation"]


def list_for_object(policy: dict[str, Any]) -> None:
    policy["assigner"] = []


def other_kind(policy: dict[str, Any]) -> None:
    policy["@type"] = "Set"


def clashing_paths(policy: dict[str, Any]) -> None:
    constraint = {"leftOperand": "tercet:grant.usages.x", "operator": "eq", "rightOperand": 1}
    policy["permission"][0]["constraint"].append(constraint)


CHANGES = [more_limits, another_rule, other_number_format, other_operator,
           other_profile, no_profile, no_obligation, list_for_object, other_kind,
           clashing_paths]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_policy_that_says_more_or_else_is_refused(
    change: Callable[[dict[str, Any]], None],
) -> None:
    policy = copy.deepcopy(odrl_terms(TERMS))
    change(policy)
    with pytest.raises((FormatError, TermsError)):
        terms_in_odrl(policy)


ANYTHING = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just([])
ANYTHING |= st.just({}) | st.just({"@value": "x"}) | st.just("tercet:grant.usages")


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path]
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    for key, inner in pairs:
        found += places(inner, (*path, key))
    return found


@given(data=st.data(), value=ANYTHING)
@settings(max_examples=100, deadline=None)
def test_whatever_is_put_anywhere_means_what_it_says_or_is_refused(
    data: st.DataObject, value: object
) -> None:
    policy = copy.deepcopy(odrl_terms(TERMS))
    *path, last = data.draw(st.sampled_from(places(policy)[1:]))
    into: Any = policy
    for key in path:
        into = into[key]
    into[last] = value
    try:
        terms = terms_in_odrl(policy)
    except InputError:
        return
    assert canonical_json(odrl_terms(terms, policy["uid"])) == canonical_json(policy)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"profile": PROFILE}, {"profile": [PROFILE]}])
def test_what_is_no_policy_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        terms_in_odrl(value)


def test_an_offer_is_no_agreement_and_an_altered_agreement_is_none() -> None:
    with pytest.raises(FormatError, match="agreed to"):
        agreement_in_odrl(odrl_terms(TERMS))
    policy = copy.deepcopy(odrl_agreement(agreement()))
    policy["agreement"]["id"] = f"{UUID}9"
    with pytest.raises(FormatError):
        agreement_in_odrl(policy)
