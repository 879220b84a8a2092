"""An OIDC identity as evidence of a signatory: an ID token over the letter's hash.

After OpenID Connect Core 1.0 section 3.1.3.7: issuer, audience, authorised party, signature by a
key of the issuer's set, times, and a nonce, which is the letter's hash. So one token speaks for one
letter. Only asymmetric algorithms count: with HMAC or `none` anybody could make one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tercet.core.errors import RefusedError, UncheckedError

TOKEN_CHARACTERS_MAX = 16 * 1024
KEY_SET_BYTES_MAX = 256 * 1024
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
              "Ed25519", "EdDSA")  # fmt: skip
LEEWAY_S = 60
AGE_S_MAX = 24 * 3600
_CLAIM_CHARACTERS_MAX = 2_000


class IdentityError(RefusedError):
    """An ID token that proves nothing here."""

    code = "identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an issuer says it is. ``email`` is "" unless the issuer says that it verified it."""

    issuer: str
    subject: str
    email: str = ""


def identity_of(
    token: str, key_set: bytes, *, issuer: str, audience: str, letter_sha256: str, now_s: int
) -> Identity:
    """Return the identity that an ID token proves. ``key_set`` is the issuer's JWKS, as fetched.

    ``now_s`` is the time in seconds of Unix time. Raises IdentityError saying what does not fit;
    UncheckedError where the library that checks is not installed.
    """
    claims = _signed_claims(token, key_set)
    if claims.get("iss") != issuer:
        raise IdentityError(f"expected an identity of {issuer}, got {claims.get('iss')!r:.80}")
    _check_audience(claims, audience)
    if claims.get("nonce") != letter_sha256:
        raise IdentityError("the identity was given for something else: its nonce is not the "
                            "letter's hash")  # fmt: skip
    _check_times(claims, now_s)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise IdentityError("the identity names nobody: `sub` is not a text of 1 to 255 letters")
    email = claims.get("email")
    is_known = claims.get("email_verified") is True and isinstance(email, str)
    return Identity(issuer, subject, str(email)[:_CLAIM_CHARACTERS_MAX] if is_known else "")


def _signed_claims(token: str, key_set: bytes) -> Mapping[str, Any]:
    """Return the claims of a token once its signature is known to be the issuer's."""
    try:
        from joserfc import jws
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
    except ModuleNotFoundError as error:
        raise UncheckedError(
            "an identity cannot be checked: the library joserfc is not installed",
            hint="pip install 'tercet[letters]'",
        ) from error
    if len(token) > TOKEN_CHARACTERS_MAX or len(key_set) > KEY_SET_BYTES_MAX:
        raise IdentityError("the identity or the issuer's keys are longer than is read")
    try:
        keys = KeySet.import_key_set(json.loads(key_set))
        checked = jws.deserialize_compact(token, keys, algorithms=list(ALGORITHMS))
        claims = json.loads(checked.payload or b"", parse_constant=_refuse_constant)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IdentityError(
            f"the identity is not signed by a key of its issuer: {str(error)[:120]}",
            hint="fetch the issuer's keys anew: they change",
        ) from error
    if not isinstance(claims, dict):
        raise IdentityError("the identity holds no claims")
    return claims


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")  # NaN is before and after nothing


def _check_audience(claims: Mapping[str, Any], audience: str) -> None:
    named = claims.get("aud")
    audiences = named if isinstance(named, list) else [named]
    if audience not in audiences:
        raise IdentityError(f"the identity is for another service: {named!r:.80}")
    authorised = claims.get("azp", audience if len(audiences) == 1 else None)
    if authorised != audience:
        raise IdentityError(f"the identity was given to another service: {authorised!r:.80}")


def _check_times(claims: Mapping[str, Any], now_s: int) -> None:
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    for name, value in times.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number and not (name == "nbf" and value is None):
            raise IdentityError(f"the identity says no time in {name}")
    until_s, made_s, begins_s = times["exp"], times["iat"], times["nbf"]
    assert until_s is not None and made_s is not None  # noqa: PT018 (checked just above)
    if now_s >= until_s + LEEWAY_S:
        raise IdentityError("the identity's time is over", hint="sign in again")
    if made_s > now_s + LEEWAY_S or (begins_s is not None and begins_s > now_s + LEEWAY_S):
        raise IdentityError("the identity is of a time that has not come")
    if now_s - made_s > AGE_S_MAX:
        raise IdentityError("the identity is older than a day", hint="sign in again")
