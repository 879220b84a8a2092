"""Four drawn works, a key that signs, and a clearance that let them through."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tercet.core.canonical import canonical_json
from tercet.studio.compose.works import Work
from tercet.studio.scenes.sprite import Kind

BODIES = {
    "car": (Kind.VEHICLE, 1, '<rect x="2" y="12" width="96" height="36" fill="#c22"/>'),
    "house": (Kind.BUILDING, 0, '<rect x="5" y="5" width="80" height="90" fill="#da4"/>'),
    "balloon": (Kind.AIRCRAFT, 0, '<circle cx="50" cy="50" r="45" fill="#38c"/>'),
    "fish": (Kind.SWIMMER, -1, '<ellipse cx="50" cy="50" rx="46" ry="20" fill="#4a6"/>'),
}


def sign(message: bytes) -> Mapping[str, str]:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    public = key.public_key().public_bytes_raw()
    return {
        "algorithm": "Ed25519",
        "key_id": hashlib.sha256(public).hexdigest()[:16],
        "public_key": base64.b64encode(public).decode(),
        "value": base64.b64encode(key.sign(message)).decode(),
    }


def cleared(count: int = len(BODIES), **fields: object) -> bytes:
    """Return a signed clearance that let ``count`` works through."""
    document = {"type": "tercet/clearance@1", "verdicts": {"cleared": count}, **fields}
    return canonical_json(document | {"signature": dict(sign(canonical_json(document)))})


def drawings() -> dict[str, bytes]:
    """Return the bytes of each drawing by its digest."""
    raws = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{body}</svg>'.encode()
        for _, _, body in BODIES.values()
    ]
    return {hashlib.sha256(raw).hexdigest(): raw for raw in raws}


def works() -> list[Work]:
    return [
        Work(digest, f"A {noun}", f"owner of {noun}", "CC0-1.0", noun, kind, faces)
        for digest, (noun, (kind, faces, _)) in zip(drawings(), BODIES.items(), strict=True)
    ]
