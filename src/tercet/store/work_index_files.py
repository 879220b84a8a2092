"""The index of all repertoires a desk's agreements name, on disk; made once for the same ones.

index/<name>/words.npy         digests, by bucket              starts.npy   where buckets begin
index/<name>/number.npy        each digest's combination
index/<name>/addresses.parquet URLs and sites with theirs      combinations.npz
index/<name>/index.json        which repertoires, in order, with their numbers of works, -1 for one
                               that could not be used; SHA-256 of each file; a seal that only who
                               has the secret can make; written last
"""

from __future__ import annotations

import hmac
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tercet.consent.licences.hash_index import (
    HashIndex,
    bucket_starts,
    grouped,
    words_of,
)
from tercet.consent.licences.repertoire import Repertoire
from tercet.consent.licences.work_index import Combinations, WorkIndex, combine
from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError, StorageError, TercetError
from tercet.core.ids import sha256_hex
from tercet.store.files import sha256_of_file, write_atomically

Array = np.ndarray[Any, np.dtype[Any]]
Source = tuple[str, Callable[[], Repertoire]]
"""A name that stands for the content, and what reads it, or raises what is wrong with it."""

_CHUNK = 1 << 20
_UNUSED_S_MAX = 24 * 60 * 60
_SMALL = ("number.npy", "combinations.npz", "addresses.parquet")
_FILES = ("words.npy", "starts.npy", *_SMALL)
_VERSION = 3


@dataclass(frozen=True, slots=True)
class KeptIndex:
    """An index in its place. ``work_counts`` are those of the sources in order, -1 for none."""

    place: Path
    index: WorkIndex
    work_counts: tuple[int, ...]


def keep_index(folder: Path, sources: Sequence[Source], secret: bytes = b"") -> KeptIndex:
    """Return the index of ``sources``, from ``folder`` if it was made before, else made there.

    The combinations' numbers are positions in ``sources``; what could not be read is in none. It is
    sealed with ``secret``, and one with another seal is not used. Older indexes are removed once
    they were not used for a day: a clearing may still read them. Raises StorageError.
    """
    names = [name for name, _ in sources]
    about = {"version": _VERSION, "repertoires": names, "whose": sha256_hex(secret)}
    place = folder / sha256_hex(canonical_json(about))[:16]
    known = open_index(place) if is_kept(place, secret) else None
    if known is not None and -1 not in known.work_counts:
        return known
    try:
        _make(folder, place, names, sources, secret)
    except OSError as error:
        raise StorageError(
            f"cannot write the index of works under {folder}: {error.strerror or error}",
            hint="free some space, or make the folder writable",
        ) from error
    made = open_index(place)
    if made is None:
        raise IntegrityError(f"the index in {place} is not as it was written", hint="try again")
    return made


def is_kept(place: Path, secret: bytes = b"") -> bool:
    """Say whether an index is in ``place``, sealed with ``secret``, and every file as it was made.

    If so it stays there for a day from now.
    """
    try:
        manifest = json.loads((place / "index.json").read_bytes())
        seal, files = str(manifest.pop("seal")), manifest["files"]
        if not hmac.compare_digest(seal, _seal(manifest, secret)):
            return False
        if any(sha256_of_file(place / name) != files[name] for name in _FILES):
            return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    with suppress(OSError):  # where nobody may write, nobody removes it either
        os.utime(place)
    return True


