"""The stage: all sprites at hand, found by their noun, and their pictures in every colour."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.core.errors import InputError
from tercet.studio.scenes.painting import painted
from tercet.studio.scenes.sprite import Kind, Pixels, Sprite

PICTURES_MAX = 16_384  # scaled pictures kept; about 3 kB each
_SIDES_PX = (12, 16, 21, 28, 37, 49, 65, 86, 115, 153, 204, 272, 363, 484, 645, 860, 1147)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Sprites in a fixed order. ``nouns`` are sorted; ``of_noun`` gives the sprites of each.

    ``digest`` is SHA-256 over what the sprites are: recipes are drawn from it, so that another
    choice of works is another stage.
    """

    sprites: tuple[Sprite, ...]
    nouns: tuple[str, ...]
    of_noun: Mapping[str, tuple[int, ...]]
    digest: str
    _pictures: dict[tuple[int, str, bool, int], Pixels] = field(repr=False)

    @classmethod
    def of(
        cls,
        sprites: Iterable[Sprite],
        *,
        nouns: Collection[str] | None = None,
        sprites_per_noun: int | None = None,
    ) -> Stage:
        """Return the stage of these sprites, only of ``nouns`` where given.

        Raises InputError if no sprite is left.
        """
        chosen = _chosen(sprites, nouns, sprites_per_noun)
        if not chosen:
            raise InputError(
                "expected at least one sprite on the stage, got none",
                hint="the clearance must let through works of the nouns asked for",
            )
        names = tuple(sorted({sprite.noun for sprite in chosen}))
        found = {
            noun: tuple(at for at, sprite in enumerate(chosen) if sprite.noun == noun)
            for noun in names
        }
        return cls(chosen, names, MappingProxyType(found), _digest(chosen), {})

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What the things of each noun are to a scene."""
        return {noun: self.sprites[found[0]].kind for noun, found in self.of_noun.items()}

    def proportions(self, sprite: int) -> tuple[float, float]:
        """Return width and height of a sprite as parts of its longest side."""
        height, width = self.sprites[sprite].pixels.shape[:2]
        longest = max(height, width)
        return width / longest, height / longest

    def picture(self, sprite: int, colour: str, mirrored: bool, side_px: int) -> Pixels:
        """Return a sprite as premultiplied RGBA, its longest side ``side_px`` or what it has.

        Ask for sizes of `ladder_px`: each is kept.
        """
        key = (sprite, colour, mirrored, side_px)
        kept = self._pictures.get(key)
        if kept is None:
            if len(self._pictures) >= PICTURES_MAX:
                self._pictures.pop(next(iter(self._pictures)))
            kept = self._pictures[key] = _scaled(self.sprites[sprite], colour, mirrored, side_px)
        return kept


def ladder_px(sides_px: NDArray[np.float64]) -> list[int]:
    """Return the sizes in which pictures are kept that come next above these sizes."""
    steps = np.searchsorted(_SIDES_PX, sides_px)
    return [_SIDES_PX[step] for step in np.minimum(steps, len(_SIDES_PX) - 1)]


def _chosen(
    sprites: Iterable[Sprite], nouns: Collection[str] | None, most: int | None
) -> tuple[Sprite, ...]:
    """Return the sprites in the order of noun and work, at most ``most`` of a noun."""
    counts: dict[str, int] = {}
    chosen = []
    for sprite in sorted(sprites, key=lambda sprite: (sprite.noun, sprite.work)):
        counts[sprite.noun] = counts.get(sprite.noun, 0) + 1
        wanted = nouns is None or sprite.noun in nouns
        if wanted and (most is None or counts[sprite.noun] <= most):
            chosen.append(sprite)
    return tuple(chosen)


def _digest(sprites: tuple[Sprite, ...]) -> str:
    """Return SHA-256 over work, noun, kind, facing and pixels of every sprite in order."""
    digest = hashlib.sha256(b"tercet/stage@1")
    for sprite in sprites:
        height, width = sprite.pixels.shape[:2]
        line = f"\n{sprite.work} {sprite.noun} {sprite.kind} {sprite.faces} {width}x{height} "
        digest.update(line.encode())
        digest.update(sprite.pixels.tobytes())
    return digest.hexdigest()


def _scaled(sprite: Sprite, colour: str, mirrored: bool, side_px: int) -> Pixels:
    """Return the sprite painted, premultiplied, mirrored and shrunk, with a clear rim of 1 px."""
    straight = painted(sprite.pixels, colour).astype(np.float32)
    straight[..., :3] *= straight[..., 3:] / 255.0
    height, width = straight.shape[:2]
    factor = min(side_px / max(height, width), 1.0)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    small = cv2.resize(straight, size, interpolation=cv2.INTER_AREA)
    if mirrored:
        small = small[:, ::-1]
    out = np.zeros((size[1] + 2, size[0] + 2, 4), np.uint8)
    out[1:-1, 1:-1] = np.clip(small + 0.5, 0, 255).astype(np.uint8)
    return out
