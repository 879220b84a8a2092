"""Shared by all tests: where test data made by others lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
