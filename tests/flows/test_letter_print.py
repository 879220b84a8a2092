"""A letter as PDF: names as they are written, none that is hidden, and no letter shown wrongly."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tercet.consent.licences.letter import Letter, Visibility, letter_document
from tercet.consent.licences.letter_counts import Proof, ProofKind, ProofState, Signatory
from tercet.consent.licences.letter_export import PublicLetter, public_letter
from tercet.core.errors import InputError
from tercet.core.terms import PartyName
from tercet.flows import letter_print
from tercet.flows.letter_print import FONT_PLACES, Style, letter_pdf, wrapped

pytest.importorskip("reportlab", reason="the extra `letters` is not installed")
pytestmark = pytest.mark.skipif(
    not any((Path(place).expanduser() / "DejaVuSans.ttf").is_file() for place in FONT_PLACES),
    reason="DejaVu Sans is not on this machine",
)
KEEPER = PartyName("urn:tercet:party:0123456789abcdef", "Keeper")
AT = "2026-11-22T10:00:00Z"


def public(*names: str, hidden: str = "", text: str = "Ask us first.") -> PublicLetter:
    letter = Letter(
        "urn:uuid:00000000-0000-4000-8000-000000000001", AT, "vi", "Tác phẩm", text, KEEPER
    )
    proof = (Proof(ProofKind.EMAIL, ProofState.VERIFIED),)
    people = [
        Signatory(f"urn:uuid:{at}", name, "Nhạc sĩ", "VN", visibility, AT, proof)
        for at, (name, visibility) in enumerate(
            [*((name, Visibility.NAMED) for name in names), (hidden, Visibility.HIDDEN)]
        )
        if name
    ]
    return public_letter(letter_document(letter), people, keeper=KEEPER, made_at=AT)


def text_of(raw: bytes) -> tuple[int, str]:
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(raw)).pages
    return len(pages), "\n".join(page.extract_text() for page in pages)


def test_vietnamese_and_cyrillic_names_are_in_it_and_hidden_ones_are_not() -> None:
    names = ["Nguyễn Thị Ánh Tuyết", "Олександра Шевченко", "Łucja Wójcik"]
    shown = public(*names, hidden="Hidden Person")
    count, text = text_of(letter_pdf(shown))
    assert count == 1
    for name in names:
        assert name in text
    assert "Hidden" not in text
    assert shown.sha256 in text
    assert letter_pdf(shown) == letter_pdf(shown)


def test_many_names_fill_pages_in_order() -> None:
    names = [f"Person {number:04d}" for number in range(900)]
    count, text = text_of(letter_pdf(public(*names)))
    assert count > 3
    found = [line for line in text.splitlines() if line.startswith("Person ")]
    assert found == names


@pytest.mark.parametrize(
    ("name", "words"),
    [("李小龙", "TrueType font"), ("محمد", "browsers"), ("नेहा", "browsers"), ("A🦊", "font")],
)
def test_a_name_that_would_be_shown_wrongly_is_refused(name: str, words: str) -> None:
    with pytest.raises(InputError, match="cannot show") as caught:
        letter_pdf(public(name))
    assert words in caught.value.hint


def test_a_font_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "font.ttf"
    bad.write_bytes(b"no font")
    with pytest.raises(InputError, match="no TrueType font"):
        letter_pdf(public("A"), bad)
    monkeypatch.setattr(letter_print, "FONT_PLACES", (str(tmp_path),))
    with pytest.raises(InputError, match="DejaVu Sans is not") as caught:
        letter_pdf(public("A"))
    assert "--font" in caught.value.hint


def test_lines_are_no_wider_than_the_column() -> None:
    letter_pdf(public("A"))  # the fonts are known from here on
    style = Style("LetterBody", 10, 14)
    text = "word " * 40 + "x" * 300
    lines = wrapped(text, style, 200)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(letter_print.width_of(line, style) <= 200 for line in lines)
