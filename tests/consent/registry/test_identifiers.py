"""Identifiers: published examples, and that a mistyped character is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.registry.identifiers import SCHEMES, identifier, parse_identifier
from tercet.core.errors import InputError

# Examples of the standards, their agencies and their articles in Wikipedia.
EXAMPLES = [
    ("isrc", "US-RC1-76-07839", "USRC17607839"),
    ("isrc", "ISRC GB-AYE-68-00137", "GBAYE6800137"),
    ("iswc", "T-034.524.680-1", "T-034.524.680-1"),
    ("iswc", "T-000.000.001-0", "T-000.000.001-0"),
    ("iswc", "ISWC T 034524680 1", "T-034.524.680-1"),
    ("isbn", "0-306-40615-2", "9780306406157"),
    ("isbn", "978-0-306-40615-7", "9780306406157"),
    ("isbn", "ISBN 0-8044-2957-X", "9780804429573"),
    ("isbn", "979-10-90636-07-1", "9791090636071"),
    ("isni", "0000 0001 2150 090X", "000000012150090X"),
    ("isni", "https://isni.org/isni/0000000121032683", "0000000121032683"),
    ("isni", "0000-0002-1825-0097", "0000000218250097"),  # ORCID's example, the same check
    ("eidr", "10.5240/7791-8534-2C23-9030-8610-5", "10.5240/7791-8534-2C23-9030-8610-5"),
    ("eidr", "https://doi.org/10.5240/ea73-79d7-1b2b-b378-3a73-m",
     "10.5240/EA73-79D7-1B2B-B378-3A73-M"),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "text", "normal"), EXAMPLES)
def test_published_examples(scheme: str, text: str, normal: str) -> None:
    assert identifier(scheme, text) == normal
    assert identifier(scheme, normal) == normal


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("isrc", "US-RC1-76-0783"),
        ("isrc", ""),
        ("iswc", "T-034.524.680-2"),
        ("isbn", "0-306-40615-3"),
        ("isbn", "978-0-306-40615-8"),
        ("isbn", "977-0-306-40615-7"),
        ("isni", "0000 0001 2150 0900"),
        ("eidr", "10.5240/7791-8534-2C23-9030-8610-6"),
        ("eidr", "10.1000/7791-8534-2C23-9030-8610-5"),
        ("isbn", "٩٧٨٠٣٠٦٤٠٦١٥٧"),  # digits, but not those of the standard
    ],
)
def test_what_is_wrong_is_said(scheme: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        identifier(scheme, text)
    assert "expected" in caught.value.message


# An ISRC has no check digit, and that of an ISWC misses some errors: its even weights are not prime
# to 10.
@given(st.sampled_from([e for e in EXAMPLES if e[0] not in ("isrc", "iswc")]), st.data())
def test_one_mistyped_digit_is_noticed(example: tuple[str, str, str], data: st.DataObject) -> None:
    scheme, _, normal = example
    skipped = len("10.5240/") if scheme == "eidr" else 0
    places = [at for at, c in enumerate(normal) if c.isdigit() and at >= skipped]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != normal[place]]))
    with pytest.raises(InputError):
        identifier(scheme, normal[:place] + other + normal[place + 1 :])


def test_a_scheme_and_a_value() -> None:
    assert parse_identifier("ISBN: 0-306-40615-2") == ("isbn", "9780306406157")
    with pytest.raises(InputError, match="scheme"):
        parse_identifier("issn:1234-5679")
    with pytest.raises(InputError, match="SCHEME:VALUE"):
        parse_identifier("0-306-40615-2")
    assert set(SCHEMES) == {"isrc", "iswc", "isbn", "isni", "eidr"}
