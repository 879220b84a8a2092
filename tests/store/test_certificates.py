"""The certificates that sign credentials: made once, kept close, for the operator's own key."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from tercet.core.errors import InputError, StorageError
from tercet.store.certificates import (
    CERTIFICATE_VARIABLE,
    KEY_VARIABLE,
    CredentialsIdentity,
    credentials_identity,
    root_certificate,
)
from tercet.store.keys import load_or_make_key

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def identity(folder: Path, now: datetime = NOW) -> CredentialsIdentity:
    return credentials_identity(folder / "operator.key", now)


def pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_the_profile_that_c2pa_asks_for(tmp_path: Path) -> None:
    """C2PA 2.4 section 14.5: version 3, digital signature, not an authority, e-mail protection."""
    made = identity(tmp_path)
    leaf, root = x509.load_pem_x509_certificates(made.chain_pem.encode())
    assert leaf.version is x509.Version.v3
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_cert_sign) == (True, False)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [purpose.dotted_string for purpose in purposes] == ["1.3.6.1.5.5.7.3.4"]
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_operators_key_signs_here_too(tmp_path: Path) -> None:
    made = identity(tmp_path)
    leaf = x509.load_pem_x509_certificate(made.chain_pem.encode())
    key = load_or_make_key(tmp_path / "operator.key")
    assert leaf.public_key() == key.private.public_key()
    assert made.algorithm == "ed25519"


def test_made_once_and_secret(tmp_path: Path) -> None:
    assert identity(tmp_path) == identity(tmp_path, NOW + timedelta(days=400))
    assert root_certificate(tmp_path / "operator.key") == identity(tmp_path).root_pem
    for name in ("operator.key", "credentials-root.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(identity(tmp_path))


def test_another_operators_key_gets_its_certificate_from_the_same_root(tmp_path: Path) -> None:
    first = identity(tmp_path)
    (tmp_path / "operator.key").unlink()
    second = identity(tmp_path)
    assert first.root_pem == second.root_pem
    assert first.chain_pem != second.chain_pem


def test_many_at_once_agree(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(identity(tmp_path).chain_pem))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_root_of_another_key(tmp_path: Path) -> None:
    identity(tmp_path)
    (tmp_path / "credentials-root.key").unlink()
    with pytest.raises(InputError, match="is not the certificate of"):
        identity(tmp_path)


@pytest.mark.parametrize("name", ["credentials.pem", "credentials-root.pem"])
def test_damaged_certificates(tmp_path: Path, name: str) -> None:
    identity(tmp_path)
    (tmp_path / name).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(InputError, match=r"is damaged"):
        identity(tmp_path)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises((StorageError, InputError)):
        identity(tmp_path / "home")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
    ids=["ed25519", "p256", "p384", "p521", "rsa"],
)
def test_the_operators_own_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: object, algorithm: str
) -> None:
    given(tmp_path, monkeypatch, key, key)
    made = identity(tmp_path / "home")
    assert made.algorithm == algorithm
    assert not (tmp_path / "home").exists(), "nothing is made where one is given"


def test_own_certificates_that_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    given(tmp_path, monkeypatch, right, wrong)
    with pytest.raises(InputError, match="is not that of the first certificate"):
        identity(tmp_path)
    given(tmp_path, monkeypatch, right, right)
    (tmp_path / "own.key").chmod(0o644)
    with pytest.raises(InputError, match="can be read by others"):
        identity(tmp_path)
    (tmp_path / "own.key").write_bytes(b"no key")
    (tmp_path / "own.key").chmod(0o600)
    with pytest.raises(InputError, match="not a private key"):
        identity(tmp_path)
    (tmp_path / "own.key").write_bytes(pem(x25519.X25519PrivateKey.generate()))
    with pytest.raises(InputError):
        identity(tmp_path)
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(InputError, match="both"):
        identity(tmp_path)


def given(folder: Path, monkeypatch: pytest.MonkeyPatch, certified: object, key: object) -> None:
    """Put a certificate of ``certified`` and ``key`` where the environment names them."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    is_edwards = isinstance(certified, ed25519.Ed25519PrivateKey)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(certified.public_key())  # type: ignore[attr-defined]
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
        .sign(certified, None if is_edwards else serialization_hash())  # type: ignore[arg-type]
    )
    (folder / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "own.key").write_bytes(pem(key))
    (folder / "own.key").chmod(0o600)
    monkeypatch.setenv(CERTIFICATE_VARIABLE, str(folder / "own.pem"))
    monkeypatch.setenv(KEY_VARIABLE, str(folder / "own.key"))


def serialization_hash() -> object:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()
