"""What was made of works, kept in a run's folder: sprites and windows, by the work's SHA-256."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tercet.flows.train_code import studio_sha256
from tercet.store.files import written_whole
from tercet.studio.scenes.sprite import Kind, Pixels, Sprite
from tercet.studio.scenes.subjects import LeftOut, Reason

_FIELDS = ("work", "title", "owner", "licence", "noun", "kind", "faces", "colour")


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of what was made; ``rule`` is the digest of the code it was made by."""

    folder: Path
    rule: str

    @classmethod
    def within(cls, run: Path) -> Kept:
        """Return what is kept in a run's folder."""
        return cls(run, studio_sha256("scenes"))

    def sprite(
        self, work: str, described: str, make: Callable[[], Sprite | LeftOut]
    ) -> Sprite | LeftOut:
        """Return the sprite of a work, or why it has none: as kept, or made now.

        ``described`` is what else the sprite follows from, such as its row in a table.
        """
        path = self.folder / "sprites" / f"{work}.npz"
        found = _read(path, f"{self.rule} {described}")
        if found is None:
            found = make()
            _write(path, f"{self.rule} {described}", found)
        return found

    def windows(self, work: str, part: str, make: Callable[[], Pixels]) -> Pixels:
        """Return the windows of a clip, as kept or made now; ``part`` is its start and end."""
        path = self.folder / "clips" / f"{work}-{part}.npy"
        try:
            pixels = np.load(path, allow_pickle=False)
            if pixels.ndim == 5 and pixels.dtype == np.uint8:
                return np.asarray(pixels)
        except (OSError, ValueError, EOFError):
            path.unlink(missing_ok=True)
        made = make()
        with written_whole(path, path.parent) as temporary, temporary.open("wb") as file:
            np.save(file, made)
        return made


def _read(path: Path, key: str) -> Sprite | LeftOut | None:
    """Return what is kept, or None when nothing is, or it was made by other rules."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            about: dict[str, Any] = json.loads(str(kept["about"]))
            pixels = np.asarray(kept["pixels"], np.uint8)
        if about.pop("key") != key:
            return None
        if "reason" in about:
            return LeftOut(Reason(about["reason"]), str(about["detail"]))
        return Sprite(**about | {"kind": Kind(about["kind"])}, pixels=pixels)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _write(path: Path, key: str, made: Sprite | LeftOut) -> None:
    if isinstance(made, LeftOut):
        about: dict[str, Any] = {"reason": str(made.reason), "detail": made.detail}
        pixels = np.zeros((0, 0, 4), np.uint8)
    else:
        about = {name: getattr(made, name) for name in _FIELDS}
        pixels = made.pixels
    with written_whole(path, path.parent) as temporary, temporary.open("wb") as file:
        np.savez(file, about=json.dumps(about | {"key": key}), pixels=pixels)
