"""Sampling: from noise to a clip, along the velocity that follows from the predicted clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tercet.studio.model.precision import fast_type
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.words import Vocabulary

Clips = NDArray[np.uint8]
STEPS = 16
GUIDANCE = 2.0
Look = Callable[[int, int, Tensor], None]  # step, steps, the clips as guessed so far


def levels_of(steps: int, shift: float = 3.0) -> list[float]:
    """Return the noise levels of a sampling, from 0 to 1, denser where the layout is decided."""
    even = np.linspace(0.0, 1.0, steps + 1)
    return [float(at / (at + shift * (1 - at))) for at in even]


@torch.inference_mode()
def sample(
    model: VideoTransformer,
    vocabulary: Vocabulary,
    captions: Sequence[str],
    *,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    seed: int = 0,
    negative: str = "",
    begun: Tensor | None = None,
    look: Look | None = None,
) -> Clips:
    """Return a clip (frames, height, width, 3) for each caption, as uint8.

    ``begun`` (batch, first frames, height, width, 3), from -1 to 1, is kept as the beginning of
    the clips: a whole number of latent frames. ``guidance`` above 1 leans towards the caption and
    away from ``negative`` (Ho & Salimans, arXiv 2207.12598).
    """
    shape = model.shape
    batch, latent = len(captions), shape.latent_frames
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    size = (batch, shape.frame_count, shape.side_px, shape.side_px, 3)
    x = torch.randn(size, generator=generator).to(device)
    kept = 0 if begun is None else begun.shape[1]
    words = _numbers(vocabulary, captions, shape.caption_words, device)
    against = _numbers(vocabulary, [negative] * batch, shape.caption_words, device)
    levels = levels_of(steps)
    guess = x
    for step, (now, then) in enumerate(pairwise(levels)):
        if begun is not None:
            x[:, :kept] = begun
        level = torch.full((batch, latent), now, device=device)
        level[:, : kept // shape.patch_frames] = 1.0
        guess = _guided(model, x, level, words, against, guidance)
        x = x + (guess - x) * ((then - now) / (1 - now))
        if look is not None:
            look(step + 1, steps, guess)
    if begun is not None:
        guess[:, :kept] = begun
    pixels = ((guess.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    clips: Clips = pixels.cpu().numpy()
    return clips


def _guided(
    model: VideoTransformer,
    x: Tensor,
    level: Tensor,
    words: Tensor,
    against: Tensor,
    guidance: float,
) -> Tensor:
    """Return the clean clips as guessed with the captions, away from what is not wanted."""
    batch, latent = level.shape
    moments = torch.arange(latent, device=x.device).expand(2 * batch, latent)
    owners = torch.zeros(2 * batch, dtype=torch.long, device=x.device)
    with torch.autocast(x.device.type, fast_type(x.device)):
        both = model(
            torch.cat((x, x)),
            torch.cat((level, level)),
            torch.cat((words, against)),
            owners,
            moments,
        ).float()
    wanted, unwanted = both.chunk(2)
    return unwanted + guidance * (wanted - unwanted)


def _numbers(
    vocabulary: Vocabulary, captions: Sequence[str], length: int, device: torch.device
) -> Tensor:
    return torch.tensor(vocabulary.numbers(captions, length), dtype=torch.long, device=device)
