"""Run every conformance vector in vectors/*.json through the registered readers.

A vector file is language-neutral JSON (format: vectors/README.md). Each case gives raw bytes,
what they are, and what must be read from them; keys left out of an expectation are not checked.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.signal import Resource
from tercet.consent.signals import SIGNALS
from tercet.core.declaration import Carrier, Declaration, Source, Statement

FOLDER = Path(__file__).resolve().parents[2] / "vectors"
CASES = [
    (document["signal"], case)
    for file in sorted(FOLDER.glob("*.json"))
    for document in [json.loads(file.read_text("utf-8"))]
    for case in document["cases"]
]


def seen_statement(statement: Statement) -> dict[str, Any]:
    return {
        "pattern": statement.pattern,
        "permissions": {str(k): str(v) for k, v in statement.permissions},
        "conditions": [str(condition.kind) for condition in statement.conditions],
        "prices": [str(c.price) for c in statement.conditions if c.price],
        "line": statement.line,
    }


def seen(declaration: Declaration) -> dict[str, Any]:
    place = declaration.place
    return {
        "spec": declaration.spec,
        "agents": list(declaration.agents),
        "fault": bool(declaration.fault),
        "advisory": declaration.advisory,
        "lines": [place.line_start, place.line_end],
        "evidence": dict(declaration.evidence),
        "readings": [
            {
                "matching": str(reading.matching),
                "statements": [seen_statement(s) for s in reading.statements],
            }
            for reading in declaration.readings
        ],
    }


def assert_subset(expected: Any, got: Any, where: str) -> None:
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in got, f"{where}: no {key!r}"
            assert_subset(value, got[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(expected) == len(got), f"{where}: expected {expected}, got {got}"
        for index, value in enumerate(expected):
            assert_subset(value, got[index], f"{where}[{index}]")
    else:
        assert expected == got, f"{where}: expected {expected!r}, got {got!r}"


@pytest.mark.parametrize(("signal", "case"), CASES, ids=[f"{s}:{c['name']}" for s, c in CASES])
def test_vector(signal: str, case: dict[str, Any]) -> None:
    raw = base64.b64decode(case["raw_base64"]) if "raw_base64" in case else case["raw"].encode()
    source = Source(
        case.get("uri", "https://example.org/"),
        Carrier(case["carrier"]),
        media_type=case.get("media_type", ""),
    )
    resource = Resource(case["resource"])
    readers = [r for s in SIGNALS if s.name == signal for kind, r in s.readers if kind is resource]
    assert readers, f"no reader of {signal} for {resource}"
    got = [seen(declaration) for reader in readers for declaration in reader(raw, source)]
    assert_subset(case["expect"], got, case["name"])
