"""A content-addressed store of raw bytes in a folder: ``ab/abcdef...`` named by SHA-256.

Writing is atomic (temporary file, then rename) and idempotent; reading verifies the digest.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.core.ids import sha256_hex

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class BlobStore:
    """Raw bytes by their SHA-256. Safe for several writers: all write the same bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Return where the blob lies or would lie.

        Raises InputError when ``digest`` is not 64 lower-case hex digits.
        """
        if not _DIGEST.match(digest):
            raise InputError(f"expected a SHA-256 in hex, got {digest[:80]!r}")
        return self.folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Return whether the blob is there (its bytes are verified when read)."""
        return self.path(digest).is_file()

    def put(self, raw: bytes) -> str:
        """Keep ``raw`` and return its SHA-256.

        Raises StorageError when the disk cannot take it; no partial blob is left under its name.
        """
        digest = sha256_hex(raw)
        path = self.path(digest)
        temporary = path.with_name(f".{digest}.{os.getpid()}")
        try:
            if path.is_file() and path.stat().st_size == len(raw):
                return digest
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(raw)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StorageError(
                f"cannot keep {len(raw)} bytes under {self.folder}: {error.strerror or error}",
                hint="free some space or choose another folder, then run the same command again",
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises IntegrityError when the blob is missing or its bytes do not have this digest.
        """
        path = self.path(digest)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(f"expected a blob at {path}, found none") from None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
        if sha256_hex(raw) != digest:
            raise IntegrityError(f"the bytes of {path} do not have the digest in its name")
        return raw
