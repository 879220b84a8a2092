"""Runs in the environment that bench/identify_augly.py makes: pictures in, AugLy's edits out.

Each request is one line of JSON (function, options, seed, sizes of the two pictures), then two PNG
files: the picture and another one. Each answer is one line with a size (0: it failed), then a
JPEG file.
"""

from __future__ import annotations

import io
import json
import random
import sys
import traceback

import numpy as np

np.float = float  # AugLy 1.0.0 uses the name that numpy 1.24 removed

import augly.image as augly_image  # noqa: E402
from PIL import Image  # noqa: E402


def edited(
    function: str, options: dict[str, float], picture: Image.Image, other: Image.Image
) -> Image.Image:
    """Return what AugLy makes of a picture."""
    pictures = {
        "overlay_onto_background_image": {"background_image": other},
        "overlay_image": {"overlay": other},
    }.get(function, {})
    return getattr(augly_image, function)(picture, **options, **pictures)


def main() -> None:
    """Answer until the input ends."""
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        raw = [sys.stdin.buffer.read(size) for size in asked["sizes"]]
        pictures = [Image.open(io.BytesIO(each)).convert("RGB") for each in raw]
        random.seed(asked["seed"])
        np.random.seed(asked["seed"] % 2**32)
        out = io.BytesIO()
        try:
            edited(asked["function"], asked["options"], *pictures).convert("RGB").save(
                out, "JPEG", quality=88
            )
        except (ValueError, TypeError, AttributeError, OSError, AssertionError):
            traceback.print_exc()
            out = io.BytesIO()
        sys.stdout.buffer.write(f"{len(out.getvalue())}\n".encode() + out.getvalue())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
