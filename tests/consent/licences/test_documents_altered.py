"""Any change at all to a signed document: every byte, every member, every item; none counts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from party_examples import (
    BEGIN,
    OWNER_KEY,
    PARTIES,
    REPERTOIRES,
    SEEN,
    STUDIO_KEY,
    agreement,
    agreement_signed,
    ending,
    history_of,
    offer,
    party_signed,
)

from tercet.consent.licences.party_history import receive_party
from tercet.consent.licences.standing import Standing, check_agreement, check_offer
from tercet.consent.licences.termination import check_termination
from tercet.core.canonical import canonical_json
from tercet.core.errors import TercetError
from tercet.core.strict_json import read_canonical_object

Fields = dict[str, Any]


def party_stands(document: Fields) -> bool:
    receive_party(None, document, BEGIN)
    return True


DOCUMENTS: dict[str, tuple[Fields, Callable[[Fields], bool]]] = {
    "agreement": (
        agreement_signed(),
        lambda d: check_agreement(d, PARTIES, REPERTOIRES, SEEN) is Standing.VALID,
    ),
    "offer": (offer(), lambda d: check_offer(d, PARTIES, SEEN) is Standing.VALID),
    "party": (
        party_signed(history_of("Owner", OWNER_KEY, STUDIO_KEY).latest, OWNER_KEY, STUDIO_KEY),
        party_stands,
    ),
    "termination": (
        ending(),
        lambda d: check_termination(d, agreement(), PARTIES, "2026-05-01T00:00:01Z"),
    ),
}


def counts(kind: str, document: object) -> bool:
    """Say whether a document counts, read from bytes as strangers send them or given as fields."""
    try:
        fields = read_canonical_object(document) if isinstance(document, bytes) else document
        return DOCUMENTS[kind][1](fields)  # type: ignore[arg-type]
    except TercetError:
        return False


def with_other_byte(kind: str, at: int, by: int) -> bytes:
    raw = bytearray(canonical_json(DOCUMENTS[kind][0]))
    raw[at % len(raw)] ^= by
    return bytes(raw)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_documents_count_as_they_are(kind: str) -> None:
    assert counts(kind, canonical_json(DOCUMENTS[kind][0]))


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 2**16), by=st.integers(1, 255))
def test_any_changed_byte_is_refused(kind: str, at: int, by: int) -> None:
    assert not counts(kind, with_other_byte(kind, at, by))


@pytest.mark.slow
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_changed_byte_is_refused(kind: str) -> None:
    draw = random.Random(5)
    for at in range(len(canonical_json(DOCUMENTS[kind][0]))):
        assert not counts(kind, with_other_byte(kind, at, draw.randint(1, 255))), at


def other_shapes(value: Any) -> Iterator[Any]:
    """Yield a value with one member added, taken out or renamed, or one item, at any depth."""
    if isinstance(value, dict):
        yield value | {"more": 0}
        for name in value:
            rest = {other: v for other, v in value.items() if other != name}
            yield rest
            yield rest | {f"{name}s": value[name]}
            yield rest | {name.upper(): value[name]}
            if value[name] is not None:
                yield value | {name: None}
            for inner in other_shapes(value[name]):
                yield value | {name: inner}
    elif isinstance(value, list):
        yield [*value, 0]
        for at, item in enumerate(value):
            yield [*value[:at], *value[at + 1 :]]
            yield [*value[:at], item, item, *value[at + 1 :]]
            for inner in other_shapes(item):
                yield [*value[:at], inner, *value[at + 1 :]]
        if value != value[::-1]:
            yield value[::-1]
    elif isinstance(value, bool):
        yield not value
        yield int(value)
    elif isinstance(value, int):
        yield value + 1
        yield str(value)
    elif isinstance(value, str):
        yield value + " "
        yield value.swapcase() if value.swapcase() != value else value + value + "x"


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_other_shape_is_refused(kind: str) -> None:
    document = DOCUMENTS[kind][0]
    reversed_signatures = document | {"signatures": document["signatures"][::-1]}
    shapes = list(other_shapes(document))
    assert len(shapes) > 40
    for shape in shapes:
        if kind == "termination" and shape == reversed_signatures:
            continue  # whoever of both wants to end it signs first
        assert not counts(kind, shape), shape
