"""Negotiations over real servers: two that answer each other, hostile requests, a kept reserve."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parent))

from desk_serving import WORKS, ServedDesk, counting_ids, served_desk, terms_of_owner

from tercet.api.desk_app import make_desk_app
from tercet.api.guards import KeyGuard
from tercet.consent.licences.dsp_json import MESSAGE_BYTES_MAX, dsp_body
from tercet.consent.licences.messages import signed_message
from tercet.consent.licences.negotiation import State, Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.offer import offer_document
from tercet.consent.licences.repertoire import RepertoireSwappedError
from tercet.consent.licences.signing import signed
from tercet.consent.licences.termination import TerminationReason
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.errors import InputError, MissingError
from tercet.core.terms import Terms
from tercet.flows import license as steps
from tercet.flows.desk import OpenDesk, make_desk, open_desk, rotate_key
from tercet.flows.license_answer import answer_all, keep_reserve
from tercet.flows.license_delivery import ask_state, deliver, tell_end
from tercet.flows.license_places import negotiation_id, offer_at, peer_at
from tercet.flows.license_post import checked_address, send
from tercet.flows.license_service import DeskService

WITHIN_S = 30.0
RESERVE_MICROS = 437_219_000
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedDesk, ServedDesk]]:
    """A studio's server and an owner's, which answers by its reserve; both deliver by threads."""
    folder = tmp_path_factory.mktemp("pair")
    with (
        served_desk(folder / "studio", "Studio", courier=True) as studio,
        served_desk(folder / "owner", "Owner", courier=True, answers=True) as owner,
    ):
        yield studio, owner


def published(owner: OpenDesk, *, reserve: int = RESERVE_MICROS) -> tuple[str, Terms]:
    """Publish an offer of 500 EUR in the owner's desk, with a reserve below it."""
    terms = terms_of_owner(owner)
    document = offer_document(
        offer_id=owner.make_id(), made_at=owner.clock(), valid_until="2099-01-01T00:00:00Z",
        terms=terms_fields(terms),
    )  # fmt: skip
    owner.store.add_offer(signed(document, owner.signer()), owner.clock())
    keep_reserve(owner, document["id"], {"fixed_micros": reserve})
    return document["id"], terms


def priced(terms: Terms, micros: int) -> Terms:
    return replace(terms, price=replace(terms.price, fixed_micros=micros))


def waited(ask: Callable[[], Negotiation], *states: State) -> Negotiation:
    """Wait until a negotiation is in one of the states, with nothing under way."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        found = ask()
        if found.state in states and found.pending is None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found.state}, {found.pending}")


def test_two_servers_negotiate_two_rounds_and_sign(pair: tuple[ServedDesk, ServedDesk]) -> None:
    """The studio's commands put messages under way; both servers do the rest."""
    studio, owner = pair
    offer_id, terms = published(owner.desk)
    peer = peer_at(studio.desk, owner.url)
    found = offer_at(studio.desk, offer_id, peer)  # from the owner's /v1/offers, checked
    assert found.terms == terms
    pid = steps.request(
        studio.desk, peer, priced(terms, 300_000_000), previous=offer_id
    ).pid  # fmt: skip

    def ask() -> Negotiation:
        return studio.desk.store.negotiation(pid)

    countered = waited(ask, State.OFFERED)
    assert [each.terms.price.fixed_micros for each in steps.offers_of(countered)] == [
        300_000_000, 500_000_000
    ]  # fmt: skip
    steps.counter(studio.desk, pid, priced(steps.offers_of(countered)[-1].terms, RESERVE_MICROS))
    waited(ask, State.AGREED)
    steps.sign(studio.desk, pid)
    waited(ask, State.FINALIZED)
    (mine,) = studio.desk.store.agreements()
    (theirs,) = owner.desk.store.agreements()
    assert mine.document == theirs.document
    assert {each["party"] for each in mine.document["signatures"]} == {
        studio.desk.party.id, owner.desk.party.id
    }  # fmt: skip
    assert studio.desk.store.repertoires.read(WORKS.sha256)
    assert ask_state(studio.desk, pid).state is State.FINALIZED
    for desk in (studio.desk, owner.desk):
        ended, _ = steps.end_agreement(desk, mine.id, TerminationReason.MUTUAL, "2090-01-01")
        assert tell_end(desk, ended) == ""
    assert studio.desk.store.terminated_on(mine.id) == "2090-01-01"
    refused = httpx2.post(f"{owner.url}/terminations", json=ended | {"effective_on": "2080-01-01"})
    assert refused.status_code == 400
    assert owner.desk.store.terminated_on(mine.id) == "2090-01-01"


