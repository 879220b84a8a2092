"""Clearing one shard: its rows in, its part of the verdict table out. Runs in a worker process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.clearing import Clearing, Ground
from tercet.consent.corpora import Corpus, Member, Shard, media_members
from tercet.consent.paths import normalise_path
from tercet.consent.policy import Policy
from tercet.consent.rulebook import Rulebook
from tercet.consent.signal import Resource
from tercet.consent.site_index import SiteIndex
from tercet.consent.table_columns import ColumnText, TableColumn
from tercet.consent.urls import split_url
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome
from tercet.store.agreement_evidence import write_agreement_counts
from tercet.store.column_evidence import write_column_evidence
from tercet.store.evidence_index import ItemEvidence
from tercet.store.offers import item_offers, write_item_offers
from tercet.store.row_faults import faulty_rows, write_faults
from tercet.store.verdict_parts import Part, PartRows, VerdictParts

if TYPE_CHECKING:
    from tercet.flows.agreement_meanings import AgreementMeanings
    from tercet.flows.agreement_rows import AgreementRows, AgreementTask
    from tercet.flows.claim_offers import ClaimOffers
    from tercet.flows.table_matches import TableMatches

Array = np.ndarray[Any, np.dtype[Any]]

LOT_BYTES_MAX = 48 * 1024 * 1024
_BLOCK_BYTES = 1 << 20
_PLACE_BITS = 32  # claims of several places of one row are told apart by what stands above
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_COLUMNS = {"licence": Resource.LICENCE_TEXT, "headers": Resource.HTTP_HEADERS}


@dataclass(frozen=True, slots=True)
class ShardTask:
    """All a worker needs to know besides the site index."""

    corpus: Corpus
    policy: Policy
    usage: Usage
    out: Path
    item_folders: tuple[Path, ...]
    registry: Path | None = None
    agreements: AgreementTask | None = None
    offers: ClaimOffers | None = None


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Rows in which registered works were found: where their findings stand, and what is claimed.

    ``path`` is that at which the rulebook is asked.
    """

    finding: Array
    rows: Array
    rulebook: Rulebook
    path: bytes


class ShardClearing:
    """Clears shard after shard with the same sites and policy."""

    def __init__(self, task: ShardTask, sites: SiteIndex) -> None:
        self.task = task
        self.clearing = Clearing(sites, task.policy)
        self.items = ItemEvidence(task.item_folders, task.usage, task.out / "work")
        self.parts = VerdictParts(task.out)
        self.registry = _table_matches(task)
        self.agreements = _agreement_meanings(task, self.clearing)

    def clear(self, shard: Shard) -> Part:
        """Write the shard's part and return it; a finished one is only returned."""
        finished = self.parts.finished(shard.index)
        if finished is not None:
            return finished
        name = _input_name(self.task.corpus, shard)
        columns = {
            column: TableColumn(resource, f"{name}#{column}", self.task.usage)
            for column, resource in _COLUMNS.items()
        }
        reading = _ShardReading(self, shard, columns)
        for batch in in_lots(self.task.corpus.batches(shard)):
            reading.take(batch)
        rows = reading.rows()
        write_column_evidence(self.task.out, shard.index, reading.column_texts)
        write_faults(self.task.out, shard.index, reading.faults)
        write_item_offers(self.task.out, shard.index, reading.offers)
        if self.agreements is not None:
            rested = self.agreements.by_agreement(reading.rested)
            write_agreement_counts(self.task.out, shard.index, rested)
        return self.parts.write(shard.index, rows, len(self.clearing.sites.origins))


