"""Pictures made while training, as PNG files."""

from __future__ import annotations

from pathlib import Path

from tercet.core.errors import StorageError
from tercet.store.files import write_atomically
from tercet.studio.scenes.sprite import Pixels


def write_png(path: Path, picture: Pixels) -> None:
    """Write an RGB picture (height, width, 3), whole or not at all. Raises OSError."""
    import cv2

    written, raw = cv2.imencode(".png", picture[..., ::-1])
    if not written:
        raise StorageError(f"a picture of {picture.shape} cannot be written as PNG")
    write_atomically(path, raw.tobytes())
