"""Two desks for tests: in folders, or each behind a real server on a port of its own."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from tercet.api.connections import PromptConnection
from tercet.api.desk_app import make_desk_app
from tercet.consent.licences.repertoire import repertoire_bytes, repertoire_of
from tercet.core.terms import (
    WORLD,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage
from tercet.flows.desk import OpenDesk, make_desk, open_desk
from tercet.flows.license_delivery import Courier
from tercet.flows.license_service import DeskService
from tercet.flows.offer_shelf import OfferShelf

WORKS = repertoire_of(["sha256:" + 64 * "a", "site:https://example.org"])


def terms_of_owner(owner: OpenDesk, *, fixed: int = 500_000_000) -> Terms:
    """Return terms to everybody for two works, which are put into the owner's desk."""
    sha256 = owner.store.repertoires.add(repertoire_bytes(WORKS), owner.clock())
    return Terms(
        licensor=PartyName(owner.party.id, owner.party.name),
        repertoire=RepertoireName(sha256, WORKS.work_count),
        grant=Grant(
            usages=(Usage.TRAIN_GENERATIVE,),
            purposes=(Purpose.PRETRAIN,),
            models=ModelScope(Versions.ANY),
            territory=Territory((WORLD,)),
            period=Period("2026-12-01", "2030-12-01"),
        ),
        price=Price("EUR", fixed_micros=fixed),
    )


def counting_ids(prefix: str) -> Any:
    """Return a maker of ids that gives the same ones each time."""
    numbers = itertools.count(1)
    return lambda: f"urn:uuid:{prefix:0>8}-0000-4000-8000-{next(numbers):012x}"


@dataclass(slots=True)
class Wire:
    """Every byte that went through a server: bodies of requests and of answers."""

    requests: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def bodies(self) -> list[dict[str, Any]]:
        """Return the messages that came in."""
        return [json.loads(raw) for _, raw in self.requests if raw]


class Recorder:
    """An ASGI app around another that notes all bytes."""

    def __init__(self, app: Any, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, answer = bytearray(), bytearray()

        async def noted_receive() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def noted_send(message: Any) -> None:
            for name, value in message.get("headers", ()):
                answer.extend(name + b": " + value + b"\n")
            answer.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, noted_receive, noted_send)
        self._wire.requests.append((f"{scope['method']} {scope['path']}", bytes(body)))
        self._wire.answers.append(bytes(answer))


@dataclass(frozen=True, slots=True)
class ServedDesk:
    """A desk behind a server; ``desk`` is used by the test as its owner's commands would be."""

    desk: OpenDesk
    url: str
    wire: Wire


@contextmanager
def served_desk(
    folder: Path, name: str, *, courier: bool = False, answers: bool = False
) -> Iterator[ServedDesk]:
    """Serve a new desk; with ``courier`` a thread delivers, and ``answers`` by reserves."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/dsp"
    make_desk(folder, name, address=url)
    inside = open_desk(folder, allow_local=True, allow_folders=False)
    worker = Courier(inside, answers=answers)
    service = worker.service if courier else DeskService(inside)
    wire = Wire()
    app = Recorder(make_desk_app(service, shelf=OfferShelf(desk=folder)), wire)
    server = uvicorn.Server(
        uvicorn.Config(app, http=PromptConnection, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    if courier:
        worker.start()
    try:
        yield ServedDesk(open_desk(folder, allow_local=True), url, wire)
    finally:
        server.should_exit = True
        thread.join()
        worker.close()
        bound.close()
