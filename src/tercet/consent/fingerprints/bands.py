"""Bands: how sure a match is."""

from __future__ import annotations

from enum import StrEnum


class Band(StrEnum):
    """How sure a match is, from measured rates of false matches (docs/identify.md).

    A certain match decides, a likely one holds the row, a possible one is only reported.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
