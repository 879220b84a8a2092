"""Fields of a document that came from outside, read strictly: closed, typed, each with its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from tercet.core.errors import InputError

Value = TypeVar("Value")
Kind = TypeVar("Kind", bound=StrEnum)

SHA256 = re.compile(r"[0-9a-f]{64}")
PARTY_ID = re.compile(r"urn:tercet:party:[0-9a-f]{16}")
DOCUMENT_ID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class DocumentError(InputError):
    """A document is not what it says it is; the message names the field."""

    code = "bad-document"


class ClosedFields:
    """One JSON object that may have the named fields and no others.

    ``where`` is its path in words of people ("mandate", "mandate.member"). Each method returns one
    field or raises DocumentError; JSON's ``true`` is no number.
    """

    __slots__ = ("_fields", "where")

    def __init__(self, value: object, where: str, names: Iterable[str]) -> None:
        if not isinstance(value, Mapping):
            raise DocumentError(f"expected an object at {where}, got {_shown(value)}")
        expected, got = set(names), set(value)
        if unknown := sorted(map(str, got - expected)):
            raise DocumentError(f"{where}.{unknown[0][:80]} is no field that is known")
        if lacking := sorted(expected - got):
            raise DocumentError(f"{where}.{lacking[0]} is not there")
        self._fields: Mapping[str, Any] = value
        self.where = where

    def raw(self, name: str) -> Any:
        """Return a field as it is, for somebody else to read."""
        return self._fields[name]

    def text(self, name: str, characters_max: int, *, required: bool = False) -> str:
        """Return a text of at most so many characters."""
        value = self._fields[name]
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        if len(value) > characters_max:
            raise self.wrong(name, f"at most {characters_max:,} characters")
        if required and not value.strip():
            raise self.wrong(name, "a text that is not empty")
        return value

    def matching(
        self, name: str, pattern: re.Pattern[str], what: str, *, empty: bool = False
    ) -> str:
        """Return a text that matches a pattern as a whole, or is empty where that is allowed."""
        value = self._fields[name]
        is_good = isinstance(value, str) and (pattern.fullmatch(value) or (empty and not value))
        if not is_good:
            raise self.wrong(name, what)
        return str(value)

    def constant(self, name: str, expected: str) -> None:
        """Make sure that a field says what it must."""
        if self._fields[name] != expected or not isinstance(self._fields[name], str):
            raise self.wrong(name, f'"{expected}"')

    def integer(self, name: str, least: int, most: int) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value = self._fields[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"a whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._fields[name]
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def time(self, name: str) -> str:
        """Return an RFC 3339 time in UTC with whole seconds: 2026-11-22T10:00:00Z."""
        value = self._fields[name]
        if not is_time(value):
            raise self.wrong(name, "a time such as 2026-11-22T10:00:00Z")
        return str(value)

    def day(self, name: str, *, empty: bool = False) -> str:
        """Return an RFC 3339 date, or "" where that is allowed."""
        value = self._fields[name]
        if not (is_day(value) or (empty and value == "")):
            raise self.wrong(name, "a date such as 2026-11-22")
        return str(value)

    def choice(self, name: str, kinds: type[Kind]) -> Kind:
        """Return one of a closed set of words."""
        return kind_in(kinds)(self._fields[name], f"{self.where}.{name}")

    def items(
        self, name: str, read: Callable[[object, str], Value], most: int
    ) -> tuple[Value, ...]:
        """Return a list of at most ``most`` values, each read by ``read(value, where)``."""
        value = self._fields[name]
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list")
        if len(value) > most:
            raise DocumentError(
                f"{self.where}.{name} has {len(value):,} entries, at most {most:,} are allowed"
            )
        return tuple(read(each, f"{self.where}.{name}[{at}]") for at, each in enumerate(value))

    def wrong(self, name: str, expected: str) -> DocumentError:
        """Return the error that a field is not what was expected."""
        return DocumentError(
            f"expected {expected} at {self.where}.{name}, got {_shown(self._fields[name])}"
        )


def text_matching(pattern: re.Pattern[str], what: str) -> Callable[[object, str], str]:
    """Return a reader for the entries of a list of texts."""

    def read(value: object, where: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise DocumentError(f"expected {what} at {where}, got {_shown(value)}")
        return value

    return read


def kind_in(kinds: type[Kind]) -> Callable[[object, str], Kind]:
    """Return a reader for the entries of a list of words of a closed set."""

    def read(value: object, where: str) -> Kind:
        if not isinstance(value, str) or value not in set(kinds):
            raise DocumentError(
                f"expected one of {', '.join(kinds)} at {where}, got {_shown(value)}"
            )
        return kinds(value)

    return read


def is_time(value: object) -> bool:
    """Say whether a value is an RFC 3339 time in UTC with whole seconds."""
    if not isinstance(value, str) or len(value) != 20 or not value.isascii():
        return False
    try:
        return datetime.strptime(value, _TIME).strftime(_TIME) == value  # noqa: DTZ007 (it is UTC)
    except ValueError:
        return False


def is_day(value: object) -> bool:
    """Say whether a value is an RFC 3339 full date."""
    if not isinstance(value, str) or len(value) != 10 or not value.isascii():
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _shown(value: object) -> str:
    kinds = {bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
    if type(value) in kinds:
        return kinds[type(value)]
    return repr(value)[:80]
