"""A prompt becomes shots: order is kept, durations add up, no shot is empty."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.storyboard import (
    SCENE_S,
    SHOT_S_MIN,
    given_storyboard,
    split_prompt,
    storyboard,
)

THINGS = ("a red car drives", "a boat", "two dogs run", "the moon rises", "an owl flies")
JOINTS = (", then ", ". Then ", "; ", " then ", " and then ", ". ", "! ", ", and then ", "; then ")


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        (
            "a red car drives past a house at night, then a balloon rises over the hills",
            ("a red car drives past a house at night", "a balloon rises over the hills"),
        ),
        ("1. a car 2. a boat 3) rain", ("a car", "a boat", "rain")),
        ("- a car, red\n- a boat; blue\n", ("a car, red", "a boat; blue")),
        ("2 dogs. 3 cats.", ("2 dogs", "3 cats")),
        ("Mr. Fox walks. Then a dog runs", ("Mr. Fox walks.", "a dog runs")),
        ("J. S. Bach plays! A cat", ("J. S. Bach plays", "A cat")),
        ("a house as it was back then in spring", ("a house as it was back then in spring",)),
        ("a car\nin the rain", ("a car in the rain",)),
        ("a hen; then a thenar", ("a hen", "a thenar")),
        ("一辆车。一艘船。", ("一辆车。", "一艘船。")),
        ("a 3.5 m long car", ("a 3.5 m long car",)),
        ("; then ; .", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_prompts_split_where_time_moves_on(prompt: str, parts: tuple[str, ...]) -> None:
    assert split_prompt(prompt) == parts


@given(st.lists(st.sampled_from(THINGS), min_size=1, max_size=9), st.data())
def test_every_joint_parts_what_was_joined(things: list[str], data: st.DataObject) -> None:
    prompt = things[0]
    for thing in things[1:]:
        prompt += data.draw(st.sampled_from(JOINTS)) + thing
    assert split_prompt(prompt) == tuple(things)


@given(st.text(max_size=300), st.floats(0.01, 60))
def test_any_text_makes_whole_shots_or_is_refused(prompt: str, duration_s: float) -> None:
    if not split_prompt(prompt):
        with pytest.raises(InputError):
            storyboard(prompt, duration_s)
        return
    shots = storyboard(prompt, duration_s)
    assert sum(shot.duration_s for shot in shots) == duration_s
    assert all(shot.duration_s > 0 for shot in shots)
    assert all(any(c.isalnum() for c in shot.prompt) for shot in shots)


@given(st.lists(st.sampled_from(THINGS), min_size=1, max_size=30), st.floats(0.1, 60))
def test_shots_share_the_time_in_order(things: list[str], duration_s: float) -> None:
    shots = storyboard(", then ".join(things), duration_s)
    assert ", ".join(shot.prompt for shot in shots) == ", ".join(things)
    assert math.fsum(shot.duration_s for shot in shots) == duration_s
    if len(things) * SCENE_S <= duration_s:
        assert len(shots) == len(things)
        assert all(shot.duration_s % SCENE_S == 0 for shot in shots[:-1])
        assert min(shot.duration_s for shot in shots) >= SHOT_S_MIN
    longest, shortest = max(s.duration_s for s in shots), min(s.duration_s for s in shots)
    assert longest - shortest <= 2 * SCENE_S


@given(st.lists(st.sampled_from(THINGS), min_size=1, max_size=30), st.floats(2.5, 60))
def test_no_shot_is_a_flash(things: list[str], duration_s: float) -> None:
    shots = storyboard(", then ".join(things), duration_s)
    assert min(shot.duration_s for shot in shots) > SHOT_S_MIN - 0.05


def test_a_storyboard_given_is_taken_as_it_is() -> None:
    raw = json.dumps(
        [{"prompt": "a car; then a boat", "seconds": 7}, {"prompt": "b", "seconds": 0.5}]
    )
    shots = given_storyboard(raw.encode())
    assert [(s.prompt, s.duration_s) for s in shots] == [("a car; then a boat", 7.0), ("b", 0.5)]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "a list of 1 to"),
        (b"[]", "a list of 1 to"),
        (b"[1]", "shot 1"),
        (b'[{"prompt": "a", "seconds": 1}, {"prompt": "b"}]', "shot 2"),
        (b'[{"prompt": "a", "seconds": 1, "camera": "pan"}]', "exactly a prompt and seconds"),
        (b'[{"prompt": "  .", "seconds": 1}]', "says nothing"),
        (b'[{"prompt": 3, "seconds": 1}]', "says nothing"),
        (b'[{"prompt": "a", "seconds": 0}]', "above 0"),
        (b'[{"prompt": "a", "seconds": true}]', "above 0"),
        (b'[{"prompt": "a", "seconds": NaN}]', "above 0"),
        (b'[{"prompt": "a", "seconds": 1e999}]', "above 0"),
        (b'[{"prompt": "a", "seconds": "5"}]', "above 0"),
        (json.dumps([{"prompt": "a", "seconds": 1}] * 241).encode(), "a list of 1 to"),
        (b" " * 1_100_000, "bytes"),
    ],
)
def test_a_storyboard_that_is_none_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        given_storyboard(raw)
    assert "seconds" in caught.value.hint