def test_the_reserve_occurs_in_no_byte_that_was_sent(pair: tuple[ServedDesk, ServedDesk]) -> None:
    studio, owner = pair
    offer_id, terms = published(owner.desk, reserve=423_987_001)
    peer = peer_at(studio.desk, owner.url)
    pid = steps.request(studio.desk, peer, priced(terms, 1_000_000), previous=offer_id).pid
    waited(lambda: studio.desk.store.negotiation(pid), State.OFFERED)
    for path in ("party", f"negotiations/{studio.desk.store.negotiation(pid).peer_pid}",
                 f"repertoires/{WORKS.sha256}", "negotiations/nothing"):  # fmt: skip
        httpx2.get(f"{owner.url}/{path}")
    httpx2.get(owner.url.replace("/dsp", "/v1/offers"))
    httpx2.post(f"{owner.url}/negotiations/request", json={"tercet": {}})
    sent = [raw for _, raw in studio.wire.requests] + owner.wire.answers
    assert sum(map(len, sent)) > 10_000
    for spelled in (b"423987001", b"423.987", b"423,987", b"19459cf9", b"reserve"):
        assert not [raw for raw in sent if spelled in raw.lower()]


def test_other_reserves_give_the_same_bytes(tmp_path: Path) -> None:
    """One owner twice, with the same ids and clock, and two reserves: a low request is answered
    alike to the last byte, signatures included.
    """
    make_desk(tmp_path / "owner", "Owner", at="2026-11-22T00:00:00Z")
    make_desk(tmp_path / "studio", "Studio", at="2026-11-22T00:00:00Z")
    said = []
    for at, reserve in enumerate((1, 499_999_999)):
        folder = tmp_path / str(at)
        shutil.copytree(tmp_path / "owner", folder / "owner")
        shutil.copytree(tmp_path / "studio", folder / "studio")
        clock = lambda: "2026-11-22T10:00:00Z"  # noqa: E731
        owner = open_desk(folder / "owner", clock=clock, make_id=counting_ids("a"))
        studio = open_desk(folder / "studio", clock=clock, make_id=counting_ids("b"))
        owner.listening_at = studio.listening_at = "file:elsewhere"  # folders have other names
        offer_id, terms = published(owner, reserve=reserve)
        peer = replace(peer_at(studio, str(folder / "owner")), address="file:")
        steps.request(studio, peer, priced(terms, 0), previous=offer_id)
        answers = [DeskService(owner).take(each.message) for each in studio.store.outbox()]
        (answered,) = answer_all(owner)
        assert answered.step is Step.OFFER, answered
        said.append((answers, [each.message.raw for each in owner.store.outbox()]))
    assert said[0] == said[1]
    assert len(said[0][1]) == 1


def test_a_request_is_enough_from_the_reserve_on(tmp_path: Path) -> None:
    owner, studio = make_desk(tmp_path / "o", "Owner"), make_desk(tmp_path / "s", "Studio")
    offer_id, terms = published(owner)
    peer = peer_at(studio, str(tmp_path / "o"))
    wider = replace(terms, reporting=replace(terms.reporting, due_days=90))
    for asked, step in (
        (priced(terms, RESERVE_MICROS), Step.AGREE),
        (priced(terms, RESERVE_MICROS - 1), Step.OFFER),
        (priced(wider, 900_000_000), Step.OFFER),  # pays more, and takes other duties
    ):
        begun = steps.request(studio, peer, asked, previous=offer_id)
        (delivery,) = deliver(studio, pid=begun.pid)
        (answered,) = answer_all(owner)
        assert answered.step is step, answered
        assert all(each.is_done for each in deliver(owner))
    steps.request(studio, peer, priced(terms, RESERVE_MICROS))  # it answers no offer
    deliver(studio)
    assert [each.step for each in answer_all(owner)] == [None]
    assert delivery.is_done


