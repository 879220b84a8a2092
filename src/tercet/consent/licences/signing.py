"""Signatures of parties: detached JWS over canonical JSON, pure given who signs.

A document carries ``signatures: [{"party", "key_id", "jws"}]``. Each ``jws`` is a compact JWS with
its payload left out (RFC 7515 Appendix F): "header..signature", over the RFC 8785 bytes of the
document without ``signatures``. The header is exactly
``{"alg":"Ed25519","kid":<key_id>,"typ":"tercet+jws"}`` (RFC 9864: Ed25519 by its own name), so
there is nothing in it to choose, and nothing to trick a reader with.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import PARTY_ID, ClosedFields
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.core.limits import SIGNATURES_MAX
from tercet.core.strict_json import JsonError, read_json_object

Document = Mapping[str, Any]

ALGORITHM = "Ed25519"
HEADER_TYPE = "tercet+jws"
KEY_ID = re.compile(r"[0-9a-f]{16}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_HEADER_BYTES_MAX = 1024
_JWS_CHARACTERS_MAX = 2048
_SIGNATURE_BYTES = 64
_PUBLIC_KEY_BYTES = 32
_FIELD = 2**255 - 19
# The y coordinates of the points of small order on edwards25519 (their order divides 8): a
# signature by such a "key" can hold for more than one text, so its owner could deny any of them.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)


class SignatureError(IntegrityError):
    """A signature that does not count."""

    code = "signature"


class SignatureFormError(SignatureError):
    """Not of the form "header..signature" in base64url."""

    code = "signature-form"


class SignatureAlgorithmError(SignatureError):
    """Another algorithm than Ed25519: a downgrade, or a mistake."""

    code = "signature-algorithm"


class SignatureTypeError(SignatureError):
    """A signature made for something else: another ``typ``."""

    code = "signature-type"


class SignatureCriticalError(SignatureError):
    """The header names members that must be understood (``crit``); there are none."""

    code = "signature-critical"


class SignatureHeaderError(SignatureError):
    """A header with other members than the three, or in another form."""

    code = "signature-header"


class SignatureKeyError(SignatureError):
    """Made with another key than the one it is said to be made with."""

    code = "signature-key"


class SignatureWrongError(SignatureError):
    """The signature is not over this text, or not by this key."""

    code = "signature-wrong"


class SignatureTwiceError(SignatureError):
    """One key signed a document twice."""

    code = "signature-twice"


class WeakKeyError(InputError):
    """Bytes that are no Ed25519 public key of full order."""

    code = "weak-key"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a party, the raw public key, and a function that signs with its private half."""

    party: str
    public_raw: bytes
    sign: Callable[[bytes], bytes]

    @property
    def key_id(self) -> str:
        """The id of the key: see key_id_of."""
        return key_id_of(self.public_raw)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as a document carries it."""

    party: str
    key_id: str
    jws: str


def key_id_of(public_raw: bytes) -> str:
    """Return the id of a key: the first 16 hex digits of SHA-256 over its raw 32 bytes."""
    return sha256_hex(public_raw)[:16]


def public_key_text(public_raw: bytes) -> str:
    """Return a raw public key as base64url without padding (RFC 4648 section 5)."""
    return _encoded(public_raw)


def public_key_of(text: str) -> bytes:
    """Return the raw 32 bytes of a public key in base64url.

    Raises WeakKeyError for other lengths, y coordinates not below 2^255 - 19 (RFC 8032 section
    5.1.3) and points of small order.
    """
    raw = _decoded(text)
    if raw is None or len(raw) != _PUBLIC_KEY_BYTES:
        raise WeakKeyError(f"expected 32 bytes of a public key in base64url, got {text[:60]!r}")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _FIELD or y in _SMALL_ORDER_Y:
        raise WeakKeyError(
            f"expected an Ed25519 public key, got {text!r}, a point of small order or none",
            hint="signatures by such a key hold for more than one text",
        )
    return raw


def signed_payload(document: Document) -> bytes:
    """Return the bytes of a document that every signature on it is over: all but these."""
    return canonical_json({name: v for name, v in document.items() if name != "signatures"})


def signing_input(payload: bytes, key_id: str) -> bytes:
    """Return the bytes that one key signs (RFC 7515 section 5.1, step 8)."""
    return f"{_encoded(_header(key_id))}.{_encoded(payload)}".encode("ascii")


def document_sha256(document: Document) -> str:
    """Return the name of a document, signed or not: SHA-256 of its canonical JSON unsigned."""
    return sha256_hex(signed_payload(document))


def signed(document: Document, signer: Signer) -> dict[str, Any]:
    """Return ``document`` with one more signature. One that it bears already is not added again."""
    carried = list(document.get("signatures", ()))
    if any(each["key_id"] == signer.key_id for each in carried):
        return dict(document)
    value = signer.sign(signing_input(signed_payload(document), signer.key_id))
    jws = f"{_encoded(_header(signer.key_id))}..{_encoded(value)}"
    one = {"party": signer.party, "key_id": signer.key_id, "jws": jws}
    return dict(document) | {"signatures": [*carried, one]}


def signatures_of(document: Document) -> tuple[Signature, ...]:
    """Return the signatures that a document carries, not yet checked.

    Raises DocumentError where they are not of the form, SignatureTwiceError where a key stands
    twice.
    """
    fields = ClosedFields(document, "document", document)
    if "signatures" not in document:
        return ()
    signatures = fields.items("signatures", _signature, SIGNATURES_MAX)
    if len({each.key_id for each in signatures}) != len(signatures):
        raise SignatureTwiceError("expected one signature by each key, got two by one key")
    return signatures


def check_signature(document: Document, signature: Signature, public_raw: bytes) -> None:
    """Make sure that a signature is by this key and over this document.

    Raises one of the kinds of SignatureError: each flaw has its own.
    """
    check_signature_over(signed_payload(document), signature, public_raw)


def check_signature_over(payload: bytes, signature: Signature, public_raw: bytes) -> None:
    """Make sure that a signature is by this key and over what signed_payload returned.

    Raises one of the kinds of SignatureError.
    """
    value = _checked_parts(signature)
    if key_id_of(public_raw) != signature.key_id:
        raise SignatureKeyError(
            f"expected a signature by the key {key_id_of(public_raw)}, got {signature.key_id}"
        )
    if not holds(public_raw, value, signing_input(payload, signature.key_id)):
        raise SignatureWrongError(
            f"the signature by {signature.party} with the key {signature.key_id} is not over this "
            f"text",
            hint="the text was altered after it was signed, or another key signed it",
        )


def holds(public_raw: bytes, value: bytes, message: bytes) -> bool:
    """Say whether ``value`` is the Ed25519 signature of ``message`` by a raw public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_raw).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _checked_parts(signature: Signature) -> bytes:
    """Return the bytes of a signature after its header was found to be the only one possible."""
    parts = signature.jws.split(".")
    if len(parts) != 3 or parts[1]:
        raise SignatureFormError(
            "expected a detached JWS header..signature, got another form",
            hint="RFC 7515 Appendix F: the payload between the two points is left out",
        )
    header, value = _decoded(parts[0]), _decoded(parts[2])
    if header is None or value is None or len(header) > _HEADER_BYTES_MAX:
        raise SignatureFormError("expected a JWS in base64url without padding, got other text")
    _check_header(header, signature.key_id)
    if len(value) != _SIGNATURE_BYTES:
        raise SignatureFormError(f"expected a signature of 64 bytes, got {len(value)}")
    return value


