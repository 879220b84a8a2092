"""Files written whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK_BYTES = 1024 * 1024


def write_atomically(path: Path, raw: bytes) -> None:
    """Write ``raw`` to ``path`` by way of a temporary file beside it, flushed to the disk.

    Raises OSError; then ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def written_whole(path: Path, work: Path) -> Iterator[Path]:
    """Give a temporary path in ``work``; what was written there becomes ``path`` at the end.

    Each process has its own: after a kill an old worker may still be writing. On an error the
    temporary file is removed and ``path`` stays as it was. Raises OSError.
    """
    work.mkdir(parents=True, exist_ok=True)
    temporary = work / f"{path.parent.name}-{path.name}.{os.getpid()}"
    try:
        yield temporary
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits, read in pieces.

    Raises OSError, also for what is no regular file: a pipe would block, a device never end.
    """
    digest = hashlib.sha256()
    if not path.is_file():
        raise OSError("not a regular file")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def literal_path(path: Path) -> str:
    """Return ``path`` for DuckDB, which would take ``*``, ``?`` and ``[`` for wildcards."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def sync_folder(folder: Path) -> None:
    """Flush the names in ``folder`` to the disk: a file renamed into it stays there."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
