"""Parsing: what a person types becomes a scene, the inverse of `captions`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tercet.studio.scenes.captions import VERBS
from tercet.studio.scenes.lexicon import (
    BEFORE_PLACE,
    CAMERA_WORDS,
    COLOUR_WORDS,
    COUNTS,
    OWN_MOTION,
    PASSED_OVER,
    PLACE_WORDS,
    TIME_WORDS,
    VERB_FORMS,
    WEATHER_WORDS,
)
from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.plurals import plural
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Time, Weather
from tercet.studio.scenes.recipes import ACTORS_MAX
from tercet.studio.scenes.scene import Part, Scene, unsaid_backdrop
from tercet.studio.scenes.sprite import Kind

NEAR_MAX: Final = 3
_NEAR_RATIO = 0.66
_PHRASE_WORDS_MAX = 4

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[,.;:!?]")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that means nothing here, with known ones that are written nearly alike."""

    word: str
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of a prompt. ``left_out`` names things beyond the third actor."""

    scene: Scene
    unknown: tuple[Unknown, ...]
    left_out: tuple[str, ...]


def parse(prompt: str, nouns: Mapping[str, Kind]) -> Understood:
    """Return the scene that a prompt asks for, with what was not understood.

    ``nouns`` are the things that can be shown. What is not said is as in captions: heading to
    the right, by day, clear, a still camera, the hills (or the sea, for a boat); a thing without a
    verb does what its kind does. ``parse(said(scene))`` gives that scene back. Never raises.
    """
    reading = _Reading(_tokens(prompt), _noun_forms(nouns), nouns)
    while reading.at < len(reading.tokens):
        _step(reading)
    parts, left_out = _fitting([_done(part, nouns) for part in reading.parts])
    scene = Scene(
        parts,
        reading.backdrop or unsaid_backdrop(parts),
        reading.time,
        reading.weather,
        reading.camera,
    )
    words = tuple(dict.fromkeys(reading.unknown))
    known = known_words(nouns)
    return Understood(scene, tuple(Unknown(word, near(word, known)) for word in words), left_out)


def unknown_words(prompt: str, words: Iterable[str]) -> tuple[Unknown, ...]:
    """Return the words of a prompt that are not among ``words``, each once, with near ones."""
    known = frozenset(words)
    strange = (word for word in _tokens(prompt) if word not in known and word[0].isalnum())
    return tuple(Unknown(word, near(word, known)) for word in dict.fromkeys(strange))


def near(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known words that are written nearly like this one, nearest first."""
    return tuple(difflib.get_close_matches(word, sorted(known), NEAR_MAX, _NEAR_RATIO))


def known_words(nouns: Iterable[str]) -> frozenset[str]:
    """Return the words worth suggesting: nouns, colours, verbs, places, times and weathers."""
    verbs = (form for ways in VERBS.values() for forms in ways for form in forms)
    single = (word for word in verbs if " " not in word)
    return frozenset([*nouns, *COLOUR_WORDS, *single, *PLACE_WORDS, *TIME_WORDS, *WEATHER_WORDS])


@dataclass(slots=True)
class _Draft:
    """A part while it is read; ``motion`` is None until its verb comes."""

    noun: str
    colour: str
    count: int
    motion: Motion | None = None
    heading: int = 1


@dataclass(slots=True)
class _Reading:
    """Where the reading is and what it has found."""

    tokens: tuple[str, ...]
    forms: Mapping[str, tuple[str, str]]
    nouns: Mapping[str, Kind]
    at: int = 0
    parts: list[_Draft] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    backdrop: Backdrop | None = None
    time: Time = Time.DAY
    weather: Weather = Weather.CLEAR
    camera: Camera = Camera.STILL
    count: int = 0
    colour: str = ""
    next_motion: Motion | None = None  # after 'past' the next thing stands
    chasing: bool = False  # after 'follows': the next thing goes first
    moved: list[_Draft] = field(default_factory=list)  # those of the last verb

    def word(self, ahead: int = 0) -> str:
        """Return a token ahead of this one, empty beyond the end or before the beginning."""
        at = self.at + ahead
        return self.tokens[at] if 0 <= at < len(self.tokens) else ""


def _step(reading: _Reading) -> None:
    """Read what comes next and go on behind it."""
    in_phrase = bool(reading.count or reading.colour)
    steps = (
        (_read_surroundings, _read_colour, _read_noun, _read_verb) if in_phrase
        else (_read_surroundings, _read_heading, _read_verb, _read_count, _read_colour, _read_noun)
    )  # fmt: skip
    for step in steps:
        taken = step(reading)
        if taken:
            reading.at += taken
            return
    word = reading.word()
    reading.at += 1
    if word in COUNTS:
        return
    if word not in PASSED_OVER and word not in VERB_FORMS:
        reading.unknown.append(word)
        reading.count, reading.colour = 0, ""


def _read_count(reading: _Reading) -> int:
    count = COUNTS.get(reading.word(), 0)
    if count:
        reading.count = count
    return bool(count)


def _read_colour(reading: _Reading) -> int:
    """Read a colour, unless it is the thing itself: 'an orange rolls', 'an orange tree'."""
    colour = COLOUR_WORDS.get(reading.word(), "")
    if not colour:
        return 0
    reading.at += 1
    painted = 1 + _noun_at(reading)[1]
    reading.at -= 1
    if _noun_at(reading)[1] >= painted:  # the longer reading is meant
        return 0
    reading.colour = colour
    return 1


