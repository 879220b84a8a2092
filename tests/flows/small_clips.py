"""Small real video files with a manifest `tercet/clips@1`, for tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tercet.studio.clips_manifest import CLIPS_TYPE


def write_video(path: Path, seconds: float, *, rate: int = 8, shade: int = 0) -> None:
    """Write a silent MP4 (MPEG-4 part 2): a picture's brightness tells its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(round(seconds * rate)):
            picture = np.full((64, 96, 3), (shade + 3 * number) % 250, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_clips(folder: Path, clips: Sequence[dict[str, Any]]) -> Path:
    """Write a video and a line for each of ``clips``; ``seconds`` is its length."""
    lines = []
    for at, given in enumerate(clips):
        fields = dict(given)
        path = folder / "clips" / f"{at}.mp4"
        write_video(path, fields.pop("seconds", 6.0), shade=20 * at)
        lines.append(
            {
                "type": CLIPS_TYPE,
                "path": f"clips/{at}.mp4",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "owner": f"owner {at}",
                "licence": "CC0-1.0",
                "caption": f"clip number {at} gets brighter",
            }
            | fields
        )
    manifest = folder / "clips.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return manifest
