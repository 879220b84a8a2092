"""The verdict table on disk: one Parquet file a shard, each with a marker once it is whole.

verdicts.parquet/00000.parquet   item_id, item, verdict, reasons, declarations, policy
completions/00000.json           rows, counts and SHA-256 of that part; written last
completions/00000.npz            verdict counts by site
work/                            files that are not whole yet
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.clearing import OUTCOMES, DecidedRows
from tercet.core.canonical import canonical_json
from tercet.core.verdict import Verdict
from tercet.store.files import sha256_of_file, write_atomically, written_whole

Array = np.ndarray[Any, np.dtype[Any]]

_TEXT_CODE = pa.dictionary(pa.int32(), pa.string())
VERDICT_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("item_id", pa.int64(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("verdict", _TEXT_CODE, nullable=False),
        pa.field("reasons", pa.list_(_TEXT_CODE), nullable=False),
        pa.field("declarations", pa.list_(_TEXT_CODE), nullable=False),
        pa.field("policy", _TEXT_CODE, nullable=False),
    ]
)
"""``item_id`` is the row's position in the corpus, from 0; ``declarations`` are the deciding
ones, by id; ``policy`` is its id and version."""


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part, as its marker tells."""

    index: int
    row_start: int
    row_count: int
    sha256: str
    verdicts: dict[str, int]
    reasons: dict[str, dict[str, int]]

    def document(self) -> dict[str, Any]:
        """Return the part as the clearance lists it."""
        return {
            "file": f"verdicts.parquet/{self.index:05d}.parquet",
            "row_start": self.row_start,
            "rows": self.row_count,
            "sha256": self.sha256,
            "verdicts": self.verdicts,
        }


@dataclass(slots=True)
class PartRows:
    """What one shard's part is made of, gathered batch by batch."""

    row_start: int
    items: list[pa.Array]
    decided: list[DecidedRows]
    ids: pa.Array
    verdicts: list[Verdict]
    policy: str


