"""The form: kept as typed, ordered as meant, every fault found at once."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from urllib.parse import urlencode

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.flows.serve_request import asked_of_fields
from tercet.web.contexts import Typed
from tercet.web.order_form import (
    FORM_BYTES_MAX,
    key_of,
    order_of,
    problems_of,
    typed_like,
    typed_of_body,
    with_new_key,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200)


@given(TEXT, TEXT)
def test_what_was_typed_comes_back_letter_by_letter(prompt: str, seed: str) -> None:
    body = urlencode({"prompt": prompt, "seed": seed, "unknown": "x"}).encode()
    assert typed_of_body(body) == Typed(prompt=prompt, seed=seed)


@given(st.binary(max_size=300))
def test_any_body_is_a_form_or_bad_input(raw: bytes) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(typed_of_body(raw), Typed)


def test_line_ends_are_those_that_were_typed() -> None:
    assert typed_of_body(b"prompt=a%0D%0Ab").prompt == "a\nb"


def test_bytes_that_are_no_utf_8_stay_visible_and_break_nothing() -> None:
    typed = typed_of_body(b"prompt=caf%E9&seconds=5")
    assert typed.prompt == "caf\ufffd"
    assert typed.seconds == "5"


@pytest.mark.parametrize(
    "raw",
    [b"a=" + b"x" * FORM_BYTES_MAX, b"&".join([b"a=1"] * 50), "prompt=é".encode()],
    ids=["too long", "too many fields", "not ASCII"],
)
def test_bodies_that_no_browser_sends_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        typed_of_body(raw)


def test_a_good_form_is_an_order_with_nothing_lost() -> None:
    typed = replace(
        samples.TYPED,
        seconds=" 2.5 ",
        seed="7",
        steps="20",
        guidance="3.5",
        negative_prompt="a dog",
    )
    assert problems_of(typed) == {}
    asked = asked_of_fields(order_of(typed))
    assert (asked.prompt, asked.duration_s, asked.size) == ("a red car drives", 2.5, "512x512")
    assert (asked.frames_per_second, asked.seed, asked.steps) == (16, 7, 20)
    assert (asked.guidance, asked.negative_prompt) == (3.5, "a dog")


def test_every_fault_is_found_at_once_in_the_order_of_the_form() -> None:
    typed = Typed(
        prompt="  ", seconds="1000000", size="3x3", frames_per_second="900", seed="-1",
        steps="many", guidance="nan", negative_prompt="a\x00b",
    )  # fmt: skip
    found = problems_of(typed)
    assert list(found) == [
        "prompt", "seconds", "size", "frames_per_second", "seed", "steps", "guidance",
        "negative_prompt",
    ]  # fmt: skip
    assert all(problem.title for problem in found.values())
    assert "num_inference_steps" not in found["steps"].title
    assert "'many'" in found["steps"].title


@pytest.mark.parametrize("seconds", ["0", "-3", "1000000", "inf", "nan", "five", "1e400", "٣"])
def test_lengths_that_cannot_be(seconds: str) -> None:
    assert list(problems_of(replace(samples.TYPED, seconds=seconds))) == ["seconds"]


@given(st.builds(Typed, *[TEXT] * 8))
def test_a_form_without_problems_can_be_ordered(typed: Typed) -> None:
    if not problems_of(typed):
        asked_of_fields(order_of(typed))


def test_sent_twice_orders_once_and_changed_orders_anew() -> None:
    typed = with_new_key(samples.TYPED)
    assert key_of(typed) == key_of(typed) != ""
    assert key_of(replace(typed, prompt="another")) != key_of(typed)
    assert key_of(with_new_key(typed)) != key_of(typed)
    assert key_of(replace(typed, order_key="")) == ""
    assert key_of(replace(typed, order_key="x" * 1000)) == ""
    assert key_of(replace(typed, prompt="a", seconds="b")) != key_of(
        replace(typed, prompt="ab", seconds="")
    )


@given(
    st.floats(0.5, 60), st.integers(0, 2**31 - 1), st.integers(0, 200), st.sampled_from([0, 2.5, 7])
)
@settings(max_examples=20)
def test_a_form_like_a_video_orders_that_video(
    seconds: float, seed: int, steps: int, guidance: float
) -> None:
    asked = asked_of_fields(
        {"prompt": "a boat sails by", "seconds": round(seconds, 3), "seed": seed,
         "num_inference_steps": steps, "guidance_scale": guidance, "negative_prompt": "a dog"}
    )  # fmt: skip
    job = samples.queued(asked)
    typed = typed_like(job)
    assert typed.like == "video_1"
    assert asked_of_fields(order_of(typed)) == asked
