"""A work: something somebody made. Its medium decides how it is recognised."""

from __future__ import annotations

from enum import StrEnum


class Medium(StrEnum):
    """What a work is to eyes and ears. A video's sound is recognised as audio."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
