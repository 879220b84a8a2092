"""The vectors of terms: documents accepted and refused, by code and by the JSON Schema."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tercet.consent.licences import terms_errors
from tercet.consent.licences.coverage import covers, permits, permits_generation
from tercet.consent.licences.refusal import REFUSAL_WORDS, RefusalCode
from tercet.consent.licences.terms_schema import terms_fields, terms_of, terms_schema
from tercet.core.terms import FieldOfUse, Modality, Purpose, Use
from tercet.core.usage import Usage

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "vectors" / "terms"
FILES = {file.stem: json.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.json")}
SHIPPED = json.loads((ROOT / "src/tercet/consent/licences/terms.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema_rs.validator_for(SHIPPED)


def changed(base: Any, case: dict[str, Any], name: str = "set") -> Any:
    """Return ``base`` with the members that a case sets, by JSON Pointer, and removes."""
    document = copy.deepcopy(base)
    for pointer, value in case.get(name, {}).items():
        *path, last = pointer.split("/")[1:]
        at = document
        for part in path:
            at = at[part]
        at[last] = value
    for pointer in case.get("remove", []):
        *path, last = pointer.split("/")[1:]
        at = document
        for part in path:
            at = at[part]
        del at[last]
    return document


def cases(name: str) -> Any:
    return pytest.mark.parametrize(
        "case", FILES[name]["cases"], ids=[case["name"] for case in FILES[name]["cases"]]
    )


def use_of(fields: dict[str, Any]) -> Use:
    def maybe(kind: Any, value: str | None) -> Any:
        return None if value is None else kind(value)

    return Use(
        **fields
        | {
            "usage": Usage(fields["usage"]),
            "purpose": maybe(Purpose, fields["purpose"]),
            "modality_in": maybe(Modality, fields["modality_in"]),
            "modality_out": maybe(Modality, fields["modality_out"]),
            "field_of_use": maybe(FieldOfUse, fields["field_of_use"]),
            "territories": tuple(fields["territories"]),
        }
    )


def test_the_schema_that_is_shipped_is_the_one_of_the_types() -> None:
    """Write it anew by `python docs/build_terms_schema.py`."""
    assert terms_schema() == SHIPPED
    jsonschema_rs.meta.validate(SHIPPED)


@cases("accepted")
def test_accepted(case: dict[str, Any]) -> None:
    document = changed(FILES["accepted"]["terms"], case)
    assert terms_fields(terms_of(document)) == document
    VALIDATOR.validate(document)


@cases("refused")
def test_refused(case: dict[str, Any]) -> None:
    document = changed(FILES["refused"]["terms"], case)
    with pytest.raises(terms_errors.TermsError) as caught:
        terms_of(document)
    assert (caught.value.code, caught.value.path) == (case["code"], case["path"])
    assert caught.value.expected in caught.value.message
    assert VALIDATOR.is_valid(document) != case["schema"]


def test_what_the_refused_differ_from_is_accepted() -> None:
    terms_of(FILES["refused"]["terms"])
    names = [case["name"] for case in FILES["refused"]["cases"]]
    assert len(names) == len(set(names)) > 80


def test_every_kind_of_error_has_its_vector() -> None:
    kinds = {
        kind.code
        for kind in vars(terms_errors).values()
        if isinstance(kind, type)
        and issubclass(kind, terms_errors.TermsError)
        and kind is not terms_errors.TermsError
    }
    not_in_vectors = {"too-many-values"}  # ten thousand values: see test_terms_schema.py
    assert {case["code"] for case in FILES["refused"]["cases"]} | not_in_vectors == kinds


@cases("permits")
def test_permits(case: dict[str, Any]) -> None:
    terms = terms_of(changed(FILES["permits"]["terms"], case, "terms"))
    refusals = permits(terms, use_of(changed(FILES["permits"]["use"], case, "use")))
    assert [refusal.code for refusal in refusals] == case["refusals"]
    assert all(REFUSAL_WORDS[refusal.code] in str(refusal) for refusal in refusals)


@cases("permits_generation")
def test_permits_generation(case: dict[str, Any]) -> None:
    document = FILES["permits_generation"]
    terms = terms_of(changed(document["terms"], case, "terms"))
    refusals = permits_generation(terms, use_of(changed(document["use"], case, "use")))
    assert [refusal.code for refusal in refusals] == case["refusals"]


@cases("covers")
def test_covers(case: dict[str, Any]) -> None:
    wider = FILES["covers"]["wider"]
    refusals = covers(terms_of(wider), terms_of(changed(wider, case)))
    assert [refusal.code for refusal in refusals] == case["refusals"]
    assert all(REFUSAL_WORDS[refusal.code] in str(refusal) for refusal in refusals)


def test_every_refusal_has_words_and_its_vector() -> None:
    assert set(REFUSAL_WORDS) == set(RefusalCode)
    named = {
        code
        for name in ("permits", "permits_generation", "covers")
        for case in FILES[name]["cases"]
        for code in case["refusals"]
    }
    assert named == set(RefusalCode)


def test_the_page_lists_every_field_where_it_belongs_and_every_error() -> None:
    page = (ROOT / "docs" / "terms.md").read_text("utf-8")
    _, deciding, owed = re.split(r"### Decided by `permits`|### Duties", page)
    owed, refused = owed.split("## What is refused")
    document = FILES["permits"]["terms"]
    for path in leaf_paths({name: value for name, value in document.items() if name != "type"}):
        decides = path.startswith(("licens", "repertoire.", "grant.", "retention.", "guards."))
        assert (f"`{path}`" in deciding) == decides, path
        assert (f"`{path}`" in owed) != decides, path
    kinds = {case["code"] for case in FILES["refused"]["cases"]}
    assert kinds <= set(re.findall(r"`([a-z-]+)`", refused))


def leaf_paths(value: Any, path: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [path]
    return [
        leaf
        for name, inner in value.items()
        for leaf in leaf_paths(inner, f"{path}.{name}" if path else name)
    ]
