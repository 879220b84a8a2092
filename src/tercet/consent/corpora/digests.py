"""SHA-256 of the inputs of a corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import file_digest, sha256
from pathlib import Path

from tercet.consent.corpora.corpus import Corpus, InputFile
from tercet.consent.corpora.folder import media_entries, readable
from tercet.core.errors import InputError


def file_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes. Raises InputError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", hint="check that it is still there"
        ) from error


def folder_sha256(folder: Path) -> str:
    """Return the digest of a folder's media files and their sidecars; see docs/corpora.md.

    A file that cannot be read counts with its fault in place of a digest: it is a row with that
    fault.
    """
    seen = sha256()
    for line in folder_listing(folder):
        seen.update(line)
    return seen.hexdigest()


def folder_listing(folder: Path) -> list[bytes]:
    """Return the lines that the digest of a folder is taken of: one a file, with its SHA-256."""
    return sorted(_lines(folder))


def _lines(folder: Path) -> Iterator[bytes]:
    root = os.path.realpath(folder)
    sidecars: set[str] = set()
    for entry in media_entries(folder, {}):
        name = os.fsencode(os.path.relpath(entry.path, root))
        if entry.fault is None:
            yield _line(name, entry.path)
        else:
            yield b"%s\0%s\n" % (name, entry.fault.encode())
        sidecars.update(entry.sidecars)
    for path in sidecars:
        yield _line(os.fsencode(os.path.relpath(path, root)), path)


def _line(name: bytes, path: str) -> bytes:
    try:
        size = os.stat(path).st_size
        return b"%s\0%d\0%s\n" % (name, size, file_sha256(path).encode())
    except OSError as error:
        raise InputError(
            f"cannot read {readable(path)}: {error.strerror}", hint="check that it is still there"
        ) from error


def digest_inputs(corpus: Corpus, threads: int = 2) -> Corpus:
    """Return ``corpus`` with every input digested, several at a time."""
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        return replace(corpus, inputs=tuple(pool.map(_digested, corpus.inputs)))


def _digested(each: InputFile) -> InputFile:
    if each.sha256:
        return each
    path = Path(each.path)
    return replace(each, sha256=folder_sha256(path) if path.is_dir() else file_sha256(path))
