"""A credit: one work behind a video, its owner, its share and how the share was found."""

from __future__ import annotations

from dataclasses import dataclass

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
