"""The desk's part of tercet serve: beside the studio, or alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from tercet.cli.desk_option import desk_folder
from tercet.cli.output import emit_json
from tercet.core.errors import InputError

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from tercet.flows.license_delivery import Courier
    from tercet.flows.offer_shelf import OfferShelf

PREFIX = "/dsp"


def opened_courier(folder: Path, address: str, *, answers: bool, allow_local: bool) -> Courier:
    """Return what takes in and delivers the messages of a desk that is served at an address.

    Raises InputError where there is no desk.
    """
    from tercet.flows.desk import open_desk
    from tercet.flows.license_delivery import Courier

    desk = open_desk(
        folder, allow_local=allow_local, allow_folders=False, listening_at=address + PREFIX
    )
    if not desk.party.address and not (allow_local or _is_loopback(address)):
        raise InputError(
            "expected a desk whose party says where it is reached, got one without an address",
            hint="tercet desk change --address https://example.org/dsp",
        )
    return Courier(desk, answers=answers)


def serve_desk(
    folder: Path | None,
    address: str,
    listening: socket.socket,
    registry: Path | None,
    *,
    answers: bool,
    allow_local: bool,
    hosts: tuple[str, ...],
    as_json: bool,
) -> int:
    """Serve a desk alone until a signal ends it."""
    from tercet.api.desk_app import make_desk_app
    from tercet.cli.serve_letters import add_letters_to
    from tercet.web.rates import mount_rate_card

    courier = opened_courier(desk_folder(folder), address, answers=answers, allow_local=allow_local)
    try:
        app = make_desk_app(
            courier.service, hosts=hosts_of(courier, hosts), shelf=shelf_of(courier, registry)
        )
        add_letters_to(app, courier, address)
        mount_rate_card(app, courier.service.desk.party.name)
        _tell(courier, address, as_json=as_json)
        courier.start()
        run(app, listening)
    finally:
        courier.close()
    return 0


def hosts_of(courier: Courier | None, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names a server may be called by: also that of its party's public address."""
    if courier is None or not hosts:
        return hosts
    public = urlsplit(courier.service.desk.party.address).hostname
    return (*hosts, public) if public else hosts


def shelf_of(courier: Courier | None, registry: Path | None = None) -> OfferShelf:
    """Return the offers of the desk and of a registry, where there are any."""
    from tercet.flows.offer_shelf import OfferShelf

    return OfferShelf(registry, courier.service.desk.folder if courier else None)


def run(app: FastAPI, listening: socket.socket) -> None:
    """Answer requests until a signal ends it."""
    import uvicorn

    from tercet.api.connections import PromptConnection

    config = uvicorn.Config(
        app, http=PromptConnection, log_config=None, access_log=False, server_header=False,
        limit_concurrency=256, timeout_keep_alive=15, timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def _is_loopback(address: str) -> bool:
    return (urlsplit(address).hostname or "") in {"127.0.0.1", "::1", "localhost"}


def _tell(courier: Courier, address: str, *, as_json: bool) -> None:
    party = courier.service.desk.party
    document = {"url": address, "dsp": courier.service.desk.address, "party": party.id}
    if as_json:
        emit_json(document)
    else:
        click.echo(f"{address}: the desk of {party.name}, {party.id}")
        click.echo(f"other parties: {document['dsp']}", err=True)
    sys.stdout.flush()
