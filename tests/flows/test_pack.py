"""pack: only cleared drawings get in, and compose draws from what was packed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from train_corpora import cleared_works, key_in, public_key

from tercet.cli.main import tercet
from tercet.core.errors import RefusedError
from tercet.flows.pack import Packed, pack
from tercet.studio.compose.works import open_works
from tercet.studio.engines.compose import open_engine
from tercet.studio.engines.engine import Order, Shot


def packed(folder: Path, **fields: object) -> Packed:
    nouns = fields.get("nouns")
    return pack(
        folder / "out",
        folder / "works.zip",
        key=key_in(folder),
        public_key=public_key(folder),
        nouns=nouns if isinstance(nouns, list) else None,
    )


def test_only_cleared_works_are_packed_and_drawn(tmp_path: Path) -> None:
    cleared_works(tmp_path)
    made = packed(tmp_path)
    opened = open_works(made.path)
    assert set(opened.kinds) == {"car", "house", "ball"}
    assert (made.work_count, made.noun_count, made.digest) == (3, 3, opened.digest)
    clearance = json.loads((tmp_path / "out" / "clearance.json").read_bytes())
    assert opened.key_id == clearance["signature"]["key_id"]
    assert opened.is_cleared
    order = Order((Shot("a car drives past a house", 1.0),), 64, 64, 4)
    frames = list(open_engine(str(made.path)).frames(order, lambda progress: None))
    assert len(frames) == 4
    assert set().union(*(frame.pixels_by_work for frame in frames)) <= {
        work.work for work in opened.works
    }


def test_a_work_changed_since_it_was_cleared_is_not_packed(tmp_path: Path) -> None:
    cleared_works(tmp_path)
    file = tmp_path / "in" / "works" / "car-1.svg"
    file.write_bytes(file.read_bytes() + b"\n")
    assert set(open_works(packed(tmp_path).path).kinds) == {"house", "ball"}


def test_nothing_to_pack_is_refused(tmp_path: Path) -> None:
    cleared_works(tmp_path)
    with pytest.raises(RefusedError):
        packed(tmp_path, nouns=["giraffe"])


def test_the_command_says_what_was_packed(tmp_path: Path) -> None:
    cleared_works(tmp_path)
    told = CliRunner().invoke(
        tercet,
        [
            "pack", str(tmp_path / "out"), "-o", str(tmp_path / "works.zip"), "--json",
            "--key", str(tmp_path / "operator.key"), "--nouns", "car, ball",
        ],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["works"] == 2
    assert json.loads(told.stdout)["passed_over"]
