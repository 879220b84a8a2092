"""What differs between two terms, field by field: between an offer and the counter-offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tercet.consent.licences.terms_schema import json_value
from tercet.core.terms import Terms

_ORDERED = frozenset({"law.steps", "notes"})  # lists whose order says something


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs, with both values as JSON has them.

    Of lists that stand for sets only what they hold counts; ``added`` and ``removed`` tell it.
    """

    path: str
    before: object
    after: object

    @property
    def added(self) -> tuple[object, ...]:
        """Return what a list holds only after."""
        return _beyond(self.after, self.before)

    @property
    def removed(self) -> tuple[object, ...]:
        """Return what a list held only before."""
        return _beyond(self.before, self.after)


def differences(before: Terms, after: Terms) -> tuple[Difference, ...]:
    """Return the fields in which two terms differ, in the order of the schema."""
    return tuple(_differing(json_value(before), json_value(after), ""))


def _differing(before: object, after: object, path: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:  # both have every member of the same record
            inner = f"{path}.{name}" if path else name
            yield from _differing(before[name], after[name], inner)
    elif before != after and not _same_set(before, after, path):
        yield Difference(path, before, after)


def _same_set(before: object, after: object, path: str) -> bool:
    if path in _ORDERED or not (isinstance(before, list) and isinstance(after, list)):
        return False
    return len(before) == len(after) and set(before) == set(after)


def _beyond(these: object, those: object) -> tuple[object, ...]:
    if not (isinstance(these, list) and isinstance(those, list)):
        return ()
    known = set(those)
    return tuple(value for value in these if value not in known)
