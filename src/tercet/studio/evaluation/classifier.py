"""The classifier: reads from a clip which subjects it shows, how they look and move, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from tercet.studio.evaluation.attributes import ACTORS_MAX, SCENE_ATTRIBUTES, UNSAID, answers
from tercet.studio.evaluation.networks import (
    CELLS,
    NAMED_CELLS,
    SIDE_PX,
    ActorNetwork,
    FrameNetwork,
    SceneNetwork,
    Widths,
    track_numbers,
)
from tercet.studio.scenes.stage import Stage

Clips = NDArray[np.uint8]  # (clips, 16, 64, 64, 3), RGB
BATCH_CLIPS = 16
_CLIPS_AT_ONCE = 2  # more does not stay in the processor's cache
_STRAY_PART = 0.3  # of what no asked-for noun explains, given to the actors of a clip with several


class Classifier(nn.Module):
    """The three networks together. ``nouns`` are the answers of its noun head, in order."""

    def __init__(self, nouns: tuple[str, ...], widths: Widths) -> None:
        super().__init__()
        self.nouns = nouns
        self.frame = FrameNetwork(widths.nouns)
        self.actor = ActorNetwork(widths)
        self.scene = SceneNetwork(widths)

    @classmethod
    def of(cls, stage: Stage) -> Classifier:
        """Return an untrained classifier for a stage, its weights drawn from torch's generator."""
        sizes = [len(answers(name, stage)) for name in ("colour", "motion", *SCENE_ATTRIBUTES)]
        return cls(stage.nouns, Widths(len(stage.nouns), *sizes))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the frame network sees in clips, asked for three nouns a clip.

    Per noun (clips, 3, frames, ...): ``numbers`` the geometry of its mask, ``looks`` the mean
    features and ``tints`` the mean colour under it and beside it, ``others`` the mean geometry of
    the other nouns. Per clip: ``backdrop`` (clips, 160) its mean features, ``subject`` (clips,
    frames, 160) the mean features of all that is not backdrop, ``covered`` (clips, frames) how
    much that is, ``nouns`` (clips, N) how much of every noun there is, ``pixels`` as given.
    """

    numbers: Tensor
    looks: Tensor
    tints: Tensor
    others: Tensor
    backdrop: Tensor
    subject: Tensor
    covered: Tensor
    nouns: Tensor
    pixels: Tensor

    @property
    def of_actors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What `ActorNetwork` reads, for (clips x 3) actors."""
        of_actors = (self.numbers, self.looks, self.tints, self.others)
        return tuple(part.flatten(0, 1) for part in of_actors)  # type: ignore[return-value]

    @property
    def of_scenes(self) -> tuple[Tensor, Tensor, Tensor]:
        """What `SceneNetwork` reads."""
        return self.pixels, self.backdrop, self.covered


def pixels_of(clips: Clips) -> Tensor:
    """Return clips as (clips, frames, 3, height, width) from -1 to 1."""
    return torch.from_numpy(np.ascontiguousarray(clips)).permute(0, 1, 4, 2, 3) / 127.5 - 1.0


@torch.no_grad()
def look(classifier: Classifier, pixels: Tensor, nouns: Tensor) -> Seen:
    """Look at every frame for the nouns (clips, 3) by number; `UNSAID` asks for none.

    Clips go through by twos: what one frame says of every noun is large, and is summed up at once.
    """
    pairs = zip(pixels.split(_CLIPS_AT_ONCE), nouns.split(_CLIPS_AT_ONCE), strict=True)
    parts = [_look(classifier, some, asked) for some, asked in pairs]
    whole = [torch.cat(part) for part in zip(*parts, strict=True)]
    return Seen(*whole, pixels=pixels)  # type: ignore[misc]


