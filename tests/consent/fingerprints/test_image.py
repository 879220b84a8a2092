"""Images end to end: what is found again, and what must not be taken for a work.

Pictures are drawn by code. How well real ones are found is measured in bench/identify.py.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from tercet.consent.fingerprints import hamming_index, image
from tercet.consent.fingerprints.fingerprint import (
    Array,
    Band,
    Fingerprint,
    Hits,
    Match,
    Method,
    Probing,
    Unfit,
    probes,
)

BYTES_MAX = 40_000  # a stored image


def scene(seed: int, width: int = 600, height: int = 450) -> Array:
    """A colour picture of its own: shaded ground, overlapping shapes of all sizes, some grain."""
    random = np.random.default_rng(seed)
    picture = cv2.resize(random.uniform(40, 215, (5, 7, 3)), (width, height))
    for _ in range(160):
        x, y = (int(value) for value in random.integers(0, (width, height)))
        size = int(random.integers(5, 60))
        colour = tuple(float(level) for level in random.integers(0, 256, 3))
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), size // 2, colour, -1, cv2.LINE_AA)
        else:
            points = random.integers(-size, size, (5, 2)) + np.array([x, y])
            cv2.fillPoly(picture, [points.astype(np.int32)], colour, cv2.LINE_AA)
    picture += random.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def fingerprint(picture: Array, ending: str = ".jpg", quality: int = 80) -> Fingerprint:
    done, raw = cv2.imencode(ending, picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return image.fingerprint(raw.tobytes())


@cache
def registered(seed: int) -> Fingerprint:
    return fingerprint(scene(seed), ".png")


def match(item: Array, seed: int = 1) -> Match | None:
    return image.METHOD.verify(fingerprint(item), 7, registered(seed))


def pasted(ground: Array, picture: Array, x: int, y: int) -> Array:
    done = ground.copy()
    done[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return done


def captioned(picture: Array) -> Array:
    done = picture.copy()
    for row, line in enumerate(("Breaking news from the capital", "More at eleven tonight")):
        at = (20, picture.shape[0] - 60 + 36 * row)
        cv2.putText(done, line, at, cv2.FONT_HERSHEY_DUPLEX, 0.9, (255, 255, 255), 2, cv2.LINE_AA)
    return done


def framed(picture: Array) -> Array:
    """The picture in an ornamental frame, always the same."""
    ground = scene(900, 760, 610)
    return pasted(ground, picture, 80, 80)


def turned(picture: Array, degrees: float) -> Array:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(picture, matrix, (width, height))


EDITS = {
    "jpeg": (lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [1, 15])[1], 1), ()),
    "small": (lambda p: cv2.resize(p, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), ()),
    "grey": (lambda p: cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), ()),
    "mirrored": (lambda p: p[:, ::-1], ("mirrored",)),
    "turned": (lambda p: cv2.rotate(p, cv2.ROTATE_90_CLOCKWISE), ("rotated 90 degrees",)),
    "upside down": (lambda p: p[::-1], ("mirrored", "rotated 180 degrees")),
    "cropped": (lambda p: p[60:330, 100:460], ("cropped",)),
    "squeezed": (lambda p: cv2.resize(p, (420, 450)), ("stretched",)),
    "turned a little": (lambda p: turned(p, -9), ("cropped", "rotated 9 degrees")),
    "captioned": (captioned, ()),
    "framed": (framed, ("inside a larger picture",)),
    "letterbox": (
        lambda p: cv2.copyMakeBorder(p, 110, 110, 0, 0, cv2.BORDER_CONSTANT),
        ("inside a larger picture",),
    ),
    "on another": (
        lambda p: pasted(scene(901), cv2.resize(p, (300, 225)), 200, 120),
        ("inside a larger picture",),
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_copy_is_certain_and_its_edit_named(name: str) -> None:
    edit, names = EDITS[name]
    found = match(np.ascontiguousarray(edit(scene(1))))
    assert found is not None
    assert found.band is Band.CERTAIN
    assert found.edits == names


def test_the_place_in_the_item_is_told() -> None:
    found = match(pasted(scene(901), cv2.resize(scene(1), (300, 225)), 200, 120))
    assert found is not None
    item, work = found.pairs[0]
    expected = np.array([(200, 120), (500, 120), (500, 345), (200, 345)]) / (600, 450)
    assert np.abs(np.array(item.quad) - expected).max() < 0.02
    assert np.abs(np.array(work.quad) - [(0, 0), (1, 0), (1, 1), (0, 1)]).max() < 0.02


def test_each_picture_of_a_collage_is_found_and_a_repeated_one_twice() -> None:
    one, two = (cv2.resize(scene(seed), (400, 300)) for seed in (1, 2))
    collage = np.vstack([np.hstack([one, two]), np.hstack([scene(3)[:300, :400], one])])
    first, second, absent = (match(collage, seed) for seed in (1, 2, 4))
    assert first is not None
    assert second is not None
    assert (first.band, second.band) == (Band.CERTAIN, Band.CERTAIN)
    assert len(first.pairs) == 2
    assert len(second.pairs) == 1
    assert absent is None


UNRELATED = {
    "same caption": captioned,
    "same frame": framed,
    "same logo": lambda p: pasted(p, cv2.resize(scene(902), (90, 90)), 500, 10),
    "same bars": lambda p: cv2.copyMakeBorder(p, 110, 110, 0, 0, cv2.BORDER_CONSTANT),
    "plain": lambda p: p,
}


@pytest.mark.parametrize("name", UNRELATED)
def test_pictures_that_share_a_third_thing_are_no_certain_match(name: str) -> None:
    edit = UNRELATED[name]
    found = image.METHOD.verify(fingerprint(edit(scene(11))), 7, fingerprint(edit(scene(12))))
    assert found is None or found.band is Band.POSSIBLE, found.facts


def bricks(step: int, shade: int) -> Array:
    wall = np.full((450, 600, 3), shade, np.uint8)
    for row, y in enumerate(range(0, 450, step)):
        wall[y : y + 3] = 230
        for x in range(step * (row % 2), 600, 2 * step):
            wall[y : y + step, x : x + 3] = 230
    return wall


def stars(seed: int) -> Array:
    random = np.random.default_rng(seed)
    sky = np.full((450, 600, 3), 6, np.uint8)
    for _ in range(400):
        at = tuple(int(value) for value in random.integers(0, (600, 450)))
        cv2.circle(sky, at, int(random.integers(1, 3)), (230, 230, 230), -1, cv2.LINE_AA)
    return sky


def chart(seed: int) -> Array:
    """Axes, grid and labels that all charts share, and a curve of its own."""
    plot = np.full((450, 600, 3), 255, np.uint8)
    for at in range(60, 600, 60):
        cv2.line(plot, (at, 20), (at, 400), (220, 220, 220), 1)
        cv2.putText(plot, str(at), (at - 14, 425), 0, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    for at in range(40, 400, 60):
        cv2.line(plot, (50, at), (590, at), (220, 220, 220), 1)
    curve = np.cumsum(np.random.default_rng(seed).normal(0, 9, 540)) + 200
    points = np.stack([np.arange(50, 590), np.clip(curve, 25, 395)], axis=1).astype(np.int32)
    return cv2.polylines(plot, [points], False, (200, 60, 0), 2, cv2.LINE_AA)


@pytest.mark.parametrize(
    ("work", "item"),
    [(bricks(30, 90), bricks(36, 120)), (stars(1), stars(2)), (chart(1), chart(2))],
    ids=["bricks", "stars", "charts"],
)
def test_repeated_textures_are_no_certain_match(work: Array, item: Array) -> None:
    found = image.METHOD.verify(fingerprint(item), 7, fingerprint(work))
    assert found is None or found.band is not Band.CERTAIN


def colour_bars() -> Array:
    colours = [(i & 1, i >> 1 & 1, i >> 2) for i in range(7, -1, -1)]
    return np.repeat(np.array(colours, np.uint8)[None] * 191, 450, axis=0).repeat(75, axis=1)


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (np.full((300, 400, 3), 200, np.uint8), Unfit.BLANK),
        (np.zeros((1, 1, 3), np.uint8), Unfit.BLANK),
        (np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1)), Unfit.LOW_TEXTURE),
        (colour_bars(), Unfit.LOW_TEXTURE),
    ],
    ids=["flat", "one pixel", "gradient", "colour bars"],
)
def test_bad_references_have_no_keys(picture: Array, why: Unfit) -> None:
    found = fingerprint(picture, ".png")
    assert found.unfit == (why,)
    assert not found.tracks
    assert image.METHOD.verify(found, 7, registered(1)) is None
    assert image.METHOD.verify(registered(1), 7, found) is None


def test_the_same_bytes_give_the_same_fingerprint_within_its_budget() -> None:
    once, again = fingerprint(scene(1)), fingerprint(scene(1))
    assert once.tracks.keys() == again.tracks.keys()
    for name, track in once.tracks.items():
        assert (track.keys == again.tracks[name].keys).all()
        assert (track.places == again.tracks[name].places).all()
    stored = sum(track.keys.nbytes + track.places.nbytes for track in once.tracks.values())
    assert stored <= BYTES_MAX


def searched(item: Fingerprint, works: dict[int, Fingerprint]) -> dict[str, Hits]:
    """What an index of all works gives for the item's probes."""
    asked = probes(image.METHOD, item)
    hits = {}
    for name, radius in image.METHOD.radii.items():
        keys = np.vstack([work.tracks[name].keys for work in works.values()])
        counts = [len(work.tracks[name]) for work in works.values()]
        owner = np.repeat(list(works), counts)
        position = np.concatenate([np.arange(count) for count in counts])
        near = hamming_index.search(hamming_index.build(keys), asked[name].keys, radius)
        entry = near.entry.astype(np.int64)
        hits[name] = Hits(near.query.astype(np.int64), owner[entry], position[entry], near.distance)
    return hits


