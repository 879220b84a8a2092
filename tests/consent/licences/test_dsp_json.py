"""The JSON of the Dataspace Protocol 2025-1, against the required members of its JSON Schemas."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from negotiation_courses import ACCEPTED, AGREED, OFFERED, REQUESTED, VERIFIED, course
from negotiation_examples import AT, OWNER, STUDIO, message, side, terms, uuid

from tercet.consent.licences.dsp_json import (
    CONTEXT,
    answer_from,
    dsp_answer,
    dsp_body,
    message_from_body,
)
from tercet.consent.licences.messages import Answer, Message, message_document, message_from
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError

C, P = Role.CONSUMER, Role.PROVIDER
BASE = {"@context", "@type", "providerPid", "consumerPid", "tercet"}


def request() -> Message:
    return message(side(C), Step.REQUEST, 1)


def first_offer() -> Message:
    return message(side(P), Step.OFFER, 1)


def termination() -> Message:
    return message(course(OFFERED)[C], Step.TERMINATE, 5, code="too-dear", reasons=("Too dear.",))


MESSAGES: dict[str, tuple[Message, str, set[str]]] = {
    # name: message, @type and members after contract-request-message-schema.json and its siblings
    "first request": (
        request(), "ContractRequestMessage", BASE - {"providerPid"} | {"offer", "callbackAddress"}),
    "counter request": (
        message(course(OFFERED)[C], Step.REQUEST, 5), "ContractRequestMessage",
        BASE | {"offer", "callbackAddress"}),
    "first offer": (  # oneOf callbackAddress, consumerPid
        first_offer(), "ContractOfferMessage",
        BASE - {"consumerPid"} | {"offer", "callbackAddress"}),
    "counter offer": (
        message(course(REQUESTED)[P], Step.OFFER, 5), "ContractOfferMessage", BASE | {"offer"}),
    "acceptance": (
        message(course(OFFERED)[C], Step.ACCEPT, 5), "ContractNegotiationEventMessage",
        BASE | {"eventType"}),
    "agreement": (
        message(course(ACCEPTED)[P], Step.AGREE, 5), "ContractAgreementMessage",
        BASE | {"agreement", "callbackAddress"}),
    "verification": (
        message(course(AGREED)[C], Step.VERIFY, 5), "ContractAgreementVerificationMessage", BASE),
    "finalization": (
        message(course(VERIFIED)[P], Step.FINALIZE, 5), "ContractNegotiationEventMessage",
        BASE | {"eventType"}),
    "termination": (
        termination(), "ContractNegotiationTerminationMessage", BASE | {"code", "reason"}),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_a_body_has_the_members_of_its_schema_and_reads_back(name: str) -> None:
    sent, kind, members = MESSAGES[name]
    body = dsp_body(sent)
    assert body["@context"] == [CONTEXT] == ["https://w3id.org/dspace/2025/1/context.jsonld"]
    assert body["@type"] == kind
    assert set(body) == members
    assert message_from_body(json.dumps(body).encode()) == sent
    assert message_from(sent.raw) == sent


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_beside_the_signed_part_can_say_anything_else(name: str) -> None:
    body = dsp_body(MESSAGES[name][0])
    for member in set(body) - {"tercet"}:
        for altered in ({**body, member: "urn:other"}, {k: body[k] for k in body if k != member}):
            with pytest.raises(InputError) as caught:
                message_from_body(canonical_json(altered))
            assert caught.value.code == "binding-differs"
    with pytest.raises(InputError, match="permission"):
        message_from_body(canonical_json({**body, "permission": []}))


def test_a_policy_targets_one_repertoire_and_its_rules_none() -> None:
    policy = dsp_body(request())["offer"]
    assert policy["@type"] == "Offer"
    assert policy["target"] == "urn:tercet:repertoire:" + terms().repertoire.sha256
    assert [rule["action"] for rule in policy["permission"]] == ["use"]
    assert all("target" not in rule for rule in policy["permission"])
    agreed = dsp_body(MESSAGES["agreement"][0])["agreement"]
    assert agreed["@type"] == "Agreement"
    assert (agreed["assigner"], agreed["assignee"]) == (OWNER.id, STUDIO.id)
    assert agreed["timestamp"] == AT


@pytest.mark.parametrize("state", State)
def test_answers_read_back(state: State) -> None:
    good = Answer(uuid(1), uuid(2), uuid(3), state)
    bad = replace(good, code="too-early", reason="send it again", retry=True)
    for answer in (good, bad, replace(bad, state=None, retry=False)):
        body = dsp_answer(answer)
        assert answer_from(canonical_json(body)) == answer
    assert dsp_answer(good)["@type"] == "ContractNegotiation"
    assert dsp_answer(good)["state"] == str(state)
    assert dsp_answer(bad)["@type"] == "ContractNegotiationError"
    assert dsp_answer(bad)["reason"] == ["send it again"]


def test_what_is_no_answer_is_refused() -> None:
    body = dsp_answer(Answer(uuid(1), uuid(2), uuid(3), State.AGREED))
    for altered in (
        {**body, "state": "PAID"},
        {**body, "@type": "ContractNegotiationError"},
        {**body, "@context": []},
        {**body, "more": 1},
        {**body, "tercet": {}},
        {k: body[k] for k in body if k != "tercet"},
    ):
        with pytest.raises(InputError):
            answer_from(canonical_json(altered))


def test_a_message_that_nobody_signed_is_none() -> None:
    body = {k: v for k, v in dsp_body(request()).items() if k != "tercet"}
    with pytest.raises(InputError, match="signed message"):
        message_from_body(canonical_json(body))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"tercet":{},"tercet":{}}', "json-duplicate-member"),
        (b'{"tercet":1.5}', "json-number"),
        (b'{"tercet":' + b"[" * 100 + b"]" * 100 + b"}", "json-too-deep"),
        (b" " * (4 * 1024 * 1024 + 1), "json-too-large"),
        (b"[]", "json-bad"),
    ],
)
def test_json_that_reads_two_ways_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        message_from_body(raw)
    assert caught.value.code == code


def altered_message(**changes: Any) -> dict[str, Any]:
    document = message_document(changes.pop("of", None) or first_offer())
    return {**document, **changes}


@pytest.mark.parametrize(
    "document",
    [
        altered_message(step="sign"),
        altered_message(sender="broker"),
        altered_message(sender="consumer"),  # whose own id is then not there
        altered_message(message_id="1"),
        altered_message(sent_at="2026-11-22"),
        altered_message(follows=uuid(3)),
        altered_message(party="urn:tercet:party:x"),
        altered_message(provider_pid=""),
        altered_message(consumer_pid=uuid(3)),  # then it must follow something
        altered_message(document=None),
        altered_message(document=[]),
        altered_message(code="x"),
        altered_message(reasons=["x"]),
        altered_message(of=termination(), reasons=[""]),
        altered_message(of=termination(), reasons=["x"] * 21),
        altered_message(of=termination(), document={"type": "x"}),
        altered_message(of=termination(), supersedes=uuid(3)),
        altered_message(type="tercet/message@2"),
        altered_message(more=1),
    ],
)
def test_a_message_that_is_not_of_its_form_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        message_from(canonical_json(document))


@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_an_input_error(raw: bytes) -> None:
    for read in (message_from_body, message_from, answer_from):
        with pytest.raises(InputError):
            read(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(MESSAGES)), data=st.data(), value=JSON)
def test_any_member_of_a_body_may_be_anything(name: str, data: st.DataObject, value: Any) -> None:
    """What comes is read as the message it was, or refused: nothing in between."""
    body = dsp_body(MESSAGES[name][0])
    member = data.draw(st.sampled_from(sorted(body["tercet"])))
    body = {**body, "tercet": {**body["tercet"], member: value}}
    try:
        read = message_from_body(canonical_json(body))
    except InputError:
        return
    assert dsp_body(read) == body
