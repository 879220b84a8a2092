"""PDF encryption with the empty user password: files everybody may open, but not change.

Most encrypted PDFs on the web are of this kind; their metadata is as public as their pages. A file
that needs a password is left alone.

Source: ISO 32000-2 section 7.6 (standard security handler, revisions 2 to 6; algorithms 1, 2,
2.A, 2.B, 6).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tercet.consent.media.pdf_objects import PdfName

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_RC4, _AES_128, _AES_256, _NONE = "RC4", "AESV2", "AESV3", "Identity"
_RC4_KEY_BYTES = (5, 16)  # 40 and 128 bits: what is in use
_ROUNDS_MAX = 64 + 256  # algorithm 2.B ends by then: its last byte is at most 255


@dataclass(frozen=True, slots=True)
class Cipher:
    """The file's key. ``metadata`` tells whether the metadata stream is encrypted too."""

    key: bytes
    method: str
    metadata: bool

    def decrypt(self, content: bytes, number: int, generation: int) -> bytes:
        """Return a stream or string of object ``number`` in the clear; b"" when it is broken."""
        if self.method == _NONE:
            return content
        if self.method == _AES_256:
            return _without_padding(_aes(self.key, content[:16], content[16:]))
        salt = b"sAlT" if self.method == _AES_128 else b""
        owner = number.to_bytes(5, "little")[:3] + generation.to_bytes(4, "little")[:2]
        key = _md5(self.key + owner + salt)[: min(len(self.key) + 5, 16)]
        if self.method == _RC4:
            return _rc4(key, content)
        return _without_padding(_aes(key, content[:16], content[16:]))


def unlock(encrypt: object, file_id: bytes) -> Cipher | None:
    """Return the cipher that the empty user password opens, None when it opens nothing."""
    if not isinstance(encrypt, dict) or encrypt.get("Filter") != PdfName("Standard"):
        return None
    version, revision = encrypt.get("V"), encrypt.get("R")
    user = encrypt.get("U")
    if not (isinstance(version, int) and isinstance(revision, int) and isinstance(user, bytes)):
        return None
    metadata = encrypt.get("EncryptMetadata") is not False
    if version == 5:
        return _unlock_new(encrypt, user, revision, metadata)
    method = {1: _RC4, 2: _RC4, 4: _method(encrypt)}.get(version, "")
    key = _old_key(encrypt, file_id, revision, 5 if version == 1 else None, metadata)
    if not method or key is None or not _opens(key, user, file_id, revision):
        return None
    return Cipher(key, method, metadata)


def _method(encrypt: dict[str, object]) -> str:
    """Return the method of the crypt filter for streams, "" when it is not known."""
    name = encrypt.get("StmF")
    filters = encrypt.get("CF")
    if name == PdfName("Identity"):
        return _NONE
    chosen = (
        filters.get(name.text) if isinstance(filters, dict) and isinstance(name, PdfName) else 0
    )
    method = chosen.get("CFM") if isinstance(chosen, dict) else None
    names = {"V2": _RC4, "AESV2": _AES_128, "AESV3": _AES_256, "None": _NONE}
    return names.get(method.text, "") if isinstance(method, PdfName) else ""


def _old_key(
    encrypt: dict[str, object], file_id: bytes, revision: int, size: int | None, metadata: bool
) -> bytes | None:
    """Algorithm 2, for revisions 2 to 4."""
    owner, rights, bits = encrypt.get("O"), encrypt.get("P"), encrypt.get("Length", 128)
    if not isinstance(owner, bytes) or not isinstance(rights, int) or not isinstance(bits, int):
        return None
    if size is None:
        size = 16 if encrypt.get("V") == 4 else bits // 8
    if size not in _RC4_KEY_BYTES:
        return None
    seed = _PADDING + owner[:32] + (rights & 0xFFFFFFFF).to_bytes(4, "little") + file_id
    key = _md5(seed + (b"\xff" * 4 if revision >= 4 and not metadata else b""))[:size]
    for _ in range(50 if revision >= 3 else 0):
        key = _md5(key)[:size]
    return key


def _opens(key: bytes, user: bytes, file_id: bytes, revision: int) -> bool:
    """Algorithms 4 to 6: whether ``key`` is that of the user password."""
    if revision == 2:
        return _rc4(key, _PADDING) == user[:32]
    value = _md5(_PADDING + file_id)
    for step in range(20):
        value = _rc4(bytes(byte ^ step for byte in key), value)
    return value == user[:16]


def _unlock_new(
    encrypt: dict[str, object], user: bytes, revision: int, metadata: bool
) -> Cipher | None:
    """Algorithm 2.A, for revisions 5 and 6."""
    packed = encrypt.get("UE")
    if not isinstance(packed, bytes) or len(user) < 48 or len(packed) < 32:
        return None
    digest = _digest if revision >= 6 else lambda salt: hashlib.sha256(salt).digest()
    if digest(user[32:40]) != user[:32]:
        return None
    key = _aes(digest(user[40:48]), bytes(16), packed[:32])
    method = _method(encrypt)
    return Cipher(key, method, metadata) if method in (_AES_256, _NONE) else None


def _digest(salt: bytes) -> bytes:
    """Algorithm 2.B with the empty password."""
    value = hashlib.sha256(salt).digest()
    for step in range(1, _ROUNDS_MAX):
        packed = _aes(value[:16], value[16:32], value * 64, encrypt=True)
        kind = (hashlib.sha256, hashlib.sha384, hashlib.sha512)[sum(packed[:16]) % 3]
        value = kind(packed).digest()
        if step >= 64 and packed[-1] <= step - 32:
            break
    return value[:32]


def _md5(raw: bytes) -> bytes:
    return hashlib.md5(raw, usedforsecurity=False).digest()


def _rc4(key: bytes, content: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher as Scheme

    return Scheme(ARC4(key), None).decryptor().update(content)


def _aes(key: bytes, start: bytes, content: bytes, *, encrypt: bool = False) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher as Scheme
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    if len(start) < 16:
        return b""
    scheme = Scheme(AES(key), CBC(start))
    whole = content[: len(content) // 16 * 16]
    return (scheme.encryptor() if encrypt else scheme.decryptor()).update(whole)


def _without_padding(content: bytes) -> bytes:
    """Drop PKCS #7 padding where it is sound."""
    count = content[-1] if content else 0
    return content[:-count] if 1 <= count <= 16 else content
