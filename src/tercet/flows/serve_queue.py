"""The foreman: one thread that takes jobs from the queue and has the worker make them.

It alone decides what became of a job. A worker that dies, hangs or does not stop costs one job one
attempt, and a new worker is started.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from tercet.core.errors import StorageError, TercetError, UncheckedError
from tercet.flows.serve_assignment import Assignment
from tercet.flows.serve_files import VIDEO
from tercet.flows.serve_worker import (
    Done,
    Message,
    NotDone,
    Opening,
    Ready,
    Step,
    Unopened,
    Worker,
)
from tercet.store.files import sha256_of_file
from tercet.store.jobs import CANCELLED, JobQueue
from tercet.store.jobs_rows import Job
from tercet.store.videos import VideoFiles

STOP_WITHIN_S = 1.0  # a worker that has not stopped by then is killed
SILENCE_S_MAX = 1800.0  # without a step; then the worker is taken to hang
OPEN_WITHIN_S = 600.0
FAULT_WAIT_S = 2.0
_LOOK_EVERY_S = 0.25
_LOG = logging.getLogger("tercet.serve")


class Foreman:
    """Runs jobs, one at a time, in the order of the queue."""

    def __init__(
        self, jobs: JobQueue, files: VideoFiles, opening: Opening, *, clock: Callable[[], float]
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._opening = opening
        self._clock = clock
        self._ears, self._bell = Pipe(duplex=False)
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="foreman", daemon=True)
        self._worker: Worker | None = None
        self._job: Job | None = None
        self._unread: list[Message] = []
        self._lost = ""
        self._is_given = False
        self._heard_s = 0.0
        self._stop_by_s: float | None = None
        self.about: dict[str, str] = {}
        self.fault: TercetError | None = None
        self.changed = threading.Condition()
        self.on_change: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Open the engine and begin. Raises what the engine raised if it cannot be opened."""
        self._thread.start()
        self._ready.wait()
        if self.fault is not None:
            raise self.fault

    def ring(self) -> None:
        """Say that there is something new in the queue."""
        with contextlib.suppress(OSError):
            self._bell.send_bytes(b"!")

    def close(self) -> None:
        """End the worker; a running job goes back to its place in the queue, unmarked."""
        self._closing.set()
        self.ring()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        """Begin, or say why not; then go on until told to end, whatever happens."""
        try:
            self._begin_worker()
        except TercetError as error:
            self.fault = error
        finally:
            self._ready.set()
        while self.about and not self._closing.is_set():
            try:
                self._turn()
                self.fault = None
            except TercetError as error:
                self._suffer(error)
            except Exception as error:  # noqa: BLE001  the queue goes on with its next job
                _LOG.exception("a defect in the queue")
                self._lose_worker("of a defect in tercet")
                self._suffer(UncheckedError(f"a defect: {type(error).__name__}: {error}"))
        self._leave()

    def _turn(self) -> None:
        if self._worker is None:
            self._settle_lost()
            self._begin_worker()
        self._take_next()
        self._listen()
        self._watch()

    def _suffer(self, error: TercetError) -> None:
        """Note what is wrong, such as a full disk, and wait a little: it may pass."""
        if self.fault is None or self.fault.message != error.message:
            _LOG.error("the queue waits: %s", error.message)
        self.fault = error
        self._closing.wait(FAULT_WAIT_S)

    def _leave(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None
        if self._job is not None:
            with contextlib.suppress(StorageError):  # then it counts as interrupted, later
                self._jobs.give_back(self._job.video_id)
            self._files.drop_work(self._job.video_id)

    def _begin_worker(self) -> None:
        """Start a worker and wait until it has opened its engine."""
        worker = self._worker = Worker(self._opening)
        deadline_s = time.monotonic() + OPEN_WITHIN_S
        while time.monotonic() < deadline_s and not self._closing.is_set():
            wait([worker.connection], _LOOK_EVERY_S)
            try:
                found = worker.messages()
            except EOFError:
                worker.process.join(1.0)
                how = _how(worker.process.exitcode)
                self._lose_worker("it could not be opened")
                raise UncheckedError(
                    f"the engine's process ended while it was opened: {how}",
                    hint="is there enough memory?",
                ) from None
            for message in found:
                if isinstance(message, Unopened):
                    self._lose_worker("it could not be opened")
                    raise message.error
                if isinstance(message, Ready):
                    self.about = dict(message.about)
                    self._ready.set()
                    return
        if not self._closing.is_set():
            self._lose_worker("it could not be opened")
            raise UncheckedError(f"the engine could not be opened within {OPEN_WITHIN_S:g} s")

    def _take_next(self) -> None:
        """Take a job from the queue, and hand it over; what fails is tried again in the next turn.

        Raises StorageError.
        """
        if self._job is None:
            self._job, self._is_given = self._jobs.claim(now=self._clock()), False
        job = self._job
        if job is None or self._is_given or self._worker is None:
            return
        assignment = Assignment(
            job.video_id,
            job.request,
            self._files.begin(job.video_id),
            self._files.reference(job.video_id) if job.request.get("has_reference") else None,
            self._files.source(job.video_id) if job.request.get("continues") else None,
        )
        self._worker.give(assignment)
        self._is_given, self._stop_by_s, self._heard_s = True, None, time.monotonic()
        self._tell()

    def _listen(self) -> None:
        assert self._worker is not None
        wait([self._worker.connection, self._ears], _LOOK_EVERY_S)
        while self._ears.poll():
            self._ears.recv_bytes()
        try:
            self._unread += self._worker.messages()
            self._heard_s = time.monotonic() if self._unread else self._heard_s
        except EOFError:
            self._worker.process.join(1.0)  # the pipe ends before the process has
            self._lose_worker("its process ended")
        while self._unread:
            self._take(self._unread[0])
            del self._unread[0]  # not before: what cannot be noted yet is taken again

    def _take(self, message: Message) -> None:
        job = self._job
        if job is None or getattr(message, "video_id", "") != job.video_id:
            return
        match message:
            case Step():
                self._jobs.progress(job.video_id, message.done, message.total)
            case Done():
                self._keep(job, message)
            case NotDone(code="stopped"):
                self._fail(job, *CANCELLED)
            case NotDone():
                self._fail(job, message.code, message.message)
        self._tell()

    def _keep(self, job: Job, done: Done) -> None:
        """Keep the files first, then say so: after a kill in between the job is made again."""
        try:
            self._files.finish(job.video_id)
            digest = sha256_of_file(self._files.file(job.video_id, VIDEO))
        except (TercetError, OSError) as error:
            self._fail(job, "storage", str(error))
            return
        self._jobs.complete(job.video_id, done.result, now=self._clock(), file_sha256=digest)
        self._job = None

    def _fail(self, job: Job, code: str, message: str) -> None:
        self._files.drop_work(job.video_id)
        self._jobs.fail(job.video_id, code, message, now=self._clock())
        self._job = None

    def _watch(self) -> None:
        """Stop a job that is to be cancelled; end a worker that hangs or will not stop."""
        if self._job is None or self._worker is None:
            return
        now_s = time.monotonic()
        if self._stop_by_s is None and self._jobs.get(self._job.video_id).cancel_asked:
            self._worker.stop(self._job.video_id)
            self._stop_by_s = now_s + STOP_WITHIN_S
        if self._stop_by_s is not None and now_s > self._stop_by_s:
            self._lose_worker("it would not stop")
        elif now_s - self._heard_s > SILENCE_S_MAX:
            self._lose_worker(f"nothing was heard of it for {SILENCE_S_MAX:g} s")

    def _lose_worker(self, reason: str) -> None:
        """End a worker; its job is settled, and another one started, in the next turn."""
        if self._worker is None:
            return
        ended = self._worker.end()
        self._worker = None
        self._lost = reason if ended is None else f"{reason} ({_how(ended)})"

    def _settle_lost(self) -> None:
        """Put the job of a lost worker back into the queue, or end it."""
        if self._job is not None:
            self._files.drop_work(self._job.video_id)
            self._jobs.interrupted(self._job.video_id, self._lost, now=self._clock())
            self._job = None
        self._tell()

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()
        self.on_change()


def _how(exit_code: Any) -> str:
    return f"exit code {exit_code}" if exit_code is not None else "no exit code"
