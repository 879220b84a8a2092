"""The queue on the disk, against a plain list: order, keys, places, and what a restart leaves."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tercet.core.errors import BusyError, ConflictError, InputError, MissingError
from tercet.store.jobs import KEY_LIFETIME_S, JobQueue, KeyReusedError
from tercet.store.jobs_rows import NewJob, Status
from tercet.store.jobs_webhooks import Endpoint, Webhooks
from tercet.store.videos import VideoFiles


def video_id(number: int) -> str:
    return f"video_{number:032x}"


def new(number: int, *, key: str = "", digest: str = "") -> NewJob:
    return NewJob(video_id(number), {"prompt": str(number)}, 2.0, key=key, digest=digest)


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue.open(tmp_path / "jobs.sqlite")


class QueueMachine(RuleBasedStateMachine):
    """Any course of calls leaves what a list of the waiting and one running job would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "jobs.sqlite"
        self.queue = JobQueue.open(self.path)
        self.waiting: list[int] = []
        self.running: int | None = None
        self.restarts: dict[int, int] = {}
        self.ended: dict[int, Status] = {}
        self.count = 0

    def teardown(self) -> None:
        self.queue.database.close()
        self.folder.cleanup()

    @rule()
    def add(self) -> None:
        self.count += 1
        if len(self.waiting) >= 3:
            with pytest.raises(BusyError):
                self.queue.add(new(self.count), now=self.count, waiting_max=3)
            return
        job, is_new = self.queue.add(new(self.count), now=self.count, waiting_max=3)
        assert is_new
        assert job.status is Status.QUEUED
        self.waiting.append(self.count)

    @precondition(lambda self: self.running is None)
    @rule()
    def claim(self) -> None:
        job = self.queue.claim(now=self.count)
        expected = self.waiting.pop(0) if self.waiting else None
        assert (None if job is None else job.video_id) == (
            None if expected is None else video_id(expected)
        )
        self.running = expected

    @precondition(lambda self: self.running is not None)
    @rule(is_done=st.booleans())
    def end(self, is_done: bool) -> None:
        assert self.running is not None
        if is_done:
            self.queue.complete(video_id(self.running), {"engine": "x"}, now=self.count)
        else:
            self.queue.fail(video_id(self.running), "wrong", "it was wrong", now=self.count)
        self.ended[self.running] = Status.COMPLETED if is_done else Status.FAILED
        self.running = None

    @precondition(lambda self: self.running is not None)
    @rule()
    def interrupt(self) -> None:
        assert self.running is not None
        job = self.queue.interrupted(video_id(self.running), "killed", now=self.count)
        if self.restarts.get(self.running):
            assert (job.status, job.error_code) == (Status.FAILED, "crashed")
            self.ended[self.running] = Status.FAILED
        else:
            self.restarts[self.running] = 1
            self.waiting = sorted([*self.waiting, self.running])
        self.running = None

    @rule(data=st.data())
    def cancel_one_that_waits(self, data: st.DataObject) -> None:
        if not self.waiting:
            return
        number = data.draw(st.sampled_from(self.waiting))
        assert self.queue.ask_cancel(video_id(number), now=self.count).error_code == "cancelled"
        self.waiting.remove(number)
        self.ended[number] = Status.FAILED

    @rule()
    def reopen(self) -> None:
        self.queue.database.close()
        self.queue = JobQueue.open(self.path)

    @invariant()
    def it_is_as_the_list_says(self) -> None:
        jobs = {job.video_id: job for job in self.queue.page(limit=100, newest_first=False).jobs}
        expected = dict.fromkeys(self.waiting, Status.QUEUED) | self.ended
        if self.running is not None:
            expected[self.running] = Status.IN_PROGRESS
        assert {name: job.status for name, job in jobs.items()} == {
            video_id(number): status for number, status in expected.items()
        }
        assert self.queue.waiting_count() == len(self.waiting)
        for place, number in enumerate(self.waiting):
            ahead = self.queue.ahead(jobs[video_id(number)])
            assert len(ahead) == place + (self.running is not None)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)


