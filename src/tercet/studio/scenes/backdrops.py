"""Backdrops: calm, flat scenery drawn by rule, each told from the others by colour and shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tercet.studio.scenes.palette import Colour
from tercet.studio.scenes.recipe import Backdrop, Time, Weather
from tercet.studio.scenes.sprite import Pixels

VARIANTS: Final = 8  # how many shapes of one backdrop there are: what no caption says stays small
_SMALL_PX = 200  # below that a backdrop is drawn four times as large and shrunk
_SUBPIXEL_BITS = 4

_SKY: Final[dict[Time, tuple[Colour, Colour]]] = {
    Time.DAY: ((104, 186, 248), (206, 236, 255)),
    Time.DAWN: ((240, 140, 190), (255, 222, 226)),
    Time.DUSK: ((226, 84, 40), (255, 190, 84)),
    Time.NIGHT: ((10, 14, 50), (34, 44, 104)),
}
LIGHT: Final[dict[Time, tuple[float, float, float]]] = {
    Time.DAY: (1.0, 1.0, 1.0),
    Time.DAWN: (1.0, 0.8, 0.9),
    Time.DUSK: (1.0, 0.7, 0.46),
    Time.NIGHT: (0.3, 0.36, 0.64),
}
_HAZE: Final[Colour] = (150, 156, 166)
_SNOWY: Final[Colour] = (238, 242, 250)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a backdrop is drawn on: a picture whose height is 1 and whose width is ``span``."""

    pixels: Pixels
    span: float
    time: Time
    weather: Weather
    shift: float  # -1..1, what differs between the variants

    def lit(self, colour: Colour, *, ground: bool = True) -> Colour:
        """Return a colour of the day as it is at this time and in this weather."""
        values = np.array(colour, np.float64)
        if self.weather is Weather.RAIN:
            values += 0.3 * (np.array(_HAZE) - values)
            values *= 0.82
        elif self.weather is Weather.SNOW and ground:
            values += 0.7 * (np.array(_SNOWY) - values)
        red, green, blue = np.clip(values * LIGHT[self.time], 0, 255)
        return int(red), int(green), int(blue)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon; points are in fractions of the height."""
        scale = self.pixels.shape[0] * 2**_SUBPIXEL_BITS
        where = np.round(np.array(points) * scale).astype(np.int32)
        cv2.fillPoly(self.pixels, [where], colour, cv2.LINE_AA, _SUBPIXEL_BITS)

    def disc(
        self, x: float, y: float, radius: float, colour: Colour, flatness: float = 1.0
    ) -> None:
        """Fill an ellipse whose height is ``flatness`` of its width."""
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        points = zip(x + radius * np.cos(angle), y + radius * flatness * np.sin(angle), strict=True)
        self.polygon([(float(a), float(b)) for a, b in points], colour)

    def block(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle whose top left is (x, y)."""
        ends = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self.polygon(ends, colour)

    def below(self, heights: Callable[[NDArray[np.float64]], NDArray[np.float64]],
              colour: Colour) -> None:  # fmt: skip
        """Fill everything below a line given as y over x."""
        x = np.linspace(0.0, self.span, max(int(self.span * 48), 2))
        line = [(float(a), float(b)) for a, b in zip(x, heights(x), strict=True)]
        self.polygon([(0.0, 1.0), *line, (self.span, 1.0)], colour)


def backdrop(
    kind: Backdrop,
    time: Time,
    weather: Weather,
    variant: int,
    width_px: int,
    height_px: int,
) -> Pixels:
    """Return a backdrop (height, width, 3); a wider one shows more, it is not stretched."""
    factor = 4 if height_px < _SMALL_PX else 1
    large = np.zeros((height_px * factor, width_px * factor, 3), np.uint8)
    shift = (variant % VARIANTS) / (VARIANTS - 1) * 2 - 1
    sheet = Sheet(large, width_px / height_px, time, weather, shift)
    _DRAWN[kind](sheet)
    if factor == 1:
        return large
    return cv2.resize(large, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.uint8)


@lru_cache(maxsize=2048)
def kept_backdrop(
    kind: Backdrop, time: Time, weather: Weather, variant: int, width_px: int, height_px: int
) -> Pixels:
    """Return `backdrop`, drawn once; it must not be written to."""
    drawn = backdrop(kind, time, weather, variant, width_px, height_px)
    drawn.flags.writeable = False
    return drawn


