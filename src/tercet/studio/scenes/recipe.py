"""A recipe: everything a clip is made from. It is kept; the clip is made again from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CLIP_FRAME_COUNT = 16
CLIP_DURATION_S = 5.0  # sixteen frames stand for five seconds: one scene


class Motion(StrEnum):
    """How an actor moves. Stable strings."""

    STAND = "stand"
    DRIVE = "drive"  # along the ground, across the frame
    FLY = "fly"  # along a bow in the sky
    FALL = "fall"
    RISE = "rise"
    BOUNCE = "bounce"  # hops in place
    WALK = "walk"  # along the ground with a bob, slower than driving
    SPIN = "spin"  # turns around its middle
    GROW = "grow"
    CROSS = "cross"  # from one side to the other, straight through the middle of the frame
    ORBIT = "orbit"  # circles around the middle, or around another actor
    FOLLOW = "follow"  # moves as the actor before it does, behind it


class Time(StrEnum):
    """The time of day: it tints everything."""

    DAY = "day"
    DAWN = "dawn"
    DUSK = "dusk"
    NIGHT = "night"


class Weather(StrEnum):
    """The weather."""

    CLEAR = "clear"
    RAIN = "rain"
    SNOW = "snow"


class Camera(StrEnum):
    """What the camera does."""

    STILL = "still"
    PAN = "pan"
    ZOOM = "zoom"


class Backdrop(StrEnum):
    """What stands behind the actors. Drawn by rule, not taken from a work."""

    HILLS = "hills"
    SEA = "sea"
    CITY = "city"
    DESERT = "desert"
    FOREST = "forest"
    SKY = "sky"
    SPACE = "space"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Actor:
    """One subject of a clip.

    ``sprite`` indexes the stage's sprites; ``colour`` is what it is painted, empty for its own
    colours. ``heading`` is 1 to the right, -1 to the left. ``size`` is its longest side and
    ``x``, ``y`` where its motion begins, as fractions of the frame (0, 0 is the top left).
    """

    sprite: int
    colour: str
    motion: Motion
    heading: int
    size: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """A clip before it is made: a function of (clearance, seed, index) alone.

    ``paraphrase`` picks one of the ways in which the caption may be worded; ``grain`` seeds what
    is not said in any caption (the shape of the hills, the place of the clouds).
    """

    index: int
    backdrop: Backdrop
    time: Time
    weather: Weather
    camera: Camera
    actors: tuple[Actor, ...]
    paraphrase: int
    grain: int
