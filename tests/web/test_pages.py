"""The pages over a real studio with a tiny engine: ordered, watched, stopped, credited, removed."""

from __future__ import annotations

import re
import time
from typing import Any

import lxml.html as lxml_html
import pytest
import samples

from tercet.web.pages import EXAMPLES
from tercet.web.rendering import CONTENT_POLICY

FORM = {"prompt": "a red car drives", "seconds": "1", "size": "256x256", "frames_per_second": "8"}
DONE_WITHIN_S = 60


def order(client: Any, **changed: str) -> str:
    answer = client.post("/videos", data=FORM | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def settled(client: Any, place: str) -> str:
    """Wait until a page no longer asks again, and return it."""
    ends_s = time.monotonic() + DONE_WITHIN_S
    while time.monotonic() < ends_s:
        text = str(client.get(place).text)
        if "/progress" not in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"{place} was not done within {DONE_WITHIN_S} s")


def test_words_that_mean_nothing_are_named_with_near_ones(client: Any) -> None:
    words = words_of(settled(client, order(client, prompt="a zeppelin rises")))
    assert "“zeppelin” means nothing to this engine and was left out" in words
    assert "nearly alike: airship, balloon" in words


@pytest.fixture(scope="module")
def finished(app: Any) -> str:
    """The page of a video that was made."""
    from fastapi.testclient import TestClient

    client = TestClient(app, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
    place = order(client, prompt="a boat sails by <b>at night</b>", seed="7")
    settled(client, place)
    return place


def words_of(text: str) -> str:
    return " ".join(" ".join(lxml_html.fromstring(text).itertext()).split())


@pytest.mark.parametrize("place", ["/", "/videos", "/videos/nothing", "/?like=nothing"])
def test_every_page_carries_the_policy(client: Any, place: str) -> None:
    answer = client.get(place)
    assert answer.headers["content-security-policy"] == CONTENT_POLICY
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.status_code == (404 if "nothing" in place else 200)


def test_a_finished_video_has_player_credits_and_making(client: Any, finished: str) -> None:
    text = client.get(finished).text
    words = words_of(text)
    assert "a boat sails by <b>at night</b>" in words
    signed = "Content Credentials not altered since Tercet operator signed it"
    for said in ("cleared works only", "2 owners, 3 works", "Ada 2 works 75 %", "Seed 7",
                 "Drawing & 0", "crossing-xs", "cd" * 32, signed):  # fmt: skip
        assert said in words, said
    assert "<b>Mallory</b>" in words
    tree = lxml_html.fromstring(text)
    for name in ("src", "poster", "href"):
        for node in tree.iter("source", "video", "a"):
            if (there := node.get(name, "")).startswith(finished):
                assert client.get(there).status_code == 200, there


def test_the_files_of_a_video(client: Any, finished: str) -> None:
    part = client.get(f"{finished}/video.mp4", headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert (
        client.get(f"{finished}/video.mp4", headers={"range": "bytes=999999999-"}).status_code
        == 416
    )
    assert client.get(f"{finished}/thumbnail").headers["content-type"].startswith("image/")
    assert len(client.get(f"{finished}/credits.json").json()["credits"]) == 3
    assert client.get(f"{finished}/preview.jpg").status_code == 404
    assert client.get(f"{finished}/progress").headers["hx-refresh"] == "true"


def test_another_like_it_begins_with_what_was_ordered(client: Any, finished: str) -> None:
    video_id = finished.rpartition("/")[2]
    tree = lxml_html.fromstring(client.get(f"/?like={video_id}").text)
    assert tree.get_element_by_id("prompt").text.strip() == "a boat sails by <b>at night</b>"
    assert tree.get_element_by_id("seed").get("value") == "7"
    fields = dict(tree.forms[0].form_values())
    assert fields["like"] == video_id
    place = client.post("/videos", data=fields | {"prompt": "a fish swims"}).headers["location"]
    words = words_of(settled(client, place))
    assert "a fish swims" in words
    assert "Seed 7" in words


def test_it_stands_in_the_gallery(client: Any, finished: str) -> None:
    tree = lxml_html.fromstring(client.get("/videos").text)
    assert finished in [link.get("href") for link in tree.iter("a")]


@pytest.mark.parametrize("text", samples.HOSTILE.values(), ids=samples.HOSTILE)
def test_nothing_typed_is_lost_when_an_order_is_wrong(client: Any, text: str) -> None:
    if "\x00" in text:
        text = text.replace("\x00", "").encode("utf-8", "replace").decode()
    typed = FORM | {"prompt": text, "seconds": "-3", "seed": text[:50], "negative_prompt": text}
    answer = client.post("/videos", data=typed)
    assert answer.status_code == 422
    tree = lxml_html.fromstring(answer.text)
    assert tree.get_element_by_id("prompt").text.removeprefix("\n") == text
    assert tree.get_element_by_id("negative_prompt").text.removeprefix("\n") == text
    assert tree.get_element_by_id("seconds").get("value") == "-3"
    assert tree.get_element_by_id("seed").get("value") == text[:50]
    assert "got '-3'" in tree.get_element_by_id("seconds-error").text_content()
    assert answer.text.count("<script") == 2


def test_an_order_sent_twice_is_one_video(client: Any) -> None:
    tree = lxml_html.fromstring(client.get("/").text)
    key = dict(tree.forms[0].form_values())["order_key"]
    first = order(client, order_key=key)
    assert order(client, order_key=key) == first
    assert order(client, order_key=key, seed="1") != first
    assert client.post(f"{first}/delete").headers["location"] == "/videos"
    assert client.get(first).status_code == 404
    assert order(client, order_key=key) != first, "a deleted one is made again when asked for"


def test_the_same_order_some_time_later_is_another_take(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = order(client, order_key="later")
    assert order(client, order_key="later") == first
    monkeypatch.setattr("tercet.web.pages.SAME_ORDER_S", 0.0)
    assert order(client, order_key="later") != first


def test_a_full_queue_says_when_to_try_again_and_keeps_what_was_typed(
    client: Any, studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "waiting_max", 0)
    answer = client.post("/videos", data=FORM | {"prompt": "a kite rises", "order_key": "full"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    tree = lxml_html.fromstring(answer.text)
    assert tree.get_element_by_id("prompt").text.strip() == "a kite rises"
    assert "try again later" in words_of(answer.text)


def test_the_gallery_turns_pages_and_loses_nobody(
    client: Any, studio: Any, finished: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tercet.web.pages.CARDS", 2)
    place, seen = "/videos", list[str]()
    while place:
        tree = lxml_html.fromstring(client.get(place).text)
        seen += [card.find("a").get("href") for card in tree.find_class("card")]
        place = next((link.get("href") for link in tree.iter("a") if link.get("rel")), "")
    listed = [f"/videos/{job.video_id}" for job in studio.list(limit=100).jobs]
    assert seen == listed
    assert len(seen) > 2
    assert finished in seen
    assert client.get("/videos?after=nothing").status_code == 404


def test_a_long_one_shows_how_far_it_is_and_can_be_stopped(client: Any) -> None:
    place = order(client, prompt="a snail walks slowly")
    ends_s = time.monotonic() + DONE_WITHIN_S
    while "preview.jpg" not in (text := client.get(f"{place}/progress").text):
        assert time.monotonic() < ends_s
        time.sleep(0.1)
    assert re.search(r"\d+ %, step \d+ of 40", words_of(text))
    preview = lxml_html.fromstring(text).find(".//img").get("src")
    assert client.get(preview).content.startswith(b"\xff\xd8")
    asked_s = time.monotonic()
    assert client.post(f"{place}/cancel").headers["location"] == place
    text = client.get(place).text
    assert time.monotonic() - asked_s < 5
    assert "Stopped" in words_of(text)
    assert "/progress" not in text


def test_a_failure_is_told_on_its_page(client: Any) -> None:
    words = words_of(settled(client, order(client, prompt="a broken projector")))
    assert "the projector <jammed>" in words
    assert "ask for another film" in words
    assert "Change it and try again" in words


@pytest.mark.parametrize("place", ["/videos", "/videos/x/cancel", "/videos/x/delete"])
def test_other_sites_change_nothing(client: Any, place: str) -> None:
    count = len(lxml_html.fromstring(client.get("/videos").text).find_class("card"))
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "http://evil.example"},
    ):
        answer = client.post(place, data=FORM, headers=headers)
        assert answer.status_code == 403
    assert len(lxml_html.fromstring(client.get("/videos").text).find_class("card")) == count


def test_get_changes_nothing(client: Any, finished: str) -> None:
    for verb in ("cancel", "delete"):
        assert client.get(f"{finished}/{verb}").status_code in {404, 405}
    assert client.get(finished).status_code == 200


def test_our_files_are_kept_and_asked_for_again(client: Any) -> None:
    answer = client.get("/static/studio.css")
    assert answer.headers["content-type"].startswith("text/css")
    same = client.get("/static/studio.css", headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
    for name in ("..%2fpages.py", "README.md", "htmx-LICENSE.txt", "nothing.js"):
        assert client.get(f"/static/{name}").status_code == 404


def test_examples_fill_the_form_and_can_be_made(client: Any) -> None:
    from tercet.flows.serve_request import asked_of_fields

    tree = lxml_html.fromstring(client.get("/").text)
    links = [link for link in tree.iter("a") if link.get("data-fills")]
    assert [link.text for link in links] == list(EXAMPLES)
    filled = lxml_html.fromstring(client.get(links[0].get("href")).text)
    assert filled.get_element_by_id("prompt").text.strip() == EXAMPLES[0]
    for example in EXAMPLES:
        assert asked_of_fields({"prompt": example}).prompt == example


def test_the_pages_stay_out_of_the_interface_of_programs(app: Any) -> None:
    paths = app.openapi()["paths"]
    assert "/v1/videos" in paths
    assert not [path for path in paths if path.startswith(("/videos", "/static")) or path == "/"]
