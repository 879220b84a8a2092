"""Documents as text: plain text, HTML, Markdown, subtitles, EPUB and PDF. Bounded.

What a document is, its bytes tell; the name only tells subtitles from other plain text.
"""

from __future__ import annotations

import re

from tercet.consent.fingerprints.documents_encoding import decoded
from tercet.consent.fingerprints.fingerprint import UndecodableError
from tercet.consent.fingerprints.media_type import HEAD_BYTES, sniff
from tercet.consent.html_tokens import resolve_references, tokens
from tercet.core.limits import ARCHIVE_MEMBERS_MAX
from tercet.core.work import Medium

CHARACTERS_MAX = 1 << 23
"""Text beyond it is not read: the document is held. The Bible has 4.3 million characters."""
BYTES_MAX = 256 * 1024 * 1024
PDF_PAGES_MAX = 5_000
PDF_PAGE_BYTES_MAX = 32 * 1024 * 1024  # of drawing operators on one page, once inflated

_MENUS = frozenset({
    "aside", "button", "canvas", "datalist", "dialog", "footer", "nav", "noscript", "object",
    "select", "svg", "template",
})  # fmt: skip
"""Menus, forms and what is not shown: their short lines are not the text of the page."""
MENU_LINE_CHARACTERS_MAX = 120
"""Longer lines are read wherever they stand: no text is hidden by calling it a menu."""
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "rb", "rp", "rt", "rtc", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_CUE = re.compile(
    r"^[ \t]*(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}[ \t]*-->[ \t]*(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}.*$"
)
_CUE_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")


def text_of(raw: bytes, name: str) -> str:
    """Return the text of a document, as a reader meets it; ``name`` is its file name.

    Raises UndecodableError for what is no text document, is damaged or encrypted, or is larger
    than the limits. Line ends are LF.
    """
    if len(raw) > BYTES_MAX:
        raise _beyond(f"{BYTES_MAX:,} bytes", f"{len(raw):,}")
    if not raw:
        return ""
    kind = sniff(raw[:HEAD_BYTES])
    if kind.name == "application/pdf":
        text = _pdf_text(raw)
    elif kind.name == "application/epub+zip":
        text = _epub_text(raw)
    elif kind.medium is Medium.TEXT or _is_wide(raw):
        text = _plain_text(decoded(raw).text, name, kind.name)
    else:
        message = f"expected a text document, got {kind.name or 'bytes of no known kind'}"
        raise UndecodableError(message, hint="text, HTML, Markdown, SRT, VTT, EPUB and PDF work")
    if len(text) > CHARACTERS_MAX:
        raise _beyond(f"{CHARACTERS_MAX:,} characters", f"{len(text):,}")
    return text


def _beyond(expected: str, got: str) -> UndecodableError:
    message = f"expected a document of at most {expected}, got {got}"
    return UndecodableError(message, hint="split it: its parts can be works of their own")


def _is_wide(raw: bytes) -> bool:
    """Whether it reads as UTF-16 without a mark: letters, with a zero byte beside most of them."""
    text, encoding = decoded(raw[:HEAD_BYTES])
    printable = sum(letter.isprintable() or letter.isspace() for letter in text)
    return encoding.startswith("utf-16") and printable > 0.95 * len(text)


def _plain_text(text: str, name: str, kind: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    suffix = name.lower().rpartition(".")[2]
    start = text[:512].lstrip("\ufeff \t\n").lower()
    if kind == "text/html" or suffix in {"html", "htm", "xhtml"}:
        return html_text(text)
    if start.startswith(("<!doctype html", "<html")) or "<html" in start:
        return html_text(text)
    if suffix in {"srt", "vtt"} or start.startswith("webvtt") or _is_subtitles(text):
        return cue_text(text)
    return text


def html_text(text: str) -> str:
    """Return what a page shows, blocks on lines of their own; no programs, styles or menus."""
    read: list[str] = []
    menu: list[str] = []
    open_menus: list[str] = []
    for token in tokens(text):
        tag = token.tag
        if not tag:
            (menu if open_menus else read).append(resolve_references(token.text))
            continue
        if tag not in _INLINE:
            (menu if open_menus else read).append("\n")
        if tag in _MENUS and token.attributes is not None:
            open_menus.append(tag)
        elif tag in open_menus:
            del open_menus[len(open_menus) - 1 - open_menus[::-1].index(tag) :]
            if not open_menus:
                read.append(_long_lines(menu))
                menu = []
    return _lines("".join([*read, _long_lines(menu)]))


def _long_lines(pieces: list[str]) -> str:
    lines = _lines("".join(pieces)).split("\n")
    kept = [line for line in lines if len(line) > MENU_LINE_CHARACTERS_MAX]
    return "\n".join(["", *kept, ""])


def _lines(text: str) -> str:
    kept = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in kept if line)


def _is_subtitles(text: str) -> bool:
    return any(_CUE.match(line) for line in text[:2000].split("\n")[:8])


def cue_text(text: str) -> str:
    """Return the spoken text of SRT or WebVTT subtitles, without numbers, times and tags."""
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        if _CUE.match(line):
            inside = True
        elif not line.strip():
            inside = False
        elif inside:
            kept.append(" ".join(_CUE_TAG.sub("", resolve_references(line)).split()))
    return "\n".join(line for line in kept if line)


def _epub_text(raw: bytes) -> str:
    from tercet.consent.fingerprints.documents_epub import pages_of

    texts: list[str] = []
    total = 0
    for page in pages_of(raw, ARCHIVE_MEMBERS_MAX):
        texts.append(html_text(decoded(page).text.replace("\r\n", "\n").replace("\r", "\n")))
        total += len(texts[-1])
        if total > CHARACTERS_MAX:
            raise _beyond(f"{CHARACTERS_MAX:,} characters", f"more in {len(texts)} chapters")
    return "\n".join(texts)


def _pdf_text(raw: bytes) -> str:
    from tercet.consent.fingerprints.documents_pdf import page_texts

    texts: list[str] = []
    total = 0
    for page in page_texts(raw, PDF_PAGES_MAX, PDF_PAGE_BYTES_MAX):
        texts.append(page)
        total += len(page)
        if total > CHARACTERS_MAX:
            raise _beyond(f"{CHARACTERS_MAX:,} characters", f"more on {len(texts)} pages")
    return "\n".join(texts)
