"""What is said of a work before it is claimed: by a command, a catalogue, the file itself."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tercet.consent.registry.claim import WHOLE_BASIS_POINTS, Owner, Terms
from tercet.consent.registry.identifiers import Identifiers
from tercet.core.errors import InputError
from tercet.core.work import Medium

Owners = tuple[tuple[Owner, int], ...]
"""Owners with their shares in basis points."""


@dataclass(frozen=True, slots=True)
class Description:
    """Fields of a work; empty ones are not said. ``terms`` None: nothing said of usages.

    ``rights`` is a licence or rights text as it stands in the file or the catalogue: it is shown,
    and becomes terms only where the registrant says so.
    """

    title: str = ""
    creators: tuple[str, ...] = ()
    owners: Owners = ()
    identifiers: Identifiers = ()
    source_url: str = ""
    rights: str = ""
    terms: Terms | None = None
    medium: Medium | None = None

    def over(self, weaker: Description) -> Description:
        """Return this description, with what it does not say taken from ``weaker``.

        Identifiers are joined by scheme.
        """
        said = {field.name: getattr(self, field.name) or getattr(weaker, field.name)
                for field in fields(self)}  # fmt: skip
        said["identifiers"] = tuple(
            sorted((dict(weaker.identifiers) | dict(self.identifiers)).items())
        )
        said["terms"] = weaker.terms if self.terms is None else self.terms
        return Description(**said)


def parse_owners(text: str) -> Owners:
    """Return the owners of "Name:50; Other:50", shares in per cent; one name alone owns all.

    Raises InputError for shares that are missing, not above 0, or more than 100 % together.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    owners = tuple(_owner(part, alone=len(parts) == 1) for part in parts)
    check_owners(owners)
    return owners


def check_owners(owners: Owners) -> None:
    """Raise InputError where shares exceed the whole or an owner stands twice."""
    total = sum(share for _, share in owners)
    if total > WHOLE_BASIS_POINTS:
        raise InputError(
            f"expected shares of at most 100 % in all, got {total / 100:g} %",
            hint="write them as Name:50; Other:50",
        )
    names = [owner.name for owner, _ in owners]
    if len(set(names)) != len(names):
        raise InputError(f"an owner stands twice: {'; '.join(names)[:200]}")


def _owner(text: str, *, alone: bool) -> tuple[Owner, int]:
    name, colon, share = text.rpartition(":")
    number = share.strip().removesuffix("%").strip()
    if not colon or not number.replace(".", "", 1).isdecimal():
        if alone:
            return Owner(text), WHOLE_BASIS_POINTS
        raise InputError(
            f"expected each owner's share, got {text[:80]!r}", hint="write Name:50; Other:50"
        )
    whole, _, part = number.partition(".")
    if len(part) > 2:
        raise InputError(f"expected a share with at most two decimals, got {share.strip()!r}")
    points = int(whole or "0") * 100 + int(part.ljust(2, "0") or "0")
    if not 1 <= points <= WHOLE_BASIS_POINTS or not name.strip():
        raise InputError(f"expected a name and a share of 0.01 to 100 %, got {text[:80]!r}")
    return Owner(name.strip()), points
