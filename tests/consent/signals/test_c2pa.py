"""C2PA and CAWG: real and freshly signed files, whole, tampered with, cut, and remote."""

from __future__ import annotations

import datetime
import io
import json
import socket
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.media import packets
from tercet.consent.signal import Resource
from tercet.consent.signals import c2pa as signal
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.usage import Permission, Usage

SOURCE = Source("photo.jpg", Carrier.EMBEDDED)
GRANTS = (Permission.ALLOW, Permission.CONDITIONAL)
CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
Sign = Callable[..., bytes]


def read(raw: bytes) -> tuple[Declaration, ...]:
    return tuple(
        declaration
        for packet in packets.extract(raw).packets
        if packet.resource is Resource.C2PA
        for declaration in signal.read_report(packet.raw, SOURCE)
    )


def said(declarations: tuple[Declaration, ...]) -> dict[Usage, Permission]:
    return {
        usage: permission
        for declaration in declarations
        for reading in declaration.readings
        for statement in reading.statements
        for usage, permission in statement.permissions
    }


def entries(**uses: str) -> dict[str, Any]:
    return {
        "label": "cawg.training-mining",
        "data": {"entries": {f"cawg.{name}": {"use": use} for name, use in uses.items()}},
    }


def certificates() -> tuple[bytes, bytes]:
    """A leaf under a root of our own, as the C2PA certificate profile asks for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def certificate(name: str, public: Any, authority: bool) -> Any:
        def named(text: str) -> x509.Name:
            organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")
            return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text)])

        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=36_500))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    **usage,
                ),
                True,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .sign(root_key, hashes.SHA256())
        )

    chain = [
        certificate("leaf", key.public_key(), False),
        certificate("root", root_key.public_key(), True),
    ]
    pem = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, secret


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    return out.getvalue()


MEDIA_TYPES = {"SVG": "image/svg+xml", "WAV": "audio/wav"}
WRITERS: dict[str, Callable[[], bytes]] = {
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>',
    "WAV": wav,
}


@pytest.fixture(scope="module")
def sign() -> Sign:
    """Return a function that signs a small image with the assertions given."""
    library = pytest.importorskip("c2pa")
    image = pytest.importorskip("PIL.Image")
    pem, secret = certificates()

    def signed(
        *assertions: dict[str, Any], form: str = "JPEG", parent: bytes = b"", remote: str = ""
    ) -> bytes:
        media_type = MEDIA_TYPES.get(form, f"image/{form.lower()}")
        created = {"action": "c2pa.created", "digitalSourceType": CAPTURE}
        first = {"label": "c2pa.actions", "data": {"actions": [created]}}
        listed = list(assertions) if parent else [first, *assertions]
        builder = library.Builder(
            json.dumps({
                "claim_generator_info": [{"name": "test", "version": "1"}],
                "title": "t", "format": media_type, "assertions": listed,
            })
        )  # fmt: skip
        if parent:
            builder.set_intent(library.C2paBuilderIntent.EDIT)
            builder.add_ingredient(
                json.dumps({"title": "p", "relationship": "parentOf"}),
                media_type,
                io.BytesIO(parent),
            )
        if remote:
            builder.set_remote_url(remote)
            builder.set_no_embed()
        source, out = io.BytesIO(parent), io.BytesIO()
        if form in WRITERS:
            source = io.BytesIO(WRITERS[form]())
        elif not parent:
            image.new("RGB", (16, 16), (9, 99, 200)).save(source, form)
            source.seek(0)
        info = library.C2paSignerInfo(alg=b"es256", sign_cert=pem, private_key=secret, ta_url=None)
        builder.sign(library.Signer.from_info(info), media_type, source, out)
        return out.getvalue()

    return signed


def test_the_public_sample_denies_generative_training_and_inference(shared_vectors: Path) -> None:
    raw = (shared_vectors / "c2pa" / "C_with_CAWG_data.jpg").read_bytes()
    declarations = read(raw)
    assert said(declarations) == {
        Usage.TRAIN_GENERATIVE: Permission.DENY,
        Usage.AI_INPUT: Permission.DENY,
    }
    assert dict(declarations[0].evidence)["validation_state"] == "Valid"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "SVG", "WAV"])
def test_a_signed_grant_grants(sign: Sign, form: str) -> None:
    declarations = read(sign(entries(ai_generative_training="allowed"), form=form))
    assert said(declarations) == {Usage.TRAIN_GENERATIVE: Permission.ALLOW}
    assert declarations[0].fault == ""


def test_a_tampered_image_keeps_its_denial_and_loses_its_grant(sign: Sign) -> None:
    raw = bytearray(sign(entries(ai_generative_training="allowed", data_mining="notAllowed")))
    raw[raw.rindex(b"\xff\xda") + 20] ^= 1
    declarations = read(bytes(raw))
    assert said(declarations) == {
        Usage.TRAIN_GENERATIVE: Permission.UNKNOWN,
        Usage.MINE: Permission.DENY,
    }
    assert dict(declarations[0].evidence)["validation_state"] == "Invalid"
    assert "not valid" in declarations[0].fault


def test_constrained_is_a_denial_with_its_wording(sign: Sign) -> None:
    assertion = entries(ai_training="constrained")
    assertion["data"]["entries"]["cawg.ai_training"]["constraint_info"] = "Ask the archive"
    (declaration,) = read(sign(assertion))
    (statement,) = declaration.readings[0].statements
    assert statement.permissions == ((Usage.TRAIN_NONGENERATIVE, Permission.DENY),)
    assert statement.conditions[0].text == "Ask the archive"


def test_a_denial_of_the_parent_counts_and_its_grant_does_not(sign: Sign) -> None:
    parent = sign(entries(data_mining="notAllowed", ai_inference="allowed"))
    declarations = read(sign(entries(ai_generative_training="allowed"), parent=parent))
    assert said(declarations) == {
        Usage.TRAIN_GENERATIVE: Permission.ALLOW,
        Usage.MINE: Permission.DENY,
        Usage.AI_INPUT: Permission.UNKNOWN,
    }
    assert len({d.declaration_id for d in declarations}) == 2


def test_a_remote_manifest_is_a_doubt_and_nothing_is_fetched(
    sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.3)
    port = listener.getsockname()[1]
    raw = sign(entries(data_mining="allowed"), remote=f"http://127.0.0.1:{port}/a.c2pa")
    extraction = packets.extract(raw)
    assert "c2pa: remote manifest, not fetched" in extraction.faults
    (declaration,) = read(raw)
    assert "remote manifest" in declaration.fault
    assert not set(said((declaration,)).values()) & {*GRANTS, Permission.DENY}
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()


def test_a_file_cut_short_still_denies(sign: Sign) -> None:
    raw = sign(entries(ai_generative_training="notAllowed", data_mining="allowed"), form="PNG")
    declarations = read(raw[:-20])
    assert said(declarations) == {Usage.TRAIN_GENERATIVE: Permission.DENY}
    assert declarations[0].fault


def test_the_library_stays_away_from_files_without_a_manifest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the C2PA library was asked")

    monkeypatch.setattr(packets.c2pa_report, "read", refuse)
    for raw in (b"a text on c2pa", b"\xff\xd8\xff\xda\x00\x02c2pa jumb", b"%PDF-1.4 c2pa"):
        packets.extract(raw)


@settings(max_examples=200)
@given(st.binary(max_size=100) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    assert all(not set(said((d,)).values()) & set(GRANTS) for d in signal.read_report(raw, SOURCE))


VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["allowed", "notAllowed", "constrained", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["entries", "use", "cawg.ai_training", "c2pa.data_mining", "y"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=200)
@given(data=VALUES, state=st.sampled_from(["Invalid", "", "Unknown", "valid"]))
def test_nothing_grants_without_a_valid_signature(data: object, state: str) -> None:
    manifest = {"assertions": [{"label": "cawg.training-mining", "data": data}]}
    report = {"report": {"active_manifest": "a", "manifests": {"a": manifest}}, "state": state}
    declarations = signal.read_report(json.dumps(report).encode(), SOURCE)
    assert len(declarations) == 1
    assert not set(said(declarations).values()) & set(GRANTS)
