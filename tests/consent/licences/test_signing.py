"""Signatures of parties: facts of RFC 8037 and RFC 8032, and each flaw with its own error."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from party_examples import OWNER, OWNER_KEY, STUDIO_KEY, Key

from tercet.consent.licences import signing
from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.signing import (
    Signature,
    SignatureAlgorithmError,
    SignatureCriticalError,
    SignatureError,
    SignatureFormError,
    SignatureHeaderError,
    SignatureKeyError,
    SignatureTwiceError,
    SignatureTypeError,
    SignatureWrongError,
    WeakKeyError,
    check_signature,
    document_sha256,
    holds,
    key_id_of,
    public_key_of,
    public_key_text,
    signatures_of,
    signed,
)
from tercet.core.canonical import canonical_json

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 section 5.1
TEXT = {"type": "tercet/example@1", "words": ["một", "two"], "count": 2}

# RFC 8037 appendix A.1 and A.4
RFC_PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC_INPUT = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
RFC_SIGNATURE = (
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_signed(key: Key = OWNER_KEY) -> dict[str, Any]:
    return signed(TEXT, key.signer(OWNER.id))


def with_header(header: object, key: Key = OWNER_KEY) -> Signature:
    """Return a signature that holds, over another header than the one there must be."""
    raw = header if isinstance(header, bytes) else canonical_json(header)
    payload = encoded(canonical_json(TEXT))
    value = key.private.sign(f"{encoded(raw)}.{payload}".encode())
    return Signature(OWNER.id, key_id_of(key.public_raw), f"{encoded(raw)}..{encoded(value)}")


def good_header(**changes: object) -> dict[str, object]:
    key_id = key_id_of(OWNER_KEY.public_raw)
    return {"alg": "Ed25519", "kid": key_id, "typ": "tercet+jws"} | changes


def test_the_example_of_rfc_8037_holds_and_its_algorithm_name_is_refused_in_documents() -> None:
    public = public_key_of(RFC_PUBLIC)
    assert holds(public, decoded(RFC_SIGNATURE), RFC_INPUT)
    assert not holds(public, decoded(RFC_SIGNATURE), RFC_INPUT + b"x")
    header = RFC_INPUT.partition(b".")[0].decode()
    with pytest.raises(SignatureAlgorithmError):
        check_signature(
            TEXT, Signature(OWNER.id, key_id_of(public), f"{header}..{RFC_SIGNATURE}"), public
        )


def test_a_signature_is_an_rfc_7515_one_over_the_canonical_text() -> None:
    """Taken apart by hand: header, point, payload, checked by the library of another maker."""
    (signature,) = signatures_of(text_signed())
    header, middle, value = signature.jws.split(".")
    assert middle == ""
    assert decoded(header) == canonical_json(good_header())
    message = f"{header}.{encoded(canonical_json(TEXT))}".encode()
    OWNER_KEY.private.public_key().verify(decoded(value), message)


def test_what_was_signed_holds_and_signing_again_adds_nothing() -> None:
    document = text_signed()
    check_signature(document, signatures_of(document)[0], OWNER_KEY.public_raw)
    assert signed(document, OWNER_KEY.signer(OWNER.id)) == document
    assert document_sha256(document) == document_sha256(TEXT)
    both = signed(document, STUDIO_KEY.signer(OWNER.id))
    assert len(signatures_of(both)) == 2
    check_signature(both, signatures_of(both)[0], OWNER_KEY.public_raw)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (good_header(alg="none"), SignatureAlgorithmError),
        (good_header(alg="HS256"), SignatureAlgorithmError),
        (good_header(alg="EdDSA"), SignatureAlgorithmError),
        (good_header(alg="ed25519"), SignatureAlgorithmError),
        (good_header(alg=["Ed25519"]), SignatureAlgorithmError),
        ({"kid": "0" * 16, "typ": "tercet+jws"}, SignatureAlgorithmError),
        (good_header(crit=["b64"], b64=False), SignatureCriticalError),
        (good_header(crit=[]), SignatureCriticalError),
        (good_header(typ="JWT"), SignatureTypeError),
        ({"alg": "Ed25519", "kid": key_id_of(OWNER_KEY.public_raw)}, SignatureTypeError),
        (good_header(kid="0" * 16), SignatureKeyError),
        (good_header(b64=False), SignatureHeaderError),
        (good_header(jwk={"kty": "OKP"}), SignatureHeaderError),
        (b'{"alg":"none","alg":"Ed25519"}', SignatureHeaderError),
        (b' {"alg":"Ed25519"}', SignatureTypeError),
        (b"[]", SignatureHeaderError),
        (b"", SignatureHeaderError),
    ],
    ids=str,
)
def test_a_signature_that_holds_under_another_header_is_refused(
    header: object, kind: type[SignatureError]
) -> None:
    with pytest.raises(SignatureError) as caught:
        check_signature(TEXT, with_header(header), OWNER_KEY.public_raw)
    assert type(caught.value) is kind


def test_the_header_in_another_form_is_refused() -> None:
    spaced = canonical_json(good_header()).replace(b",", b", ")
    with pytest.raises(SignatureHeaderError):
        check_signature(TEXT, with_header(spaced), OWNER_KEY.public_raw)


def test_an_hmac_under_the_public_key_is_refused() -> None:
    """The classic confusion of RS256 with HS256: the public key used as a shared secret."""
    import hashlib
    import hmac

    header = encoded(canonical_json(good_header(alg="HS256")))
    message = f"{header}.{encoded(canonical_json(TEXT))}".encode()
    value = hmac.new(OWNER_KEY.public_raw, message, hashlib.sha256).digest()
    forged = Signature(OWNER.id, key_id_of(OWNER_KEY.public_raw), f"{header}..{encoded(value)}")
    with pytest.raises(SignatureAlgorithmError):
        check_signature(TEXT, forged, OWNER_KEY.public_raw)


def forms() -> Iterator[str]:
    (signature,) = signatures_of(text_signed())
    header, _, value = signature.jws.split(".")
    yield f"{header}.{encoded(canonical_json(TEXT))}.{value}"  # the payload put in
    yield f"{header}.{value}"
    yield f"{header}..{value}."
    yield f"{header}..{value}=="
    yield f"{header}..{value[:-1]}"
    yield f"{header}..{value}A"
    yield f"{header}..{value[:-1]}{chr(ord(value[-1]) + 1)}"  # other unused bits, the same bytes
    yield f"{header}..{value[:20]}+{value[21:]}"
    yield f"{header}..{value[:20]}\n{value[20:]}"
    yield f"{header}.."
    yield ".."
    yield ""


@pytest.mark.parametrize("jws", list(forms()))
def test_another_form_of_a_good_signature_is_refused(jws: str) -> None:
    signature = Signature(OWNER.id, key_id_of(OWNER_KEY.public_raw), jws)
    with pytest.raises((SignatureFormError, SignatureHeaderError)):
        check_signature(TEXT, signature, OWNER_KEY.public_raw)


def test_a_signature_has_no_second_form_by_arithmetic() -> None:
    """RFC 8032 section 5.1.7: S must be below the group's order, or S + order would hold too."""
    message = b"message"
    value = OWNER_KEY.private.sign(message)
    high = int.from_bytes(value[32:], "little") + ORDER
    assert holds(OWNER_KEY.public_raw, value, message)
    assert not holds(OWNER_KEY.public_raw, value[:32] + high.to_bytes(32, "little"), message)


