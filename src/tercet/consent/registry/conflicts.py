"""Do claims on the same bytes fit together? Decided from what stands, before writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.registry.claim import WHOLE_BASIS_POINTS, Claim, says_the_same


class Step(StrEnum):
    """What registering a work comes to."""

    NEW = "new"
    UNCHANGED = "unchanged"  # the same owner said just the same before: it happens once
    AMEND = "amend"
    ATTACH = "attach"  # the work is registered; another owner's share fits beside
    CONFLICT = "conflict"  # the shares of all owners would exceed the whole
    DIFFERS = "differs"  # the same owner said something else before, and did not say "amend"
    SETTLED = "settled"  # a dispute has decided against this owner's claim


@dataclass(frozen=True, slots=True)
class StandingClaim:
    """A claim on the same bytes that stands. ``work`` is the number it is registered under."""

    claim_id: str
    claim: Claim
    public_key: str
    work: int
    fingerprinted: bool
    share_basis_points: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, with the claims of the same owner that are replaced and those that conflict."""

    step: Step
    mine: tuple[StandingClaim, ...] = ()
    others: tuple[StandingClaim, ...] = ()


def decide(
    fresh: Sequence[Claim],
    public_key: str,
    standing: Sequence[StandingClaim],
    *,
    fingerprinted: bool,
    amend: bool,
    set_aside_before: bool,
) -> Decision:
    """Return what registering ``fresh`` claims of one key on one work's bytes comes to.

    ``standing`` are all claims that stand on these bytes; ``fingerprinted`` says whether the work
    now comes with fingerprints, which is more than a claim by hash alone.
    """
    mine = tuple(claim for claim in standing if claim.public_key == public_key)
    others = tuple(claim for claim in standing if claim.public_key != public_key)
    if mine:
        finds_more = fingerprinted and not any(claim.fingerprinted for claim in mine)
        if _all_said(fresh, mine) and not finds_more:
            return Decision(Step.UNCHANGED, mine, others)
        if not (amend or _all_said(fresh, mine)):
            return Decision(Step.DIFFERS, mine, others)
    elif set_aside_before:
        return Decision(Step.SETTLED, mine, others)
    if others and total_share(fresh, others) > WHOLE_BASIS_POINTS:
        return Decision(Step.CONFLICT, mine, others)
    if mine:
        return Decision(Step.AMEND, mine, others)
    attaches = any(claim.fingerprinted or not fingerprinted for claim in others)
    return Decision(Step.ATTACH if attaches else Step.NEW, mine, others)


def total_share(fresh: Sequence[Claim], others: Sequence[StandingClaim]) -> int:
    """Return what all owners claim together, in basis points."""
    claimed = sum(claim.share_basis_points for claim in fresh)
    return claimed + sum(claim.share_basis_points for claim in others)


def _all_said(fresh: Sequence[Claim], mine: Sequence[StandingClaim]) -> bool:
    rest = [standing.claim for standing in mine]
    for claim in fresh:
        found = next((one for one in rest if says_the_same(claim, one)), None)
        if found is None:
            return False
        rest.remove(found)
    return not rest
