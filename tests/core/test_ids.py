"""Digests and ids: known answers, and that every field of a declaration counts."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from tercet.core.declaration import Carrier, Declaration, Place, Reading
from tercet.core.ids import sha256_hex

DECLARATION = Declaration(
    signal="robots",
    spec="RFC 9309",
    spec_version="2022-09",
    carrier=Carrier.FILE,
    place=Place("https://a.example/robots.txt", 1, 2, 0, 20),
    raw_sha256="ab" * 32,
    fetched_at="2026-11-22T10:00:00Z",
    readings=(Reading(()),),
    agents=("GPTBot",),
)


def test_sha_256_of_fips_180() -> None:
    """The one-block and the empty message of the NIST example values for SHA-256."""
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_id_is_the_digest_of_the_named_fields() -> None:
    parts = [
        "robots", "RFC 9309", "2022-09", "file", "https://a.example/robots.txt", "1-2", "0-20",
        "GPTBot", "ab" * 32, "2026-11-22T10:00:00Z",
    ]  # fmt: skip
    expected = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    assert DECLARATION.declaration_id == expected


@pytest.mark.parametrize(
    "change",
    [
        {"signal": "aipref"},
        {"spec": "other"},
        {"spec_version": "1"},
        {"carrier": Carrier.HEADER},
        {"place": Place("https://b.example/robots.txt", 1, 2, 0, 20)},
        {"place": Place("https://a.example/robots.txt", 1, 3, 0, 20)},
        {"place": Place("https://a.example/robots.txt", 1, 2, 1, 20)},
        {"agents": ("CCBot",)},
        {"raw_sha256": "cd" * 32},
        {"fetched_at": "2026-11-23T10:00:00Z"},
    ],
)
def test_every_named_field_counts(change: dict) -> None:
    assert replace(DECLARATION, **change).declaration_id != DECLARATION.declaration_id


def test_a_declaration_needs_a_reading() -> None:
    with pytest.raises(ValueError, match="at least one reading"):
        replace(DECLARATION, readings=())
