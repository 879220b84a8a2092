"""What a party was, version by version, as one store came to know it: which key counts when.

What a store saw signed while it held the key to be current stays valid for ever. What comes in
after the store learned that a key was revoked is refused, whatever date it claims: who stole a key
can write any date. After a retirement, what claims an earlier date still counts, for a retired key
is not a stolen one; should it be, it can be revoked later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.names import check_not_alike
from tercet.consent.licences.party import Party, PartyKey, party_of
from tercet.consent.licences.signing import (
    Document,
    check_signature,
    document_sha256,
    signatures_of,
)
from tercet.core.errors import ConflictError, RefusedError


class PartySignatureError(RefusedError):
    """A version that is not signed by the keys that must sign it."""

    code = "party-unsigned"


class PartyClosedKeyError(RefusedError):
    """A version signed by a key that was retired or revoked before."""

    code = "party-closed-key"


class PartyOldVersionError(ConflictError):
    """A version that was left behind: numbers never go back."""

    code = "party-old-version"


class PartyGapError(ConflictError):
    """A version whose predecessor is not known here."""

    code = "party-gap"


class PartyRewrittenError(RefusedError):
    """A version that changes what must stay: keys, their begin or end, the order of time."""

    code = "party-rewritten"


class PartyForkError(ConflictError):
    """Two documents of one version, both signed: their party says different things to different
    people, or somebody else has its key. ``documents`` are the evidence, the known one first.
    """

    code = "party-fork"

    def __init__(self, message: str, documents: tuple[Document, Document], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.documents = documents


class KeyStanding(StrEnum):
    """Whether a signature by a key counts."""

    VALID = "valid"
    UNKNOWN = "unknown"
    TOO_EARLY = "too_early"  # the document claims to be older than the key
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class PartyVersion:
    """One version with its document, and when this store took it in (RFC 3339, UTC)."""

    party: Party
    document: Document
    received_at: str

    @property
    def sha256(self) -> str:
        """The name of the document, by which the next version names it."""
        return document_sha256(self.document)


@dataclass(frozen=True, slots=True)
class PartyHistory:
    """Every version of one party that a store took in, the first one first."""

    versions: tuple[PartyVersion, ...]

    @property
    def id(self) -> str:
        """The party's id."""
        return self.versions[0].party.id

    @property
    def latest(self) -> Party:
        """The party as it is now."""
        return self.versions[-1].party

    @property
    def names(self) -> frozenset[str]:
        """Every name that the party ever gave itself."""
        return frozenset(version.party.name for version in self.versions)

    def version(self, number: int) -> PartyVersion | None:
        """Return one version by its number."""
        return self.versions[number - 1] if 1 <= number <= len(self.versions) else None


Parties = Mapping[str, PartyHistory]
"""What a store knows of parties, by their id."""


def receive_party(
    history: PartyHistory | None,
    document: Document,
    received_at: str,
    *,
    known_names: Mapping[str, str] | None = None,
    confirmed: frozenset[str] = frozenset(),
) -> PartyHistory:
    """Return what is known of a party once its document was taken in.

    The latest version once more changes nothing. ``known_names`` are the names of the other
    parties by id, ``confirmed`` those a person told apart from this one. Raises DocumentError and
    other InputErrors for what is no party document, a SignatureError, one of the errors of this
    module, or NameLookalikeError.
    """
    party = party_of(document)
    before = None if history is None else history.version(party.version - 1)
    known = None if history is None else history.version(party.version)
    if history is not None and party.id != history.id:
        raise DocumentError(f"expected a document of {history.id}, got one of {party.id}")
    if known is None and before is None and party.version > 1:
        raise PartyGapError(
            f"version {party.version} of {party.id} comes before the one that leads to it",
            hint="ask the party for all its versions",
        )
    if history is not None and known is not None:
        if known.sha256 == document_sha256(document):
            return _known_already(history, known)
        _check_signed(party, document, before)
        raise _fork(known, document)
    _check_signed(party, document, before)
    if before is not None:
        _check_follows(party, before)
    if before is None or before.party.name != party.name:
        check_not_alike(party.id, party.name, known_names or {}, confirmed)
    versions = () if history is None else history.versions
    return PartyHistory((*versions, PartyVersion(party, dict(document), received_at)))


def receive_parties(
    history: PartyHistory | None,
    documents: Iterable[Document],
    received_at: str,
    *,
    known_names: Mapping[str, str] | None = None,
    confirmed: frozenset[str] = frozenset(),
) -> PartyHistory:
    """Return what is known after a party's documents, in order; known ones are passed over.

    Raises what receive_party raises, DocumentError where there is none.
    """
    for document in documents:
        known = None if history is None else history.version(party_of(document).version)
        if known is None or known.sha256 != document_sha256(document):
            history = receive_party(
                history, document, received_at, known_names=known_names, confirmed=confirmed
            )
    if history is None:
        raise DocumentError("expected the documents of a party, got none")
    return history


