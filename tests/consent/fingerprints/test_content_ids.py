"""Content ids agree with the ISCC reference implementation and tell same, like and other."""

from __future__ import annotations

import hashlib
import io

import iscc_lib
import iscc_samples
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tercet.consent.fingerprints.content_ids import (
    content_ids,
    image_unit,
    iscc_matches,
    text_unit,
)
from tercet.consent.fingerprints.content_ids_image import grey_pixels
from tercet.consent.fingerprints.fingerprint import UndecodableError

# Conformance vectors of iscc-core 1.5.0, iscc_core/data.json (Apache-2.0, The ISCC Foundation).
DATA_TWO_BYTES = (b"\xff\x00", "ISCC:GAAXL2XYM5BQIAZ3")
INSTANCE_EMPTY = (b"", "ISCC:IAA26E2JXH27TING", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9")
STANDARD_UNITS = [
    "AAAYPXW445FTYNJ3",
    "EAARMJLTQCUWAND2",
    "GABVVC5DMJJGYKZ4ZBYVNYABFFYXG",
    "IADWIK7A7JTUAQ2D6QARX7OBEIK3OOUAM42LOBLCZ4ZOGDLRHMDL6TQ",
]
STANDARD_CODE = "ISCC:KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY"


def start_of(unit: str) -> bytes:
    """The first 64 bits of a unit."""
    return iscc_lib.iscc_decode(unit)[4][:8]


def test_the_units_are_those_of_the_reference_implementation() -> None:
    raw, data_unit = DATA_TWO_BYTES
    assert start_of(content_ids(io.BytesIO(raw)).units[0]) == start_of(data_unit)
    raw, instance_unit, digest = INSTANCE_EMPTY
    found = content_ids(io.BytesIO(raw)).units[1]
    assert start_of(found) == start_of(instance_unit)
    assert iscc_lib.iscc_decode(found)[4].hex().startswith(digest)
    assert iscc_lib.conformance_selftest() is True


def test_declared_code_and_own_units_are_compared_over_the_bits_both_have() -> None:
    likeness = iscc_matches(STANDARD_CODE, STANDARD_UNITS)
    assert likeness.distances == {"content": (0, 64), "data": (0, 64), "instance": (0, 64)}
    assert likeness.is_same
    assert likeness.is_like


@given(st.binary(max_size=2000))
def test_ids_of_any_bytes(raw: bytes) -> None:
    ids = content_ids(io.BytesIO(raw))
    assert ids.sha256 == hashlib.sha256(raw).hexdigest()
    assert ids.size_bytes == len(raw)
    assert iscc_matches(ids.iscc, ids.units).is_same
    other = content_ids(io.BytesIO(raw + b"x"))
    assert not iscc_matches(ids.iscc, other.units).is_same


def test_a_file_in_parts_has_the_ids_of_the_whole() -> None:
    raw = np.random.default_rng(5).bytes(3 << 20)
    ids = content_ids(io.BytesIO(raw))
    assert ids.units[0] == iscc_lib.gen_data_code_v0(raw, 256)["iscc"]
    assert ids.units[1] == iscc_lib.gen_instance_code_v0(raw, 256)["iscc"]


def test_one_photo_in_several_formats_is_like_itself_and_not_the_same() -> None:
    files = [file for file in iscc_samples.images() if file.suffix in {".jpg", ".png", ".tif"}]
    ids = []
    for file in files:
        unit = image_unit(grey_pixels(file.read_bytes()))
        ids.append(content_ids(io.BytesIO(file.read_bytes()), unit))
    assert len(ids) == 3
    for other in ids[1:]:
        likeness = iscc_matches(ids[0].iscc, other.units)
        assert likeness.is_like
        assert not likeness.is_same


def test_texts_that_differ_are_not_alike() -> None:
    one = text_unit("The lamp beside the harbour wall was lit by Marguerite each evening. " * 3)
    two = text_unit("A gardener in the north of the county grew pears of eleven kinds. " * 3)
    assert iscc_matches(one, one).is_like
    assert not iscc_matches(one, two).is_like
    assert text_unit(" .,;\n") == ""


def test_featureless_pictures_are_like_nothing() -> None:
    grey = image_unit(bytes([128]) * 1024)
    assert iscc_matches(grey, grey).distances == {}


def test_units_of_different_kinds_are_not_compared() -> None:
    assert not iscc_matches(text_unit("one two three"), image_unit(bytes(range(256)) * 4)).distances


def test_what_is_no_iscc_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"base32|invalid"):
        iscc_matches("ISCC:not an iscc", STANDARD_UNITS)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:-", max_size=90))
def test_a_hostile_declaration_is_compared_or_an_error(declared: str) -> None:
    try:
        likeness = iscc_matches(declared, STANDARD_CODE)
    except ValueError:
        return
    assert all(0 <= bits <= of for bits, of in likeness.distances.values())


@pytest.mark.parametrize("size", [(64, 64), (411, 311), (1200, 630), (20, 12), (32, 32)])
def test_pixels_are_those_of_pillow(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(size[0])
    shown = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    out = io.BytesIO()
    shown.save(out, "PNG")
    wanted = shown.convert("L").resize((32, 32), Image.Resampling.BICUBIC).tobytes()
    assert grey_pixels(out.getvalue()) == wanted


def test_borders_and_transparency_are_taken_off() -> None:
    rng = np.random.default_rng(2)
    inner = Image.fromarray(rng.integers(0, 200, (80, 120, 3), dtype=np.uint8))
    framed = Image.new("RGBA", (200, 160), (9, 9, 9, 0))  # shows as white
    framed.paste(inner, (30, 40))
    out, bare = io.BytesIO(), io.BytesIO()
    framed.save(out, "PNG")
    inner.save(bare, "PNG")
    assert grey_pixels(out.getvalue()) == grey_pixels(bare.getvalue())


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UndecodableError):
        grey_pixels(b"GIF89a but no more")
