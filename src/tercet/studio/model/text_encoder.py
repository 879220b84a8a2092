"""The text encoder: a small transformer over words, trained with the model from nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from tercet.studio.model.attention import Attention, normalise, rotary_table
from tercet.studio.model.size import HEAD_WIDTH, Shape
from tercet.studio.model.words import EMPTY


class TextLayer(nn.Module):
    """One layer: every word looks at every other, then at itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, rotary: Tensor, mask: Tensor) -> Tensor:
        """Return the words (batch, places, width) a layer further."""
        x = x + self.attention(normalise(x), rotary=rotary, mask=mask)
        return x + self.narrow(gelu(self.widen(normalise(x))))


class TextEncoder(nn.Module):
    """Captions as numbers (batch, places) in; words in context, and one summary, out."""

    rotary: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.word_count, shape.width)
        self.layers = nn.ModuleList(
            TextLayer(shape.width, shape.heads) for _ in range(shape.text_depth)
        )
        self.summary = nn.Linear(shape.width, shape.width, bias=False)
        places = torch.arange(shape.caption_words)[:, None]
        self.register_buffer("rotary", rotary_table(places, HEAD_WIDTH), persistent=False)
        nn.init.normal_(self.embedding.weight, std=1.0)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (batch, places, width), (batch, width), and the mask of the filled places."""
        filled = words != EMPTY
        mask = filled[:, None, None, :]
        x = self.embedding(words)
        for layer in self.layers:
            x = layer(x, self.rotary, mask)
        x = normalise(x)
        weight = filled.to(x.dtype)[:, :, None]
        mean = (x * weight).sum(1) / weight.sum(1)
        return x, self.summary(mean), mask
