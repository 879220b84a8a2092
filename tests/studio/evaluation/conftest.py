"""A stage of drawn shapes that can be told from one another."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from tercet.studio.scenes.sprite import Kind, Sprite
from tercet.studio.scenes.stage import Stage

CORNERS = {
    ("car", Kind.VEHICLE): "0 60 20 60 30 30 65 30 75 60 95 60 95 90 0 90",
    ("house", Kind.BUILDING): "10 95 10 45 48 5 86 45 86 95",
    ("rocket", Kind.AIRCRAFT): "48 0 62 30 62 70 80 95 16 95 34 70 34 30",
    ("dog", Kind.ANIMAL): "0 30 25 20 35 45 95 45 95 95 80 70 30 70 15 95",
    ("star", Kind.THING): "48 0 60 36 95 36 66 57 78 95 48 70 18 95 30 57 0 36 36 36",
    ("flag", Kind.THING): "5 0 90 20 15 50 15 95 5 95",
}


def shape(noun: str, kind: Kind, corners: str) -> Sprite:
    """Return a shape with a bright stripe, soft at the rim."""
    pixels = np.zeros((96, 96, 4), np.uint8)
    points = np.array(corners.split(), np.int32).reshape(-1, 2)
    cv2.fillPoly(pixels, [points], (70, 90, 160, 255), cv2.LINE_AA)
    inside = pixels[..., 3] > 0
    stripe = np.zeros_like(inside)
    stripe[::12] = stripe[1::12] = stripe[2::12] = True
    pixels[inside & stripe, :3] = (230, 210, 120)
    work = hashlib.sha256(noun.encode()).hexdigest()
    return Sprite(work, noun.title(), "A. Painter", "CC0-1.0", noun, kind, 1, "", pixels)


@pytest.fixture(scope="session")
def stage() -> Stage:
    """Six nouns, one work each."""
    return Stage.of(shape(*of, corners) for of, corners in CORNERS.items())
