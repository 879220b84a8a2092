"""The protocol of bench/identify.py on a small scale: what it counts is what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench.identify_edits import Edit
from bench.identify_media import Original
from bench.identify_text_edits import EDITS
from bench.identify_trials import Plan, Subject, run

from bench import identify_lists as lists
from bench import identify_table as tables
from tercet.consent.fingerprints import text


def written(number: int, words: int = 300) -> str:
    random = np.random.default_rng(number)
    syllables = ["ka", "mo", "ri", "te", "sul", "an", "dro", "vi", "pel", "no", "gar", "ish"]
    return " ".join("".join(random.choice(syllables, 3)) for _ in range(words))


def original(name: str, said: str, family: str = "") -> Original:
    return Original(name, family or name, (), language="en", text=said)


SUBJECT = Subject("text", lambda one: one.text, str, text.fingerprint, text.METHOD, EDITS, ())
EXCERPT = tuple(edit for edit in EDITS if edit.title in {"excerpt 50 %", "typos 2 %"})


def outcome_of(works: list[Original], strangers: list[Original]) -> tables.Findings:
    plan = Plan(tuple(works), tuple(works[:2]), tuple(strangers),
                *lists.relations([*works, *strangers]))  # fmt: skip
    return tables.findings("text", run(SUBJECT, plan, EXCERPT, 1), EXCERPT, ())


def test_copies_are_found_and_strangers_are_not() -> None:
    works = [original(f"work {at}", written(at)) for at in range(4)]
    strangers = [original(f"stranger {at}", written(100 + at)) for at in range(3)]
    found = outcome_of(works, strangers)
    assert found.mean.certain == 1.0
    assert not any(found.false.values())
    assert found.pairs == 2 * 2 * 3 + 3 * 3 * 4  # two edits of two works; three strangers thrice


def test_a_copy_under_another_name_is_a_false_match_and_named() -> None:
    """As if somebody else's work were claimed: the bench must not miss what it is for."""
    works = [original(f"work {at}", written(at)) for at in range(3)]
    works.append(original("twin", " ".join(written(0).split()[:250])))
    strangers = [original(f"stranger {at}", written(100 + at)) for at in range(3)]
    plan = Plan(tuple(works), tuple(works[:2]), tuple(strangers),
                {one.name: {one.name} for one in [*works, *strangers]},
                {one.name: set() for one in [*works, *strangers]})  # fmt: skip
    found = tables.findings("text", run(SUBJECT, plan, EXCERPT, 1), EXCERPT, ())
    assert {(item, name) for item, _, name, _ in found.false["certain"]} == {("work 0", "twin")}
    assert found.mean.no_false < found.mean.certain


def test_relatives_are_neither_found_nor_false() -> None:
    works = [original(f"work {at}", written(at)) for at in range(3)]
    works.append(original("twin", written(0)))
    found = outcome_of(works, [original("stranger", written(100)), original("other", written(9))])
    assert found.mean.certain == 1.0
    assert not any(found.false.values())


def test_what_texts_share_makes_them_related_or_sharers_of_a_phrase() -> None:
    common, phrase = written(50, 40), written(51, 15)
    found = [
        original("one", f"{written(1)} {common}"),
        original("two", f"{common} {written(2)}"),
        original("three", f"{written(3)} {phrase}"),
        original("four", f"{written(4)} {phrase}"),
    ]
    related, phrases = lists.relations(found)
    assert related["one"] == {"one", "two"}
    assert related["three"] == {"three"}
    assert "four" in phrases["three"]
    assert "one" not in phrases["three"]


@pytest.mark.parametrize(
    ("package", "inner", "family"),
    [
        ("plasma-workspace-wallpapers", "usr/share/wallpapers/Altai/contents/images/1x1.jpg",
         "plasma/Altai"),
        ("opencv-doc", "usr/share/doc/opencv-doc/examples/data/left01.jpg", "opencv-doc"),
        ("gnome-backgrounds", "usr/share/backgrounds/gnome/blobs-d.jpg",
         "gnome-backgrounds/blobs"),
        ("kstars-data", "usr/share/doc/HTML/fr/kstars/a.png", ""),
    ],
)  # fmt: skip
def test_families_of_pictures(package: str, inner: str, family: str) -> None:
    assert lists._picture_family(package, inner) == family


def test_the_licence_of_a_package_is_found(tmp_path: Path) -> None:
    from bench.identify_media import licence_file

    place = tmp_path / "some-data/usr/share/doc/some-data"
    place.mkdir(parents=True)
    (place / "copyright").write_text("MIT")
    assert licence_file(tmp_path, "some-data") == "some-data/usr/share/doc/some-data/copyright"
    assert licence_file(tmp_path, "other") == ""


def test_edits_of_one_item_draw_other_numbers_than_those_of_another() -> None:
    from bench.identify_edits import generator_for

    drawn = {int(generator_for(edit, item).integers(1 << 60)) for edit in "ab" for item in "xy"}
    assert len(drawn) == 4
    assert Edit("crop", "50 %", str).title == "crop 50 %"
