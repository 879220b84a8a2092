"""What was made of works, kept in a run's folder: sprites and windows, by the work's SHA-256.

Each file has a seal beside it, an HMAC-SHA-256 by the run's key over its name, the code it was
made by and its bytes. A file whose seal does not fit is not even opened: it is made anew.
"""

from __future__ import annotations

import hmac
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tercet.core.errors import IntegrityError
from tercet.core.ids import sha256_hex
from tercet.flows.train_code import code_entry, studio_sha256
from tercet.store.files import written_whole
from tercet.studio.scenes.sprite import Kind, Pixels, Sprite
from tercet.studio.scenes.subjects import LeftOut, Reason
from tercet.studio.training_samples import HOUSE_CLIPS, ClipSize, WindowPixels

_FIELDS = ("work", "title", "owner", "licence", "noun", "kind", "faces", "colour")
_DRAWN_BY = ("resvg_py", "opencv-python-headless", "numpy", "av")


@dataclass(frozen=True, slots=True)
class StoredWindows:
    """Windows too large for memory: each is read from its file when it is asked for."""

    path: Path
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.digests)

    def __getitem__(self, at: int) -> Pixels:
        """Return window ``at``. Raises OSError, IntegrityError where it is another by now."""
        found = np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[at], np.uint8)
        if sha256_hex(found.tobytes()) != self.digests[at]:
            raise IntegrityError(
                f"{self.path} was changed while it was in use",
                hint="run the same command again; it is made anew from the clip",
            )
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of what was made; ``rule`` is the digest of the code it was made by."""

    folder: Path
    rule: str
    secret: bytes

    @classmethod
    def within(cls, run: Path, secret: bytes) -> Kept:
        """Return what is kept in a run's folder; without a ``secret`` nothing is trusted."""
        code = code_entry()
        versions = " ".join(code.get(name, "") for name in _DRAWN_BY)
        return cls(run, f"{studio_sha256('scenes')} {versions}", secret)

    def _sealed(self, path: Path) -> bytes | None:
        """Return the bytes of a file that this key has sealed, or None."""
        try:
            raw, seal = path.read_bytes(), _beside(path).read_text("ascii")
        except (OSError, ValueError):
            return None
        return raw if self.secret and hmac.compare_digest(seal, self._seal(path, raw)) else None

    def _write(self, path: Path, raw: bytes) -> None:
        for place, content in ((path, raw), (_beside(path), self._seal(path, raw).encode())):
            with written_whole(place, path.parent) as temporary:
                temporary.write_bytes(content)

    def _seal(self, path: Path, raw: bytes) -> str:
        message = f"{path.parent.name}/{path.name} {self.rule}\n{sha256_hex(raw)}"
        return hmac.digest(self.secret, message.encode(), "sha256").hex()

    def sprite(
        self, work: str, described: str, make: Callable[[], Sprite | LeftOut]
    ) -> Sprite | LeftOut:
        """Return the sprite of a work, or why it has none: as kept, or made now.

        ``described`` is what else the sprite follows from, such as its row in a table.
        """
        path = self.folder / "sprites" / f"{work}.npz"
        found = _sprite(self._sealed(path), described)
        if found is None:
            found = make()
            self._write(path, _sprite_bytes(found, described))
        return found

    def large_windows(
        self, work: str, part: str, size: ClipSize, make: Callable[[], Pixels]
    ) -> WindowPixels:
        """Return the windows of a clip; those larger than the house model's stay on disk."""
        if size == HOUSE_CLIPS:
            return self.windows(work, part, make)
        named = f"{part}-{size.side_px}-{size.frame_count}"
        digests = tuple(sha256_hex(each.tobytes()) for each in self.windows(work, named, make))
        return StoredWindows(self.folder / "clips" / f"{work}-{named}.npy", digests)

    def windows(self, work: str, part: str, make: Callable[[], Pixels]) -> Pixels:
        """Return the windows of a clip, as kept or made now; ``part`` is its start and end."""
        path = self.folder / "clips" / f"{work}-{part}.npy"
        raw = self._sealed(path)
        if raw is not None:
            return np.asarray(np.load(io.BytesIO(raw), allow_pickle=False), np.uint8)
        made = make()
        file = io.BytesIO()
        np.save(file, made)
        self._write(path, file.getvalue())
        return made


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal")


def _sprite(raw: bytes | None, key: str) -> Sprite | LeftOut | None:
    """Return what is kept, or None when nothing is, or it was described in another way."""
    if raw is None:
        return None
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
            about: dict[str, Any] = json.loads(str(kept["about"]))
            pixels = np.asarray(kept["pixels"], np.uint8)
        if about.pop("key") != key:
            return None
        if "reason" in about:
            return LeftOut(Reason(about["reason"]), str(about["detail"]))
        return Sprite(**about | {"kind": Kind(about["kind"])}, pixels=pixels)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _sprite_bytes(made: Sprite | LeftOut, key: str) -> bytes:
    if isinstance(made, LeftOut):
        about: dict[str, Any] = {"reason": str(made.reason), "detail": made.detail}
        pixels = np.zeros((0, 0, 4), np.uint8)
    else:
        about = {name: getattr(made, name) for name in _FIELDS}
        pixels = made.pixels
    file = io.BytesIO()
    np.savez(file, about=json.dumps(about | {"key": key}), pixels=pixels)
    return file.getvalue()
