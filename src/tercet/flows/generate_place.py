"""Where a video is made: a hidden folder beside its final name, taken by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tercet.core.errors import InputError, StorageError
from tercet.flows.delivery import Delivered
from tercet.store.files import sync_folder


@dataclass(frozen=True, slots=True)
class MakingPlace:
    """The hidden folder where ``out`` and the files beside it are made, under their own names."""

    out: Path
    folder: Path

    @property
    def video(self) -> Path:
        """The video while it is made."""
        return self.folder / self.out.name

    def publish(self) -> None:
        """Give every file its name, the video last: where it stands, everything stands."""
        for file in sorted(self.folder.iterdir(), key=lambda file: file.name == self.out.name):
            file.replace(self.out.parent / file.name)
        sync_folder(self.out.parent)

    def published(self, files: Delivered) -> Delivered:
        """Return where the files lie after `publish`."""
        parent = self.out.parent
        manifest = files.manifest
        return replace(
            files,
            video=self.out,
            credits=parent / files.credits.name,
            thumbnail=parent / files.thumbnail.name,
            sprite_sheet=parent / files.sprite_sheet.name,
            manifest=parent / manifest.name if manifest else None,
            encoded=replace(files.encoded, path=self.out),
        )


@contextmanager
def making_place(out: Path, *, webm: bool = False) -> Iterator[MakingPlace]:
    """Give the place where ``out`` is made; it is removed at the end, whatever happened.

    What a killed process left there is removed first. Raises InputError for a name that cannot be
    a video's, StorageError where the folder cannot be written or another process is making it.
    """
    _check_name(out, ".webm" if webm else ".mp4")
    folder = out.with_name(f".{out.name}.making")
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise StorageError(
            f"cannot write beside {out}: {error.strerror}", hint="give another -o"
        ) from error
    try:
        _take(descriptor, folder, out)
        _empty(folder)
        try:
            yield MakingPlace(out, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _check_name(out: Path, suffix: str) -> None:
    if out.suffix.lower() != suffix:
        raise InputError(
            f"expected a name that ends in {suffix}, got {out}", hint=f"-o video{suffix}"
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
