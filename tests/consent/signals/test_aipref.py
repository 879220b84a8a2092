"""AIPREF: RFC 9651 vectors through the reader's own parser, and laws of Content-Usage."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from http_sf import Token
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.signals.aipref import (
    parse_dictionary,
    preference,
    read_headers,
    read_robots,
    split_path,
)
from tercet.core.declaration import Carrier, Source
from tercet.core.usage import Permission, Usage

HEADER = Source("https://example.org/a.jpg", Carrier.HEADER)
FILE = Source("https://example.org/robots.txt", Carrier.FILE)


def test_structured_field_dictionaries(shared_vectors: Path) -> None:
    """Every Dictionary test of httpwg/structured-field-tests, read as AIPREF reads it."""
    count = 0
    for file in sorted((shared_vectors / "structured-fields").glob("*.json")):
        for case in json.loads(file.read_text("utf-8")):
            if case["header_type"] != "dictionary":
                continue
            members, fault = parse_dictionary(", ".join(case["raw"]).encode())
            if case.get("must_fail"):
                assert fault, case["name"]
            elif not case.get("can_fail"):
                assert not fault, case["name"]
                expected = dict(case["expected"])
                assert list(members) == list(expected), case["name"]
                for key, member in members.items():
                    assert same(member, expected[key][0]), case["name"]
            count += 1
    assert count == 432


def same(member: object, expected: Any) -> bool:
    """Compare a parsed bare item or inner list with its form in the vectors."""
    if isinstance(expected, list):
        return isinstance(member, list | tuple) and len(member) == len(expected)
    if isinstance(expected, dict):
        kind, value = expected["__type"], expected["value"]
        if kind == "token":
            return isinstance(member, Token) and str(member) == value
        if kind == "binary":
            return member == base64.b32decode(value)
        return not isinstance(member, Token) and member is not None
    return member == expected and not isinstance(member, Token)


def test_structured_field_tokens_and_strings(shared_vectors: Path) -> None:
    """Bare items of every kind as the value of train-ai: only the Tokens y and n say anything."""
    count = 0
    for name in ("token", "string", "boolean", "number", "binary", "date", "display-string"):
        file = shared_vectors / "structured-fields" / f"{name}.json"
        for case in json.loads(file.read_text("utf-8")):
            if case["header_type"] != "item" or len(case["raw"]) != 1:
                continue
            raw = case["raw"][0].strip(" ")
            found = preference(b"train-ai=" + raw.encode())
            assert found.said.get(Usage.TRAIN_GENERATIVE) in (None, Permission.UNKNOWN), raw
            if case.get("must_fail") and raw and not found.fault:
                assert raw[0] in ";," or " " in raw, case["name"]
            count += 1
    assert count > 80


@pytest.mark.parametrize(
    ("value", "permission"),
    [
        (b"train-ai=y", Permission.ALLOW),
        (b"train-ai=n", Permission.DENY),
        (b"train-ai=n;x=1", Permission.DENY),
        (b'train-ai="y"', Permission.UNKNOWN),
        (b"train-ai=Y", Permission.UNKNOWN),
        (b"train-ai=?1", Permission.UNKNOWN),
        (b"train-ai=(y)", Permission.UNKNOWN),
        (b"train-ai", Permission.UNKNOWN),
        (b"search=y", None),
        (b"Train-Ai=y", None),
    ],
)
def test_a_token_only(value: bytes, permission: Permission | None) -> None:
    assert preference(value).said.get(Usage.TRAIN_GENERATIVE) is permission


def test_train_ai_leaves_other_models_out() -> None:
    assert set(preference(b"train-ai=n, ai-use=n, search=y").said) == {
        Usage.TRAIN_GENERATIVE,
        Usage.AI_INPUT,
        Usage.SEARCH,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"train-ai=n", ("/", b"train-ai=n")),
        (b"/a  train-ai=n", ("/a", b"train-ai=n")),
        (b"/%7eb\ttrain-ai=n", ("/~b", b"train-ai=n")),
        (b"*.jpg train-ai=n", ("*.jpg", b"train-ai=n")),
        (b"*key=n", ("/", b"*key=n")),
        (b"/a", ("/a", b"")),
        (b"", ("/", b"")),
    ],
)
def test_path_and_preference(value: bytes, expected: tuple[str, bytes]) -> None:
    assert split_path(value) == expected


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_reading_never_raises(value: bytes) -> None:
    preference(value)
    read_headers(b"Content-Usage: " + value, HEADER)
    for declaration in read_robots(b"User-agent: *\nContent-Usage: " + value, FILE):
        assert declaration.agents


@given(st.text(alphabet="trainseachuy-=n,; \"'?10()", max_size=30))
def test_no_grant_without_an_exact_y(value: str) -> None:
    found = preference(value.encode())
    if Permission.ALLOW in found.said.values():
        assert "=y" in value
        assert not found.fault


def test_many_rules_are_read_in_bounded_time() -> None:
    raw = b"User-agent: *\n" + b"Content-Usage: /a train-ai=n\n" * 17_000
    found = read_robots(raw, FILE)
    assert found[0].readings[0].statements[0].line == 2
    assert found[-1].fault  # more rules than the limit: doubt
