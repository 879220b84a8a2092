"""The messages of a negotiation, as their senders sign them: `tercet/message@1`.

A message is bound to its place: it names both sides' ids of the negotiation and, as ``follows``,
the last message that took effect before it. Moved to another place it is another message, and its
signature does not hold. What is sent beside it for the Dataspace Protocol follows from it, see
`dsp_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tercet.consent.licences.closed_fields import (
    DOCUMENT_ID,
    PARTY_ID,
    ClosedFields,
    DocumentError,
)
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.signing import Signature, Signer, signatures_of, signed
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.limits import DOCUMENT_BYTES_MAX, URL_BYTES_MAX
from tercet.core.strict_json import read_canonical_object

MESSAGE_TYPE = "tercet/message@1"
CODE_CHARACTERS_MAX = 100
REASON_CHARACTERS_MAX = 2_000
REASONS_MAX = 20
_UUID = "an id such as urn:uuid:00000000-0000-4000-8000-000000000000"
_FIELDS = (
    "type", "message_id", "sent_at", "follows", "step", "sender", "party", "consumer_pid",
    "provider_pid", "address", "supersedes", "code", "reasons", "document", "introduction",
    "signatures",
)  # fmt: skip

CARRIES_OFFER = frozenset({Step.REQUEST, Step.OFFER})
CARRIES_AGREEMENT = frozenset({Step.AGREE, Step.VERIFY, Step.FINALIZE})


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    ``document`` is the canonical JSON of the signed offer or agreement that it carries, empty for
    none; ``introduction`` that of the sender's party document, for who may not know it yet.
    ``follows`` is the id of the last message that took effect, empty for the first. ``address`` is
    where the sender takes answers. ``supersedes`` names, in a first message, the agreement that an
    amendment takes the place of. ``code`` and ``reasons`` say why a negotiation is terminated.
    """

    step: Step
    sender: Role
    message_id: str
    sent_at: str
    party: str
    consumer_pid: str
    provider_pid: str
    follows: str = ""
    address: str = ""
    supersedes: str = ""
    code: str = ""
    reasons: tuple[str, ...] = ()
    document: bytes = b""
    introduction: bytes = b""
    signatures: tuple[Signature, ...] = ()

    @property
    def raw(self) -> bytes:
        """The canonical JSON of the whole message: what is kept, and compared."""
        return canonical_json(message_document(self))

    @property
    def sha256(self) -> str:
        """The digest of the whole message."""
        return sha256_hex(self.raw)

    def pid(self, role: Role) -> str:
        """Return the id that one side gave the negotiation; empty where it is not known yet."""
        return self.consumer_pid if role is Role.CONSUMER else self.provider_pid


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver of a message says to it. An empty ``code`` acknowledges.

    ``state`` is the state its side is in, after the message; None where it knows no such
    negotiation. ``retry`` says that the same message may be taken later.
    """

    message_id: str
    consumer_pid: str
    provider_pid: str
    state: State | None
    code: str = ""
    reason: str = ""
    retry: bool = False

    @property
    def is_acknowledged(self) -> bool:
        """Whether the message took effect."""
        return not self.code


def message_document(message: Message) -> dict[str, Any]:
    """Return a message as its fields."""
    return {
        "type": MESSAGE_TYPE,
        "message_id": message.message_id,
        "sent_at": message.sent_at,
        "follows": message.follows,
        "step": str(message.step),
        "sender": str(message.sender),
        "party": message.party,
        "consumer_pid": message.consumer_pid,
        "provider_pid": message.provider_pid,
        "address": message.address,
        "supersedes": message.supersedes,
        "code": message.code,
        "reasons": list(message.reasons),
        "document": _fields_of(message.document),
        "introduction": _fields_of(message.introduction),
        "signatures": [
            {"party": each.party, "key_id": each.key_id, "jws": each.jws}
            for each in message.signatures
        ],
    }


def signed_message(message: Message, signer: Signer) -> Message:
    """Return a message with the signature of its sender."""
    return replace(message, signatures=signatures_of(signed(message_document(message), signer)))


def message_of(value: object) -> Message:
    """Read a message. Raises DocumentError, SignatureTwiceError. Signatures are not checked."""
    fields = ClosedFields(value, "message", _FIELDS)
    fields.constant("type", MESSAGE_TYPE)
    read = Message(
        step=fields.choice("step", Step),
        sender=fields.choice("sender", Role),
        message_id=fields.matching("message_id", DOCUMENT_ID, _UUID),
        sent_at=fields.time("sent_at"),
        follows=fields.matching("follows", DOCUMENT_ID, _UUID, empty=True),
        party=fields.matching("party", PARTY_ID, "the id of a party"),
        consumer_pid=fields.matching("consumer_pid", DOCUMENT_ID, _UUID, empty=True),
        provider_pid=fields.matching("provider_pid", DOCUMENT_ID, _UUID, empty=True),
        address=fields.text("address", URL_BYTES_MAX),
        supersedes=fields.matching("supersedes", DOCUMENT_ID, _UUID, empty=True),
        code=fields.text("code", CODE_CHARACTERS_MAX),
        reasons=fields.items("reasons", _reason, REASONS_MAX),
        document=_document(fields, "document"),
        introduction=_document(fields, "introduction"),
        signatures=signatures_of({"signatures": fields.raw("signatures")}),
    )
    _check_shape(read, fields)
    return read


def message_from(raw: bytes) -> Message:
    """Read a message from the bytes that were kept. Raises what message_of raises."""
    return message_of(read_canonical_object(raw, bytes_max=3 * DOCUMENT_BYTES_MAX))


def _check_shape(message: Message, fields: ClosedFields) -> None:
    """A message carries what its step needs, and nothing else."""
    if not message.pid(message.sender):
        raise fields.wrong(f"{message.sender}_pid", _UUID)
    is_first = not message.pid(message.sender.other)
    starts = {(Step.REQUEST, Role.CONSUMER), (Step.OFFER, Role.PROVIDER)}
    if is_first and (message.step, message.sender) not in starts:
        raise fields.wrong(f"{message.sender.other}_pid", _UUID)
    if is_first != (not message.follows):
        raise fields.wrong("follows", "the message before, and none in a first message")
    if message.supersedes and not is_first:
        raise fields.wrong("supersedes", '"": only a first message says it')
    needs_document = message.step in CARRIES_OFFER | CARRIES_AGREEMENT
    if needs_document != bool(message.document):
        raise fields.wrong("document", "a document" if needs_document else "null")
    if (message.code or message.reasons) and message.step is not Step.TERMINATE:
        raise fields.wrong("reasons", "none but in a termination")


def _fields_of(document: bytes) -> dict[str, Any] | None:
    return read_canonical_object(document) if document else None


def _document(fields: ClosedFields, name: str) -> bytes:
    value = fields.raw(name)
    if value is None:
        return b""
    if not isinstance(value, dict):
        raise fields.wrong(name, "an object or null")
    raw = canonical_json(value)
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise DocumentError(f"expected at most {DOCUMENT_BYTES_MAX} bytes at message.{name}")
    return raw


def _reason(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= REASON_CHARACTERS_MAX:
        raise DocumentError(f"expected a text of 1 to {REASON_CHARACTERS_MAX} characters: {where}")
    return value