def test_who_tries_again_and_again_is_left_to_a_person(tmp_path: Path) -> None:
    owner, studio = make_desk(tmp_path / "o", "Owner"), make_desk(tmp_path / "s", "Studio")
    offer_id, terms = published(owner)
    pid = steps.request(
        studio, peer_at(studio, str(tmp_path / "o")), priced(terms, 1), previous=offer_id
    ).pid
    seen = []
    for micros in range(2, 7):
        deliver(studio)
        seen += [each.step for each in answer_all(owner)]
        if seen[-1] is None:
            break
        deliver(owner)
        asked = steps.offers_of(studio.store.negotiation(pid))[-1].terms
        steps.counter(studio, pid, priced(asked, micros))
    assert seen == [Step.OFFER, Step.OFFER, Step.OFFER, None]


def test_who_begins_again_and_again_is_left_to_a_person(tmp_path: Path) -> None:
    """Also one who pays enough: what is taken would tell the reserve by halving."""
    owner, studio = make_desk(tmp_path / "o", "Owner"), make_desk(tmp_path / "s", "Studio")
    offer_id, terms = published(owner)
    peer = peer_at(studio, str(tmp_path / "o"))
    seen = []
    for micros in (1, 250_000_000, 400_000_000, 430_000_000, 437_000_000, 438_000_000):
        steps.request(studio, peer, priced(terms, micros), previous=offer_id)
        deliver(studio)
        seen += [each.step for each in answer_all(owner)]
        deliver(owner)
    assert seen == [*[Step.OFFER] * 5, None]


# ---- delivery ---------------------------------------------------------------------------------


def test_a_message_waits_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    """It stays in the outbox over a restart, and the same bytes are sent then."""
    with served_desk(tmp_path / "owner", "Owner") as owner:
        studio = make_desk(tmp_path / "s", "Studio", address="http://127.0.0.1:9/dsp")
        studio.allow_local = True
        peer = peer_at(studio, owner.url)
        terms = terms_of_owner(owner.desk)
        pid = steps.request(studio, replace(peer, address="http://127.0.0.1:9/dsp"), terms).pid
        (failed,) = deliver(studio)
        assert failed.answer is None
        assert "ConnectError" in failed.note
        assert studio.store.negotiation(pid).state is None
        studio.store.close()
        again = open_desk(tmp_path / "s", allow_local=True)
        (kept,) = again.store.outbox()
        assert kept.message == failed.message
        assert kept.attempts == 1
        body = json.dumps(dsp_body(kept.message)).encode()
        first, second = (
            send("POST", f"{owner.url}/negotiations/request", body, allow_local=True)
            for _ in range(2)
        )
        assert (first.status, second.status) == (201, 201)
        assert first.body == second.body  # one negotiation, though it came twice
        assert len(owner.desk.store.negotiations()) == 1


def test_one_message_sent_many_times_at_once_begins_one_negotiation(tmp_path: Path) -> None:
    with served_desk(tmp_path / "owner", "Owner") as owner:
        studio = make_desk(tmp_path / "s", "Studio", address="http://127.0.0.1:9/dsp")
        studio.allow_local = True
        steps.request(studio, peer_at(studio, owner.url), terms_of_owner(owner.desk))
        body = json.dumps(dsp_body(studio.store.outbox()[0].message)).encode()
        url = f"{owner.url}/negotiations/request"
        with ThreadPoolExecutor(8) as threads:
            replies = list(
                threads.map(lambda _: send("POST", url, body, allow_local=True), range(16))
            )
        assert {reply.status for reply in replies} == {201}
        assert len({reply.body for reply in replies}) == 1
        assert len(owner.desk.store.negotiations()) == 1


