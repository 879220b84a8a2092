"""Canonical JSON (RFC 8785) for every durable document."""

from __future__ import annotations

import json

from tercet.core.errors import InputError

SAFE_INTEGER_MAX = 2**53 - 1  # RFC 8785 section 3.2.2.3 by way of RFC 7493: IEEE 754 doubles


def canonical_json(value: object) -> bytes:
    """Return ``value`` as RFC 8785 bytes.

    Accepts None, bool, int within 53 bits, str, list, tuple and dict with str keys. Floats are
    refused: no document of ours needs them, and money must not have them.

    Raises InputError for anything else.
    """
    _check(value, "$")
    text = json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _check(value: object, where: str) -> None:
    if value is None or isinstance(value, bool | str):
        is_plain = not isinstance(value, str) or value.isascii()
        if not is_plain and any(0xD800 <= ord(c) <= 0xDFFF for c in str(value)):
            raise InputError(f"lone surrogate in a string at {where}")
        return
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER_MAX:
            raise InputError(f"integer beyond 53 bits at {where}: {value}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"expected a text key at {where}, got {key!r}")
            _check(key, where)
            _check(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{where}[{index}]")
    else:
        raise InputError(f"cannot write a {type(value).__name__} as canonical JSON at {where}")


def _sorted(value: object) -> object:
    """Sort keys by UTF-16 code units, as RFC 8785 section 3.2.3 demands."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _sorted(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
