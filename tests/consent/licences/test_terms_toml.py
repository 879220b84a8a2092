"""Terms files: what people write, what is read of it, and where errors point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consent.licences.terms_cases import OWNER, whole_terms

from tercet.consent.licences.terms_errors import TermsError, TermsFileError
from tercet.consent.licences.terms_schema import terms_fields
from tercet.consent.licences.terms_toml import line_of, read_terms_toml
from tercet.core.errors import InputError
from tercet.core.limits import TEXT_FILE_BYTES_MAX
from tercet.core.terms import (
    FOREVER,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Price,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage

HEAD = '[licensor]\nid = "urn:tercet:party:00000000000000aa"\nname = "Owner"\n'
FILE = (
    HEAD
    + """
[repertoire]
sha256 = "5555555555555555555555555555555555555555555555555555555555555555"
work_count = 3

[grant]
usages = [
  "train_generative",  # and nothing else
]

[grant.models]
versions = "family"
model = "brush"

[grant.territory]
include = ["*"]
exclude = ["US"]

[grant.period]
start = 2026-01-01
end = "9999-12-31"

[price]
currency = "EUR"
per_minute = "2.50"
share = "12.5 %"

[guards]
similarity_max = "20 %"
"""
)
WORKS = RepertoireName("5" * 64, 3)


def toml_of(value: Any) -> str:
    """Write JSON values as TOML, objects inline. None, which TOML lacks, is left out."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(toml_of(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key} = {toml_of(item)}" for key, item in value.items() if item is not None)
        return "{" + ", ".join(pairs) + "}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def test_a_file_says_what_it_grants_and_no_more() -> None:
    read = read_terms_toml(FILE.encode(), "terms.toml")
    grant = Grant(
        usages=(Usage.TRAIN_GENERATIVE,),
        models=ModelScope(Versions.FAMILY, "brush"),
        territory=Territory(("*",), ("US",)),
        period=Period("2026-01-01", FOREVER),
    )
    price = Price("EUR", per_minute_micros=2_500_000, share_basis_points=1_250)
    assert read.guards.similarity_max_per_mille == 200
    assert read == Terms(
        OWNER, WORKS, grant=grant, price=price,
        guards=replace(Terms(OWNER, WORKS).guards, similarity_max_per_mille=200),
    )  # fmt: skip


@settings(max_examples=30)
@given(whole_terms())
def test_a_document_written_as_toml_is_the_same(terms: Terms) -> None:
    lines = (
        f"{key} = {toml_of(value)}"
        for key, value in terms_fields(terms).items()
        if value is not None
    )
    assert read_terms_toml("\n".join(lines).encode(), "terms.toml") == terms


def test_the_licensor_and_the_works_may_be_given_beside() -> None:
    read = read_terms_toml(b"", "terms.toml", licensor=OWNER, repertoire=WORKS)
    assert read == Terms(OWNER, WORKS)
    own = read_terms_toml(
        HEAD.encode(), "terms.toml", licensor=PartyName("urn:tercet:party:" + "0" * 16, ""),
        repertoire=WORKS,
    )  # fmt: skip
    assert own.licensor == OWNER