def _look(classifier: Classifier, pixels: Tensor, nouns: Tensor) -> tuple[Tensor, ...]:
    size = pixels.shape[:2]
    flat = pixels.flatten(0, 1)
    with torch.autocast(pixels.device.type, torch.bfloat16):
        features, logits = classifier.frame(flat)
        named = classifier.frame.noun(features)
    share = named.float().softmax(-1).unflatten(0, size)
    features = features.float().unflatten(0, size)
    covered = logits.float().sigmoid().unflatten(0, size)
    colours = avg_pool2d(flat, SIDE_PX // CELLS).unflatten(0, size)
    weight = masks(share, covered, nouns)
    mass = weight.sum((-2, -1))[..., None] + 1e-3
    coarse = avg_pool2d(weight.flatten(0, 1), 2).unflatten(0, weight.shape[:2]) * 4
    looks = torch.einsum("caftu,cftud->cafd", coarse, features) / mass
    tints = torch.einsum("caftu,cfdtu->cafd", weight, colours) / mass
    free = 1.0 - covered[:, :, None]
    around = (colours * free).sum((-2, -1)) / (free.sum((-2, -1)) + 1e-3)
    tints = torch.cat((tints, around[:, None].expand_as(tints)), -1)
    numbers = track_numbers(weight)
    there = (nouns != UNSAID).float()[:, :, None, None]
    total = (numbers * there).sum(1, keepdim=True)
    others = (total - numbers * there) / (there.sum(1, keepdim=True) - there).clamp(min=1.0)
    small = avg_pool2d(covered, 2)[..., None]
    return (
        numbers,
        looks,
        tints,
        others,
        (features * (1 - small)).sum((1, 2, 3)) / ((1 - small).sum((1, 2, 3)) + 1e-3),
        (features * small).sum((2, 3)) / (small.sum((2, 3)) + 1e-3),
        covered.mean((2, 3)),
        (share * small).sum((1, 2, 3)) / (share.shape[1] * NAMED_CELLS),
    )


def masks(share: Tensor, covered: Tensor, nouns: Tensor) -> Tensor:
    """Return where each asked-for noun is seen (clips, 3, frames, 16, 16).

    ``share`` (clips, frames, 8, 8, nouns) is how likely what is in each cell is of each noun,
    ``covered`` (clips, frames, 16, 16) how likely each small cell is an actor's. In a clip of one
    noun: all that is not backdrop, so that a motion can be read of a thing that is not well
    drawn. Of several: what looks like the noun, and a part of what looks like none of them.
    """
    there = (nouns != UNSAID)[:, :, None, None, None]
    index = nouns.clamp(min=0)[:, None, None, None].expand(*share.shape[:-1], -1)
    own = share.gather(-1, index).permute(0, 4, 1, 2, 3) * there
    stray = (1.0 - own.sum(1, keepdim=True)).clamp(min=0.0)
    count = there.sum(1, keepdim=True)
    part = torch.where(count == 1, 1.0, _STRAY_PART / count.clamp(min=1))
    fine = interpolate(((own + part * stray) * there).flatten(0, 1), scale_factor=2.0)
    return fine.unflatten(0, nouns.shape) * covered[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the classifier reads in clips.

    ``nouns`` (clips, N) is how much of each noun is there; ``actors`` (clips, 3, 3) the colour,
    motion and heading of each asked-for noun, ``scenes`` (clips, 5) backdrop, time, weather,
    camera and count; ``features`` (clips, width) for distances.
    """

    nouns: NDArray[np.float32]
    actors: NDArray[np.int64]
    scenes: NDArray[np.int64]
    features: NDArray[np.float32]


def read(classifier: Classifier, clips: Clips, nouns: NDArray[np.int64]) -> Reading:
    """Read clips, asking for the given nouns (clips, 3) by number; `UNSAID` asks for none."""
    classifier.eval()
    parts = [
        _read(classifier, pixels_of(clips[rows]), torch.from_numpy(nouns[rows]))
        for rows in _batches(len(clips))
    ]
    arrays = [np.concatenate([part[at] for part in parts]) for at in range(4)]
    return Reading(*arrays)


def _batches(count: int) -> Iterator[slice]:
    for begin in range(0, count, BATCH_CLIPS):
        yield slice(begin, begin + BATCH_CLIPS)


@torch.no_grad()
def _read(classifier: Classifier, pixels: Tensor, nouns: Tensor) -> list[NDArray[np.generic]]:
    seen = look(classifier, pixels, nouns)
    motion, heading, colour = (logits.argmax(-1) for logits in classifier.actor(*seen.of_actors))
    with torch.autocast(pixels.device.type, torch.bfloat16):
        whole, scenes = classifier.scene(*seen.of_scenes)
    actors = torch.stack((colour, motion, heading), -1).unflatten(0, (len(pixels), ACTORS_MAX))
    scene = torch.stack([logits.argmax(-1) for logits in scenes], -1)
    change = (seen.subject[:, 1:] - seen.subject[:, :-1]).abs().mean(1)
    features = torch.cat((whole.float(), seen.subject.mean(1), change), 1)
    return [part.numpy() for part in (seen.nouns, actors, scene, features)]
