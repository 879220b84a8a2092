"""Attention with rotary positions (RoPE, arXiv 2104.09864) and normalised queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

ROTARY_BASE = 100.0  # at most 16 places along an axis
SMALL = 1e-6


def normalise(x: Tensor) -> Tensor:
    """Return x with a root mean square of one along its last axis, in its own precision."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + SMALL)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Return what (batch, heads, places, width) queries see.

    On a CPU plain products are several times faster than the fused kernel, whose cost is one
    call for each of thousands of short sequences.
    """
    if query.device.type != "cpu":
        return scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1).to(value.dtype) @ value


def rotary_table(positions: Tensor, width: int) -> Tensor:
    """Return (places, width / 2, 2) cosines and sines for positions (places, axes).

    The width is shared out evenly among the axes.
    """
    axes = positions.shape[1]
    pairs = width // 2 // axes
    speeds = ROTARY_BASE ** (-torch.arange(pairs, dtype=torch.float32) / pairs)
    angles = (positions.float()[:, :, None] * speeds).flatten(1)
    return torch.stack((angles.cos(), angles.sin()), -1)


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn the pairs of x (..., places, width) by the angles of their places."""
    a, b = x.chunk(2, -1)
    cos, sin = table[..., 0].to(x.dtype), table[..., 1].to(x.dtype)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class Attention(nn.Module):
    """Multi-head attention of rows (batch, places, width), over themselves or over others."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Tensor,
        others: Tensor | None = None,
        *,
        rotary: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Attend; ``mask`` (batch, 1, 1, places) is true where there is something to see."""
        source = x if others is None else others
        query = self._split(self.query(x))
        key, value = (self._split(part) for part in self.key_value(source).chunk(2, -1))
        query, key = normalise(query), normalise(key)
        if rotary is not None:
            query, key = rotate(query, rotary), rotate(key, rotary)
        seen = attend(query, key, value, mask)
        return self.out(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
