"""The evidence directory: what was captured, what it declares, and the raw bytes behind it.

    survey.json           written last; a directory without it is unfinished
    captures.parquet      one row per thing fetched or extracted, failures included
    declarations.parquet  one row per declaration
    blobs/ab/<sha256>     raw bytes
    parts/                the journal of an unfinished run, gone when it is finished

    with EvidenceWriter(folder, user_agent="...", started_at="2026-11-22T10:00:00Z") as evidence:
        evidence.add([capture_of(capture, raw)])
        evidence.finish("2026-11-22T10:05:00Z")

What one ``add`` takes is written together or not at all. After a kill the next writer on the
same directory knows from the journal what is done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tercet.consent.capture import Capture, Captured, capture_of, declarations_of
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.store.blobs import BlobStore
from tercet.store.evidence_rows import (
    capture_row,
    capture_schema,
    declaration_row,
    declaration_schema,
)
from tercet.store.external_sort import sorted_tables
from tercet.store.files import sha256_of_file, write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "SURVEY_TYPE",
    "Capture",
    "Captured",
    "EvidenceWriter",
    "capture_of",
    "capture_schema",
    "check_evidence",
    "declaration_row",
    "declaration_schema",
    "declarations_of",
    "read_survey",
]

SURVEY_TYPE = "tercet/survey@1"
PART_ROWS_MAX = 5_000  # rows kept in memory before they are journalled
PART_TEXT_MAX = 32 * 1024 * 1024  # characters of readings, likewise
_ORDER = ("site", "item", "resource", "uri", "raw_sha256")
_GROUP_ROWS = {"captures": 20_000, "declarations": 2_000}  # of a row group; readings are long
_TIES = {"captures": ("fetched_at", "note"), "declarations": ("ordinal", "declaration_id")}


class EvidenceWriter:
    """Writes an evidence directory, crash-safe and resumable.

    ``started_at`` and ``user_agent`` are of the first run: a resumed run keeps them. Raises
    InputError when the folder holds an unfinished run by another user agent, StorageError when
    it cannot be written.
    """

    def __init__(self, folder: Path, *, user_agent: str = "", started_at: str = "") -> None:
        self.folder = folder
        self.blobs = BlobStore(folder / "blobs")
        self._parts = folder / "parts"
        self._captures: list[dict[str, Any]] = []
        self._declarations: list[dict[str, Any]] = []
        self._text = 0
        self._run = {"user_agent": user_agent, "started_at": started_at}
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
            self._resume()
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._sites: set[str] = set()
        self._items: set[bytes] = set()
        self._part_number = self._read_journal()

    def __enter__(self) -> EvidenceWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Journal what is complete, also when stopped by Ctrl-C."""
        if self._captures:
            self.flush()

    @property
    def sites_done(self) -> int:
        """How many sites have their site-level captures."""
        return len(self._sites)

    def is_done(self, site: str, item: str = "") -> bool:
        """Return whether the captures of this site (or item) are here already."""
        return _key(site, item) in self._items if item else site in self._sites

    def add(self, group: Iterable[Captured]) -> None:
        """Take all captures of one site or one item; they are written together.

        Raises StorageError when the disk cannot take them.
        """
        rows, declared, done = [], [], []
        for capture, raw in group:
            if capture.raw_sha256:
                self.blobs.put(raw)
            rows.append(capture_row(capture))
            for ordinal, declaration in enumerate(declarations_of(capture, raw)):
                declared.append(declaration_row(declaration, capture, ordinal))
            done.append((capture.site, capture.item))
        self._captures.extend(rows)
        self._declarations.extend(declared)
        for site, item in done:
            self._note_done(site, item)
        self._text += sum(len(row["readings"]) for row in declared)
        row_count = len(self._captures) + len(self._declarations)
        if row_count >= PART_ROWS_MAX or self._text >= PART_TEXT_MAX:
            self.flush()

    def flush(self) -> None:
        """Journal what was added. The captures part is written last: it makes the part count."""
        if not self._captures:
            return
        stem = self._parts / f"{self._part_number:06d}"
        try:
            _write_part(Path(f"{stem}.declarations.parquet"), self._declarations, declared=True)
            _write_part(Path(f"{stem}.captures.parquet"), self._captures, declared=False)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self._part_number += 1
        self._captures.clear()
        self._declarations.clear()
        self._text = 0

    def finish(self, finished_at: str) -> dict[str, Any]:
        """Merge the journal into the two tables, write survey.json, and return its content.

        Raises StorageError when the disk cannot take them; the journal then stays.
        """
        self.flush()
        try:
            survey = self._merge(finished_at)
            shutil.rmtree(self._parts)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return survey

    def _merge(self, finished_at: str) -> dict[str, Any]:
        counts = _Counts()
        fresh = {
            name: self._sorted(name, counts)
            for name in ("captures.parquet", "declarations.parquet")
        }
        document: dict[str, Any] = {
            "type": SURVEY_TYPE,
            "reader": _reader(),
            **self._run,
            "finished_at": finished_at,
            "counts": counts.document(),
            "files": {
                name: {"sha256": sha256_of_file(path), "bytes": path.stat().st_size}
                for name, path in fresh.items()
            },
        }
        # Between these steps the directory is unfinished, and the journal is still whole.
        (self.folder / "survey.json").unlink(missing_ok=True)
        for name, path in fresh.items():
            path.replace(self.folder / name)
        write_atomically(self.folder / "survey.json", canonical_json(document) + b"\n")
        return document

    def _sorted(self, name: str, counts: _Counts) -> Path:
        """Write one table, sorted, out of core; return the file still under its work name."""
        import pyarrow.parquet as pq

        declared = name.startswith("declarations")
        schema = declaration_schema() if declared else capture_schema()
        target = self._parts / f"whole-{name}"
        kind = "declarations" if declared else "captures"
        keys, rows = (*_ORDER, *_TIES[kind]), _GROUP_ROWS[kind]
        parts = self._part_files(name)
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for table in sorted_tables(parts, keys, self._parts / "buckets", rows):
                counts.add(table, declared=declared)
                writer.write_table(table.cast(schema), row_group_size=rows)
        return target

    def _part_files(self, name: str) -> list[Path]:
        """Return the journal's files of one table, only of parts that were completed."""
        whole = sorted(self._parts.glob("[0-9]*.captures.parquet"))
        return [path.with_name(path.name.split(".")[0] + "." + name) for path in whole]

    def _read_journal(self) -> int:
        """Learn what is done from the journal; return the next part's number."""
        import pyarrow.parquet as pq

        number = 0
        for path in self._part_files("captures.parquet"):
            table = pq.read_table(path, columns=["site", "item"])
            pairs = zip(table["site"].to_pylist(), table["item"].to_pylist(), strict=True)
            for site, item in pairs:
                self._note_done(site, item)
            number = int(path.name.split(".")[0]) + 1
        return number

    def _note_done(self, site: str, item: str) -> None:
        if item:
            self._items.add(_key(site, item))
        else:
            self._sites.add(site)

    def _resume(self) -> None:
        """Keep the first run's particulars; refuse to mix two user agents in one directory."""
        path = self._parts / "run.json"
        if not path.exists():
            write_atomically(path, canonical_json(self._run))
            return
        first = json.loads(path.read_bytes())
        if first["user_agent"] != self._run["user_agent"]:
            raise InputError(
                f"{self.folder} holds an unfinished survey by {first['user_agent']!r}, "
                f"this one is by {self._run['user_agent']!r}",
                hint="finish it with the same agent and contact, or choose another directory",
            )
        self._run = first


