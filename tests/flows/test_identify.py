"""Identifying: registered works are found, with how much of the item they are; others are not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from registered import RESERVED, drawing, register, registry_in, save, signing
from small_media import film, prose

from tercet.consent.fingerprints.bands import Band
from tercet.consent.fingerprints.fingerprint import Fingerprint, Match, Region, Unfit
from tercet.consent.fingerprints.methods import method_for
from tercet.core.errors import ComparisonError
from tercet.core.work import Medium
from tercet.flows.fingerprinting import FileFingerprints, fingerprint_file
from tercet.flows.identify import _covers, identify, identify_document
from tercet.flows.match import match_items


def of_file(path: Path) -> FileFingerprints:
    return fingerprint_file(str(path), 0, path.stat().st_size, path.name)


def text_work(folder: Path) -> Path:
    path = folder / "work.txt"
    path.write_text(prose(1), "utf-8")
    return path


def of_text(folder: Path, text: str) -> FileFingerprints:
    path = folder / "item.txt"
    path.write_text(text, "utf-8")
    return of_file(path)


def test_an_edited_picture_is_found_with_where_it_stands(tmp_path: Path) -> None:
    picture = drawing(5)
    done = register(tmp_path, save(tmp_path / "work.png", picture))
    page = np.full((900, 1200, 3), 235, np.uint8)
    page[300:720, 500:1060] = cv2.flip(picture, 1)
    found = identify(of_file(save(tmp_path / "page.jpg", page, 70)), registry_in(tmp_path))
    assert [(each.work.number, each.match.band) for each in found] == [(done.number, Band.CERTAIN)]
    assert found[0].covers_per_mille == pytest.approx(1000 * 420 * 560 / (900 * 1200), abs=15)
    (mine, _), = found[0].match.pairs  # fmt: skip
    left, right = min(x for x, _ in mine.quad), max(x for x, _ in mine.quad)
    assert (left, right) == (
        pytest.approx(500 / 1200, abs=0.01),
        pytest.approx(1060 / 1200, abs=0.01),
    )
    assert "mirrored" in found[0].match.edits


def test_nothing_is_found_in_what_is_not_registered(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    registry = registry_in(tmp_path)
    for seed in range(6, 8):
        media = of_file(save(tmp_path / "other.png", drawing(seed)))
        assert identify(media, registry) == []
        assert identify_document(media, "other.png", registry) == b""


def test_the_same_bytes_are_the_work_even_where_nothing_can_be_recognised(tmp_path: Path) -> None:
    flat = save(tmp_path / "flat.png", np.full((80, 80, 3), 127, np.uint8))
    done = register(tmp_path, flat)
    (found,) = identify(of_file(flat), registry_in(tmp_path))
    assert (found.work.number, found.match.method, found.match.band, found.covers_per_mille) == (
        done.number, "sha256", Band.CERTAIN, 1000
    )  # fmt: skip
    lighter = save(tmp_path / "lighter.png", np.full((80, 80, 3), 128, np.uint8))
    assert identify(of_file(lighter), registry_in(tmp_path)) == []


def test_several_works_in_one_item_are_all_found(tmp_path: Path) -> None:
    works = [drawing(21), drawing(22), drawing(23)]
    numbers = {
        register(tmp_path, save(tmp_path / f"{at}.png", each)).number
        for at, each in enumerate(works)
    }
    collage = np.concatenate([cv2.resize(each, (420, 315)) for each in works])
    found = identify(of_file(save(tmp_path / "collage.jpg", collage)), registry_in(tmp_path))
    assert {each.work.number for each in found} == numbers
    assert all(each.covers_per_mille == pytest.approx(333, abs=20) for each in found)
    assert [each.match.score for each in found] == sorted(
        (each.match.score for each in found), reverse=True
    )


def test_a_quotation_is_found_with_its_characters(tmp_path: Path) -> None:
    done = register(tmp_path, text_work(tmp_path))
    quoted = " ".join(prose(1).split()[200:290])
    around = prose(2, 60)
    (found,) = identify(of_text(tmp_path, f"{around} {quoted} {around}"), registry_in(tmp_path))
    assert (found.work.number, found.match.method) == (done.number, "text-1")
    (mine, _), = found.match.pairs  # fmt: skip
    assert mine.start_character == pytest.approx(len(around) + 1, abs=40)
    assert mine.end_character == pytest.approx(len(around) + 1 + len(quoted), abs=40)


# ---- what the registry says -----------------------------------------------------------------


def test_a_work_whose_claims_are_withdrawn_is_not_found(tmp_path: Path) -> None:
    work = text_work(tmp_path)
    done = register(tmp_path, work)
    registry = registry_in(tmp_path)
    assert identify(of_file(work), registry)
    copy = of_text(tmp_path, prose(1) + " ")
    assert identify(copy, registry)
    registry.withdraw(done.claim_ids[0], "sold", signing(tmp_path))
    assert identify(of_file(work), registry) == []
    assert identify(copy, registry) == []


def test_a_work_registered_later_is_found_by_a_registry_that_was_open(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    registry = registry_in(tmp_path)
    item = of_file(save(tmp_path / "item.jpg", drawing(6), 60))
    assert identify(item, registry) == []
    register(tmp_path, save(tmp_path / "later.png", drawing(6)))
    assert len(identify(item, registry)) == 1


def test_a_person_s_word_is_remembered_for_these_bytes_only(tmp_path: Path) -> None:
    done = register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    registry = registry_in(tmp_path)
    item = of_file(save(tmp_path / "item.jpg", drawing(5), 60))
    other = of_file(save(tmp_path / "other.jpg", drawing(5), 61))
    assert registry.reject_match(
        item.sha256, done.number, "J. Doe: another tower", signing(tmp_path, "keeper")
    )
    assert [each.is_rejected for each in identify(item, registry)] == [True]
    assert [each.is_rejected for each in identify(other, registry)] == [False]
    document = json.loads(identify_document(item, "item.jpg", registry))
    assert document["found"][0]["rejected"] is True


def test_the_document_says_what_was_found_and_who_says_what(tmp_path: Path) -> None:
    done = register(
        tmp_path, save(tmp_path / "work.png", drawing(5)), RESERVED, owner="Ada Example"
    )
    registry = registry_in(tmp_path)
    item = of_file(save(tmp_path / "item.jpg", drawing(5), 60))
    document = json.loads(identify_document(item, "a/item\udcff.jpg", registry))
    assert document["type"] == "tercet/match@1"
    assert document["item"] == {
        "name": "a/item\\udcff.jpg", "sha256": item.sha256, "medium": "image"
    }  # fmt: skip
    assert document["registry"] == {"entries": registry.head().entries, "head": registry.digest()}
    (found,) = document["found"]
    assert (found["work"]["number"], found["band"]) == (done.number, "certain")
    assert found["covers_per_mille"] >= 985
    (claim,) = found["claims"]
    assert (claim["claim_id"], claim["owner"]) == (done.claim_ids[0], "Ada Example")
    assert {terms["usage"]: terms["permission"] for terms in claim["terms"]}["mine"] == "deny"


def test_a_method_that_fails_on_an_item_says_so_and_the_item_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(5)))
    item = save(tmp_path / "item.jpg", drawing(5), 60)

    def fail(self: object, *arguments: object) -> None:
        raise ZeroDivisionError("no height")

    monkeypatch.setattr(type(method_for(Medium.IMAGE)), "verify", fail)
    with pytest.raises(ComparisonError, match=r"image-1.*no height"):
        identify(of_file(item), registry_in(tmp_path))
    (told,) = match_items([item], tmp_path / "registry", workers=1)
    assert "could not be compared" in told.problem


# ---- how much of a video --------------------------------------------------------------------

LENGTH_S = 10.0


def video_item(*unfit_sound: Unfit) -> FileFingerprints:
    seen = Fingerprint("video-1", {}, (LENGTH_S, 320.0, 240.0))
    heard = Fingerprint("audio-1", {}, (LENGTH_S,), unfit_sound)
    return FileFingerprints(Medium.VIDEO, "", "", 1, (seen, heard))


def match(method: str, seconds: float, work: int = 1) -> Match:
    region = Region(start_s=0.0, end_s=seconds)
    return Match(work, method, Band.CERTAIN, 1.0, "marks", ((region, region),))


def test_a_video_is_whole_only_where_picture_and_sound_are() -> None:
    seen, heard = match("video-1", 10), match("audio-1", 8)
    assert _covers(video_item(), [seen, heard]) == [800, 800]
    assert _covers(video_item(), [seen]) == [0]
    assert _covers(video_item(), [heard]) == [0]
    assert _covers(video_item(), [seen, replace(heard, work=2)]) == [0, 0]


def test_a_video_without_sound_is_its_picture() -> None:
    assert _covers(video_item(Unfit.SILENCE), [match("video-1", 10)]) == [1000]
    assert _covers(video_item(Unfit.STATIONARY), [match("video-1", 10)]) == [0]


def test_a_video_is_found_by_its_sound_in_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(film("mp4", "libx264", "aac", seconds=6))
    done = register(tmp_path, path)
    sound = tmp_path / "sound.mp3"
    sound.write_bytes(film("mp3", "", "libmp3lame", seconds=6))
    found = identify(of_file(sound), registry_in(tmp_path))
    assert [(each.work.number, each.match.method) for each in found] == [(done.number, "audio-1")]