def _sky(sheet: Sheet) -> None:
    """Fill the sheet with the sky, from top to horizon, and stars at night."""
    top, bottom = (np.array(colour, np.float64) for colour in _SKY[sheet.time])
    height = sheet.pixels.shape[0]
    part = np.clip(np.linspace(0, 1.5, height), 0, 1)[:, None]
    rows = top + (bottom - top) * part
    if sheet.weather is not Weather.CLEAR:
        haze = np.array(_HAZE) * LIGHT[sheet.time]
        rows = rows + 0.5 * (haze - rows)
    sheet.pixels[:] = rows[:, None].astype(np.uint8)
    if sheet.time is Time.NIGHT and sheet.weather is Weather.CLEAR:
        _stars(sheet, 22, 0.5, 0.0085)


def _stars(sheet: Sheet, count: int, lowest: float, radius: float) -> None:
    """Draw stars, always the same ones: a frame further to the right has stars of its own."""
    generator = np.random.Generator(np.random.PCG64(7))
    for tile in range(int(np.ceil(sheet.span))):
        for x, y, size in generator.random((count, 3)):
            sheet.disc(
                tile + float(x), float(y) * lowest, radius * (0.6 + 0.7 * float(size)),
                (255, 250, 220),
            )  # fmt: skip


def _hills(sheet: Sheet) -> None:
    _sky(sheet)
    far, near = sheet.lit((126, 190, 110)), sheet.lit((82, 160, 70))
    s = sheet.shift
    sheet.below(lambda x: 0.56 - 0.11 * np.sin(7.0 * x + 0.6 + 0.4 * s), far)
    sheet.below(lambda x: 0.7 - 0.04 * np.sin(5.0 * x + 2.6 - 0.4 * s), near)


def _sea(sheet: Sheet) -> None:
    _sky(sheet)
    for at in range(int(sheet.span / 0.9) + 2):  # islands, by which a pan is seen
        x = at * 0.9 + 0.2 + 0.05 * sheet.shift
        sheet.polygon(
            [
                (x - 0.17, 0.56),
                (x - 0.06, 0.455),
                (x + 0.03, 0.5),
                (x + 0.07, 0.48),
                (x + 0.17, 0.56),
            ],
            sheet.lit((86, 134, 110)),
        )
    sheet.block(0, 0.55, sheet.span, 0.45, sheet.lit((36, 110, 190), ground=False))
    for row, y in enumerate((0.62, 0.72, 0.83, 0.94)):
        for at in range(int(sheet.span / 0.46) + 2):
            x = at * 0.46 + (row % 2) * 0.23 - 0.1 + 0.03 * sheet.shift
            tone = sheet.lit((110, 176, 226), ground=False)
            sheet.disc(x, y, 0.075, tone, flatness=0.13)


def _city(sheet: Sheet) -> None:
    _sky(sheet)
    generator = np.random.Generator(np.random.PCG64(11))
    x = 0.04 * sheet.shift - 0.06
    window = (255, 226, 120) if sheet.time in (Time.NIGHT, Time.DUSK) else (206, 222, 236)
    tones = ((120, 126, 146), (146, 138, 148), (104, 112, 136))
    number = 0
    while x < sheet.span:
        width, top = 0.17 + 0.06 * float(generator.random()), 0.2 + 0.26 * float(generator.random())
        sheet.block(x, top, width - 0.015, 0.8 - top, sheet.lit(tones[number % 3], ground=False))
        for row in range(int((0.68 - top) / 0.09)):
            for column in (0.22, 0.6):
                lit = window if sheet.time is Time.NIGHT else sheet.lit(window, ground=False)
                sheet.block(x + column * width, top + 0.04 + row * 0.09, 0.035, 0.045, lit)
        x += width
        number += 1
    sheet.block(0, 0.7, sheet.span, 0.3, sheet.lit((90, 92, 100)))
    for at in range(int(sheet.span / 0.25) + 2):
        x = at * 0.25 - 0.05 + 0.04 * sheet.shift
        sheet.block(x, 0.83, 0.12, 0.02, sheet.lit((236, 230, 200)))


