"""Strict JSON: one text has one meaning, or it is refused with an error of its own."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.canonical import SAFE_INTEGER_MAX, canonical_json
from tercet.core.strict_json import (
    DuplicateMemberError,
    JsonDepthError,
    JsonError,
    JsonFormError,
    JsonNumberError,
    JsonSizeError,
    read_canonical_object,
    read_json,
    read_json_object,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER_MAX, SAFE_INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab"\\\u00e9{[', max_size=3), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_canonical_is_read_as_it_was(value: object) -> None:
    assert read_json(canonical_json(value)) == value
    assert read_json(json.dumps(value, indent=2).encode()) == value


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"a":1,"a":1}', DuplicateMemberError),
        (b'{"a":{"b":1,"c":2,"b":1}}', DuplicateMemberError),
        (b'{"a":1,"\\u0061":2}', DuplicateMemberError),
        (b"[1.0]", JsonNumberError),
        (b"[1e2]", JsonNumberError),
        (b"[-0]", JsonNumberError),
        (b"[NaN]", JsonNumberError),
        (b"[-Infinity]", JsonNumberError),
        (b"[9007199254740992]", JsonNumberError),
        (b"[" + b"9" * 5000 + b"]", JsonNumberError),
        (b"[" * 65 + b"]" * 65, JsonDepthError),
        (b'{"a":' * 65 + b"1" + b"}" * 65, JsonDepthError),
        (b"[" * 1_000_000, JsonDepthError),
        (b'"' + b"a" * 100 + b'"', JsonSizeError),
        (b"\xef\xbb\xbf{}", JsonError),
        (b'"\xff"', JsonError),
        (b'"\xed\xa0\x80"', JsonError),
        (b'["\\ud800"]', JsonError),
        (b'{"\\udfff":1}', JsonError),
        (b'{"a":["x",{"b":"\\ud83d"}]}', JsonError),
        (b"[01]", JsonError),
        (b"[1,]", JsonError),
        (b'{"a":1}{"a":2}', JsonError),
        (b"{'a':1}", JsonError),
        (b'"\n"', JsonError),
        (b"", JsonError),
        ("{}".encode("utf-16"), JsonError),
    ],
)
def test_what_has_two_meanings_or_none_is_refused(raw: bytes, kind: type[JsonError]) -> None:
    limits = {"bytes_max": 50} if kind is JsonSizeError else {}
    with pytest.raises(JsonError) as caught:
        read_json(raw, **limits)
    assert type(caught.value) is kind


def test_each_refusal_has_a_code_of_its_own() -> None:
    kinds = (
        JsonError, JsonSizeError, JsonDepthError, DuplicateMemberError, JsonNumberError,
        JsonFormError,
    )  # fmt: skip
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_brackets_in_strings_are_no_depth() -> None:
    text = "[{" * 500 + '"\\'
    assert read_json(json.dumps([text, [text]]).encode()) == [text, [text]]


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert read_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]


def test_only_objects_are_objects() -> None:
    for raw in (b"[]", b"null", b"1", b"true", b'"a"'):
        with pytest.raises(JsonError, match="expected a JSON object, got"):
            read_json_object(raw)


@pytest.mark.parametrize(
    "raw", [b'{ "a":1}', b'{"b":1,"a":2}', b'{"a":1}\n', b'{"\\u0061":1}', b'{"a":"\\/"}']
)
def test_another_form_of_the_same_is_not_canonical(raw: bytes) -> None:
    read_json(raw)
    with pytest.raises(JsonFormError):
        read_canonical_object(raw)


@pytest.mark.parametrize("unit", [b'"', b'\\"', b'"\\', b"[", b'{"', b'"\\"'])
def test_hostile_text_costs_linear_time(unit: bytes) -> None:
    began = time.process_time()
    with pytest.raises(JsonError):
        read_json(b'{"' + unit * (900_000 // len(unit)))
    assert time.process_time() - began < 2


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        value = read_json(raw)
    except JsonError:
        return
    assert canonical_json(value)
