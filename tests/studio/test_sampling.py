"""Sampling: the same from the same seed, on from what is given, towards what is said."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import StoppedError
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.words import Vocabulary
from tercet.studio.sampling import Clips, levels_of, sample

torch.set_num_threads(1)
WORDS = Vocabulary.of(["a red car", "a blue dog"])
SHAPE = Shape("tiny", 32, 1, frame_count=8, side_px=16, word_count=len(WORDS), caption_words=6)


@pytest.fixture(scope="module")
def model() -> VideoTransformer:
    """A model whose every part has a say."""
    torch.manual_seed(0)
    network = VideoTransformer(SHAPE).eval()
    for part in network.parameters():
        if not part.any():
            torch.nn.init.normal_(part, std=0.1)
    return network


def made(model: VideoTransformer, *captions: str, **fields: object) -> Clips:
    asked: Any = {"steps": 4} | fields
    return sample(model, WORDS, captions or ("a red car",), **asked)


def test_the_seed_decides(model: VideoTransformer) -> None:
    first = made(model, seed=1)
    assert first.shape == (1, 8, 16, 16, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, made(model, seed=1))
    assert not np.array_equal(first, made(model, seed=2))


def test_a_model_that_knows_the_clip_gives_it(model: VideoTransformer) -> None:
    """Whatever the noise: the last guess is what is returned, to the nearest value."""

    class Knowing(torch.nn.Module):
        shape = SHAPE

        def __init__(self) -> None:
            super().__init__()
            self.clip = torch.nn.Parameter(torch.linspace(-1, 1, 8 * 16 * 16 * 3))

        def forward(self, noisy: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return self.clip.view(1, 8, 16, 16, 3).expand_as(noisy)

    found = sample(Knowing(), WORDS, ["a red car"], steps=3)  # type: ignore[arg-type]
    expected = np.round((np.linspace(-1, 1, 8 * 16 * 16 * 3) + 1) * 127.5)
    assert np.abs(found.ravel().astype(float) - expected).max() <= 1


@pytest.mark.parametrize("frame_count", [2, 4, 8])
def test_what_is_given_stays_as_it_is(model: VideoTransformer, frame_count: int) -> None:
    given = np.random.default_rng(0).integers(0, 256, (1, frame_count, 16, 16, 3), np.uint8)
    begun = torch.from_numpy(given.astype(np.float32) / 127.5 - 1)
    found = made(model, begun=begun)
    assert np.array_equal(found[:, :frame_count], given)
    if frame_count < 8:
        free = made(model)
        assert not np.array_equal(found[:, frame_count:], free[:, frame_count:])


def test_the_model_is_told_that_given_frames_are_clean(model: VideoTransformer) -> None:
    """Told that they are as noisy as the rest, it would not go on from them."""
    told: list[torch.Tensor] = []
    watch = model.register_forward_pre_hook(lambda _, inputs: told.append(inputs[1].clone()))
    try:
        made(model, begun=torch.zeros(1, SHAPE.patch_frames, 16, 16, 3))
    finally:
        watch.remove()
    assert told
    assert all((level[:, 0] == 1.0).all() and (level[:, 1:] < 1.0).all() for level in told)


def test_guidance_of_one_hears_the_caption_alone(model: VideoTransformer) -> None:
    alone = made(model, guidance=1.0)
    assert np.abs(alone.astype(int) - made(model, guidance=1.0, negative="a blue dog")).max() <= 1
    assert np.abs(alone.astype(int) - made(model, guidance=2.0)).max() > 1


def test_captions_and_what_is_not_wanted_count(model: VideoTransformer) -> None:
    plain = made(model)
    assert not np.array_equal(plain, made(model, "a blue dog"))
    assert not np.array_equal(plain, made(model, negative="a blue dog"))


def test_unknown_and_endless_captions(model: VideoTransformer) -> None:
    assert made(model, "qwertz " * 500, "\ud800").shape == (2, 8, 16, 16, 3)
    assert np.array_equal(made(model, "zeppelin"), made(model, "blimp"))  # both unknown


def test_every_step_is_told_and_can_stop(model: VideoTransformer) -> None:
    told: list[tuple[int, int]] = []
    made(model, look=lambda step, steps, guess: told.append((step, steps)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def stop(step: int, steps: int, guess: torch.Tensor) -> None:
        told.append((step, steps))
        if step == 2:
            raise StoppedError("stopped by hand")

    told.clear()
    with pytest.raises(StoppedError):
        made(model, look=stop)
    assert told == [(1, 4), (2, 4)]


@given(st.integers(1, 200), st.floats(0.2, 8))
def test_levels_lead_from_noise_to_clean(steps: int, shift: float) -> None:
    levels = levels_of(steps, shift)
    assert (levels[0], levels[-1], len(levels)) == (0.0, 1.0, steps + 1)
    assert all(now < then for now, then in pairwise(levels))