def _check_header(raw: bytes, key_id: str) -> None:
    try:
        header = read_json_object(raw, bytes_max=_HEADER_BYTES_MAX)
    except JsonError as error:
        raise SignatureHeaderError(f"the header of a signature: {error.message}") from error
    if header.get("alg") != ALGORITHM:
        raise SignatureAlgorithmError(
            f"expected the algorithm {ALGORITHM}, got {header.get('alg')!r:.60}",
            hint="RFC 9864 names it; `none`, HMAC, RSA, and EdDSA without its curve do not count",
        )
    if "crit" in header:
        raise SignatureCriticalError("expected a header without crit, got one")
    if header.get("typ") != HEADER_TYPE:
        raise SignatureTypeError(f"expected typ {HEADER_TYPE}, got {header.get('typ')!r:.60}")
    if header.get("kid") != key_id:
        raise SignatureKeyError(
            f"expected kid {key_id}, as the document says, got {header.get('kid')!r:.60}"
        )
    if raw != _header(key_id):
        raise SignatureHeaderError("expected alg, kid and typ in canonical JSON, got more or other")


def _signature(value: object, where: str) -> Signature:
    fields = ClosedFields(value, where, ("party", "key_id", "jws"))
    return Signature(
        party=fields.matching("party", PARTY_ID, "the id of a party"),
        key_id=fields.matching("key_id", KEY_ID, "the id of a key, 16 hex digits"),
        jws=fields.text("jws", _JWS_CHARACTERS_MAX, required=True),
    )


def _header(key_id: str) -> bytes:
    return canonical_json({"alg": ALGORITHM, "kid": key_id, "typ": HEADER_TYPE})


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes | None:
    """Return the bytes of base64url text, None where another text would give the same bytes."""
    if not _BASE64URL.fullmatch(text):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if _encoded(raw) == text else None
