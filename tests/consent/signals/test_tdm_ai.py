"""TDM-AI: what a JSON declaration bound by an ISCC says, and that nothing unverified grants."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.signals import tdm_ai
from tercet.core.declaration import Carrier, Source
from tercet.core.usage import Permission, Usage

SOURCE = Source("work.json", Carrier.SIDECAR)
ISCC = "ISCC:KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["iscc", "tdm-reservation", "tdm_policy", "all", "train", "declarations"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def read(document: object) -> tuple[Any, ...]:
    return tdm_ai.read_declaration(json.dumps(document).encode(), SOURCE)


@pytest.mark.parametrize(
    ("iscc", "fault"),
    [
        (ISCC, ""),
        ("ISCC:MAACAJINXFXA2SQX", ""),  # an ISCC-ID, example of schema.iscc.codes
        ("ISCC:EXAMPLE5QH7FTV7N5YVD5UMF4TUKFFGDGCOI4UDFKE4FNPW6C3L7J2Y", ""),
        ("ISCC:777777777777", "header"),
        ("iscc:kacypxw445ftynj3", "malformed"),
        ("ISCC:KACYPXW445FTYNJ0", "malformed"),  # base32 has no zero
        ("ISCC:KAC", "malformed"),
        ("", "malformed"),
    ],
)
def test_iscc_syntax(iscc: str, fault: str) -> None:
    assert tdm_ai.iscc_fault(iscc) == fault


def test_codes_made_by_iscc_lib_are_well_formed() -> None:
    iscc_lib = pytest.importorskip("iscc_lib")
    for text in ("", "Hello", "x" * 5000):
        assert tdm_ai.iscc_fault(iscc_lib.gen_text_code_v0(text)["iscc"]) == ""


@settings(max_examples=200)
@given(JSON)
def test_nothing_unverified_grants(document: object) -> None:
    for declaration in read(document):
        for reading in declaration.readings:
            for statement in reading.statements:
                values = {permission for _, permission in statement.permissions}
                assert values <= {Permission.DENY, Permission.UNKNOWN}


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    tdm_ai.read_declaration(raw, SOURCE)


def test_deep_nesting_is_no_crash() -> None:
    assert tdm_ai.read_declaration(b"[" * 200_000, SOURCE) == ()
    deep: Any = {"iscc": ISCC, "tdm-reservation": 1}
    for _ in range(500):
        deep = {"data": deep}
    read(deep)


def test_many_declarations_are_bounded_and_none_is_silently_lost() -> None:
    declarations = read([{"iscc": ISCC, "tdm-reservation": 0}] * 5_000)
    assert len(declarations) == 501
    assert "more declarations" in declarations[-1].fault


def test_places_differ_so_that_ids_differ() -> None:
    declarations = read([{"iscc": ISCC, "tdm-reservation": 1}] * 20)
    assert len({d.declaration_id for d in declarations}) == 20


def test_reservation_does_not_speak_of_search() -> None:
    (declaration,) = read({"iscc": ISCC, "tdm-reservation": 1})
    spoken = {usage for usage, _ in declaration.readings[0].statements[0].permissions}
    assert Usage.SEARCH not in spoken
    assert Usage.TRAIN_GENERATIVE in spoken
