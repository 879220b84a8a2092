"""Desks with agreements, for tests of what obeys them: an owner, a studio and others."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_corpora import NOW

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.party import Party, new_party, party_document
from tercet.consent.licences.repertoire import repertoire_bytes, repertoire_of
from tercet.consent.licences.signing import Signer, signed
from tercet.core.terms import (
    WORLD,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Use,
    Versions,
)
from tercet.core.usage import Usage
from tercet.store.desk import Desk
from tercet.store.keys import SigningKey

TODAY = NOW[:10]
TRAINS = Use(Usage.TRAIN_GENERATIVE, TODAY, model="Reel", version="1", territories=("SE", "VN"))
GRANT = Grant(
    usages=(Usage.TRAIN_GENERATIVE,),
    purposes=(Purpose.PRETRAIN, Purpose.FINETUNE),
    models=ModelScope(Versions.FAMILY, "Reel"),
    territory=Territory((WORLD,)),
    period=Period("2026-01-01", "2028-01-01", "2027-06-01"),
)


class Somebody:
    """A party with its key: always the same for one name, or the one that is given."""

    def __init__(self, name: str, private: Ed25519PrivateKey | None = None) -> None:
        seed = hashlib.sha256(name.encode()).digest()
        secret = private or Ed25519PrivateKey.from_private_bytes(seed)
        self.raw = secret.public_key().public_bytes_raw()
        self.key = SigningKey(secret, self.raw)
        self.party: Party = new_party(name, "", "2026-01-02T00:00:00Z", [self.raw])
        self.signer = Signer(self.party.id, self.raw, secret.sign)
        self.document = signed(party_document(self.party), self.signer)

    @property
    def name(self) -> PartyName:
        return PartyName(self.party.id, self.party.name)

    @property
    def public_key(self) -> str:
        return base64.b64encode(self.raw).decode()


OWNER, STUDIO, OTHER = Somebody("Owner"), Somebody("Studio"), Somebody("Other studio")


def identifier(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"urn:uuid:{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def desk_in(folder: Path, party: Somebody = STUDIO, *known: Somebody) -> Desk:
    """Return the desk of a party in ``folder``/desk that knows others."""
    desk = Desk.make(folder / "desk", party.document, NOW)
    for each in (OWNER, STUDIO, OTHER, *known):
        if each is not party:
            desk.take_parties([each.document], NOW)
    return desk


def terms_for(
    desk: Desk,
    lines: Iterable[str],
    grant: Grant = GRANT,
    *,
    licensor: Somebody = OWNER,
    licensee: Somebody = STUDIO,
    exclusions: tuple[str, ...] = (),
    **more: Any,
) -> Terms:
    """Return terms over the works of some lines, whose list the desk then has."""
    works = repertoire_of(lines)
    desk.repertoires.add(repertoire_bytes(works), NOW)
    named = RepertoireName(works.sha256, works.work_count, exclusions)
    return Terms(licensor.name, named, licensee.name, grant=grant, **more)


def agreed(
    terms: Terms,
    *,
    licensor: Somebody = OWNER,
    licensee: Somebody = STUDIO,
    name: str = "a1",
    supersedes: str = "",
) -> dict[str, Any]:
    """Return an agreement that both have signed."""
    agreement = Agreement(
        identifier(name), identifier(f"{name} c"), identifier(f"{name} p"), NOW, terms, "0" * 64,
        supersedes,
    )  # fmt: skip
    return signed(signed(agreement_document(agreement), licensor.signer), licensee.signer)


def agree(desk: Desk, lines: Iterable[str], grant: Grant = GRANT, **more: Any) -> str:
    """Put an agreement over some works into a desk; return its id."""
    own = {key: more.pop(key) for key in ("name", "supersedes") if key in more}
    parties = {key: more[key] for key in ("licensor", "licensee") if key in more}
    document = agreed(terms_for(desk, lines, grant, **more), **parties, **own)
    return desk.take_agreement(document, NOW).id


def period(start: str, end: str, training_end: str = "") -> Grant:
    return replace(GRANT, period=Period(start, end, training_end))
