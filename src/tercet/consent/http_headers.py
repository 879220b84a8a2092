"""HTTP response headers as values: from raw ``Name: value`` lines or from a JSON object.

Source: RFC 9110 section 5 (field syntax), RFC 9112 section 5 (lines, obsolete folding). The
reader is lenient as a recipient must be: a repeated field is kept twice, in order, because
permission headers are allowed to repeat and the last one must not hide the first.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tercet.core.limits import HEADERS_BYTES_MAX

# RFC 9110 section 5.6.2 token; a leading colon lets HTTP/2 pseudo-fields such as :status through.
_NAME = re.compile(r":?[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_STATUS = re.compile(r"HTTP/[0-9.]{1,4} ([0-9]{3})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Header:
    """One field line: name in lower case, value trimmed, and where it stands in the raw bytes.

    ``line`` counts from 1; bytes are the half-open range [byte_start, byte_end), without the
    line end. A JSON object has no lines: ``line`` is 0 and the range covers all of it.
    """

    name_lower: str
    value: str
    line: int
    byte_start: int
    byte_end: int


def parse_headers(raw: bytes) -> tuple[Header, ...]:
    """Return the header fields in ``raw`` in order, duplicates kept. Total: never raises.

    Takes lines ended by LF or CRLF, with a status line or without, and obsolete folding; or a
    JSON object ``{"Name": "value" or ["value", ...]}``, or a JSON array of pairs. Lines that are
    no field are skipped; only the first HEADERS_BYTES_MAX bytes are read (see `headers_fault`).
    """
    return _read(raw)[0]


def headers_fault(raw: bytes) -> str:
    """Return why ``raw`` cannot be read in full, or "": a denial may stand in the unread part."""
    return _read(raw)[1]


def header_values(headers: tuple[Header, ...], name: str) -> tuple[str, ...]:
    """Return the values of every field called ``name`` (any case), in order."""
    wanted = name.lower()
    return tuple(header.value for header in headers if header.name_lower == wanted)


def status_code(raw: bytes) -> int:
    """Return the status of a leading status line or a ``:status`` field, or 0."""
    match = _STATUS.match(raw[:32].decode("latin-1"))
    if match:
        return int(match[1])
    digits = next(iter(header_values(parse_headers(raw), ":status")), "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 3 else 0


def _read(raw: bytes) -> tuple[tuple[Header, ...], str]:
    if raw[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _read_json(raw)
    fault = "header block too large" if len(raw) > HEADERS_BYTES_MAX else ""
    return _read_lines(raw[:HEADERS_BYTES_MAX]), fault


def _text(raw: bytes) -> str:
    """Decode a field value: UTF-8 where it is, else ISO-8859-1 (RFC 9110 section 5.5)."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _clean(value: str) -> str:
    # RFC 9110 section 5.5: CR and NUL inside a value are replaced by a space.
    return value.replace("\r", " ").replace("\x00", " ").strip(" \t\n")


def _read_lines(raw: bytes) -> tuple[Header, ...]:
    found: list[tuple[str, list[str], int, int, int]] = []
    start = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    position = 0
    for number, line in enumerate(raw.split(b"\n"), 1):
        begin, position = max(position, start), position + len(line) + 1
        text = _text(line[start:] if number == 1 else line).rstrip("\r")
        end = position - 1 - line.endswith(b"\r")
        if text[:1] in (" ", "\t"):  # obsolete folding: the line continues the field above
            if found and text.strip():
                name, parts, first, opening, _ = found[-1]
                parts.append(text)
                found[-1] = (name, parts, first, opening, end)
            continue
        name, colon, value = text.partition(":")
        if not name and colon:  # an HTTP/2 pseudo-field such as ":status: 402"
            name, colon, value = value.partition(":")
            name = f":{name}"
        # RFC 9112 section 5.1 forbids a space before the colon; a denial written so still counts.
        name = name.strip(" \t\x00").lower()
        if colon and _NAME.match(name):
            found.append((name, [value], number, begin, end))
    return tuple(
        Header(name, " ".join(filter(None, map(_clean, parts))), line, begin, end)
        for name, parts, line, begin, end in found
    )


def _read_json(raw: bytes) -> tuple[tuple[Header, ...], str]:
    if len(raw) > HEADERS_BYTES_MAX:
        return (), "header block too large"
    try:
        pairs = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return (), "headers are neither lines nor JSON"
    if not isinstance(pairs, _Pairs):  # an array of [name, value] pairs, as HTTP clients keep them
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            return (), "headers in JSON are not an object"
        pairs = _Pairs(pairs)
    headers: list[Header] = []
    fault = ""
    for name, value in pairs:
        values = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
        for one in values:
            if isinstance(name, str) and isinstance(one, str | int | float):
                text = _clean(str(one))
                headers.append(Header(name.strip().lower(), text, 0, 0, len(raw)))
            elif one is not None:
                fault = "a header in JSON is not text"
    return tuple(headers), fault


class _Pairs(list[tuple[object, object]]):
    """A JSON object as pairs in order: a repeated name is kept."""
