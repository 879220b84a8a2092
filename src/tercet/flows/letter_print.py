"""A letter as a PDF for delivery: text, counts, names in columns, hash and page numbers.

ReportLab lays letters out one by one, without joining or turning them: a text that needs that
(Arabic, Hebrew, Thai, the scripts of India) or has letters the font lacks is refused, and the HTML
export is the one to print. DejaVu has Latin with all of Vietnamese, Cyrillic and Greek.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.licences.letter_counts import Cell, ProofKind
from tercet.consent.licences.letter_export import PublicLetter
from tercet.core.errors import InputError, UncheckedError
from tercet.flows.letter_words import (
    LetterWords,
    count_words,
    country_name,
    day_words,
    words_for,
)

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont

FONT_PLACES = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/TTF",
    "/usr/local/share/fonts/dejavu",
    "/opt/homebrew/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "~/Library/Fonts",
)
_FONT_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_SHAPED = ("ARABIC", "HEBREW", "SYRIAC", "THAANA", "NKO", "DEVANAGARI", "BENGALI", "GURMUKHI",
           "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO",
           "TIBETAN", "MYANMAR", "KHMER", "MONGOLIAN")  # fmt: skip
PAGE_WIDTH, PAGE_HEIGHT = 595.276, 841.89  # ISO A4, in points
_MARGIN = 56.0
_FOOT = 34.0
_WIDTH = PAGE_WIDTH - 2 * _MARGIN
_NAME_COLUMNS = 3
_GAP = 14.0
_BODY, _BOLD = "LetterBody", "LetterBold"
_INK, _SOFT = (0.1, 0.12, 0.14), (0.33, 0.36, 0.4)


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set. Sizes in points."""

    font: str
    size: float
    leading: float
    colour: tuple[float, float, float] = _INK


_TITLE = Style(_BOLD, 20, 26)
_HEADING = Style(_BOLD, 12.5, 17)
_PROSE = Style(_BODY, 10.5, 15.5)
_FACT = Style(_BODY, 9, 13, _SOFT)
_TOTAL = Style(_BOLD, 14, 20)
_NAME = Style(_BODY, 8.5, 11)
_BESIDE = Style(_BODY, 7, 9, _SOFT)


def letter_pdf(public: PublicLetter, font: Path | None = None) -> bytes:
    """Return a letter as PDF. ``font`` is a TrueType file; else DejaVu Sans is looked for.

    Raises InputError where there is no font, or it lacks what a name needs; UncheckedError where
    the library that writes PDF is not installed.
    """
    fonts = _fonts(font)
    _check_letters(_texts(public), fonts[0])
    words = words_for(public.letter.language)
    sheet = _Sheet(public, words)
    _write_letter(sheet, public, words)
    _write_counts(sheet, public, words)
    _write_names(sheet, public, words)
    return sheet.finish()


class _Sheet:
    """Pages that are filled from the top; a new one begins by itself."""

    def __init__(self, public: PublicLetter, words: LetterWords) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._out = io.BytesIO()
        self._canvas: Any = Canvas(
            self._out, pagesize=(PAGE_WIDTH, PAGE_HEIGHT), pageCompression=1, invariant=1,
            lang=public.letter.language,
        )  # fmt: skip
        self._canvas.setTitle(public.letter.title)
        self._canvas.setAuthor(public.letter.initiator.name)
        self._canvas.setSubject(f"sha256:{public.sha256}")
        self._words = words
        self._foot = f"{public.letter.title[:60]}  ·  SHA-256 {public.sha256[:16]}…"
        self._page = 1
        self.y = PAGE_HEIGHT - _MARGIN

    def write(self, text: str, style: Style, *, x: float = _MARGIN, width: float = _WIDTH) -> None:
        """Write a paragraph, on more pages where it must be."""
        for line in wrapped(text, style, width):
            self.need(style.leading)
            self.put(line, style, x, self.y)
            self.y -= style.leading

    def put(self, line: str, style: Style, x: float, y: float) -> None:
        """Write one line at a place; ``y`` is its top."""
        canvas = self._canvas
        canvas.setFillColorRGB(*style.colour)
        canvas.setFont(style.font, style.size)
        canvas.drawString(x, y - style.size, line)

    def put_right(self, line: str, style: Style, right: float, y: float) -> None:
        """Write one line that ends at ``right``."""
        self.put(line, style, right - width_of(line, style), y)

    def rule(self, x: float, width: float) -> None:
        """Draw a thin line at the current height."""
        self._canvas.setStrokeColorRGB(0.75, 0.75, 0.72)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(x, self.y, x + width, self.y)

    def need(self, height: float) -> None:
        """Make sure that so much fits below, on a new page if it must be."""
        if self.y - height < _MARGIN + _FOOT - 20:
            self.turn()

    def turn(self) -> None:
        """Begin a new page."""
        self._end_page()
        self._page += 1
        self.y = PAGE_HEIGHT - _MARGIN

    def space(self, height: float) -> None:
        """Leave room."""
        self.y -= height

    def finish(self) -> bytes:
        """Return the file."""
        self._end_page()
        self._canvas.save()
        return self._out.getvalue()

    def _end_page(self) -> None:
        style = Style(_BODY, 7.5, 10, _SOFT)
        self.put(self._foot, style, _MARGIN, _MARGIN - 12)
        self.put_right(str(self._page), style, PAGE_WIDTH - _MARGIN, _MARGIN - 12)
        self._canvas.showPage()


