"""PDF objects: a bounded reader for dictionaries, strings and names. No streams, no rendering.

Source: ISO 32000-2 section 7.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEPTH_MAX = 32
TOKENS_MAX = 20_000
STRING_BYTES_MAX = 64 * 1024

_SPACE = b"\x00\t\n\x0c\r "
_DELIMITERS = b"()<>[]{}/%"
_REGULAR = re.compile(rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]{1,255}")
_REFERENCE = re.compile(
    rb"(\d{1,10})[\x00\t\n\x0c\r ]{1,16}(\d{1,5})[\x00\t\n\x0c\r ]{1,16}R(?![A-Za-z])"
)
_INTEGER = re.compile(rb"[+-]?\d{1,15}\Z")
_ESCAPES = {110: 10, 114: 13, 116: 9, 98: 8, 102: 12}  # n r t b f


@dataclass(frozen=True, slots=True)
class Reference:
    """An indirect reference, by object number."""

    number: int


@dataclass(frozen=True, slots=True)
class PdfName:
    """A name without its slash."""

    text: str


class BrokenObjectError(ValueError):
    """The bytes are no object, or one beyond the limits."""


class ObjectReader:
    """Reads one object at a time; ``at`` is where it stopped."""

    def __init__(self, raw: bytes, at: int) -> None:
        self.raw = raw
        self.at = at
        self.tokens_left = TOKENS_MAX

    def read(self, depth: int = 0) -> object:
        """Return the object at the cursor. Raises BrokenObjectError."""
        self._skip()
        self.tokens_left -= 1
        if depth > DEPTH_MAX or self.tokens_left < 0 or self.at >= len(self.raw):
            raise BrokenObjectError("object beyond the limits or the bytes")
        two, one = self.raw[self.at : self.at + 2], self.raw[self.at : self.at + 1]
        if two == b"<<":
            self.at += 2
            return self._dictionary(depth)
        if one == b"[":
            self.at += 1
            return self._array(depth)
        if one == b"(":
            return self._literal()
        if one == b"<":
            return self._hexadecimal()
        if one == b"/":
            return self._name()
        return self._word()

    def _skip(self) -> None:
        raw = self.raw
        while self.at < len(raw):
            if raw[self.at] in _SPACE:
                self.at += 1
            elif raw[self.at] == 0x25:  # a comment
                ends = [e for e in (raw.find(b"\n", self.at), raw.find(b"\r", self.at)) if e > 0]
                self.at = min(ends) if ends else len(raw)
            else:
                return

    def _ends(self, mark: bytes) -> bool:
        self._skip()
        if self.raw.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _dictionary(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while not self._ends(b">>"):
            key = self.read(depth + 1)
            if not isinstance(key, PdfName):
                raise BrokenObjectError("a dictionary key is no name")
            found[key.text] = self.read(depth + 1)
        return found

    def _array(self, depth: int) -> list[object]:
        found: list[object] = []
        while not self._ends(b"]"):
            found.append(self.read(depth + 1))
        return found

    def _name(self) -> PdfName:
        match = _REGULAR.match(self.raw, self.at + 1)
        text = match.group() if match else b""
        self.at += 1 + len(text)
        plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), text)
        return PdfName(plain.decode("utf-8", "replace"))

    def _word(self) -> object:
        match = _REFERENCE.match(self.raw, self.at)
        if match:
            self.at = match.end()
            return Reference(int(match.group(1)))
        word = _REGULAR.match(self.raw, self.at)
        if word is None:
            raise BrokenObjectError("no object where one was expected")
        self.at = word.end()
        text = word.group()
        if text in (b"true", b"false"):
            return text == b"true"
        return int(text) if _INTEGER.match(text) else None

    def _hexadecimal(self) -> bytes:
        end = self.raw.find(b">", self.at, self.at + 2 * STRING_BYTES_MAX)
        if end < 0:
            raise BrokenObjectError("a string without its end")
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", self.raw[self.at + 1 : end])
        self.at = end + 1
        return bytes.fromhex((digits + b"0" * (len(digits) & 1)).decode("ascii"))

    def _literal(self) -> bytes:
        raw, at, depth = self.raw, self.at + 1, 1
        out = bytearray()
        stop = min(len(raw), at + STRING_BYTES_MAX)
        while at < stop:
            byte = raw[at]
            at += 1
            if byte == 0x5C:  # backslash
                at = _escaped(raw, at, out)
                continue
            depth += (byte == 0x28) - (byte == 0x29)
            if depth == 0:
                self.at = at
                return bytes(out)
            out.append(byte)
        raise BrokenObjectError("a string without its end")


def _escaped(raw: bytes, at: int, out: bytearray) -> int:
    """Append the character an escape stands for; return the place behind it."""
    octal = re.compile(rb"[0-7]{1,3}").match(raw, at)
    if octal:
        out.append(int(octal.group(), 8) & 0xFF)
        return octal.end()
    byte = raw[at] if at < len(raw) else 0x0A
    if byte not in b"\r\n":  # a backslash at a line's end joins the lines
        out.append(_ESCAPES.get(byte, byte))
    return at + 1


def text(value: object) -> str:
    """Return a text string (UTF-16, UTF-8 or near enough Latin-1) or a name as text."""
    if isinstance(value, PdfName):
        return value.text
    if not isinstance(value, bytes):
        return ""
    if value[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return value.decode("utf-16", "replace")
    if value[:3] == b"\xef\xbb\xbf":
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")
