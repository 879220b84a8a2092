"""Edits of pictures, by our own generator: the 24 of the reference's list, and others.

A picture is BGR uint8 (height, width, 3); an edited one is a picture, or the bytes of a file
where the file format is the edit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from bench.identify_edits import Edit

Picture = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
SAYING = "when nobody looks the whole garden sings again and we were never told why"


def encoded(picture: Picture, quality: int = 88, ending: str = ".jpg") -> bytes:
    """Return a picture as the bytes of a file."""
    flag = cv2.IMWRITE_WEBP_QUALITY if ending == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    done, data = cv2.imencode(ending, picture, [flag, quality] if ending != ".png" else [])
    if not done:
        raise ValueError(f"expected a picture, got {picture.shape} {picture.dtype}")
    return bytes(data)


def resized(picture: Picture, width: int, height: int) -> Picture:
    """Return the picture at another size, by area when it shrinks."""
    shrinks = width < picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (max(8, width), max(8, height)), interpolation=how)


def scaled(picture: Picture, factor: float) -> Picture:
    """Return the picture at ``factor`` times its size."""
    return resized(picture, round(picture.shape[1] * factor), round(picture.shape[0] * factor))


def _scale(picture: Picture, _r: Random, _o: Picture, *, factor: float) -> Picture:
    return scaled(picture, factor)


def _file(picture: Picture, _r: Random, _o: Picture, *, quality: int, ending: str) -> bytes:
    return encoded(picture, quality, ending)


def _aspect(picture: Picture, _r: Random, _o: Picture) -> Picture:
    side = min(picture.shape[:2])
    return resized(picture, side, side)


def _blur(picture: Picture, _r: Random, _o: Picture, *, sigma: float) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def _noise(picture: Picture, random: Random, _o: Picture, *, sigma: float) -> Picture:
    return _clipped(picture + random.normal(0, sigma, picture.shape))


def _salt_pepper(picture: Picture, random: Random, _o: Picture, *, share: float) -> Picture:
    drawn, out = random.random(picture.shape[:2]), picture.copy()
    out[drawn < share / 2] = 0
    out[drawn > 1 - share / 2] = 255
    return out


def _clipped(values: Picture) -> Picture:
    return np.clip(values, 0, 255).astype(np.uint8)


def _gray(picture: Picture, _r: Random, _o: Picture) -> Picture:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def _jitter(picture: Picture, random: Random, _o: Picture) -> Picture:
    """Brightness, contrast and saturation by up to 40 %, hue by up to 18 degrees."""
    light, contrast, colour = random.uniform(0.6, 1.4, 3)
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[:, :, 0] = (hsv[:, :, 0] + random.uniform(-9, 9)) % 180
    hsv[:, :, 1] = np.clip(hsv[:, :, 1] * colour, 0, 255)
    bright = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR).astype(np.float32) * light
    return _clipped((bright - bright.mean()) * contrast + bright.mean())


def _gamma(picture: Picture, _r: Random, _o: Picture, *, power: float) -> Picture:
    return _clipped(255 * (picture / 255.0) ** power)


def _invert(picture: Picture, _r: Random, _o: Picture) -> Picture:
    return 255 - picture


def _posterise(picture: Picture, _r: Random, _o: Picture) -> Picture:
    return (picture // 64) * 64 + 32


def _sharpen(picture: Picture, _r: Random, _o: Picture) -> Picture:
    soft = cv2.GaussianBlur(picture, (0, 0), 2.0)
    return cv2.addWeighted(picture, 2.5, soft, -1.5, 0)


def _put_text(
    picture: Picture, text: str, place: tuple[int, int], height: float, colour: int
) -> None:
    """Write in place; ``height`` in pixels of a line."""
    scale = height / 22.0
    for ink, width in ((255 - colour, 3), (colour, 1)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (ink,) * 3,
                    max(1, round(width * scale)), cv2.LINE_AA)  # fmt: skip


def _sentence(random: Random, count: int) -> str:
    return " ".join(random.choice(SAYING.split(), count))


def _text(picture: Picture, random: Random, _o: Picture) -> Picture:
    out, (height, width) = picture.copy(), picture.shape[:2]
    for line in range(3):
        place = (round(width * 0.08), round(height * (0.25 + 0.2 * line)))
        _put_text(out, _sentence(random, 5), place, height * 0.06, 255)
    return out


def _subtitle(picture: Picture, random: Random, _o: Picture) -> Picture:
    out, (height, width) = picture.copy(), picture.shape[:2]
    out[round(height * 0.84) : round(height * 0.95)] //= 3
    place = (round(width * 0.06), round(height * 0.92))
    _put_text(out, _sentence(random, 7), place, height * 0.06, 255)
    return out


def _sticker(picture: Picture, random: Random, _o: Picture, *, share: float) -> Picture:
    """A round yellow face whose diameter is ``share`` of the shorter side."""
    out, (height, width) = picture.copy(), picture.shape[:2]
    radius = round(min(height, width) * share / 2)
    x = int(random.integers(radius, width - radius + 1))
    y = int(random.integers(radius, height - radius + 1))
    cv2.circle(out, (x, y), radius, (40, 210, 250), -1, cv2.LINE_AA)
    for side in (-1, 1):
        eye = (x + side * radius // 3, y - radius // 4)
        cv2.circle(out, eye, max(1, radius // 8), (30, 30, 30), -1, cv2.LINE_AA)
    cv2.ellipse(out, (x, y + radius // 5), (radius // 2, radius // 3), 0, 0, 180, (30, 30, 30),
                max(1, radius // 10), cv2.LINE_AA)  # fmt: skip
    return out


def _blend(picture: Picture, _r: Random, other: Picture, *, share: float) -> Picture:
    second = resized(other, picture.shape[1], picture.shape[0])
    return cv2.addWeighted(picture, 1 - share, second, share, 0)


def cropped(picture: Picture, random: Random, _o: Picture = None, *, share: float) -> Picture:
    """Return a random part with ``share`` of width and of height."""
    height, width = (round(side * share) for side in picture.shape[:2])
    y = int(random.integers(0, picture.shape[0] - height + 1))
    x = int(random.integers(0, picture.shape[1] - width + 1))
    return picture[y : y + height, x : x + width].copy()


def _warped(picture: Picture, matrix: Picture, fill: int = 0) -> Picture:
    height, width = picture.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = cv2.perspectiveTransform(corners[None], matrix)[0]
    low, high = moved.min(axis=0), moved.max(axis=0)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    size = tuple(int(side) for side in np.ceil(high - low))
    return cv2.warpPerspective(picture, shift @ matrix, size, flags=cv2.INTER_LINEAR,
                               borderValue=(fill,) * 3)  # fmt: skip


def _rotate(picture: Picture, random: Random, _o: Picture, *, degrees: float) -> Picture:
    angle = np.deg2rad(degrees * random.choice([-1, 1]))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0],
                     [0, 0, 1]])  # fmt: skip
    return _warped(picture, turn)


def _turn(picture: Picture, _r: Random, _o: Picture, *, quarters: int) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, quarters))


def _flip(picture: Picture, _r: Random, _o: Picture, *, axis: int) -> Picture:
    return cv2.flip(picture, axis)


def _shear(picture: Picture, _r: Random, _o: Picture, *, share: float) -> Picture:
    return _warped(picture, np.array([[1, share, 0], [0, 1, 0], [0, 0, 1]], float))


def _perspective(picture: Picture, random: Random, _o: Picture, *, share: float) -> Picture:
    height, width = picture.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    drawn = random.uniform(-share, share, (4, 2)) * [width, height]
    return _warped(picture, cv2.getPerspectiveTransform(corners, np.float32(corners + drawn)))


def _padded(picture: Picture, up: float, side: float, fill: tuple[int, int, int]) -> Picture:
    y, x = round(picture.shape[0] * up), round(picture.shape[1] * side)
    return cv2.copyMakeBorder(picture, y, y, x, x, cv2.BORDER_CONSTANT, value=fill)


def _letterbox(picture: Picture, _r: Random, _o: Picture) -> Picture:
    return _padded(picture, 0.25, 0.0, (0, 0, 0))


def _frame(picture: Picture, random: Random, _o: Picture) -> Picture:
    inner = _padded(picture, 0.04, 0.04, (235, 240, 245))
    wood = _padded(inner, 0.08, 0.08, (40, 70, 120))
    noise = cv2.blur(random.normal(0, 40, wood.shape).astype(np.float32), (25, 1))
    outside = np.ones(wood.shape[:2], bool)
    y, x = ((a - b) // 2 for a, b in zip(wood.shape[:2], inner.shape[:2], strict=True))
    outside[y : y + inner.shape[0], x : x + inner.shape[1]] = False
    wood[outside] = _clipped(wood[outside] + noise[outside])
    return wood


def _meme(picture: Picture, random: Random, _o: Picture) -> Picture:
    band = np.full((round(picture.shape[0] * 0.22), picture.shape[1], 3), 255, np.uint8)
    for line in (0.4, 0.8):
        place = (round(band.shape[1] * 0.04), round(band.shape[0] * line))
        _put_text(band, _sentence(random, 5), place, band.shape[0] * 0.28, 0)
    return np.vstack([band, picture])


def _screenshot(
    picture: Picture, random: Random, _o: Picture, *, share: float, dark: bool = False
) -> Picture:
    """A page with bars, buttons and lines of text, the picture in its column."""
    ground, ink = (32, 235) if dark else (250, 25)
    width = 1100
    small = scaled(picture, width * share / picture.shape[1])
    small = small[:1400]
    height = small.shape[0] + 420
    page = np.full((height, width, 3), ground, np.uint8)
    page[:70] = 60 if dark else 215
    for at in range(4):
        cv2.circle(page, (30 + 40 * at, 35), 11, (90 + 40 * at, 120, 200 - 40 * at), -1)
    cv2.rectangle(page, (220, 18), (width - 60, 52), (ground,) * 3, -1)
    _put_text(page, "www.example.org/" + _sentence(random, 1), (235, 43), 18, ink)
    left = int(random.integers(20, max(21, width - small.shape[1] - 20)))
    page[190 : 190 + small.shape[0], left : left + small.shape[1]] = small
    for y in (115, 150, *range(small.shape[0] + 230, height - 20, 34)):
        _put_text(page, _sentence(random, 11), (40, y), 20, ink)
    return page


def _on_background(picture: Picture, random: Random, other: Picture, *, share: float) -> Picture:
    """The picture at ``share`` of the width and height of another one, at a random place."""
    ground = resized(other, 1000, 750)
    factor = min(1000 / picture.shape[1], 750 / picture.shape[0]) * share
    small = scaled(picture, factor)
    y = int(random.integers(0, 750 - small.shape[0] + 1))
    x = int(random.integers(0, 1000 - small.shape[1] + 1))
    ground[y : y + small.shape[0], x : x + small.shape[1]] = small
    return ground


def _side_by_side(picture: Picture, random: Random, other: Picture) -> Picture:
    height = min(picture.shape[0], 600)
    parts = [scaled(each, height / each.shape[0]) for each in (picture, other)]
    parts = [resized(each, each.shape[1], height) for each in parts]
    return np.hstack(parts if random.random() < 0.5 else parts[::-1])


def _collage(picture: Picture, random: Random, other: Picture) -> Picture:
    """Four tiles: the picture, and three parts of another one."""
    tiles = [resized(cropped(other, random, share=0.6), 480, 360) for _ in range(3)]
    tiles.insert(int(random.integers(0, 4)), resized(picture, 480, 360))
    rows = [np.hstack(tiles[:2]), np.hstack(tiles[2:])]
    return np.vstack(rows)


def _watermark(picture: Picture, random: Random, _o: Picture) -> Picture:
    layer, (height, width) = np.zeros_like(picture), picture.shape[:2]
    for y in range(0, height, max(24, height // 8)):
        for x in range(-(y % 97), width, max(80, width // 4)):
            _put_text(layer, "sample.example", (x, y), max(10.0, height * 0.035), 255)
    return cv2.addWeighted(picture, 1.0, _warped_back(layer, width, height), 0.45, 0)


def _warped_back(layer: Picture, width: int, height: int) -> Picture:
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1.2)
    return cv2.warpAffine(layer, turn, (width, height))


def _pixelate(picture: Picture, random: Random, _o: Picture) -> Picture:
    out, (height, width) = picture.copy(), picture.shape[:2]
    y, x = (int(random.integers(0, side // 2)) for side in (height, width))
    part = out[y : y + height // 2, x : x + width // 2]
    coarse = resized(part, part.shape[1] // 24, part.shape[0] // 24)
    part[:] = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return out


def _halftone(picture: Picture, _r: Random, _o: Picture) -> Picture:
    """Ordered dithering to black and white by a 4 x 4 Bayer matrix at double size."""
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    gray = cv2.cvtColor(scaled(picture, 2.0), cv2.COLOR_BGR2GRAY)
    tiled = np.tile(bayer, (gray.shape[0] // 4 + 1, gray.shape[1] // 4 + 1))
    limit = (tiled[: gray.shape[0], : gray.shape[1]] + 0.5) * 16
    return scaled(cv2.cvtColor(np.where(gray > limit, 255, 0).astype(np.uint8),
                               cv2.COLOR_GRAY2BGR), 0.5)  # fmt: skip


def _printed(picture: Picture, random: Random, other: Picture) -> Picture:
    """Printed and photographed: paper, slant, uneven light, soft focus, sensor noise."""
    paper = _padded(_gamma(picture, random, other, power=1.15), 0.1, 0.1, (228, 238, 240))
    slanted = _perspective(paper, random, other, share=0.05)
    height, width = slanted.shape[:2]
    light = (
        np.linspace(0.65, 1.15, width)[None, :, None]
        * np.linspace(1.0, 0.85, height)[:, None, None]
    )
    return _noise(_blur(_clipped(slanted * light), random, other, sigma=1.2), random, other,
                  sigma=6.0)  # fmt: skip


def _chain(picture: Picture, random: Random, other: Picture, *, steps: tuple[Any, ...]) -> Any:
    """One edit after the other, each result kept as a file between."""
    for step in steps:
        made = step(picture, random, other)
        raw = made if isinstance(made, bytes) else encoded(made)
        picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    return picture


def _listed(name: str, strength: str, make: Callable[..., Any], *, strict: bool = True) -> Edit:
    return Edit(name, strength, make, listed=True, strict=strict)


_JPEG = partial(partial, _file, ending=".jpg")

EDITS = (
    _listed("jpeg", "q30", _JPEG(quality=30)),
    _listed("jpeg", "q10", _JPEG(quality=10)),
    _listed("resize", "x0.25", partial(_scale, factor=0.25)),
    _listed("aspect", "1:1", _aspect),
    _listed("blur", "3 px", partial(_blur, sigma=3.0)),
    _listed("noise", "sigma 20", partial(_noise, sigma=20.0)),
    _listed("gray", "", _gray),
    _listed("colour jitter", "40 %", _jitter),
    _listed("text overlay", "3 lines", _text),
    _listed("subtitle", "", _subtitle),
    _listed("emoji", "30 %", partial(_sticker, share=0.3)),
    _listed("blend", "40 %", partial(_blend, share=0.4), strict=False),
    _listed("crop", "90 %", partial(cropped, share=0.9)),
    _listed("crop", "75 %", partial(cropped, share=0.75)),
    _listed("crop", "50 %", partial(cropped, share=0.5)),
    _listed("rotate", "5", partial(_rotate, degrees=5.0)),
    _listed("rotate", "90", partial(_turn, quarters=1)),
    _listed("mirror", "", partial(_flip, axis=1)),
    _listed("letterbox", "25 %", _letterbox),
    _listed("meme caption", "", _meme),
    _listed("screenshot", "75 %", partial(_screenshot, share=0.75)),
    _listed("on background", "60 %", partial(_on_background, share=0.6)),
    _listed("side by side", "", _side_by_side),
    _listed("perspective", "10 %", partial(_perspective, share=0.1)),
    Edit("jpeg", "q5", _JPEG(quality=5)),
    Edit("webp", "q20", partial(_file, quality=20, ending=".webp")),
    Edit("resize", "x0.125", partial(_scale, factor=0.125)),
    Edit("resize", "x2", partial(_scale, factor=2.0)),
    Edit("sharpen", "", _sharpen),
    Edit("gamma", "0.5", partial(_gamma, power=0.5)),
    Edit("gamma", "2.2", partial(_gamma, power=2.2)),
    Edit("inverted", "", _invert),
    Edit("posterise", "4 levels", _posterise),
    Edit("salt and pepper", "5 %", partial(_salt_pepper, share=0.05)),
    Edit("sticker", "60 %", partial(_sticker, share=0.6)),
    Edit("watermark tiles", "45 %", _watermark),
    Edit("crop", "30 %", partial(cropped, share=0.3)),
    Edit("rotate", "15", partial(_rotate, degrees=15.0)),
    Edit("rotate", "45", partial(_rotate, degrees=45.0)),
    Edit("rotate", "180", partial(_turn, quarters=2)),
    Edit("flip", "upside down", partial(_flip, axis=0)),
    Edit("shear", "20 %", partial(_shear, share=0.2)),
    Edit("perspective", "20 %", partial(_perspective, share=0.2)),
    Edit("crop and mirror", "70 %", partial(
        _chain, steps=(partial(cropped, share=0.7), partial(_flip, axis=1)))),
    Edit("collage", "of 4", _collage),
    Edit("screenshot", "45 %, dark", partial(_screenshot, share=0.45, dark=True)),
    Edit("on background", "35 %", partial(_on_background, share=0.35)),
    Edit("frame", "wooden", _frame),
    Edit("pixelate", "a quarter", _pixelate),
    Edit("halftone", "", _halftone),
    Edit("printed photo", "", _printed),
    Edit("chain", "crop, text, x0.5, q20", partial(_chain, steps=(
        partial(cropped, share=0.8), _text, partial(_scale, factor=0.5), _JPEG(quality=20)))),
)  # fmt: skip
EDIT_MAKERS = {edit.title: edit.make for edit in EDITS}