def _desert(sheet: Sheet) -> None:
    _sky(sheet)
    far, near = sheet.lit((232, 186, 110)), sheet.lit((246, 214, 146))
    s = sheet.shift
    for at in range(int(sheet.span / 0.9) + 2):  # flat-topped rocks
        x = at * 0.9 + 0.12 + 0.06 * s
        sheet.polygon(
            [(x - 0.13, 0.66), (x - 0.08, 0.4), (x + 0.1, 0.4), (x + 0.15, 0.66)],
            sheet.lit((196, 112, 70)),
        )
    sheet.below(lambda x: 0.63 - 0.035 * np.sin(6.0 * x + 1.2 + 0.4 * s), far)
    sheet.below(lambda x: 0.76 - 0.03 * np.sin(4.4 * x + 3.0 - 0.4 * s), near)


def _forest(sheet: Sheet) -> None:
    _sky(sheet)
    dark, darker = sheet.lit((40, 106, 62)), sheet.lit((24, 76, 48))
    for step, first, top, tone in ((0.16, -0.04, 0.2, dark), (0.2, 0.05, 0.32, darker)):
        for at in range(int(sheet.span / step) + 3):
            x = at * step + first + 0.03 * sheet.shift
            peak = top + 0.05 * ((at * 7) % 3)
            sheet.polygon([(x - 0.12, 0.74), (x, peak), (x + 0.12, 0.74)], tone)
    sheet.block(0, 0.72, sheet.span, 0.28, sheet.lit((104, 138, 62)))


def _clouds(sheet: Sheet) -> None:
    _sky(sheet)
    white = sheet.lit((255, 255, 255), ground=False)
    for at in range(int(sheet.span) + 2):
        for x, y, size in ((0.2, 0.82, 0.13), (0.78, 0.9, 0.15), (0.62, 0.16, 0.09)):
            middle = at + x - 0.1 + 0.05 * sheet.shift
            sheet.disc(middle, y, size, white, 0.62)
            sheet.disc(middle - size * 0.9, y + size * 0.22, size * 0.66, white, 0.6)
            sheet.disc(middle + size * 0.95, y + size * 0.2, size * 0.7, white, 0.6)


def _space(sheet: Sheet) -> None:
    height = sheet.pixels.shape[0]
    part = np.linspace(0, 1, height)[:, None]
    top, bottom = np.array((22, 8, 40)), np.array((66, 20, 92))
    sheet.pixels[:] = (top + (bottom - top) * part)[:, None].astype(np.uint8)
    _stars(sheet, 34, 1.0, 0.0095)
    for at in range(int(sheet.span / 1.1) + 1):  # planets far below
        x = 0.42 + at * 1.1 + 0.05 * sheet.shift
        sheet.disc(x, 1.3, 0.6, (132, 104, 206))
        sheet.disc(x, 1.33, 0.6, (60, 62, 140))


def _room(sheet: Sheet) -> None:
    light = Sheet(sheet.pixels, sheet.span, sheet.time, Weather.CLEAR, sheet.shift)
    sheet.pixels[:] = light.lit((244, 222, 178))
    for at in range(int(sheet.span / 0.9) + 1):
        x = 0.12 + at * 0.9 + 0.04 * sheet.shift
        sheet.block(x - 0.02, 0.13, 0.34, 0.37, light.lit((255, 252, 244)))
        pane = _SKY[sheet.time][0]
        sheet.block(x, 0.15, 0.14, 0.33, pane)
        sheet.block(x + 0.16, 0.15, 0.14, 0.33, pane)
    sheet.block(0, 0.72, sheet.span, 0.28, light.lit((166, 106, 62)))
    sheet.block(0, 0.7, sheet.span, 0.025, light.lit((255, 250, 240)))


_DRAWN: Final[dict[Backdrop, Callable[[Sheet], None]]] = {
    Backdrop.HILLS: _hills,
    Backdrop.SEA: _sea,
    Backdrop.CITY: _city,
    Backdrop.DESERT: _desert,
    Backdrop.FOREST: _forest,
    Backdrop.SKY: _clouds,
    Backdrop.SPACE: _space,
    Backdrop.ROOM: _room,
}