class VerdictParts:
    """Writes and reads the parts of one clearing under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parts = folder / "verdicts.parquet"
        self._markers = folder / "completions"
        self._work = folder / "work"

    def prepare(self) -> None:
        """Make the folders. Raises OSError."""
        self._parts.mkdir(parents=True, exist_ok=True)
        self._markers.mkdir(parents=True, exist_ok=True)

    def path(self, index: int) -> Path:
        """Return the file of a part."""
        return self._parts / f"{index:05d}.parquet"

    def finished(self, index: int) -> Part | None:
        """Return the part when its marker is there and its file is as the marker tells."""
        try:
            part = Part(**json.loads((self._markers / f"{index:05d}.json").read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        path = self.path(index)
        known = path.is_file() and (self._markers / f"{index:05d}.npz").is_file()
        return part if known and sha256_of_file(path) == part.sha256 else None

    def write(self, index: int, rows: PartRows, site_count: int) -> Part:
        """Write one part and then its marker. Raises OSError; then there is no marker."""
        verdict, known = _in_order(rows)
        site = np.concatenate([decided.site for decided in rows.decided])
        table = _table(rows, known, verdict)
        path = self.path(index)
        with written_whole(path, self._work) as temporary:
            pq.write_table(
                table,
                temporary,
                compression="zstd",
                compression_level=1,
                use_dictionary=["verdict", "reasons.list.element", "declarations.list.element",
                                "policy"],
                dictionary_pagesize_limit=1 << 25,
                row_group_size=1 << 20,
                write_statistics=["item_id"],
            )  # fmt: skip
            digest = sha256_of_file(temporary)
        part = _counted(index, rows.row_start, known, verdict, digest)
        self._write_sites(index, site, _outcome_codes(known)[verdict], site_count)
        marker = {name: getattr(part, name) for name in Part.__slots__}
        write_atomically(self._markers / f"{index:05d}.json", canonical_json(marker))
        return part

    def _write_sites(self, index: int, site: Array, outcome: Array, site_count: int) -> None:
        known = site >= 0
        width = len(OUTCOMES)
        key = site[known].astype(np.int64) * width + outcome[known]
        counts = np.bincount(key, minlength=site_count * width).reshape(-1, width)
        used = np.flatnonzero(counts.any(axis=1))
        packed = io.BytesIO()
        np.savez(packed, site=used, counts=counts[used])
        write_atomically(self._markers / f"{index:05d}.npz", packed.getvalue())

    def site_counts(self, indexes: range, site_count: int) -> Array:
        """Return verdict counts by site, summed over parts; columns in the order of OUTCOMES."""
        total = np.zeros((site_count, len(OUTCOMES)), dtype=np.int64)
        for index in indexes:
            with np.load(self._markers / f"{index:05d}.npz") as kept:
                total[kept["site"]] += kept["counts"]
        return total


def _in_order(rows: PartRows) -> tuple[Array, list[Verdict]]:
    """Return each row's verdict by number, and the verdicts that occur, in an order of their own.

    The numbers a worker gives depend on the shards it had before; the bytes of a part must not.
    """
    number = np.concatenate([decided.verdict for decided in rows.decided])
    used = np.flatnonzero(np.bincount(number, minlength=len(rows.verdicts))).tolist()
    used.sort(key=lambda at: _words(rows.verdicts[at]))
    place = np.zeros(max(len(rows.verdicts), 1), dtype=np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return place[number], [rows.verdicts[at] for at in used]


def _words(verdict: Verdict) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return str(verdict.outcome), verdict.reasons, verdict.deciding


def _outcome_codes(verdicts: list[Verdict]) -> Array:
    return np.array([OUTCOMES.index(v.outcome) for v in verdicts] or [0], dtype=np.int64)


def _counted(
    index: int, row_start: int, verdicts_known: list[Verdict], verdict: Array, digest: str
) -> Part:
    counts = np.bincount(verdict, minlength=len(verdicts_known)).tolist()
    verdicts = dict.fromkeys((str(outcome) for outcome in OUTCOMES), 0)
    reasons: dict[str, dict[str, int]] = {}
    for known, count in zip(verdicts_known, counts, strict=True):
        if not count:
            continue
        outcome = str(known.outcome)
        verdicts[outcome] += count
        for reason in known.reasons:
            by_outcome = reasons.setdefault(reason, {})
            by_outcome[outcome] = by_outcome.get(outcome, 0) + count
    return Part(index, row_start, len(verdict), digest, verdicts, reasons)


def _table(rows: PartRows, verdicts: list[Verdict], verdict: Array) -> pa.Table:
    count = len(verdict)
    outcomes = pa.array([str(outcome) for outcome in OUTCOMES])
    outcome = _outcome_codes(verdicts)[verdict].astype(np.int32)
    reasons = sorted({reason for known in verdicts for reason in known.reasons})
    arrays = [
        pa.array(np.arange(rows.row_start, rows.row_start + count, dtype=np.int64)),
        pa.chunked_array(rows.items, pa.string()),
        pa.DictionaryArray.from_arrays(pa.array(outcome), outcomes),
        _reason_lists(verdicts, reasons, verdict),
        _declaration_lists(rows),
        pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(count, dtype=np.int32)), pa.array([rows.policy])
        ),
    ]
    return pa.table(arrays, schema=VERDICT_SCHEMA)


def _reason_lists(verdicts: list[Verdict], reasons: list[str], verdict: Array) -> pa.Array:
    number = {reason: at for at, reason in enumerate(reasons)}
    groups = [[number[reason] for reason in known.reasons] for known in verdicts]
    sizes = np.array([len(group) for group in groups] or [0], dtype=np.int64)
    flat = np.array([at for group in groups for at in group] or [0], dtype=np.int32)
    first = np.cumsum(sizes) - sizes
    chosen = sizes[verdict]
    start = np.concatenate(([0], np.cumsum(chosen)))
    within = np.arange(start[-1]) - np.repeat(start[:-1], chosen)
    codes = flat[np.repeat(first[verdict], chosen) + within]
    return _lists(start, codes, pa.array(reasons, pa.string()))


def _declaration_lists(rows: PartRows) -> pa.Array:
    """Name the deciding declarations; the dictionary holds only those that occur."""
    evidence = np.concatenate([decided.evidence for decided in rows.decided])
    sizes = np.concatenate([np.diff(decided.evidence_start) for decided in rows.decided])
    used = np.zeros(len(rows.ids) + 1, dtype=np.bool_)
    used[evidence] = True
    code = np.cumsum(used, dtype=np.int32) - 1
    names = rows.ids.take(pa.array(np.flatnonzero(used[:-1])))
    return _lists(np.concatenate(([0], np.cumsum(sizes))), code[evidence], names)


def _lists(start: Array, codes: Array, names: pa.Array) -> pa.Array:
    values = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names)
    return pa.ListArray.from_arrays(pa.array(start.astype(np.int32)), values)
