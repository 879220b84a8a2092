"""Enlarging: drawn edges stay edges, what is flat stays flat. The truth is drawn large."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.studio.upscaling import Picture, enlarged


def drawing(seed: int, side_px: int = 512) -> Picture:
    """A drawing of flat shapes, smooth at its edges: drawn four times as large and averaged."""
    g, large = np.random.default_rng(seed), side_px * 4
    page = np.full((large, large, 3), g.integers(120, 256, 3), np.uint8)
    for _ in range(6):
        colour = tuple(int(c) for c in g.integers(0, 256, 3))
        centre = tuple(int(c) for c in g.integers(large // 8, large * 7 // 8, 2))
        axes = tuple(int(c) for c in g.integers(large // 16, large // 4, 2))
        cv2.ellipse(page, centre, axes, float(g.integers(0, 180)), 0, 360, colour, -1)
    small = cv2.resize(page, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def shrunk(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)


def steepness(picture: Picture) -> float:
    """The mean of the steepest hundredth of all slopes."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return float(np.sort(slope.ravel())[-slope.size // 100 :].mean())


def psnr_db(found: Picture, truth: Picture) -> float:
    return float(10 * np.log10(255**2 / np.mean((found.astype(float) - truth) ** 2)))


@pytest.mark.parametrize("seed", range(4))
def test_edges_are_steeper_than_a_smooth_enlargement(seed: int) -> None:
    truth = drawing(seed)
    ours = enlarged(shrunk(truth), 512)
    bicubic = np.asarray(cv2.resize(shrunk(truth), (512, 512), interpolation=cv2.INTER_CUBIC))
    assert 1.3 * steepness(bicubic) < steepness(ours) < 1.1 * steepness(truth)


def test_it_is_nearer_to_the_truth_than_lanczos() -> None:
    ours, lanczos = [], []
    for seed in range(6):
        truth = drawing(seed)
        small = shrunk(truth)
        ours.append(psnr_db(enlarged(small, 512), truth))
        smooth = cv2.resize(small, (512, 512), interpolation=cv2.INTER_LANCZOS4)
        lanczos.append(psnr_db(np.asarray(smooth, np.uint8), truth))
    print(f"ours {np.mean(ours):.2f} dB, Lanczos {np.mean(lanczos):.2f} dB")
    assert np.mean(ours) > np.mean(lanczos)


@given(
    st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from([64, 65, 96, 128, 256, 480, 512, 1024])
)
@settings(max_examples=25)
def test_what_is_flat_stays_flat(colour: tuple[int, int, int], side_px: int) -> None:
    found = enlarged(np.full((64, 64, 3), colour, np.uint8), side_px)
    assert found.shape == (side_px, side_px, 3)
    assert (found == colour).all()


@pytest.mark.parametrize("side_px", [16, 64, 100, 333, 720, 1024])
def test_no_colour_comes_from_nowhere(side_px: int) -> None:
    small = np.full((64, 64, 3), 90, np.uint8)
    small[20:40, 20:40] = 160
    found = enlarged(small, side_px)
    assert found.shape == (side_px, side_px, 3)
    assert found.dtype == np.uint8
    assert 90 <= found.min() <= found.max() <= 160  # no halo


def test_its_own_size_is_the_same_picture() -> None:
    small = shrunk(drawing(1))
    assert np.array_equal(enlarged(small, 64), small)
