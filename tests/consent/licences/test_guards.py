"""Guards on prompts: blocked words and styles by name, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.guards import Breach, BreachCode, prompt_breaches, words_of
from tercet.core.terms import Guards

WORDS = Guards(blocked_words=("Logo", "robot mouse"), styles=False)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a LOGO on a wall", ("Logo",)),
        ("a ｌｏｇｏ on a wall", ("Logo",)),  # full-width letters
        ("a logotype", ()),
        ("the robot-mouse, and a logo.", ("Logo", "robot mouse")),
        ("a robot and a mouse", ()),
        ("", ()),
    ],
)
def test_blocked_words(prompt: str, found: tuple[str, ...]) -> None:
    breaches = prompt_breaches(WORDS, ("Owner",), prompt)
    assert breaches == tuple(Breach(BreachCode.BLOCKED_WORD, word) for word in found)


@pytest.mark.parametrize(
    "prompt",
    [
        "lo\u200bgo",
        "lo\u00adgo",
        "l\u2060ogo",
        "lo\u0338go",
        "lоgо",
        "lοgo",
        "l\ufe0fogo",
        "𝓁𝓸𝓰𝓸",
        "ⓛⓞⓖⓞ",
    ],
    ids=ascii,
)
def test_a_blocked_word_in_letters_that_look_the_same(prompt: str) -> None:
    assert prompt_breaches(WORDS, (), f"a {prompt} on a wall")


@pytest.mark.parametrize("blocked", ["米老鼠", "หนูมิกกี้", "ミッキー"])
def test_a_blocked_word_where_words_have_no_spaces(blocked: str) -> None:
    guards = Guards(blocked_words=(blocked,), styles=False)
    assert prompt_breaches(guards, (), f"我{blocked}跑")
    assert not prompt_breaches(guards, (), "我跑")


def test_words_with_marks_are_not_those_without() -> None:
    guards = Guards(blocked_words=("bo", "modem"), styles=False)
    assert not prompt_breaches(guards, (), "một con bò, a modern house")


@pytest.mark.parametrize(
    ("prompt", "is_breach"),
    [
        ("a hill, First Owner", True),
        ("a hill in FIRST OWNER style", True),
        ("a first car of an owner", False),
        ("a house in the style of Rose", True),
        ("a house, Rose-style", True),
        ("một ngôi nhà theo phong cách Rose", True),
        ("a red rose grows", False),
        ("a roselike flower", False),
    ],
)
def test_styles_by_name(prompt: str, is_breach: bool) -> None:
    breaches = prompt_breaches(Guards(), ("First Owner", "Rose"), prompt)
    assert [breach.code for breach in breaches] == [BreachCode.STYLE_BY_NAME] * is_breach
    assert prompt_breaches(Guards(styles=False), ("First Owner", "Rose"), prompt) == ()


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=40))
def test_a_blocked_word_between_spaces_is_always_found(before: str, word: str, after: str) -> None:
    guards = Guards(blocked_words=(word,), styles=False)
    found = prompt_breaches(guards, (), f"{before} {word} {after}")
    assert bool(found) == bool(words_of(word))
