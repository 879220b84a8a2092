"""A real server for tests: uvicorn in a thread, on a port of its own, with a worker process."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from drawing_engine import opening
from fastapi import FastAPI

from tercet.api.app import make_app
from tercet.api.connections import PromptConnection
from tercet.flows.serve import Studio

if TYPE_CHECKING:
    import openai


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, and what talks to it."""

    studio: Studio
    app: FastAPI
    url: str

    def client(self, **options: Any) -> openai.OpenAI:
        """Return the real OpenAI client, which does not try again."""
        import openai

        options = {"api_key": "unused", "max_retries": 0, "timeout": 30} | options
        return openai.OpenAI(base_url=f"{self.url}/v1", **options)


@contextmanager
def serving(folder: Path, *, api_key: str = "", **options: Any) -> Iterator[Served]:
    """Serve a studio in ``folder`` with the drawing engine."""
    studio = Studio(folder / "data", opening(folder / "operator.key"), **options)
    studio.start()
    app = make_app(studio, api_key=api_key, hosts=("127.0.0.1", "localhost"))
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()  # who asks before the server runs is answered when it does
    server = uvicorn.Server(
        uvicorn.Config(app, http=PromptConnection, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        yield Served(studio, app, f"http://127.0.0.1:{bound.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a picture file of one colour."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()
