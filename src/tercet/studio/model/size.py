"""Sizes: one dial sets the model; everything else follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tercet.core.errors import InputError

WIDTH_AND_DEPTH = {"xs": (128, 6), "s": (256, 6), "m": (384, 6), "l": (512, 10)}
HEAD_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a model: what must be known to build it again, besides its words.

    A clip has ``frame_count`` frames of ``side_px`` squared; a patch is ``patch_frames`` frames
    deep and ``patch_px`` wide and high. ``owner_count`` owners can be told apart.
    """

    size: str
    width: int
    depth: int
    text_depth: int = 2
    frame_count: int = 16
    side_px: int = 64
    patch_frames: int = 2
    patch_px: int = 8
    word_count: int = 0
    caption_words: int = 32
    owner_count: int = 0

    @property
    def heads(self) -> int:
        """Heads of every attention."""
        return self.width // HEAD_WIDTH

    @property
    def latent_frames(self) -> int:
        """Patches along time: each has a noise level of its own."""
        return self.frame_count // self.patch_frames

    @property
    def grid(self) -> int:
        """Patches along a side of the picture."""
        return self.side_px // self.patch_px

    @property
    def patch_values(self) -> int:
        """Numbers in one patch."""
        return self.patch_frames * self.patch_px * self.patch_px * 3

    def fields(self) -> dict[str, Any]:
        """Return the fields for a JSON document."""
        return asdict(self)


_MOST = {
    "width": 4096, "depth": 64, "text_depth": 16, "frame_count": 256, "side_px": 512,
    "patch_frames": 16, "patch_px": 64, "word_count": 1_000_000, "caption_words": 1024,
    "owner_count": 10_000_000,
}  # fmt: skip
_LEAST = {"word_count": 0, "owner_count": 0, "width": HEAD_WIDTH}  # 1 for all others


def checked_shape(fields: Mapping[str, Any]) -> Shape:
    """Return the shape of a model that somebody else may have written.

    Raises ValueError, TypeError for fields that are unknown, no numbers, or beyond any model.
    """
    shape = Shape(**fields)
    for name, most in _MOST.items():
        value = getattr(shape, name)
        if type(value) is not int or not _LEAST.get(name, 1) <= value <= most:
            raise ValueError(f"{name}: expected up to {most}, got {value!r:.40}")
    parts = ((shape.width, HEAD_WIDTH), (shape.frame_count, shape.patch_frames))
    if any(whole % part for whole, part in (*parts, (shape.side_px, shape.patch_px))):
        raise ValueError("its patches or heads do not fill it")
    return shape


def shape_of(size: str, *, word_count: int, owner_count: int, side_px: int = 64) -> Shape:
    """Return the shape a size stands for: about 2, 8, 20 or 60 million weights.

    Raises `InputError` for an unknown size.
    """
    if size not in WIDTH_AND_DEPTH:
        known = ", ".join(WIDTH_AND_DEPTH)
        raise InputError(
            f"expected a size of {known}, got {size!r}", hint="--size s is the default"
        )
    width, depth = WIDTH_AND_DEPTH[size]
    return Shape(
        size=size,
        width=width,
        depth=depth,
        side_px=side_px,
        patch_px=side_px // 8,
        word_count=word_count,
        owner_count=owner_count,
    )
