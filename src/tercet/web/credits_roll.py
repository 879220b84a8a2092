"""A video's credits as the page shows them: by owner, the largest share first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tercet.core.credit import WHOLE_PARTS
from tercet.web.contexts import CreditsRoll, OwnerLine, WorkLine

FIRST_MAX = 8
REST_MAX = 192
WORKS_MAX = 12  # of one owner
_TEXT_CHARACTERS_MAX = 200  # of a title or a name that strangers wrote
_METHODS = {
    "exact": "Each share is counted: the pixels of the owner's works in the pictures.",
    "equal": "Every work that the model learned from counts alike; nothing was measured.",
}
_NOBODY = "Nobody knows which works this engine learned from, so nobody can be credited."


def credits_roll(document: Mapping[str, Any], url: str) -> CreditsRoll:
    """Return the roll of a credits document (`tercet/credits@1`), whose full list is at ``url``."""
    listed = document["credits"]
    by_owner: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for credit in listed:
        by_owner[credit["owner"]].append(credit)
    lines = sorted(
        (_owner_line(owner, theirs) for owner, theirs in by_owner.items()),
        key=lambda line: (-line.share_parts, line.owner),
    )
    shown = lines[: FIRST_MAX + REST_MAX]
    return CreditsRoll(
        first=tuple(shown[:FIRST_MAX]),
        rest=tuple(shown[FIRST_MAX:]),
        left_out=len(lines) - len(shown),
        owner_count=len(lines),
        work_count=len(listed),
        method=_method({credit["method"] for credit in listed}),
        url=url,
    )


def share_text(parts: int) -> str:
    """Return a share of a million parts in per cent: `41 %`, `0.7 %`, `below 0.1 %`."""
    percent = 100 * parts / WHOLE_PARTS
    if 0 < percent < 0.1:
        return "below 0.1 %"
    return f"{percent:.1f} %" if percent % 1 else f"{percent:.0f} %"


def _owner_line(owner: str, listed: Sequence[Mapping[str, Any]]) -> OwnerLine:
    parts = sum(credit["share_parts"] for credit in listed)
    largest = sorted(listed, key=lambda credit: (-credit["share_parts"], credit["title"]))
    works = tuple(
        WorkLine(_cut(credit["title"]) or "untitled", _cut(credit["licence"]), credit["work"])
        for credit in largest[:WORKS_MAX]
    )
    return OwnerLine(_cut(owner) or "unnamed", share_text(parts), parts, len(listed), works)


def _method(methods: set[str]) -> str:
    if not methods:
        return _NOBODY
    known = [_METHODS.get(name, f"Shares were found by: {_cut(name)}.") for name in sorted(methods)]
    return " ".join(known)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS_MAX else text[: _TEXT_CHARACTERS_MAX - 1] + "…"
