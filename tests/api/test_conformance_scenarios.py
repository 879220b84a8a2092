"""The mandatory negotiation scenarios of the conformance kit, under its names, over real servers.

The official kit (Java) was not run: these are its sequences, played by a desk of ours as the other
side, which also sends what must be refused. See docs/negotiation.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from conformance_scenarios import SCENARIOS, Scenario
from desk_serving import ServedDesk, served_desk, terms_of_owner

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.dsp_json import CONTEXT, dsp_body
from tercet.consent.licences.exchange_content import offer_on_table
from tercet.consent.licences.messages import Message, signed_message
from tercet.consent.licences.negotiation import Role, Step
from tercet.consent.licences.offer import offer_document
from tercet.consent.licences.signing import signed
from tercet.consent.licences.standing import offered_terms
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.flows import license as steps
from tercet.flows.desk import OpenDesk
from tercet.flows.license_delivery import deliver
from tercet.flows.license_places import peer_at
from tercet.flows.license_post import send
from tercet.flows.license_service import place_of

# What the protocol's JSON Schemas require of each message (2025-1, "negotiation").
REQUIRED = {
    "ContractRequestMessage": {"consumerPid", "offer", "callbackAddress"},
    "ContractOfferMessage": {"providerPid", "offer"},
    "ContractAgreementMessage": {"consumerPid", "providerPid", "agreement", "callbackAddress"},
    "ContractAgreementVerificationMessage": {"consumerPid", "providerPid"},
    "ContractNegotiationEventMessage": {"consumerPid", "providerPid", "eventType"},
    "ContractNegotiationTerminationMessage": {"consumerPid", "providerPid"},
}


@dataclass(frozen=True, slots=True)
class Bed:
    """Two servers that know each other: C is the consumer, P the provider."""

    consumer: ServedDesk
    provider: ServedDesk

    def side(self, letter: str) -> ServedDesk:
        return self.consumer if letter == "C" else self.provider


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("bed")
    with (
        served_desk(folder / "studio", "Studio") as consumer,
        served_desk(folder / "owner", "Owner") as provider,
    ):
        peer_at(consumer.desk, provider.url)
        yield Bed(consumer, provider)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_scenario(bed: Bed, scenario: Scenario) -> None:
    pids: dict[str, str] = {}
    for side, step, is_refused in scenario.moves:
        desk = bed.side(side).desk
        if is_refused:
            assert side != scenario.under_test  # what is tested must not be made to do it
            check_refused(bed, scenario, pids, side, Step(step))
        else:
            legal(bed, pids, side, step, desk)
    served = bed.side(scenario.under_test)
    assert told_state(served, pids[scenario.under_test]) == scenario.state


def legal(bed: Bed, pids: dict[str, str], side: str, step: str, desk: OpenDesk) -> None:
    """One side moves, by its own flow, and the message goes over HTTP."""
    pid = pids.get(side, "")
    if step == "request" and not pid:
        terms = terms_of_owner(bed.provider.desk)
        begun = steps.request(desk, peer_at(desk, bed.provider.url), terms)
        (delivery,) = deliver(desk, pid=begun.pid)
        pids |= {"C": begun.pid, "P": delivery.negotiation.peer_pid}
    else:
        move(desk, pid, step)
        (delivery,) = deliver(desk, pid=pid)
    assert delivery.answer is not None, delivery.note
    assert delivery.answer.is_acknowledged, delivery.answer
    assert delivery.is_done


def move(desk: OpenDesk, pid: str, step: str) -> None:
    if step in ("request", "offer"):
        on_table = offered_terms(offer_on_table(desk.store.negotiation(pid)))
        price = replace(on_table.price, fixed_micros=on_table.price.fixed_micros + 1_000_000)
        steps.counter(desk, pid, replace(on_table, price=price))
    elif step == "accept":
        steps.accept(desk, pid)
    elif step == "terminate":
        steps.terminate(desk, pid, code="1", reasons=("no longer wanted",))
    else:
        steps.sign(desk, pid)


def check_refused(
    bed: Bed, scenario: Scenario, pids: dict[str, str], side: str, step: Step
) -> None:
    """The kit's side sends what must not be; the side under test answers 4xx and stays."""
    other = bed.side(scenario.under_test)
    before = told_state(other, pids[scenario.under_test])
    message = unlawful(bed.side(side).desk, pids[side], step)
    pid = message.pid(message.sender.other)
    url = f"{other.url}/{place_of(message).format(pid=pid)}"
    reply = send("POST", url, json.dumps(dsp_body(message)).encode(), allow_local=True)
    assert 400 <= reply.status < 500
    body = json.loads(reply.body)
    assert body["@type"] == "ContractNegotiationError"
    assert (body["consumerPid"], body["providerPid"]) == (pids["C"], pids["P"])
    assert body["code"]
    assert body["reason"]
    assert told_state(other, pids[scenario.under_test]) == before