def test_a_signature_of_another_key_or_text_is_refused() -> None:
    document = text_signed()
    (signature,) = signatures_of(document)
    with pytest.raises(SignatureKeyError):
        check_signature(document, signature, STUDIO_KEY.public_raw)
    with pytest.raises(SignatureWrongError):
        check_signature(document | {"count": 3}, signature, OWNER_KEY.public_raw)
    claimed = Signature(OWNER.id, key_id_of(STUDIO_KEY.public_raw), signature.jws)
    with pytest.raises(SignatureKeyError):
        check_signature(document, claimed, STUDIO_KEY.public_raw)


def test_one_key_signs_once() -> None:
    document = text_signed()
    twice = document | {"signatures": document["signatures"] * 2}
    with pytest.raises(SignatureTwiceError):
        signatures_of(twice)


@pytest.mark.parametrize(
    "signatures",
    [
        None, {}, "a", [None], [{}], [{"party": OWNER.id, "key_id": "0" * 16}],
        [{"party": OWNER.id, "key_id": "0" * 16, "jws": 1}],
        [{"party": "urn:tercet:party:x", "key_id": "0" * 16, "jws": ".."}],
        [{"party": OWNER.id, "key_id": "0" * 16, "jws": "..", "more": 1}],
        [{"party": OWNER.id, "key_id": "0" * 16, "jws": "." * 5000}],
        [{"party": OWNER.id, "key_id": f"{n:016x}", "jws": ".."} for n in range(67)],
    ],
)  # fmt: skip
def test_signatures_of_another_shape_are_refused(signatures: object) -> None:
    with pytest.raises(DocumentError):
        signatures_of(TEXT | {"signatures": signatures})


def test_nothing_signed_has_no_signatures() -> None:
    assert signatures_of(TEXT) == ()


def points_of_small_order() -> set[int]:
    """Return their y coordinates, by the curve's own arithmetic (RFC 8032 section 5.1.4)."""
    d = -121665 * pow(121666, -1, PRIME) % PRIME

    def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
        (x1, y1), (x2, y2) = one, other
        k = d * x1 * x2 * y1 * y2 % PRIME
        x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, PRIME)
        return x % PRIME, (y1 * y2 + x1 * x2) * pow(1 - k, -1, PRIME) % PRIME

    found = set()
    for y in range(2, 40):
        square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        x = pow(square, (PRIME + 3) // 8, PRIME)
        if x * x % PRIME != square:
            x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if x * x % PRIME == square:
            point, total = (x, y), (0, 1)
            for bit in f"{ORDER:b}":
                total = add(total, total)
                total = add(total, point) if bit == "1" else total
            found.add(total[1])
    return found


def test_points_of_small_order_are_no_keys() -> None:
    small = points_of_small_order()
    assert len(small) == 5
    over = {y + PRIME for y in (0, 1)}  # RFC 8032 section 5.1.3: y is below the prime
    for y, sign in itertools.product(small | over, (0, 1)):
        raw = (y | sign << 255).to_bytes(32, "little")
        with pytest.raises(WeakKeyError):
            public_key_of(public_key_text(raw))


def test_a_key_of_small_order_would_sign_every_text() -> None:
    """Why they are refused: here, R = the neutral point and S = 0 hold for any message."""
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)
    assert holds(neutral, forged, b"one text")
    assert holds(neutral, forged, b"another text")
    with pytest.raises(WeakKeyError):
        public_key_of(public_key_text(neutral))


@pytest.mark.parametrize("text", ["", "AA", RFC_PUBLIC + "=", RFC_PUBLIC[:-1], " " + RFC_PUBLIC])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(WeakKeyError):
        public_key_of(text)


def test_each_flaw_has_a_code_of_its_own() -> None:
    kinds = [
        kind
        for kind in vars(signing).values()
        if isinstance(kind, type) and issubclass(kind, SignatureError)
    ]
    assert len(kinds) == len({kind.code for kind in kinds}) == 9