class _Counts:
    """What survey.json counts, taken from the rows as they are written."""

    def __init__(self) -> None:
        self.rows = [0, 0]
        self.sites: set[str] = set()
        self.resources: Counter[str] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.signals: Counter[str] = Counter()
        self.item_count = 0
        self._item = ("", "")

    def add(self, table: pa.Table, *, declared: bool) -> None:
        self.rows[declared] += table.num_rows
        if declared:
            self.signals.update(table.column("signal").to_pylist())
            return
        columns = [table.column(name).to_pylist() for name in ("site", "item")]
        for site, item in zip(*columns, strict=True):
            self.sites.add(site)
            if item and (site, item) != self._item:  # the rows come sorted
                self.item_count += 1
                self._item = (site, item)
        resources = table.column("resource").to_pylist()
        failures = table.column("failure").to_pylist()
        self.resources.update(resources)
        self.failures.update(pair for pair in zip(resources, failures, strict=True) if pair[1])

    def document(self) -> dict[str, Any]:
        failures: dict[str, dict[str, int]] = {}
        for (resource, failure), count in self.failures.items():
            failures.setdefault(resource, {})[failure] = count
        return {
            "sites": len(self.sites - {""}),
            "items": self.item_count,
            "captures": self.rows[0],
            "declarations": self.rows[1],
            "resources": dict(self.resources),
            "failures": failures,
            "signals": dict(self.signals),
        }


def read_survey(folder: Path) -> dict[str, Any]:
    """Return the content of an evidence directory's survey.json.

    Raises InputError when the directory is missing, unfinished, or of another type.
    """
    path = folder / "survey.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        unfinished = (folder / "parts").is_dir()
        raise InputError(
            f"{folder} is an unfinished survey" if unfinished else f"no survey.json in {folder}",
            hint="run the same `tercet survey` command again to finish it"
            if unfinished
            else "give a directory that `tercet survey` wrote",
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict) or document.get("type") != SURVEY_TYPE:
        raise InputError(f"expected {SURVEY_TYPE} in {path}")
    return document


def check_evidence(folder: Path) -> dict[str, Any]:
    """Return survey.json's content after checking the tables against its digests.

    Raises InputError as ``read_survey``, IntegrityError when a table is missing or was changed.
    """
    survey = read_survey(folder)
    for name, expected in survey["files"].items():
        path = folder / name
        if not path.is_file():
            raise IntegrityError(f"expected {path}, found nothing")
        if sha256_of_file(path) != expected["sha256"]:
            raise IntegrityError(f"{path} was changed after the survey: its SHA-256 differs")
    return survey


def _write_part(path: Path, rows: list[dict[str, Any]], *, declared: bool) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = declaration_schema() if declared else capture_schema()
    temporary = path.with_name(f".{path.name}")
    table = pa.Table.from_pylist(rows, schema=schema)
    # Without dictionaries the file tells its size in memory, by which the merge plans.
    pq.write_table(table, temporary, compression="zstd", use_dictionary=False)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def _key(site: str, item: str) -> bytes:
    """16 bytes stand for an item, so that a resumed survey of many items fits in memory."""
    text = f"{site}\x00{item}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).digest()


def _reader() -> dict[str, str]:
    from tercet.core.version import __version__

    return {"name": "tercet", "version": __version__}


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write in {folder}: {error.strerror or error}",
        hint="free some space or choose another directory; what is complete is kept",
    )
