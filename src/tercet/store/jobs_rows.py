"""What a row of the queue is to the rest of the project: a job as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

PROGRESS_UNFINISHED_MAX = 99  # per cent; the whole is reached only when the files are there


class Status(StrEnum):
    """Where a job stands. The strings are those of the `/v1/videos` interface."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen to the job."""
        return self in {Status.COMPLETED, Status.FAILED}


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is asked for. ``digest`` tells requests with the same ``key`` apart."""

    video_id: str
    request: Mapping[str, Any]
    duration_s: float
    remixed_from: str = ""
    extended_from: str = ""
    key: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A video to be made, being made, made, or not made. Times are seconds of Unix time."""

    number: int
    video_id: str
    status: Status
    request: Mapping[str, Any]
    duration_s: float
    created_at: float
    started_at: float | None
    completed_at: float | None
    steps_done: int
    steps_total: int
    restarts: int
    cancel_asked: bool
    error_code: str
    error_message: str
    remixed_from: str
    extended_from: str
    file_sha256: str
    result: Mapping[str, Any]

    @property
    def progress_percent(self) -> int:
        """How much of it is done: 100 for a completed job and for no other."""
        if self.status is Status.COMPLETED:
            return 100
        if not self.steps_total:
            return 0
        return min(PROGRESS_UNFINISHED_MAX, 100 * self.steps_done // self.steps_total)


def job_of(row: Row[Any]) -> Job:
    """Return the job that a row of the table holds."""
    fields = dict(row._mapping)
    return Job(
        **fields
        | {
            "status": Status(fields["status"]),
            "request": json.loads(fields["request"]),
            "result": json.loads(fields["result"]),
            "cancel_asked": bool(fields["cancel_asked"]),
        }
    )