def _write_letter(sheet: _Sheet, public: PublicLetter, words: LetterWords) -> None:
    letter = public.letter
    sheet.write(words.open_letter, _FACT)
    sheet.write(letter.title, _TITLE)
    day = day_words(letter.made_at, words.language)
    sheet.write(words.from_whom.format(name=letter.initiator.name, day=day), _FACT)
    sheet.space(12)
    for paragraph in filter(None, (part.strip("\n") for part in letter.text.split("\n\n"))):
        for line in paragraph.split("\n"):
            sheet.write(line, _PROSE)
        sheet.space(7)


def _write_counts(sheet: _Sheet, public: PublicLetter, words: LetterWords) -> None:
    counts = public.counts
    total = words.signed_one if counts.verified == 1 else words.signed_many
    sheet.space(8)
    sheet.need(60)
    sheet.write(_counted(total, counts.verified, words), _TOTAL)
    for text, count in (
        (words.named, counts.named),
        (words.unverified, counts.unverified),
        (words.withdrawn, counts.withdrawn),
    ):
        if count:
            sheet.write(_counted(text, count, words), _FACT)
    for caption, table, name in (
        (words.countries, counts.countries, lambda code: country_name(code, words.language)),
        (words.professions, counts.professions, str),
    ):
        cells = [Cell(name(cell.label), cell.count) for cell in table.cells]
        rest = [Cell(words.rest, table.rest)] if table.rest else []
        _write_table(sheet, caption, [*cells, *rest] if cells else [], words)
    if counts.professions.cells or counts.countries.cells:
        sheet.write(words.rest_why, _FACT)
    proofs = [Cell(words.proof[ProofKind(c.label)], c.count) for c in counts.proofs]
    _write_table(sheet, words.proofs, proofs, words)
    if proofs:
        sheet.write(words.proofs_why, _FACT)
    sheet.space(10)
    sheet.need(60)
    for line in (
        f"{words.hash}: {public.sha256}",
        f"{words.kept_by}: {public.keeper.name} ({public.keeper.id})",
        f"{words.state_of}: {public.made_at}",
        words.check.replace("`", ""),
    ):
        sheet.write(line, _FACT)


def _counted(text: str, count: int, words: LetterWords) -> str:
    return text.format(count=count_words(count, words.language))


def _write_table(sheet: _Sheet, caption: str, cells: list[Cell], words: LetterWords) -> None:
    if not cells:
        return
    style = Style(_BODY, 9, 14)
    width = _WIDTH * 0.62
    sheet.space(10)
    sheet.need(3 * style.leading + 17)
    sheet.write(caption, _HEADING)
    for cell in cells:
        lines = wrapped(cell.label, style, width - 60)
        sheet.need(style.leading * len(lines))
        sheet.put_right(count_words(cell.count, words.language), style, _MARGIN + width, sheet.y)
        for line in lines:
            sheet.put(line, style, _MARGIN, sheet.y)
            sheet.y -= style.leading
        sheet.rule(_MARGIN, width)


