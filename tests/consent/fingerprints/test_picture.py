"""Codes of whole pictures and of marks: their symmetries are laws, their errors have names."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints.fingerprint import Array, Unfit
from tercet.consent.fingerprints.picture import look
from tercet.consent.fingerprints.picture_code import ORIENTATIONS, trimmed_box, whole_code
from tercet.consent.fingerprints.picture_geometry import align, distances
from tercet.consent.fingerprints.picture_marks import (
    find_marks,
    inverted_codes,
    marks_of,
    mirrored_codes,
    same_sense,
)
from tercet.consent.fingerprints.picture_placing import edits_of, regions_of
from tercet.consent.fingerprints.picture_thumbnail import agreement, thumbnail


def scene(seed: int, width: int = 512, height: int = 384) -> Array:
    """A picture of its own: shaded ground, overlapping shapes of all sizes, some grain."""
    random = np.random.default_rng(seed)
    picture = cv2.resize(random.uniform(40, 215, (5, 7)), (width, height))
    for _ in range(140):
        x, y = random.integers(0, (width, height))
        size = int(random.integers(5, 60))
        level = float(random.integers(0, 256))
        if random.random() < 0.5:
            cv2.circle(picture, (int(x), int(y)), size // 2, level, -1, cv2.LINE_AA)
        else:
            points = random.integers(-size, size, (5, 2)) + np.array([x, y])
            cv2.fillPoly(picture, [points.astype(np.int32)], level, cv2.LINE_AA)
    picture += random.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def turned(picture: Array, orientation: str) -> Array:
    """The picture, turned as ``ORIENTATIONS`` names it."""
    return np.ascontiguousarray(
        {
            "upright": lambda p: p,
            "mirrored": lambda p: p[:, ::-1],
            "flipped": lambda p: p[::-1],
            "rotated 180": lambda p: p[::-1, ::-1],
            "transposed": lambda p: p.T,
            "rotated 90": lambda p: np.rot90(p, -1),
            "rotated 270": lambda p: np.rot90(p, 1),
            "transversed": lambda p: np.rot90(p, 2).T,
        }[orientation](picture)
    )


def bits(one: Array, two: Array) -> int:
    return int(np.bitwise_count(one ^ two).sum())


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_one_transform_gives_the_codes_of_all_orientations(orientation: str) -> None:
    work = whole_code(scene(1))
    item = whole_code(turned(scene(1), orientation))
    found = [bits(code, work.code()) for code in item.turned_codes()]
    assert found[ORIENTATIONS.index(orientation)] <= 4
    assert sorted(found)[1] > 64


def test_the_code_stays_with_size_brightness_and_blur() -> None:
    code = whole_code(scene(2)).code()
    edited = cv2.GaussianBlur(cv2.resize(scene(2), (200, 200)), (5, 5), 0) * 0.6 + 50
    assert bits(code, whole_code(edited.astype(np.uint8)).code()) <= 16
    assert bits(code, whole_code(scene(3)).code()) > 80


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_plain_borders_are_trimmed_whatever_their_colour(
    top: int, left: int, right: int, level: int
) -> None:
    inner = scene(4, 160, 120)
    inner[::2, ::3] = 255 - inner[::2, ::3] // 2  # no line of it is flat
    framed = cv2.copyMakeBorder(inner, top, 9, left, right, cv2.BORDER_CONSTANT, value=level)
    x, y, to_x, to_y = trimmed_box(framed)
    assert abs(x - left) + abs(y - top) + abs(to_x - left - 160) + abs(to_y - top - 120) <= 4


def test_blank_and_shaded_pictures_identify_nothing() -> None:
    shade = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))
    assert look(np.full((300, 400), 77, np.uint8)).unfit == (Unfit.BLANK,)
    assert look(shade).unfit == (Unfit.LOW_TEXTURE,)
    assert look(scene(5)).unfit == ()


@given(st.binary(min_size=64, max_size=64))
def test_mirroring_and_inverting_codes_are_their_own_inverses(raw: bytes) -> None:
    codes = np.frombuffer(raw, np.uint8).reshape(2, 32)
    assert (mirrored_codes(mirrored_codes(codes)) == codes).all()
    assert (inverted_codes(inverted_codes(codes)) == codes).all()
    assert (
        distances(mirrored_codes(codes), mirrored_codes(codes)) == distances(codes, codes)
    ).all()


def test_marks_of_the_mirrored_and_of_the_inverted_picture_are_permuted() -> None:
    here = find_marks(scene(6), 200)
    mirrored = find_marks(turned(scene(6), "mirrored"), 200)
    inverted = find_marks(255 - scene(6), 200)
    assert np.median(distances(mirrored_codes(mirrored.codes), here.codes).min(axis=1)) <= 8
    assert np.median(distances(inverted_codes(inverted.codes), here.codes).min(axis=1)) <= 8
    in_sense = distances(same_sense(mirrored), same_sense(here)).min(axis=1)
    assert (in_sense <= 32).mean() >= 0.8


def test_marks_come_back_from_what_is_stored() -> None:
    marks = find_marks(scene(7), 100)
    back = marks_of(same_sense(marks), marks.places)
    assert (back.codes == marks.codes).all()


def test_a_caption_does_not_take_all_marks() -> None:
    picture = scene(8)
    for line in range(4):
        cv2.putText(picture, "MMWWNNXXKKZZ" * 3, (0, 15 + 14 * line), 0, 0.6, 255, 1)
    marks = find_marks(picture, 200)
    assert (marks.places[:, 1] > 90).mean() >= 0.6


MATRICES = {
    "rotated": cv2.getRotationMatrix2D((256, 192), 37, 0.8),
    "small": np.array([[0.4, 0, 200.0], [0, 0.4, 100]]),
    "sheared": np.array([[1, 0.2, -30.0], [0, 0.9, 10]]),
    "mirrored": np.array([[-0.9, 0, 490.0], [0, 0.9, 20]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_alignment_recovers_the_transform(name: str) -> None:
    affine = MATRICES[name]
    work, ground = scene(9), scene(10)
    mask = cv2.warpAffine(np.full_like(work, 255), affine, (512, 384)) > 0
    item = np.where(mask, cv2.warpAffine(work, affine, (512, 384)), ground)
    found = align(find_marks(work, 500), (512, 384), find_marks(item, 500))
    corners = np.array([[100, 80, 1], [400, 80, 1], [400, 300, 1], [100, 300, 1]]).T
    there = found[0].matrix @ corners
    assert np.abs(there[:2] / there[2] - affine @ corners).max() < 4
    assert found[0].strict >= 12
    assert found[0].is_mirrored == (name == "mirrored")
    look_alike = agreement(
        thumbnail(work), (512, 384), thumbnail(item), (512, 384), found[0].matrix
    )
    assert look_alike.share >= 0.8


def test_unrelated_pictures_do_not_align() -> None:
    marks = [find_marks(scene(seed), 500) for seed in range(20, 26)]
    found = [
        one.strict
        for at, work in enumerate(marks)
        for item in marks[at + 1 :]
        for one in align(work, (512, 384), item)
    ]
    assert max(found, default=0) <= 4


def test_regions_and_edits_follow_from_the_transform() -> None:
    size = (400.0, 300.0)
    mirrored_half = np.array([[-0.5, 0, 400], [0, 0.5, 0], [0, 0, 1.0]])
    item, work = regions_of(mirrored_half, size, size)
    assert item == ((1.0, 0.0), (0.5, 0.0), (0.5, 0.5), (1.0, 0.5))
    assert work == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert edits_of(mirrored_half, size, size) == ("inside a larger picture", "mirrored")
    cropped = np.array([[2.0, 0, -200], [0, 2, -150], [0, 0, 1]])
    assert edits_of(cropped, size, size) == ("cropped",)
    turned_left = np.array([[0, 1.0, 0], [-1, 0, 400], [0, 0, 1]])
    assert edits_of(turned_left, size, (300.0, 400.0)) == ("rotated 270 degrees",)
