"""JSON-LD data blocks of a page as plain nodes, without any network: contexts are not fetched.

Source: JSON-LD 1.1 (W3C, 2020-07-16) as schema.org uses it. Terms are told apart by their last
part, so ``license``, ``schema:license`` and ``https://schema.org/license`` are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tercet.consent.html_page import Page
from tercet.core.limits import JSON_DEPTH_MAX

NODES_MAX = 5_000  # nodes read from one page
VALUES_MAX = 64  # texts read from one property
_WRAPPINGS_MAX = 3  # comments and CDATA marks around a block, one in another
_LINKS_FIRST = ("@id", "url", "@value", "name")
_NAMES_FIRST = ("name", "legalName", "@value", "@id", "url")


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON-LD object. ``outer`` nodes stand at the top, in ``@graph`` or as main entity.

    ``values`` maps a term to what stands there; ``line`` is that of the script element.
    """

    types: tuple[str, ...]
    values: dict[str, object]
    outer: bool
    line: int

    def texts(self, term: str) -> tuple[str, ...]:
        """Return the texts of a property: strings, and the URL or name of objects."""
        return tuple(_texts(self.values.get(term), _LINKS_FIRST))

    def names(self, term: str) -> tuple[str, ...]:
        """Return the texts of a property that names people or bodies: names before URLs."""
        return tuple(_texts(self.values.get(term), _NAMES_FIRST))


def nodes(page: Page) -> tuple[Node, ...]:
    """Return the nodes of every application/ld+json block of ``page``, outer ones first. Total.

    A block that is no JSON gives nothing: what cannot be read grants nothing.
    """
    found: list[Node] = []
    for script in page.scripts:
        if script.media_type == "application/ld+json":
            value = _parse(script.text)
            found += _walk(value, script.line, NODES_MAX - len(found))
    return tuple(sorted(found, key=lambda node: not node.outer))


def _parse(text: str) -> object:
    try:
        return json.loads(_unwrapped(text), strict=False)
    except (ValueError, RecursionError):
        return None


def _unwrapped(text: str) -> str:
    """Return ``text`` without the marks that once hid scripts from old readers."""
    rest = text.strip()
    for _ in range(_WRAPPINGS_MAX):
        bare = rest.removeprefix("//").lstrip()
        if bare.startswith(("<![CDATA[", "<!--")):
            rest = bare.removeprefix("<![CDATA[").removeprefix("<!--").lstrip()
        if rest.endswith(("]]>", "-->")):
            rest = rest[:-3].rstrip().removesuffix("//").rstrip()
    return rest


def _walk(value: object, line: int, budget: int) -> list[Node]:
    found: list[Node] = []
    waiting: list[tuple[object, bool, int]] = [(value, True, 0)]
    while waiting and len(found) < budget:
        one, outer, depth = waiting.pop()
        if depth > JSON_DEPTH_MAX:
            continue
        if isinstance(one, list):
            waiting += [(item, outer, depth + 1) for item in reversed(one)]
        elif isinstance(one, dict):
            values = {_term(key): inner for key, inner in one.items()}
            types = tuple(_term(text) for text in _texts(values.get("@type"), _LINKS_FIRST))
            found.append(Node(types, values, outer, line))
            for key, inner in reversed(values.items()):
                if isinstance(inner, dict | list):
                    waiting.append((inner, outer and key in ("@graph", "mainEntity"), depth + 1))
    return found


def _term(name: str) -> str:
    """Return the last part of a compact or full name; keywords such as @type stay whole."""
    return re.split(r"[:/#]", name.rstrip("/#"))[-1] if name else name


def _texts(value: object, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield at most VALUES_MAX texts of ``value``."""
    waiting: list[object] = [value]
    left = VALUES_MAX * 4
    while waiting and left:
        left -= 1
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, bool):
            yield "true" if one else "false"
        elif isinstance(one, int):
            yield str(one) if abs(one) < 10**15 else ""
        elif isinstance(one, list):
            waiting += one[VALUES_MAX::-1]
        elif isinstance(one, dict):
            named = (one[key] for key in keys if isinstance(one.get(key), str))
            yield next(named, "")
