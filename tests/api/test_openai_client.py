"""The real `openai` package against a real server: what people's code does today goes on."""

from __future__ import annotations

import io
import threading
import time

import av
import httpx2
import numpy as np
import openai
import pytest
from openai.types import Video
from PIL import Image
from serving import Served, png

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def finished(served: Served, video_id: str) -> Video:
    return served.client().videos.poll(video_id)


@pytest.fixture(scope="module")
def made(served: Served) -> Video:
    """One completed video, 2 seconds at 8 frames a second."""
    return served.client().videos.create_and_poll(
        prompt="a red car drives past a house", seconds="2", size="256x256",
        extra_body={"seed": 77, "fps": 8, "negative_prompt": "rain", "guidance_scale": 3.5},
    )  # fmt: skip


def frames_of(raw: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(raw)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_create_and_poll_gives_a_completed_video(made: Video) -> None:
    assert made.status == "completed"
    assert (made.object, made.progress, made.seconds, made.size) == ("video", 100, "2", "256x256")
    assert made.error is None
    assert made.completed_at is not None
    assert made.completed_at >= made.created_at
    extra = made.model_extra
    assert extra is not None
    assert (extra["seed"], extra["fps"], extra["engine"]) == (77, 8, "drawing")
    assert extra["rights"] == "base model: rights unknown"
    assert (extra["queue_position"], extra["eta_s"], extra["restarts"]) == (None, None, 0)


def test_content_is_a_video_of_the_ordered_size_and_length(served: Served, made: Video) -> None:
    content = served.client().videos.download_content(made.id)
    assert content.response.headers["content-type"] == "video/mp4"
    pictures = frames_of(content.read())
    assert len(pictures) == 16
    assert pictures[0].shape == (256, 256, 3)


@pytest.mark.parametrize("variant", ["thumbnail", "spritesheet"])
def test_small_pictures_can_be_downloaded(served: Served, made: Video, variant: str) -> None:
    content = served.client().videos.download_content(made.id, variant=variant)
    picture = Image.open(io.BytesIO(content.read()))
    assert (picture.format, content.response.headers["content-type"]) == ("JPEG", "image/jpeg")


def test_old_code_gets_the_model_that_is_served_under_its_own_name(served: Served) -> None:
    client = served.client()
    video = client.videos.create(model="sora-2", prompt="a dog", seconds="4", size="720x1280")
    assert (video.model, video.status, video.size) == ("drawing", "queued", "720x1280")
    client.videos.delete(video.id)


def test_the_server_says_when_to_ask_again(served: Served) -> None:
    client = served.client()
    raw = client.videos.with_raw_response.create(prompt="a slow dog", seconds="4")
    video = raw.parse()
    again = client.videos.with_raw_response.retrieve(video.id)
    for answer in (raw, again):
        assert 250 <= int(answer.headers["openai-poll-after-ms"]) <= 5000
    client.videos.delete(video.id)


def test_progress_rises_step_by_step_and_ends_below_100(served: Served) -> None:
    client = served.client()
    video = client.videos.create(prompt="a slow boat", seconds="1", size="256x256")
    seen = set()
    deadline_s = time.monotonic() + 20
    while len(seen) < 3 and time.monotonic() < deadline_s:
        now = client.videos.retrieve(video.id)
        if now.status == "in_progress" and now.progress:
            seen.add(now.progress)
            assert now.model_extra is not None
            assert now.model_extra["queue_position"] == 0
            assert now.model_extra["eta_s"] > 0
        time.sleep(0.1)
    client.videos.delete(video.id)
    assert sorted(seen)[:3] == [5, 10, 15]
    assert served.studio.preview is not None


def test_list_walks_through_all_pages_in_both_orders(served: Served, made: Video) -> None:
    client = served.client()
    ids = [client.videos.remix(made.id, prompt=f"a boat {n}").id for n in range(3)]
    newest = [video.id for video in client.videos.list(limit=2)]
    assert newest[:3] == ids[::-1]
    assert newest[-1:] == [video.id for video in client.videos.list(limit=1, order="asc")][:1]
    assert newest[::-1] == [video.id for video in client.videos.list(limit=2, order="asc")]
    page = client.videos.list(limit=2)
    assert page.last_id == ids[1]
    assert page.has_more
    for each in ids:
        client.videos.delete(each)


def test_a_remix_keeps_seed_size_and_length(served: Served, made: Video) -> None:
    client = served.client()
    video = finished(served, client.videos.remix(made.id, prompt="a blue boat").id)
    assert (video.status, video.prompt, video.seconds) == ("completed", "a blue boat", "2")
    assert video.remixed_from_video_id == made.id
    assert video.model_extra is not None
    assert video.model_extra["seed"] == 77
    client.videos.delete(video.id)


def test_an_extension_shows_both_videos(served: Served, made: Video) -> None:
    client = served.client()
    video = client.videos.extend(
        prompt="then it stops", seconds="4", video=openai.omit,
        extra_body={"video": {"id": made.id}},
    )  # fmt: skip
    video = finished(served, video.id)
    assert (video.status, video.seconds) == ("completed", "6")
    first = frames_of(client.videos.download_content(made.id).read())
    both = frames_of(client.videos.download_content(video.id).read())
    assert len(both) == 6 * 8
    assert np.abs(both[15].astype(int) - first[15]).mean() < 3
    client.videos.delete(video.id)


def test_a_video_that_is_sent_back_is_known_and_extended(served: Served, made: Video) -> None:
    """The package itself can only send files here: it raises for {"id": ...}."""
    client = served.client()
    raw = client.videos.download_content(made.id).read()
    video = client.videos.extend(prompt="it goes on", seconds="4", video=("in.mp4", raw))
    assert video.seconds == "6"
    client.videos.delete(video.id)
    with pytest.raises(openai.BadRequestError, match="made here"):
        client.videos.extend(prompt="it goes on", seconds="4", video=("in.mp4", raw + b"\0"))


def test_edits_and_characters_are_refused_in_words(served: Served, made: Video) -> None:
    client = served.client()
    edit = {
        "prompt": "make it blue",
        "video": openai.omit,
        "extra_body": {"video": {"id": made.id}},
    }
    with pytest.raises(openai.BadRequestError, match="no engine served here edits"):
        client.videos.edit(**edit)
    with pytest.raises(openai.BadRequestError, match="characters"):
        client.videos.create_character(name="Ann", video=b"x")
    with pytest.raises(openai.BadRequestError, match="characters"):
        client.videos.get_character("char_1")


def test_a_picture_begins_the_video(served: Served) -> None:
    client = served.client()
    picture = png(300, 600, (20, 200, 30))
    video = client.videos.create_and_poll(
        prompt="it begins here", seconds="1", size="256x256", input_reference=("in.png", picture)
    )
    assert video.status == "completed", video.error
    first = frames_of(client.videos.download_content(video.id).read())[0]
    assert np.abs(first[200, 200].astype(int) - (20, 200, 30)).max() < 12
    client.videos.delete(video.id)


def test_a_storyboard_comes_through_the_packages_forms(served: Served) -> None:
    shots = [{"prompt": "a car", "seconds": 1.5}, {"prompt": "a boat", "seconds": 2}]
    client = served.client()
    video = client.videos.create(prompt="two things", extra_body={"storyboard": shots})
    assert video.seconds == "3.5"
    job = served.studio.get(video.id)
    assert job.request["shots"] == [["a car", 1.5], ["a boat", 2.0]]
    client.videos.delete(video.id)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n "}, "prompt"),
        ({"prompt": "a" * 2001}, "prompt"),
        ({"prompt": "a\x07bell"}, "prompt"),
        ({"prompt": "turned \u202e around"}, "prompt"),
        ({"prompt": "x", "seconds": "0"}, "seconds"),
        ({"prompt": "x", "seconds": "-1"}, "seconds"),
        ({"prompt": "x", "seconds": "61"}, "seconds"),
        ({"prompt": "x", "seconds": "1000000"}, "seconds"),
        ({"prompt": "x", "seconds": "nan"}, "seconds"),
        ({"prompt": "x", "seconds": "1_0"}, "seconds"),
        ({"prompt": "x", "size": "513x512"}, "size"),
        ({"prompt": "x", "size": "99999x99999"}, "size"),
        ({"prompt": "x", "model": "gpt-4"}, "model"),
        ({"prompt": "x", "extra_body": {"seed": -1}}, "seed"),
        ({"prompt": "x", "extra_body": {"seed": 1.5}}, "seed"),
        ({"prompt": "x", "extra_body": {"fps": 1000}}, "fps"),
        ({"prompt": "x", "extra_body": {"lora": "x"}}, "lora"),
        ({"prompt": "x", "extra_body": {"storyboard": [{"prompt": "y"}]}}, "storyboard"),
        ({"prompt": "x", "extra_body": {"width": 512}}, "width"),
        ({"prompt": "x", "input_reference": ("a.png", b"no picture")}, "input_reference"),
        ({"prompt": "x", "input_reference": ("a.png", png(8, 8, (1, 2, 3))[:60])},
         "input_reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(served: Served, given: dict, field: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        served.client().videos.create(**given)
    assert caught.value.param == field
    assert caught.value.code == "bad-field"
    assert caught.value.response.headers["content-type"] == "application/problem+json"
    problem = caught.value.response.json()
    assert (problem["status"], problem["type"]) == (400, "urn:tercet:error:bad-field")
    assert problem["title"] in problem["error"]["message"]


def test_a_failed_video_says_why(served: Served) -> None:
    client = served.client()
    video = client.videos.create_and_poll(prompt="a wrong thing", seconds="1")
    assert video.status == "failed"
    assert video.error is not None
    assert video.error.code == "unchecked"
    assert "a wrong one" in video.error.message
    with pytest.raises(openai.ConflictError):
        client.videos.download_content(video.id)
    client.videos.delete(video.id)


def test_a_running_video_is_deleted_within_two_seconds(served: Served) -> None:
    client = served.client()
    for prompt in ("a slow dog", "a stubborn dog"):
        video = client.videos.create(prompt=prompt, seconds="4")
        while client.videos.retrieve(video.id).status == "queued":
            time.sleep(0.05)
        began_s = time.monotonic()
        assert client.videos.delete(video.id).deleted
        assert time.monotonic() - began_s < 2
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(video.id)
    assert client.videos.create_and_poll(prompt="a dog", seconds="1").status == "completed"


def test_a_cancelled_video_has_failed_and_its_poller_learns_it(served: Served) -> None:
    client = served.client()
    video = client.videos.create(prompt="a slow dog", seconds="4")
    found: list[Video] = []
    poller = threading.Thread(
        target=lambda: found.append(client.videos.poll(video.id, poll_interval_ms=100))
    )
    poller.start()
    while client.videos.retrieve(video.id).status == "queued":
        time.sleep(0.05)
    answer = client.post(f"/videos/{video.id}/cancel", cast_to=Video)
    poller.join(5)
    for each in (answer, found[0]):
        assert each.status == "failed"
        assert each.error is not None
        assert each.error.code == "cancelled"
    client.videos.delete(video.id)


def test_what_is_deleted_is_gone(served: Served, made: Video) -> None:
    client = served.client()
    video = finished(served, client.videos.remix(made.id, prompt="a short life").id)
    answer = client.videos.delete(video.id)
    assert (answer.id, answer.deleted, answer.object) == (video.id, True, "video.deleted")
    for ask in (client.videos.retrieve, client.videos.download_content, client.videos.delete):
        with pytest.raises(openai.NotFoundError):
            ask(video.id)


def test_credits_and_models(served: Served, made: Video) -> None:
    credits_document = httpx2.get(f"{served.url}/v1/videos/{made.id}/credits").json()
    assert credits_document["type"] == "tercet/credits@1"
    assert credits_document["seed"] == 77
    assert [model.id for model in served.client().models.list()] == ["drawing"]
    assert httpx2.get(f"{served.url}/healthz").json()["status"] == "ok"
