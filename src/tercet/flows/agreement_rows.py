"""Agreements and the rows of a corpus: which ones name a row, and which claims they lift.

An agreement names a row by its SHA-256, URL or site, or by a registered work that is found to be
the whole row. It lifts the claims of those it was made with, and of nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tercet.consent.clearing import Interned
from tercet.consent.licences.agreement_finding import finding_of
from tercet.consent.licences.agreement_standing import AgreementStanding, Effect
from tercet.consent.licences.work_index import WorkIndex
from tercet.consent.registry.matched_claims import WorkClaim
from tercet.consent.rulebook import Finding
from tercet.consent.signals.registry import WHOLE_PER_MILLE, WHOLE_SHARE_BASIS_POINTS
from tercet.core.errors import IntegrityError
from tercet.store.work_index_files import open_index

Array = np.ndarray[Any, np.dtype[Any]]
Sources = frozenset[int]
"""Lists of works by their position in the index."""


@dataclass(frozen=True, slots=True)
class Represented:
    """For whom a licensor speaks: keys (Base64), and the list of works they speak for.

    ``source`` is that list's position in the index, -1 for "whatever the agreement names": the
    licensor's own keys.
    """

    keys: frozenset[str]
    source: int = -1


@dataclass(frozen=True, slots=True)
class AgreementEntry:
    """An agreement as rows are asked about it.

    ``source`` is the list of its works (-1: it is not there), ``excluded`` those of works that are
    not meant, or not any more; ``declaration_id`` names its standing in the evidence.
    """

    standing: AgreementStanding
    declaration_id: str
    source: int
    excluded: tuple[int, ...] = ()
    represented: tuple[Represented, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementTask:
    """All that a worker needs to know of agreements: they lie in no file that it has to read."""

    place: Path
    entries: tuple[AgreementEntry, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The agreements that name a row, and those that only lift claims on works in it."""

    agreements: tuple[int, ...] = ()
    lifting: tuple[int, ...] = ()


NOBODY = Named()