def test_a_server_with_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            plain, _ = listening.accept()
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as line:
                got.append(line.recv(100))

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://localhost:{listening.getsockname()[1]}/dsp/negotiations/request"
        reply = send("POST", url, b"{}", allow_local=True)
        thread.join()
    assert reply.status == 0
    assert "CERTIFICATE_VERIFY_FAILED" in reply.note
    assert not any(got)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that only it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_a_party_that_changed_its_key_is_known_by_all_its_versions(tmp_path: Path) -> None:
    """The owner learned version 1; the studio comes back with version 3."""
    with (
        served_desk(tmp_path / "owner", "Owner") as owner,
        served_desk(tmp_path / "studio", "Studio") as studio,
    ):
        peer = peer_at(studio.desk, owner.url)
        terms = terms_of_owner(owner.desk)
        steps.request(studio.desk, peer, terms)
        assert deliver(studio.desk)[0].is_done
        rotate_key(studio.desk)
        rotate_key(studio.desk)
        steps.request(studio.desk, peer, terms)
        (delivery,) = deliver(studio.desk)
        assert delivery.is_done, delivery.note
        assert owner.desk.store.party_history(studio.desk.party.id).latest.version == 3


def test_both_ends_see_the_same_history(tmp_path: Path) -> None:
    owner, studio = make_desk(tmp_path / "o", "Owner"), make_desk(tmp_path / "s", "Studio")
    begun = steps.request(studio, peer_at(studio, str(tmp_path / "o")), terms_of_owner(owner))
    deliver(studio)
    theirs = negotiation_id(owner, owner.store.negotiations()[0].pid[9:14])
    steps.terminate(owner, theirs, code="price", reasons=("too low",))
    deliver(owner)
    mine = studio.store.negotiation(begun.pid)
    assert mine.applied == owner.store.negotiation(theirs).applied
    assert mine.applied[-1].reasons == ("too low",)


# ---- what is refused --------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A public server's app: no private addresses, no folders."""
    make_desk(tmp_path / "desk", "Owner", address="https://owner.example/dsp")
    desk = open_desk(tmp_path / "desk", allow_folders=False)
    return TestClient(make_desk_app(DeskService(desk)), base_url="http://owner.example")


def request_from(tmp_path: Path, client: TestClient, address: str) -> dict[str, Any]:
    """Return the body of a good first request by a studio that takes answers at an address."""
    service: DeskService = client.app.state.desk  # type: ignore[attr-defined]
    studio = make_desk(tmp_path / "studio", "Studio", address="https://studio.example/dsp")
    versions = [each.document for each in service.desk.history.versions]
    studio.store.take_parties(versions, studio.clock())
    terms = terms_of_owner(service.desk)
    peer = steps.Peer(service.desk.party.id, "https://owner.example/dsp")
    if address:
        studio = open_desk(tmp_path / "studio")
        pid = steps.request(studio, peer, terms).pid
        (under_way,) = studio.store.outbox(pid=pid)
        message = replace(under_way.message, address=address, signatures=())
        return dsp_body(signed_message(message, studio.signer()))
    steps.request(studio, peer, terms)
    return dsp_body(studio.store.outbox()[0].message)


@pytest.mark.parametrize(
    "address",
    ["http://studio.example/dsp", "https://user@studio.example/dsp", "file:/etc", "ftp://x/y",
     "https://", "https://studio.example/dsp?x=1", "https://studio example/dsp"],
)  # fmt: skip
def test_an_address_that_is_not_to_be_talked_to(
    tmp_path: Path, client: TestClient, address: str
) -> None:
    body = request_from(tmp_path, client, address)
    answer = client.post("/dsp/negotiations/request", json=body)
    assert answer.status_code == 400
    assert answer.json()["@type"] == "ContractNegotiationError"
    assert answer.json()["code"] == "bad-input"


