"""Videos are found in edited copies, with time and place; other films at the same place are not."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tercet.consent.fingerprints import hamming_index, video
from tercet.consent.fingerprints.fingerprint import (
    Array,
    Band,
    Fingerprint,
    Hits,
    Match,
    Region,
    Unfit,
    probes,
)
from tercet.consent.fingerprints.picture_code import whole_code
from tercet.consent.fingerprints.video_tracks import turned_bits

RATE = 12
HEIGHT, WIDTH = 144, 192
Pictures = Sequence[Array]


def encoded(pictures: Pictures, *, rate: float = RATE, quality: int = 23) -> bytes:
    """Return grey pictures, uint8 (height, width), as an MP4 file."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        options = {"threads": "1", "preset": "ultrafast", "crf": str(quality), "g": "30"}
        stream: Any = container.add_stream("libx264", Fraction(rate), options=options)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def fingerprint(pictures: Pictures, **options: Any) -> Fingerprint:
    return video.fingerprint(io.BytesIO(encoded(pictures, **options)))


def place(seed: int) -> Array:
    """Return a wide landscape of blobs and edges, different for each seed."""
    dice = np.random.default_rng(seed)
    ground = cv2.resize(dice.integers(40, 200, (8, 16), dtype=np.uint8), (480, 200))
    for _ in range(90):
        x, y, size = (int(dice.integers(0, limit)) for limit in (480, 200, 22))
        kind, level = int(dice.integers(3)), int(dice.integers(0, 255))
        if kind == 0:
            cv2.circle(ground, (x, y), size // 2 + 3, level, -1)
        elif kind == 1:
            cv2.rectangle(ground, (x, y), (x + size + 4, y + 2 * size // 3 + 3), level, -1)
        else:
            cv2.line(ground, (x, y), (x + size, y - size), level, 3)
    return np.asarray(ground)


@cache
def film(seed: int, *, action: int = 0, pan: float = 9.0, seconds: float = 6.0) -> Pictures:
    """Return a film: figures move (by ``action``) before a place (by ``seed``), the camera pans."""
    ground, dice = place(seed), np.random.default_rng(1000 + action)
    ways = dice.uniform(0.15, 0.85, (3, 4)), dice.uniform(0.5, 1.6, (3, 2))
    pictures = []
    for number in range(int(seconds * RATE)):
        at_s = number / RATE
        left = int(pan * at_s)
        picture = ground[20 : 20 + HEIGHT, left : left + WIDTH].copy()
        for (x, y, across, down), (fast, slow) in zip(*ways, strict=True):
            u = x + across * 0.5 * np.sin(fast * at_s * 2 + 6 * x)
            v = y + down * 0.4 * np.cos(slow * at_s * 2 + 6 * y)
            centre = int(u * WIDTH), int(v * HEIGHT)
            cv2.circle(picture, centre, 17, int(255 * x), -1)
            cv2.circle(picture, centre, 8, int(255 - 255 * x), -1)
        pictures.append(picture)
    return tuple(pictures)


@cache
def registered(seed: int, action: int = 0, pan: float = 9.0) -> Fingerprint:
    return fingerprint(film(seed, action=action, pan=pan))


def sped(pictures: Pictures, factor: float) -> Pictures:
    return [pictures[int(at)] for at in np.arange(0, len(pictures), factor)]


def sized(pictures: Pictures, width: int, height: int) -> Pictures:
    return [cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures]


def pasted(
    pictures: Pictures, width: int, height: int, left: int, top: int, level: int
) -> Pictures:
    wide, high = pictures[0].shape[::-1]
    shown = []
    for picture in pictures:
        frame = np.full((height, width), level, np.uint8)
        frame[top : top + high, left : left + wide] = picture
        shown.append(frame)
    return shown


def captioned(pictures: Pictures) -> Pictures:
    shown = []
    for number, picture in enumerate(pictures):
        frame = picture.copy()
        words = ("nobody was at home", "he took the last train")[number // 20 % 2]
        cv2.putText(frame, words, (12, 132), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
        frame[6:24, 140:186] = 30
        shown.append(frame)
    return shown


def found(pictures: Pictures, seed: int = 1, **options: Any) -> Match:
    match = video.METHOD.verify(fingerprint(pictures, **options), 5, registered(seed))
    assert match is not None
    assert match.work == 5
    return match


def seconds(region: Region) -> tuple[float, float]:
    assert region.start_s is not None
    assert region.end_s is not None
    return region.start_s, region.end_s


EDITS: dict[str, tuple[Callable[[Pictures], Pictures], str]] = {
    "half size": (lambda film: sized(film, 96, 72), ""),
    "caption and logo": (captioned, ""),
    "darker, more contrast": (
        lambda film: [np.clip(p.astype(float) * 1.3 - 50, 0, 255).astype(np.uint8) for p in film],
        "",
    ),
    "mirrored": (lambda film: [p[:, ::-1] for p in film], "mirrored"),
    "upside down": (lambda film: [p[::-1, ::-1] for p in film], "rotated 180 degrees"),
    "on its side": (lambda film: [np.rot90(p, -1) for p in film], "rotated 90 degrees"),
    "cropped": (lambda film: [p[14:130, 10:164] for p in film], "cropped"),
    "black bars": (lambda film: pasted(film, WIDTH, 200, 0, 28, 16), "letterboxed"),
    "in a larger picture": (
        lambda film: pasted(sized(film, 128, 96), 256, 192, 90, 60, 128),
        "inside a larger picture",
    ),
    "faster": (lambda film: sped(film, 1.5), "speed 1.50"),
    "slower": (lambda film: sped(film, 0.8), "speed 0.80"),
    "three seconds": (lambda film: film[30:66], "excerpt"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_copy_is_certain_and_its_edit_is_named(edit: str) -> None:
    change, name = EDITS[edit]
    match = found(change(film(1)), quality=26)
    assert match.band is Band.CERTAIN
    named = [one for one in match.edits if not name or one.split()[0] == name.split()[0]]
    assert bool(named) is bool(name), match.edits
    if name.startswith("speed"):
        assert abs(float(named[0].split()[1]) - float(name.split()[1])) <= 0.05
    elif name:
        assert named == [name]


def test_an_excerpt_is_found_at_its_seconds() -> None:
    match = found(film(1)[30:66])  # from second 2.5 to 5.5
    ((in_item, in_work),) = match.pairs
    (start_s, end_s), (from_s, to_s) = seconds(in_item), seconds(in_work)
    assert start_s <= 0.3
    assert end_s >= 2.7
    assert abs((from_s - start_s) - 2.5) <= 0.3
    assert abs((to_s - end_s) - 2.5) <= 0.3


def test_the_place_in_a_larger_picture_is_told() -> None:
    change, _ = EDITS["in a larger picture"]
    ((in_item, in_work),) = found(change(film(1))).pairs
    expected = np.array([(90, 60), (218, 60), (218, 156), (90, 156)]) / (256, 192)
    assert np.abs(np.array(in_item.quad) - expected).max() <= 0.03
    assert np.abs(np.array(in_work.quad) - [(0, 0), (1, 0), (1, 1), (0, 1)]).max() <= 0.05


def test_a_mirrored_copy_shows_in_the_order_of_the_corners() -> None:
    ((in_item, _),) = found([p[:, ::-1] for p in film(1)]).pairs
    assert np.abs(np.array(in_item.quad) - [(1, 0), (0, 0), (0, 1), (1, 1)]).max() <= 0.03


def test_a_compilation_has_a_pair_for_each_stretch() -> None:
    work, other = film(1), film(2)
    match = found([*work[36:72], *other[:36], *work[:36]])
    assert match.band is Band.CERTAIN
    starts = [(seconds(item)[0], seconds(own)[0]) for item, own in match.pairs]
    assert len(starts) == 2
    expected = [(0, 36 / RATE), (72 / RATE, 0)]
    for (item_s, work_s), (item_expected, work_expected) in zip(starts, expected, strict=True):
        assert abs(item_s - item_expected) <= 0.6
        assert abs((work_s - item_s) - (work_expected - item_expected)) <= 0.3


@pytest.mark.parametrize("seed", [2, 3])
def test_another_film_is_not_found(seed: int) -> None:
    assert video.METHOD.verify(registered(seed), 5, registered(1)) is None


@pytest.mark.parametrize("action", [1, 2])
def test_another_film_made_at_the_same_place_is_not_certain(action: int) -> None:
    """The shared set: the camera stands still, the background is the same, the figures are not."""
    match = video.METHOD.verify(registered(1, action, 0.0), 5, registered(1, 0, 0.0))
    assert match is None or match.band is not Band.CERTAIN


def test_an_intro_that_two_films_share_is_likely_at_most() -> None:
    intro = film(30, seconds=3)
    one = fingerprint((*intro, *film(31, seconds=6)))
    other = fingerprint((*intro, *film(32, action=1, seconds=6)))
    alone = video.METHOD.verify(fingerprint(intro), 1, one)
    shared = video.METHOD.verify(other, 1, one)
    assert alone is not None
    assert alone.band is Band.CERTAIN  # an excerpt: all of the item
    assert shared is not None
    assert shared.band is Band.LIKELY


def test_bars_of_letterboxes_do_not_match() -> None:
    boxed = [pasted(film(seed), WIDTH, 260, 0, 58, 16) for seed in (1, 2)]
    assert video.METHOD.verify(fingerprint(boxed[1]), 5, fingerprint(boxed[0])) is None


def test_titles_on_black_do_not_match() -> None:
    """White credits on black, in one typeface, by two different films."""
    rolls = []
    for lines in (("Anna Berg", "Carl Dahl", "Eva Falk"), ("Gus Holm", "Ida Jonsson", "Kim Lind")):
        roll = []
        for number in range(36):
            frame = np.full((HEIGHT, WIDTH), 16, np.uint8)
            for row, line in enumerate(lines * 2):
                at = (20, HEIGHT - 3 * number + 34 * row)
                cv2.putText(frame, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 235, 2, cv2.LINE_AA)
            roll.append(frame)
        rolls.append(fingerprint(roll))
    match = video.METHOD.verify(rolls[0], 5, rolls[1])
    assert match is None or match.band is not Band.CERTAIN


def _bars(number: int) -> Array:
    levels = np.repeat(np.array([235, 210, 170, 145, 106, 81, 41, 16], np.uint8), WIDTH // 8)
    return np.tile(levels, (HEIGHT, 1))


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (lambda number: np.full((HEIGHT, WIDTH), 16, np.uint8), Unfit.BLANK),
        (lambda number: np.full((HEIGHT, WIDTH), 4 * number, np.uint8), Unfit.BLANK),
        (_bars, Unfit.LOW_TEXTURE),
        (
            lambda number: np.tile(np.linspace(20, 220, WIDTH).astype(np.uint8), (HEIGHT, 1)),
            Unfit.LOW_TEXTURE,
        ),
    ],
    ids=["black", "a fade", "colour bars", "a gradient"],
)
def test_what_shows_nothing_claims_nothing(picture: Callable[[int], Array], reason: Unfit) -> None:
    made = fingerprint([picture(number) for number in range(36)])
    assert made.unfit == (reason,)
    assert all(len(track) == 0 for track in made.tracks.values())
    assert video.METHOD.verify(made, 5, registered(1)) is None
    assert video.METHOD.verify(registered(1), 5, made) is None


def test_black_before_and_after_gives_no_keys() -> None:
    black = [np.full((HEIGHT, WIDTH), 16, np.uint8)] * 24
    made = fingerprint([*black, *film(1)[:36], *black])
    for name in ("whole", "marks"):
        times = made.tracks[name].places[:, 0]
        assert len(times)
        assert times.min() >= 1.9
        assert times.max() <= 5.1


def test_a_fingerprint_is_the_same_every_time() -> None:
    raw = encoded(film(2))
    one, other = (video.fingerprint(io.BytesIO(raw)) for _ in range(2))
    for name, track in one.tracks.items():
        assert np.array_equal(track.keys, other.tracks[name].keys)
        assert np.array_equal(track.places, other.tracks[name].places)
    assert one.extent == other.extent


def test_the_index_leads_to_the_work() -> None:
    works = [registered(seed) for seed in (1, 2, 3)]
    query = fingerprint(captioned([p[:, ::-1] for p in film(2)[20:64]]))
    hits = {}
    for name, track in probes(video.METHOD, query).items():
        stored = [work.tracks[name] for work in works]
        index = hamming_index.build(np.concatenate([one.keys for one in stored]))
        near = hamming_index.search(index, track.keys, video.METHOD.radii[name])
        owner = np.repeat(np.arange(3), [len(one) for one in stored])
        row = np.concatenate([np.arange(len(one)) for one in stored])
        hits[name] = Hits(near.query, owner[near.entry], row[near.entry], near.distance)
    assert video.METHOD.candidates(query, hits)[0] == 1


def test_codes_of_turned_frames_follow_from_the_code_of_the_frame() -> None:
    pictures = [place(seed) for seed in range(8)]
    seen = [whole_code(picture) for picture in pictures]
    made = turned_bits(np.stack([one.code() for one in seen]))
    exact = np.stack([one.turned_codes() for one in seen], axis=1)
    assert np.bitwise_count(made ^ exact).sum(axis=2).max() <= 16
    assert np.array_equal(made[0], exact[0])
