"""A declaration: one machine-readable permission statement found in the world, kept raw.

Declaration ──has──▶ Reading (1 or more: an ambiguous text has several)
Reading     ──has──▶ Statement (what is said of which usages, for which paths)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from tercet.core.condition import Condition
from tercet.core.usage import Permissions


class Carrier(StrEnum):
    """How the declaration travels."""

    FILE = "file"  # a well-known file of a site
    HEADER = "header"  # an HTTP response header
    META = "meta"  # markup inside an HTML page
    EMBEDDED = "embedded"  # metadata inside a media file
    SIDECAR = "sidecar"  # a file beside a media file
    REGISTRY = "registry"  # a registry entry bound to the content
    TABLE = "table"  # a column of the corpus itself


class Matching(StrEnum):
    """Which statement of a reading holds for a path."""

    LONGEST = "longest"  # RFC 9309: the longest matching pattern; allow wins a tie
    FIRST = "first"  # TDMRep: the first matching pattern
    STRICTEST = "strictest"  # all matching patterns together; a denial wins


@dataclass(frozen=True, slots=True)
class Source:
    """Where raw bytes came from: what a reader is told besides the bytes.

    ``uri`` is the URL or file path, ``fetched_at`` an RFC 3339 time in UTC or "" when unknown,
    ``media_type`` what the server said ("" when it said nothing). ``site`` is the origin the
    bytes are read for, where that may differ from the ``uri`` ("": the same): a license file
    that a site points to may lie elsewhere.
    """

    uri: str
    carrier: Carrier
    fetched_at: str = ""
    media_type: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the raw bytes a declaration stands.

    Lines count from 1, both ends included; bytes are the half-open range [start, end).
    Zero lines mean the carrier has no lines.
    """

    uri: str
    line_start: int = 0
    line_end: int = 0
    byte_start: int = 0
    byte_end: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of some usages, for paths that match ``pattern``.

    ``pattern`` is a robots.txt pattern (RFC 9309: octets, ``*`` and ``$``) matched against the
    URL's path and query, already percent-normalised; None covers everything the carrier covers.
    Usages not named are not spoken of. ``line`` counts from 1; 0 where there are no lines.
    """

    permissions: Permissions
    pattern: str | None = None
    conditions: tuple[Condition, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a declaration; ``note`` says which rule or spec leads to it."""

    statements: tuple[Statement, ...]
    matching: Matching = Matching.STRICTEST
    note: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One permission statement, with every reading its text admits.

    ``agents`` are the crawler tokens it is addressed to (empty: everybody). ``fault`` says why
    nothing certain could be read from it; a declaration with a fault never grants. ``advisory``
    marks what is recorded as evidence only and never enters a verdict. ``evidence`` holds named
    facts worth keeping (owner, credit line, licence URL, validity), sorted by name.
    """

    signal: str
    spec: str
    spec_version: str
    carrier: Carrier
    place: Place
    raw_sha256: str
    fetched_at: str
    readings: tuple[Reading, ...]
    agents: tuple[str, ...] = ()
    fault: str = ""
    advisory: bool = False
    evidence: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.readings:
            raise ValueError("a declaration needs at least one reading")

    @property
    def declaration_id(self) -> str:
        """16 hex digits: SHA-256 over signal, spec, carrier, place, raw bytes' hash and time."""
        place = self.place
        parts = (
            self.signal, self.spec, self.spec_version, self.carrier, place.uri,
            f"{place.line_start}-{place.line_end}", f"{place.byte_start}-{place.byte_end}",
            ",".join(self.agents), self.raw_sha256, self.fetched_at,
        )  # fmt: skip
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]
