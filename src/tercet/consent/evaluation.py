"""What a declaration says of one usage at one path: compiled once, asked millions of times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tercet.consent.facts import (
    Channel,
    Standing,
    channel,
    join_readings,
    permission_standing,
)
from tercet.consent.paths import PathRules, normalise_pattern
from tercet.core.declaration import Declaration, Matching, Reading, Statement
from tercet.core.terms import Condition
from tercet.core.usage import Permissions, Usage

UNIVERSAL = frozenset({b"", b"/", b"*", b"/*", b"/**", b"**"})
"""Patterns that match every path."""

Winner = int | tuple[int, ...]
"""The statement (or statements) of a reading that hold at a path; -1 for none."""

_Said = tuple[bytes, int]
"""A statement for one usage: its pattern in normal form, and its standing."""


@dataclass(frozen=True, slots=True)
class CompiledReading:
    """One reading for one usage."""

    matching: Matching
    rules: PathRules
    standings: tuple[int, ...]

    def probe(self) -> Callable[[str], Winner]:
        """Return the function from a path (Latin-1 text of its octets) to the winner."""
        match self.matching:
            case Matching.LONGEST:
                return self.rules.longest
            case Matching.FIRST:
                return self.rules.first
            case Matching.STRICTEST:
                return self.rules.all

    def standing(self, winner: Winner) -> int:
        """Return what the winning statements say."""
        if isinstance(winner, int):
            return self.standings[winner] if winner >= 0 else Standing.NONE
        joined = Standing.NONE
        for index in winner:
            joined |= self.standings[index]
        return joined


@dataclass(frozen=True, slots=True)
class CompiledDeclaration:
    """A declaration for one usage.

    ``everywhere`` is its standing at every path that no narrower pattern of it matches;
    ``patterns`` are those narrower patterns, none when the standing is the same at all paths.
    """

    channel: Channel
    readings: tuple[CompiledReading, ...]
    fault: bool
    everywhere: int
    patterns: tuple[bytes, ...]
    conditions: tuple[Condition, ...]

    def standing(self, winners: tuple[Winner, ...]) -> int:
        """Return the standing where ``winners`` hold, one for each reading."""
        pairs = zip(self.readings, winners, strict=True)
        return join_readings([reading.standing(won) for reading, won in pairs], fault=self.fault)


def compile_declaration(
    declaration: Declaration, usage: Usage, denied: frozenset[Channel] = frozenset()
) -> CompiledDeclaration | None:
    """Compile ``declaration`` for ``usage``; None when it can never say anything of it.

    On the ``denied`` channels everything is denied already: a declaration there that states no
    condition adds nothing and is None too.
    """
    if declaration.advisory:
        return None
    on = channel(declaration)
    conditions = tuple(
        dict.fromkeys(c for r in declaration.readings for s in r.statements for c in s.conditions)
    )
    if on in denied and not conditions:
        return None
    spoken = [_speaking(reading, usage) for reading in declaration.readings]
    fault = bool(declaration.fault)
    if not fault and not any(standing for said in spoken for _, standing in said):
        return None
    broad = [_broad(r.matching, s) for r, s in zip(declaration.readings, spoken, strict=True)]
    patterns = dict.fromkeys(p for said in spoken for p, _ in said if p not in UNIVERSAL)
    readings = (
        CompiledReading(
            reading.matching,
            # RFC 9309 section 2.2.2: on a tie the least restrictive rule should be used.
            PathRules.compile([(p, not _denies(s)) for p, s in said], normalised=True),
            tuple([standing for _, standing in said]),
        )
        for reading, said in zip(declaration.readings, spoken, strict=True)
    )
    everywhere = join_readings(broad, fault=fault)
    return CompiledDeclaration(
        on, tuple(readings) if patterns else (), fault, everywhere, tuple(patterns), conditions
    )


@lru_cache(maxsize=4096)
def _spoken(
    permissions: Permissions, conditions: tuple[Condition, ...], usage: Usage
) -> int | None:
    """Return the standing that these permissions give ``usage``, None when not spoken of."""
    for named, permission in permissions:
        if named is usage:
            return permission_standing(permission, conditions)
    return None


def _speaking(reading: Reading, usage: Usage) -> tuple[_Said, ...]:
    """Statements that speak of ``usage``, also those that only lift a narrower denial."""
    said: list[_Said] = []
    last: Statement | None = None
    standing: int | None = None
    for statement in reading.statements:
        if last is None or last.permissions is not statement.permissions or statement.conditions:
            standing = _spoken(statement.permissions, statement.conditions, usage)
            last = statement if not statement.conditions else None
        if standing is not None:
            said.append((_pattern(statement), standing))
    return tuple(said)


def _pattern(statement: Statement) -> bytes:
    return normalise_pattern((statement.pattern or "").encode("utf-8", "surrogateescape"))


def _denies(standing: int) -> bool:
    return standing & Standing.DENIES != 0


def _broad(matching: Matching, said: tuple[_Said, ...]) -> int:
    """Return what the statements that hold at every path say."""
    broad = [(pattern, standing) for pattern, standing in said if pattern in UNIVERSAL]
    if not broad:
        return Standing.NONE
    if matching is Matching.FIRST:
        return broad[0][1]
    if matching is Matching.LONGEST:
        return max(broad, key=lambda each: (len(each[0]), not _denies(each[1])))[1]
    joined = Standing.NONE
    for _, standing in broad:
        joined |= standing
    return joined
