"""`tercet/party@1`: who a party is, where it is reached, and which keys sign for it.

    {"type": "tercet/party@1", "id": "urn:tercet:party:" + 16 hex, "name", "version": 1..,
     "previous": SHA-256 of the version before or "", "address": base URL of its API or "",
     "made_at": RFC 3339, "keys": [{"key_id", "public_key", "since", "until", "revoked_at",
     "reason"}], "signatures": [...]}

The id comes of the first key that ever was, so it cannot be chosen, and never changes; keys may.
A key is current while it has neither ``until`` (retired: it signs nothing new) nor ``revoked_at``
(no longer to be trusted). Keys are never taken out. See party_history for what may follow what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tercet.consent.licences.closed_fields import (
    PARTY_ID,
    SHA256,
    ClosedFields,
    DocumentError,
    is_time,
)
from tercet.consent.licences.names import check_name
from tercet.consent.licences.signing import (
    KEY_ID,
    Document,
    document_sha256,
    key_id_of,
    public_key_of,
    public_key_text,
)
from tercet.consent.urls import split_url
from tercet.core.errors import InputError
from tercet.core.limits import PARTY_KEYS_MAX

PARTY_TYPE = "tercet/party@1"
PARTY_ID_PREFIX = "urn:tercet:party:"
VERSION_MAX = 1_000_000
_ADDRESS_CHARACTERS_MAX = 2_000
_REASON_CHARACTERS_MAX = 500
_MEMBERS = (
    "type", "id", "name", "version", "previous", "address", "made_at", "keys", "signatures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartyKey:
    """One key of a party. ``public_key`` is base64url; times are "" where they do not apply."""

    key_id: str
    public_key: str
    since: str
    until: str = ""
    revoked_at: str = ""
    reason: str = ""

    @property
    def is_current(self) -> bool:
        """Whether the key may sign."""
        return not self.until and not self.revoked_at

    @property
    def public_raw(self) -> bytes:
        """The raw 32 bytes of the public key. Raises WeakKeyError."""
        return public_key_of(self.public_key)


@dataclass(frozen=True, slots=True)
class Party:
    """One version of a party's document, without its signatures."""

    id: str
    name: str
    version: int
    previous: str
    address: str
    made_at: str
    keys: tuple[PartyKey, ...]

    def key(self, key_id: str) -> PartyKey | None:
        """Return a key by its id."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    @property
    def current_keys(self) -> tuple[PartyKey, ...]:
        """The keys that may sign now. Without any, the party has ended."""
        return tuple(key for key in self.keys if key.is_current)


def party_id_of(public_raw: bytes) -> str:
    """Return the id of the party whose first key this is."""
    return PARTY_ID_PREFIX + key_id_of(public_raw)


def new_party(name: str, address: str, made_at: str, public_keys: Iterable[bytes]) -> Party:
    """Return the first version of a party. The first of its raw keys gives it its id.

    A second key that is kept elsewhere can revoke the first one should it be stolen.
    """
    keys = tuple(_new_key(raw, made_at) for raw in public_keys)
    party_id = PARTY_ID_PREFIX + keys[0].key_id
    return _checked(Party(party_id, name, 1, "", address, made_at, keys))


def renewed(
    party: Party,
    made_at: str,
    *,
    name: str | None = None,
    address: str | None = None,
    add: Iterable[bytes] = (),
    retire: Iterable[str] = (),
    revoke: Mapping[str, str] | None = None,
) -> Party:
    """Return the version after ``party``, not yet signed.

    ``add`` are raw public keys, ``retire`` ids of keys that sign no more, ``revoke`` ids of keys
    not to be trusted any more, with the reason. Raises DocumentError for ids that it has not.
    """
    revoked, retired = revoke or {}, set(retire)
    for key_id in (*revoked, *retired):
        if party.key(key_id) is None:
            raise DocumentError(f"expected a key of {party.id}, got {key_id!r:.40}")
    keys = [_closed(key, made_at, revoked.get(key.key_id), retired) for key in party.keys]
    return _checked(
        Party(
            id=party.id,
            name=party.name if name is None else name,
            version=party.version + 1,
            previous=document_sha256(party_document(party)),
            address=party.address if address is None else address,
            made_at=made_at,
            keys=(*keys, *(_new_key(raw, made_at) for raw in add)),
        )
    )


def party_document(party: Party) -> dict[str, Any]:
    """Return a party as the fields of its document, not yet signed."""
    return {
        "type": PARTY_TYPE,
        "id": party.id,
        "name": party.name,
        "version": party.version,
        "previous": party.previous,
        "address": party.address,
        "made_at": party.made_at,
        "keys": [{name: getattr(key, name) for name in PartyKey.__slots__} for key in party.keys],
    }


def party_of(document: Document) -> Party:
    """Return the party that a document describes; its signatures are not looked at.

    Raises DocumentError, NameError of names, or WeakKeyError.
    """
    members = _MEMBERS if "signatures" in document else _MEMBERS[:-1]
    fields = ClosedFields(document, "party", members)
    fields.constant("type", PARTY_TYPE)
    version = fields.integer("version", 1, VERSION_MAX)
    return _checked(
        Party(
            id=fields.matching("id", PARTY_ID, "the id of a party"),
            name=fields.text("name", 1_000, required=True),
            version=version,
            previous=fields.matching("previous", SHA256, "a SHA-256 or nothing", empty=True),
            address=fields.text("address", _ADDRESS_CHARACTERS_MAX),
            made_at=fields.time("made_at"),
            keys=fields.items("keys", _key, PARTY_KEYS_MAX),
        )
    )


def _new_key(public_raw: bytes, since: str) -> PartyKey:
    return PartyKey(key_id_of(public_raw), public_key_text(public_raw), since)


def _closed(key: PartyKey, at: str, reason: str | None, retired: set[str]) -> PartyKey:
    if reason is not None and not key.revoked_at:
        return replace(key, revoked_at=at, reason=reason)
    if key.key_id in retired and key.is_current:
        return replace(key, until=at)
    return key


def _key(value: object, where: str) -> PartyKey:
    fields = ClosedFields(value, where, PartyKey.__slots__)
    return PartyKey(
        key_id=fields.matching("key_id", KEY_ID, "the id of a key"),
        public_key=fields.text("public_key", 64, required=True),
        since=fields.time("since"),
        until=_time_or_nothing(fields, "until"),
        revoked_at=_time_or_nothing(fields, "revoked_at"),
        reason=fields.text("reason", _REASON_CHARACTERS_MAX),
    )


def _time_or_nothing(fields: ClosedFields, name: str) -> str:
    value = fields.raw(name)
    return "" if isinstance(value, str) and not value else fields.time(name)


def _checked(party: Party) -> Party:
    """Return a party whose parts fit together. What came before is looked at elsewhere."""
    check_name(party.name)
    _check_address(party.address)
    if not is_time(party.made_at):
        raise DocumentError(f"expected a time in UTC at party.made_at, got {party.made_at!r:.40}")
    if not 1 <= len(party.keys) <= PARTY_KEYS_MAX:
        raise DocumentError(f"expected 1 to {PARTY_KEYS_MAX} keys, got {len(party.keys)}")
    if len({key.key_id for key in party.keys}) != len(party.keys):
        raise DocumentError("expected each key once, got one twice")
    if party.id != PARTY_ID_PREFIX + party.keys[0].key_id:
        raise PartyIdError(
            f"expected the id {PARTY_ID_PREFIX}{party.keys[0].key_id}, which comes of the first "
            f"key, got {party.id}"
        )
    if (party.version == 1) == bool(party.previous):
        raise DocumentError("expected the SHA-256 of the version before, and none in version 1")
    for key in party.keys:
        _check_key(key, party.made_at)
    return party


def _check_key(key: PartyKey, made_at: str) -> None:
    if key_id_of(key.public_raw) != key.key_id:
        raise DocumentError(f"the id {key.key_id} is not that of the key it stands with")
    for name in ("since", "until", "revoked_at"):
        at = getattr(key, name)
        if at and not (key.since <= at <= made_at):
            raise DocumentError(
                f"expected {name} of the key {key.key_id} between its begin and {made_at}, got {at}"
            )
    if bool(key.revoked_at) != bool(key.reason.strip()):
        raise DocumentError(f"expected a reason with the revocation of {key.key_id}, and only then")


def _check_address(address: str) -> None:
    if not address:
        return
    split = split_url(address)
    if split is None or f"{split.origin}{split.path}" != address or "?" in address:
        raise DocumentError(
            f"expected the base URL of an API in normal form at party.address, got {address!r:.80}",
            hint="for example https://example.org/tercet, without user, query or fragment",
        )


class PartyIdError(InputError):
    """An id that is not that of the party's first key."""

    code = "party-id"
