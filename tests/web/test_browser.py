"""The pages in a real browser: a video made through the form, by hand and by keyboard alone.

Chromium of the system is used (`TERCET_CHROMIUM` or the PATH); without one these tests skip.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = os.environ.get("TERCET_CHROMIUM") or shutil.which("chromium") or ""
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}
TARGET_PX_MIN = 24  # WCAG 2.2, 2.5.8
WAIT_MS = 30_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium here; set TERCET_CHROMIUM to its path"),
]


@pytest.fixture(scope="module")
def address(app: Any) -> Iterator[str]:
    """The pages on a port of this machine."""
    import uvicorn

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. It runs as whoever runs the tests, in containers too: hence no sandbox."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Tab:
    """A page of the browser, with what it complained of and which other places it asked."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.page = browser.new_context(base_url=address, **options).new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda asked: (
                self.elsewhere.append(asked.url) if not asked.url.startswith(address) else None
            ),
        )


@pytest.fixture
def desk(browser: Any, address: str) -> Iterator[Tab]:
    """A page at a desk; it must complain of nothing and ask nobody else."""
    tab = Tab(browser, address, viewport=DESK)
    tab.page.set_default_timeout(WAIT_MS)
    yield tab
    tab.page.context.close()
    assert tab.complaints == []
    assert tab.elsewhere == []


def test_a_video_is_made_through_the_page(desk: Tab) -> None:
    page = desk.page
    page.goto("/")
    page.get_by_label("Prompt").fill("a snail walks slowly past <b>a house</b>")
    assert page.locator("[data-count=prompt]").inner_text() == "40"
    page.get_by_label("Length").fill("1")
    page.get_by_label("Size").select_option("256x256")
    page.get_by_role("button", name="Make the video").click()
    page.wait_for_url("**/videos/video_*")
    page.go_back()
    assert page.get_by_label("Prompt").input_value().startswith("a snail walks slowly")
    assert page.get_by_label("Length").input_value() == "1"
    page.go_forward()
    bar = page.get_by_role("progressbar")
    page.locator("img.preview").wait_for()
    assert page.locator("img.preview").evaluate("image => image.decode().then(() => true)")
    first = int(bar.get_attribute("aria-valuenow"))
    page.wait_for_function(
        "at => Number(document.querySelector('[role=progressbar]').ariaValueNow) > at", arg=first
    )
    page.locator("video").wait_for()
    seconds = page.locator("video").evaluate(
        """video => new Promise((resolve) => {
            if (video.readyState) resolve(video.duration);
            video.onloadedmetadata = () => resolve(video.duration);
        })"""
    )
    assert seconds == pytest.approx(1, abs=0.2)
    assert page.locator("h1").inner_text() == "a snail walks slowly past <b>a house</b>"
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert downloading.value.suggested_filename.endswith(".mp4")
    page.get_by_role("link", name="Gallery").click()
    assert page.get_by_role("link", name="a snail walks slowly past").count() >= 1


