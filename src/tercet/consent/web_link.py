"""The Link header field: targets with their relations and media types.

Source: RFC 8288 section 3, read as leniently as its appendix B.2: parameters may be quoted or
bare, commas and semicolons inside quotes or angle brackets separate nothing, and a broken member
never hides the next one. One pass from left to right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(
    r'[\s;]*([^\s;,=<>"]+)\s*(=\s*("(?:[^"\\]|\\.)*"?|[^\s;,"<>]*))?', re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class WebLink:
    """One link: ``rel`` tokens and ``media_type`` in lower case, ``target`` as written.

    ``anchor`` is what the link speaks of when that is not the resource itself (section 3.2).
    """

    target: str
    rel: tuple[str, ...]
    media_type: str
    anchor: str = ""


def parse_links(value: str) -> tuple[WebLink, ...]:
    """Return the links of one Link field value. Total: what cannot be read is skipped."""
    return tuple(_links(value))


def _links(value: str) -> Iterator[WebLink]:
    position = 0
    while (found := _TARGET.search(value, position)) is not None:
        parameters: dict[str, str] = {}
        position = found.end()
        while (match := _PARAMETER.match(value, position)) is not None:
            name, given = match[1].lower(), _unquoted(match[3] or "")
            parameters.setdefault(name, given)  # RFC 8288 section 3.3: the first rel counts
            position = match.end()
        media_type = parameters.get("type", "").partition(";")[0].strip().lower()
        yield WebLink(
            found[1].strip(), tuple(parameters.get("rel", "").lower().split()), media_type,
            parameters.get("anchor", ""),
        )  # fmt: skip


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(r"\1", text[1:].removesuffix('"'))
