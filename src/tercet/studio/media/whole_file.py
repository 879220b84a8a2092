"""A file written whole or not at all: what a decoder, a kill or a full disk leaves is no video."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tercet.core.errors import StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a hidden path beside ``path``; what was written there becomes ``path`` at the end.

    It is flushed to the disk before it gets the name. On any error it is removed, and ``path``
    stays as it was; after a kill ``.NAME.part`` may lie there, which the next writer takes over.
    Raises StorageError when it cannot be written or another process is writing it.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        _take(descriptor, part, path)
        try:
            yield part
            os.fsync(descriptor)
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise storage_error(path, error) from error
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return what the operating system said of writing ``path``, and what to do about it."""
    full = error.errno in _FULL
    return StorageError(
        f"cannot write {path}: {error.strerror or error}",
        hint="nothing was left under that name; free some space, or write to another disk"
        if full
        else "nothing was left under that name; check that the folder exists and may be written",
    )


def _take(descriptor: int, part: Path, path: Path) -> None:
    """Lock the hidden file, so that two processes never write into one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(os.fstat(descriptor), os.stat(part))
    except OSError:
        same = False
    if not same:
        raise StorageError(
            f"another process is writing {path}", hint="wait for it, or give another name"
        )
    os.ftruncate(descriptor, 0)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
