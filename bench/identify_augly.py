"""AugLy's edits of pictures, by AugLy 1.0.0 in an environment of its own.

It needs numpy < 1.24 and Pillow < 10, so it cannot live beside Tercet: `prepare` makes a virtual
environment with pinned versions, and a child process in it makes the edits, with AugLy's own
defaults. Its audio and video edits need torch and a system ffmpeg library, its text edits nlpaug
with downloads at run time: these are not run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench.identify_edits import Edit

PINNED = (
    "augly==1.0.0", "numpy==1.23.5", "Pillow==9.5.0", "iopath==0.1.10", "portalocker==4.4.2",
    "python-magic==0.4.27", "regex==2026.11.15", "tqdm==4.70.1", "typing_extensions==4.16.0",
)  # fmt: skip
FUNCTIONS: dict[str, dict[str, float]] = {
    "blur": {}, "change_aspect_ratio": {}, "crop": {}, "encoding_quality": {}, "grayscale": {},
    "hflip": {}, "vflip": {}, "meme_format": {}, "overlay_emoji": {}, "overlay_image": {},
    "overlay_onto_background_image": {}, "overlay_onto_screenshot": {}, "overlay_stripes": {},
    "overlay_text": {}, "pad": {}, "pad_square": {}, "perspective_transform": {},
    "random_noise": {}, "rotate": {}, "scale": {}, "sharpen": {"factor": 3.0}, "skew": {},
    "color_jitter": {"brightness_factor": 1.4, "contrast_factor": 0.7, "saturation_factor": 1.6},
    "opacity": {"level": 0.5}, "pixelization": {"ratio": 0.3}, "shuffle_pixels": {"factor": 0.1},
}  # fmt: skip
"""With AugLy's default strengths, but for those whose default changes nothing, or everything."""


def prepare(folder: Path) -> tuple[Edit, ...]:
    """Make the environment if it is not there; return the edits, none if it cannot be made."""
    place = folder / "augly-1.0.0"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        venv.create(place, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", "--no-deps", *PINNED]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        tried = subprocess.run(
            [str(python), "-c", "import numpy; numpy.float = float; import augly.image"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or tried.returncode:
            said = (done.stderr + tried.stderr).strip().splitlines() or ["no message"]
            print(f"AugLy does not run here: {said[-1]}", file=sys.stderr)
            return ()
        (place / "ready").touch()
    return tuple(Edit("AugLy", name, partial(_made, str(python), name)) for name in FUNCTIONS)


@cache
def _child(python: str) -> subprocess.Popen[bytes]:
    """Return this process's child."""
    script = Path(__file__).with_name("identify_augly_child.py")
    return subprocess.Popen(
        [python, "-I", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _made(
    python: str, function: str, picture: np.ndarray, random: np.random.Generator, other: Any
) -> bytes:
    child = _child(python)
    if child.stdin is None or child.stdout is None:
        raise ValueError("expected pipes to the child")
    raw = [bytes(cv2.imencode(".png", each)[1]) for each in (picture, other)]
    asked = {
        "function": function,
        "options": FUNCTIONS[function],
        "seed": int(random.integers(1 << 31)),
        "sizes": [len(each) for each in raw],
    }
    child.stdin.write(json.dumps(asked).encode() + b"\n" + b"".join(raw))
    child.stdin.flush()
    size = int(child.stdout.readline() or 0)
    if not size:
        raise ValueError(f"AugLy's {function} failed on a picture of {picture.shape}")
    return child.stdout.read(size)
