"""Arrays in one file, each with its SHA-256 in a directory beside it; written once, then mapped.

    arrays.bin     the arrays one after the other, each at a multiple of 64 bytes, little-endian
    segment.json   the directory: name, type, shape, start and SHA-256 of each, and free fields

Sizes and the digests of small arrays are checked whenever the file is opened, all digests when
somebody asks for it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tercet.core.errors import IntegrityError, StorageError
from tercet.store.files import sync_folder

Array = np.ndarray[Any, np.dtype[Any]]

ARRAYS_NAME = "arrays.bin"
DIRECTORY_NAME = "segment.json"
ALIGNMENT_BYTES = 64
OPEN_CHECK_BYTES = 64 * 1024
"""Arrays up to this size are compared with their digests whenever a segment is opened."""
_CHUNK_BYTES = 1 << 22

DAMAGED_HINT = (
    "restore the registry from a backup, or register the works of this segment again; "
    "`tercet registry verify` names all that is damaged"
)


@dataclass(slots=True)
class ArrayWriter:
    """Writes arrays.bin of a new folder, then segment.json. The folder is whole after `finish`."""

    folder: Path
    entries: dict[str, dict[str, object]] = field(default_factory=dict)
    _file: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self._file = (self.folder / ARRAYS_NAME).open("w+b")

    def add(self, name: str, kind: str, width: tuple[int, ...], chunks: Iterable[Array]) -> int:
        """Write the array ``name`` of numpy type ``kind`` and return its length.

        ``chunks`` are its pieces along the first axis; the other axes are ``width``.
        """
        start = -(-self._file.tell() // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        self._file.write(b"\0" * (start - self._file.tell()))
        digest, length = hashlib.sha256(), 0
        for chunk in chunks:
            rows = np.ascontiguousarray(chunk, np.dtype(kind)).reshape(-1, *width)
            raw = rows.reshape(-1).view(np.uint8).data
            digest.update(raw)
            self._file.write(raw)
            length += len(rows)
        self.entries[name] = {
            "dtype": kind,
            "shape": [length, *width],
            "start": start,
            "sha256": digest.hexdigest(),
        }
        return length

    def mapped(self, name: str) -> Array:
        """Return an array that was just written."""
        self._file.flush()
        return _mapped(self.folder / ARRAYS_NAME, self.entries[name])

    def finish(self, fields: Mapping[str, object]) -> str:
        """Write the directory, flush all to the disk, and return the directory's SHA-256."""
        size = self._file.tell()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        directory = {"arrays": self.entries, "bytes": size, **fields}
        raw = json.dumps(directory, sort_keys=True, separators=(",", ":")).encode()
        with (self.folder / DIRECTORY_NAME).open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)
        return hashlib.sha256(raw).hexdigest()

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class MappedArrays:
    """The arrays of a folder, mapped into memory: what is not touched is not read."""

    folder: Path
    fields: Mapping[str, Any]
    _raw: Array

    @classmethod
    def open(cls, folder: Path, sha256: str) -> MappedArrays:
        """Map the arrays of ``folder``, whose directory has the digest ``sha256``.

        Raises FileNotFoundError; IntegrityError when sizes or the directory's digest differ.
        """
        place = folder / DIRECTORY_NAME
        raw = place.read_bytes()
        found = hashlib.sha256(raw).hexdigest()
        if found != sha256:
            raise damaged(place, f"SHA-256 {sha256}", found)
        fields = json.loads(raw)
        path = folder / ARRAYS_NAME
        size = path.stat().st_size
        if size != fields["bytes"]:
            raise damaged(path, f"{fields['bytes']} bytes", f"{size}")
        try:
            mapped = np.memmap(path, np.uint8, "r") if size else np.zeros(0, np.uint8)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageError(f"{path} cannot be mapped: {error.strerror}") from error
        for name, entry in fields["arrays"].items():
            if entry["start"] + _size_bytes(entry) > size:
                raise damaged(path, f"array {name} within {size} bytes", f"{entry['start']}")
        arrays = cls(folder, fields, mapped)
        for problem in arrays.problems(OPEN_CHECK_BYTES):
            raise problem
        return arrays

    def __contains__(self, name: str) -> bool:
        return name in self.fields["arrays"]

    def __getitem__(self, name: str) -> Array:
        """Return an array, mapped. Raises IntegrityError when the directory does not name it."""
        entry = self.fields["arrays"].get(name)
        if entry is None:
            raise damaged(self.folder / DIRECTORY_NAME, f"an array {name}", "none")
        raw = self._raw[entry["start"] : entry["start"] + _size_bytes(entry)]
        array: Array = np.asarray(raw).view(entry["dtype"]).reshape(entry["shape"])
        return array

    def problems(self, size_max: float = math.inf) -> list[IntegrityError]:
        """Read every array of at most ``size_max`` bytes; return an error for each damaged one."""
        found = []
        for name, entry in self.fields["arrays"].items():
            size = _size_bytes(entry)
            if size > size_max:
                continue
            raw = self._raw[entry["start"] : entry["start"] + size]
            digest = hashlib.sha256()
            for start in range(0, size, _CHUNK_BYTES):
                digest.update(raw[start : start + _CHUNK_BYTES].data)
            if digest.hexdigest() != entry["sha256"]:
                expected = f"array {name} with SHA-256 {entry['sha256']}"
                found.append(damaged(self.folder / ARRAYS_NAME, expected, digest.hexdigest()))
        return found


def damaged(path: Path, expected: str, got: str) -> IntegrityError:
    """Return the error for a file that is not what was written."""
    return IntegrityError(f"{path} is damaged: expected {expected}, got {got}", hint=DAMAGED_HINT)


def _size_bytes(entry: Mapping[str, Any]) -> int:
    return int(math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize)


def _mapped(path: Path, entry: Mapping[str, Any]) -> Array:
    shape = tuple(entry["shape"])
    if not math.prod(shape):
        return np.zeros(shape, entry["dtype"])
    return np.memmap(path, entry["dtype"], "r", entry["start"], shape)
