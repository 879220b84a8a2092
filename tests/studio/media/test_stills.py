"""Thumbnails and sprite sheets: the picture that shows most, and an even spread."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tercet.core.errors import InputError
from tercet.studio.media.sprite_sheet import COLUMNS, ROWS, SpriteSheet
from tercet.studio.media.still import StillFormat, scaled_down, still_bytes
from tercet.studio.media.thumbnail import TellingPicture, telling_score


def scene(brightness: float) -> np.ndarray:
    """A drawn scene, faded to black by ``brightness`` of 0 to 1."""
    picture = np.zeros((90, 160, 3), np.float32)
    picture[:50], picture[50:] = (90, 160, 240), (60, 150, 60)
    picture[40:70, 60:110] = (220, 40, 40)
    return (picture * brightness).astype(np.uint8)


def test_a_fade_in_is_not_the_thumbnail() -> None:
    telling = TellingPicture()
    for brightness in (0.0, 0.3, 0.6, 1.0, 0.6, 0.0):
        telling.see(scene(brightness))
    shown = np.asarray(Image.open(io.BytesIO(telling.file_bytes(StillFormat.JPEG))))
    assert np.abs(shown.astype(int) - scene(1.0)).mean() < 4


def test_of_equal_pictures_the_first_is_kept_and_it_is_a_copy() -> None:
    telling, picture = TellingPicture(), scene(1.0)
    telling.see(picture)
    before = telling.file_bytes()
    telling.see(scene(1.0))
    picture[:] = 0
    assert telling.file_bytes() == before


def test_even_surfaces_show_nothing() -> None:
    assert telling_score(np.full((64, 64, 3), 130, np.uint8)) < 0.01
    assert telling_score(np.full((64, 64, 3), (255, 0, 0), np.uint8)) < 0.01


@pytest.mark.parametrize(("form", "name"), [(StillFormat.WEBP, "WEBP"), (StillFormat.JPEG, "JPEG")])
def test_stills_are_what_they_say_and_no_larger_than_asked(form: StillFormat, name: str) -> None:
    large = np.zeros((720, 1280, 3), np.uint8)
    large[:, :, 0] = 250
    image = Image.open(io.BytesIO(still_bytes(scaled_down(large, 512), form)))
    assert (image.format, image.size) == (name, (512, 288))
    red, green, blue = image.convert("RGB").getpixel((100, 100))
    assert (red > 230, green < 25, blue < 25) == (True, True, True), "colours are swapped"


def test_nothing_seen() -> None:
    with pytest.raises(InputError):
        TellingPicture().file_bytes()
    with pytest.raises(InputError):
        SpriteSheet(3).file_bytes()
    with pytest.raises(InputError):
        SpriteSheet(0)


@given(st.integers(1, 400))
def test_tiles_run_evenly_from_first_to_last(count: int) -> None:
    sheet = SpriteSheet(count)
    for at in range(count):
        sheet.see(np.full((16, 16, 3), (at % 256, at // 256, 0), np.uint8))
    tiles = sheet.sheet[::16, ::16].reshape(-1, 3).astype(int)
    shown = tiles[:, 0] + 256 * tiles[:, 1]
    ideal = (np.arange(ROWS * COLUMNS) + 0.5) * count / (ROWS * COLUMNS)
    assert len(shown) == ROWS * COLUMNS
    assert np.abs(shown + 0.5 - ideal).max() <= 0.5 + 1e-9