def test_a_video_is_made_and_deleted_by_keyboard_alone(desk: Tab) -> None:
    page = desk.page

    def press_until(target: str) -> None:
        """Press Tab until the control of this name has the focus, which must be visible."""
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                """() => {
                    const at = document.activeElement;
                    const name = at.labels?.[0]?.innerText || at.innerText || at.tagName;
                    const style = getComputedStyle(at);
                    return [name.trim(), style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
            if focused[0].startswith(target):
                assert focused[1] != "none", f"no focus ring on {target}"
                assert focused[2] >= 2, f"no focus ring on {target}"
                return
        raise AssertionError(f"{target} is not reached by Tab")

    page.goto("/")
    press_until("Skip to the content")
    page.keyboard.press("Enter")
    press_until("Prompt")
    page.keyboard.type("a kite rises")
    press_until("a butterfly flies")
    page.keyboard.press("Enter")
    assert page.get_by_label("Prompt").input_value().startswith("a butterfly flies")
    page.keyboard.press("Control+z")
    assert page.get_by_label("Prompt").input_value() == "a kite rises"
    press_until("Length")
    page.keyboard.type("1")
    press_until("Advanced")
    page.keyboard.press("Space")
    press_until("What is not to be seen")
    page.keyboard.type("a string")
    press_until("Make the video")
    page.keyboard.press("Enter")
    page.wait_for_url("**/videos/video_*")
    page.locator("video").wait_for()
    press_until("Make another like this")
    press_until("Delete")
    page.keyboard.press("Enter")
    press_until("Delete this video")
    page.keyboard.press("Enter")
    page.wait_for_url("**/videos")


def test_stopping_and_losing_the_server(desk: Tab) -> None:
    page = desk.page
    page.goto("/")
    page.get_by_label("Prompt").fill("a snail walks slowly")
    page.keyboard.press("Tab")
    page.get_by_label("Length").press("Enter")
    page.locator("img.preview").wait_for()
    page.context.set_offline(True)
    page.get_by_text("The server does not answer").wait_for()
    page.context.set_offline(False)
    page.get_by_text("The server does not answer").wait_for(state="hidden")
    page.get_by_role("button", name="Stop making it").click()
    page.get_by_text("Stopped", exact=True).wait_for()
    page.get_by_role("link", name="Change it and try again").click()
    assert page.get_by_label("Prompt").input_value() == "a snail walks slowly"
    # What a browser says of a cut line, and htmx of a request that came to nothing.
    cut = ("ERR_INTERNET_DISCONNECTED", "htmx:error")
    desk.complaints[:] = [said for said in desk.complaints if not any(c in said for c in cut)]


def test_errors_stand_at_their_fields_and_take_the_focus(desk: Tab) -> None:
    page = desk.page
    page.goto("/")
    hostile = "</textarea><script>document.title='owned'</script> \u202e 🎈 " + "x" * 1000
    page.get_by_label("Prompt").fill(hostile)
    page.get_by_label("Length").fill("-3")
    page.get_by_role("button", name="Make the video").click()
    page.get_by_role("heading", name="The video was not ordered").wait_for()
    assert page.evaluate("document.activeElement.className") == "summary"
    page.get_by_role("link", name="expected more than 0").click()
    assert page.evaluate("document.activeElement.id") == "seconds"
    assert page.get_by_label("Prompt").input_value() == hostile
    assert "owned" not in page.title()
    desk.complaints[:] = [said for said in desk.complaints if "422" not in said]


def test_without_javascript_it_works_too(browser: Any, address: str) -> None:
    tab = Tab(browser, address, viewport=DESK, java_script_enabled=False)
    page = tab.page
    page.goto("/")
    page.get_by_role("link", name="a butterfly flies").click()
    assert page.get_by_label("Prompt").input_value().startswith("a butterfly flies")
    page.get_by_label("Length").fill("1")
    page.get_by_role("button", name="Make the video").click()
    page.locator("video").wait_for(timeout=WAIT_MS)  # the page loads itself anew
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete this video").click()
    page.wait_for_url("**/videos")
    page.context.close()
    assert tab.elsewhere == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_sticks_out_all_can_be_hit_and_read(
    browser: Any, address: str, finished: str, scheme: str, viewport: dict[str, int]
) -> None:
    tab = Tab(browser, address, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = tab.page
    for place in ("/", "/videos", finished, "/videos/nothing"):
        page.goto(place)
        page.evaluate(
            "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], place
        assert page.evaluate(SMALL, TARGET_PX_MIN) == [], place
        assert page.evaluate(PALE) == [], place
    page.context.close()


@pytest.fixture(scope="module")
def finished(browser: Any, address: str) -> str:
    """The page of a finished video with a prompt that has no space to break at."""
    page = browser.new_page(base_url=address)
    page.goto("/")
    page.get_by_label("Prompt").fill("a zeppelin " + "x" * 1000)
    page.get_by_label("Length").fill("1")
    page.get_by_role("button", name="Make the video").click()
    page.locator("video").wait_for(timeout=WAIT_MS)
    place = str(page.url).removeprefix(address)
    page.close()
    return place


# Controls below the size that fingers hit. Links within a sentence may be smaller (2.5.8).
SMALL = """(least) => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
    .filter((each) => each.checkVisibility() && each.type !== 'hidden')
    .filter((each) => !each.matches('p a, .skip'))
    .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
    .filter(([, box]) => box.width < least || box.height < least)
    .map(([text]) => text)"""

# Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3: relative luminance).
PALE = """() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const back = parts(getComputedStyle(at).backgroundColor);
            if (back.length < 4 || back[3] > 0) return back;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('body *')]
        .filter((each) => each.checkVisibility() && !each.closest('svg, video')
            && [...each.childNodes].some((inner) => inner.nodeType === 3 && inner.data.trim()))
        .map((each) => {
            const one = light(parts(getComputedStyle(each).color)), two = light(behind(each));
            return [(Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05), each.outerHTML];
        })
        .filter(([ratio]) => ratio < 4.5)
        .map(([ratio, text]) => ratio.toFixed(2) + ' ' + text.slice(0, 80));
}"""
