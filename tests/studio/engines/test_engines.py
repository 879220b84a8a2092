"""Engines by name, orders cut into runs, pictures made to fit."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.engines import engines
from tercet.studio.engines.engine import Order, Shot
from tercet.studio.engines.fitting import fitted_picture
from tercet.studio.engines.segments import segments_of
from tercet.studio.storyboard import storyboard


def test_an_engine_of_libraries_that_are_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wanting_engine.py").write_text("import no_such_library_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = engines.EngineEntry("wanting_engine", "", "studio", may_be_cleared=True)
    monkeypatch.setitem(engines.ENGINES, "wanting", entry)
    with pytest.raises(InputError, match="needs no_such_library_at_all") as caught:
        engines.open_engine("wanting")
    assert caught.value.hint == "pip install 'tercet[studio]'"


def test_the_names_of_engines_load_no_engine() -> None:
    code = (
        "import sys\nfrom tercet.studio.engines.engines import ENGINES\n"
        "heavy = ('torch', 'cv2', 'av', 'diffusers', 'httpx2')\n"
        "print(len(ENGINES), [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "4 []\n"


SHOTS = st.lists(st.floats(0.05, 20), min_size=1, max_size=8).filter(lambda all_s: sum(all_s) <= 60)


@given(SHOTS, st.sampled_from([8, 12, 16, 24, 30]), st.floats(0.3, 10))
def test_runs_add_up_keep_their_order_and_stay_short(
    durations_s: list[float], rate: int, run_s: float
) -> None:
    shots = tuple(Shot(str(at), seconds) for at, seconds in enumerate(durations_s))
    order = Order(shots, frames_per_second=rate)
    runs = segments_of(order, run_s)
    assert sum(run.frame_count for run in runs) == order.frame_count
    assert all(0 < run.frame_count <= max(1, math.floor(run_s * rate)) for run in runs)
    assert [run.index for run in runs] == list(range(len(runs)))
    assert [int(run.prompt) for run in runs] == sorted(int(run.prompt) for run in runs)
    for shot in shots:
        frames = sum(run.frame_count for run in runs if run.prompt == shot.prompt)
        assert abs(frames - shot.duration_s * rate) <= 1


@given(st.floats(1, 60), st.integers(1, 12), st.sampled_from([8, 16, 24]))
def test_a_storyboard_of_a_prompt_is_runs_of_a_scene_at_most(
    duration_s: float, shots: int, rate: int
) -> None:
    order = Order(storyboard(", then ".join(["a car"] * shots), duration_s), frames_per_second=rate)
    assert order.frame_count == round(duration_s * rate)
    assert max(run.frame_count for run in segments_of(order, 5.0)) <= 5 * rate


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 99), st.integers(1, 99))
def test_a_fitted_picture_fills_its_size_with_its_own_middle(
    width: int, height: int, wanted_width: int, wanted_height: int
) -> None:
    picture = np.full((height, width, 3), 9, np.uint8)
    fitted = fitted_picture(picture, wanted_width, wanted_height)
    assert fitted.shape == (wanted_height, wanted_width, 3)
    assert fitted.dtype == np.uint8
    assert (fitted == 9).all()
