"""Cutting: what a drawing shows, cropped, straight alpha, its colour named; hostile SVG refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.core.errors import UndecodableError
from tercet.studio.scenes.cutting import colour_name, cut, cut_pixels
from tercet.studio.scenes.drawing import drawn, parse_drawing
from tercet.studio.scenes.sprite import SPRITE_SIDE_PX, Kind

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="400" height="400">'
)


def svg(inner: str) -> bytes:
    return f"{HEAD}{inner}</svg>".encode()


def rectangle(fill: str, width: int = 200, height: int = 100) -> bytes:
    return svg(f'<rect x="40" y="120" width="{width}" height="{height}" fill="{fill}"/>')


def test_a_sprite_is_cropped_to_what_is_seen_and_keeps_its_shape() -> None:
    pixels = cut_pixels(rectangle("#d82626"))
    assert pixels.shape == (SPRITE_SIDE_PX // 2, SPRITE_SIDE_PX, 4)
    assert (pixels[4:-4, 4:-4] == (216, 38, 38, 255)).all()


def test_a_small_thing_on_a_large_page_is_drawn_sharp() -> None:
    pixels = cut_pixels(svg('<circle cx="200" cy="200" r="9" fill="blue"/>'))
    assert max(pixels.shape[:2]) == SPRITE_SIDE_PX
    blurred = (pixels[..., 3] > 20) & (pixels[..., 3] < 235)
    assert blurred.mean() < 0.06


def test_half_transparent_paint_keeps_its_own_colour() -> None:
    pixels = cut_pixels(svg('<rect width="300" height="300" fill="red" opacity="0.5"/>'))
    assert abs(int(pixels[48, 48, 3]) - 128) <= 2
    assert pixels[48, 48, 0] >= 250


@pytest.mark.parametrize("unit", ["pt", "mm", "in", "cm", "px", ""])
def test_a_page_measured_in_points_or_millimetres_is_drawn(unit: str) -> None:
    raw = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="40{unit}" height="40{unit}" '
        'viewBox="0 0 10 10"><rect width="10" height="5" fill="lime"/></svg>'
    )
    assert cut_pixels(raw.encode()).shape[:2] == (SPRITE_SIDE_PX // 2, SPRITE_SIDE_PX)


def test_the_copy_that_illustrator_leaves_is_no_reason_to_refuse() -> None:
    raw = svg('<switch><foreignObject width="1" height="1"/><g><rect width="9" height="9"/></g>'
              "</switch>")  # fmt: skip
    assert cut_pixels(raw).shape == (SPRITE_SIDE_PX, SPRITE_SIDE_PX, 4)


@pytest.mark.parametrize(
    ("flaw", "raw"),
    [
        ("image", svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/>')),
        ("image", svg('<image xlink:href="data:image/png;base64,iVBORw0KGgo=" width="9"/>')),
        ("refers to", svg('<use xlink:href="http://example.org/a.svg#a"/>')),
        ("script", svg("<script>1</script><rect width='9' height='9'/>")),
        ("entities", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + rectangle("red")),
        ("use themselves", svg('<g id="a"><use xlink:href="#a"/></g>')),
        ("well-formed", b"<svg"),
        ("root element", b"<html/>"),
        ("empty", svg("")),
        ("larger", b" " * (5 * 1024 * 1024)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_or_empty_drawings_are_refused(flaw: str, raw: bytes) -> None:
    with pytest.raises(UndecodableError, match=flaw if flaw != "larger" else "more than"):
        cut_pixels(raw)


def test_a_billion_laughs_of_use_is_refused() -> None:
    levels = ""
    for at in range(1, 9):
        levels += f'<g id="l{at}">' + f'<use xlink:href="#l{at - 1}"/>' * 10 + "</g>"
    with pytest.raises(UndecodableError, match="more than"):
        cut_pixels(svg(f'<defs><rect id="l0" width="1" height="1"/>{levels}</defs>'))


def test_no_size_beyond_the_limit_is_drawn() -> None:
    with pytest.raises(UndecodableError, match="size"):
        drawn(parse_drawing(rectangle("red")), 100_000)


@pytest.mark.parametrize(
    ("fill", "name"),
    [
        ("#d82626", "red"), ("#ff8800", "orange"), ("#fada2c", "yellow"), ("#34a642", "green"),
        ("#2a5cd6", "blue"), ("#843ab2", "purple"), ("#f688bc", "pink"), ("#7e4e2c", "brown"),
        ("#101010", "black"), ("#fafafa", "white"), ("#888888", "grey"),
    ],
)  # fmt: skip
def test_colours_are_named_as_people_name_them(fill: str, name: str) -> None:
    assert colour_name(cut_pixels(rectangle(fill))) == name


def test_a_black_outline_does_not_make_a_red_thing_black() -> None:
    raw = svg('<rect x="50" y="50" width="200" height="200" fill="red" stroke="black" '
              'stroke-width="30"/>')  # fmt: skip
    assert colour_name(cut_pixels(raw)) == "red"


def test_a_thing_of_two_colours_has_none() -> None:
    half = '<rect width="100" height="100" fill="red"/><rect x="100" width="100" height="100" '
    assert colour_name(cut_pixels(svg(f'{half} fill="blue"/>'))) == ""


def test_nothing_seen_has_no_colour() -> None:
    assert colour_name(np.zeros((4, 4, 4), np.uint8)) == ""


def test_a_sprite_carries_what_it_was_told() -> None:
    sprite = cut(rectangle("red"), work="ab", title="T", owner="O", licence="L", noun="car",
                 kind=Kind.VEHICLE, faces=-1)  # fmt: skip
    told = (sprite.work, sprite.title, sprite.owner, sprite.licence, sprite.noun, sprite.faces)
    assert (told, sprite.colour) == (("ab", "T", "O", "L", "car", -1), "red")


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 390), st.integers(1, 390))
def test_the_longest_side_is_always_the_same(width: int, height: int) -> None:
    pixels = cut_pixels(svg(f'<rect width="{width}" height="{height}" fill="red"/>'))
    assert max(pixels.shape[:2]) == SPRITE_SIDE_PX
    assert pixels.dtype == np.uint8
