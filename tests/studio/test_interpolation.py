"""Frames between frames, held to the frames that a moving drawing really has there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tercet.studio.interpolation import Between, Picture

SIDE = 256


def scene(x: float, y: float = 128.0, radius: float = 30.0) -> Picture:
    """A marked disc on hills, at a place given to fractions of a pixel."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    page = np.stack((rows / 2 + 90, columns / 4 + 80, 220 - rows / 3), -1)
    page[rows > 170 + 20 * np.sin(columns / 25)] = (60, 140, 60)
    for distance, colour in ((radius, (210, 40, 30)), (radius / 2, (250, 220, 60))):
        cover = np.clip(distance + 0.5 - np.hypot(rows - y, columns - x), 0, 1)[..., None]
        page = page * (1 - cover) + np.array(colour, np.float32) * cover
    return page.round().astype(np.uint8)


def psnr_db(found: Picture, truth: Picture) -> float:
    error = np.mean((found.astype(float) - truth) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-3)))


@pytest.mark.parametrize("step_px", [4, 8, 14])
def test_nearer_to_the_truth_than_a_blend(step_px: int) -> None:
    first, second = scene(100), scene(100 + step_px)
    between = Between(first, second)
    for part in (0.25, 0.5, 0.75):
        truth = scene(100 + step_px * part)
        blend = np.asarray(cv2.addWeighted(first, 1 - part, second, part, 0), np.uint8)
        ours, plain = psnr_db(between.at(part), truth), psnr_db(blend, truth)
        print(f"{step_px} px, {part}: ours {ours:.1f} dB, blend {plain:.1f} dB")
        assert ours > plain + 1


def test_the_ends_are_the_pictures_themselves() -> None:
    first, second = scene(90), scene(110)
    between = Between(first, second)
    assert np.array_equal(between.at(0.0), first)
    assert np.array_equal(between.at(1.0), second)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_what_stands_still_stays(part: int) -> None:
    found = Between(scene(100), scene(100)).at(part)
    assert np.abs(found.astype(int) - scene(100)).max() <= 1


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (333, 333), (48, 96)])
def test_any_size(shape: tuple[int, int]) -> None:
    g = np.random.default_rng(0)
    first, second = g.integers(0, 256, (2, *shape, 3), np.uint8)
    found = Between(first, second).at(0.5)
    assert found.shape == (*shape, 3)
    assert found.dtype == np.uint8
