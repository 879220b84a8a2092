"""The batch chain on disk: an append-only file of hashes, whole after a kill at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from tercet.core.errors import IntegrityError
from tercet.store.files import sync_folder
from tercet.studio.batch_chain import chain_end, next_link, parse_batches


class ChainFile:
    """Appends batch hashes; a run that goes on must make the batches that are there again.

    ``step`` is the step of the last batch taken, ``link`` the chain there. What a killed run
    wrote after its last checkpoint is not overwritten: each batch made again is compared with it.
    """

    def __init__(self, path: Path, start: bytes, step: int = 0) -> None:
        """Open the chain at ``step``. Raises IntegrityError when fewer steps are there, OSError."""
        is_new = not path.exists()
        self._file = path.open("a+b")
        if is_new:
            sync_folder(path.parent)
        self._known = self._read()
        if len(self._known) < step:
            self._file.close()
            raise IntegrityError(
                f"{path} has {len(self._known)} batches, expected at least {step}",
                hint="put the file back, or start a new run in another folder",
            )
        self._path = path
        self.start = start
        self.step = step
        self.link = chain_end(start, self._known[:step])

    def _read(self) -> list[bytes]:
        """Return the batches that are there; a line that a kill cut off is taken off."""
        self._file.seek(0)
        raw = self._file.read()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) != len(raw):
            self._file.truncate(len(whole))
        return parse_batches(whole)

    def take(self, batch: bytes) -> None:
        """Take the batch of the next step. Raises IntegrityError when another was taken before."""
        if self.step < len(self._known):
            if self._known[self.step] != batch:
                raise IntegrityError(
                    f"batch {self.step + 1} is another than the one this run was shown before",
                    hint="works, code or libraries have changed since; start a new run in another "
                    "folder",
                )
        else:
            self._file.write(batch.hex().encode() + b"\n")
            self._file.flush()
            self._known.append(batch)
        self.link = next_link(self.link, batch)
        self.step += 1

    def sync(self) -> None:
        """Flush everything taken to the disk. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> ChainFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
