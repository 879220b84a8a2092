"""What `import tercet` offers: the names of __all__, each loadable, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import tercet


def test_every_public_name_loads_and_has_a_docstring() -> None:
    for name in tercet.__all__:
        value = getattr(tercet, name)
        assert name in {"__version__", "SIGNALS"} or value.__doc__, name


def test_dir_lists_the_public_names_only() -> None:
    assert dir(tercet) == sorted(tercet.__all__)
    assert len(tercet.__all__) == len(set(tercet.__all__)) <= 30


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(tercet, "Manager")


def test_importing_tercet_loads_none_of_its_rooms() -> None:
    code = "import sys, tercet; print([m for m in sys.modules if m.startswith('tercet.')])"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "[]"
