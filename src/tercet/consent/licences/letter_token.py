"""Tokens in links that are sent by mail: who has one has read that address's mail.

    base64url(canonical JSON) "." base64url(HMAC-SHA256(secret, "tercet/letter-token@1." + JSON))

A token says what it is for, for which signature of which letter, and until when. Only who made it
can check it. That it is used once is for the store: see `token_digest`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.licences.closed_fields import DOCUMENT_ID, SHA256, ClosedFields, DocumentError
from tercet.core.canonical import canonical_json
from tercet.core.errors import RefusedError
from tercet.core.ids import sha256_hex
from tercet.core.strict_json import JsonError, read_canonical_object

TOKEN_CHARACTERS_MAX = 1_000
_PREFIX = b"tercet/letter-token@1."
_FIELDS = ("purpose", "signature", "letter", "expires_at", "nonce")


class TokenPurpose(StrEnum):
    """What a token lets its holder do."""

    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


class TokenError(RefusedError):
    """A token that was not made here, for something else, or whose time is over."""

    code = "token"


class TokenForgedError(TokenError):
    """Not made with this secret, or altered."""

    code = "token-forged"


class TokenExpiredError(TokenError):
    """Its time is over."""

    code = "token-expired"


class TokenUsedError(TokenError):
    """It was used before."""

    code = "token-used"


@dataclass(frozen=True, slots=True)
class LetterToken:
    """What a token says. ``expires_at`` is RFC 3339; ``nonce`` makes one unlike another."""

    purpose: TokenPurpose
    signature: str
    letter: str
    expires_at: str
    nonce: str


def token_text(token: LetterToken, secret: bytes) -> str:
    """Return a token as it stands in a link."""
    said = canonical_json(
        {
            "purpose": str(token.purpose),
            "signature": token.signature,
            "letter": token.letter,
            "expires_at": token.expires_at,
            "nonce": token.nonce,
        }
    )
    return f"{_encoded(said)}.{_encoded(_code(said, secret))}"


def token_of(text: str, secret: bytes, *, purpose: TokenPurpose, at: str) -> LetterToken:
    """Return what a token says. ``at`` is the time now, RFC 3339.

    Raises TokenForgedError, TokenExpiredError, TokenError for another purpose.
    """
    said = _checked(text, secret)
    try:
        fields = ClosedFields(read_canonical_object(said), "token", _FIELDS)
        token = LetterToken(
            purpose=fields.choice("purpose", TokenPurpose),
            signature=fields.matching("signature", DOCUMENT_ID, "the id of a signature"),
            letter=fields.matching("letter", SHA256, "the hash of a letter"),
            expires_at=fields.time("expires_at"),
            nonce=fields.text("nonce", 64, required=True),
        )
    except (DocumentError, JsonError) as error:
        raise TokenForgedError("the token is not of this form") from error
    if token.purpose is not purpose:
        raise TokenError(f"this link is to {token.purpose}, not to {purpose}")
    if at >= token.expires_at:
        raise TokenExpiredError(
            f"the link was good until {token.expires_at}", hint="ask for another one"
        )
    return token


def token_digest(text: str) -> str:
    """Return what a store keeps of a token that was used: it cannot be made a token again."""
    return sha256_hex(_PREFIX + text.encode())


def _checked(text: str, secret: bytes) -> bytes:
    said, _, code = text.partition(".")
    raw, given = _decoded(said), _decoded(code)
    is_ours = (
        len(text) <= TOKEN_CHARACTERS_MAX
        and raw is not None
        and given is not None
        and hmac.compare_digest(_code(raw, secret), given)
    )
    if raw is None or not is_ours:
        raise TokenForgedError("the link was not made here, or it is not whole")
    return raw


def _code(said: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, _PREFIX + said, hashlib.sha256).digest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes | None:
    """Return the bytes of base64url text in its one form, else None."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if _encoded(raw) == text else None
