"""What every medium's fingerprints, index hits and matches are made of.

    media file ──method──▶ Fingerprint ──index──▶ Hits ──candidates──▶ works ──verify──▶ Match

A fingerprint has one track or more. A track's keys go into the index; the places tell where each
key stands in the work, which is what verification rests on. No claim rests on one key alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tercet.consent.fingerprints.bands import Band as Band  # noqa: PLC0414  others have it here
from tercet.core.errors import UndecodableError as UndecodableError  # noqa: PLC0414
from tercet.core.work import Medium

Array = np.ndarray[Any, np.dtype[Any]]

CODE_BYTES = 32
"""A binary code has 256 bits."""


class Unfit(StrEnum):
    """Why media can identify nothing: it claims nothing and matches nothing. Stable strings."""

    BLANK = "blank"  # one flat colour, an empty text
    LOW_TEXTURE = "low_texture"  # a gradient, a plain drawing: too little that is its own
    SILENCE = "silence"
    STATIONARY = "stationary"  # a test tone, hum or noise: the same at any moment
    TOO_SHORT = "too_short"
    BOILERPLATE = "boilerplate"  # a licence, a notice, colour bars: what many works carry


@dataclass(frozen=True, slots=True)
class Track:
    """One kind of keys of a fingerprint, with the place of each.

    ``keys`` are uint8 (n, 32): 256-bit codes found within a Hamming radius; or uint64 (n,):
    found when equal. ``places`` are float32 (n, k); what the k columns mean, and their units, is
    told by the method.
    """

    keys: Array
    places: Array

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.places):
            raise ValueError("every key needs a place")

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a method keeps of one work or item: enough to find it and to verify a find.

    ``method`` is the versioned name ("image-1"); fingerprints of other methods are never
    compared with it. ``extent`` is the size of what was fingerprinted, in the units of the places
    (an image's width and height, a recording's seconds ...). ``unfit`` says why it can identify
    nothing (empty: it can); an unfit fingerprint has no keys.
    """

    method: str
    tracks: Mapping[str, Track]
    extent: tuple[float, ...]
    unfit: tuple[Unfit, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """Index entries near the keys of a query: arrays of equal length.

    ``query`` is the row of the query's key, ``work`` the number of the registered work,
    ``position`` the row of the key in that work's track, ``distance`` the Hamming distance
    (0 where keys are equal by definition).
    """

    query: Array  # int64
    work: Array  # int64
    position: Array  # int64
    distance: Array  # uint8

    def __len__(self) -> int:
        return len(self.query)


NO_HITS = Hits(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
)


@dataclass(frozen=True, slots=True)
class Region:
    """Where in an item or a work something stands; only what applies is set.

    ``quad`` are the four corners of a picture area, clockwise from the top left of the *work's*
    picture, each (x, y) as a share of width and height: a mirrored or turned copy shows in their
    order. Seconds and characters are half-open ranges; characters count Unicode code points.
    """

    quad: tuple[tuple[float, float], ...] = ()
    start_s: float | None = None
    end_s: float | None = None
    start_character: int | None = None
    end_character: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A registered work found in an item, verified.

    ``score`` is the method's own, monotone in certainty (inliers, aligned seconds, shared
    words ...): ``unit`` says of what. ``pairs`` are (region in the item, region in the work) that
    show the same. ``edits`` names what was done to it ("mirrored", "cropped", "speed 1.05"), in
    plain words, sorted.
    """

    work: int
    method: str
    band: Band
    score: float
    unit: str
    pairs: tuple[tuple[Region, Region], ...]
    edits: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)


class Method(Protocol):
    """How one medium is recognised. Pure: all it needs comes in, nothing is remembered."""

    @property
    def name(self) -> str:
        """The versioned name, changed whenever fingerprints are no longer comparable."""

    @property
    def medium(self) -> Medium:
        """The medium it recognises."""

    @property
    def radii(self) -> Mapping[str, int]:
        """For each track that is indexed, the Hamming radius to search (0: equal keys)."""

    @property
    def work_count_max(self) -> Mapping[str, int]:
        """For each indexed track, in how many works a key may stand and still say something.

        Keys that hit more works are stop words: stock intros, common phrases, logos.
        """

    def candidates(self, query: Fingerprint, hits: Mapping[str, Hits]) -> Sequence[int]:
        """Return the works worth verifying, best first, a bounded number of them."""

    def verify(self, query: Fingerprint, work: int, stored: Fingerprint) -> Match | None:
        """Return the match of ``query`` with a registered work, or None when there is none."""


@runtime_checkable
class Probing(Protocol):
    """A method whose items are looked up by more keys than its works are indexed by.

    A work keeps few keys; an item asks with all those that an edit may have turned them into.
    """

    def probes(self, query: Fingerprint) -> Mapping[str, Track]:
        """Return, for each track to be searched, the keys to ask for. Hits count their rows."""


def probes(method: Method, query: Fingerprint) -> Mapping[str, Track]:
    """Return what to search the index for, by track: ``query.tracks`` unless the method has more.

    This, not ``query.tracks``, is what a search asks with; `Hits.query` counts rows of it.
    """
    if isinstance(method, Probing):
        return method.probes(query)
    return {name: query.tracks[name] for name in method.radii if name in query.tracks}


@runtime_checkable
class Settling(Protocol):
    """A method that weighs the matches of one item against one another."""

    def settle(self, matches: Sequence[Match], owners: Mapping[int, frozenset[str]]) -> list[Match]:
        """Return the matches, less sure where works of several owners explain the same.

        ``owners`` gives the owners of each matched work.
        """