def _write_names(sheet: _Sheet, public: PublicLetter, words: LetterWords) -> None:
    """Write the names down the columns of each page, so that they read in order."""
    if not public.signatories:
        return
    sheet.space(14)
    sheet.need(80)
    sheet.write(words.names, _HEADING)
    width = (_WIDTH - _GAP * (_NAME_COLUMNS - 1)) / _NAME_COLUMNS
    top, column = sheet.y, 0
    for entry in _entries(public, words, width):
        height = sum(style.leading for _, style in entry) + 3
        if sheet.y - height < _MARGIN + 6:
            column += 1
            if column == _NAME_COLUMNS:
                sheet.turn()
                top, column = sheet.y, 0
            sheet.y = top
        for line, style in entry:
            sheet.put(line, style, _MARGIN + column * (width + _GAP), sheet.y)
            sheet.y -= style.leading
        sheet.y -= 3


def _entries(
    public: PublicLetter, words: LetterWords, width: float
) -> Iterator[list[tuple[str, Style]]]:
    for each in public.signatories:
        beside = filter(None, [each.profession, country_name(each.country, words.language)])
        yield [
            *((line, _NAME) for line in wrapped(each.name, _NAME, width)),
            *((line, _BESIDE) for line in wrapped(", ".join(beside), _BESIDE, width)),
        ]


def wrapped(text: str, style: Style, width: float) -> list[str]:
    """Return text as lines that are no wider; a word that is too long is cut."""
    if not text or width_of(text, style) <= width:
        return [text] if text else []
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if width_of(joined, style) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _cut(word, style, width)
        lines += whole
    return [*lines, line] if line else lines


def _cut(word: str, style: Style, width: float) -> list[str]:
    parts, part = [], ""
    for character in word:
        if part and width_of(part + character, style) > width:
            parts.append(part)
            part = ""
        part += character
    return [*parts, part]


def width_of(text: str, style: Style) -> float:
    """Return how wide a text is, in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, style.font, style.size))


# ---- fonts ----------------------------------------------------------------------------------


def _fonts(asked: Path | None) -> tuple[TTFont, TTFont]:
    """Return the fonts for text and headings, known to the library that writes."""
    pdfmetrics = _library()
    paths = (asked, asked) if asked else _found_fonts()
    body, bold = (
        _loaded(str(path), name) for path, name in zip(paths, (_BODY, _BOLD), strict=True)
    )
    for font in (body, bold):
        pdfmetrics.registerFont(font)
    return body, bold


def _found_fonts() -> tuple[Path, Path]:
    for place in FONT_PLACES:
        body, bold = (Path(place).expanduser() / name for name in _FONT_FILES)
        if body.is_file():
            return body, bold if bold.is_file() else body
    raise InputError(
        "a PDF needs a font, and DejaVu Sans is not on this machine",
        hint="install it (Debian: fonts-dejavu-core), or give a TrueType file with --font",
    )


def _library() -> Any:
    try:
        from reportlab.pdfbase import pdfmetrics
    except ModuleNotFoundError as error:
        raise UncheckedError(
            "no PDF can be written: the library reportlab is not installed",
            hint="pip install 'tercet[letters]', or export HTML and print that",
        ) from error
    return pdfmetrics


@cache
def _loaded(path: str, name: str) -> TTFont:
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    try:
        return TTFont(name, path)
    except (TTFError, OSError) as error:
        raise InputError(f"{path} is no TrueType font: {error}") from error


def _texts(public: PublicLetter) -> Iterator[str]:
    letter = public.letter
    yield from (letter.title, letter.text, letter.initiator.name, public.keeper.name)
    for each in public.signatories:
        yield from (each.name, each.profession)
    for cell in public.counts.professions.cells:
        yield cell.label


def _check_letters(texts: Iterable[str], font: TTFont) -> None:
    """Make sure that every character can be shown as it must be."""
    known = font.face.charToGlyph
    where: dict[str, str] = {}
    for text in texts:
        for character in set(text) - where.keys():
            where[character] = text
    for character, text in where.items():
        if character in "\n\t":
            continue
        is_shaped = unicodedata.name(character, "").startswith(_SHAPED)
        if is_shaped or ord(character) not in known or unicodedata.combining(character):
            raise InputError(
                f"the PDF cannot show {character!r} (U+{ord(character):04X}) in {text[:60]!r}",
                hint="give a TrueType font that has it with --font"
                if not is_shaped
                else "export HTML and print that: browsers can set this script",
            )
