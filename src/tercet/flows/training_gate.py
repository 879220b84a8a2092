"""The gate before training: only cleared rows of a signed clearance pass, by index, by digest.

Everything is checked before the first row is given, and every file again when it is read. What
passes is bound without a gap: the signature binds the digests of the verdicts and of the corpus;
the corpus binds the digest of each of its files; a file's bytes are given only if they have it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tercet.consent.corpora import ColumnNames, Corpus, media_members, open_corpus
from tercet.core.errors import InputError, IntegrityError, RefusedError
from tercet.core.ids import sha256_hex
from tercet.core.terms import Purpose
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome
from tercet.flows.clearance import Clearance
from tercet.flows.corpus_digests import checked_digests
from tercet.flows.local_notes import corpus_places
from tercet.flows.verify import read_clearance, verify

MEMBER_BYTES_MAX = 4 * 1024 * 1024 * 1024
_ANEW = "clear the corpus again with `tercet clear`"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ClearedItem:
    """One cleared row: its position in the corpus, its name there, and where its bytes lie."""

    row: int
    item: str
    sha256: str
    path: str
    offset: int
    size: int

    def read(self) -> bytes:
        """Return the bytes that were cleared. Raises IntegrityError when they are others now."""
        if self.size > MEMBER_BYTES_MAX:
            raise InputError(f"{self.item} has {self.size} bytes; at most {MEMBER_BYTES_MAX} fit")
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                raw = file.read(self.size + 1 if self.offset == 0 else self.size)
        except OSError as error:
            raise IntegrityError(
                f"cannot read {self.item}, which was cleared: {error.strerror or error}",
                hint=f"put it back, or {_ANEW}",
            ) from error
        if sha256_hex(raw) != self.sha256:
            raise IntegrityError(
                f"{self.item} was changed after it was cleared: expected SHA-256 "
                f"{self.sha256[:16]}, got {sha256_hex(raw)[:16]}",
                hint=f"put back what was cleared, or {_ANEW}",
            )
        return raw


@dataclass(frozen=True, slots=True)
class GateUse:
    """What the works are used for now: on which day, for what, for which model ("": not said).

    ``desk`` is asked what became of the agreements since; None: the one they were cleared with, if
    it still lies there.
    """

    on: str
    purpose: Purpose | None = None
    model: str = ""
    desk: Path | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What passed. ``without_file`` counts cleared rows of which no bytes lie here (URLs).

    ``contradicted`` counts cleared rows whose very bytes stand in another row that is not cleared:
    a work that somebody says no to does not pass because somebody else says yes.
    """

    clearance: Clearance
    items: tuple[ClearedItem, ...]
    without_file: int
    places: tuple[Path, ...]
    contradicted: int = 0


