"""A credit: one work behind a video, its owner, its share and how the share was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tercet.core.errors import InputError

WHOLE_PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Credit:
    """One line of a video's credits.

    ``work`` is the SHA-256 of the work's file, ``share_parts`` its part of a million; all credits
    of a video add up to ``WHOLE_PARTS``. ``method`` names how the share was found (``exact``:
    counted pixels; ``equal``: every work of the training record alike).
    """

    work: str
    title: str
    owner: str
    licence: str
    share_parts: int
    method: str


def split_parts(weights: Sequence[int], whole: int = WHOLE_PARTS) -> tuple[int, ...]:
    """Split ``whole`` in proportion to ``weights``: nothing is created or lost.

    The method of the largest remainder (Hamilton): everyone gets the whole parts that are due,
    and what is left goes, one each, to the largest remainders; of equal ones, to the earlier.
    Raises InputError for a negative weight, or when there is none above zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise InputError("expected weights of zero and more, and one above zero, to split by")
    shares = [weight * whole // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(weights[at] * whole % total))
    for at in by_remainder[: whole - sum(shares)]:
        shares[at] += 1
    return tuple(shares)
