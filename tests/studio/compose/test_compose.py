"""The engine compose: frames as ordered, pixels counted, credits that add up."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_works import cleared
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.credit import WHOLE_PARTS
from tercet.core.errors import InputError, StoppedError
from tercet.core.ids import sha256_hex
from tercet.studio.compose.works import Work, WorksPack
from tercet.studio.engines.compose import ComposeEngine, open_engine
from tercet.studio.engines.engine import Engine, Frame, Order, Origin, Progress, Rights, Shot
from tercet.studio.engines.engines import open_engine as open_by_name
from tercet.studio.scenes.sprite import Kind


def quiet(_: Progress) -> None:
    """Nobody looks."""


def order(*prompts: str, **fields: Any) -> Order:
    given: dict[str, Any] = {"width_px": 160, "height_px": 90, "frames_per_second": 8, "seed": 3}
    return Order(tuple(Shot(prompt, 1.5) for prompt in prompts), **(given | fields))


def made(pack: Path, asked: Order) -> list[Frame]:
    return list(open_engine(str(pack)).frames(asked, quiet))


def test_it_is_named_composed_and_cleared(pack: Path) -> None:
    engine: Engine = open_by_name("compose", str(pack))
    assert (engine.name, engine.rights, engine.origin) == (
        "compose",
        Rights.CLEARED,
        Origin.COMPOSED,
    )
    provenance = engine.provenance()
    assert provenance["model"] == "compose"
    assert provenance["clearance_sha256"] == sha256_hex(cleared())


@pytest.mark.parametrize("size", [(160, 90), (64, 64), (90, 160)])
def test_frames_are_as_many_and_as_large_as_ordered(pack: Path, size: tuple[int, int]) -> None:
    asked = order("a red car drives past a house", "a balloon rises", width_px=size[0],
                  height_px=size[1])  # fmt: skip
    frames = made(pack, asked)
    assert len(frames) == asked.frame_count == 24
    assert {frame.picture.shape for frame in frames} == {(size[1], size[0], 3)}
    assert {frame.picture.dtype for frame in frames} == {np.dtype(np.uint8)}


def test_the_same_order_gives_the_same_video(pack: Path) -> None:
    asked = order("a fish swims in the rain, the camera zooms in", "two cars cross, camera pans")
    for one, other in zip(made(pack, asked), made(pack, asked), strict=True):
        assert np.array_equal(one.picture, other.picture)
        assert one.pixels_by_work == other.pixels_by_work


def test_counted_pixels_are_those_that_the_work_covers(pack: Path) -> None:
    """Against pictures made with and without the work: a rectangle of a known size."""
    asked = order("a red house stands in the desert", width_px=400, height_px=400)
    frame = made(pack, asked)[0]
    red, green, blue = (frame.picture[..., at].astype(int) for at in range(3))
    covered = int(((red > 2 * green) & (red > 2 * blue)).sum())
    (counted,) = frame.pixels_by_work.values()
    assert counted == pytest.approx(covered, rel=0.03)


def test_what_is_hidden_is_not_credited(pack: Path) -> None:
    """The balloon moves in front of the house: what it covers is its own."""
    engine = open_engine(str(pack))
    both = made(pack, order("a balloon drives past a house", width_px=320, height_px=320))
    names = {work.work: work.noun for work in engine.pack.works}
    counts = [{names[w]: n for w, n in frame.pixels_by_work.items()} for frame in both]
    fronts = [count["balloon"] for count in counts[2:-3]]  # wholly in the frame
    assert np.ptp(fronts) < 0.05 * max(fronts)
    houses = [count["house"] for count in counts]
    assert min(houses) < 0.9 * max(houses)


def test_one_scene_fades_into_the_next(pack: Path) -> None:
    """No two neighbouring frames differ as much as the scenes do."""
    asked = order("a car stands in space", "a house stands in a room")
    pictures = [frame.picture.astype(int) for frame in made(pack, asked)]
    steps = [np.abs(one - other).mean() for one, other in pairwise(pictures)]
    whole = np.abs(pictures[0] - pictures[-1]).mean()
    assert max(steps) < 0.6 * whole


def test_it_begins_with_the_picture_that_is_given(pack: Path) -> None:
    picture = np.full((45, 80, 3), (255, 0, 255), np.uint8)
    plain = made(pack, order("a car drives"))[0].picture.astype(int)
    begun = made(pack, order("a car drives", first_picture=picture))[0].picture.astype(int)
    wanted = np.array([255, 0, 255])
    assert np.abs(begun - wanted).mean() < np.abs(plain - wanted).mean()


@pytest.mark.parametrize("words", ["to the left", ", the camera pans", ", the camera zooms in"])
def test_who_leaves_the_frame_takes_its_shadow_along(pack: Path, words: str) -> None:
    asked = order(f"two cars drive past a house {words}", width_px=64, height_px=200)
    assert len(made(pack, asked)) == 12


def test_motion_is_smooth(pack: Path) -> None:
    """The car moves by about the same way in every frame."""
    asked = order("a red car drives in the desert", width_px=480, height_px=270)
    middles = []
    for frame in made(pack, asked):
        red = frame.picture[..., 0].astype(int) > 2 * frame.picture[..., 2].astype(int) + 40
        green = frame.picture[..., 1].astype(int) < 80
        middles.append(np.nonzero(red & green)[1].mean())
    steps = np.diff(middles)[1:-2]  # wholly in the frame
    assert steps.min() > 0
    assert np.ptp(steps) < 1.0


def test_a_long_shot_is_shown_as_several_scenes(pack: Path) -> None:
    asked = Order((Shot("a balloon rises", 16.0),), 64, 64, 2, 1)
    frames = list(open_engine(str(pack)).frames(asked, quiet))
    assert len(frames) == 32


def test_every_step_is_reported_and_a_stop_passes_through(pack: Path) -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.done == 5:
            raise StoppedError("enough")

    with pytest.raises(StoppedError):
        list(open_engine(str(pack)).frames(order("a car drives"), stop))
    assert [each.done for each in told] == [1, 2, 3, 4, 5]
    assert told[0].total == 12
    assert told[0].preview is not None


def test_unknown_words_are_left_out_and_the_rest_is_made(pack: Path) -> None:
    engine = open_engine(str(pack))
    understood = engine.understood("a wyvern and a baloon rise")
    assert [(word.word, word.near) for word in understood.unknown] == [
        ("wyvern", ()),
        ("baloon", ("balloon",)),
    ]
    frames = made(pack, order("a wyvern and a car rise"))
    assert all(frame.pixels_by_work for frame in frames)


def test_a_place_alone_is_shown_and_credits_nobody(pack: Path) -> None:
    frames = made(pack, order("the desert at night"))
    assert all(frame.pixels_by_work == {} for frame in frames)
    assert open_engine(str(pack)).credits({}) == ()


def test_nothing_understood_is_an_error_before_the_first_frame(pack: Path) -> None:
    frames = open_engine(str(pack)).frames(order("a car drives", "baloon wyvern"), quiet)
    with pytest.raises(InputError, match="baloon, wyvern") as caught:
        next(frames)
    assert "balloon" in caught.value.hint


def test_credits_name_owners_by_their_pixels(pack: Path) -> None:
    engine = open_engine(str(pack))
    total: Counter[str] = Counter()
    for frame in engine.frames(order("a car drives past a house"), quiet):
        total.update(frame.pixels_by_work)
    first, second = engine.credits(total)
    assert {first.owner, second.owner} == {"owner of car", "owner of house"}
    assert first.share_parts + second.share_parts == WHOLE_PARTS
    assert first.method == second.method == "exact"
    assert first.share_parts >= second.share_parts


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=40))
def test_shares_add_up_to_the_whole(pixels: list[int]) -> None:
    listed = tuple(
        Work(f"{at:064x}", "", "", "", "car", Kind.VEHICLE, 0) for at in range(len(pixels))
    )
    engine = ComposeEngine(WorksPack(Path("none.zip"), "d" * 64, "c" * 64, "k" * 16, listed))
    counts = {work.work: count for work, count in zip(listed, pixels, strict=True)}
    shares = {credit.work: credit.share_parts for credit in engine.credits(counts)}
    assert sum(shares.values()) == (WHOLE_PARTS if sum(pixels) else 0)
    for work, share in shares.items():
        assert abs(share - counts[work] * WHOLE_PARTS / sum(pixels)) < 1
