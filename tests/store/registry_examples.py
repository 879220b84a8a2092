"""Works, claims and keys for tests of the registry."""

from __future__ import annotations

import base64
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tercet.consent.fingerprints import text
from tercet.consent.registry.claim import Claim, Owner, Subject
from tercet.consent.registry.declared_terms import Terms, reserved_terms
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.work import Medium
from tercet.store.keys import SigningKey
from tercet.store.registry import Registration, Registry, Signing

DAY_1 = "2026-01-01T00:00:00Z"
DAY_40 = "2026-02-10T00:00:00Z"
SOFTWARE_KEYS: dict[str, SigningKey] = {}
PROSE = " ".join(f"the {noun} saw {verb} near a {noun} in {place}"
                 for noun in ("heron", "miller", "quarry", "lantern", "sexton")
                 for verb in ("withered", "gleaming", "sunken", "toppled")
                 for place in ("Ghent", "Basra", "Lisbon"))  # fmt: skip


def key(name: str) -> SigningKey:
    """A key that is the same whenever it is asked for by that name."""
    if name not in SOFTWARE_KEYS:
        private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
        SOFTWARE_KEYS[name] = SigningKey(private, private.public_key().public_bytes_raw())
    return SOFTWARE_KEYS[name]


def by(name: str, at: str = DAY_1) -> Signing:
    return Signing(key(name), at)


def public(name: str) -> str:
    return base64.b64encode(key(name).public_raw).decode()


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def registration(
    work: str = "work",
    *owners: tuple[str, int],
    terms: Terms | None = None,
    near: tuple[int, ...] = (),
    title: str = "",
    url: str = "",
) -> Registration:
    subject = Subject(digest(work), Medium.TEXT, title=title, source_url=url)
    return Registration(
        WorkRecord(medium=Medium.TEXT, sha256=digest(work), title=title, registered_at=DAY_1),
        tuple(
            Claim(subject, Owner(name), terms or reserved_terms(), DAY_1, share)
            for name, share in owners or (("Ann", 10_000),)
        ),
        near_copies=near,
    )


def make(folder: Path) -> Registry:
    return Registry.make(folder, by("keeper"))


def with_text(one: Registration, words: str = PROSE) -> Registration:
    fingerprint = text.fingerprint(words)
    assert not fingerprint.unfit
    return replace(
        one, work=replace(one.work, methods=(fingerprint.method,)), fingerprints=(fingerprint,)
    )
