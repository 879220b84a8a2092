"""Identifying: from the fingerprints of an item to the registered works that stand in it.

fingerprints ──index──▶ hits ──candidates──▶ works ──verify──▶ matches ──registry──▶ found
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from tercet.consent.fingerprints.bands import Band
from tercet.consent.fingerprints.fingerprint import (
    Array,
    Fingerprint,
    Hits,
    Match,
    Settling,
    Unfit,
    probes,
)
from tercet.consent.fingerprints.methods import method_named
from tercet.consent.fingerprints.regions import covers_per_mille, region_fields
from tercet.consent.registry.conflicts import StandingClaim
from tercet.consent.registry.match_document import MatchedClaim, MatchedWork, match_document
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.errors import ComparisonError, TercetError
from tercet.core.work import Medium
from tercet.flows.fingerprinting import FileFingerprints

WHOLE_PER_MILLE = 1000
SAME_BYTES = "sha256"
REGIONS_MAX = 200  # of one match, in a document; how much it covers counts them all
_BANDS = (Band.CERTAIN, Band.LIKELY, Band.POSSIBLE)
_NOTHING_THERE = {Unfit.BLANK, Unfit.SILENCE}


class Searching(Protocol):
    """The fingerprints of registered works, as they are searched."""

    def search(
        self, method: str, track: str, keys: Array, radius: int, work_count_max: int
    ) -> Hits:
        """Return the index entries near ``keys``."""

    def fingerprint(self, work: int, method: str) -> Fingerprint | None:
        """Return the stored fingerprint of a work."""


class Fingerprints(Protocol):
    """The fingerprints of a registry, which grow while they are searched."""

    def reader(self) -> Searching:
        """Return a snapshot for searching."""


class Head(Protocol):
    """Where a registry's log stands: the number of entries, and a digest of all of them."""

    @property
    def entries(self) -> int:
        """The number of entries."""

    @property
    def chain(self) -> str:
        """The SHA-256 that stands for all of them."""


class RegistryView(Protocol):
    """What identifying asks of a registry."""

    def __hash__(self) -> int:
        """Return its identity: what is known of one registry is not taken for another's."""

    @property
    def fingerprints(self) -> Fingerprints:
        """The fingerprints of its works."""

    def work(self, number: int) -> WorkRecord:
        """Return a work's record."""

    def standing(self, number: int) -> tuple[Sequence[StandingClaim], bool]:
        """Return the claims on a work that bind, and whether one of them is disputed."""

    def live(self, numbers: Iterable[int]) -> set[int]:
        """Return those of ``numbers`` that are works on which a claim stands."""

    def works_by_sha256(self, digests: Iterable[str]) -> Mapping[str, Sequence[int]]:
        """Return the live works that are these very bytes, by their SHA-256."""

    def decisions(self) -> frozenset[tuple[str, int]]:
        """Return what people decided is no match: (SHA-256 of the item, number of the work)."""

    def head(self) -> Head:
        """Return the head of the registry's log."""


class Offering(Protocol):
    """Offers of owners in a registry."""

    def beside(self, works: Sequence[MatchedWork]) -> list[MatchedWork]:
        """Return the works found in one item, with offers beside the claims on them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A registered work in an item: where, how surely, and how much of the item it makes up.

    ``is_rejected`` means that a person decided it is no match: it is reported and decides nothing.
    """

    match: Match
    work: WorkRecord
    covers_per_mille: int
    is_rejected: bool = False


def identify(media: FileFingerprints, registry: RegistryView) -> list[Found]:
    """Return the works of ``registry`` that stand in an item, the surest first.

    The same bytes are a certain match. A video is found by what is seen and by what is heard,
    which are two finds. Works on which no claim stands are left out. Raises ComparisonError when
    the item cannot be compared, IntegrityError when the registry is damaged.
    """
    snapshot = _snapshot(registry, registry.head().entries)
    matches = _exact(media, registry)
    same = {match.work for match in matches}
    for fingerprint in media.fingerprints:
        matches += [m for m in _matches(fingerprint, snapshot.works) if m.work not in same]
    live = registry.live({match.work for match in matches})
    matches = _settled([match for match in matches if match.work in live], registry)
    covers = _covers(media, matches)
    found = [
        Found(
            match,
            registry.work(match.work),
            covered,
            match.method != SAME_BYTES and (media.sha256, match.work) in snapshot.decisions,
        )
        for match, covered in zip(matches, covers, strict=True)
    ]
    return sorted(found, key=lambda each: _rank(each.match))


def _settled(matches: Sequence[Match], registry: RegistryView) -> list[Match]:
    """Let methods weigh the matches of one item against one another, by whose works they are."""
    settled: list[Match] = []
    for name in dict.fromkeys(match.method for match in matches):
        own = [match for match in matches if match.method == name]
        method = method_named(name)
        if isinstance(method, Settling) and len(own) > 1:
            owners = {match.work: _owners(match.work, registry) for match in own}
            own = method.settle(own, owners)
        settled += own
    return settled


def _owners(work: int, registry: RegistryView) -> frozenset[str]:
    claims, _ = registry.standing(work)
    return frozenset(claim.public_key for claim in claims)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What is kept from item to item, as long as the registry's log does not grow."""

    works: Searching
    decisions: frozenset[tuple[str, int]]


@lru_cache(maxsize=2)
def _snapshot(registry: RegistryView, entries: int) -> _Snapshot:
    return _Snapshot(registry.fingerprints.reader(), registry.decisions())


def _matches(fingerprint: Fingerprint, works: Searching) -> list[Match]:
    try:
        return list(search(fingerprint, works))
    except (TercetError, MemoryError, OSError):
        raise
    except Exception as error:
        raise ComparisonError(
            f"could not be compared ({fingerprint.method}): {type(error).__name__}: {error}"[:300],
            hint="please report it; the item is held",
        ) from error


