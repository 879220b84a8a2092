"""The studio without HTTP: what becomes of jobs when workers, servers and disks fail."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from drawing_engine import opening

from tercet.core.errors import ConflictError, InputError, MissingError, StorageError
from tercet.flows.serve import Studio
from tercet.flows.serve_files import Variant
from tercet.store.jobs_rows import Job, Status

SMALL = {"seconds": "1", "size": "256x256", "fps": 8}


@contextmanager
def opened(folder: Path, model: str = "") -> Iterator[Studio]:
    studio = Studio(folder / "data", opening(folder / "operator.key", model))
    try:
        studio.start()
        yield studio
    finally:
        studio.close()


def ended(studio: Studio, job: Job, *, within_s: float = 30) -> Job:
    deadline_s = time.monotonic() + within_s
    while not job.status.is_final and time.monotonic() < deadline_s:
        time.sleep(0.02)
        job = studio.get(job.video_id)
    return job


def begun(studio: Studio, job: Job) -> Job:
    while job.status is Status.QUEUED:
        time.sleep(0.02)
        job = studio.get(job.video_id)
    return job


def test_a_job_given_back_at_the_end_is_made_by_the_next_server(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        slow, _ = studio.create({"prompt": "a slow dog", **SMALL})
        waits, _ = studio.create({"prompt": "a boat", **SMALL})
        begun(studio, slow)
    with opened(tmp_path) as studio:
        again = studio.get(slow.video_id)
        assert not again.status.is_final
        assert again.restarts == 0
        studio.cancel(slow.video_id)
        assert ended(studio, waits).status is Status.COMPLETED


def test_a_worker_that_dies_costs_one_video_two_attempts(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        job, _ = studio.create({"prompt": "a fatal dog", **SMALL})
        job = ended(studio, job)
        assert (job.status, job.error_code, job.restarts) == (Status.FAILED, "crashed", 1)
        assert "exit code -9" in job.error_message
        assert studio.fault is None
        after, _ = studio.create({"prompt": "a boat", **SMALL})
        assert ended(studio, after).status is Status.COMPLETED


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(StorageError, match="another server uses"):
        Studio(tmp_path / "data", opening(tmp_path / "operator.key"))


def test_an_engine_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model 'absent'"), opened(tmp_path, "absent"):
        raise AssertionError("it must not start")


def test_what_is_deleted_leaves_no_file_behind(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        job, _ = studio.create({"prompt": "a boat", **SMALL})
        job = ended(studio, job)
        assert studio.content(job.video_id, Variant.THUMBNAIL).path.is_file()
        more, _ = studio.extend(job.video_id, {"prompt": "it stops", "seconds": "1"})
        studio.delete(job.video_id)
        assert ended(studio, more).status is Status.COMPLETED  # its source was kept
        studio.delete(more.video_id)
        left = list((tmp_path / "data").rglob("*video_*"))
        assert left == []
        with pytest.raises(MissingError):
            studio.preview(job.video_id)


def test_a_running_job_shows_a_preview(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        job, _ = studio.create({"prompt": "a slow dog", **SMALL})
        begun(studio, job)
        deadline_s = time.monotonic() + 10
        while not studio.preview(job.video_id) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert studio.preview(job.video_id).startswith(b"\xff\xd8")
        with pytest.raises(ConflictError, match="is in_progress"):
            studio.content(job.video_id)
        studio.delete(job.video_id)


def test_the_queue_waits_while_the_disk_fails_and_goes_on_after_it(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        work = tmp_path / "data" / "work"
        shutil.rmtree(work)
        work.write_text("in the way")
        job, _ = studio.create({"prompt": "a boat", **SMALL})
        begun(studio, job)
        deadline_s = time.monotonic() + 10
        while studio.fault is None and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert isinstance(studio.fault, StorageError)
        work.unlink()
        work.mkdir()
        assert ended(studio, job).status is Status.COMPLETED
        assert studio.fault is None


def test_the_outlook_learns_from_what_was_made(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        first, _ = studio.create({"prompt": "a boat", **SMALL})
        assert studio.outlook(first).eta_s is None
        ended(studio, first)
        slow, _ = studio.create({"prompt": "a slow dog", **SMALL})
        begun(studio, slow)
        last, _ = studio.create({"prompt": "a boat", **SMALL})
        outlook = studio.outlook(last)
        assert outlook.queue_position == 1
        assert outlook.eta_s is not None
        studio.delete(slow.video_id)