def open_gate(
    folder: Path,
    *,
    public_key: str,
    places: tuple[Path, ...] = (),
    asked: GateUse | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Gate:
    """Return the cleared rows of the clearance in ``folder``.

    ``public_key`` (Base64) is the key it must be signed with; ``places`` say where the corpus
    lies now, if not where it was cleared. With ``asked``, the agreements that the clearance rests
    on must hold for what the works are used for now; without it nothing new is done with them.

    Raises InputError when there is no clearance or corpus, IntegrityError when either is not as
    signed, RefusedError when the key is another, the usage is not training, or no row is cleared.
    """
    clearance = read_clearance(folder)
    document = clearance.document
    _check_signer(document, public_key)
    checks = verify(
        folder,
        public_key=public_key,
        progress=_stage(progress, "checking verdicts"),
        clearance=clearance,
    )
    failed = [check for check in checks if not check.holds]
    if failed:
        raise IntegrityError(
            f"the clearance in {folder} is not as signed: {failed[0].name}: {failed[0].found}",
            hint=f"`tercet verify {folder}` shows every check; {_ANEW}",
        )
    if document["usage"] != str(Usage.TRAIN_GENERATIVE):
        raise RefusedError(
            f"{folder} clears for {document['usage']}, not for {Usage.TRAIN_GENERATIVE}",
            hint=f"clear with --usage {Usage.TRAIN_GENERATIVE}",
        )
    if asked is not None and "agreements" in document:
        from tercet.flows.agreement_check import require_agreements

        require_agreements(folder, document, asked)
    found = places or corpus_places(folder)
    if not found:
        raise InputError(
            f"{folder} does not say where its corpus lies", hint="name it with --corpus PLACE"
        )
    names, others = _rows(folder, document)
    progress("checking the corpus", 0, 0)
    with TemporaryDirectory(prefix="tercet-") as work:  # staged anew: nothing kept is trusted
        corpus = open_corpus(found, work=Path(work), columns=_columns(document))
        digests = checked_digests(corpus, document["corpus"])
        passed = tuple(_items(corpus, names, digests))
        refused = _digests_of(corpus, others, digests)
    items = tuple(item for item in passed if item.sha256 not in refused)
    if not items:
        raise RefusedError(
            f"no row of {folder} may be learned from: {document['verdicts'].get('cleared', 0)} "
            f"cleared of {clearance.row_count}, {len(names) - len(passed)} without a local file, "
            f"{len(passed)} with the bytes of a row that is not cleared",
            hint="`tercet explain` says why an item was not cleared; works are read from local "
            "files only, so fetch what URLs name first",
        )
    contradicted = len(passed) - len(items)
    return Gate(clearance, items, len(names) - len(passed), tuple(found), contradicted)


def _stage(progress: Progress, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(stage, done, total)


def _check_signer(document: dict[str, Any], public_key: str) -> None:
    block = document.get("signature")
    signer = block.get("public_key") if isinstance(block, dict) else None
    if signer == public_key:
        return
    expected = _key_id(public_key)
    try:
        known = base64.b64decode(signer or "", validate=True)
    except (ValueError, TypeError):
        known = b""
    raise RefusedError(
        f"the clearance is signed with key {sha256_hex(known)[:16] if known else 'none'}, "
        f"expected {expected}",
        hint="it counts only under a key that you trust: your own, or the one you name with "
        "--public-key after its owner gave it to you",
    )


def _key_id(public_key: str) -> str:
    try:
        raw = base64.b64decode(public_key, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise InputError(
            f"expected a public key of 32 bytes in Base64, got {public_key[:60]!r}",
            hint="`tercet verify CLEARANCE` shows the key's id; its owner knows the key",
        )
    return sha256_hex(raw)[:16]


def _columns(document: dict[str, Any]) -> ColumnNames:
    """Return the columns that were read: a path of local files is found as it was then."""
    named = document["corpus"].get("columns")
    known = {name: str(named.get(name, "")) for name in ColumnNames.__slots__} if named else {}
    return ColumnNames(**known)


def _rows(folder: Path, document: dict[str, Any]) -> tuple[dict[int, str], set[int]]:
    """Return the items of the cleared rows, and all other rows."""
    cleared: dict[int, str] = {}
    others: set[int] = set()
    for row, item, verdict in _verdicts(folder, document):
        if verdict == str(Outcome.CLEARED):
            cleared[row] = item
        else:
            others.add(row)
    return cleared, others


def _verdicts(folder: Path, document: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield (row, item, verdict) of all rows, from exactly the bytes that the signature binds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for part in document["parts"]:
        raw = (folder / part["file"]).read_bytes()
        if sha256_hex(raw) != part["sha256"]:
            raise IntegrityError(f"{part['file']} was changed while it was read", hint=_ANEW)
        try:
            table = pq.read_table(io.BytesIO(raw), columns=["item_id", "item", "verdict"])
        except pa.ArrowException as error:
            raise IntegrityError(f"cannot read {part['file']}: {error}", hint=_ANEW) from error
        columns = (table[name].to_pylist() for name in ("item_id", "item", "verdict"))
        yield from zip(*columns, strict=True)


def _digests_of(
    corpus: Corpus, rows: set[int], digests: Callable[[int, str], str]
) -> frozenset[str]:
    """Return the digests of the files of ``rows``; one that nothing binds has none."""
    found = set()
    for shard in corpus.shards if rows else ():
        for member in media_members(corpus, shard):
            if member.row in rows:
                with suppress(IntegrityError):
                    found.add(digests(member.row, member.item))
    return frozenset(found)


def _items(
    corpus: Corpus, names: dict[int, str], digests: Callable[[int, str], str]
) -> Iterator[ClearedItem]:
    """Yield the cleared rows whose bytes lie here. Row and name must both agree."""
    for shard in corpus.shards:
        for member in media_members(corpus, shard):
            if member.row not in names:
                continue
            if names[member.row] != member.item:
                raise IntegrityError(
                    f"row {member.row} of the corpus is {member.item!r}, but "
                    f"{names[member.row]!r} was cleared there",
                    hint=_ANEW,
                )
            digest = digests(member.row, member.item)
            place = (member.path, member.offset, member.size)
            yield ClearedItem(member.row, member.item, digest, *place)
