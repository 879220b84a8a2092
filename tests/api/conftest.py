"""The tests of the service share a small engine (drawing_engine.py) and a server on a socket."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that all tests share which leave its queue as they found it: empty."""
    with serving(tmp_path_factory.mktemp("served"), local_webhooks=True) as server:
        yield server
