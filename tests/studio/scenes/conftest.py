"""A stage of drawn shapes for the tests of scenes."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from tercet.studio.scenes.sprite import Kind, Sprite
from tercet.studio.scenes.stage import Stage

CAST = (
    ("car", Kind.VEHICLE, 1, 96, 48),
    ("house", Kind.BUILDING, 0, 80, 96),
    ("balloon", Kind.AIRCRAFT, 0, 60, 96),
    ("bird", Kind.FLYER, -1, 96, 60),
    ("dog", Kind.ANIMAL, -1, 96, 80),
    ("boat", Kind.VESSEL, 1, 90, 96),
    ("tree", Kind.PLANT, 0, 70, 96),
    ("orange tree", Kind.PLANT, 0, 72, 96),
    ("orange", Kind.FOOD, 0, 96, 96),
    ("camera", Kind.THING, 0, 96, 70),
    ("hot-air balloon", Kind.AIRCRAFT, 0, 72, 96),
    ("scissors", Kind.THING, 0, 40, 96),
    ("fly", Kind.FLYER, 1, 96, 96),
    ("mouse", Kind.ANIMAL, 1, 96, 50),
    ("sun", Kind.SKY, 0, 96, 96),
)


def shape(noun: str, kind: Kind, faces: int, width: int, height: int, number: int = 0) -> Sprite:
    """Return a two-coloured shape with a soft rim; its right half is bright."""
    pixels = np.zeros((height, width, 4), np.uint8)
    middle, axes = (width // 2, height // 2), (width // 2 - 1, height // 2 - 1)
    cv2.ellipse(pixels, middle, axes, 0, 0, 360, (90, 60, 60, 255), -1, cv2.LINE_AA)
    cv2.ellipse(pixels, middle, axes, 0, -90, 90, (220, 200, 90, 255), -1, cv2.LINE_AA)
    work = hashlib.sha256(f"{noun} {number}".encode()).hexdigest()
    return Sprite(work, noun.title(), "A. Painter", "CC0-1.0", noun, kind, faces, "", pixels)


@pytest.fixture(scope="session")
def stage() -> Stage:
    """Fifteen nouns, two works of each of the first four."""
    first = [shape(*each) for each in CAST]
    return Stage.of(first + [shape(*each, number=1) for each in CAST[:4]])
