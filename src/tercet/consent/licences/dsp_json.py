"""The JSON of the Dataspace Protocol 2025-1 for our messages, both ways.

What the protocol demands is written from the signed message, which stands beside it as the member
``tercet``. On the way in it is written again and must be the same: nothing that is not signed can
say anything else. The policy's rule is one permission that points at the terms by their digest.

Source: Eclipse Dataspace Protocol 2025-1, "Contract Negotiation Protocol", message types, and its
JSON Schemas (contract-request-message-schema.json and its siblings).
"""

from __future__ import annotations

from typing import Any

from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.messages import Answer, Message, message_document, message_of
from tercet.consent.licences.negotiation import State, Step
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.strict_json import read_json_object

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
PROFILE = "urn:tercet:profile:terms@1"
REPERTOIRE_PREFIX = "urn:tercet:repertoire:"
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
MEMBER = "tercet"

_TYPES = {
    Step.REQUEST: "ContractRequestMessage",
    Step.OFFER: "ContractOfferMessage",
    Step.ACCEPT: "ContractNegotiationEventMessage",
    Step.AGREE: "ContractAgreementMessage",
    Step.VERIFY: "ContractAgreementVerificationMessage",
    Step.FINALIZE: "ContractNegotiationEventMessage",
    Step.TERMINATE: "ContractNegotiationTerminationMessage",
}
_EVENTS = {Step.ACCEPT: State.ACCEPTED, Step.FINALIZE: State.FINALIZED}
_ANSWER_TYPE, _ERROR_TYPE = "ContractNegotiation", "ContractNegotiationError"


class BindingError(DocumentError):
    """The unsigned part of a message says something else than the signed part."""

    code = "binding-differs"


def dsp_body(message: Message) -> dict[str, Any]:
    """Return the JSON body of a message. Raises DocumentError where its document is no such."""
    document = message_document(message)
    body: dict[str, Any] = {"@context": [CONTEXT], "@type": _TYPES[message.step]}
    for name, value in (
        ("consumerPid", message.consumer_pid),
        ("providerPid", message.provider_pid),
    ):
        body |= {name: value} if value else {}
    if message.step in (Step.REQUEST, Step.AGREE) or not message.consumer_pid:
        body["callbackAddress"] = message.address
    if message.step in (Step.REQUEST, Step.OFFER):
        body["offer"] = _offer(document["document"])
    elif message.step is Step.AGREE:
        body["agreement"] = _agreement(document["document"])
    elif message.step in _EVENTS:
        body["eventType"] = str(_EVENTS[message.step])
    elif message.step is Step.TERMINATE:
        body |= {"code": message.code} if message.code else {}
        body |= {"reason": list(message.reasons)} if message.reasons else {}
    return body | {MEMBER: document}


def message_from_body(raw: bytes) -> Message:
    """Read a message's body from outside. Raises InputError, SignatureTwiceError; checks none."""
    body = read_json_object(raw, bytes_max=MESSAGE_BYTES_MAX)
    if MEMBER not in body:
        raise BindingError(
            f"expected a member {MEMBER!r} with the signed message, got none",
            hint="a licence is only negotiated by messages that their sender signed",
        )
    message = message_of(body[MEMBER])
    expected = dsp_body(message)
    if canonical_json(body) != canonical_json(expected):
        raise BindingError(f"expected {_first_difference(expected, body)} as in the signed message")
    return message


def dsp_answer(answer: Answer) -> dict[str, Any]:
    """Return the JSON body of an answer: a ContractNegotiation, or a ContractNegotiationError."""
    body: dict[str, Any] = {
        "@context": [CONTEXT],
        "@type": _ANSWER_TYPE if answer.is_acknowledged else _ERROR_TYPE,
        "consumerPid": answer.consumer_pid,
        "providerPid": answer.provider_pid,
    }
    state = str(answer.state or "")
    ours: dict[str, Any] = {"message_id": answer.message_id}
    if answer.is_acknowledged:
        return body | {"state": state, MEMBER: ours}
    ours |= {"state": state, "retry": answer.retry}
    return body | {"code": answer.code, "reason": [answer.reason or answer.code], MEMBER: ours}


def answer_from(raw: bytes) -> Answer:
    """Read the body of an answer. Raises InputError."""
    body = read_json_object(raw, bytes_max=MESSAGE_BYTES_MAX)
    is_good = body.get("@type") == _ANSWER_TYPE
    base = ("@context", "@type", "consumerPid", "providerPid", MEMBER)
    fields = ClosedFields(body, "answer", (*base, *(("state",) if is_good else ("code", "reason"))))
    fields.constant("@type", _ANSWER_TYPE if is_good else _ERROR_TYPE)
    if fields.raw("@context") != [CONTEXT]:
        raise fields.wrong("@context", f'["{CONTEXT}"]')
    ours = ClosedFields(
        fields.raw(MEMBER),
        "answer.tercet",
        ("message_id", *(() if is_good else ("state", "retry"))),
    )
    said = (fields if is_good else ours).raw("state")
    if said != "" and said not in set(State):
        raise DocumentError("expected a state of a negotiation in the answer, got another word")
    return Answer(
        message_id=ours.text("message_id", 100),
        consumer_pid=fields.text("consumerPid", 100),
        provider_pid=fields.text("providerPid", 100),
        state=State(said) if said else None,
        code="" if is_good else fields.text("code", 100, required=True),
        reason="" if is_good else " ".join(fields.items("reason", _text, 100)),
        retry=False if is_good else ours.flag("retry"),
    )


def _offer(document: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "Offer", "@id": document.get("id"), **_policy(document)}


def _agreement(document: dict[str, Any]) -> dict[str, Any]:
    parties = document.get("parties")
    parties = parties if isinstance(parties, dict) else {}
    return {
        "@type": "Agreement",
        "@id": document.get("id"),
        **_policy(document),
        "timestamp": document.get("made_at"),
        "assigner": parties.get("assigner"),
        "assignee": parties.get("assignee"),
    }


def _policy(document: dict[str, Any]) -> dict[str, Any]:
    """The target is one repertoire; the rules name no target of their own."""
    terms = document.get("terms")
    repertoire = terms.get("repertoire") if isinstance(terms, dict) else None
    sha256 = repertoire.get("sha256") if isinstance(repertoire, dict) else None
    if not isinstance(sha256, str):
        raise DocumentError("expected terms with a repertoire in the document of the message")
    named = {
        "leftOperand": f"{PROFILE}:sha256",
        "operator": "eq",
        "rightOperand": sha256_hex(canonical_json(terms)),
    }
    return {
        "profile": PROFILE,
        "target": REPERTOIRE_PREFIX + sha256,
        "permission": [{"action": "use", "constraint": [named]}],
    }


def _first_difference(expected: dict[str, Any], got: dict[str, Any]) -> str:
    names = sorted(set(expected) | set(got))
    return next((n for n in names if expected.get(n) != got.get(n)), "the body")[:80]


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > 2_000:
        raise DocumentError(f"expected a text of at most 2000 characters at {where}")
    return value
