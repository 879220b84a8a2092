"""The colours: what an actor may be painted, and what earth and sky are made of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Colour = tuple[int, int, int]  # RGB, 0..255

PAINTS: Mapping[str, Colour] = MappingProxyType(
    {
        "red": (216, 38, 38),
        "orange": (248, 138, 24),
        "yellow": (250, 218, 44),
        "green": (52, 166, 66),
        "blue": (42, 92, 214),
        "purple": (132, 58, 178),
        "pink": (246, 136, 188),
        "brown": (126, 78, 44),
        "black": (34, 34, 40),
        "white": (244, 244, 246),
    }
)
COLOURS = tuple(PAINTS)
