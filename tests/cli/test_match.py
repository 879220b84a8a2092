"""tercet match on the command line: what it prints, and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest


def tercet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tercet", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "TERCET_HOME": str(folder / "home"), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def shapes(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    picture = np.full((360, 480, 3), 128, np.uint8)
    for _ in range(120):
        colour = [int(value) for value in random.integers(0, 255, 3)]
        corners = random.integers(0, 480, 2) + random.integers(-40, 40, (4, 2))
        cv2.fillPoly(picture, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    return picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("match")
    cv2.imwrite(str(place / "tower.png"), shapes(1))
    (place / "items").mkdir()
    cv2.imwrite(str(place / "items" / "copy.jpg"), cv2.flip(shapes(1), 1))
    cv2.imwrite(str(place / "items" / "other.jpg"), shapes(2))
    done = tercet(place, "register", "tower.png", "--owner", "Ada Example", "--title", "The tower",
                  "--allow", "search", "--registry", "registry")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place


def test_it_tells_work_owner_place_and_terms(folder: Path) -> None:
    done = tercet(folder, "match", "items", "--registry", "registry", "--show", "page.html")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for words in ("items/copy.jpg: 1 found", "certain", "The tower", "mirrored", "Ada Example",
                  "search: allowed", "items/other.jpg: nothing found"):  # fmt: skip
        assert words in said
    assert "The tower" in (folder / "page.html").read_text("utf-8")


def test_one_usage_only(folder: Path) -> None:
    done = tercet(folder, "match", "items/copy.jpg", "--registry", "registry", "--usage", "search")
    assert "search: allowed" in " ".join(done.stdout.split())
    assert "train_generative" not in done.stdout


def test_json_is_a_match_document_for_each_item(folder: Path) -> None:
    done = tercet(folder, "match", "items", "--registry", "registry", "--json")
    documents = {each["item"]["name"]: each for each in json.loads(done.stdout)}
    assert documents["items/other.jpg"]["found"] == []
    (found,) = documents["items/copy.jpg"]["found"]
    assert (found["work"]["title"], found["band"]) == ("The tower", "certain")
    assert documents["items/copy.jpg"]["type"] == "tercet/match@1"
    assert done.stderr == ""


def test_what_could_not_be_looked_at_is_exit_3(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    done = tercet(folder, "match", str(broken), "items/copy.jpg", "--registry", "registry")
    assert done.returncode == 3
    assert f"{broken}: could not be looked at" in done.stdout
    assert "1 found" in done.stdout


def test_a_person_s_decision(folder: Path, tmp_path: Path) -> None:
    item = str(tmp_path / "item.jpg")
    cv2.imwrite(item, shapes(1)[20:, 20:])
    reject = ("match", "--not-a-match", item, "1", "--registry", "registry")
    assert tercet(folder, *reject).returncode == 2  # without a reason
    done = tercet(folder, *reject, "--reason", "J. Doe: another tower")
    assert (done.returncode, done.stdout) == (0, f"remembered: work 1 is not in {item}\n")
    assert "it was known" in tercet(folder, *reject, "--reason", "J. Doe").stdout
    assert "rejected" in tercet(folder, "match", item, "--registry", "registry").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("match", "nowhere.jpg", "--registry", "registry"),
        ("match", "items", "--registry", "nowhere"),
        ("match", "--not-a-match", "items/copy.jpg", "--registry", "registry", "--reason", "x"),
        (
            "match",
            "--not-a-match",
            "items/copy.jpg",
            "99",
            "--registry",
            "registry",
            "--reason",
            "x",
        ),
        ("match", "--not-a-match", "gone.jpg", "1", "--registry", "registry", "--reason", "x"),
    ],
)
def test_wrong_arguments_are_exit_2(folder: Path, arguments: tuple[str, ...]) -> None:
    done = tercet(folder, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