WRONG = [
    ("no-licensor", "", "missing-member", 1, "licensor"),
    ("licensor-without-name", HEAD.replace('name = "Owner"', ""), "missing-member", 1,
     "licensor.name"),
    ("unknown-usage", FILE.replace('"train_generative"', '"train"'), "unknown-usage", 10,
     "grant.usages[0]"),
    ("unknown-territory", FILE.replace('"US"', '"XX"'), "unknown-territory", 20,
     "grant.territory.exclude[0]"),
    ("unknown-currency", FILE.replace("EUR", "XYZ"), "unknown-currency", 27, "price.currency"),
    ("share-over-whole", FILE.replace("12.5 %", "100.01 %"), "share-over-whole", 29,
     "price.share_basis_points"),
    ("share-too-fine", FILE.replace("12.5 %", "12.345 %"), "wrong-type", 29,
     "price.share_basis_points"),
    ("share-without-unit", FILE.replace("12.5 %", "0.125"), "wrong-type", 29,
     "price.share_basis_points"),
    ("amount-as-fraction", FILE.replace('"2.50"', "2.50"), "wrong-type", 28,
     "price.per_minute_micros"),
    ("exact-key-as-fraction", FILE.replace('per_minute = "2.50"', "per_minute_micros = 2.50"),
     "wrong-type", 28, "price.per_minute_micros"),
    ("amount-too-fine", FILE.replace("2.50", "2.5000001"), "wrong-type", 28,
     "price.per_minute_micros"),
    ("amount-below-nothing", FILE.replace("2.50", "-2.50"), "wrong-type", 28,
     "price.per_minute_micros"),
    ("amount-not-finite", FILE.replace("2.50", "inf"), "wrong-type", 28,
     "price.per_minute_micros"),
    ("amount-with-exponent", FILE.replace("2.50", "1e9"), "wrong-type", 28,
     "price.per_minute_micros"),
    ("amount-said-twice", FILE.replace("[price]", "[price]\nper_minute_micros = 1"),
     "contradicting-terms", 27, "price.per_minute_micros"),
    ("end-before-start", FILE.replace('"9999-12-31"', "2025-12-31"), "end-before-start", 24,
     "grant.period.end"),
    ("end-with-a-time", FILE.replace('"9999-12-31"', "2027-01-01T00:00:00Z"), "wrong-type", 24,
     "grant.period.end"),
    ("unknown-table", FILE + "\n[insurance]\nsum = 1\n", "unknown-member", 34, "insurance"),
    ("unknown-key", FILE.replace("work_count", "works"), "unknown-member", 7,
     "repertoire.works"),
    ("other-type", 'type = "tercet/offer@1"\n' + FILE, "unknown-value", 1, "type"),
    ("text-for-a-table", 'price = "2 EUR"\n' + FILE.partition("[price]")[0], "wrong-type", 1,
     "price"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "line", "path"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_file_is_told_by_line_and_path(text: str, code: str, line: int, path: str) -> None:
    with pytest.raises(TermsError) as caught:
        read_terms_toml(text.encode(), "terms.toml", repertoire=WORKS)
    error = caught.value
    assert (error.code, error.path) == (code, path)
    assert error.message.startswith(f"terms.toml:{line}: {path}: expected ")


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"a = ", b"a = 1\na = 2", b"\xef\xbb\xbf", b"a = " + b"[" * 100_000,
     b"#" * (TEXT_FILE_BYTES_MAX + 1)],
    ids=["not-utf-8", "not-toml", "key-twice", "byte-order-mark", "too-deep", "too-large"],
)  # fmt: skip
def test_what_is_no_toml_is_told_so(raw: bytes) -> None:
    with pytest.raises(TermsFileError, match=r"^terms\.toml: "):
        read_terms_toml(raw, "terms.toml")


@settings(max_examples=100)
@given(st.text(st.sampled_from("abc=[]{}.\"'# \n0-:1grantpice"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_terms_toml(text.encode(), "terms.toml", licensor=OWNER, repertoire=WORKS)
    except InputError as error:
        assert error.message.startswith("terms.toml:")  # noqa: PT017 - most texts are refused


def test_lines_are_those_of_keys_written_any_way() -> None:
    text = 'a.b = 1\n["c" . d]\n"e" = 2 # a.z = 3\n[[f]]\n[c]\n g.h_micros=[\n1]\n'
    lines = {
        path: line_of(text, path)
        for path in ("a.b", "c.d", "c.d.e", "c.g.h_micros[0]", "c.d.unsaid", "nowhere")
    }
    assert lines == {
        "a.b": 1, "c.d": 2, "c.d.e": 3, "c.g.h_micros[0]": 6, "c.d.unsaid": 2, "nowhere": 1,
    }  # fmt: skip
