"""The studio as a service: everything that the API and the pages may ask of it, in one object."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tercet.core.errors import ConflictError, FieldError, StorageError, TercetError
from tercet.core.ids import sha256_hex
from tercet.core.limits import VIDEO_SECONDS_MAX
from tercet.flows.serve_files import CREDITS, VIDEO, Variant
from tercet.flows.serve_notices import Notices
from tercet.flows.serve_queue import Foreman
from tercet.flows.serve_reference import reference_png
from tercet.flows.serve_request import (
    LEGACY_MODELS,
    Asked,
    asked_of_document,
    asked_of_fields,
    check_names,
    digest_of_fields,
    prompt_of,
)
from tercet.flows.serve_worker import Opening
from tercet.store.jobs import JobQueue, Page
from tercet.store.jobs_rows import Job, NewJob, Status
from tercet.store.jobs_webhooks import Webhooks
from tercet.store.videos import VideoFiles

WAITING_MAX = 32
CANCEL_WITHIN_S = 5.0
POLL_AFTER_MS_MIN, POLL_AFTER_MS_MAX = 250, 5000


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of a job that is not finished.

    ``queue_position`` is 0 for the job that is being made; ``eta_s`` is None before anything can
    be said.
    """

    queue_position: int | None
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Content:
    """A file to be sent."""

    path: Path
    media_type: str
    file_name: str


