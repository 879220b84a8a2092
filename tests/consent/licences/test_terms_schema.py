"""The codec of terms and the JSON Schema: one meaning has one text, and nothing else is read."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consent.licences.terms_cases import OWNER, whole_terms

from tercet.consent.licences.repertoire import RepertoireError, normal_line
from tercet.consent.licences.terms_errors import BadTextError, TermsError, TooManyError
from tercet.consent.licences.terms_rules import LIST_ITEMS_MAX
from tercet.consent.licences.terms_schema import terms_fields, terms_of, terms_schema
from tercet.consent.licences.terms_validity import check_terms, faults
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.terms import RepertoireName, Terms, Territory

VALIDATOR = jsonschema_rs.validator_for(terms_schema())
PLAIN = Terms(OWNER, RepertoireName("5" * 64, 3))
Place = tuple[str | int, ...]


def places(value: object, path: Place = ()) -> list[Place]:
    """Every place in a document, the document itself first."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@settings(max_examples=30)
@given(whole_terms())
def test_there_and_back(terms: Terms) -> None:
    document = terms_fields(terms)
    assert terms_of(document) == terms
    assert terms_of(json.loads(canonical_json(document))) == terms
    VALIDATOR.validate(document)


@settings(max_examples=80)
@given(whole_terms(), st.data())
def test_what_the_schema_refuses_is_refused(terms: Terms, data: st.DataObject) -> None:
    """Any one value of a document replaced: what is read is what the schema takes, never more."""
    document = terms_fields(terms)
    *path, last = data.draw(st.sampled_from(places(document)[1:]))
    at: Any = document
    for part in path:
        at = at[part]
    at[last] = data.draw(
        st.none() | st.booleans() | st.integers(-2, 20_000) | st.just(2**53) | st.text(max_size=3)
        | st.sampled_from(("", "*", "SE", "mine", "EUR", "2026-01-01", "named", 0.5, [], {}, [""]))
    )  # fmt: skip
    try:
        read = terms_of(document)
    except TermsError:
        return
    VALIDATOR.validate(document)
    assert terms_fields(read) == document


@settings(max_examples=100)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5,
))  # fmt: skip
def test_anything_else_is_refused(document: object) -> None:
    with pytest.raises(TermsError):
        terms_of(document)


@pytest.mark.parametrize("member", [item.name for item in fields(Terms)])
def test_no_member_may_be_left_out_or_added(member: str) -> None:
    """At any depth, and the schema agrees."""
    whole = terms_fields(PLAIN)
    for path in [(member,), *((member, *inner) for inner in places(whole[member])[1:])]:
        document = copy.deepcopy(whole)
        at: Any = document
        for part in path[:-1]:
            at = at[part]
        if isinstance(at, list):
            continue
        del at[path[-1]]
        for change in ({}, {f"{path[-1]}x": 1}):
            at.update(change)
            with pytest.raises(TermsError) as caught:
                terms_of(document)
            assert caught.value.code == ("unknown-member" if change else "missing-member")
            assert not VALIDATOR.is_valid(document)


def test_a_name_that_is_close_is_suggested() -> None:
    document = terms_fields(PLAIN)
    document["price"]["per_minutes_micros"] = 1
    with pytest.raises(TermsError) as caught:
        terms_of(document)
    assert caught.value.hint == "did you mean per_minute_micros?"


def test_what_is_told_of_strange_members_cannot_move_the_terminal() -> None:
    document = terms_fields(PLAIN)
    document["price"]["\x1b[2J\u202e"] = 1
    with pytest.raises(TermsError) as caught:
        terms_of(document)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()


def test_lists_end() -> None:
    document = terms_fields(PLAIN)
    document["guards"]["blocked_words"] = [f"w{at}" for at in range(LIST_ITEMS_MAX)]
    terms_of(document)
    document["guards"]["blocked_words"].append("one more")
    with pytest.raises(TooManyError):
        terms_of(document)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "line",
    ["sha256:" + "a" * 64, "url:https://EXAMPLE.org:443/ä/../b?c#d", "url:http://münchen.example",
     "site:https://Example.org", "site:https://example.org/a", "url:https://[::1", "url:x"],
)  # fmt: skip
def test_exclusions_are_works_as_repertoires_have_them(line: str) -> None:
    def accepted(exclusion: str) -> bool:
        works = RepertoireName("5" * 64, 3, (exclusion,))
        return not list(faults(replace(PLAIN, repertoire=works)))

    try:
        normal = normal_line(line)
    except RepertoireError:
        assert not accepted(line)
    else:
        assert accepted(normal)
        assert accepted(line) == (line == normal)


def test_a_lone_surrogate_is_refused() -> None:
    document = terms_fields(PLAIN)
    document["notes"] = ["\ud800"]
    with pytest.raises(BadTextError):
        terms_of(document)
    with pytest.raises(InputError):
        canonical_json(document)


@settings(max_examples=100)
@given(st.text(max_size=8))
def test_texts_are_one_shown_line_or_refused(text: str) -> None:
    document = terms_fields(PLAIN)
    document["notes"] = [text]
    try:
        terms_of(document)
    except BadTextError:
        return
    assert text == text.strip() != ""
    assert text.splitlines() == [text]
    assert text.isprintable() or not text.isascii()
    VALIDATOR.validate(document)


def test_terms_made_in_code_can_be_checked_too() -> None:
    check_terms(PLAIN)
    grant = replace(PLAIN.grant, territory=Territory(("*", "SE"), ("US",)))
    wrong = replace(PLAIN, grant=grant, licensee=OWNER)
    assert [fault.path for fault in faults(wrong)] == ["grant.territory.include", "licensee.id"]
    with pytest.raises(TermsError, match=r"grant\.territory\.include"):
        check_terms(wrong)
