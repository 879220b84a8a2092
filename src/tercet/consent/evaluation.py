"""What a declaration says of one usage at one path: compiled once, asked millions of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
from tercet.core.usage import Usage

UNIVERSAL = frozenset({b"", b"/", b"*", b"/*", b"/**", b"**"})
"""Patterns that match every path."""

Winner = int | tuple[int, ...]
"""The statement (or statements) of a reading that hold at a path; -1 for none."""


@dataclass(frozen=True, slots=True)
class CompiledReading:
    """One reading for one usage."""

    matching: Matching
    rules: PathRules
    standings: tuple[Standing, ...]

    def probe(self) -> Callable[[bytes], Winner]:
        """Return the function from path to winner."""
        match self.matching:
            case Matching.LONGEST:
                return self.rules.longest
            case Matching.FIRST:
                return self.rules.first
            case Matching.STRICTEST:
                return self.rules.all

    def standing(self, winner: Winner) -> Standing:
        """Return what the winning statements say."""
        joined = Standing.NONE
        for index in (winner,) if isinstance(winner, int) else winner:
            if index >= 0:
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
    everywhere: Standing
    patterns: tuple[bytes, ...]
    conditions: tuple[Condition, ...]

    def standing(self, winners: tuple[Winner, ...]) -> Standing:
        """Return the standing where ``winners`` hold, one for each reading."""
        pairs = zip(self.readings, winners, strict=True)
        return join_readings([reading.standing(won) for reading, won in pairs], fault=self.fault)


def compile_declaration(declaration: Declaration, usage: Usage) -> CompiledDeclaration | None:
    """Compile ``declaration`` for ``usage``; None when it can never say anything of it."""
    if declaration.advisory:
        return None
    readings = tuple(_compile(reading, usage) for reading in declaration.readings)
    fault = bool(declaration.fault)
    if not fault and not any(any(reading.standings) for reading in readings):
        return None
    broad = [_compile(_broad(reading), usage) for reading in declaration.readings]
    everywhere = [reading.standing(reading.probe()(b"/")) for reading in broad]
    spoken = [pair for reading in declaration.readings for pair in _speaking(reading, usage)]
    patterns = (_pattern(statement) for statement, _ in spoken)
    return CompiledDeclaration(
        channel=channel(declaration),
        readings=readings,
        fault=fault,
        everywhere=join_readings(everywhere, fault=fault),
        patterns=tuple(dict.fromkeys(p for p in patterns if p not in UNIVERSAL)),
        conditions=tuple(dict.fromkeys(c for statement, _ in spoken for c in statement.conditions)),
    )


def _pattern(statement: Statement) -> bytes:
    return normalise_pattern((statement.pattern or "").encode("utf-8", "surrogateescape"))


def _speaking(reading: Reading, usage: Usage) -> Iterator[tuple[Statement, Standing]]:
    """Statements that speak of ``usage``, also those that only lift a narrower denial."""
    for statement in reading.statements:
        for named, permission in statement.permissions:
            if named is usage:
                yield statement, permission_standing(permission, statement.conditions)


def _broad(reading: Reading) -> Reading:
    """Return ``reading`` with only the statements that hold at every path."""
    kept = tuple(s for s in reading.statements if _pattern(s) in UNIVERSAL)
    return Reading(kept, reading.matching, reading.note)


def _compile(reading: Reading, usage: Usage) -> CompiledReading:
    speaking = list(_speaking(reading, usage))
    # RFC 9309 section 2.2.2: on a tie the least restrictive rule should be used.
    entries = [(_pattern(statement), not said & Standing.DENIES) for statement, said in speaking]
    rules = PathRules.compile(entries, normalised=True)
    return CompiledReading(reading.matching, rules, tuple(said for _, said in speaking))