@pytest.mark.parametrize("name", ["mirrored", "turned", "cropped", "on another", "small"])
def test_the_index_leads_to_the_work(name: str) -> None:
    works = {seed: registered(seed) for seed in range(1, 9)}
    item = fingerprint(np.ascontiguousarray(EDITS[name][0](scene(1))))
    assert image.METHOD.candidates(item, searched(item, works))[0] == 1


def test_it_is_a_method_that_asks_with_more_keys_than_it_stores() -> None:
    method: Method = image.METHOD
    assert isinstance(method, Probing)
    assert len(probes(method, registered(1))["whole"]) == 8
    assert len(registered(1).tracks["whole"]) == 1


def board(columns: int, rows: int, side: int) -> Array:
    squares = np.add.outer(np.arange(rows), np.arange(columns)) % 2 * 220 + 20
    plain = squares.astype(np.uint8).repeat(side, 0).repeat(side, 1)
    return cv2.copyMakeBorder(plain, 60, 90, 70, 50, cv2.BORDER_CONSTANT, value=255)


def test_chequerboards_are_not_certainly_one_another() -> None:
    boards = [fingerprint(board(*shape)) for shape in ((8, 8, 60), (9, 7, 60), (12, 12, 40))]
    for item in boards:
        for work in boards:
            found = image.METHOD.verify(item, 1, work)
            assert item is work or found is None or found.band is not Band.CERTAIN
