"""Facts: the finite things about an item that a verdict may depend on.

A declaration says something for a path and a usage; that is a Standing. Standings of one signal
join by union, so the order in which declarations arrive can never change the facts, and one more
denial can only add a denial.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Carrier, Declaration
from tercet.core.usage import Permission


class Standing:
    """Bits of what all declarations of one signal say of the asked usage, joined.

    Plain integers: a clearing joins millions of them, and an IntFlag costs ten times as much.
    """

    NONE = 0
    ALLOWS = 1
    DENIES = 2
    MAY_DENY = 4  # at least one reading of an ambiguous text denies
    CONDITIONAL = 8  # allowed once every condition below is met
    UNREADABLE = 16  # something is said that could not be read with certainty
    PRICED = 32  # a price in money is stated
    HOLDS = 64  # it is to wait for a person: a likely match, a dispute
    ATTRIBUTION = 1 << 8
    SHARE_ALIKE = 1 << 9
    NON_COMMERCIAL = 1 << 10
    NO_DERIVATIVES = 1 << 11
    PAYMENT = 1 << 12
    CONTRIBUTION = 1 << 13
    LICENCE = 1 << 14
    REPORTING = 1 << 15
    PURPOSE = 1 << 16
    GEOGRAPHY = 1 << 17
    OTHER = 1 << 18
    LIFTS = 1 << 19  # an agreement takes a claim out of the way without granting the whole item


OBSTACLE_SHIFT = 24
"""From this bit on stand the ways in which an agreement grants nothing, see licences/obstacle."""

CONDITION_BITS: dict[ConditionKind, int] = {
    kind: getattr(Standing, kind.name) for kind in ConditionKind
}
ALL_CONDITIONS = sum(CONDITION_BITS.values())

SELF_OVERRIDING: dict[str, dict[Carrier, int]] = {
    # TDMRep section 6: file < header < HTML meta < inside the document. Absence never resets.
    "tdmrep": {
        Carrier.FILE: 0,
        Carrier.HEADER: 1,
        Carrier.TABLE: 1,
        Carrier.META: 2,
        Carrier.SIDECAR: 3,
        Carrier.EMBEDDED: 3,
        Carrier.REGISTRY: 3,
    }
}
"""Signals whose own spec lets a later carrier override an earlier one, inside the signal only."""


class State(StrEnum):
    """What is known about the item itself, apart from declarations."""

    ROW_FAULT = "row_fault"  # the row or file could not be read
    URL_INVALID = "url_invalid"
    NOT_SURVEYED = "not_surveyed"  # its site was never asked
    UNCHECKED = "unchecked"  # a place where declarations stand could not be read
    ITEM_NOT_ASKED = "item_not_asked"  # its own headers, page and metadata were never looked at
    NO_SOURCE = "no_source"  # a local file without a URL: no site could be asked
    UNCOMPARED = "uncompared"  # it could not be compared with the registry of works


Channel = tuple[str, int]
"""A signal's name and its rank: 0, or the carrier's place in the signal's own override order."""


@dataclass(frozen=True, slots=True)
class Facts:
    """States and standings of one item for one usage; hashable, joined by union."""

    states: frozenset[State] = frozenset()
    standings: tuple[tuple[Channel, int], ...] = ()

    def __or__(self, other: Facts) -> Facts:
        joined = dict(self.standings)
        for channel, standing in other.standings:
            joined[channel] = joined.get(channel, Standing.NONE) | standing
        return Facts(self.states | other.states, tuple(sorted(joined.items())))

    def by_signal(self) -> dict[str, int]:
        """Return one standing per signal, each signal's own override order applied."""
        ranked: dict[str, list[tuple[int, int]]] = {}
        for (signal, rank), standing in self.standings:
            ranked.setdefault(signal, []).append((rank, standing))
        return {signal: _overridden(standings) for signal, standings in ranked.items()}


def _overridden(standings: list[tuple[int, int]]) -> int:
    """Let the highest rank that can be read rule; what could not be read stays a doubt."""
    doubt = Standing.NONE
    for _, standing in sorted(standings, reverse=True):
        if standing & ~Standing.UNREADABLE:
            return standing | doubt
        doubt |= standing
    return doubt


def channel(declaration: Declaration) -> Channel:
    """Return the channel on which ``declaration`` speaks."""
    ranks = SELF_OVERRIDING.get(declaration.signal)
    return (declaration.signal, ranks[declaration.carrier] if ranks else 0)


def condition_standing(conditions: tuple[Condition, ...]) -> int:
    """Return the bits of ``conditions``, with PRICED where an amount is stated."""
    bits = Standing.NONE
    for condition in conditions:
        bits |= CONDITION_BITS[condition.kind]
        if condition.price is not None:
            bits |= Standing.PRICED
    return bits


def permission_standing(permission: Permission, conditions: tuple[Condition, ...]) -> int:
    """Return the standing of one statement."""
    match permission:
        case Permission.DENY:
            return Standing.DENIES | condition_standing(conditions)
        case Permission.CONDITIONAL:
            return Standing.CONDITIONAL | condition_standing(conditions)
        case Permission.ALLOW:
            return Standing.ALLOWS
        case Permission.HOLD:
            return Standing.HOLDS
        case Permission.UNKNOWN:
            return Standing.NONE


_SPOKEN = Standing.ALLOWS | Standing.DENIES | Standing.CONDITIONAL | Standing.HOLDS


def join_readings(readings: list[int], *, fault: bool) -> int:
    """Join the standings of a declaration's readings into its own.

    A denial in every reading denies, in some it may deny. A grant counts only when every
    reading grants, with the conditions of all of them, and never from a faulty text.
    """
    if len(readings) == 1 and not fault:
        return readings[0] if readings[0] & _SPOKEN else Standing.NONE
    union = Standing.NONE
    for standing in readings:
        union |= standing
    joined = union & (ALL_CONDITIONS | Standing.PRICED | Standing.HOLDS)
    if all(standing & Standing.DENIES for standing in readings):
        joined |= Standing.DENIES
    elif union & Standing.DENIES:
        joined |= Standing.MAY_DENY
    if fault:
        return joined | Standing.UNREADABLE
    if all(standing & (Standing.ALLOWS | Standing.CONDITIONAL) for standing in readings):
        joined |= union & (Standing.ALLOWS | Standing.CONDITIONAL)
    return joined if joined & ~(ALL_CONDITIONS | Standing.PRICED) else Standing.NONE
