"""Worker processes: forked where the system can, so that what was loaded is shared, not copied."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


def processor_count() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def worker_pool(
    workers: int, prepare: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of ``workers`` processes; ``prepare(*arguments)`` runs first in each.

    On an error or Ctrl-C, work that has not begun is dropped and running work is ended.
    """
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    pool = ProcessPoolExecutor(
        max(1, workers),
        mp_context=multiprocessing.get_context(method),
        initializer=_begin,
        initargs=(prepare, arguments),
    )
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise
    pool.shutdown()


def _begin(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Leave Ctrl-C to the parent; let each worker use one processor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import pyarrow as pa

    pa.set_cpu_count(1)
    if prepare is not None:
        prepare(*arguments)
