"""Content ids and digests."""

from __future__ import annotations

import hashlib


def sha256_hex(raw: bytes) -> str:
    """Return the SHA-256 of ``raw`` as 64 hex digits."""
    return hashlib.sha256(raw).hexdigest()
