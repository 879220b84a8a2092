"""Batches: the samples of each step in the committed order, made ahead by worker processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np

from tercet.core.errors import StorageError
from tercet.studio.batch_chain import SampleRecord
from tercet.studio.scenes.sprite import Pixels
from tercet.studio.training_samples import SampleSource

SLICE_SAMPLES = 32
AHEAD_STEPS = 3

_source: SampleSource | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SampleBatch:
    """Some samples of a step, in order. ``owners`` are names, "" for none or several."""

    clips: Pixels
    captions: tuple[str, ...]
    owners: tuple[str, ...]
    records: tuple[SampleRecord, ...]


def prepare_source(source: SampleSource) -> None:
    """Give a worker process what it makes samples of."""
    global _source  # noqa: PLW0603  one per worker process, given before its first samples
    _source = source


def samples_at(source: SampleSource, indices: Sequence[int]) -> SampleBatch:
    """Return the samples at these indices."""
    samples = [source.sample(index) for index in indices]
    return SampleBatch(
        np.stack([sample.clip for sample in samples]),
        tuple(sample.caption for sample in samples),
        tuple(sample.owner for sample in samples),
        tuple(sample.record for sample in samples),
    )


def _made(indices: range) -> SampleBatch:
    if _source is None:
        raise RuntimeError("a worker was asked for samples before it was prepared")
    return samples_at(_source, indices)


def batches(
    source: SampleSource,
    *,
    batch: int,
    part: range,
    first_step: int,
    last_step: int,
    pool: ProcessPoolExecutor | None,
) -> Iterator[SampleBatch]:
    """Yield this rank's ``part`` of the batch of each step, from ``first_step`` to ``last_step``.

    Step n (from 1) has the samples (n - 1) * batch and on. With a ``pool``, whose workers were
    prepared with the source, a few steps are made ahead. Raises StorageError if a worker dies.
    """
    steps = iter(range(first_step, last_step + 1))
    if pool is None:
        for step in steps:
            yield samples_at(source, _indices(step, batch, part))
        return
    waiting: deque[list[Future[SampleBatch]]] = deque()
    try:
        for step in steps:
            waiting.append(_submitted(pool, _indices(step, batch, part)))
            if len(waiting) > AHEAD_STEPS:
                yield _joined(waiting.popleft())
        while waiting:
            yield _joined(waiting.popleft())
    except BrokenProcessPool as error:
        raise StorageError(
            "a worker process died, perhaps because memory ran out",
            hint="run the same command again with --workers 0; nothing is lost",
        ) from error


def _indices(step: int, batch: int, part: range) -> range:
    start = (step - 1) * batch
    return range(start + part.start, start + part.stop)


def _submitted(pool: ProcessPoolExecutor, indices: range) -> list[Future[SampleBatch]]:
    starts = range(indices.start, indices.stop, SLICE_SAMPLES)
    return [
        pool.submit(_made, range(start, min(start + SLICE_SAMPLES, indices.stop)))
        for start in starts
    ]


def _joined(pieces: list[Future[SampleBatch]]) -> SampleBatch:
    made = [piece.result() for piece in pieces]
    return SampleBatch(
        np.concatenate([piece.clips for piece in made]),
        tuple(text for piece in made for text in piece.captions),
        tuple(name for piece in made for name in piece.owners),
        tuple(record for piece in made for record in piece.records),
    )
