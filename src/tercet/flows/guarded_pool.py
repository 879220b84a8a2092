"""Work on hostile files: a child that dies, hangs or grows too big costs one file, not the run.

Each child holds one lot of items and sends back one result an item, so the parent knows which
item a child was at when it died or ran out of time. That item becomes a Casualty; a new child
goes on with the rest of the lot.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from tercet.core.errors import UndecodableError
from tercet.flows.pool import begin_worker, start_method

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOT_ITEMS = 16
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Casualty:
    """Why an item has no result: the child at work on it died, hung, or ran out of memory."""

    reason: str


@dataclass(frozen=True, slots=True)
class Guard:
    """What one item may take: seconds of time, bytes of address space beyond the parent's.

    ``seconds_of``, when given, is asked for each item and rules instead of ``seconds``.
    """

    seconds: float
    memory_bytes: int
    seconds_of: Callable[[Any], float] | None = None

    def seconds_for(self, item: object) -> float:
        """Return how long ``item`` may take."""
        return self.seconds if self.seconds_of is None else self.seconds_of(item)


def guarded_map(
    function: Callable[[Item], Result], items: Iterator[Item], *, workers: int, guard: Guard
) -> Generator[tuple[Item, Result | Casualty], None, None]:
    """Yield each item with its result, in the order in which they are done.

    An exception of ``function`` ends the run; a MemoryError is a Casualty. Children are ended
    when the generator is closed.
    """
    children = [_Child(function, guard) for _ in range(max(1, workers))]
    try:
        for child in children:
            child.give(list(islice(items, _LOT_ITEMS)))
        while busy := [child for child in children if child.items]:
            ready = wait([child.connection for child in busy], _POLL_S)
            for child in busy:
                yield from child.take(ready=child.connection in ready)
                if not child.items:
                    child.give(list(islice(items, _LOT_ITEMS)))
    finally:
        for child in children:
            child.end()


def bounded(make: Callable[[], Result], guard: Guard) -> Result:
    """Return what ``make`` makes, in a child of its own. Raises UndecodableError for a casualty."""
    for _, found in guarded_map(_call, iter((make,)), workers=1, guard=guard):
        if not isinstance(found, Casualty):
            return found
        raise UndecodableError(f"expected what can be read within the limits; {found.reason}")
    raise UndecodableError("expected a result, got none")


def _call(make: Callable[[], Result]) -> Result:
    return make()


@dataclass(slots=True)
class _Child(Generic[Item, Result]):
    """One process and the items it still owes."""

    function: Callable[[Item], Result]
    guard: Guard
    items: deque[Item] = field(default_factory=deque)
    process: BaseProcess | None = None
    connection: Connection = field(init=False)
    since: float = 0.0

    def give(self, lot: list[Item]) -> None:
        """Send the next lot; start a process when there is none."""
        if not lot:
            return
        self.items.extend(lot)
        if self.process is None:
            self._start()
        self.since = time.monotonic()
        # Should the child be dead already, the next look finds out.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(list(self.items))

    def take(self, *, ready: bool) -> Iterator[tuple[Item, Result | Casualty]]:
        """Yield what has come in; settle the case of an item that brought the child down."""
        if ready:
            try:
                while self.items and self.connection.poll():
                    found = self.connection.recv()
                    self.since = time.monotonic()
                    yield self.items.popleft(), _raised(found)
            except (EOFError, ConnectionResetError):
                yield self._lost(self._cause())
        elif time.monotonic() - self.since > (most_s := self.guard.seconds_for(self.items[0])):
            yield self._lost(f"took longer than {most_s:.3g} s")

    def _cause(self) -> str:
        process = self.process
        if process is None:
            return "the reader could not be started"
        process.join(5)
        return f"the reader died (exit code {process.exitcode})"

    def _lost(self, reason: str) -> tuple[Item, Casualty]:
        guilty = self.items.popleft()
        rest = list(self.items)
        self.items.clear()
        self.end()
        self.give(rest)
        return guilty, Casualty(reason)

    def _start(self) -> None:
        context: Any = multiprocessing.get_context(start_method())
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, self.function, self.guard.memory_bytes), daemon=True
        )
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        if self.process is None:
            return
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.process = None


def _raised(found: Any) -> Any:
    if isinstance(found, Exception):
        raise found
    return found


def _serve(
    connection: Connection, function: Callable[[Any], Any], memory_bytes: int
) -> None:  # pragma: no cover  runs in a child
    begin_worker()
    # A thread of the parent may have held the lock of its stream when this process was forked.
    sys.stdout = sys.stderr = os.fdopen(2, "w", errors="replace", closefd=False)
    _limit_memory(memory_bytes)
    while True:
        try:
            lot = connection.recv()
        except EOFError:
            return
        for item in lot:
            try:
                found = function(item)
            except MemoryError:
                found = Casualty(f"needs more than {memory_bytes // 2**20} MiB of memory")
            except Exception as error:  # noqa: BLE001  the parent raises it
                found = error
            connection.send(found)


def _limit_memory(memory_bytes: int) -> None:
    """Limit the address space to what is in use and ``memory_bytes`` more, where that is known."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + memory_bytes
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
