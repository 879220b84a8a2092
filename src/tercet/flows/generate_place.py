"""Where a video is made: a hidden folder beside its final name, taken by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tercet.core.errors import InputError, StorageError
from tercet.store.files import sync_folder
from tercet.studio.media.whole_file import storage_error


@dataclass(frozen=True, slots=True)
class MakingPlace:
    """The hidden folder where ``out`` and the files beside it are made, under their own names."""

    out: Path
    folder: Path

    def file(self, suffix: str) -> Path:
        """Return a file while it is made: the video for ``.mp4``, else one beside it."""
        return self.folder / (self.out.name if suffix == ".mp4" else self.out.stem + suffix)

    def write(self, suffix: str, raw: bytes) -> None:
        """Write a file beside the video. Raises StorageError."""
        try:
            self.file(suffix).write_bytes(raw)
        except OSError as error:
            raise storage_error(self.out, error) from error

    def publish(self) -> tuple[Path, ...]:
        """Give every file its name and return them, the video last: then everything stands.

        Raises StorageError.
        """
        made = sorted(
            self.folder.iterdir(), key=lambda file: (file.name == self.out.name, file.name)
        )
        try:
            files = tuple(file.replace(self.out.parent / file.name) for file in made)
            sync_folder(self.out.parent)
        except OSError as error:
            raise storage_error(self.out, error) from error
        return files


@contextmanager
def making_place(out: Path) -> Iterator[MakingPlace]:
    """Give the place where ``out`` is made; it is removed at the end, whatever happened.

    What a killed process left there is removed first. Raises InputError for a name that cannot be
    a video's, StorageError where the folder cannot be written or another process is making it.
    """
    _check_name(out)
    folder = out.with_name(f".{out.name}.making")
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise storage_error(out, error) from error
    try:
        _take(descriptor, folder, out)
        _empty(folder)
        try:
            yield MakingPlace(out, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _check_name(out: Path) -> None:
    if out.suffix.lower() != ".mp4":
        raise InputError(
            f"expected a name that ends in .mp4, got {out}",
            hint="-o out.mp4; --webm writes a WebM beside it",
        )
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent}", hint="make it, or give another -o")
    if out.is_dir():
        raise InputError(f"{out} is a folder", hint="give the name of a file")


def _take(descriptor: int, folder: Path, out: Path) -> None:
    """Lock the folder: a lock ends with its process, however that ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(os.fstat(descriptor), folder.stat())
    except OSError:
        same = False
    if not same:
        raise StorageError(
            f"another process is making {out}", hint="wait for it, or give another -o"
        )


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
