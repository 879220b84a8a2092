"""tercet serve: the studio as a service, with the API that video clients know."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.desk_option import desk_option
from tercet.cli.output import emit_json
from tercet.core.errors import InputError

if TYPE_CHECKING:
    from tercet.flows.license_delivery import Courier
    from tercet.flows.offer_shelf import OfferShelf
    from tercet.flows.serve import Studio

KEY_VARIABLE = "TERCET_API_KEY"
_KEY_CHARACTERS_MIN = 16
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@click.command(short_help="serve videos: the OpenAI video API and pages, on this machine")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="Port; 0: any free one.")  # fmt: skip
@click.option("--engine", default="house", show_default=True,
              help="What makes the pictures; none: no videos, the desk alone.")  # fmt: skip
@click.option("--model", default="", help="Model of the engine: a name, a folder, an address.")
@click.option("--device", default="", help="cpu or cuda; default: what there is.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of queue and videos.")
@click.option("--waiting-max", type=click.IntRange(1, 10_000), default=32, show_default=True,
              help="Videos that may wait; beyond it: 429.")  # fmt: skip
@click.option("--local-webhooks", is_flag=True, help="Let webhooks go to addresses not public.")
@click.option("--registry", type=click.Path(path_type=Path),
              help="Registry whose signed offers are shown.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path), help="Signing key; made on first use.")
@desk_option
@click.option("--answer", "answers", is_flag=True, help="Let the desk answer by its reserves.")
@click.option("--local-parties", is_flag=True, help="Let the desk talk to addresses not public.")
@click.option("--json", "as_json", is_flag=True, help="Tell where it listens as JSON.")
def serve(
    host: str,
    port: int,
    engine: str,
    model: str,
    device: str,
    data: Path | None,
    waiting_max: int,
    local_webhooks: bool,
    registry: Path | None,
    key: Path | None,
    desk: Path | None,
    answers: bool,
    local_parties: bool,
    as_json: bool,
) -> int:
    """Serve videos until Ctrl-C. Nothing is lost when the server ends, however it ends.

    On an address that others can reach, the environment variable TERCET_API_KEY must hold a key:
    every request then needs it, but those of other parties to the desk, which are signed.
    """
    from tercet.cli.serve_desk import opened_courier, serve_desk, shelf_of
    from tercet.flows.serve import Studio
    from tercet.flows.serve_worker import Opening
    from tercet.store.keys import default_key_path

    api_key = _checked_api_key(host) if engine != "none" else ""
    _need_server()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with _bound(host, port) as listening:
        address = f"http://{host}:{listening.getsockname()[1]}"
        if engine == "none":
            return serve_desk(
                desk, address, listening, registry, answers=answers, allow_local=local_parties,
                hosts=_LOCAL_HOSTS if _is_loopback(host) else (), as_json=as_json,
            )  # fmt: skip
        courier = (
            opened_courier(desk, address, answers=answers, allow_local=local_parties)
            if desk is not None
            else None
        )
        studio = Studio(
            data or default_key_path().with_name("studio"),
            Opening(engine, model, device, key),
            waiting_max=waiting_max,
            local_webhooks=local_webhooks,
        )
        try:
            studio.start()
            _tell(studio, address, as_json=as_json)
            shelf = shelf_of(courier, registry)
            _listen(studio, listening, api_key, courier, shelf, is_local=_is_loopback(host))
        finally:
            studio.close()
            if courier:
                courier.close()
    return 0


def _checked_api_key(host: str) -> str:
    """Return the key that requests need. Raises InputError where one is needed and none is set."""
    api_key = os.environ.get(KEY_VARIABLE, "").strip()
    if api_key and len(api_key) < _KEY_CHARACTERS_MIN:
        raise InputError(
            f"expected {KEY_VARIABLE} of at least {_KEY_CHARACTERS_MIN} characters, "
            f"got {len(api_key)}",
            hint="make one with: openssl rand -hex 32",
        )
    if not api_key and not _is_loopback(host):
        raise InputError(
            f"others can reach {host}, and no key is set",
            hint=f"set {KEY_VARIABLE} (openssl rand -hex 32), or listen on 127.0.0.1",
        )
    return api_key


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _need_server() -> None:
    """Raise InputError when the libraries of a server are not installed."""
    from importlib.util import find_spec

    needed = ("fastapi", "uvicorn", "python_multipart", "jinja2")
    missing = [name for name in needed if not find_spec(name)]
    if missing:
        raise InputError(
            f"the server needs {', '.join(missing)}, not installed here",
            hint="pip install 'tercet[server]'",
        )


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket on which requests are to come. Raises InputError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
        bound.listen()  # who connects while the engine is opened is answered when it is
    except OSError as error:
        bound.close()
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            hint="another server may use it; give --port",
        ) from error
    return bound


def _tell(studio: Studio, address: str, *, as_json: bool) -> None:
    """Tell where it listens, and which engine makes the videos, with its rights mark."""
    rights = studio.about["rights"]
    if as_json:
        emit_json({"url": address, "engine": studio.model, "rights": rights})
    else:
        click.echo(f"{address}: {studio.model}, {rights}")
        click.echo(f"clients: base_url={address}/v1", err=True)
    sys.stdout.flush()


def _listen(
    studio: Studio,
    listening: socket.socket,
    api_key: str,
    courier: Courier | None,
    shelf: OfferShelf,
    *,
    is_local: bool,
) -> None:
    """Answer requests until a signal ends it."""
    from tercet.api.app import make_app
    from tercet.cli.serve_desk import hosts_of, run
    from tercet.cli.serve_letters import add_letters_to
    from tercet.web.pages import mount

    app = make_app(
        studio,
        api_key=api_key,
        hosts=hosts_of(courier, _LOCAL_HOSTS if is_local else ()),
        shelf=shelf,
        desk=courier.service if courier else None,
    )
    mount(app, studio)
    if courier:
        add_letters_to(app, courier, courier.service.desk.address)
        courier.start()
    run(app, listening)
