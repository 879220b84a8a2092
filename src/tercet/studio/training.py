"""Learning: one step of training, its noise and its drop-outs a function of seed and step alone.

The clean clip is predicted and judged by the velocity that follows from it (arXiv 2511.13720,
section 4.3). Matrices are updated by Muon, all else by AdamW. Training begins with single latent
frames of clips, each told its place in time: that teaches what things look like and where a
motion has them at each moment, at an eighth of the cost; whole clips come after.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tercet.studio.model.precision import fast_type
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.words import Vocabulary

Clips = NDArray[np.uint8]  # (batch, frames, height, width, 3)
LEVEL_MAX = 0.95  # the velocity's denominator stays above 1 - this


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run is told. ``steps`` is where the learning rate reaches zero.

    In ``alone_part`` of the steps every scene shows one actor; ``picture_part`` of the steps see
    ``picture_moments`` latent frames of each clip, one by one.
    ``level_mean`` and ``level_deviation`` set the logit-normal noise levels; in ``begun_part`` of
    the whole clips the first latent frames are clean, so that the model learns to go on.
    """

    steps: int
    seed: int = 0
    matrix_rate: float = 0.015
    other_rate: float = 0.002
    warm_steps: int = 100
    cool_part: float = 0.3
    alone_part: float = 0.4
    picture_part: float = 0.8
    picture_moments: int = 2
    caption_dropout: float = 0.1
    owner_dropout: float = 0.9
    begun_part: float = 0.15
    level_mean: float = -1.6
    level_deviation: float = 1.2
    average_part: float = 0.998

    @classmethod
    def going_on(cls, steps: int, seed: int) -> Settings:
        """Return the settings for a model that has learned already.

        It knows where things stand and what single actors look like, so crowds and the noise
        levels at which details are decided come first.
        """
        return cls(
            steps, seed, cool_part=0.4, alone_part=0.1, picture_part=0.9,
            level_mean=-1.3, level_deviation=1.4,
        )  # fmt: skip

    def fields(self) -> dict[str, Any]:
        """Return the settings for a JSON document."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step reads: clips with their captions and the number of their owner (or 0)."""

    clips: Clips
    captions: Sequence[str]
    owners: Sequence[int]


