"""Shared by all tests: where test data made by others lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no defect: time is measured in bench/. In CI the examples are the same each
# time, so that a red run means a change; new ones are looked for by everybody's own runs.
settings.register_profile("tercet", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "tercet")

# Test processes run beside each other, so each multiplies matrices in one thread, and so do the
# commands it starts. Read when the libraries are loaded, so it stands before any import of them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_vectors() -> Path:
    """Test data made by others, beside the checkout; tests that need it skip without it."""
    folder = Path(os.environ.get("TERCET_SHARED_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not folder.is_dir():
        pytest.skip(
            f"no third-party test data at {folder}; set TERCET_SHARED_VECTORS to its folder"
        )
    return folder
