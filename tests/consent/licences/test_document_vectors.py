"""Run the vectors of signed documents (vectors/documents, format: vectors/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tercet.consent.licences.party_history import Parties, receive_parties, receive_party
from tercet.consent.licences.repertoire import read_repertoire
from tercet.consent.licences.standing import check_agreement
from tercet.core.errors import TercetError
from tercet.core.strict_json import read_canonical_object

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "documents"
AGREEMENTS = json.loads((FOLDER / "agreements.json").read_text("utf-8"))
PARTIES = json.loads((FOLDER / "parties.json").read_text("utf-8"))


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def known(group: str) -> Parties:
    """Return the parties of a group, each document taken in when the vector says."""
    histories: dict[str, Any] = {}
    for each in AGREEMENTS["parties"][group]:
        party, document = each["document"]["id"], each["document"]
        histories[party] = receive_party(histories.get(party), document, each["received_at"])
    return histories


@pytest.mark.parametrize("case", AGREEMENTS["cases"], ids=name_of)
def test_agreements(case: dict[str, Any]) -> None:
    lists = [read_repertoire(text.encode()) for text in AGREEMENTS["repertoires"]]
    try:
        found = str(
            check_agreement(
                read_canonical_object(case["raw"].encode()),
                known(case.get("parties", "all")),
                {each.sha256: each for each in lists},
                case["seen_at"],
                pids=tuple(case["pids"]) if "pids" in case else None,
            )
        )
    except TercetError as error:
        found = error.code
    assert found == case["expect"]


@pytest.mark.parametrize("case", PARTIES["cases"], ids=name_of)
def test_parties(case: dict[str, Any]) -> None:
    *before, last = case["documents"]
    at = PARTIES["received_at"]
    history = receive_parties(None, before, at) if before else None
    try:
        receive_party(history, last, at)
        found = "valid"
    except TercetError as error:
        found = error.code
    assert found == case["expect"]


def test_the_vectors_say_no_more_often_than_yes() -> None:
    for cases in (AGREEMENTS["cases"], PARTIES["cases"]):
        names = [case["name"] for case in cases]
        assert len(set(names)) == len(names) > 15
        assert sum(case["expect"] == "valid" for case in cases) < len(cases) / 3
