"""Captions: a recipe in words, from a small grammar with a closed list of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.plurals import is_always_plural, plural
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Recipe, Time, Weather
from tercet.studio.scenes.scene import Part, Scene, scene_of, unsaid_backdrop
from tercet.studio.scenes.sprite import Kind
from tercet.studio.scenes.stage import Stage

NUMBERS: Final = {2: "two", 3: "three"}
# singular and plural of each way to say it; the first is said most often
VERBS: Final[dict[Motion, tuple[tuple[str, str], ...]]] = {
    Motion.STAND: (("stands", "stand"),),
    Motion.DRIVE: (("drives", "drive"), ("rolls", "roll")),
    Motion.FLY: (("flies", "fly"), ("soars", "soar")),
    Motion.FALL: (("falls", "fall"), ("drops", "drop")),
    Motion.RISE: (("rises", "rise"), ("goes up", "go up")),
    Motion.BOUNCE: (("bounces", "bounce"), ("hops", "hop")),
    Motion.WALK: (("walks", "walk"), ("strolls", "stroll")),
    Motion.SPIN: (("spins", "spin"), ("turns around", "turn around")),
    Motion.GROW: (("grows", "grow"), ("gets bigger", "get bigger")),
    Motion.CROSS: (("crosses", "cross"), ("rushes by", "rush by")),
    Motion.ORBIT: (("circles", "circle"), ("goes in circles", "go in circles")),
    Motion.FOLLOW: (("follows", "follow"),),
}
# what driving is called of those who do it in the water
KIND_VERBS: Final[dict[tuple[Kind, Motion], tuple[tuple[str, str], ...]]] = {
    (Kind.VESSEL, Motion.DRIVE): (("sails", "sail"),),
    (Kind.SWIMMER, Motion.DRIVE): (("swims", "swim"),),
    (Kind.SKY, Motion.STAND): (("hangs", "hang"),),
}
PLACES: Final[dict[Backdrop, tuple[str, ...]]] = {
    Backdrop.HILLS: ("in the hills", "past the hills", "over the hills"),
    Backdrop.SEA: ("on the sea", "over the sea", "over the sea"),
    Backdrop.CITY: ("in the city", "through the city", "over the city"),
    Backdrop.DESERT: ("in the desert", "through the desert", "over the desert"),
    Backdrop.FOREST: ("in the forest", "through the forest", "over the forest"),
    Backdrop.SKY: ("in the sky", "across the sky", "in the sky"),
    Backdrop.SPACE: ("in space", "through space", "in space"),
    Backdrop.ROOM: ("in a room", "through a room", "in a room"),
}
TIMES: Final[dict[Time, tuple[str, ...]]] = {
    Time.DAY: ("", "", "", "", "", "by day"),
    Time.DAWN: ("at dawn",),
    Time.DUSK: ("at dusk",),
    Time.NIGHT: ("at night",),
}
WEATHERS: Final[dict[Weather, tuple[str, ...]]] = {
    Weather.CLEAR: ("",),
    Weather.RAIN: ("in the rain", "while it rains"),
    Weather.SNOW: ("in the snow", "while it snows"),
}
CAMERAS: Final[dict[Camera, tuple[str, ...]]] = {
    Camera.STILL: ("",),
    Camera.PAN: ("the camera pans", "camera pans"),
    Camera.ZOOM: ("the camera zooms in", "camera zooms in"),
}
_ALWAYS: Final = ("a", "an", "and", "past", "it", "them", "to the left", "to the right", ",")
_UNSAID_ONE_IN = 3  # how often a place that would be thought of anyway goes unsaid
_ABOVE: Final = frozenset({Motion.FLY, Motion.RISE})
_ALONG: Final = frozenset({Motion.DRIVE, Motion.WALK, Motion.CROSS})


class _Wording:
    """Choices of one paraphrase: the digits of a number, in the order in which they are asked."""

    def __init__(self, number: int) -> None:
        self._number = number

    def pick(self, count: int) -> int:
        """Return a number below ``count``."""
        self._number, digit = divmod(self._number, count)
        return digit

    def of(self, ways: Sequence[str]) -> str:
        """Return one of the ways to say something."""
        return ways[self.pick(len(ways))] if len(ways) > 1 else ways[0]


def caption(recipe: Recipe, stage: Stage) -> str:
    """Return the caption of a recipe: lower case, every word one of `words`."""
    return said(scene_of(recipe, stage), recipe.paraphrase)


def said(scene: Scene, paraphrase: int = 0) -> str:
    """Return a scene in words; equal ``paraphrase`` numbers word it in the same way."""
    wording = _Wording(paraphrase)
    deeds, place = _deeds(scene, wording), _place(scene, wording)
    time = "" if scene.backdrop is Backdrop.SPACE else wording.of(TIMES[scene.time])
    weather = wording.of(WEATHERS[scene.weather])
    camera = wording.of(CAMERAS[scene.camera])
    first = wording.pick(4) == 0 and bool(time)
    parts = [deeds, place, "" if first else time, weather]
    text = " ".join(part for part in parts if part)
    text = f"{time}, {text}" if first else text
    return f"{text}, {camera}" if camera else text


def words(stage: Stage) -> tuple[str, ...]:
    """Return every word that a caption of this stage may have, in alphabetical order."""
    phrases = [*_ALWAYS, *NUMBERS.values(), *COLOURS]
    for ways in (*VERBS.values(), *KIND_VERBS.values()):
        phrases += [form for forms in ways for form in forms]
    for table in (PLACES, TIMES, WEATHERS, CAMERAS):
        phrases += [phrase for ways in table.values() for phrase in ways]
    for noun in stage.nouns:
        phrases += [noun, plural(noun)]
    return tuple(sorted({word for phrase in phrases for word in _WORD.findall(phrase)}))


_WORD = re.compile(r"[a-z0-9']+|,")


def _deeds(scene: Scene, wording: _Wording) -> str:
    """Return who does what: 'a red car drives past a house', 'a dog walks and two birds fly'."""
    clauses: list[str] = []
    at = 0
    while at < len(scene.parts):
        part = scene.parts[at]
        clause = f"{_subject(part)} {_verb(part, wording)}"
        if part.motion is Motion.FOLLOW and at:
            clause += " it" if scene.parts[at - 1].count == 1 else " them"
        elif part.heading < 0:
            clause += " to the left"
        after = scene.parts[at + 1 : at + 2]
        if after and _is_passed(part, after[0]) and wording.pick(2) == 0:
            clause += f" past {_subject(after[0])}"
            at += 1
        clauses.append(clause)
        at += 1
    if len(clauses) == 3:
        return f"{clauses[0]}, {clauses[1]} and {clauses[2]}"
    return " and ".join(clauses)


def _is_passed(part: Part, after: Part) -> bool:
    """Tell whether one part may be said to move past the next one, which stands."""
    return part.motion in _ALONG and after.motion is Motion.STAND


def _subject(part: Part) -> str:
    """Return 'a red car', 'an owl', 'two birds'."""
    noun = plural(part.noun) if part.count > 1 else part.noun
    name = f"{part.colour} {noun}" if part.colour else noun
    if part.count == 1 and is_always_plural(part.noun):
        return name
    return f"{NUMBERS[part.count] if part.count > 1 else article(name)} {name}"


def article(name: str) -> str:
    """Return 'a' or 'an', by the first letters."""
    return "an" if name[0] in "aeiou" and not name.startswith(("uni", "eu", "one")) else "a"


def _verb(part: Part, wording: _Wording) -> str:
    ways = KIND_VERBS.get((part.kind, part.motion), VERBS[part.motion])
    second = len(ways) > 1 and wording.pick(3) == 2
    return ways[second][part.count > 1 or is_always_plural(part.noun)]


def _place(scene: Scene, wording: _Wording) -> str:
    """Return where it is: said as the motion wants where there is only one."""
    unsaid = wording.pick(_UNSAID_ONE_IN) == 0
    if unsaid and scene.backdrop is unsaid_backdrop(scene.parts):
        return ""
    beside, along, above = PLACES[scene.backdrop]
    motion = scene.parts[0].motion if len(scene.parts) == 1 else None
    return above if motion in _ABOVE else along if motion in _ALONG else beside
