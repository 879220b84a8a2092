"""A small pack of drawn works for the tests of compose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from drawn_works import cleared, drawings, sign, works

from tercet.studio.compose.works import write_works


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes the pack; ``raws`` are the bytes that it is given."""

    def written(
        raws: Mapping[str, bytes] | None = None,
        name: str = "works.zip",
        clearance: bytes | None = None,
    ) -> Path:
        path = tmp_path / name
        given = drawings() if raws is None else raws
        shown = cleared() if clearance is None else clearance
        write_works(path, works(), lambda work: given[work.work], clearance=shown, sign=sign)
        return path

    return written


@pytest.fixture
def pack(write: Callable[..., Path]) -> Path:
    """The pack, written."""
    return write()
