"""Jobs in words: every state has its own, and times are told as guesses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from tercet.flows.serve import Outlook
from tercet.flows.serve_request import asked_of_fields
from tercet.store.jobs_rows import Job, Status
from tercet.studio.engines.engine import Rights
from tercet.web.showing import card, duration_words, engine_line, job_context, state_of

JOB = samples.queued(asked_of_fields({"prompt": "a boat sails by", "seconds": "5", "seed": "7"}))
MAKING = replace(JOB, status=Status.IN_PROGRESS, steps_done=10, steps_total=40)
FAILED = replace(JOB, status=Status.FAILED, error_code="storage", error_message="the disk is full")


@pytest.mark.parametrize(
    ("job", "outlook", "state", "words"),
    [
        (JOB, Outlook(0, None), "waiting", "Next in line"),
        (JOB, Outlook(3, 130.0), "waiting", "Waiting: 3 before it, about 2 min left"),
        (replace(MAKING, steps_total=0), Outlook(0, None), "making", "Beginning"),
        (MAKING, Outlook(0, 31.0), "making", "25 %, step 10 of 40, about 30 s left"),
        (replace(MAKING, steps_done=40), Outlook(0, 0.0), "making", "Nearly there"),
        (replace(MAKING, cancel_asked=True), Outlook(0, 9.0), "stopping", "Stopping"),
        (replace(FAILED, error_code="cancelled"), Outlook(None, None), "stopped", "Stopped"),
        (FAILED, Outlook(None, None), "failed", "Failed"),
    ],
)
def test_each_state_has_its_words(job: Job, outlook: Outlook, state: str, words: str) -> None:
    context = job_context(job, outlook, b"")
    assert (context.state, state_of(job)) == (state, state)
    assert context.status.startswith(words)
    assert context.is_over is job.status.is_final
    assert card(job, outlook).status == context.status


def test_what_is_read_out_changes_four_times_not_forty() -> None:
    said = {
        job_context(replace(MAKING, steps_done=at), Outlook(0, None), b"").said for at in range(41)
    }
    assert len(said) == 4


def test_a_failure_is_told_in_the_words_of_the_error() -> None:
    problem = job_context(FAILED, Outlook(None, None), b"").problem
    assert problem is not None
    assert problem.hint == "the disk is full"
    assert (
        job_context(replace(FAILED, error_code="cancelled"), Outlook(None, None), b"").problem
        is None
    )


def test_a_preview_has_an_address_that_changes_with_it() -> None:
    one, two = (job_context(MAKING, Outlook(0, None), raw).preview_url for raw in (b"1", b"2"))
    assert one != two
    assert job_context(MAKING, Outlook(0, None), b"").preview_url == ""


def test_a_job_that_was_begun_again_says_so() -> None:
    assert "begun again" in job_context(replace(JOB, restarts=1), Outlook(0, None), b"").notes[0]


def test_hundreds_of_unknown_words_do_not_push_the_video_away() -> None:
    unknown = [{"word": f"word{at}", "near": []} for at in range(400)]
    notes = job_context(replace(JOB, result={"unknown": unknown}), Outlook(0, None), b"").notes
    assert len(notes) == 4
    assert "word0" in notes[0]
    assert notes[3].startswith("Nor do these mean anything to it: “word3”, ")
    assert notes[3].endswith("and 377 more")
    few = replace(JOB, result={"unknown": unknown[:4]})
    assert job_context(few, Outlook(0, None), b"").notes[3].endswith(": “word3”")


def test_an_engine_that_says_nothing_is_not_cleared() -> None:
    assert not engine_line({}).is_cleared
    assert engine_line({}).rights == Rights.UNKNOWN
    assert not engine_line({"rights": "cleared works only, promised"}).is_cleared
    assert engine_line({"rights": "cleared works only", "origin": "composed"}).is_cleared


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "a few seconds"), (31, "about 30 s"), (100, "about 2 min"), (7200, "about 2 h")],
)
def test_times_are_guesses(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
