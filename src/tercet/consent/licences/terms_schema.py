"""Terms as JSON fields and back, strictly; and the JSON Schema, from the same types and rules.

A document says every member, also those that grant nothing, so that one meaning has one text:
``terms_fields(terms_of(fields)) == fields``.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, cast

from tercet.consent.licences.terms_errors import (
    MissingMemberError,
    RepeatedError,
    TooManyError,
    UnknownMemberError,
    UnknownUsageError,
    UnknownValueError,
    WrongTypeError,
)
from tercet.consent.licences.terms_rules import (
    LIST_ITEMS_MAX,
    NumberRule,
    Rule,
    TextRule,
    rule_of,
)
from tercet.consent.licences.terms_validity import check_terms
from tercet.core.terms import TERMS_TYPE, Guards, Terms
from tercet.core.usage import Usage

_JSON_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_Decoder = Callable[[object, str], Any]


def terms_fields(terms: Terms) -> dict[str, Any]:
    """Return terms as the fields of a ``tercet/terms@1`` document, every one of them said."""
    return {"type": TERMS_TYPE, **cast("dict[str, Any]", json_value(terms))}


def terms_of(document: object) -> Terms:
    """Return the terms of the fields of a ``tercet/terms@1`` document.

    Raises TermsError (see terms_errors) for anything that is not exactly such a document.
    """
    members = _members(document, "$")
    if members.get("type") != TERMS_TYPE:
        raise UnknownValueError("type", f'"{TERMS_TYPE}"', _shown(members.get("type")))
    rest = {name: value for name, value in members.items() if name != "type"}
    terms = cast("Terms", _record_decoder(Terms)(rest, ""))
    check_terms(terms)
    return terms


def guards_of(document: object) -> Guards:
    """Return the guards that stand by themselves in a list of duties. Raises as ``terms_of``."""
    guards: Guards = _record_decoder(Guards)(document, "guards")
    return guards


def terms_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``tercet/terms@1``.

    It says the shape of every member. What takes two members to see (an end before its start, an
    amount without a currency), a calendar or Unicode tables is said by ``terms_of`` alone.
    """
    schema = _record_schema(Terms)
    definitions = {kind.__name__: _record_schema(kind) for kind in _records_within(Terms)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tercet:schema:terms@1",
        "title": TERMS_TYPE,
        **schema,
        "required": ["type", *schema["required"]],
        "properties": {"type": {"const": TERMS_TYPE}, **schema["properties"]},
        "$defs": dict(sorted(definitions.items())),
    }


