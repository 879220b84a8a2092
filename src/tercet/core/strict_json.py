"""JSON from strangers, read strictly: one text has one meaning, or it is refused.

After RFC 8259 and RFC 7493 (I-JSON): UTF-8 without a byte order mark, no member named twice, no
lone surrogates. Stricter: no fractions, exponents, NaN or integers beyond 53 bits (no document of
ours needs them), and bounds on bytes and depth that hold before anything is parsed.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tercet.core.canonical import SAFE_INTEGER_MAX, canonical_json
from tercet.core.errors import InputError
from tercet.core.limits import DOCUMENT_BYTES_MAX, JSON_DEPTH_MAX

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # an open one runs to the end
_BRACKET = re.compile(rb"[\[\]{}]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INTEGER_DIGITS_MAX = len(str(SAFE_INTEGER_MAX)) + 1  # with its sign


class JsonError(InputError):
    """Bytes that are no JSON text."""

    code = "json-bad"


class JsonSizeError(JsonError):
    """More bytes than are read."""

    code = "json-too-large"


class JsonDepthError(JsonError):
    """Lists and objects nested more deeply than is read."""

    code = "json-too-deep"


class DuplicateMemberError(JsonError):
    """An object with two members of one name: readers would disagree which of them counts."""

    code = "json-duplicate-member"


class JsonNumberError(JsonError):
    """A number that is no integer within 53 bits."""

    code = "json-number"


class JsonFormError(JsonError):
    """JSON, but not in canonical form (RFC 8785)."""

    code = "json-not-canonical"


def read_json(
    raw: bytes, *, bytes_max: int = DOCUMENT_BYTES_MAX, depth_max: int = JSON_DEPTH_MAX
) -> Any:
    """Return the value of a JSON text of integers, strings, lists and objects.

    Raises JsonError or one of its kinds for everything else. Linear in the bytes.
    """
    if len(raw) > bytes_max:
        raise JsonSizeError(f"expected JSON of at most {bytes_max} bytes, got {len(raw)}")
    _check_depth(raw, depth_max)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError(f"expected JSON in UTF-8, got another byte at {error.start}") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise JsonError(f"expected JSON, got other text: {error}") from error
    if "\\u" in text:  # escapes alone can spell a lone surrogate: UTF-8 cannot
        _check_surrogates(value)
    return value


def read_json_object(
    raw: bytes, *, bytes_max: int = DOCUMENT_BYTES_MAX, depth_max: int = JSON_DEPTH_MAX
) -> dict[str, Any]:
    """Return the members of a JSON object. Raises JsonError or one of its kinds."""
    value = read_json(raw, bytes_max=bytes_max, depth_max=depth_max)
    if not isinstance(value, dict):
        raise JsonError(f"expected a JSON object, got {_kind(value)}")
    return value


def read_canonical_object(
    raw: bytes, *, bytes_max: int = DOCUMENT_BYTES_MAX, depth_max: int = JSON_DEPTH_MAX
) -> dict[str, Any]:
    """Return the members of an object whose bytes are its canonical form (RFC 8785).

    So no byte can be changed without changing what is said. Raises JsonError or one of its kinds.
    """
    value = read_json_object(raw, bytes_max=bytes_max, depth_max=depth_max)
    if canonical_json(value) != raw:
        raise JsonFormError(
            "expected canonical JSON (RFC 8785), got the same in another form",
            hint="no spaces, members sorted, no needless escapes, no newline at the end",
        )
    return value


def _check_depth(raw: bytes, depth_max: int) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > depth_max:
            raise JsonDepthError(f"expected JSON nested at most {depth_max} deep, got more")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise DuplicateMemberError(
            f"expected each member once, got {twice!r} twice",
            hint="readers disagree on which of the two counts, so neither does",
        )
    return members


def _integer(digits: str) -> int:
    if len(digits) <= _INTEGER_DIGITS_MAX and digits != "-0":
        number = int(digits)
        if abs(number) <= SAFE_INTEGER_MAX:
            return number
    return _refuse_number(digits)


def _refuse_number(text: str) -> int:
    raise JsonNumberError(
        f"expected an integer within 53 bits, got {text[:40]}",
        hint="shares are basis points, money is micro-units: whole numbers",
    )


def _check_surrogates(value: object) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise JsonError("expected Unicode text, got a lone surrogate")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_surrogates(name)
            _check_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _check_surrogates(item)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "text", bool: "true or false"}.get(type(value), "a number")
