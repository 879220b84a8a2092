"""The maker of videos: a process of its own, which holds the engine and can be ended at any time.

Its parent gives it one job at a time and hears of every step. When the parent is gone, it ends.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tercet.core.errors import StoppedError, TercetError, UncheckedError
from tercet.flows.generate import Made, generate
from tercet.flows.generate_proof import proven
from tercet.flows.serve_assignment import Assignment, prepared
from tercet.flows.serve_files import VIDEO, keep_preview
from tercet.studio.engines.engine import Engine, Progress
from tercet.studio.engines.engines import open_engine


@dataclass(frozen=True, slots=True)
class Opening:
    """How the worker opens its engine. It must pickle: it is sent to the worker's process.

    ``kind`` is an engine's name, ``model`` and ``device`` are for it; ``key_path`` is the key that
    signs, the operator's own by default.
    """

    kind: str = "house"
    model: str = ""
    device: str = ""
    key_path: Path | None = None
    open_with: Callable[..., Engine] = open_engine

    def open(self) -> Engine:
        """Open the engine, and check what it claims before anybody is shown it."""
        return proven(self.open_with(self.kind, self.model, device=self.device))


PREVIEW_EVERY_S = 0.5
_PROGRESS_EVERY_S = 0.05
_LOG = logging.getLogger("tercet.serve")


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has opened its engine, and can be given work."""

    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unopened:
    """The engine cannot be opened; the worker has ended."""

    error: TercetError


@dataclass(frozen=True, slots=True)
class Step:
    """A job has come so far."""

    video_id: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """A job's files are in its folder."""

    video_id: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotDone:
    """A job has ended without files; ``code`` is "stopped" when it was told to."""

    video_id: str
    code: str
    message: str


Message = Ready | Unopened | Step | Done | NotDone


class Worker:
    """The parent's end of the worker. Belongs to one thread."""

    def __init__(self, opening: Opening) -> None:
        # Spawned, not forked: the parent has threads, and whoever computes must not inherit locks.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve_jobs, args=(theirs, opening), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, assignment: Assignment) -> None:
        """Hand over a job."""
        with contextlib.suppress(BrokenPipeError):  # its end is noticed at the next look
            self.connection.send(assignment)

    def stop(self, video_id: str) -> None:
        """Tell the worker to stop a job at its next step."""
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(video_id)

    def messages(self) -> list[Message]:
        """Return what has come in. Raises EOFError when the worker has ended."""
        found: list[Message] = []
        try:
            while self.connection.poll():
                found.append(self.connection.recv())
        except (EOFError, OSError):
            if not found:
                raise EOFError from None
        return found

    def end(self) -> int | None:
        """End the process, whatever it does; return how it had ended by itself, if it had."""
        by_itself = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.connection.close()
        return by_itself


def serve_jobs(connection: Connection, opening: Opening) -> None:
    """Run the worker until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us
    inbox: queue.SimpleQueue[Assignment] = queue.SimpleQueue()
    stopped: set[str] = set()
    threading.Thread(target=_listen, args=(connection, inbox, stopped), daemon=True).start()
    try:
        engine = opening.open()
    except TercetError as error:
        connection.send(Unopened(error))
        return
    except Exception as error:  # noqa: BLE001  told to the parent, which shows it to people
        _LOG.exception("the engine cannot be opened")
        found = f"the engine cannot be opened: {type(error).__name__}: {error}"
        connection.send(Unopened(UncheckedError(found)))
        return
    about = {"name": engine.name, "rights": str(engine.rights), "origin": str(engine.origin)}
    connection.send(Ready({**engine.provenance(), **about}))
    while True:
        assignment = inbox.get()
        connection.send(_outcome(assignment, opening, engine, connection, stopped))
        stopped.discard(assignment.video_id)


def _listen(connection: Connection, inbox: Any, stopped: set[str]) -> None:
    while True:
        try:
            found = connection.recv()
        except (EOFError, OSError):
            os._exit(1)  # the server is gone: whatever is half done is done again
        if isinstance(found, str):
            stopped.add(found)
        else:
            inbox.put(found)


def _outcome(
    assignment: Assignment,
    opening: Opening,
    engine: Engine,
    connection: Connection,
    stopped: set[str],
) -> Done | NotDone:
    video_id = assignment.video_id
    report = _Reporting(assignment, connection, stopped)
    try:
        request, engine = prepared(assignment, opening.kind, engine)
        made = generate(
            request, assignment.folder / VIDEO, report, engine=engine, key_path=opening.key_path
        )
        return Done(video_id, _result(made, engine))
    except StoppedError:
        return NotDone(video_id, "stopped", "it was stopped")
    except TercetError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return NotDone(video_id, error.code, f"{error.message}{hint}")
    except MemoryError:
        return NotDone(video_id, UncheckedError.code, "out of memory; ask for less")
    except OSError as error:
        return NotDone(video_id, "storage", error.strerror or str(error))
    except Exception as error:  # noqa: BLE001  one bad job must not end the service
        _LOG.exception("%s: a defect", video_id)
        return NotDone(video_id, "defect", f"a defect in tercet: {type(error).__name__}")


def _result(made: Made, engine: Engine) -> dict[str, Any]:
    """Return what is kept of a made video beside its files."""
    return {
        **made.document(),
        "video": "",
        "files": [file.name for file in made.files],
        "credits": [asdict(credit) for credit in made.credits],
        "provenance": dict(engine.provenance()),
    }


class _Reporting:
    """Told of each step; tells the parent, keeps a preview, and stops the work when asked to."""

    def __init__(self, assignment: Assignment, connection: Connection, stopped: set[str]) -> None:
        self._assignment = assignment
        self._connection = connection
        self._stopped = stopped
        self._told_s = 0.0
        self._shown_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Raises StoppedError when the parent said so."""
        video_id = self._assignment.video_id
        if video_id in self._stopped:
            raise StoppedError(f"{video_id} was stopped")
        now_s = time.monotonic()
        if now_s - self._told_s >= _PROGRESS_EVERY_S or progress.done == progress.total:
            self._told_s = now_s
            self._connection.send(Step(video_id, progress.done, progress.total))
        if progress.preview is not None and now_s - self._shown_s >= PREVIEW_EVERY_S:
            self._shown_s = now_s
            keep_preview(self._assignment.folder, progress.preview)
