"""All shards of a clearing, by a pool of workers that share one site index."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from tercet.consent.corpora import Corpus, Shard, digest_inputs
from tercet.consent.site_index import SiteIndex
from tercet.core.errors import StorageError
from tercet.flows.clear_shard import ShardClearing, ShardTask
from tercet.flows.pool import worker_pool
from tercet.store.verdict_parts import Part

if TYPE_CHECKING:
    from concurrent.futures import Future

_clearing: ShardClearing | None = None


def _prepare(task: ShardTask, sites: SiteIndex) -> None:
    global _clearing  # noqa: PLW0603  one per worker process, made before its first shard
    _clearing = ShardClearing(task, sites)


def _clear(shard: Shard) -> Part:
    if _clearing is None:
        raise RuntimeError("a worker was given a shard before it was prepared")
    return _clearing.clear(shard)


def clear_shards(
    task: ShardTask,
    sites: SiteIndex,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> tuple[Corpus, list[Part]]:
    """Clear every shard; return the corpus with its input digests, and the parts in order.

    The inputs are digested meanwhile. Raises StorageError when a worker process dies.
    """
    shards = task.corpus.shards
    done = 0
    parts: list[Part] = []
    # A process of its own for the digests: unlike a thread it can be ended by Ctrl-C.
    with (
        worker_pool(1) as aside,
        worker_pool(min(workers, len(shards)), _prepare, (task, sites)) as pool,
    ):
        digested = aside.submit(digest_inputs, task.corpus)
        waiting: list[Future[Part]] = [pool.submit(_clear, shard) for shard in shards]
        try:
            for future in as_completed(waiting):
                part = future.result()
                parts.append(part)
                done += part.row_count
                progress("rows", done, task.corpus.row_count)
            corpus = digested.result()
        except BrokenProcessPool as error:
            raise StorageError(
                "a worker process died, perhaps because memory ran out",
                hint="run the same command again with --workers 1; finished shards are kept",
            ) from error
    return corpus, sorted(parts, key=lambda part: part.index)