class Learner:
    """A model in training: its weights, their moving average, and the optimisers' memory."""

    def __init__(
        self, shape: Shape, vocabulary: Vocabulary, settings: Settings, *, device: str = "cpu"
    ) -> None:
        torch.manual_seed(settings.seed)
        self.shape = shape
        self.vocabulary = vocabulary
        self.settings = settings
        self.device = torch.device(device)
        self.model = VideoTransformer(shape).to(self.device)
        self.average = VideoTransformer(shape).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        self.optimizers = _optimizers(self.model, settings)
        self.steps_done = 0

    def begin(self, network: VideoTransformer) -> None:
        """Take the weights of a model of the same shape as the first."""
        for own in (self.model, self.average):
            own.load_state_dict(network.state_dict())

    def step(self, batch: Batch, model: Callable[..., Tensor] | None = None) -> float:
        """Learn from one batch and return its loss; ``model`` is ours as `fused` gave it."""
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.steps_done)
        clean, moments = self._chosen(batch.clips, generator)
        loss = self.loss(self.model if model is None else model, clean, moments, batch, generator)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._update()
        return float(loss.detach())

    def loss(
        self,
        model: Callable[..., Tensor],
        clean: Tensor,
        moments: Tensor,
        batch: Batch,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the mean squared error of the velocity of clips at random noise levels."""
        settings = self.settings
        level = self._levels(moments.shape, generator)
        words = torch.tensor(
            self.vocabulary.numbers(batch.captions, self.shape.caption_words), dtype=torch.long
        )
        owners = torch.tensor(batch.owners, dtype=torch.long)
        repeats = len(clean) // len(words)
        words, owners = words.repeat_interleave(repeats, 0), owners.repeat_interleave(repeats)
        unsaid = torch.rand(len(words), generator=generator) < settings.caption_dropout
        words[:, 1:][unsaid] = 0
        owners[torch.rand(len(owners), generator=generator) < settings.owner_dropout] = 0
        noise = torch.randn(clean.shape, generator=generator)
        clean, noise, level, words, owners, moments = (
            part.to(self.device) for part in (clean, noise, level, words, owners, moments)
        )
        share = level.repeat_interleave(self.shape.patch_frames, 1)[:, :, None, None, None]
        noisy = share * clean + (1 - share) * noise
        with torch.autocast(self.device.type, fast_type(self.device)):
            guess = model(noisy, level, words, owners, moments)
        error = (guess.float() - clean) / (1 - share.clamp(max=LEVEL_MAX))
        judged = (share < 1).float().expand_as(error)
        return (error.square() * judged).sum() / judged.sum()

    def _chosen(self, clips: Clips, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the latent frames this step looks at, from -1 to 1, and their places in time."""
        shape, settings = self.shape, self.settings
        clean = torch.from_numpy(clips).float() / 127.5 - 1
        batch, latent = len(clips), shape.latent_frames
        if self.steps_done >= settings.picture_part * settings.steps:
            return clean, torch.arange(latent).expand(batch, latent)
        order = torch.rand(batch, latent, generator=generator).argsort(1)
        moments = order[:, : settings.picture_moments]
        frames = clean.unflatten(1, (latent, shape.patch_frames))
        chosen = frames[torch.arange(batch)[:, None], moments]
        return chosen.flatten(0, 1), moments.reshape(-1, 1)

    def _levels(self, moments: torch.Size, generator: torch.Generator) -> Tensor:
        settings = self.settings
        batch, latent = moments
        normal = torch.randn(batch, 1, generator=generator)
        level = (settings.level_mean + settings.level_deviation * normal).sigmoid()
        level = level.expand(batch, latent).clone()
        if latent > 1:
            begun = torch.rand(batch, generator=generator) < settings.begun_part
            count = torch.randint(1, latent // 2 + 1, (batch, 1), generator=generator)
            level[begun[:, None] & (torch.arange(latent) < count)] = 1.0
        return level

    def _update(self) -> None:
        factor = rate_factor(self.steps_done, self.settings)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.steps_done += 1
        part = min(self.settings.average_part, (1 + self.steps_done) / (10 + self.steps_done))
        with torch.no_grad():
            averages: list[Tensor] = list(self.average.parameters())
            weights: list[Tensor] = list(self.model.parameters())
            torch._foreach_lerp_(averages, weights, 1 - part)

    def save(self, path: Path) -> None:
        """Write everything a later `load` needs to go on as if nothing had happened."""
        torch.save(
            {
                "steps_done": self.steps_done,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            },
            path,
        )

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        kept = torch.load(path, map_location=self.device, weights_only=True)
        self.steps_done = kept["steps_done"]
        self.model.load_state_dict(kept["model"])
        self.average.load_state_dict(kept["average"])
        for optimizer, state in zip(self.optimizers, kept["optimizers"], strict=True):
            optimizer.load_state_dict(state)


def fused(model: nn.Module) -> Callable[..., Tensor]:
    """Return the model with its operations fused, or as it is where no C++ compiler is found.

    It shares its weights and is about twice as fast; the first steps of each kind take longer.
    """
    needs_compiler = next(model.parameters()).device.type == "cpu"
    if needs_compiler and not (shutil.which("c++") or shutil.which("g++")):
        return model
    compiled: Callable[..., Tensor] = torch.compile(model)
    return compiled


def rate_factor(step: int, settings: Settings) -> float:
    """Return the part of the full learning rate: up, level, and down to zero along a cosine."""
    if step < settings.warm_steps:
        return (step + 1) / settings.warm_steps
    cooling = (step - (1 - settings.cool_part) * settings.steps) / (
        settings.cool_part * settings.steps
    )
    return 0.5 + 0.5 * math.cos(math.pi * min(max(cooling, 0.0), 1.0))


def _optimizers(model: VideoTransformer, settings: Settings) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside blocks and text layers, AdamW for the rest."""
    inside = [*model.blocks.parameters(), *model.text.layers.parameters()]
    matrices = [part for part in inside if part.ndim == 2 and min(part.shape) > 16]
    chosen = {id(part) for part in matrices}
    others = [part for part in model.parameters() if id(part) not in chosen]
    muon = torch.optim.Muon(matrices, lr=settings.matrix_rate, weight_decay=0.01)
    adam = torch.optim.AdamW(
        others, lr=settings.other_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
    for optimizer, rate in ((muon, settings.matrix_rate), (adam, settings.other_rate)):
        for group in optimizer.param_groups:
            group["full_rate"] = rate
    return [muon, adam]
