"""The pages on a real studio, with a tiny engine in its own process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Modules beside the tests: also the process of the worker finds its engine by this path.
sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A studio that is running."""
    from crossing_engine import open_crossing

    from tercet.flows.serve import Studio
    from tercet.flows.serve_worker import Opening

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))  # the key that signs is made there
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        opening = Opening(open_with=open_crossing)
        running = Studio(tmp_path_factory.mktemp("studio"), opening)
        running.start()
        yield running
        running.close()


@pytest.fixture(scope="session")
def app(studio: Any) -> Any:
    """API and pages, as they are served."""
    from tercet.api.app import make_app
    from tercet.web.pages import mount

    app = make_app(studio)
    mount(app, studio)
    return app


@pytest.fixture
def client(app: Any) -> Any:
    """A browser of sorts, that says it comes from our own pages."""
    from fastapi.testclient import TestClient

    return TestClient(app, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
