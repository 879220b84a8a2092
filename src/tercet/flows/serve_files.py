"""The names of a served video's files, and the preview of one that is being made."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path

import numpy as np

from tercet.store.videos import PREVIEW
from tercet.studio.engines.engine import Picture
from tercet.studio.media.still import StillFormat, still_bytes

VIDEO = "video.mp4"
CREDITS = "video.credits.json"
_PREVIEW_SIDE_PX_MIN = 192  # smaller ones are enlarged, pixel by pixel


class Variant(StrEnum):
    """What can be downloaded of a video. The strings are those of the `/v1/videos` interface."""

    VIDEO = "video"
    THUMBNAIL = "thumbnail"
    SPRITESHEET = "spritesheet"

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return VIDEO if self is Variant.VIDEO else f"video.{self.value}.jpg"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return "video/mp4" if self is Variant.VIDEO else "image/jpeg"


def keep_preview(folder: Path, picture: Picture) -> None:
    """Put the newest preview into a work folder; a full disk costs the preview, not the video."""
    times = max(1, _PREVIEW_SIDE_PX_MIN // max(1, *picture.shape[:2]))
    enlarged = np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
    part = folder / f".{PREVIEW}"
    with contextlib.suppress(OSError):
        part.write_bytes(still_bytes(enlarged, StillFormat.JPEG))
        part.replace(folder / PREVIEW)
