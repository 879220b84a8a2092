"""Canonical JSON against RFC 8785's own examples and its laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.canonical import SAFE_INTEGER_MAX, canonical_json
from tercet.core.errors import InputError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE_INTEGER_MAX, SAFE_INTEGER_MAX) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def test_section_3_2_3_sorts_by_utf_16_code_units() -> None:
    """The example of RFC 8785 section 3.2.3: order of keys is that of their UTF-16 code units."""
    given_order = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    expected = [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
        "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip
    assert list(json.loads(canonical_json(given_order)).values()) == expected


def test_section_3_2_2_strings_and_literals() -> None:
    """The strings and literals of the example in RFC 8785 sections 3.2.2 and 3.2.4."""
    value = {
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(value) == (
        '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


def test_short_escapes_and_lower_case_hex() -> None:
    """RFC 8785 section 3.2.2.2: the two-character escapes where there are such, else \\u00xx."""
    assert canonical_json("\b\t\n\f\r\x00\x1f\x7f") == b'"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f"'


@given(VALUES)
def test_what_is_written_is_read_again_the_same(value: object) -> None:
    raw = canonical_json(value)
    assert json.loads(raw) == value
    assert canonical_json(json.loads(raw)) == raw


@given(st.dictionaries(TEXT, st.integers(0, 9), min_size=2, max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@pytest.mark.parametrize(
    "value",
    [
        1.0, float("nan"), 2**53, -(2**53), b"bytes", {1: "a"}, {"a": {2, 3}}, "\ud800",
        {"\udfff": 1}, [object()],
    ],
)  # fmt: skip
def test_what_is_no_value_of_ours_is_refused(value: object) -> None:
    """RFC 7493 section 2.2: integers beyond 53 bits are not exact everywhere."""
    with pytest.raises(InputError):
        canonical_json(value)


def test_true_is_not_one() -> None:
    assert canonical_json([True, 1]) == b"[true,1]"
    assert canonical_json(SAFE_INTEGER_MAX) == b"9007199254740991"
