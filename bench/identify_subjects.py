"""The four media of bench/identify.py: how each is loaded, edited, fingerprinted and rivalled."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from bench.identify_media import Original
from bench.identify_trials import Subject

from tercet.consent.fingerprints.methods import method_for
from tercet.core.work import Medium

SIDE_MAX = 1024


def subject_for(medium: str, *, peers: bool = True) -> Subject:
    """Return a medium with its edits and, if asked for, its peers."""
    made = {"image": _image, "video": _video, "audio": _audio, "text": _text}[medium]()
    return made if peers else Subject(*(*_fields(made)[:-1], ()))


def _fields(subject: Subject) -> tuple[Any, ...]:
    return tuple(getattr(subject, name) for name in subject.__dataclass_fields__)


@cache
def load_picture(original: Original) -> np.ndarray:
    """Return a picture at most 1,024 px a side, BGR."""
    from bench.identify_image_edits import scaled
    from bench.identify_lists import picture_of

    picture = picture_of(original.files[0])
    if picture is None:
        raise ValueError(f"expected a picture, {original.name} is none")
    factor = SIDE_MAX / max(picture.shape[:2])
    return scaled(picture, factor) if factor < 1 else picture


def _image() -> Subject:
    from bench.identify_image_edits import EDITS, encoded
    from bench.identify_peers import image_peers

    from tercet.consent.fingerprints import image

    return Subject(
        "image", load_picture.__wrapped__,
        lambda made: made if isinstance(made, bytes) else encoded(made),
        image.fingerprint, method_for(Medium.IMAGE), EDITS, image_peers(),
    )  # fmt: skip


def _video() -> Subject:
    from bench.identify_av import read_frames, write_video
    from bench.identify_peers import video_peers
    from bench.identify_video_edits import EDITS

    from tercet.consent.fingerprints import video

    def load(original: Original) -> tuple[np.ndarray, float]:
        return read_frames(original.files[0], original.start_s, original.seconds)

    return Subject(
        "video", load, lambda made: made if isinstance(made, bytes) else write_video(*made),
        lambda item: video.fingerprint(io.BytesIO(item)), method_for(Medium.VIDEO), EDITS,
        video_peers(),
    )  # fmt: skip


def _audio() -> Subject:
    from bench.identify_audio_edits import EDITS
    from bench.identify_av import read_sound, write_sound
    from bench.identify_peers import audio_peers

    from tercet.consent.fingerprints import audio

    return Subject(
        "audio", lambda one: read_sound(one.files, one.start_s, one.seconds),
        lambda made: made if isinstance(made, bytes) else write_sound(made),
        lambda item: audio.fingerprint(io.BytesIO(item)), method_for(Medium.AUDIO), EDITS,
        audio_peers(),
    )  # fmt: skip


def _text() -> Subject:
    from bench.identify_peers import text_peers
    from bench.identify_text_edits import EDITS

    from tercet.consent.fingerprints import text

    return Subject(
        "text", lambda one: one.text, str, text.fingerprint, method_for(Medium.TEXT), EDITS,
        text_peers(),
    )  # fmt: skip
