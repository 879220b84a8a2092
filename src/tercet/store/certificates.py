"""The certificates that sign Content Credentials: a local authority, and the operator's key.

C2PA refuses a certificate that signs itself, so there are two: a root, made once, which others
may choose to trust, and under it one for the operator's own Ed25519 key. The operator's key signs
clearances and training records too: one signer, one key.

Source: C2PA Technical Specification 2.4 section 14.5 (certificate profile).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.core.errors import InputError, StorageError
from tercet.store.keys import SigningKey, load_or_make_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

CERTIFICATE_VARIABLE = "TERCET_CREDENTIALS_CERTIFICATE"
KEY_VARIABLE = "TERCET_CREDENTIALS_KEY"
_YEARS_DAYS = 20 * 365  # without a time stamp, a signature holds as long as its certificate
_BACK_DAYS = 1  # clocks differ
_ROOT_NAME, _OPERATOR_NAME = "Tercet local root", "Tercet operator"


@dataclass(frozen=True, slots=True)
class CredentialsIdentity:
    """Who signs credentials: chain and key as PEM, C2PA's name of the algorithm, the root."""

    chain_pem: str
    key_pem: str = field(repr=False)
    algorithm: str
    root_pem: str


def credentials_identity(key_path: Path, now: datetime) -> CredentialsIdentity:
    """Return the operator's own certificate where the environment names one, else a local one.

    ``TERCET_CREDENTIALS_CERTIFICATE`` and ``TERCET_CREDENTIALS_KEY`` name PEM files: a chain with
    the end entity first, and its key. Otherwise the key in ``key_path`` signs, and its
    certificates lie beside it, made where there are none. Raises InputError for files that will
    not do, StorageError when the folder cannot be written.
    """
    certificate, key = os.environ.get(CERTIFICATE_VARIABLE), os.environ.get(KEY_VARIABLE)
    if bool(certificate) != bool(key):
        raise InputError(
            f"expected both {CERTIFICATE_VARIABLE} and {KEY_VARIABLE}, or neither",
            hint="the one is the chain, the other the private key, both PEM files",
        )
    if certificate and key:
        return _given(Path(certificate), Path(key))
    return _local(load_or_make_key(key_path), key_path.parent, now)


def root_certificate(key_path: Path) -> str:
    """Return the local root as PEM, "" where none was made yet."""
    try:
        return (key_path.parent / "credentials-root.pem").read_text("ascii")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the local root certificate: {error}") from error


def _given(certificate: Path, key: Path) -> CredentialsIdentity:
    from cryptography import x509

    chain, private = _read(certificate), _private(_read(key), key)
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise InputError(f"{certificate} holds no certificates in PEM form") from error
    if certificates[0].public_key() != private.public_key():
        raise InputError(
            f"the key {key} is not that of the first certificate in {certificate}",
            hint="put the end entity's certificate first, then those that vouch for it",
        )
    return CredentialsIdentity(
        chain.decode(), _pem(private), _algorithm(private, key), _certificate_pem(certificates[-1])
    )


def _local(key: SigningKey, folder: Path, now: datetime) -> CredentialsIdentity:
    """Return the certificate of the operator's key, made anew where it is for another key."""
    from cryptography import x509

    root, chain_path = _root(folder, now), folder / "credentials.pem"
    for attempt in range(2):
        if not chain_path.exists():
            leaf = _issue(_OPERATOR_NAME, key.private.public_key(), *root, now)
            chain = _certificate_pem(leaf) + _certificate_pem(root[0])
            _make_once(chain_path, chain.encode(), 0o644)
        try:
            leaf, issuer = x509.load_pem_x509_certificates(_read(chain_path))
        except ValueError as error:
            raise InputError(
                f"{chain_path} is damaged", hint="remove it: it is made again"
            ) from error
        fits = leaf.public_key() == key.private.public_key() and issuer == root[0]
        if fits and leaf.not_valid_after_utc > now:
            break
        if attempt == 0:
            chain_path.unlink(missing_ok=True)
    return CredentialsIdentity(
        _certificate_pem(leaf) + _certificate_pem(issuer),
        _pem(key.private),
        "ed25519",
        _certificate_pem(issuer),
    )


def _root(folder: Path, now: datetime) -> tuple[Certificate, Any]:
    """Return the local authority and its key, made on first use."""
    from cryptography import x509

    key = load_or_make_key(folder / "credentials-root.key").private
    path = folder / "credentials-root.pem"
    if not path.exists():
        made = _issue(_ROOT_NAME, key.public_key(), None, key, now)
        _make_once(path, _certificate_pem(made).encode(), 0o644)
    try:
        root = x509.load_pem_x509_certificate(_read(path))
    except ValueError as error:
        raise InputError(f"{path} is damaged", hint="bring it back from a copy") from error
    if root.public_key() != key.public_key():
        raise InputError(
            f"{path} is not the certificate of credentials-root.key",
            hint="remove both: new ones are made, which others have to trust anew",
        )
    return root, key


def _issue(
    name: str, public: Any, issuer: Certificate | None, issuer_key: Any, now: datetime
) -> Certificate:
    """Return a certificate: a root when there is no issuer, else an end entity for signing."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    is_root = issuer is None
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tercet"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    usages = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=_BACK_DAYS))
        .not_valid_after(now + timedelta(days=_YEARS_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usages
            ),
            True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )
    if not is_root:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, False).add_extension(authority, False)
    return builder.sign(issuer_key, None)


def _algorithm(private: Any, path: Path) -> str:
    """Return C2PA's name of the algorithm that goes with a key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= 2048:
        return "ps256"
    if isinstance(private, ec.EllipticCurvePrivateKey):
        named = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if private.curve.name in named:
            return named[private.curve.name]
    raise InputError(
        f"the key {path} is of a kind that Content Credentials do not take",
        hint="Ed25519, P-256, P-384, P-521, or RSA of 2048 bits and more",
    )


def _private(raw: bytes, path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    if path.stat().st_mode & 0o077:
        raise InputError(f"the key {path} can be read by others", hint=f"chmod 600 {path}")
    try:
        return serialization.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is not a private key in PEM form, without a password") from error


def _pem(private: Any) -> str:
    from cryptography.hazmat.primitives import serialization

    raw: bytes = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return raw.decode()


def _certificate_pem(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _make_once(path: Path, raw: bytes, mode: int) -> None:
    """Write a file whole, unless another process makes it first: then that one holds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            os.fsync(file.fileno())
        if not path.exists():
            os.link(temporary, path)
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="set TERCET_HOME to a folder of yours"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def utc_now() -> datetime:
    """Return the time, for certificates and credentials."""
    return datetime.now(UTC)
