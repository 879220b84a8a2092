"""How fast fingerprints are made: CPU seconds of one core, one thread, decoding included."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench.identify_image_edits import encoded, resized
from bench.identify_subjects import load_picture

from bench import identify_av as files
from bench import identify_lists as lists

PAGE_CHARACTERS = 3_000
ROUNDS = 3


def report(folder: Path) -> str:
    """Measure the four media and return one line for each."""
    return "\n".join([_images(folder), _videos(folder), _sounds(folder), _texts(folder)])


def _cpu_s(job: Callable[[Any], Any], items: list[Any]) -> float:
    """Return the CPU seconds of the best of three rounds over all items."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for item in items:
            job(item)
        best = min(best, time.process_time() - start)
    return best


def _images(folder: Path) -> str:
    from tercet.consent.fingerprints import image

    photos = [one for one in lists.originals("image", folder) if one.kind == "photo"][:24]
    items = [encoded(resized(load_picture(one), 1155, 866), 90) for one in photos]
    seconds = _cpu_s(image.fingerprint, items)
    return f"speed: image {len(items) / seconds:.1f} images/s a core (1 megapixel JPEG)"


def _videos(folder: Path) -> str:
    from tercet.consent.fingerprints import video

    clips = [one for one in lists.originals("video", folder) if "bigbuck" in one.name]
    clips += [one for one in lists.originals("video", folder) if "a.mp4" in one.name]
    items, length = [], 0.0
    for one in clips[:3]:
        frames, rate = files.read_frames(one.files[0], one.start_s, 5.0)
        large = np.stack([resized(frame, 1280, 720) for frame in frames])
        whole = np.concatenate([large, large[::-1]])
        items.append(files.write_video(whole, rate, 23))
        length += len(whole) / rate
    seconds = _cpu_s(lambda item: video.fingerprint(io.BytesIO(item)), items)
    return f"speed: video {length / seconds:.1f} x real time a core (H.264, 720p, {length:.0f} s)"


def _sounds(folder: Path) -> str:
    from tercet.consent.fingerprints import audio

    tracks = [one for one in lists.originals("audio", folder) if "music" in one.name][:5]
    items = [files.write_sound(files.read_sound(one.files, one.start_s, one.seconds),
                               "libmp3lame", 128_000) for one in tracks]  # fmt: skip
    length = sum(one.seconds for one in tracks)
    seconds = _cpu_s(lambda item: audio.fingerprint(io.BytesIO(item)), items)
    return f"speed: audio {length / seconds:.0f} x real time a core (MP3, 44.1 kHz)"


def _texts(folder: Path) -> str:
    from tercet.consent.fingerprints import text

    found = lists.originals("text", folder)
    items = [one.text[:PAGE_CHARACTERS] for one in found if len(one.text) >= PAGE_CHARACTERS][:200]
    seconds = _cpu_s(text.fingerprint, items)
    return f"speed: text {len(items) / seconds:.0f} pages/s a core (3,000 characters, 9 languages)"
