"""Terms files: TOML as people write it in, checked terms out, errors that point at the line.

The tables and keys are those of ``tercet/terms@1``. What a file does not say has its default, which
grants nothing. Dates are TOML dates or texts. Beside the exact keys stand readable ones, without
their unit and with a text: ``per_minute = "2.50"`` for ``per_minute_micros = 2500000``,
``share = "12.5 %"`` for ``share_basis_points = 1250``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast, get_args, get_type_hints

from tercet.consent.licences.terms_errors import (
    ContradictionError,
    MissingMemberError,
    TermsError,
    TermsFileError,
    WrongTypeError,
)
from tercet.consent.licences.terms_schema import json_value, terms_of
from tercet.core.limits import TEXT_FILE_BYTES_MAX
from tercet.core.money import MICROS
from tercet.core.terms import TERMS_TYPE, PartyName, RepertoireName, Terms

_UNITS = {  # by the end of an exact key: what one whole of the readable key is
    "_micros": (MICROS, 'an amount as a text such as "2.50", with at most six decimals'),
    "_basis_points": (100, 'per cent as a text such as "12.5 %", with at most two decimals'),
    "_per_mille": (10, 'per cent as a text such as "12.5 %", with at most one decimal'),
}
_NEEDED = {  # what a file may leave to the command, and how
    "licensor": "say it under [licensor] or with --licensor; `tercet offer publish` needs none",
    "repertoire": "name the list under [repertoire]; `tercet desk works` tells its SHA-256",
}
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_DOTTED_KEY = re.compile(r"[A-Za-z0-9_.-]+")


def read_terms_toml(
    raw: bytes,
    name: str,
    *,
    licensor: PartyName | None = None,
    repertoire: RepertoireName | None = None,
) -> Terms:
    """Read a terms file; ``name`` is what errors call it.

    ``licensor`` and ``repertoire`` stand in where the file does not say them.

    Raises TermsFileError where it is no TOML, else TermsError with file, line and path.
    """
    text, table = _parsed(raw, name)
    if licensor is not None:
        table.setdefault("licensor", json_value(licensor))
    if repertoire is not None:
        table.setdefault("repertoire", json_value(repertoire))
    try:
        said = {key: value for key, value in table.items() if key != "type"}
        return terms_of({"type": table.get("type", TERMS_TYPE), **_whole(Terms, said, "")})
    except TermsError as error:
        raise error.found_at(f"{name}:{line_of(text, error.path)}") from None


def line_of(text: str, path: str) -> int:
    """Return the line (from 1) where a field stands, or the nearest table around it."""
    lines = _key_lines(text)
    parts = re.sub(r"\[[0-9]+\]", "", path).split(".")
    while parts:
        whole = ".".join(parts)
        for spelled in (whole, _short_key(whole)):
            if spelled in lines:
                return lines[spelled]
        parts.pop()
    return 1


def _parsed(raw: bytes, name: str) -> tuple[str, dict[str, Any]]:
    if len(raw) > TEXT_FILE_BYTES_MAX:
        raise TermsFileError(
            f"{name}: expected at most {TEXT_FILE_BYTES_MAX} bytes, got {len(raw)}"
        )
    try:
        text = raw.decode("utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TermsFileError(
            f"{name}: expected TOML in UTF-8, got another byte at {error.start}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise TermsFileError(f"{name}: not valid TOML: {error}") from None
    except RecursionError:
        raise TermsFileError(f"{name}: expected fewer lists within lists") from None


def _key_lines(text: str) -> dict[str, int]:
    """Return the line of each table and key, by its dotted path."""
    found: dict[str, int] = {}
    table = ""
    for at, line in enumerate(text.split("\n"), 1):
        plain = re.sub(r"[\s\"']", "", line.partition("#")[0])
        key, equals, _ = plain.partition("=")
        if equals and _DOTTED_KEY.fullmatch(key):
            found.setdefault(f"{table}.{key}" if table else key, at)
        elif _DOTTED_KEY.fullmatch(header := plain.strip("[]")) and plain == f"[{header}]":
            table = header
            found.setdefault(table, at)
    return found


def _short_key(key: str) -> str:
    for unit in _UNITS:
        if key.endswith(unit):
            return key.removesuffix(unit)
    return key


def _whole(kind: type[Any], table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return all members of ``kind``: as the table says, else the default; and what is unknown."""
    hints = get_type_hints(kind)
    members: dict[str, Any] = {}
    known: set[str] = set()
    for item in fields(kind):
        short, inner = _short_key(item.name), f"{path}{item.name}"
        known |= {short, item.name}
        if short != item.name and short in table:
            if item.name in table:
                raise ContradictionError(inner, f"{item.name} or {short}", "both")
            members[item.name] = _from_text(item.name, table[short], inner)
        elif item.name in table:
            members[item.name] = _member(hints[item.name], table[item.name], inner)
        else:
            members[item.name] = _default(item, inner)
    return members | {key: value for key, value in table.items() if key not in known}


def _member(hint: Any, value: Any, path: str) -> Any:
    for kind in (hint, *get_args(hint)):
        if is_dataclass(kind) and isinstance(value, dict):
            return _whole(cast("type[Any]", kind), value, f"{path}.")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        key = path.rpartition(".")[2]
        hint_text = f'write {_short_key(key)} = "..." as a text' if _short_key(key) != key else ""
        raise WrongTypeError(path, "no fraction", str(value), hint=hint_text)
    return value


def _default(item: Field[Any], path: str) -> Any:
    if item.default is not MISSING:
        return json_value(item.default)
    if item.default_factory is not MISSING:
        return json_value(item.default_factory())
    raise MissingMemberError(path, "it to be said", "nothing", hint=_NEEDED.get(path, ""))


def _from_text(name: str, value: object, path: str) -> int:
    unit = next(unit for unit in _UNITS if name.endswith(unit))
    one, words = _UNITS[unit]
    text = value if isinstance(value, str) else ""
    if unit != "_micros":
        text, percent, _ = text.partition("%")
        text = text.rstrip() if percent else ""
    amount = Decimal(text) * one if _DECIMAL.fullmatch(text) else Decimal("0.5")
    if amount != amount.to_integral_value():
        raise WrongTypeError(path, words, f"{value!a:.80}")
    return int(amount)