def open_index(place: Path) -> KeptIndex | None:
    """Return the index in ``place``, None when there is none or it is damaged.

    Its seal and its large files are checked by ``is_kept``, once a clearing.
    """
    try:
        manifest = json.loads((place / "index.json").read_bytes())
        files = manifest["files"]
        if any(sha256_of_file(place / name) != files[name] for name in _SMALL):
            return None
        words, starts = (np.load(place / f"{n}.npy", mmap_mode="r") for n in ("words", "starts"))
        hashes = HashIndex(words, starts, np.load(place / "number.npy"))
        with np.load(place / "combinations.npz") as kept:
            combinations = Combinations(kept["members"], kept["starts"])
        addresses = pq.read_table(place / "addresses.parquet")
        counts = tuple(manifest["work_counts"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    sites = addresses.filter(addresses["is_site"])
    urls = addresses.filter(pc.invert(addresses["is_site"]))
    index = WorkIndex(
        hashes, _texts(urls), _numbers(urls), _texts(sites), _numbers(sites), combinations
    )
    return KeptIndex(place, index, counts)


def _seal(manifest: dict[str, Any], secret: bytes) -> str:
    return hmac.new(secret, canonical_json(manifest), "sha256").hexdigest()


def _make(
    folder: Path, place: Path, names: list[str], sources: Sequence[Source], secret: bytes
) -> None:
    for old in folder.glob("*") if folder.exists() else ():
        if old.stat().st_mtime < time.time() - _UNUSED_S_MAX:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(prefix=".", dir=folder))
    counts = _write(temporary, sources)
    digests = {name: sha256_of_file(temporary / name) for name in _FILES}
    manifest = {"repertoires": names, "work_counts": counts, "files": digests}
    sealed = {**manifest, "seal": _seal(manifest, secret)}
    write_atomically(temporary / "index.json", canonical_json(sealed))
    if place.exists():  # damaged, or of lists that are here again, or made by somebody meanwhile
        place.rename(temporary.with_name(f"{temporary.name}-old"))
    temporary.rename(place)


def _texts(table: pa.Table) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *table["text"].chunks])


def _numbers(table: pa.Table) -> Array:
    numbers: Array = table["number"].to_numpy()
    return numbers


def _write(place: Path, sources: Sequence[Source]) -> list[int]:
    words, owner, addresses, counts = _gathered(sources)
    order, starts, keys = grouped(words)
    sets = _Sets()
    numbers = sets.of_groups(owner[order], starts)
    first = order[starts[:-1]]
    shape = (len(first), words.shape[1])
    kept = np.lib.format.open_memmap(place / "words.npy", "w+", np.uint64, shape)
    for at in range(0, len(first), _CHUNK):
        kept[at : at + _CHUNK] = words[first[at : at + _CHUNK]]
    kept.flush()
    np.save(place / "starts.npy", bucket_starts(keys))
    np.save(place / "number.npy", numbers.astype(np.int32))
    rows = [
        {"text": text, "is_site": is_site, "number": sets.number(tuple(sorted(owners)))}
        for (is_site, text), owners in sorted(addresses.items())
    ]
    schema = pa.schema([("text", pa.string()), ("is_site", pa.bool_()), ("number", pa.int32())])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), place / "addresses.parquet")
    members, bounds = sets.arrays()
    np.savez(place / "combinations.npz", members=members, starts=bounds)
    return counts


class _Sets:
    """Numbers for sets of repertoires; 0 is the empty one."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {(): 0}

    def number(self, members: tuple[int, ...]) -> int:
        return self._numbers.setdefault(members, len(self._numbers))

    def of_groups(self, members: Array, starts: Array) -> Array:
        """Return the number of each group's set."""
        at, sets = combine(members, starts)
        numbers = [self.number(tuple(dict.fromkeys(each))) for each in sets]
        out: Array = np.array(numbers or [0], dtype=np.int32)[at]
        return out

    def arrays(self) -> tuple[Array, Array]:
        sizes = [len(members) for members in self._numbers]
        flat = [each for members in self._numbers for each in members]
        starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
        return np.array(flat, dtype=np.int32), starts


def _gathered(
    sources: Sequence[Source],
) -> tuple[Array, Array, dict[tuple[bool, str], set[int]], list[int]]:
    """Return all digests as words, the source of each, the addresses with theirs, and counts."""
    blocks = [words_of(np.zeros((0, 32), dtype=np.uint8))]
    owners = [np.zeros(0, dtype=np.int32)]
    addresses: dict[tuple[bool, str], set[int]] = {}
    counts: list[int] = []
    for at, (_, read) in enumerate(sources):
        try:
            repertoire = read()
        except TercetError:
            counts.append(-1)
            continue
        counts.append(repertoire.work_count)
        blocks.append(words_of(repertoire.digests))
        owners.append(np.full(len(blocks[-1]), at, dtype=np.int32))
        for is_site, texts in ((True, repertoire.sites), (False, repertoire.urls)):
            for each in texts:
                addresses.setdefault((is_site, each), set()).add(at)
    return np.concatenate(blocks), np.concatenate(owners), addresses, counts