def search(fingerprint: Fingerprint, works: Searching) -> Iterator[Match]:
    """Yield the verified matches of one fingerprint, in the order of its method's candidates.

    Nothing is yielded for a fingerprint that can identify nothing, or of a method that is not
    used any more.
    """
    method = method_named(fingerprint.method)
    if method is None or fingerprint.unfit:
        return
    hits = {
        name: works.search(
            method.name, name, asked.keys, method.radii[name], method.work_count_max[name]
        )
        for name, asked in probes(method, fingerprint).items()
        if len(asked)
    }
    for work in method.candidates(fingerprint, hits):
        stored = works.fingerprint(work, method.name)
        match = None if stored is None else method.verify(fingerprint, work, stored)
        if match is not None:
            yield match


def _exact(media: FileFingerprints, registry: RegistryView) -> list[Match]:
    """Return the works that are the same bytes: nobody needs to look at these."""
    if not media.sha256:
        return []
    works = registry.works_by_sha256([media.sha256]).get(media.sha256, ())
    return [Match(work, SAME_BYTES, Band.CERTAIN, float(media.size), "bytes", ()) for work in works]


def _rank(match: Match) -> tuple[int, bool, float, int]:
    """Sort key: the surest first, the same bytes before all; scores of one method compare."""
    return _BANDS.index(match.band), match.method != SAME_BYTES, -match.score, match.work


# ---- how much of the item -------------------------------------------------------------------


def _covers(media: FileFingerprints, matches: Sequence[Match]) -> list[int]:
    """Return how much of the item each match makes up, in thousandths.

    A video is its picture and its sound: who owns only one of them has made half of it at most,
    so a match counts for what the work makes up of the lesser one.
    """
    parts = {(m.work, m.method): _part(media, m) for m in matches if m.method != SAME_BYTES}
    methods = [f.method for f in media.fingerprints if not set(f.unfit) & _NOTHING_THERE]
    wanted = methods if media.medium is Medium.VIDEO else []
    return [
        WHOLE_PER_MILLE
        if match.method == SAME_BYTES
        else min(
            [parts[match.work, match.method], *(parts.get((match.work, m), 0) for m in wanted)]
        )
        for match in matches
    ]


def _part(media: FileFingerprints, match: Match) -> int:
    extent = next(f.extent for f in media.fingerprints if f.method == match.method)
    length = 0.0 if match.method.startswith(Medium.IMAGE) else extent[0]
    return covers_per_mille([mine for mine, _ in match.pairs], length)


# ---- documents ------------------------------------------------------------------------------


def identify_document(
    media: FileFingerprints,
    name: str,
    registry: RegistryView,
    trusted_keys: frozenset[str] = frozenset(),
    offers: Offering | None = None,
) -> bytes:
    """Return the match document of an item; b"" when nothing was found in it.

    ``offers`` are put beside the claims, where they are given.
    """
    found = identify(media, registry)
    if not found:
        return b""
    works = matched_works(found, registry, trusted_keys)
    works = works if offers is None else offers.beside(works)
    return match_document(item_fields(media, name), registry_fields(registry), works)


def registry_fields(registry: RegistryView) -> dict[str, Any]:
    """Return which state of a registry it is, as fields of a match document."""
    head = registry.head()
    return {"entries": head.entries, "head": head.chain}


def item_fields(media: FileFingerprints, name: str) -> dict[str, str]:
    """Return an item as fields of a match document; ``name`` as it stands in its corpus."""
    readable = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return {"name": readable, "sha256": media.sha256, "medium": str(media.medium or "")}


def matched_works(
    found: Iterable[Found], registry: RegistryView, trusted_keys: frozenset[str] = frozenset()
) -> list[MatchedWork]:
    """Return finds with the claims on their works, as they enter a match document.

    ``trusted_keys`` are the public keys (Base64) that the asker trusts to be their owners'.
    """
    return [_matched(each, *registry.standing(each.work.number), trusted_keys) for each in found]


def matched_work(
    registry: RegistryView, number: int, *, band: Band, method: str, covers_per_mille: int
) -> MatchedWork:
    """Return a work that was found by something else than its fingerprints: a hash, a URL."""
    match = Match(number, method, band, 1.0, "match", ())
    found = Found(match, registry.work(number), covers_per_mille)
    return matched_works([found], registry)[0]


def _matched(
    found: Found, claims: Sequence[StandingClaim], is_disputed: bool, trusted_keys: frozenset[str]
) -> MatchedWork:
    match, work = found.match, found.work
    return MatchedWork(
        number=work.number,
        title=work.title,
        sha256=work.sha256,
        iscc=work.iscc,
        medium=work.medium,
        band=match.band,
        method=match.method,
        covers_per_mille=found.covers_per_mille,
        disputed=is_disputed,
        rejected=found.is_rejected,
        score_thousandths=round(match.score * 1000),
        unit=match.unit,
        edits=match.edits,
        regions=tuple(
            (region_fields(mine), region_fields(theirs))
            for mine, theirs in match.pairs[:REGIONS_MAX]
        ),
        claims=tuple(_claim(claim, trusted_keys) for claim in claims),
    )


def _claim(standing: StandingClaim, trusted_keys: frozenset[str]) -> MatchedClaim:
    return MatchedClaim(
        claim_id=standing.claim_id,
        owner=standing.claim.owner.name,
        share_basis_points=standing.share_basis_points,
        terms=standing.claim.terms,
        trusted=standing.public_key in trusted_keys,
        public_key=standing.public_key,
    )