def _read_noun(reading: _Reading) -> int:
    """Read a thing: it becomes a part, standing if it is passed, first if it is followed."""
    noun, taken, is_plural = _noun_at(reading)
    if not taken:
        return 0
    count = max(reading.count, 2 if is_plural else 1)
    draft = _Draft(noun, reading.colour, count, reading.next_motion)
    where = len(reading.parts) - 1 if reading.chasing and reading.parts else len(reading.parts)
    reading.parts.insert(where, draft)
    reading.count, reading.colour, reading.next_motion, reading.chasing = 0, "", None, False
    return taken


def _read_verb(reading: _Reading) -> int:
    """Read a verb: all things without one, from the last verb on, do that."""
    for length in (3, 2, 1):
        phrase = " ".join(reading.word(ahead) for ahead in range(length)).strip()
        motion = VERB_FORMS.get(phrase)
        waiting = [part for part in reading.parts if part.motion is None]
        if motion is None or not waiting or phrase.count(" ") != length - 1:
            continue
        for part in waiting:
            part.motion = motion
        reading.moved = waiting
        if motion is Motion.FOLLOW:
            reading.chasing = reading.word(length) not in ("it", "them", "")
        return length
    return 0


def _read_heading(reading: _Reading) -> int:
    """Read 'to the left': those of the last verb go there."""
    ahead = 2 if (reading.word(), reading.word(1)) == ("to", "the") else 0
    word = reading.word(ahead)
    if word not in ("left", "leftwards", "right", "rightwards"):
        return 0
    for part in reading.moved or reading.parts[-1:]:
        part.heading = -1 if word.startswith("left") else 1
    return ahead + 1


def _read_surroundings(reading: _Reading) -> int:
    """Read time, weather, camera and place."""
    word, before, after = reading.word(), reading.word(-1), reading.word(1)
    if word == "camera" and before in ("the", ",", ".", ";", "and", ""):
        reading.camera = CAMERA_WORDS.get(after, reading.camera)
        reading.count = 0
        return 2 if after in CAMERA_WORDS else 1
    if word in CAMERA_WORDS and not _noun_at(reading)[1]:
        reading.camera = CAMERA_WORDS[word]
        return 1
    if reading.colour or (_noun_at(reading)[1] and not _leads_to_place(reading)):
        return 0
    if word in TIME_WORDS:
        reading.time = TIME_WORDS[word]
    elif word in WEATHER_WORDS:
        reading.weather = WEATHER_WORDS[word]
    elif word in PLACE_WORDS:
        reading.backdrop = PLACE_WORDS[word]
    elif word == "past":
        reading.next_motion = Motion.STAND
        return 1
    elif (word, after) == ("followed", "by"):
        reading.next_motion = Motion.FOLLOW
        return 2
    else:
        return 0
    reading.count, reading.next_motion = 0, None
    return 1


def _leads_to_place(reading: _Reading) -> bool:
    """Tell whether a place, a time or a weather may come here: 'in the', 'at'."""
    before = reading.word(-1)
    return (reading.word(-2) if before in ("the", "a") else before) in BEFORE_PLACE


def _noun_at(reading: _Reading) -> tuple[str, int, bool]:
    """Return the longest noun that begins here, its number of tokens, and if it is a plural.

    After 'a' it is a singular, after 'two' a plural where there is one.
    """
    for length in range(_PHRASE_WORDS_MAX, 0, -1):
        words = reading.tokens[reading.at : reading.at + length]
        one, several = reading.forms.get(" ".join(words), ("", ""))
        if len(words) < length or not (one or several):
            continue
        if several and (reading.count > 1 or (not one and reading.count == 0)):
            return several, length, True
        if one:
            return one, length, False
    return "", 0, False


def _tokens(prompt: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(prompt.lower()))


def _noun_forms(nouns: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return, for every noun as it is typed, what it is the singular and the plural of."""
    one = {" ".join(_tokens(noun)): noun for noun in nouns}
    several = {" ".join(_tokens(plural(noun))): noun for noun in nouns}
    return {form: (one.get(form, ""), several.get(form, "")) for form in one | several}


def _done(draft: _Draft, nouns: Mapping[str, Kind]) -> Part:
    """Return a part whose motion is said, or that of its kind."""
    kind = nouns[draft.noun]
    motion = draft.motion or OWN_MOTION.get(kind, Motion.STAND)
    across = motion in ACROSS and motion is not Motion.FOLLOW
    return Part(draft.noun, kind, draft.colour, motion, draft.heading if across else 1, draft.count)


def _fitting(parts: list[Part]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return the first three actors as parts, and the nouns of those that find no place."""
    kept: list[Part] = []
    left_out: list[str] = []
    for part in parts:
        free = ACTORS_MAX - sum(other.count for other in kept)
        if free > 0:
            alone = part.motion is Motion.FOLLOW and not kept
            motion = OWN_MOTION.get(part.kind, Motion.CROSS) if alone else part.motion
            kept.append(replace(part, motion=motion, count=min(part.count, free)))
        if part.count > free:
            left_out.append(part.noun)
    return tuple(kept), tuple(dict.fromkeys(left_out))
