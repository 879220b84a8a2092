"""The classifier's networks: what stands where in a frame, how it moves, and in what scene.

Trained from nothing on real clips only (`classifier_training`). Small on purpose: a judge must be
cheap to train again, and must not know more than the corpus.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pixel_unshuffle, relu

SIDE_PX = 64
CELLS = 16  # along a side: a cell is 4 x 4 px
NAMED_CELLS = 8  # along a side: what stands in them is named
FRAMES = 16
FEATURE_WIDTH = 160
_NEAR_WIDTH = 64
_TRACK_NUMBERS = 11  # what the geometry of one actor in one frame comes to
_TRACK_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Widths:
    """How many answers each head gives."""

    nouns: int
    colours: int
    motions: int
    backdrops: int
    times: int
    weathers: int
    cameras: int
    counts: int


def _convolution(inner: int, outer: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU()
    )


class _Residual(nn.Module):
    """Two convolutions beside a way straight through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x a block further."""
        return relu(x + self.second(self.first(x)))


class FrameNetwork(nn.Module):
    """Frames (n, 3, 64, 64) from -1 to 1 in; where actors are, and what they are, out.

    Actors are found in cells of 4 px, and named in cells of 8 px, which see enough of them.
    """

    def __init__(self, nouns: int) -> None:
        super().__init__()
        self.stem = _convolution(48, _NEAR_WIDTH)
        self.near = _Residual(_NEAR_WIDTH)
        self.down = _convolution(_NEAR_WIDTH, FEATURE_WIDTH, stride=2)
        self.far = nn.Sequential(_Residual(FEATURE_WIDTH), _Residual(FEATURE_WIDTH))
        self.up = nn.Conv2d(FEATURE_WIDTH, _NEAR_WIDTH, 1, bias=False)
        self.join = _convolution(_NEAR_WIDTH, _NEAR_WIDTH)
        self.covered = nn.Conv2d(_NEAR_WIDTH, 1, 1)
        self.noun = nn.Linear(FEATURE_WIDTH, nouns)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (n, 8, 8, 160), and logits (n, 16, 16) of a cell being an actor's."""
        x = pixel_unshuffle(frames, 4).contiguous(memory_format=torch.channels_last)
        near = self.near(self.stem(x))
        far = self.far(self.down(near))
        joined = self.join(near + interpolate(self.up(far), scale_factor=2.0))
        return far.permute(0, 2, 3, 1), self.covered(joined)[:, 0]


def track_numbers(weight: Tensor) -> Tensor:
    """Return the geometry of actors' masks (..., cells, cells): numbers (..., 11).

    Mass, centroid, spread along and across, tilt, height of the peak, and what lies on each of
    the four edges; the centroid of an empty mask is the middle.
    """
    mass = weight.sum((-2, -1))
    share = weight / (mass[..., None, None] + 1e-3)
    place = torch.linspace(-1.0, 1.0, weight.shape[-1], device=weight.device)
    across, down = share.sum(-2), share.sum(-1)
    x, y = (across * place).sum(-1), (down * place).sum(-1)
    dx, dy = place - x[..., None], place - y[..., None]
    xx, yy = (across * dx**2).sum(-1), (down * dy**2).sum(-1)
    xy = (share * dy[..., :, None] * dx[..., None, :]).sum((-2, -1))
    edges = (across[..., 0], across[..., -1], down[..., 0], down[..., -1])
    peak = weight.amax((-2, -1))
    numbers = (mass.sqrt() / 4, x, y, 4 * xx, 4 * yy, 4 * xy, peak, *edges)
    return torch.stack(numbers, -1)


class ActorNetwork(nn.Module):
    """What one actor does, from where it is and what it looks like in every frame."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.look = nn.Linear(FEATURE_WIDTH, 24)
        inner = 2 * (_TRACK_NUMBERS + 24) + _TRACK_NUMBERS
        self.track = nn.Sequential(
            nn.Conv1d(inner, _TRACK_WIDTH, 3, padding=1), nn.ReLU(),
            nn.Conv1d(_TRACK_WIDTH, _TRACK_WIDTH, 3, padding=1), nn.ReLU(),
            nn.Conv1d(_TRACK_WIDTH, _TRACK_WIDTH, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.path = nn.Sequential(nn.Linear(_TRACK_WIDTH * FRAMES, 192), nn.ReLU())
        self.motion = nn.Linear(192, widths.motions)
        self.heading = nn.Linear(192, 2)
        self.colour = nn.Sequential(
            nn.Linear(FEATURE_WIDTH + 6, 96), nn.ReLU(), nn.Linear(96, widths.colours)
        )

    def forward(
        self, numbers: Tensor, looks: Tensor, tints: Tensor, others: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of motion, heading and colour for actors (n, ...).

        ``numbers`` (n, frames, 11), ``looks`` (n, frames, 160) the mean features under the mask,
        ``tints`` (n, frames, 6) the mean colour under it
        and beside it, ``others`` (n, frames, 11) the mean
        geometry of the other actors, for who follows whom.
        """
        steps = torch.cat((numbers, self.look(looks)), -1)
        change = torch.cat((steps[:, 1:] - steps[:, :-1], torch.zeros_like(steps[:, :1])), 1)
        x = self.track(torch.cat((steps, change, others), -1).transpose(1, 2))
        path = self.path(x.flatten(1))
        colour = self.colour(torch.cat((looks.mean(1), tints.mean(1)), -1))
        return self.motion(path), self.heading(path), colour


class SceneNetwork(nn.Module):
    """What the whole clip shows: place, time, weather, camera, how many actors."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.frames = nn.Sequential(
            _convolution(FRAMES * 3, 64, stride=2), _convolution(64, 96, stride=2), _Residual(96),
            _convolution(96, 128, stride=2), _Residual(128),
        )  # fmt: skip
        self.whole = nn.Sequential(
            nn.Linear(128 * 5 + FEATURE_WIDTH + FRAMES, 256), nn.ReLU(), nn.Dropout(0.1)
        )
        answers = (widths.backdrops, widths.times, widths.weathers, widths.cameras, widths.counts)
        self.heads = nn.ModuleList(nn.Linear(256, answer) for answer in answers)

    def forward(self, clips: Tensor, looks: Tensor, covered: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return features (n, 256) and logits of backdrop, time, weather, camera and count.

        ``clips`` (n, frames, 3, 64, 64); ``looks`` (n, 160) the mean features of the backdrop;
        ``covered`` (n, frames) the share of each frame that actors cover.
        """
        x = self.frames(clips.flatten(1, 2).contiguous(memory_format=torch.channels_last))
        parts = torch.cat((avg_pool2d(x, 4).flatten(1), x.mean((2, 3))), 1)
        whole = self.whole(torch.cat((parts.float(), looks, covered), 1))
        return whole, [head(whole) for head in self.heads]
