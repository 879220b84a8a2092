"""scripts/setup on machines that lack something: it says what, and how to get it."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_VENV = f"""#!/bin/bash
case "$*" in *ensurepip*) exit 1 ;; esac
exec {sys.executable} "$@"
"""
TOO_OLD = "#!/bin/bash\nexit 1\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with nothing but the script, and a PATH with hardly anything in it."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for name in ("bash", "dirname", "env"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or pytest.fail(f"no {name}"))
    return tmp_path


def setup(machine: Path, python: str, *arguments: str) -> tuple[int, str]:
    file = machine / "bin" / "python3"
    file.write_text(python)
    file.chmod(0o755)
    done = subprocess.run(
        [machine / "scripts" / "setup", *arguments],
        env={"PATH": str(machine / "bin"), "HOME": os.environ.get("HOME", "/")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_python_without_venv(machine: Path) -> None:
    status, said = setup(machine, WITHOUT_VENV, "tour")
    assert status == 3
    assert "hint: sudo apt-get install python3-venv" in said
    assert not (machine / ".venv").exists()


def test_no_new_enough_python(machine: Path) -> None:
    status, said = setup(machine, TOO_OLD, "dev")
    assert status == 3
    assert "error: no Python 3.11 or newer found" in said
    assert not (machine / ".venv").exists()


def test_an_unknown_purpose(machine: Path) -> None:
    status, said = setup(machine, TOO_OLD, "everything")
    assert status == 2
    assert "expected tour, dev or bench, got everything" in said


def normal(requirement: str) -> str:
    """The project name of a requirement, as indexes compare names."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_constraints_pin_every_requirement_exactly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", pin) for pin in pins)
    asked = {normal(each) for each in (*project["dependencies"], *extras)}
    assert asked - {"tercet"} <= {normal(pin) for pin in pins}


def test_what_the_wheel_takes_along_is_there() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    taken = hatch["build"]["targets"]["wheel"]["force-include"]
    assert taken == {"vectors": "tercet/_vectors", "models": "tercet/_models"}
    assert not [source for source in taken if not (ROOT / source).is_dir()]
