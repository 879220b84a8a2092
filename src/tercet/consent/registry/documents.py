"""Signed documents of the registry: canonical JSON, named by the SHA-256 of what was signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Protocol

from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError
from tercet.core.ids import sha256_hex

Document = Mapping[str, Any]


class Signer(Protocol):
    """Who signs: a private key that never leaves its place."""

    @property
    def public_raw(self) -> bytes:
        """The raw 32 bytes of the Ed25519 public key."""

    def signature(self, message: bytes) -> dict[str, str]:
        """Return the fields of a signature over ``message``."""


def public_text(signer: Signer) -> str:
    """Return a signer's public key as it stands in documents (Base64)."""
    return base64.b64encode(signer.public_raw).decode()


def signed(document: Document, signer: Signer) -> dict[str, Any]:
    """Return ``document`` with the signer's public key and a signature over all of it."""
    fields = dict(document) | {"public_key": public_text(signer)}
    return fields | {"signature": signer.signature(canonical_json(fields))}


def signed_bytes(document: Document) -> bytes:
    """Return the bytes that a document's signature is over."""
    return canonical_json({name: v for name, v in document.items() if name != "signature"})


def document_id(document: Document) -> str:
    """Return the id of a document, signed or not: SHA-256 of what is signed."""
    return sha256_hex(signed_bytes(document))


def read_document(raw: bytes) -> dict[str, Any]:
    """Return a document from its bytes. Raises IntegrityError when they are no canonical object."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntegrityError("expected a JSON document, got other bytes") from error
    if not isinstance(document, dict) or canonical_json(document) != raw:
        raise IntegrityError("expected a document in canonical JSON, got another form")
    return document
