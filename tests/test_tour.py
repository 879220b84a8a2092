"""The tour without its model. The tour itself is run by `make tour`: it takes minutes."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tercet.studio.engines import engines

ROOT = Path(__file__).resolve().parent.parent


def test_a_missing_model_ends_the_tour_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_shipped_folders", lambda: (tmp_path / "_models",))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERCET_HOME", "home")
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    tour = runpy.run_path(str(ROOT / "scripts" / "tour.py"))
    with pytest.raises(SystemExit, match="there is no model 'house'"):
        tour["main"](tmp_path)
    assert not (tmp_path / "tour").exists()


def test_what_is_missing_is_not_shown_as_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    tour = runpy.run_path(str(ROOT / "scripts" / "tour.py"))
    with pytest.raises(SystemExit, match="expected tour/out/report"):
        tour["show_results"](tmp_path)