class AgreementRows:
    """Looks up rows, batch by batch; what names them is numbered, 0 for nothing."""

    def __init__(self, task: AgreementTask) -> None:
        kept = open_index(task.place)
        if kept is None:
            raise IntegrityError(
                f"the index of works in {task.place} is gone or damaged",
                hint="run the same command again: it is made anew",
            )
        self.index: WorkIndex = kept.index
        self.entries = task.entries
        self.named = Interned(NOBODY)
        self._of_source: dict[int, list[int]] = {}
        self._excluding: dict[int, list[int]] = {}
        for at, entry in enumerate(task.entries):
            self._of_source.setdefault(entry.source, []).append(at)
            for source in entry.excluded:
                self._excluding.setdefault(source, []).append(at)
        self._by_key: dict[tuple[int, ...], int] = {(0, 0, 0): 0}
        self._by_hash = np.full(len(self.index.combinations), -1, dtype=np.int32)
        self._by_hash[0] = 0
        self._works: dict[str, Sources] = {}
        # Agreements that stand alike mean the same: their standing has a number.
        objects = {id(entry.standing): entry.standing for entry in task.entries}
        self._standings = list(dict.fromkeys(objects.values()))
        number = {standing: at for at, standing in enumerate(self._standings)}
        alike = {key: number[standing] for key, standing in objects.items()}
        self._alike = [alike[id(entry.standing)] for entry in task.entries]
        self._findings: dict[tuple[tuple[int, ...], ...], Finding] = {}
        self.declaration_ids = pa.array([each.declaration_id for each in task.entries], pa.string())

    @property
    def needs_digests(self) -> bool:
        """Whether works are named by their bytes, so that local files must be digested."""
        return len(self.index.hashes) > 0

    def of_rows(self, sha256: pa.Array, url: pa.Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return what names each row, by number, and its keys in the index, a column each kind."""
        columns = self.index.find(sha256, url)
        if not columns[1].any() and not columns[2].any():
            return self._by_hashes(columns[0]), columns
        keys = np.column_stack(columns)
        number = np.zeros(len(keys), dtype=np.int32)
        rows = np.flatnonzero(keys.any(axis=1))
        distinct, inverse = np.unique(keys[rows], axis=0, return_inverse=True)
        numbers = [self._number(tuple(key)) for key in distinct.tolist()]
        number[rows] = np.array(numbers, dtype=np.int32)[inverse.ravel()]
        return number, columns

    def sources(self, keys: Sequence[int]) -> Sources:
        """Return the lists that name a row, from its keys."""
        return frozenset(each for key in keys if key for each in self.index.combinations.at(key))

    def finding(self, number: int) -> Finding:
        """Return what the agreements that name a row mean together."""
        named: Named = self.named.values[number]
        alike = self._alike
        groups = (tuple([alike[at] for at in each]) for each in (named.agreements, named.lifting))
        known = self._findings.get(key := tuple(groups))
        if known is None:
            standings = [[self._standings[at] for at in group] for group in key]
            known = self._findings[key] = finding_of(*standings)
        return known

    def behind(self, number: int) -> tuple[int, ...]:
        """Return the agreements behind a finding, by its positions."""
        named: Named = self.named.values[number]
        return (*named.agreements, *named.lifting)

    def speaking(self, number: int) -> list[int]:
        """Return the agreements that say what a finding says."""
        every = self.behind(number)
        return [every[at] for _, positions in self.finding(number).speakers for at in positions]

    def with_claims(
        self, number: int, sources: Sources, claims: Sequence[WorkClaim]
    ) -> tuple[int, frozenset[int]]:
        """Return what names a row once the registered works in it are known, and what is lifted.

        ``claims`` are those on the works; the positions of the declarations lifted come second. A
        claim is lifted by an agreement that grants and was made with the claimant: any claim of
        the licensor where the agreement names the row itself, one on a work that it names else.
        """
        of_row = self.named.values[number].agreements
        agreements = {*of_row, *self._of_whole_works(claims)}
        lifted: dict[int, set[int]] = {}
        for claim in claims:
            held = self._sources_of_work(claim.work_sha256)
            for lists, granted in ((sources | held, of_row), (held, self._named_by(held))):
                for at in granted:
                    if self._grants(at) and self._speaks_for(at, claim, lists):
                        lifted.setdefault(claim.position, set()).add(at)
        lifting = {at for each in lifted.values() for at in each} - agreements
        named = Named(tuple(sorted(agreements)), tuple(sorted(lifting)))
        return self.named.number(named), frozenset(lifted)

    def _by_hashes(self, keys: Array) -> Array:
        used = np.zeros(len(self._by_hash), dtype=np.bool_)
        used[keys] = True
        for key in np.flatnonzero(used & (self._by_hash < 0)).tolist():
            sources = self.index.combinations.at(key)
            self._by_hash[key] = self.named.number(Named(tuple(self._named_by(sources))))
        found: Array = self._by_hash[keys]
        return found

    def _number(self, key: tuple[int, ...]) -> int:
        known = self._by_key.get(key)
        if known is None:
            agreements = tuple(self._named_by(self.sources(key)))
            known = self._by_key[key] = self.named.number(Named(agreements))
        return int(known)

    def _named_by(self, sources: Collection[int]) -> list[int]:
        """Return the agreements on one of these lists, without those that exclude it by another."""
        if len(sources) == 1 and not self._excluding:
            return self._of_source.get(next(iter(sources)), [])
        found: set[int] = set()
        excluded: set[int] = set()
        for source in sources:
            found.update(self._of_source.get(source, ()))
            excluded.update(self._excluding.get(source, ()))
        return sorted(found - excluded)

    def _sources_of_work(self, sha256: str) -> Sources:
        known = self._works.get(sha256)
        if known is None:
            known = self._works[sha256] = frozenset(self.index.find_one(sha256) if sha256 else ())
        return known

    def _of_whole_works(self, claims: Sequence[WorkClaim]) -> Iterable[int]:
        """Yield the agreements on works that are certain to be the whole item.

        One that grants must be made with those who hold the whole work; the exclusive licence of
        somebody else stands in the way wherever the work is found.
        """
        for work in dict.fromkeys(claim.work for claim in claims):
            own = [claim for claim in claims if claim.work == work and claim.is_certain]
            held = self._sources_of_work(own[0].work_sha256) if own else frozenset()
            agreements = self._named_by(held)
            granting = [at for at in agreements if self._grants(at)]
            is_whole = bool(own) and own[0].covers_per_mille >= WHOLE_PER_MILLE
            shares = sum(
                claim.share_basis_points
                for claim in own
                if claim.grants or any(self._speaks_for(at, claim, held) for at in granting)
            )
            for at in agreements:
                effect = self.entries[at].standing.effect
                has_all = effect is Effect.NOTHING or shares >= WHOLE_SHARE_BASIS_POINTS
                if effect is Effect.EXCLUDES or (is_whole and has_all):
                    yield at

    def _grants(self, at: int) -> bool:
        return self.entries[at].standing.effect is Effect.GRANTS

    def _speaks_for(self, at: int, claim: WorkClaim, sources: Sources) -> bool:
        """Say whether an agreement's licensor speaks for a claimant, of works on these lists."""
        return bool(claim.public_key) and any(
            claim.public_key in each.keys and (each.source < 0 or each.source in sources)
            for each in self.entries[at].represented
        )
