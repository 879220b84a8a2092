"""Worker processes: forked where the system can, so that what was loaded is shared, not copied."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

_PARENT_POLL_S = 1.0


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
    pool = ProcessPoolExecutor(
        max(1, workers),
        mp_context=multiprocessing.get_context(start_method()),
        initializer=begin_worker,
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


def start_method() -> str:
    """Return how processes are started: forked where the system can."""
    return "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


def begin_worker(
    prepare: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> None:
    """Begin a worker process: Ctrl-C is left to the parent, one processor is used.

    When the parent is gone (killed), the worker ends too instead of waiting for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import pyarrow as pa

    pa.set_cpu_count(1)
    if prepare is not None:
        prepare(*arguments)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_S)
    os._exit(1)
