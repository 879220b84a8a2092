"""HTML as tokens, after the WHATWG HTML Standard section 13.2.5. One pass, linear, no tree.

Left out, because no permission can hide there that a browser would see: CDATA sections and the
states inside foreign content, and the doubly escaped states of script text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

SPACES = "\t\n\f "
_TAG_NAME = re.compile(r"[^\t\n\f />]*")
_BETWEEN = re.compile(r"[\t\n\f /]*")
_ATTRIBUTE_NAME = re.compile(r"=?[^\t\n\f />=]*")
_EQUALS = re.compile(r"[\t\n\f ]*=[\t\n\f ]*")
_UNQUOTED = re.compile(r"[^\t\n\f >]*")
_COMMENT_END = re.compile(r"--!?>")
_RAW_TEXT = ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
_RAW_TEXT_END = {tag: re.compile(rf"</{tag}(?=[\t\n\f />])", re.IGNORECASE) for tag in _RAW_TEXT}


@dataclass(slots=True)
class Token:
    """A start tag, an end tag, or a run of text (``tag`` "")."""

    tag: str
    line: int
    attributes: dict[str, str] | None = None  # None: an end tag, or text
    text: str = ""


def tokens(text: str) -> Iterator[Token]:
    """Yield the tags and texts of ``text``, whose line ends are LF. Total; lines count from 1.

    Comments, doctypes and what the page ends inside of give nothing. The text of script, style,
    title and the like comes with its start tag.
    """
    position, counted, line, size = 0, 0, 1, len(text)
    while position < size:
        opening = text.find("<", position)
        if opening < 0:
            opening = size
        line += text.count("\n", counted, position)
        counted = position
        if opening > position:
            yield Token("", line, text=text[position:opening])
        line += text.count("\n", counted, opening)
        counted = opening
        token, position = _markup(text, opening, line)
        if token is None:
            continue
        if token.attributes is not None and token.tag in _RAW_TEXT_END:
            end = _RAW_TEXT_END[token.tag].search(text, position)
            stop = end.start() if end else size
            token.text, position = text[position:stop], stop
        yield token
        if token.tag == "plaintext" and token.attributes is not None:
            return


def _markup(text: str, opening: int, line: int) -> tuple[Token | None, int]:
    """Return the token that starts at ``<`` and where the next one may start."""
    after = text[opening + 1 : opening + 2]
    if after.isascii() and after.isalpha():
        return _tag(text, opening + 1, line, end_tag=False)
    if after == "/":
        letter = text[opening + 2 : opening + 3]
        if letter.isascii() and letter.isalpha():
            return _tag(text, opening + 2, line, end_tag=True)
        return None, _past(text, ">", opening + 2)
    if after == "!":
        return None, _past_comment(text, opening)
    if after == "?":
        return None, _past(text, ">", opening + 2)
    return (Token("", line, text="<") if after else None), opening + 1


def _past(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)


def _past_comment(text: str, opening: int) -> int:
    if not text.startswith("<!--", opening):
        return _past(text, ">", opening + 2)  # a doctype or a bogus comment
    for short in ("<!-->", "<!--->"):  # both are empty comments
        if text.startswith(short, opening):
            return opening + len(short)
    end = _COMMENT_END.search(text, opening + 4)
    return end.end() if end else len(text)


def _tag(text: str, start: int, line: int, *, end_tag: bool) -> tuple[Token | None, int]:
    name = _TAG_NAME.match(text, start)
    position = name.end() if name else start
    tag = text[start:position].lower()
    if text.startswith(">", position):  # no attributes: most end tags and many start tags
        return Token(tag, line, None if end_tag else {}), position + 1
    attributes: dict[str, str] = {}
    size = len(text)
    while True:
        position = _end_of(_BETWEEN, text, position)
        if position >= size:
            return None, size  # the page ends inside a tag: it never was one
        if text[position] == ">":
            return Token(tag, line, None if end_tag else attributes), position + 1
        stop = _end_of(_ATTRIBUTE_NAME, text, position)
        key, position = text[position:stop].lower(), stop
        equals = _EQUALS.match(text, position)
        value = ""
        if equals:
            position = equals.end()
            quote = text[position : position + 1]
            if quote in ('"', "'"):
                stop = text.find(quote, position + 1)
                if stop < 0:
                    return None, size
                value, position = text[position + 1 : stop], stop + 1
            else:
                stop = _end_of(_UNQUOTED, text, position)
                value, position = text[position:stop], stop
        attributes.setdefault(key, resolve_references(value))


_LEADING_ZEROS = re.compile(r"&#0+(?=[0-9])")
_BEYOND_UNICODE = re.compile(r"&#[0-9]{8,};?")


def resolve_references(text: str) -> str:
    """Resolve character references; the library alone raises on a number of thousands of digits."""
    if "&" not in text:
        return text
    return unescape(_BEYOND_UNICODE.sub("\ufffd", _LEADING_ZEROS.sub("&#", text)))


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