def test_private_addresses_are_not_connected_to() -> None:
    reply = send("GET", "http://127.0.0.1:1/x")
    assert reply.status == 0
    assert "not public" in reply.note
    assert checked_address("https://10.0.0.1/dsp", allow_local=False)  # refused when connecting
    with pytest.raises(InputError):
        checked_address("http://example.org/dsp", allow_local=False)


def test_a_good_request_is_taken_without_a_key_and_a_changed_one_is_not(
    tmp_path: Path, client: TestClient
) -> None:
    body = request_from(tmp_path, client, "")
    client.app.add_middleware(KeyGuard, key="0123456789abcdef")  # type: ignore[attr-defined]
    for changed in (
        body | {"consumerPid": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        body | {"callbackAddress": "https://elsewhere.example/dsp"},
        body | {"offer": body["offer"] | {"target": "urn:tercet:repertoire:" + 64 * "0"}},
        body | {"more": 1},
        {name: value for name, value in body.items() if name != "tercet"},
        body | {"tercet": body["tercet"] | {"signatures": []}},
        body | {"tercet": body["tercet"] | {"sent_at": "2020-01-01T00:00:00Z"}},
    ):
        answer = client.post("/dsp/negotiations/request", json=changed)
        assert answer.status_code in (400, 404), changed
        assert answer.json()["@type"] == "ContractNegotiationError"
    assert client.post("/dsp/negotiations/request", json=body).status_code == 201
    assert client.post("/dsp/negotiations/request", json=body).status_code == 201  # it came twice


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"{" * 100_000, JSON, 400),
        (b'{"a":1,"a":2}', JSON, 400),
        (b'{"a":1.5}', JSON, 400),
        (b"\xff", JSON, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b" " * (MESSAGE_BYTES_MAX + 1), JSON, 413),
    ],
    ids=["empty", "list", "deep", "twice", "float", "no utf-8", "plain", "large"],
)
def test_bodies_that_are_no_messages(
    client: TestClient, raw: bytes, headers: dict[str, str], status: int
) -> None:
    for path in ("request", "offers", "urn:x/request", "urn:x/agreement/verification"):
        answer = client.post(f"/dsp/negotiations/{path}", content=raw, headers=headers)
        assert answer.status_code == status


def test_what_is_not_there_is_not_found(tmp_path: Path, client: TestClient) -> None:
    body = request_from(tmp_path, client, "")
    for path in ("negotiations/urn:uuid:0", "repertoires/" + 64 * "0"):
        answer = client.get(f"/dsp/{path}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "missing"
    assert client.get("/dsp/repertoires/..%2fdesk.sqlite").status_code in (400, 404)
    # a first request at another place, and another's page that makes a browser send it
    assert client.post("/dsp/negotiations/offers", json=body).status_code == 400
    crossed = client.post("/dsp/negotiations/request", json=body, headers={"origin": "https://x.y"})
    assert crossed.status_code == 403


def test_a_consumer_does_not_sign_for_works_that_it_has_not_seen(tmp_path: Path) -> None:
    owner, studio = make_desk(tmp_path / "o", "Owner"), make_desk(tmp_path / "s", "Studio")
    peer = peer_at(studio, str(tmp_path / "o"))
    terms = terms_of_owner(owner)
    counted_wrong = replace(terms.repertoire, work_count=3)
    for repertoire in (counted_wrong, replace(terms.repertoire, sha256=64 * "0")):
        begun = steps.request(studio, peer, replace(terms, repertoire=repertoire))
        (delivery,) = deliver(studio, pid=begun.pid)
        steps.sign(owner, delivery.negotiation.peer_pid)
        assert deliver(owner)[-1].is_done
        with pytest.raises((MissingError, RepertoireSwappedError)):
            steps.sign(studio, begun.pid)
        assert studio.store.negotiation(begun.pid).state is State.AGREED