def unlawful(desk: OpenDesk, pid: str, step: Step) -> Message:
    """A message with good signatures, at its place, that only the state forbids."""
    negotiation = desk.store.negotiation(pid)
    now = desk.clock()
    document: dict[str, Any] | None = None
    if step in (Step.REQUEST, Step.OFFER):
        before = offer_on_table(negotiation)
        terms = terms_fields(offered_terms(before))
        document = offer_document(
            offer_id=desk.make_id(), made_at=now, valid_until="2099-01-01T00:00:00Z",
            terms=terms, previous=before.id,
        )  # fmt: skip
    elif step in (Step.AGREE, Step.VERIFY, Step.FINALIZE):
        on_table = offer_on_table(negotiation)
        document = agreement_document(
            Agreement(
                desk.make_id(), negotiation.consumer_pid, negotiation.provider_pid, now,
                offered_terms(on_table), on_table.sha256,
            )
        )  # fmt: skip
    message = Message(
        step=step,
        sender=negotiation.role,
        message_id=desk.make_id(),
        sent_at=now,
        party=negotiation.party,
        consumer_pid=negotiation.consumer_pid,
        provider_pid=negotiation.provider_pid,
        follows=negotiation.head,
        address=desk.address,
        document=b"" if document is None else canonical_json(signed(document, desk.signer())),
    )
    return signed_message(message, desk.signer())


def told_state(served: ServedDesk, pid: str) -> str:
    reply = send("GET", f"{served.url}/negotiations/{pid}", allow_local=True)
    assert reply.status == 200
    body: dict[str, Any] = json.loads(reply.body)
    assert body["@type"] == "ContractNegotiation"
    return str(body["state"])


def test_there_are_as_many_as_in_the_kit() -> None:
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS) == 31
    assert sum(each.under_test == "P" for each in SCENARIOS) == 15


def test_what_went_over_the_wire_has_what_the_schemas_require(bed: Bed) -> None:
    desk = bed.consumer.desk
    pids: dict[str, str] = {}
    for side, step in (("C", "request"), ("P", "offer"), ("C", "accept"), ("P", "agree"),
                       ("C", "verify"), ("P", "finalize")):  # fmt: skip
        legal(bed, pids, side, step, bed.side(side).desk)
    assert desk.store.negotiation(pids["C"]).role is Role.CONSUMER
    bodies = bed.consumer.wire.bodies() + bed.provider.wire.bodies()
    assert {body["@type"] for body in bodies} >= set(REQUIRED) - {
        "ContractNegotiationTerminationMessage"
    }
    for body in bodies:
        assert body["@context"] == [CONTEXT]
        assert REQUIRED[body["@type"]] <= set(body)
        if "agreement" in body:
            assert {"@id", "@type", "target", "assigner", "assignee", "timestamp",
                    "permission"} <= set(body["agreement"])  # fmt: skip
        if body["@type"] == "ContractOfferMessage":  # "oneOf" in its schema
            assert ("callbackAddress" in body) != ("consumerPid" in body)
        if "offer" in body:
            assert {"@id", "@type", "target", "permission"} <= set(body["offer"])
            assert "target" not in body["offer"]["permission"][0]
