"""The verdict: exactly one for every item, never a bool, never None."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The closed set of verdicts."""

    CLEARED = "cleared"  # may be used, under the duties named by the reasons
    OFFERED = "offered"  # may not be used yet; a licence can be had at a known price
    BLOCKED = "blocked"  # may not be used
    HELD = "held"  # could not be decided; not to be used until it is


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with its reason codes (stable strings, see docs/reasons.md).

    ``deciding`` names the signals whose declarations are the evidence.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    deciding: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a verdict needs at least one reason")
