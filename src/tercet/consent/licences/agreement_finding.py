"""What several agreements mean together for one item of a corpus."""

from __future__ import annotations

from collections.abc import Sequence

from tercet.consent.facts import Facts, Standing
from tercet.consent.licences.agreement_standing import AgreementStanding, Effect
from tercet.consent.rulebook import NOTHING, Finding

_CHANNEL = ("agreement", 0)


def finding_of(
    standings: Sequence[AgreementStanding], lifting: Sequence[AgreementStanding] = ()
) -> Finding:
    """Return what agreements mean together for one item, and which of them say so.

    ``standings`` are of those that name the item: the widest valid grant is enough, an exclusive
    licence of somebody else stands against all. ``lifting`` are those that only take claims of the
    registry out of the way. Positions count through both.
    """
    joined = Standing.NONE
    for standing in standings:
        joined |= standing.bits
    for effect in (Effect.EXCLUDES, Effect.GRANTS):
        speaking = [at for at, s in enumerate(standings) if s.effect is effect]
        if speaking:
            return _finding(joined, speaking)
    last = range(len(standings), len(standings) + len(lifting))
    return _finding(
        joined | (Standing.LIFTS if lifting else Standing.NONE),
        [*(at for at, s in enumerate(standings) if s.bits), *last],
    )


def _finding(bits: int, speaking: list[int]) -> Finding:
    if not bits:
        return NOTHING
    return Finding(Facts(standings=((_CHANNEL, bits),)), ((_CHANNEL[0], tuple(speaking)),))
