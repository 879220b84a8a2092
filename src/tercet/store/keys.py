"""The operator's Ed25519 key: made on first use, kept with mode 0600."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.core.errors import InputError, StorageError
from tercet.core.ids import sha256_hex

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHER_KEY = "give another file with --key; where none is yet, a key is made"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its public half: raw 32 bytes, and an id of 16 hex digits."""

    private: Ed25519PrivateKey
    public_raw: bytes

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of SHA-256 over the raw public key."""
        return sha256_hex(self.public_raw)[:16]

    def signature(self, message: bytes) -> dict[str, str]:
        """Return a signature over ``message`` as the fields a signed document carries."""
        return {
            "algorithm": "Ed25519",
            "key_id": self.key_id,
            "public_key": base64.b64encode(self.public_raw).decode(),
            "value": base64.b64encode(self.private.sign(message)).decode(),
        }

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes that only who holds this key can have; each purpose has its own.

        They are SHA-256 of a signature, which Ed25519 makes the same each time (RFC 8032, 5.1.6).
        """
        return hashlib.sha256(self.private.sign(f"tercet/secret@1 {purpose}".encode())).digest()


def default_key_path() -> Path:
    """Return where the key lies: $TERCET_HOME, else the user's configuration folder."""
    home = os.environ.get("TERCET_HOME")
    if home:
        return Path(home) / "operator.key"
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "tercet" / "operator.key"


def load_or_make_key(path: Path) -> SigningKey:
    """Return the key in ``path``, made there (mode 0600) when it does not exist.

    Raises InputError when the file is no Ed25519 key or others may read it, StorageError when
    it cannot be written.
    """
    if not os.path.lexists(path):
        _make(path)
    return _load(path)


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # fails where another process made one first: that one holds
        except FileExistsError:
            return
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot write the signing key {path}: {error.strerror}",
            hint="set TERCET_HOME to a folder you may write, or give --key FILE",
        ) from error


def _load(path: Path) -> SigningKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the signing key {path}: {error.strerror}", hint=_OTHER_KEY
        ) from error
    if mode & 0o077:
        raise InputError(
            f"the signing key {path} can be read by others (mode {mode & 0o777:o})",
            hint=f"chmod 600 {path}",
        )
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is not a private key in PEM form", hint=_OTHER_KEY) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(f"{path} is not an Ed25519 key", hint=_OTHER_KEY)
    raw = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return SigningKey(private, raw)


def signature_holds(public_raw: bytes, value: bytes, message: bytes) -> bool:
    """Say whether ``value`` is the Ed25519 signature of ``message`` by that public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_raw).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True
