"""Captions: a recipe in words, from a small grammar with a closed list of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tercet.studio.scenes.motions import ACROSS
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.plurals import plural
from tercet.studio.scenes.recipe import Actor, Backdrop, Camera, Motion, Recipe, Time, Weather
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
    Time.DAY: ("", "", "", "by day"),
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
_ALWAYS: Final = ("a", "an", "and", "past", "it", "to the left", "to the right", ",")
_UNSAID_ONE_IN = 3  # how often the hills, which are there when nothing is said, go unsaid
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
    wording = _Wording(recipe.paraphrase)
    deeds = _deeds(recipe, stage, wording)
    place = _place(recipe, wording)
    time, weather = wording.of(TIMES[recipe.time]), wording.of(WEATHERS[recipe.weather])
    if recipe.backdrop is Backdrop.SPACE:
        time = ""
    camera = wording.of(CAMERAS[recipe.camera])
    first = wording.pick(4) == 0 and bool(time)
    parts = [deeds, place, "" if first else time, weather]
    said = " ".join(part for part in parts if part)
    said = f"{time}, {said}" if first else said
    return f"{said}, {camera}" if camera else said


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


def _deeds(recipe: Recipe, stage: Stage, wording: _Wording) -> str:
    """Return who does what: 'a red car drives past a house', 'a dog walks and two birds fly'."""
    clauses: list[str] = []
    groups = _groups(recipe, stage)
    at = 0
    while at < len(groups):
        actor, count = groups[at]
        after = groups[at + 1][0] if at + 1 < len(groups) else None
        clause = f"{_subject(actor, count, stage)} {_verb(actor, count, stage, wording)}"
        if actor.motion is Motion.FOLLOW:
            clause += " it" if count == 1 and at else ""
        elif actor.heading < 0 and actor.motion in ACROSS:
            clause += " to the left"
        past = after is not None and after.motion is Motion.STAND and actor.motion in _ALONG
        if past and after is not None and wording.pick(2) == 0:
            clause += f" past {_subject(after, 1, stage)}"
            at += 1
        clauses.append(clause)
        at += 1
    if len(clauses) == 3:
        return f"{clauses[0]}, {clauses[1]} and {clauses[2]}"
    return " and ".join(clauses)


def _groups(recipe: Recipe, stage: Stage) -> list[tuple[Actor, int]]:
    """Return the actors with their number, those of one noun that do the same together."""
    groups: list[tuple[Actor, int]] = []
    for actor in recipe.actors:
        if groups:
            last, count = groups[-1]
            if _alike(last, stage) == _alike(actor, stage):
                groups[-1] = (last, count + 1)
                continue
        groups.append((actor, 1))
    return groups


def _alike(actor: Actor, stage: Stage) -> tuple[str, str, Motion, int]:
    return stage.sprites[actor.sprite].noun, actor.colour, actor.motion, actor.heading


def _subject(actor: Actor, count: int, stage: Stage) -> str:
    """Return 'a red car', 'an owl', 'two birds'."""
    noun = stage.sprites[actor.sprite].noun
    name = " ".join(part for part in (actor.colour, plural(noun) if count > 1 else noun) if part)
    return f"{NUMBERS[count] if count > 1 else article(name)} {name}"


def article(name: str) -> str:
    """Return 'a' or 'an', by the first letter."""
    return "an" if name[0] in "aeiou" and not name.startswith(("uni", "eu", "one")) else "a"


def _verb(actor: Actor, count: int, stage: Stage, wording: _Wording) -> str:
    kind = stage.sprites[actor.sprite].kind
    ways = KIND_VERBS.get((kind, actor.motion), VERBS[actor.motion])
    pick = wording.pick(3) if len(ways) > 1 else 0
    return ways[pick == 2][count > 1]


def _place(recipe: Recipe, wording: _Wording) -> str:
    """Return where it is: said of the first actor, as its motion wants."""
    unsaid = wording.pick(_UNSAID_ONE_IN) == 0
    if recipe.backdrop is Backdrop.HILLS and unsaid:
        return ""
    motion = recipe.actors[0].motion
    beside, along, above = PLACES[recipe.backdrop]
    only = len(recipe.actors) == 1
    return above if motion in _ABOVE and only else along if motion in _ALONG and only else beside
