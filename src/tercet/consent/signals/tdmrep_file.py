"""The file ``/.well-known/tdmrep.json`` as rules in order, malformed ones read on the denying side.

Source: TDMRep 2024-05-10 section 4.1 (an array of objects with ``location``, ``tdm-reservation``
and an optional ``tdm-policy``; the brackets are mandatory; patterns as in robots.txt).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import urlsplit

from tercet.consent.plain_text import clean, pattern_text
from tercet.core.limits import DECLARATIONS_MAX, TEXT_FILE_BYTES_MAX

_FLAT_OBJECT = re.compile(r"\{[^{}]*+\}")
_RESERVATION = re.compile(r"[\"']tdm[-_:]reservation[\"']", re.IGNORECASE)
_DENYING = ("1", "1.0", "true")
_DEPTH_MAX = 6  # arrays and objects around a rule that are looked into


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a robots pattern (None: every path), reserved or not, and its policy's URL.

    ``line`` counts from 1; 0 where it could not be told.
    """

    pattern: str | None
    reserved: bool
    policy: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in order. With a ``fault`` the file is malformed: only its denials count."""

    rules: tuple[Rule, ...]
    fault: str = ""


class _Object(list[tuple[str, object]]):
    """A JSON object as its members in order: a repeated name is kept."""


def read_rules(raw: bytes) -> Rules | None:
    """Return the rules of a tdmrep.json, or None for an HTML page served in its place. Total."""
    if len(raw) > TEXT_FILE_BYTES_MAX:
        return Rules((), "larger than the limit")
    text = _decoded(raw)
    if text.lstrip()[:1] == "<":
        return None
    try:
        value = json.loads(text, object_pairs_hook=_Object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "not JSON"
        return Rules(tuple(_salvaged(text)), reason)
    return _read(value, _lines(text))


def _lines(text: str) -> list[int]:
    """Return the lines of the reservations in ``text``, in order."""
    lines: list[int] = []
    line, position = 1, 0
    for match in islice(_RESERVATION.finditer(text), DECLARATIONS_MAX):
        line += text.count("\n", position, match.start())
        position = match.start()
        lines.append(line)
    return lines


def _decoded(raw: bytes) -> str:
    encoding = json.detect_encoding(raw)
    return raw.decode(encoding, "replace").removeprefix("\ufeff")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 else digits


def _salvaged(text: str) -> Iterator[Rule]:
    """Yield the denials of every flat object in a text that is not JSON as a whole."""
    line, position = 1, 0
    for match in islice(_FLAT_OBJECT.finditer(text), DECLARATIONS_MAX):
        line += text.count("\n", position, match.start())
        position = match.start()
        try:
            value = json.loads(match[0], object_pairs_hook=_Object, parse_int=_integer)
        except (ValueError, RecursionError):
            value = _by_hand(match[0])
        found = _read([value], [line])
        yield from (rule for rule in found.rules if rule.reserved)


_BY_HAND = re.compile(
    r"['\"]?(location|tdm-reservation|tdm-policy)['\"]?\s*[:=]\s*['\"]?([^'\",}\s]+)"
)


def _by_hand(text: str) -> _Object:
    """Read the members of an object that is not JSON: single quotes, a comma too many."""
    return _Object((match[1], match[2]) for match in _BY_HAND.finditer(text))


def _read(value: object, lines: list[int]) -> Rules:
    members, fault = _members(value)
    rules: list[Rule] = []
    # One reservation a member, or the lines cannot be told apart.
    lines = lines if len(lines) == len(members) else []
    for index, member in enumerate(members[:DECLARATIONS_MAX]):
        found, wrong = _rules(member)
        line = lines[index] if lines else 0
        rules.extend(replace(rule, line=line) for rule in found)
        fault = fault or wrong
    if len(members) > DECLARATIONS_MAX:
        fault = fault or "more rules than the limit"
    return Rules(tuple(rules), fault)


def _members(value: object) -> tuple[list[object], str]:
    """Return the rules of a file; where the array is missing or nested, those found inside."""
    if isinstance(value, list) and not isinstance(value, _Object):
        if not any(type(member) is list for member in value):
            return value, ""
        return list(_objects(value, _DEPTH_MAX)), "rules in nested arrays"
    # Section 4.1: the brackets are mandatory even for one rule.
    return list(_objects(value, _DEPTH_MAX)), "not an array of rules"


def _objects(value: object, depth: int) -> Iterator[object]:
    """Yield the objects with a reservation anywhere in ``value``, down to ``depth``."""
    if _reservation(value):
        yield value
    inner = [one for _, one in value] if isinstance(value, _Object) else value
    if isinstance(inner, list) and depth:
        for one in inner:
            yield from _objects(one, depth - 1)


def _reservation(member: object) -> list[object]:
    if not isinstance(member, _Object):
        return []
    return [value for name, value in member if _name(name) == "tdm-reservation"]


def _name(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(":", "-")


def _rules(member: object) -> tuple[list[Rule], str]:
    """Return the rules one member makes, and what is wrong with it."""
    values = _reservation(member)
    if not isinstance(member, _Object) or not values:
        return [], "a rule without tdm-reservation"
    locations = [value for name, value in member if _name(name) == "location"]
    policies = [value for name, value in member if _name(name) == "tdm-policy"]
    policy = next((clean(one) for one in policies if isinstance(one, str) and one.strip()), "")
    patterns, wrong = _patterns(locations)
    if any(_denies(value) for value in values):
        if len(values) > 1 or not _is_integer(values[0], 1):
            wrong = wrong or "tdm-reservation is not the number 1"
        return [Rule(pattern, True, policy) for pattern in patterns], wrong
    if all(_is_integer(value, 0) for value in values):
        return ([] if wrong else [Rule(pattern, False, policy) for pattern in patterns]), wrong
    return [], "tdm-reservation is neither 1 nor 0"


def _denies(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _DENYING
    return isinstance(value, int | float) and value == 1  # true counts as 1


def _is_integer(value: object, number: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == number


def _patterns(locations: list[object]) -> tuple[list[str | None], str]:
    """Return the patterns of a rule; where they cannot be read, it covers every path."""
    if len(locations) != 1:
        return [None], "a rule needs one location"
    given = locations[0]
    if isinstance(given, list) and not isinstance(given, _Object):
        texts = [one for one in given if isinstance(one, str)]
        if len(texts) == len(given) and texts:
            return [_pattern(one)[0] for one in texts[:100]], "location is a list"
    if not isinstance(given, str):
        return [None], "location is not text"
    pattern, wrong = _pattern(given)
    return [pattern], wrong


def _pattern(location: str) -> tuple[str | None, str]:
    text = location.strip()
    if text.startswith(("/", "*")) and not text.startswith("//"):
        return pattern_text(text), ""
    if text.lower().startswith(("http://", "https://", "//")):
        try:
            parts = urlsplit(text)
        except ValueError:
            return None, "location cannot be read"
        query = f"?{parts.query}" if parts.query else ""
        return pattern_text(f"{parts.path or '/'}{query}"), "location is not a path"
    if not text:
        return None, "location is empty"
    return pattern_text(f"/{text}"), "location does not begin with a slash"
