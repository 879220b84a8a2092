"""Desks of a collective, a member and a licensee, with a clock that tests turn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.collective import Snapshot
from tercet.consent.licences.signing import signed
from tercet.consent.registry.claim import Claim, Owner, Subject
from tercet.consent.registry.declared_terms import reserved_terms
from tercet.consent.registry.match_document import UsageTerms
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.terms import Grant, PartyName, Period, Terms
from tercet.core.usage import Permission, Usage
from tercet.core.work import Medium
from tercet.flows.desk import OpenDesk, add_party, key_path, make_desk
from tercet.flows.mandate import party_name
from tercet.store.keys import load_or_make_key
from tercet.store.registry import Registration, Registry, Signing

TRAIN = Usage.TRAIN_GENERATIVE
OFFERED = UsageTerms(TRAIN, Permission.ALLOW)


@dataclass
class Clock:
    """The time that every desk of a test goes by."""

    now: str = "2026-06-01T10:00:00Z"

    def __call__(self) -> str:
        return self.now


def desk(folder: Path, name: str, clock: Clock) -> OpenDesk:
    """Return a new desk of a party of that name."""
    made = make_desk(folder, name, at=clock.now)
    made.clock = clock
    return made


def know(*desks: OpenDesk) -> None:
    """Let each desk know the parties of the others."""
    for one in desks:
        for other in desks:
            if one is not other:
                add_party(one, [version.document for version in other.history.versions])


def registry_with(
    folder: Path, owner: OpenDesk, works: Iterable[str], clock: Clock, *, allows: bool = False
) -> Registry:
    """Return a registry with works, found by their SHA-256, that a desk's key claims."""
    key = load_or_make_key(key_path(owner.folder, owner.signer().key_id))
    signing = Signing(key, clock.now)
    registry = Registry.make(folder, signing)
    terms = (OFFERED,) if allows else reserved_terms()
    batch = []
    for text in works:
        sha256 = digest(text)
        claim = Claim(Subject(sha256, Medium.TEXT, title=text), Owner(owner.party.name), terms,
                      clock.now)  # fmt: skip
        record = WorkRecord(Medium.TEXT, sha256, text, registered_at=clock.now)
        batch.append(Registration(record, (claim,)))
    registry.register(batch, signing)
    return registry


def digest(text: str) -> str:
    """Return the SHA-256 of a work that is its own title."""
    return hashlib.sha256(text.encode()).hexdigest()


def agreed(collective: OpenDesk, licensee: OpenDesk, snapshot: Snapshot) -> dict[str, Any]:
    """Return an agreement on a snapshot that both signed, kept by the collective."""
    terms = Terms(
        licensor=party_name(collective),
        repertoire=snapshot.repertoire,
        licensee=PartyName(licensee.party.id, licensee.party.name),
        mandate=snapshot.id,
        grant=Grant(usages=(TRAIN,), period=Period("2026-06-01", "2028-06-01")),
    )
    document = agreement_document(
        Agreement(
            id=collective.make_id(),
            consumer_pid=collective.make_id(),
            provider_pid=collective.make_id(),
            made_at=collective.clock(),
            terms=terms,
            offer_sha256="0" * 64,
        )
    )
    document = signed(signed(document, collective.signer()), licensee.signer())
    collective.store.take_agreement(document, collective.clock())
    return document
