"""What strangers can cost a served desk: threads, and room for parties."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from desk_serving import terms_of_owner

from tercet.consent.licences.messages import Message
from tercet.core.errors import MissingError
from tercet.flows import license_service
from tercet.flows.desk import OpenDesk, add_party, change_party, make_desk, open_desk
from tercet.flows.license import Peer, request
from tercet.flows.license_delivery import Courier, deliver
from tercet.flows.license_service import FETCHES_MAX, DeskService


@pytest.fixture
def owner(tmp_path: Path) -> OpenDesk:
    """A desk as a server has it."""
    make_desk(tmp_path / "owner", "Owner")
    return open_desk(tmp_path / "owner", allow_local=True, allow_folders=False)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def asked(folder: Path, owner: OpenDesk, address: str) -> Message:
    """Return a first request of a stranger, who is in the second version of its document."""
    make_desk(folder, "Studio", address=address)
    studio = open_desk(folder, allow_local=True)
    change_party(studio, name="Another Studio")
    add_party(studio, [version.document for version in owner.history.versions])
    there = Peer(owner.party.id, "http://127.0.0.1:9/dsp")
    pending = request(studio, there, terms_of_owner(owner)).pending
    assert pending is not None
    return pending


def test_strangers_whose_servers_say_nothing_do_not_hold_every_thread(
    tmp_path: Path, owner: OpenDesk, silent: socket.socket
) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/dsp"
    message = asked(tmp_path / "studio", owner, address)
    service = DeskService(owner)
    with ThreadPoolExecutor(FETCHES_MAX) as pool:
        waiting = [pool.submit(service.take, message) for _ in range(FETCHES_MAX)]
        connections = [silent.accept()[0] for _ in waiting]
        answer = service.take(message)  # at once: no thread is left for it
        assert (answer.code, answer.retry) == ("busy", True)
        assert not any(each.done() for each in waiting)
        for connection in connections:
            connection.close()
        assert all(each.result().retry for each in waiting)
    with pytest.raises(MissingError):
        owner.store.party_history(message.party)


def test_strangers_do_not_fill_a_desk_with_parties(
    tmp_path: Path, owner: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = asked(tmp_path / "studio", owner, "http://127.0.0.1:9/dsp")
    studio = open_desk(tmp_path / "studio")
    first = [version.document for version in studio.history.versions]
    service = DeskService(owner)
    elsewhere = replace(message, provider_pid="urn:uuid:00000000-0000-4000-8000-000000000001")
    assert service.take(elsewhere).code == "missing"  # a stranger has begun nothing here
    monkeypatch.setattr(license_service, "PARTIES_MAX", 1)
    assert service.take(message).code == "busy"
    assert owner.store.party_count() == 1
    add_party(owner, first)  # a person may
    assert service.take(message).is_acknowledged


def test_who_does_not_answer_comes_after_what_is_new(tmp_path: Path, owner: OpenDesk) -> None:
    first = asked(tmp_path / "studio", owner, "http://127.0.0.1:9/dsp")
    studio = open_desk(tmp_path / "studio", allow_local=True)
    (tried,) = deliver(studio)
    assert not tried.is_done
    second = request(studio, Peer(owner.party.id, "http://127.0.0.1:9/dsp"), terms_of_owner(owner))
    order = [each.message.message_id for each in deliver(studio)]
    assert second.pending is not None
    assert order == [second.pending.message_id, first.message_id]


def test_a_courier_closes_between_two_messages(
    tmp_path: Path, owner: OpenDesk, silent: socket.socket
) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/dsp"
    asked(tmp_path / "studio", owner, address)
    studio = open_desk(tmp_path / "studio", allow_local=True)
    for each in studio.store.outbox():
        studio.store.abandon(each.pid, "for a server that says nothing", studio.clock())
    for _ in range(2):
        request(studio, Peer(owner.party.id, address), terms_of_owner(owner))
    courier = Courier(studio)
    courier.start()
    with ThreadPoolExecutor(1) as pool:
        connection = silent.accept()[0]
        closing = pool.submit(courier.close)
        time.sleep(0.2)
        connection.close()
        closing.result(timeout=10)
    silent.settimeout(0.2)
    with pytest.raises(TimeoutError):
        silent.accept()
