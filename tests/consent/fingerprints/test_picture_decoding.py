"""Image files as grey pictures: every kind, upright, and nothing allocated for a bomb."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.picture_decoding import WORKING_PIXELS, grey_picture
from tercet.consent.fingerprints.picture_header import exif_orientation, picture_header

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM")
ORIENTATION_TAG = 274  # Exif 3.0 section 4.6.5


def ramp(width: int = 96, height: int = 64) -> Array:
    """Dark at the left and top, bright at the right and bottom; no symmetry."""
    x, y = np.meshgrid(np.linspace(0, 200, width), np.linspace(0, 50, height))
    return (x + y).astype(np.uint8)


def saved(picture: Array, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_decoded_and_told_by_content(kind: str) -> None:
    raw = saved(np.stack([ramp()] * 3, axis=2), kind)
    header = picture_header(raw)
    assert header is not None
    assert (header.width_px, header.height_px) == (96, 64)
    found = grey_picture(raw)
    assert found.shape == (64, 96)
    assert np.abs(found.astype(int) - ramp()).mean() < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    """Pillow's exif_transpose is the outside judge."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    raw = saved(np.stack([ramp()] * 3, axis=2), kind, exif=exif)
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(raw))).convert("L"))
    found = grey_picture(raw)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 6


def test_transparent_pictures_lie_on_white_or_on_black_if_they_are_white() -> None:
    alpha = np.zeros((64, 96), np.uint8)
    alpha[16:48, 24:72] = 255
    black = np.dstack([np.zeros((64, 96, 3), np.uint8), alpha])
    assert grey_picture(saved(black, "PNG"))[0, 0] == 255
    assert grey_picture(saved(black, "PNG"))[32, 48] == 0
    white = np.dstack([np.full((64, 96, 3), 255, np.uint8), alpha])
    assert grey_picture(saved(white, "PNG"))[0, 0] == 0
    assert grey_picture(saved(white, "PNG"))[32, 48] == 255


def test_sixteen_bits_and_one_bit() -> None:
    deep = grey_picture(saved(ramp().astype(np.uint16) * 257, "PNG"))
    assert np.abs(deep.astype(int) - ramp()).max() <= 1
    assert set(np.unique(grey_picture(saved(ramp() > 100, "PNG")))) == {0, 255}


def test_big_jpegs_are_decoded_at_the_working_size() -> None:
    raw = saved(cv2.resize(ramp(), (4000, 3000)), "JPEG")
    assert grey_picture(raw).size <= WORKING_PIXELS * 1.01
    assert abs(grey_picture(raw).shape[1] / grey_picture(raw).shape[0] - 4 / 3) < 0.01


def assert_picture_or_undecodable(raw: bytes) -> None:
    try:
        found = grey_picture(raw)
    except UndecodableError:
        return
    assert found.dtype == np.uint8
    assert found.ndim == 2


def png_of_claimed_size(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + body
    head = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + head + zlib.compress(b"\0" * 1000)


@pytest.mark.parametrize("size", [(100_000, 100_000), (1_000_000, 1), (20_000, 20_000)])
def test_decompression_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableError, match="pixels"):
        grey_picture(png_of_claimed_size(*size))


def test_a_jpeg_with_a_second_frame_header_is_as_large_as_the_larger() -> None:
    raw = saved(ramp(), "JPEG")
    bomb = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, 60_000, 60_000, 0)
    with pytest.raises(UndecodableError, match="pixels"):
        grey_picture(raw[:2] + bomb + raw[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_files_are_pictures_or_undecodable(kind: str) -> None:
    raw = saved(np.stack([ramp()] * 3, axis=2), kind)
    for share in (0.02, 0.1, 0.3, 0.6, 0.9):
        assert_picture_or_undecodable(raw[: int(len(raw) * share)])


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255))))
@settings(max_examples=60, deadline=None)
def test_mutated_files_are_pictures_or_undecodable(
    kind: str, changes: list[tuple[int, int]]
) -> None:
    raw = bytearray(saved(np.stack([ramp(24, 16)] * 3, axis=2), kind))
    for at, value in changes:
        raw[at % len(raw)] = value
    assert_picture_or_undecodable(bytes(raw))


@given(st.binary(max_size=200))
def test_headers_of_any_bytes_are_read_without_errors(raw: bytes) -> None:
    for start in (
        b"",
        b"\xff\xd8\xff",
        b"II*\0",
        b"RIFF....WEBPVP8X",
        b"\0\0\0\x18ftypavif",
        b"BM",
    ):
        header = picture_header(start + raw)
        assert header is None or header.width_px >= 0
    assert 1 <= exif_orientation(raw) <= 8


@pytest.mark.parametrize("raw", [b"", b"hello", b"%PDF-1.7", b"\x1aE\xdf\xa3"])
def test_what_is_no_image_is_named(raw: bytes) -> None:
    with pytest.raises(UndecodableError, match="expected an image"):
        grey_picture(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    ],
)
def test_kinds_that_are_not_decoded_are_named(raw: bytes, name: str) -> None:
    with pytest.raises(UndecodableError, match=name):
        grey_picture(raw)
