"""What another format has no words for: told with every export and import, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tercet.core.errors import InputError
from tercet.core.terms import Terms


class FormatError(InputError):
    """A document of another format that cannot be read as terms, or terms it cannot hold."""

    code = "bad-licence-format"


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Something that got lost. ``path`` is a field of terms, or the name the other format has.

    ``words`` tell what became of it.
    """

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Imported:
    """Terms read from another format, and what they do not say of it.

    Fields the other format is silent about have their defaults, which grant nothing; where a limit
    cannot be said, what it limits is not granted.
    """

    terms: Terms
    unsaid: tuple[Unsaid, ...] = ()


def unsaid_of(
    terms: Terms, binding: Mapping[str, str], optional: Mapping[str, str]
) -> tuple[Unsaid, ...]:
    """Return what a format lacks: ``binding`` fields always, ``optional`` ones where they speak.

    Both give words by path. Defaults bind in the first (no copies are kept), in the second they say
    nothing (no notes).
    """
    speaking = ((path, words) for path, words in optional.items() if _speaks(terms, path))
    return tuple(Unsaid(path, words) for path, words in (*binding.items(), *speaking))


def unsaid_fields(unsaid: Iterable[Unsaid]) -> list[dict[str, str]]:
    """Return what is unsaid as JSON fields."""
    return [{"path": each.path, "words": each.words} for each in unsaid]


def _speaks(terms: Terms, path: str) -> bool:
    silent: Any = Terms(terms.licensor, terms.repertoire)
    value: Any = terms
    for name in path.split("."):
        value, silent = getattr(value, name), getattr(silent, name, None)
    return bool(value != silent)
