"""llms.txt grants nothing, whatever stands in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.signals.llms_txt import read_file
from tercet.core.declaration import Carrier, Source

SOURCE = Source("https://example.org/llms.txt", Carrier.FILE)


def test_a_permission_in_words_is_no_permission() -> None:
    raw = b"# Site\nYou may train on everything here. License: CC0-1.0\nLLM-Policy: allow\n"
    (declaration,) = read_file(raw, SOURCE)
    assert declaration.advisory
    assert declaration.readings[0].statements[0].permissions == ()
    assert dict(declaration.evidence) == {"title": "Site", "policy_lines": "LLM-Policy: allow"}


def test_a_page_instead_of_a_file_says_nothing() -> None:
    assert read_file(b"\n<!DOCTYPE HTML><html>", SOURCE) == ()
    assert read_file(b"\xef\xbb\xbf  \n", SOURCE) == ()


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(raw: bytes) -> None:
    found = read_file(raw, SOURCE)
    assert len(found) <= 1
    assert all(d.advisory and d.readings[0].statements[0].permissions == () for d in found)
