"""The queue of videos to be made, on the disk: what is promised here outlives the process.

Every change is one transaction. The times come from the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text, update

from tercet.core.errors import BusyError, ConflictError, InputError, MissingError
from tercet.store.jobs_rows import Job, NewJob, Status, job_of
from tercet.store.jobs_schema import JOBS, KEYS, METADATA, SCHEMA_VERSION
from tercet.store.jobs_webhooks import note_event
from tercet.store.sqlite_database import SqliteDatabase

KEY_LIFETIME_S = 24 * 3600.0
STARTS_MAX = 2  # a job whose maker dies is begun once more, not for ever
_RATE_JOBS = 20  # completed jobs that an estimate is made from


class KeyReusedError(InputError):
    """An idempotency key came with another request than the first time."""

    code = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list of jobs; ``has_more`` tells whether it goes on behind it."""

    jobs: tuple[Job, ...]
    has_more: bool


class JobQueue:
    """All jobs of a service: one SQLite file. Methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self.database = SqliteDatabase(path, "queue")

    @classmethod
    def open(cls, path: Path) -> JobQueue:
        """Open the queue at ``path``; make it where there is none. Raises InputError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        queue = cls(path)
        with queue.database.writing() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if not version:
                METADATA.create_all(connection)
                connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            elif version != SCHEMA_VERSION:
                raise InputError(
                    f"{path} has queue version {version}, this tercet reads {SCHEMA_VERSION}",
                    hint="use the tercet that made it, or another --data folder",
                )
        return queue

    def add(self, new: NewJob, *, now: float, waiting_max: int) -> tuple[Job, bool]:
        """Append a job; return it, and whether it is new: the same key gives the same job.

        Raises BusyError when ``waiting_max`` jobs wait already, KeyReusedError when its key came
        with another request before, ConflictError when the video of its key was deleted.
        """
        with self.database.writing() as connection:
            if new.key and (known := _by_key(connection, new, now)) is not None:
                return known, False
            waiting = _count_waiting(connection)
            if waiting >= waiting_max:
                raise BusyError(
                    f"expected fewer than {waiting_max} videos in the queue, got {waiting}",
                    hint="try again later, or cancel one that waits",
                    retry_after_s=_retry_after_s(connection),
                )
            connection.execute(insert(JOBS).values(
                video_id=new.video_id, status=Status.QUEUED, request=json.dumps(new.request),
                duration_s=new.duration_s, created_at=now, remixed_from=new.remixed_from,
                extended_from=new.extended_from))  # fmt: skip
            if new.key:
                named = {"key": new.key, "digest": new.digest, "video_id": new.video_id}
                connection.execute(insert(KEYS).values(**named, created_at=now))
            return _job(connection, new.video_id), True

    def get(self, video_id: str) -> Job:
        """Return a job. Raises MissingError."""
        with self.database.reading() as connection:
            return _job(connection, video_id)

    def page(self, *, after: str = "", limit: int = 20, newest_first: bool = True) -> Page:
        """Return ``limit`` jobs behind the one called ``after``. Raises MissingError for that."""
        with self.database.reading() as connection:
            query = select(JOBS)
            if after:
                edge = _job(connection, after).number
                query = query.where(JOBS.c.number < edge if newest_first else JOBS.c.number > edge)
            order = JOBS.c.number.desc() if newest_first else JOBS.c.number.asc()
            rows = connection.execute(query.order_by(order).limit(limit + 1)).all()
        return Page(tuple(map(job_of, rows[:limit])), len(rows) > limit)

    def claim(self, *, now: float) -> Job | None:
        """Take the first job that waits, None when there is none. It is in progress from now on."""
        with self.database.writing() as connection:
            first = connection.execute(
                select(JOBS.c.video_id)
                .where(JOBS.c.status == Status.QUEUED)
                .order_by(JOBS.c.number)
                .limit(1)
            ).scalar()
            if first is None:
                return None
            _change(connection, first, status=Status.IN_PROGRESS, started_at=now,
                    steps_done=0, steps_total=0)  # fmt: skip
            return _job(connection, first)

    def by_file(self, sha256: str) -> str:
        """Return the id of the completed video whose file has this digest, empty for none."""
        with self.database.reading() as connection:
            query = select(JOBS.c.video_id).where(JOBS.c.file_sha256 == sha256)
            return connection.execute(query.limit(1)).scalar() or ""

    def progress(self, video_id: str, done: int, total: int) -> None:
        """Note how far a running job is."""
        with self.database.writing() as connection:
            _change(connection, video_id, steps_done=done, steps_total=total)

    def complete(
        self, video_id: str, result: Mapping[str, Any], *, now: float, file_sha256: str = ""
    ) -> None:
        """Note that a job's files are there, and whom to tell."""
        with self.database.writing() as connection:
            _change(
                connection,
                video_id,
                status=Status.COMPLETED,
                completed_at=now,
                file_sha256=file_sha256,
                result=json.dumps(result),
            )
            note_event(connection, "video.completed", video_id, now=now)

    def fail(self, video_id: str, code: str, message: str, *, now: float) -> None:
        """Note that a job will not be done, why, and whom to tell."""
        with self.database.writing() as connection:
            _fail(connection, video_id, code, message, now)

    def ask_cancel(self, video_id: str, *, now: float) -> Job:
        """Fail a waiting job at once and mark a running one; a finished one stays as it is."""
        with self.database.writing() as connection:
            job = _job(connection, video_id)
            if job.status is Status.QUEUED:
                _fail(connection, video_id, *CANCELLED, now)
            elif job.status is Status.IN_PROGRESS:
                _change(connection, video_id, cancel_asked=1)
            return _job(connection, video_id)

    def give_back(self, video_id: str) -> None:
        """Put a running job back in its place in the queue: the server is being shut down."""
        with self.database.writing() as connection:
            _change(connection, video_id, status=Status.QUEUED, started_at=None,
                    steps_done=0, steps_total=0)  # fmt: skip

    def interrupted(self, video_id: str, reason: str, *, now: float) -> Job:
        """Put a job whose maker died back in its place, marked; the second time it has failed."""
        with self.database.writing() as connection:
            job = _job(connection, video_id)
            if job.cancel_asked:
                _fail(connection, video_id, *CANCELLED, now)
            elif job.restarts + 1 >= STARTS_MAX:
                message = f"begun {STARTS_MAX} times and never finished; the last time {reason}"
                _fail(connection, video_id, "crashed", message, now)
            else:
                _change(connection, video_id, status=Status.QUEUED, restarts=job.restarts + 1,
                        started_at=None, steps_done=0, steps_total=0)  # fmt: skip
            return _job(connection, video_id)

    def running(self) -> tuple[Job, ...]:
        """Return the jobs in progress. At the start of a server: those its forerunner left."""
        with self.database.reading() as connection:
            query = select(JOBS).where(JOBS.c.status == Status.IN_PROGRESS).order_by(JOBS.c.number)
            return tuple(map(job_of, connection.execute(query)))

    def ahead(self, job: Job) -> tuple[Job, ...]:
        """Return the jobs that are done before this one."""
        with self.database.reading() as connection:
            query = select(JOBS).where(
                (JOBS.c.status == Status.IN_PROGRESS)
                | ((JOBS.c.status == Status.QUEUED) & (JOBS.c.number < job.number))
            )
            return tuple(map(job_of, connection.execute(query)))

    def waiting_count(self) -> int:
        """Return how many jobs wait."""
        with self.database.reading() as connection:
            return _count_waiting(connection)

    def pace(self) -> float | None:
        """Return the seconds that a second of video took of late, None before the first."""
        with self.database.reading() as connection:
            return _pace(connection)

    def remove(self, video_id: str) -> None:
        """Forget a job. Raises ConflictError while it runs."""
        with self.database.writing() as connection:
            if _job(connection, video_id).status is Status.IN_PROGRESS:
                raise ConflictError(f"{video_id} is being made", hint="cancel it first")
            connection.execute(delete(JOBS).where(JOBS.c.video_id == video_id))