def json_value(value: object) -> object:
    """Return a value of terms (a record, a list, a plain value) as JSON has it."""
    if is_dataclass(value):
        return {item.name: json_value(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [json_value(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def _members(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise WrongTypeError(path or "$", "an object", _shown(value))
    return value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    kind = _JSON_NAMES.get(type(value), type(value).__name__)
    return kind if isinstance(value, list | dict | type(None)) else f"{kind}, {value!a:.80}"


@cache
def _record_decoder(kind: type[Any]) -> _Decoder:
    """Return what makes a ``kind`` of an object that has exactly its members."""
    hints = typing.get_type_hints(kind)
    decoders = {
        item.name: _decoder(hints[item.name], kind.__name__, item.name) for item in fields(kind)
    }

    def decode(value: object, path: str) -> Any:
        members = _members(value, path)
        prefix = f"{path}." if path else ""
        if members.keys() != decoders.keys():
            _refuse_members(members, tuple(decoders), prefix)
        return kind(**{name: decode(members[name], prefix + name) for name, decode in steps})

    steps = tuple(decoders.items())
    return decode


def _refuse_members(members: Mapping[str, object], names: tuple[str, ...], prefix: str) -> None:
    for name in map(str, members):
        if name not in names:
            shown = name if name.isascii() and name.isidentifier() else ascii(name)
            close = difflib.get_close_matches(name[:80], names, n=1, cutoff=0.75)
            hint = f"did you mean {close[0]}?" if close else ""
            expected = "one of " + ", ".join(names)
            raise UnknownMemberError(f"{prefix}{shown:.80}", expected, "this", hint=hint)
    missing = next(name for name in names if name not in members)
    raise MissingMemberError(
        f"{prefix}{missing}", "this member, also where it grants nothing", "no such member"
    )


def _decoder(hint: Any, owner: str, name: str) -> _Decoder:
    if typing.get_origin(hint) is types.UnionType:
        inner = _decoder(typing.get_args(hint)[0], owner, name)
        return lambda value, path: None if value is None else inner(value, path)
    if typing.get_origin(hint) is tuple:
        return _list_decoder(_decoder(typing.get_args(hint)[0], owner, name))
    if is_dataclass(hint):
        return _record_decoder(cast("Any", hint))
    if issubclass(hint, StrEnum):
        return _choice_decoder(hint)
    return _plain_decoder(hint, None if hint is bool else rule_of(owner, name))


def _list_decoder(decode_item: _Decoder) -> _Decoder:
    def decode(value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongTypeError(path, "a list", _shown(value))
        if len(value) > LIST_ITEMS_MAX:
            raise TooManyError(path, f"at most {LIST_ITEMS_MAX} values", str(len(value)))
        items = tuple(decode_item(item, f"{path}[{at}]") for at, item in enumerate(value))
        if len(set(items)) < len(items):
            raise _repeated(items, path)
        return items

    return decode


def _repeated(items: tuple[Any, ...], path: str) -> RepeatedError:
    first = {item: at for at, item in reversed(tuple(enumerate(items)))}
    at, item = next((at, item) for at, item in enumerate(items) if first[item] < at)
    return RepeatedError(f"{path}[{at}]", "each value once", f"{item!s:.80} again")


def _choice_decoder(kind: type[StrEnum]) -> _Decoder:
    values = {str(value): value for value in kind}
    error = UnknownUsageError if kind is Usage else UnknownValueError

    def decode(value: object, path: str) -> StrEnum:
        found = values.get(value) if isinstance(value, str) else None
        if found is None:
            got = f"{value!a:.80}" if isinstance(value, str) else _shown(value)
            raise error(path, "one of " + ", ".join(values), got)
        return found

    return decode


def _plain_decoder(kind: type, rule: Rule | None) -> _Decoder:
    expected = _JSON_NAMES[kind]
    assert rule is None or isinstance(rule, TextRule) == (kind is str), (kind, rule)

    def decode(value: object, path: str) -> object:
        if type(value) is not kind:  # a truth value is an int to isinstance
            raise WrongTypeError(path, expected, _shown(value))
        if rule is not None:
            rule.check(value, path)  # type: ignore[arg-type]
        return value

    return decode


def _records_within(kind: type[Any]) -> list[type[Any]]:
    """Return the record types that ``kind`` holds, at any depth."""
    found: list[type[Any]] = []
    for hint in typing.get_type_hints(kind).values():
        for inner in (hint, *typing.get_args(hint)):
            if isinstance(inner, type) and is_dataclass(inner) and inner not in found:
                found += [inner, *(deeper for deeper in _records_within(inner))]
    return list(dict.fromkeys(found))


def _record_schema(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    names = [item.name for item in fields(kind)]
    return {
        "description": (kind.__doc__ or "").split("\n", 1)[0],
        "type": "object",
        "additionalProperties": False,
        "required": names,
        "properties": {name: _schema(hints[name], kind.__name__, name) for name in names},
    }


def _schema(hint: Any, owner: str, name: str) -> dict[str, Any]:
    if typing.get_origin(hint) is types.UnionType:
        inner = _schema(typing.get_args(hint)[0], owner, name)
        return {"anyOf": [inner, {"type": "null"}]}
    if typing.get_origin(hint) is tuple:
        items = _schema(typing.get_args(hint)[0], owner, name)
        return {
            "type": "array", "items": items, "uniqueItems": True, "maxItems": LIST_ITEMS_MAX,
        }  # fmt: skip
    if is_dataclass(hint):
        return {"$ref": f"#/$defs/{cast('type[Any]', hint).__name__}"}
    if issubclass(hint, StrEnum):
        return {"enum": [str(value) for value in hint]}
    return {"type": "boolean"} if hint is bool else _rule_schema(rule_of(owner, name))


def _rule_schema(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, NumberRule):
        return {"type": "integer", "minimum": 0, "maximum": rule.maximum}
    if rule.known is not None:
        return {"enum": [*([""] if rule.optional else []), *sorted(rule.known)]}
    pattern = f"(?:{rule.pattern})?" if rule.optional else f"(?:{rule.pattern})"
    return {"type": "string", "maxLength": rule.characters_max, "pattern": f"^{pattern}$"}
