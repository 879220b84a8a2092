"""Distances, time and memorisation: laws, and facts that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.evaluation.frechet import frechet_distance
from tercet.studio.evaluation.memorisation import memorisation, nearest, pixel_rows
from tercet.studio.evaluation.temporal import colour_shift, flicker, seams, warp_error


def test_the_distance_of_normals_far_apart_is_the_square_of_the_way() -> None:
    first = np.random.default_rng(1).normal(size=(20_000, 3))
    assert frechet_distance(first, first + np.array((3, 4, 0))) == pytest.approx(25)
    # between N(0, 1) and N(0, 4) it is (1 - 2)^2 for each of the three
    assert frechet_distance(first, 2 * first) == pytest.approx(3, rel=0.03)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(3, 40))
def test_the_distance_is_symmetric_and_nought_to_itself(seed: int, width: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, count, width)) * generator.uniform(0.1, 9, width)
    there, back = frechet_distance(first, second), frechet_distance(second, first)
    assert there == pytest.approx(back, rel=1e-6, abs=1e-6)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-5 * (1 + (first**2).mean()))


@pytest.mark.parametrize("shape", [(1, 4), (5,)])
def test_too_few_features_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="two clips or more"):
        frechet_distance(np.zeros(shape), np.zeros((5, 4)))


def picture(shift: int = 0) -> np.ndarray:
    """Return smooth blobs moved to the right by some pixels."""
    rows, columns = np.mgrid[:64, :96]
    wave = np.sin(columns / 7.0) * np.cos(rows / 9.0) + np.sin((rows + 2 * columns) / 13.0)
    grey = np.uint8((wave - wave.min()) / (wave.max() - wave.min()) * 255)
    return np.repeat(grey[:, 16 - shift : 80 - shift, None], 3, 2)


def test_flicker_is_the_mean_step() -> None:
    video = np.zeros((3, 4, 4, 3), np.uint8)
    video[1] = 30
    assert flicker(video) == 30
    assert flicker(video[:1]) == 0


def test_motion_is_no_warp_error_but_flashing_is() -> None:
    moving = np.stack([picture(shift) for shift in range(0, 12, 2)])
    flashing = np.stack([picture() // (1 + at % 2) for at in range(6)])
    assert flicker(moving) > 8
    assert warp_error(moving) < 0.35 * flicker(moving)
    assert warp_error(flashing) > 0.5 * flicker(flashing)
    assert warp_error(np.stack([picture()] * 3)) < 0.5


def test_a_join_is_compared_with_other_steps() -> None:
    video = np.zeros((8, 4, 4, 3), np.uint8)
    video[:] = (np.arange(8) * 2)[:, None, None, None]
    assert seams(video, [4]).ratio == 1
    video[4:] += 18
    found = seams(video, [4])
    assert (found.join, found.within, found.ratio) == (20, 2, 10)
    assert seams(np.zeros_like(video), [4]).ratio == 1


def test_colours_shift_from_nought_to_one() -> None:
    dark, light = np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 4, 4, 3), 255, np.uint8)
    assert colour_shift(dark, dark) == 0
    assert colour_shift(dark, light) == 1
    half = np.concatenate((dark, light))
    assert colour_shift(dark, half) == 0.5


def test_the_nearest_is_found_across_batches() -> None:
    generator = np.random.default_rng(4)
    rows = generator.normal(size=(5, 12)).astype(np.float32)
    others = generator.normal(size=(30, 12)).astype(np.float32)
    others[17] = rows[3]
    gaps = np.linalg.norm(rows[:, None] - others[None], axis=-1)
    found, which = nearest(rows, [others[:11], others[11:13], others[13:]])
    assert np.allclose(found, gaps.min(1), atol=1e-3)
    assert which.tolist() == gaps.argmin(1).tolist()
    assert which[3] == 17
    assert nearest(rows, [])[1].tolist() == [-1] * 5


def test_pixel_rows_are_root_mean_squares_of_levels() -> None:
    first = np.zeros((1, 16, 64, 64, 3), np.uint8)
    found, _ = nearest(pixel_rows(first), [pixel_rows(first + np.uint8(7))])
    assert found[0] == pytest.approx(7, abs=1e-3)


def test_copies_are_found_and_fresh_clips_are_not() -> None:
    real = np.linspace(1, 2, 200).astype(np.float32)
    copied = memorisation(np.full(50, 0.01, np.float32), real)
    assert copied.made_share == 1
    assert copied.real_share == pytest.approx(0.01)
    assert memorisation(real, real).made_share == pytest.approx(0.01)
