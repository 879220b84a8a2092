"""What a declaration says of one usage at one path: compiled once, asked millions of times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tercet.consent.facts import (
    Channel,
    Standing,
    channel,
    join_readings,
    permission_standing,
)
from tercet.consent.paths import matches, normalise_pattern
from tercet.consent.signals.agents import OWN_TOKEN, known_agents
from tercet.core.condition import Condition
from tercet.core.declaration import Declaration, Matching, Reading, Statement
from tercet.core.usage import Permissions, Usage

UNIVERSAL = frozenset({b"", b"/", b"*", b"/*", b"/**", b"**"})
"""Patterns that match every path."""

_Said = tuple[bytes, int]
"""A statement for one usage: its pattern in normal form, and its standing."""


@dataclass(frozen=True, slots=True)
class CompiledReading:
    """One reading for one usage.

    ``patterns`` are its rules' patterns in normal form, each ended by a line feed (which no
    pattern holds), the one that holds before all others first; ``standings`` are theirs.
    """

    matching: Matching
    patterns: bytes
    standings: tuple[int, ...]

    def at(self, path: bytes) -> int:
        """Return the standing at ``path``, in the form of ``paths.normalise_path``."""
        joined = Standing.NONE
        near = (path[1:2], b"*", b"$", b"")  # most rules fail at their second octet
        rules = zip(self.patterns.split(b"\n"), self.standings, strict=False)
        for pattern, standing in rules:
            if pattern[1:2] not in near and pattern[:1] == b"/":
                continue
            if matches(pattern, path):
                joined |= standing
                if self.matching is not Matching.STRICTEST:
                    break
        return joined


@dataclass(frozen=True, slots=True)
class CompiledDeclaration:
    """A declaration for one usage.

    ``everywhere`` is its standing at every path that no narrower pattern of it matches;
    ``narrow`` says whether it has such patterns (else there are no readings to ask).
    """

    channel: Channel
    readings: tuple[CompiledReading, ...]
    fault: bool
    everywhere: int
    narrow: bool
    conditions: tuple[Condition, ...]

    def at(self, path: bytes) -> int:
        """Return the standing at ``path``."""
        return join_readings([reading.at(path) for reading in self.readings], fault=self.fault)


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
    if declaration.agents and not _grants_us(declaration.agents):
        spoken = [tuple((p, s & ~Standing.ALLOWS) for p, s in said) for said in spoken]
    fault = bool(declaration.fault)
    if not fault and not any(standing for said in spoken for _, standing in said):
        return None
    rules = [_ranked(r.matching, s) for r, s in zip(declaration.readings, spoken, strict=True)]
    broad = [_broad(r.matching, s) for r, s in zip(declaration.readings, rules, strict=True)]
    narrow = any(pattern not in UNIVERSAL for said in rules for pattern, _ in said)
    readings = (
        CompiledReading(
            reading.matching,
            b"".join([pattern + b"\n" for pattern, _ in said]),
            tuple([standing for _, standing in said]),
        )
        for reading, said in zip(declaration.readings, rules, strict=True)
    )
    everywhere = join_readings(broad, fault=fault)
    return CompiledDeclaration(
        on, tuple(readings) if narrow else (), fault, everywhere, narrow, conditions
    )


@lru_cache(maxsize=4096)
def _grants_us(agents: tuple[str, ...]) -> bool:
    """Return whether a grant to ``agents`` is one to everybody, to us, or for a purpose.

    What a site allows one operator's crawler, under a contract perhaps, it does not allow others.
    """
    known = (known_agents().get(agent) for agent in agents)
    return bool({"*", OWN_TOKEN} & set(agents)) or any(agent and agent.policy for agent in known)


def _ranked(matching: Matching, said: tuple[_Said, ...]) -> tuple[_Said, ...]:
    """Put first what holds before all others.

    RFC 9309 section 2.2.2: the longest pattern; on a tie the least restrictive rule.
    """
    if matching is not Matching.LONGEST:
        return said
    return tuple(sorted(said, key=lambda each: (-len(each[0]), _denies(each[1]))))


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


def _broad(matching: Matching, ranked: tuple[_Said, ...]) -> int:
    """Return what the statements that hold at every path say."""
    joined = Standing.NONE
    for pattern, standing in ranked:
        if pattern in UNIVERSAL:
            joined |= standing
            if matching is not Matching.STRICTEST:
                break
    return joined
