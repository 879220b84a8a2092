"""Training samples: what stands at each index, a function of the works and a seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tercet.core.errors import InputError
from tercet.studio.batch_chain import SampleRecord
from tercet.studio.scenes.captions import caption, words
from tercet.studio.scenes.clip import render_clip, works_in
from tercet.studio.scenes.recipe import CLIP_FRAME_COUNT, Recipe
from tercet.studio.scenes.recipes import ACTORS_MAX, recipe
from tercet.studio.scenes.sprite import Pixels
from tercet.studio.scenes.stage import Stage


@dataclass(frozen=True, slots=True)
class ClipSize:
    """How large clips are that a model learns from; all of them last five seconds."""

    side_px: int
    frame_count: int


HOUSE_CLIPS = ClipSize(64, CLIP_FRAME_COUNT)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One captioned clip (frames, side, side, 3). ``owner`` is "" when several stand behind it."""

    clip: Pixels
    caption: str
    owner: str
    record: SampleRecord


class SampleSource(Protocol):
    """Makes samples. The same index gives the same sample, whoever asks, and in any order."""

    def sample(self, index: int) -> Sample:
        """Return sample ``index``, from 0; there is no last one."""
        ...

    def words(self) -> tuple[str, ...]:
        """Return every word of the captions."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SceneSamples:
    """Clips composed from sprites: sample ``index`` is recipe ``index`` of this stage and seed.

    The first ``alone_count`` samples show one actor: what things are is learned before who stands
    beside whom.
    """

    stage: Stage
    seed: int
    alone_count: int = 0
    size: ClipSize = HOUSE_CLIPS

    def recipe(self, index: int) -> Recipe:
        """Return what sample ``index`` is made from."""
        most = 1 if index < self.alone_count else ACTORS_MAX
        return recipe(self.stage, self.seed, index, max_actors=most)

    def sample(self, index: int) -> Sample:
        """Return the clip of recipe ``index``."""
        drawn = self.recipe(index)
        clip = render_clip(drawn, self.stage, self.size.side_px, self.size.frame_count)
        said = caption(drawn, self.stage)
        owners = {self.stage.sprites[actor.sprite].owner for actor in drawn.actors}
        record = SampleRecord.of(index, f"recipe {index}", said, works_in(drawn, self.stage), clip)
        return Sample(clip, said, owners.pop() if len(owners) == 1 else "", record)

    def words(self) -> tuple[str, ...]:
        """Return the words of the grammar and of the stage's nouns."""
        return words(self.stage)


class WindowPixels(Protocol):
    """Windows by number, each (frames, side, side, 3): an array, or a file that holds one."""

    def __len__(self) -> int:
        """Return how many windows there are."""
        ...

    def __getitem__(self, at: int, /) -> Pixels:
        """Return window ``at``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The windows cut from one real clip: (windows, frames, side, side, 3), with its rights."""

    work: str
    owner: str
    caption: str
    pixels: WindowPixels


class WindowSamples:
    """Windows of real clips: each is seen once before any is seen again, in a new order."""

    def __init__(self, clips: Sequence[Windows], seed: int) -> None:
        """Raises InputError when there is no window."""
        self.clips = tuple(sorted(clips, key=lambda clip: clip.work))
        self.seed = seed
        self._ends = np.cumsum([len(clip.pixels) for clip in self.clips])
        if not len(self._ends) or not self._ends[-1]:
            raise InputError("expected at least one window of a clip, got none")
        self._epoch = -1
        self._order = np.zeros(0, np.int64)

    def sample(self, index: int) -> Sample:
        """Return the window that stands at ``index``."""
        epoch, at = divmod(index, int(self._ends[-1]))
        if epoch != self._epoch:
            key = np.random.Philox(key=[self.seed & (2**64 - 1), epoch])
            self._order = np.random.Generator(key).permutation(int(self._ends[-1]))
            self._epoch = epoch
        number = int(self._order[at])
        clip = int(np.searchsorted(self._ends, number, side="right"))
        window = number - int(self._ends[clip] - len(self.clips[clip].pixels))
        return self._sample(index, self.clips[clip], window)

    def _sample(self, index: int, clip: Windows, window: int) -> Sample:
        pixels = np.ascontiguousarray(clip.pixels[window])
        source = f"clip {clip.work} window {window}"
        record = SampleRecord.of(index, source, clip.caption, (clip.work,), pixels)
        return Sample(pixels, clip.caption, clip.owner, record)

    def words(self) -> tuple[str, ...]:
        """Return the words of all captions."""
        return tuple(sorted({word for clip in self.clips for word in clip.caption.split()}))


@dataclass(frozen=True, slots=True, eq=False)
class MixedSamples:
    """Two sources by turns: even indices are of the first, odd ones of the second."""

    first: SampleSource
    second: SampleSource

    def sample(self, index: int) -> Sample:
        """Return the sample that stands at ``index``."""
        own = (self.first, self.second)[index % 2].sample(index // 2)
        record = own.record
        moved = SampleRecord(index, record.source, record.caption, record.works, record.pixels)
        return Sample(own.clip, own.caption, own.owner, moved)

    def words(self) -> tuple[str, ...]:
        """Return the words of both."""
        return tuple(sorted({*self.first.words(), *self.second.words()}))


def sample_grid(clips: Pixels, frames_shown: int = 4) -> Pixels:
    """Return one picture of clips (batch, frames, side, side, 3): a row a clip, time to the right.

    Rows are separated by one white pixel, as are frames.
    """
    count, frame_count, side = clips.shape[:3]
    shown = min(frames_shown, frame_count)
    at = np.linspace(0, frame_count - 1, shown).round().astype(int)
    out = np.full((count * (side + 1) - 1, shown * (side + 1) - 1, 3), 255, np.uint8)
    for row in range(count):
        for column, frame in enumerate(at):
            top, left = row * (side + 1), column * (side + 1)
            out[top : top + side, left : left + side] = clips[row, frame]
    return out