class _ShardReading:
    """Gathers the batches of one shard."""

    def __init__(self, owner: ShardClearing, shard: Shard, columns: dict[str, TableColumn]) -> None:
        self.clearing = owner.clearing
        self.evidence = owner.items
        self.registry = owner.registry
        self.agreements = owner.agreements
        self.policy = owner.task.policy
        self.shard = shard
        self.columns = columns
        self.column_texts: list[ColumnText] = []
        self.faults: list[pa.RecordBatch] = []
        self.offers: list[dict[str, object]] = []
        self.items: list[pa.Array] = []
        self.decided: list[Any] = []
        self._ids: list[str] = []
        # The list of ids: those of all sites, of all agreements, and of what is found in the rows.
        self._agreement_ids = pa.array([], pa.string())
        self._text_start: dict[int, int] = {}
        self._claimed: list[_Claimed] = []
        self._named_start: dict[int, int] = {}
        self.rested: Array = np.zeros(0, dtype=np.int64)
        self._digests: dict[int, str] = {}
        if self.agreements is not None:
            rows = self.agreements.rows
            self._agreement_ids = rows.declaration_ids
            if rows.needs_digests:
                members = media_members(owner.task.corpus, shard)
                self._digests = {member.row: _digest(member) for member in members}
        self._id_base = len(self.clearing.sites.ids) + len(self._agreement_ids)

    def take(self, batch: pa.RecordBatch) -> None:
        """Decide the rows of one batch."""
        faulty = pc.is_valid(batch["fault"]).to_numpy(zero_copy_only=False)
        if faulty.any():
            self.faults.append(faulty_rows(batch))
        site_ground, site = self.clearing.site_ground(batch["url"], faulty)
        grounds = [site_ground]
        asked = pc.is_valid(batch["headers"]).to_numpy(zero_copy_only=False)
        asked |= pc.is_null(batch["url"]).to_numpy(zero_copy_only=False)
        for folder in self.evidence.folders:
            ground, captured = self._item_ground(batch, folder)
            grounds.append(ground)
            asked |= captured
        grounds.append(self.clearing.asking_ground(asked))
        for name, column in self.columns.items():
            if batch[name].null_count < len(batch):
                grounds.append(self._column_ground(batch[name], column))
        if self.registry is not None:
            grounds.append(self._registry_ground(batch, self.registry))
        self.items.append(batch["item"])
        if self.agreements is None:
            self.decided.append(self.clearing.decide_rows(grounds, site))
            return
        named = self._named(batch, self.agreements.rows)
        grounds.append(self._agreement_ground(named, self.agreements))
        self.decided.append(self.clearing.decide_rows(grounds, site))
        self._count_rested(named)

    def rows(self) -> PartRows:
        """Return everything gathered, ready to be written."""
        own = pa.array(self._ids, pa.string())
        return PartRows(
            row_start=self.shard.row_start,
            items=self.items,
            decided=self.decided,
            ids=pa.concat_arrays([self.clearing.sites.ids, self._agreement_ids, own]),
            verdicts=self.clearing.verdicts.values,
            policy=f"{self.policy.id}@{self.policy.version}",
        )

    def _keep_ids(self, ids: list[str]) -> int:
        start = self._id_base + len(self._ids)
        self._ids += ids
        return start

    def _item_ground(self, batch: pa.RecordBatch, folder: Path) -> tuple[Ground, Array]:
        """What one evidence directory holds of the items themselves, and of which."""
        captured = np.zeros(len(batch), dtype=np.bool_)
        finding = np.zeros(len(batch), dtype=np.int32)
        start = np.zeros(len(batch), dtype=np.int64)
        first = batch["row"][0].as_py() if len(batch) else 0
        asked = pa.table({"row": batch["row"], "item": batch["item"]})
        for row, rulebook, ids in self.evidence.of_rows(asked, folder):
            at = row - first
            found = rulebook.at(_path(batch["url"][at])) if rulebook.ruled else None
            finding[at] = self.clearing.findings.number(found or rulebook.everywhere)
            start[at] = self._keep_ids(ids)
            captured[at] = True
            if rulebook.claims:
                path = _path(batch["url"][at])
                self._claimed.append(_Claimed(finding, np.array([at]), rulebook, path))
            if rulebook.offers:
                split = split_url(batch["url"][at].as_py() or "")
                site = split.origin if split else ""
                self.offers += item_offers(rulebook, ids, site, batch["item"][at].as_py())
        return Ground(finding, start), captured

    def _column_ground(self, values: pa.Array, column: TableColumn) -> Ground:
        coded = values.dictionary_encode()
        texts = coded.dictionary.to_pylist()
        finding = np.zeros(len(texts) + 1, dtype=np.int32)
        start = np.zeros(len(texts) + 1, dtype=np.int64)
        for at, text in enumerate(texts):
            read = column.read(text)
            finding[at] = self.clearing.findings.number(read.rulebook.everywhere)
            start[at] = self._start_of(read)
        code = pc.fill_null(coded.indices, len(texts)).to_numpy(zero_copy_only=False)
        return Ground(finding[code], start[code])

    def _registry_ground(self, batch: pa.RecordBatch, registry: TableMatches) -> Ground:
        """What owners say of works that the table names by hash or URL."""
        finding = np.zeros(len(batch), dtype=np.int32)
        start = np.zeros(len(batch), dtype=np.int64)
        for rows, read in registry.of_batch(batch):
            finding[rows] = self.clearing.findings.number(read.rulebook.everywhere)
            start[rows] = self._start_of(read)
            if read.rulebook.claims:
                self._claimed.append(_Claimed(finding, rows, read.rulebook, b"/"))
            if read.rulebook.offers:
                ids = [d.declaration_id for d in read.declarations]
                for item in batch["item"].take(pa.array(rows)).to_pylist():
                    self.offers += item_offers(read.rulebook, ids, "", item)
        return Ground(finding, start)

    def _named(self, batch: pa.RecordBatch, agreements: AgreementRows) -> Array:
        """Return what agreements name each row, and take the claims they lift out of its findings.

        What is found in a row may bring agreements to it, so all of it is looked at before any
        claim is lifted.
        """
        named, keys = agreements.of_rows(self._sha256(batch), batch["url"])
        found: dict[int, list[tuple[_Claimed, int]]] = {}
        for claimed in self._claimed:
            for row in claimed.rows.tolist():
                found.setdefault(row, []).append((claimed, len(claimed.rulebook.claims)))
        for row, places in found.items():
            claims = [
                replace(claim, position=at << _PLACE_BITS | claim.position)
                for at, (claimed, _) in enumerate(places)
                for claim in claimed.rulebook.claims
            ]
            sources = agreements.sources([int(column[row]) for column in keys])
            named[row], lifted = agreements.with_claims(int(named[row]), sources, claims)
            for at, (claimed, _) in enumerate(places) if lifted else ():
                own = frozenset(p & _PLACE_MASK for p in lifted if p >> _PLACE_BITS == at)
                left = claimed.rulebook.without(own, claimed.path)
                claimed.finding[row] = self.clearing.findings.number(left)
        self._claimed.clear()
        return named

    def _sha256(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the digests of the rows: of the table, or of the files themselves."""
        if not self._digests:
            return batch["sha256"]
        own = pa.array([self._digests.get(row) for row in batch["row"].to_pylist()], pa.string())
        return pc.coalesce(own, batch["sha256"])

    def _agreement_ground(self, named: Array, meanings: AgreementMeanings) -> Ground:
        """What agreements mean for each row."""
        meanings.extend()
        start = len(self.clearing.sites.ids) + meanings.alone
        ids = self._agreement_ids
        for number in meanings.used_severals(named):
            known = self._named_start.get(number)
            if known is None:
                behind = meanings.rows.behind(number)
                known = self._keep_ids(ids.take(pa.array(behind)).to_pylist())
                self._named_start[number] = known
            start[number] = known
        return Ground(meanings.finding[named], start[named])

    def _count_rested(self, named: Array) -> None:
        """Count the cleared rows that rest on agreements, by the number of what names them."""
        rests = [
            verdict.outcome is Outcome.CLEARED and "agreement" in verdict.deciding
            for verdict in self.clearing.verdicts.values
        ]
        rows = named[np.array(rests or [False])[self.decided[-1].verdict]]
        counts = np.bincount(rows, minlength=len(self.rested))
        counts[: len(self.rested)] += self.rested
        self.rested = counts

    def _start_of(self, read: ColumnText) -> int:
        known = self._text_start.get(id(read))
        if known is None:
            known = self._keep_ids([d.declaration_id for d in read.declarations])
            self._text_start[id(read)] = known
            self.column_texts.append(read)
        return known


def _table_matches(task: ShardTask) -> TableMatches | None:
    if task.registry is None:
        return None
    from tercet.flows.table_matches import TableMatches
    from tercet.store.registry import Registry

    return TableMatches(Registry.open(task.registry), task.usage, task.offers)


def _agreement_meanings(task: ShardTask, clearing: Clearing) -> AgreementMeanings | None:
    if task.agreements is None:
        return None
    from tercet.flows.agreement_meanings import AgreementMeanings
    from tercet.flows.agreement_rows import AgreementRows

    return AgreementMeanings(AgreementRows(task.agreements), clearing.findings)


def _digest(member: Member) -> str:
    """Return the SHA-256 of a media file's bytes, "" where it cannot be read."""
    digest = sha256()
    try:
        with open(member.path, "rb") as file:
            file.seek(member.offset)
            left = member.size
            while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
                digest.update(block)
                left -= len(block)
    except OSError:
        return ""
    return digest.hexdigest()


def _input_name(corpus: Corpus, shard: Shard) -> str:
    """Return the name of the input that a shard's rows come from."""
    ends = np.cumsum([each.rows for each in corpus.inputs])
    return corpus.inputs[int(np.searchsorted(ends, shard.row_start, side="right"))].name


def _path(url: pa.Scalar) -> bytes:
    split = split_url(url.as_py()) if url.is_valid else None
    return normalise_path(split.path.encode()) if split else b"/"


def in_lots(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join batches, as many rows at a time as memory allows: each site is then met once a lot."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if waiting and size + batch.nbytes > LOT_BYTES_MAX:
            yield pa.concat_batches(waiting)
            waiting, size = [], 0
        waiting.append(batch)
        size += batch.nbytes
    if waiting:
        yield pa.concat_batches(waiting)
