"""Rulebooks: everything the captures of one site, or of one item, say for one usage.

A rulebook depends on the captured bytes only, so all sites with the same files share one. Asked
for a path it gives a Finding; findings are interned, so a corpus of billions of rows meets only
as many as there are different things said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tercet.consent.capture import Capture, declarations_of
from tercet.consent.evaluation import (
    CompiledDeclaration,
    CompiledReading,
    compile_declaration,
)
from tercet.consent.facts import Channel, Facts, Standing, State
from tercet.consent.failures import Consequence, consequence
from tercet.consent.registry.matched_claims import WorkClaim, work_claims
from tercet.consent.signal import Resource
from tercet.core.condition import Condition
from tercet.core.declaration import Declaration
from tercet.core.usage import Usage

SITE_RESOURCES = (Resource.ROBOTS_TXT, Resource.TDMREP_JSON, Resource.AI_TXT)
"""What must have been asked of a site before its silence means anything."""
_ONE_BY_ONE = frozenset({"registry"})
"""Signals of which one denial may be lifted and leave the others: none makes another needless."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Facts, and who says so: for each signal the positions of its declarations."""

    facts: Facts
    speakers: tuple[tuple[str, tuple[int, ...]], ...] = ()


NOTHING = Finding(Facts())


def _finding(states: frozenset[State], said: list[tuple[int, Channel, int]]) -> Finding:
    standings: dict[Channel, int] = {}
    speakers: dict[str, list[int]] = {}
    for position, channel, standing in said:
        if standing:
            standings[channel] = standings.get(channel, Standing.NONE) | standing
            speakers.setdefault(channel[0], []).append(position)
    return Finding(
        Facts(states, tuple(sorted(standings.items()))),
        tuple((name, tuple(at)) for name, at in sorted(speakers.items())),
    )


@dataclass(slots=True)
class Rulebook:
    """What one set of captures says; ``at`` is asked for each path that matters.

    ``fixed`` are the standings that hold at all paths, ``ruled`` the declarations that say
    something else at some; ``everywhere`` is the finding where no narrower rule holds.
    ``declaration_count`` is the number of declarations, whose positions findings refer to;
    ``offers`` are the priced or linked conditions, by position; ``claims`` those on works found.
    """

    states: frozenset[State]
    fixed: tuple[tuple[int, Channel, int], ...]
    ruled: tuple[tuple[int, CompiledDeclaration], ...]
    declaration_count: int
    offers: tuple[tuple[int, Condition], ...]
    claims: tuple[WorkClaim, ...] = ()
    everywhere: Finding = NOTHING
    _by_standings: dict[tuple[int, ...], Finding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.everywhere = self._finding(tuple(c.everywhere for _, c in self.ruled))

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes without what is derived."""
        fields = (self.states, self.fixed, self.ruled, self.declaration_count, self.offers)
        return Rulebook, (*fields, self.claims)

    @property
    def readings(self) -> tuple[CompiledReading, ...]:
        """All readings with path rules."""
        return tuple(r for _, compiled in self.ruled for r in compiled.readings)

    def at(self, path: bytes) -> Finding:
        """Return the finding at ``path``, in the form of ``paths.normalise_path``."""
        return self._finding(tuple([compiled.at(path) for _, compiled in self.ruled]))

    def without(self, positions: frozenset[int], path: bytes) -> Finding:
        """Return the finding at ``path`` as if the declarations at ``positions`` were not there."""
        ruled = [(at, compiled.channel, compiled.at(path)) for at, compiled in self.ruled]
        said = [each for each in (*self.fixed, *ruled) if each[0] not in positions]
        return _finding(self.states, said)

    def _finding(self, standings: tuple[int, ...]) -> Finding:
        finding = self._by_standings.get(standings)
        if finding is None:
            pairs = zip(self.ruled, standings, strict=True)
            said = [(at, compiled.channel, standing) for (at, compiled), standing in pairs]
            finding = self._by_standings[standings] = _finding(self.states, [*self.fixed, *said])
        return finding


def compile_rulebook(
    captures: Sequence[tuple[Capture, bytes]], usage: Usage, *, of_site: bool
) -> Rulebook:
    """Compile what ``captures`` (in the evidence's order) declare for ``usage``."""
    declared = [declarations_of(capture, raw) for capture, raw in captures]
    declarations = [d for each in declared for d in each]
    states = _states([capture for capture, _ in captures], declarations, of_site=of_site)
    compiled = _compiled(declarations, usage)
    fixed = [(at, c.channel, c.everywhere) for at, c in compiled if not c.narrow]
    ruled = [(at, c) for at, c in compiled if c.narrow]
    offers = [(at, term) for at, c in compiled for term in c.conditions if term.price or term.url]
    claims = work_claims(captures, declared, usage)
    return Rulebook(states, tuple(fixed), tuple(ruled), len(declarations), tuple(offers), claims)


def _compiled(
    declarations: Sequence[Declaration], usage: Usage
) -> list[tuple[int, CompiledDeclaration]]:
    """Compile what speaks of ``usage``, short texts first.

    Path rules of a signal that denies the whole site already add nothing and are left out, but each
    owner's claim counts: an agreement lifts one and not the next.
    """
    found: list[tuple[int, CompiledDeclaration]] = []
    denied: frozenset[Channel] = frozenset()
    sizes = [sum(len(r.statements) for r in d.readings) for d in declarations]
    for position in sorted(range(len(declarations)), key=sizes.__getitem__):
        compiled = compile_declaration(declarations[position], usage, denied)
        if compiled is not None:
            found.append((position, compiled))
            denies = not compiled.narrow and compiled.everywhere & Standing.DENIES
            if denies and compiled.channel[0] not in _ONE_BY_ONE:
                denied |= {compiled.channel}
    return sorted(found, key=lambda each: each[0])


def _states(
    captures: list[Capture], declarations: list[Declaration], *, of_site: bool
) -> frozenset[State]:
    unchecked = any(
        capture.failure is not None
        and consequence(capture.resource, capture.failure) is Consequence.HELD
        for capture in captures
    )
    asked = {capture.resource for capture in captures}
    unchecked |= of_site and not asked.issuperset(SITE_RESOURCES)
    unchecked |= _points_to_unread_licence(captures, declarations)
    uncompared = any(c.failure and c.resource is Resource.REGISTRY_MATCH for c in captures)
    found = {State.UNCHECKED: unchecked, State.UNCOMPARED: uncompared}
    return frozenset(state for state, holds in found.items() if holds)


def _points_to_unread_licence(captures: list[Capture], declarations: list[Declaration]) -> bool:
    """An RSL pointer whose document was never asked for: RSL 1.0 calls that unlicensed."""
    had = {c.requested_uri for c in captures if c.resource is Resource.RSL_XML}
    had |= {c.uri for c in captures if c.resource is Resource.RSL_XML}
    pointed = {
        value
        for declaration in declarations
        if declaration.signal == "rsl"
        for name, value in declaration.evidence
        if name == "licence_url"
    }
    return bool(pointed - had)