CANCELLED = ("cancelled", "it was cancelled before it was finished")


def _job(connection: Connection, video_id: str) -> Job:
    row = connection.execute(select(JOBS).where(JOBS.c.video_id == video_id)).first()
    if row is None:
        raise MissingError(
            f"there is no video {video_id[:80]!r}", hint="it may have been deleted; list shows all"
        )
    return job_of(row)


def _change(connection: Connection, video_id: str, **values: Any) -> None:
    connection.execute(update(JOBS).where(JOBS.c.video_id == video_id).values(**values))


def _fail(connection: Connection, video_id: str, code: str, message: str, now: float) -> None:
    _change(connection, video_id, status=Status.FAILED, completed_at=now,
            error_code=code, error_message=message)  # fmt: skip
    note_event(connection, "video.failed", video_id, now=now)


def _by_key(connection: Connection, new: NewJob, now: float) -> Job | None:
    """Return the job that this key made before. Keys are forgotten after a day."""
    connection.execute(delete(KEYS).where(KEYS.c.created_at < now - KEY_LIFETIME_S))
    row = connection.execute(select(KEYS).where(KEYS.c.key == new.key)).first()
    if row is None:
        return None
    if row.digest != new.digest:
        raise KeyReusedError(
            "expected the request that this Idempotency-Key came with before, got another",
            hint="make a new key for every new request",
        )
    try:
        return _job(connection, row.video_id)
    except MissingError:
        raise ConflictError(
            f"the video that this Idempotency-Key made, {row.video_id}, was deleted",
            hint="make a new key to make it again",
        ) from None


def _count_waiting(connection: Connection) -> int:
    query = select(func.count()).where(JOBS.c.status == Status.QUEUED)
    return int(connection.execute(query).scalar_one())


def _pace(connection: Connection) -> float | None:
    rows = connection.execute(
        select(JOBS.c.duration_s, (JOBS.c.completed_at - JOBS.c.started_at).label("took_s"))
        .where(JOBS.c.status == Status.COMPLETED)
        .order_by(JOBS.c.completed_at.desc())
        .limit(_RATE_JOBS)
    ).all()
    duration_s = sum(row.duration_s for row in rows)
    return sum(row.took_s for row in rows) / duration_s if duration_s else None


def _retry_after_s(connection: Connection) -> int:
    """Return in how many seconds a place may be free: what the running job still takes, about."""
    pace = _pace(connection)
    query = select(func.min(JOBS.c.duration_s)).where(JOBS.c.status == Status.IN_PROGRESS)
    duration_s = connection.execute(query).scalar()
    return max(1, min(300, round((pace or 2.0) * (duration_s or 5.0))))
