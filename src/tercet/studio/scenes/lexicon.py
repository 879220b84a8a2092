"""The words people type for what a scene can show, beyond those that captions use."""

from __future__ import annotations

from typing import Final

from tercet.studio.scenes.captions import KIND_VERBS, VERBS
from tercet.studio.scenes.palette import COLOURS
from tercet.studio.scenes.recipe import Backdrop, Camera, Motion, Time, Weather
from tercet.studio.scenes.sprite import Kind

OWN_MOTION: Final = {
    Kind.VEHICLE: Motion.DRIVE, Kind.VESSEL: Motion.DRIVE, Kind.SWIMMER: Motion.DRIVE,
    Kind.AIRCRAFT: Motion.FLY, Kind.FLYER: Motion.FLY,
    Kind.ANIMAL: Motion.WALK, Kind.PERSON: Motion.WALK,
}  # fmt: skip
_MORE_VERBS: Final[dict[Motion, str]] = {
    Motion.STAND: "stand sit wait rest lie stay sleep float hang",
    Motion.DRIVE: "drive roll ride race sail swim travel go move cruise speed slide",
    Motion.FLY: "fly soar glide flutter hover",
    Motion.FALL: "fall drop sink tumble land",
    Motion.RISE: "rise ascend climb lift",
    Motion.BOUNCE: "bounce hop jump leap",
    Motion.WALK: "walk stroll run march trot crawl wander",
    Motion.SPIN: "spin rotate turn twirl whirl",
    Motion.GROW: "grow expand swell",
    Motion.CROSS: "cross rush dash",
    Motion.ORBIT: "orbit circle",
    Motion.FOLLOW: "follow chase",
}
_IRREGULAR_FORMS: Final = {"lie": "lying", "sit": "sitting", "swim": "swimming", "run": "running",
    "drop": "dropping", "hop": "hopping", "spin": "spinning", "trot": "trotting"}  # fmt: skip
PLACE_WORDS: Final[dict[str, Backdrop]] = {
    "hills": Backdrop.HILLS, "hill": Backdrop.HILLS, "meadow": Backdrop.HILLS,
    "field": Backdrop.HILLS, "fields": Backdrop.HILLS, "mountains": Backdrop.HILLS,
    "countryside": Backdrop.HILLS, "sea": Backdrop.SEA, "ocean": Backdrop.SEA,
    "water": Backdrop.SEA, "lake": Backdrop.SEA, "waves": Backdrop.SEA, "city": Backdrop.CITY,
    "town": Backdrop.CITY, "street": Backdrop.CITY, "road": Backdrop.CITY,
    "desert": Backdrop.DESERT, "sand": Backdrop.DESERT, "dunes": Backdrop.DESERT,
    "forest": Backdrop.FOREST, "woods": Backdrop.FOREST, "jungle": Backdrop.FOREST,
    "sky": Backdrop.SKY, "clouds": Backdrop.SKY, "air": Backdrop.SKY, "space": Backdrop.SPACE,
    "room": Backdrop.ROOM, "kitchen": Backdrop.ROOM, "indoors": Backdrop.ROOM,
}  # fmt: skip
TIME_WORDS: Final[dict[str, Time]] = {
    "day": Time.DAY, "daytime": Time.DAY, "noon": Time.DAY, "dawn": Time.DAWN,
    "sunrise": Time.DAWN, "morning": Time.DAWN, "dusk": Time.DUSK, "sunset": Time.DUSK,
    "evening": Time.DUSK, "night": Time.NIGHT, "midnight": Time.NIGHT, "nighttime": Time.NIGHT,
}  # fmt: skip
WEATHER_WORDS: Final[dict[str, Weather]] = {
    "rain": Weather.RAIN, "rains": Weather.RAIN, "raining": Weather.RAIN, "rainy": Weather.RAIN,
    "storm": Weather.RAIN, "snow": Weather.SNOW, "snows": Weather.SNOW,
    "snowing": Weather.SNOW, "snowy": Weather.SNOW, "winter": Weather.SNOW,
}  # fmt: skip
CAMERA_WORDS: Final[dict[str, Camera]] = {
    "pan": Camera.PAN, "pans": Camera.PAN, "panning": Camera.PAN, "zoom": Camera.ZOOM,
    "zooms": Camera.ZOOM, "zooming": Camera.ZOOM,
}  # fmt: skip
COUNTS: Final = {"a": 1, "an": 1, "one": 1, "another": 1, "two": 2, "pair": 2,
    "couple": 2, "three": 3, "some": 3, "several": 3, "many": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "2": 2, "3": 3, "4": 4, "5": 5}  # fmt: skip
COLOUR_WORDS: Final = {**{colour: colour for colour in COLOURS}, "violet": "purple",
    "golden": "yellow", "crimson": "red", "scarlet": "red", "navy": "blue"}  # fmt: skip
_PLACE_LEADS = "in on over past through across by at above near into under along around inside"
BEFORE_PLACE: Final = frozenset(_PLACE_LEADS.split())
_SMALL_WORDS = (
    "the of is are was and then while with to it its them their they there from up down out off"
    " very as that which right still camera behind beside next before after against upon below"
    " toward towards so goes gets big small little large slowly quickly fast please show me video"
    " clip scene shot background bigger circles , . ! ? ; :"
)
PASSED_OVER: Final = frozenset([*BEFORE_PLACE, *_SMALL_WORDS.split()])


def _verb_forms() -> dict[str, Motion]:
    """Return every form of every verb: drive, drives, driving, is driving goes without saying."""
    forms: dict[str, Motion] = {}
    for motion, verbs in _MORE_VERBS.items():
        for verb in verbs.split():
            stem = verb[:-1] if verb.endswith("e") else verb
            third = f"{verb[:-1]}ies" if verb.endswith("ly") else f"{verb}s"
            if verb.endswith(("s", "sh", "ch", "go")):
                third = f"{verb}es"
            for form in (verb, third, _IRREGULAR_FORMS.get(verb, f"{stem}ing")):
                forms[form] = motion
    for motion, ways in (
        *VERBS.items(),
        *((motion, ways) for (_, motion), ways in KIND_VERBS.items()),
    ):
        forms |= {form: motion for both in ways for form in both}
    return forms


VERB_FORMS: Final = _verb_forms()