class Studio:
    """Makes, keeps and gives out videos. Methods may be called from any thread.

    ``folder`` holds everything; one process at a time may use it. ``opening`` opens the engine,
    in the worker's process. ``local_webhooks`` lets events go to addresses that are not public.
    """

    def __init__(
        self,
        folder: Path,
        opening: Opening,
        *,
        waiting_max: int = WAITING_MAX,
        local_webhooks: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lock = _only_one(folder)
        self._clock = clock
        self.waiting_max = waiting_max
        self._files = VideoFiles(folder)
        self._jobs = JobQueue.open(folder / "jobs.sqlite")
        self._foreman = Foreman(self._jobs, self._files, opening, clock=clock)
        self.notices = Notices(
            Webhooks(self._jobs.database), clock=clock, allow_local=local_webhooks
        )
        self._foreman.on_change = self.notices.ring

    def start(self) -> None:
        """Settle what an earlier process left, open the engine and begin with the queue.

        Raises what opening the engine raises.
        """
        for job in self._jobs.running():
            self._jobs.interrupted(job.video_id, "the server ended", now=self._clock())
        self._files.drop_all_work()
        self._foreman.start()
        self.notices.start()

    def close(self) -> None:
        """End the worker and let go of the folder; what is not finished stays in the queue."""
        self._foreman.close()
        self.notices.close()
        self._jobs.database.close()
        os.close(self._lock)

    # ---- what is served -----------------------------------------------------------------------

    @property
    def model(self) -> str:
        """The name of the engine: it stands on every video."""
        return self._foreman.about.get("name", "")

    @property
    def about(self) -> Mapping[str, str]:
        """What the engine says of itself: name, rights, origin, and where it comes from."""
        return self._foreman.about

    @property
    def fault(self) -> TercetError | None:
        """Why nothing is made any more, None while all is well."""
        return self._foreman.fault

    def waiting_count(self) -> int:
        """Return how many videos wait."""
        return self._jobs.waiting_count()

    # ---- jobs -----------------------------------------------------------------------------------

    def create(
        self, fields: Mapping[str, Any], *, reference: bytes = b"", key: str = ""
    ) -> tuple[Job, bool]:
        """Put a video into the queue; return its job, and whether it is new (see `JobQueue.add`).

        ``fields`` are those of the interface; ``reference`` is a picture file to begin with.
        Raises FieldError for what cannot be used, BusyError when the queue is full.
        """
        self._check_model(fields)
        asked = asked_of_fields(fields, has_reference=bool(reference))
        png = reference_png(reference, asked.width_px, asked.height_px) if reference else b""
        digest = digest_of_fields(fields, sha256_hex(reference) if reference else "")
        return self._add(asked, png, key=key, digest=digest)

    def remix(self, video_id: str, fields: Mapping[str, Any], *, key: str = "") -> tuple[Job, bool]:
        """Make a video again with another prompt: same seed, size, length and first picture.

        Raises ConflictError when the video is not completed.
        """
        check_names(fields, ("prompt",))
        source = self._completed(video_id)
        asked = replace(asked_of_document(source.request), prompt=prompt_of(fields), shots=())
        png = self._files.reference(video_id).read_bytes() if asked.has_reference else b""
        digest = digest_of_fields({**fields, "remix": video_id})
        return self._add(asked, png, key=key, digest=digest, remixed_from=video_id)

    def extend(
        self, video_id: str, fields: Mapping[str, Any], *, key: str = ""
    ) -> tuple[Job, bool]:
        """Make a video that shows a completed one and then goes on as ``fields`` say.

        Raises ConflictError when the video is not completed, FieldError when both together would
        be too long.
        """
        check_names(fields, ("prompt", "seconds"))
        source = self._completed(video_id)
        if source.result["engine"] != self.model:
            raise ConflictError(
                f"{video_id} was made by {source.result['engine']}, {self.model} is served",
                hint="a video is continued by the engine that made it",
            )
        before = asked_of_document(source.request)
        more = asked_of_fields({**fields, "size": before.size, "seed": before.seed})
        duration_s = source.result["seconds"] + more.duration_s
        if duration_s > VIDEO_SECONDS_MAX:
            raise FieldError(
                "seconds",
                f"expected at most {VIDEO_SECONDS_MAX} seconds together, got {duration_s:g}",
            )
        asked = replace(
            before, prompt=more.prompt, shots=(), duration_s=duration_s, has_reference=False,
            continues={name: source.result[name] for name in ("frame_count", "credits")}
            | {"prompt": before.prompt or before.shots[0].prompt},
        )  # fmt: skip
        digest = digest_of_fields({**fields, "extend": video_id})
        return self._add(asked, key=key, digest=digest, extended_from=video_id)

    def _add(
        self, asked: Asked, png: bytes = b"", *, key: str, digest: str, **origin: str
    ) -> tuple[Job, bool]:
        """Keep what a job begins with, then the job: it is never without."""
        video_id = f"video_{secrets.token_hex(16)}"
        if png:
            self._files.keep_reference(video_id, png)
        if source := origin.get("extended_from"):
            self._files.keep_source(video_id, self._files.file(source, VIDEO))
        new = NewJob(video_id, asked.document(), asked.duration_s, key=key, digest=digest, **origin)
        is_new = False
        try:
            job, is_new = self._jobs.add(new, now=self._clock(), waiting_max=self.waiting_max)
        finally:
            if not is_new:
                self._files.drop_inputs(video_id)
        if is_new:
            self._foreman.ring()
        return job, is_new

    def get(self, video_id: str) -> Job:
        """Return a job. Raises MissingError."""
        return self._jobs.get(video_id)

    def list(self, *, after: str = "", limit: int = 20, newest_first: bool = True) -> Page:
        """Return jobs behind the one called ``after``. Raises MissingError for that one."""
        return self._jobs.page(after=after, limit=limit, newest_first=newest_first)

    def outlook(self, job: Job) -> Outlook:
        """Return a job's place in the queue and when it may be done."""
        if job.status.is_final:
            return Outlook(None, None)
        ahead = [each for each in self._jobs.ahead(job) if each.number != job.number]
        position = 0 if job.status is Status.IN_PROGRESS else len(ahead)
        pace = self._jobs.pace()
        now = self._clock()
        parts = [_remaining_s(each, pace, now) for each in (*ahead, job)]
        known = [part for part in parts if part is not None]
        return Outlook(position, round(sum(known), 1) if len(known) == len(parts) else None)

    def poll_after_ms(self, job: Job) -> int:
        """Return when it is worth to ask again."""
        eta_s = self.outlook(job).eta_s
        wish = 1000.0 if eta_s is None else 1000 * eta_s / 4
        return int(max(POLL_AFTER_MS_MIN, min(POLL_AFTER_MS_MAX, wish)))

    def cancel(self, video_id: str) -> Job:
        """Stop a job that waits or runs, and return it when it has stopped: within two seconds.

        One that is finished is left as it is. Raises ConflictError if it would not stop.
        """
        job = self._jobs.ask_cancel(video_id, now=self._clock())
        self._foreman.ring()
        deadline_s = time.monotonic() + CANCEL_WITHIN_S
        while not job.status.is_final and time.monotonic() < deadline_s:
            with self._foreman.changed:
                self._foreman.changed.wait(0.05)
            job = self._jobs.get(video_id)
        if not job.status.is_final:
            raise ConflictError(f"{video_id} is still being stopped", hint="ask again")
        return job

    def delete(self, video_id: str) -> None:
        """Remove a video and its files; one that is being made is stopped first."""
        self.cancel(video_id)
        self._files.remove(video_id)
        self._jobs.remove(video_id)

    # ---- files ----------------------------------------------------------------------------------

    def content(self, video_id: str, variant: Variant = Variant.VIDEO) -> Content:
        """Return a file of a completed video. Raises ConflictError while there is none."""
        self._completed(video_id)
        path = self._files.file(video_id, variant.file_name)
        name = f"{video_id}{'' if variant is Variant.VIDEO else f'-{variant}'}{path.suffix}"
        return Content(path, variant.media_type, name)

    def known_video(self, raw: bytes) -> str:
        """Return the id of a video by the bytes of its file. Raises FieldError for any other."""
        video_id = self._jobs.by_file(sha256_hex(raw))
        if not video_id:
            raise FieldError(
                "video",
                "expected a video that was made here, as it was downloaded; got another file",
                hint='or name it: {"id": "video_..."}',
            )
        return video_id

    def preview(self, video_id: str) -> bytes:
        """Return a JPEG of what is being made, empty while there is nothing to be seen."""
        self._jobs.get(video_id)
        return self._files.preview(video_id)

    def credits(self, video_id: str) -> dict[str, Any]:
        """Return who stands behind a completed video: the document that lies beside it."""
        self._completed(video_id)
        document: dict[str, Any] = json.loads(
            self._files.file(video_id, CREDITS).read_text("utf-8")
        )
        return document

    def _completed(self, video_id: str) -> Job:
        job = self._jobs.get(video_id)
        if job.status is not Status.COMPLETED:
            raise ConflictError(
                f"expected a completed video, {video_id} is {job.status}",
                hint="wait until it is completed" if not job.status.is_final else "make it again",
            )
        return job

    def _check_model(self, fields: Mapping[str, Any]) -> None:
        asked = fields.get("model")
        if asked is None or (isinstance(asked, str) and asked in {"", self.model, *LEGACY_MODELS}):
            return
        raise FieldError(
            "model",
            f"expected the model {self.model}, got {str(asked)[:80]!r}",
            hint="GET /v1/models lists what is served; leave model out to have it",
        )


def _remaining_s(job: Job, pace: float | None, now: float) -> float | None:
    """Return the seconds a job may still take: by its own steps, else by earlier jobs' pace."""
    if job.status is Status.IN_PROGRESS and job.steps_done and job.started_at is not None:
        took_s = max(0.0, now - job.started_at)
        return took_s * max(0, job.steps_total - job.steps_done) / job.steps_done
    return None if pace is None else pace * job.duration_s


def _only_one(folder: Path) -> int:
    """Take the folder for this process. Raises StorageError when another one has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"cannot use {folder}: {error.strerror}", hint="give --data") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StorageError(
            f"another server uses {folder}", hint="end it, or give another --data folder"
        ) from error
    return descriptor
