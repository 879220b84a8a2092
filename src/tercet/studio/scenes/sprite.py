"""A sprite: a cleared work as a small picture with transparency, and the noun that names it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SPRITE_SIDE_PX = 96  # longest side
Pixels = NDArray[np.uint8]


class Kind(StrEnum):
    """What a thing is to a scene: where it may stand and how it may move."""

    VEHICLE = "vehicle"  # drives on the ground: car, truck, bicycle
    VESSEL = "vessel"  # floats on water: boat, ship
    AIRCRAFT = "aircraft"  # flies: plane, helicopter, balloon, rocket
    ANIMAL = "animal"  # walks: dog, horse
    FLYER = "flyer"  # an animal that flies: bird, butterfly
    SWIMMER = "swimmer"  # fish, whale
    PERSON = "person"
    PLANT = "plant"  # stands: tree, flower
    BUILDING = "building"  # stands: house, castle
    FOOD = "food"
    THING = "thing"  # any other thing: ball, guitar, lamp
    SKY = "sky"  # hangs in the sky: sun, moon, cloud, star


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A work cut out: ``pixels`` is RGBA (height, width, 4), straight alpha, cropped to its edges.

    ``work`` is the SHA-256 of the work's file; ``faces`` is -1 if its front looks to the left, 1
    to the right, 0 for none; ``colour`` is the name of its main colour, empty if it has none.
    """

    work: str
    title: str
    owner: str
    licence: str
    noun: str
    kind: Kind
    faces: int
    colour: str
    pixels: Pixels