def key_standing(history: PartyHistory, key_id: str, made_at: str, seen_at: str) -> KeyStanding:
    """Say whether a signature by a key counts.

    ``made_at`` is what the signed document claims, ``seen_at`` when this store first saw it so
    signed: nobody but the store can say that, so it must never come from a document.
    """
    key = history.latest.key(key_id)
    if key is None:
        return KeyStanding.UNKNOWN
    if made_at < key.since:
        return KeyStanding.TOO_EARLY
    if key.is_current or seen_at < _closed_at(history, key_id):
        return KeyStanding.VALID
    if key.revoked_at:
        return _standing_of_revoked(history, key, made_at, seen_at)
    return KeyStanding.VALID if made_at < key.until else KeyStanding.RETIRED


def _standing_of_revoked(
    history: PartyHistory, key: PartyKey, made_at: str, seen_at: str
) -> KeyStanding:
    """A key that was retired first and revoked later counted, in between, as a retired one."""
    learned = _learned_at(history, key.key_id, "revoked_at")
    was_valid = seen_at < learned and bool(key.until) and made_at < key.until
    return KeyStanding.VALID if was_valid else KeyStanding.REVOKED


def _closed_at(history: PartyHistory, key_id: str) -> str:
    """Return when this store learned that a key signs no more."""
    times = [_learned_at(history, key_id, name) for name in ("until", "revoked_at")]
    return min(time for time in times if time)


def _learned_at(history: PartyHistory, key_id: str, member: str) -> str:
    for version in history.versions:
        key = version.party.key(key_id)
        if key is not None and getattr(key, member):
            return version.received_at
    return ""


def _known_already(history: PartyHistory, known: PartyVersion) -> PartyHistory:
    if known.party.version < history.latest.version:
        raise PartyOldVersionError(
            f"version {known.party.version} of {history.id} was followed by version "
            f"{history.latest.version}",
            hint="versions never go back; whoever sent it may not know the later one",
        )
    return history


def _fork(known: PartyVersion, document: Document) -> PartyForkError:
    return PartyForkError(
        f"version {known.party.version} of {known.party.id} is known with another text",
        (known.document, dict(document)),
        hint="both are signed: keep both as evidence, and ask the party which keys are its own",
    )


def _check_signed(party: Party, document: Document, before: PartyVersion | None) -> None:
    """The first version is signed by all its keys; a later one by one key that was current in the
    version before, and then by each key that is new in it.
    """
    signatures = signatures_of(document)
    old = () if before is None else before.party.keys
    new = [key.key_id for key in party.keys if key.key_id not in {each.key_id for each in old}]
    signers = [signature.key_id for signature in signatures]
    by_old = signers[:1] if before is not None else []
    for signature in signatures:
        key = party.key(signature.key_id)
        if signature.party != party.id or key is None:
            raise PartySignatureError(f"a signature on {party.id} is by a key of somebody else")
        check_signature(document, signature, key.public_raw)
    if before is not None:
        _check_old_signer(before, by_old)
    if signers != [*by_old, *new]:
        raise PartySignatureError(
            f"expected version {party.version} of {party.id} to be signed by one key of the "
            f"version before and each new one, got signatures by {', '.join(signers) or 'nobody'}",
            hint="a new key proves that its owner has it; the old one that it is wanted",
        )


def _check_old_signer(before: PartyVersion, by_old: list[str]) -> None:
    key = before.party.key(by_old[0]) if by_old else None
    if key is None:
        raise PartySignatureError(
            f"expected a key of version {before.party.version} to sign what follows it"
        )
    if not key.is_current:
        raise PartyClosedKeyError(
            f"the key {key.key_id} was {'revoked' if key.revoked_at else 'retired'} before",
            hint="a key that signs no more makes no new version either",
        )


def _check_follows(party: Party, before: PartyVersion) -> None:
    """Keys are never taken out nor changed, but may end once; time goes on."""
    if party.previous != before.sha256:
        raise PartyRewrittenError(
            f"expected version {party.version} to follow {before.sha256}, got {party.previous}"
        )
    if party.made_at < before.party.made_at:
        raise PartyRewrittenError(
            f"expected version {party.version} not before {before.party.made_at}, "
            f"got {party.made_at}"
        )
    if len(party.keys) < len(before.party.keys):
        raise PartyRewrittenError("expected all keys of the version before, got fewer")
    for at, key in enumerate(party.keys):
        old = before.party.keys[at] if at < len(before.party.keys) else None
        if not _may_become(old, key, party.made_at):
            raise PartyRewrittenError(
                f"the key {key.key_id} is not what it was, or does not begin or end in this version"
            )


def _may_become(old: PartyKey | None, new: PartyKey, made_at: str) -> bool:
    """Say whether a key may be so in the next version: ends are told when they come, for a key
    that ended before it was said could take back what it had signed.
    """
    if old is None:
        return new.since == made_at and new.is_current
    same = (old.key_id, old.public_key, old.since) == (new.key_id, new.public_key, new.since)
    until_fits = new.until == old.until or (not old.until and new.until == made_at)
    if old.revoked_at:
        revoked_fits = (new.revoked_at, new.reason) == (old.revoked_at, old.reason)
    else:
        revoked_fits = new.revoked_at in ("", made_at)
    return same and until_fits and revoked_fits