def test_a_key_gives_one_job_for_a_day(queue: JobQueue) -> None:
    first, is_new = queue.add(new(1, key="k", digest="a"), now=0, waiting_max=9)
    again, is_again_new = queue.add(new(2, key="k", digest="a"), now=10, waiting_max=9)
    assert (is_new, is_again_new, again.video_id) == (True, False, first.video_id)
    with pytest.raises(KeyReusedError):
        queue.add(new(3, key="k", digest="b"), now=11, waiting_max=9)
    later, is_later_new = queue.add(
        new(4, key="k", digest="b"), now=KEY_LIFETIME_S + 1, waiting_max=9
    )
    assert (is_later_new, later.video_id) == (True, video_id(4))


def test_a_repeated_request_is_answered_also_when_the_queue_is_full(queue: JobQueue) -> None:
    queue.add(new(1, key="k", digest="a"), now=0, waiting_max=1)
    job, is_new = queue.add(new(2, key="k", digest="a"), now=0, waiting_max=1)
    assert (job.video_id, is_new) == (video_id(1), False)


def test_a_cancelled_job_that_crashes_is_cancelled_not_begun_again(queue: JobQueue) -> None:
    queue.add(new(1), now=0, waiting_max=9)
    queue.claim(now=1)
    assert queue.ask_cancel(video_id(1), now=2).status is Status.IN_PROGRESS
    job = queue.interrupted(video_id(1), "killed", now=3)
    assert (job.status, job.error_code) == (Status.FAILED, "cancelled")


def test_a_running_job_cannot_be_forgotten(queue: JobQueue) -> None:
    queue.add(new(1), now=0, waiting_max=9)
    queue.claim(now=1)
    with pytest.raises(ConflictError):
        queue.remove(video_id(1))
    with pytest.raises(MissingError):
        queue.remove(video_id(2))


def test_progress_reaches_100_only_with_the_files(queue: JobQueue) -> None:
    queue.add(new(1), now=0, waiting_max=9)
    queue.claim(now=1)
    percents = []
    for done in (0, 1, 50, 199, 200):
        queue.progress(video_id(1), done, 200)
        percents.append(queue.get(video_id(1)).progress_percent)
    assert percents == [0, 0, 25, 99, 99]
    queue.complete(video_id(1), {}, now=2)
    assert queue.get(video_id(1)).progress_percent == 100


def test_the_end_of_a_job_and_its_event_are_one(queue: JobQueue) -> None:
    webhooks = Webhooks(queue.database)
    webhooks.add(Endpoint("wh_1", "x", "https://example.org/", ("video.failed",), "whsec_", 0, 0))
    queue.add(new(1), now=0, waiting_max=9)
    queue.add(new(2), now=0, waiting_max=9)
    queue.claim(now=1)
    queue.complete(video_id(1), {}, now=2)
    assert webhooks.due(now=5, limit=9) == ()
    queue.ask_cancel(video_id(2), now=3)
    (delivery,) = webhooks.due(now=5, limit=9)
    webhooks.postpone(delivery.number, due_at=100)
    assert webhooks.due(now=99, limit=9) == ()
    assert [each.attempts for each in webhooks.due(now=100, limit=9)] == [1]
    webhooks.remove("wh_1")
    assert webhooks.due(now=100, limit=9) == ()


def test_a_queue_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="version 99"):
        JobQueue.open(path)


@pytest.mark.parametrize("name", ["../etc", "video_", f"video_{'0' * 31}/", f"video_{'g' * 32}"])
def test_names_that_are_no_ids_reach_no_file(tmp_path: Path, name: str) -> None:
    files = VideoFiles(tmp_path)
    for ask in (files.begin, files.finish, files.remove, files.reference, files.preview):
        with pytest.raises(MissingError):
            ask(name)


def test_files_appear_whole_and_to_finish_twice_is_to_finish_once(tmp_path: Path) -> None:
    files = VideoFiles(tmp_path)
    work = files.begin(video_id(1))
    (work / "video.mp4").write_bytes(b"abc")
    (work / "preview.jpg").write_bytes(b"jpeg")
    with pytest.raises(MissingError):
        files.file(video_id(1), "video.mp4")
    files.finish(video_id(1))
    files.finish(video_id(1))
    assert files.file(video_id(1), "video.mp4").read_bytes() == b"abc"
    assert sorted(path.name for path in (tmp_path / "videos" / video_id(1)).iterdir()) == [
        "video.mp4"
    ]
