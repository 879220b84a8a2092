"""The video transformer: noisy patches and a caption in, the clean patches out.

Pixel space, no autoencoder, and the clean clip is predicted, since a narrow network cannot carry
the noise that velocity prediction asks for (Li & He, "Back to Basics", arXiv 2511.13720). Space
and time are attended in turn. Each latent frame has a noise level of its own (Chen et al.,
"Diffusion Forcing", arXiv 2407.01392), so that a clip can go on from frames that are clean.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, silu

from tercet.studio.model.attention import Attention, normalise, rotary_table
from tercet.studio.model.size import HEAD_WIDTH, Shape
from tercet.studio.model.text_encoder import TextEncoder

MODULATIONS = 9  # shift, scale and gate for space, time and the feed-forward part
LEVEL_FREQUENCIES = 64


def level_features(level: Tensor) -> Tensor:
    """Return (..., 128) cosines and sines of noise levels between 0 (noise) and 1 (clean)."""
    speeds = torch.exp(
        -math.log(1000.0) * torch.arange(LEVEL_FREQUENCIES, device=level.device) / LEVEL_FREQUENCIES
    )
    angles = 1000.0 * level[..., None] * speeds
    return torch.cat((angles.cos(), angles.sin()), -1)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise (batch, time, space, width), then scale and shift it frame by frame."""
    return normalise(x) * (1 + scale) + shift


class Block(nn.Module):
    """Space, time, the caption, and each place by itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.space = Attention(width, heads)
        self.time = Attention(width, heads)
        self.caption = Attention(width, heads)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)
        self.modulation = nn.Parameter(torch.zeros(MODULATIONS, width))
        nn.init.zeros_(self.caption.out.weight)

    def forward(
        self,
        x: Tensor,
        conditions: Tensor,
        words: Tensor,
        mask: Tensor,
        rotary: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Return x (batch, time, space, width) a block further."""
        batch, time, space, width = x.shape
        parts = (conditions + self.modulation.to(x.dtype))[:, :, :, None].unbind(2)
        shift, scale, gate = parts[:3]
        rows = modulate(x, shift, scale).reshape(batch * time, space, width)
        x = x + gate * self.space(rows, rotary=rotary[0]).view(batch, time, space, width)
        if time > 1:  # a single moment has nothing to look at
            shift, scale, gate = parts[3:6]
            rows = modulate(x, shift, scale).transpose(1, 2).reshape(batch * space, time, width)
            seen = self.time(rows, rotary=rotary[1]).view(batch, space, time, width)
            x = x + gate * seen.transpose(1, 2)
        rows = normalise(x).reshape(batch, time * space, width)
        x = x + self.caption(rows, words, mask=mask).view(batch, time, space, width)
        shift, scale, gate = parts[6:]
        return x + gate * self.narrow(gelu(self.widen(modulate(x, shift, scale))))


class VideoTransformer(nn.Module):
    """The model. Clips are (batch, frames, height, width, 3) with values from -1 to 1."""

    space_rotary: Tensor
    time_rotary: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.text = TextEncoder(shape)
        self.owner = nn.Embedding(shape.owner_count + 1, width)  # 0 stands for no owner named
        self.patch_in = nn.Linear(shape.patch_values, width)
        self.place = nn.Parameter(torch.randn(shape.grid**2, width) * 0.5)
        self.moment = nn.Parameter(torch.randn(shape.latent_frames, width) * 0.5)
        self.level = nn.Sequential(
            nn.Linear(2 * LEVEL_FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.modulation = nn.Linear(width, MODULATIONS * width)
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.depth))
        self.last_modulation = nn.Linear(width, 2 * width)
        self.patch_out = nn.Linear(width, shape.patch_values)
        side = torch.arange(shape.grid)
        places = torch.stack(torch.meshgrid(side, side, indexing="ij"), -1).flatten(0, 1)
        moments = torch.arange(shape.latent_frames)[:, None]
        self.register_buffer("space_rotary", rotary_table(places, HEAD_WIDTH), persistent=False)
        self.register_buffer("time_rotary", rotary_table(moments, HEAD_WIDTH), persistent=False)
        self._start()

    def _start(self) -> None:
        """Set the first weights: every block begins as the identity, the answer as grey."""
        nn.init.zeros_(self.owner.weight)
        for linear in (self.modulation, self.last_modulation, self.patch_out):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(
        self, noisy: Tensor, level: Tensor, words: Tensor, owner: Tensor, moments: Tensor
    ) -> Tensor:
        """Return the clean clips.

        ``level`` (batch, latent frames) says how clean each latent frame is, from 0 to 1;
        ``words`` (batch, caption words) and ``owner`` (batch,) are numbers; ``moments`` (batch,
        latent frames) are the places in time of the latent frames at hand, all or a few.
        """
        caption, summary, mask = self.text(words)
        about = self.level(level_features(level))
        about = silu(about + (summary + self.owner(owner))[:, None])
        conditions = self.modulation(about).unflatten(-1, (MODULATIONS, -1))
        x = self.patch_in(self.cut(noisy))
        x = x + (self.place + self.moment[moments][:, :, None]).to(x.dtype)
        turns = self.time_rotary[moments].repeat_interleave(self.shape.grid**2, 0)[:, None]
        rotary = (self.space_rotary, turns)
        for block in self.blocks:
            x = block(x, conditions, caption, mask, rotary)
        shift, scale = self.last_modulation(about)[:, :, None].chunk(2, -1)
        return self.join(self.patch_out(modulate(x, shift, scale)))

    def cut(self, clips: Tensor) -> Tensor:
        """Return the patches (batch, latent frames, places, values) of clips."""
        shape = self.shape
        x = clips.unflatten(1, (-1, shape.patch_frames))
        x = x.unflatten(3, (shape.grid, shape.patch_px)).unflatten(5, (shape.grid, shape.patch_px))
        return x.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4).flatten(2, 3)

    def join(self, patches: Tensor) -> Tensor:
        """Return the clips of patches: the inverse of `cut`."""
        shape = self.shape
        x = patches.unflatten(2, (shape.grid, shape.grid))
        x = x.unflatten(4, (shape.patch_frames, shape.patch_px, shape.patch_px, 3))
        return x.permute(0, 1, 4, 2, 5, 3, 6, 7).flatten(1, 2).flatten(2, 3).flatten(3, 4)
