"""desk: one party's folder on this machine: its key, its document, and who else it knows.

    keys/<key_id>.pem  the private keys, mode 0600; the current one signs (store/keys.py)

A key never leaves its folder. The files of former keys stay: what they signed may be asked for.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tercet.consent.licences.party import Party, new_party, party_document, renewed
from tercet.consent.licences.party_history import PartyHistory
from tercet.consent.licences.signing import Document, Signer, signed
from tercet.core.errors import InputError, MissingError, StorageError
from tercet.core.strict_json import read_json
from tercet.flows.license_post import FILE_SCHEME, checked_address, send
from tercet.store.desk import Desk
from tercet.store.keys import SigningKey, load_or_make_key

VERSIONS_BYTES_MAX = 8 * 1024 * 1024
PARTY_PATH = "/party"


def now_text() -> str:
    """Return the time as documents have it: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id() -> str:
    """Return a new id that nobody can guess: urn:uuid with 122 random bits (RFC 9562, 5.4)."""
    return f"urn:uuid:{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}"


@dataclass(slots=True)
class OpenDesk:
    """A desk in use: its store, and who signs.

    ``allow_local`` lets it talk to addresses that are not public, and by plain HTTP;
    ``allow_folders`` to desks that are folders of this machine: a server never may.
    """

    store: Desk
    clock: Callable[[], str] = now_text
    make_id: Callable[[], str] = new_id
    allow_local: bool = False
    allow_folders: bool = True
    listening_at: str = ""
    _signers: dict[str, Signer] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that it is."""
        return self.store.folder

    @property
    def history(self) -> PartyHistory:
        """Every version of its own party."""
        return self.store.party_history(self.store.party)

    @property
    def party(self) -> Party:
        """Who it belongs to, now."""
        return self.history.latest

    @property
    def address(self) -> str:
        """Where it takes messages: of its party's document, else of its server, else its folder."""
        party_address = self.party.address
        if party_address or self.listening_at:
            return party_address or self.listening_at
        return f"{FILE_SCHEME}{self.folder.resolve()}" if self.allow_folders else ""

    @property
    def introduction(self) -> Document:
        """The latest version of its own document, as it was signed."""
        return self.history.versions[-1].document

    def signer(self) -> Signer:
        """Return who signs now. Raises MissingError when no key file of a current key is here."""
        party = self.party
        for key in reversed(party.current_keys):
            if key.key_id in self._signers or key_path(self.folder, key.key_id).is_file():
                return self._signer(party.id, key.key_id)
        raise MissingError(
            f"no key of {party.id} that may sign is in {self.folder / 'keys'}",
            hint="put the key file back, or ask whoever has another key to make a new version",
        )

    def _signer(self, party_id: str, key_id: str) -> Signer:
        if key_id not in self._signers:
            key = load_or_make_key(key_path(self.folder, key_id))
            self._signers[key_id] = _signer_of(party_id, key)
        return self._signers[key_id]


def key_path(folder: Path, key_id: str) -> Path:
    """Return where a key of a desk lies."""
    return folder / "keys" / f"{key_id}.pem"


def open_desk(folder: Path, **options: Any) -> OpenDesk:
    """Return the desk in a folder; ``options`` are those of OpenDesk. Raises InputError."""
    return OpenDesk(Desk.open(folder), **options)


def make_desk(folder: Path, name: str, *, address: str = "", at: str = "") -> OpenDesk:
    """Make a desk with a key and the first version of its party's document.

    Raises InputError where there is one already, or the name or the address cannot be used.
    """
    at = at or now_text()
    if (folder / "desk.sqlite").exists():
        raise InputError(f"{folder} is a desk already", hint="`tercet desk show` shows whose")
    key = _new_key(folder)
    party = new_party(name, address, at, [key.public_raw])
    document = signed(party_document(party), _signer_of(party.id, key))
    return OpenDesk(Desk.make(folder, document, at))


def rotate_key(desk: OpenDesk) -> Party:
    """Give the party a new key; the one before signs nothing new. What it signed stays valid."""
    old = desk.signer()
    key = _new_key(desk.folder)
    return _renew(
        desk, old, (_signer_of(old.party, key),), add=[key.public_raw], retire=[old.key_id]
    )


def revoke_key(desk: OpenDesk, key_id: str, reason: str) -> Party:
    """Say that a key is not to be trusted any more; the current one is replaced by a new one.

    What others saw signed by it before they learn of it stays valid. Raises InputError.
    """
    known = desk.party.key(key_id)
    if known is None or known.revoked_at:
        raise InputError(
            f"expected a key of {desk.party.id} that is not revoked, got {key_id!r:.40}",
            hint="`tercet desk show` lists the keys",
        )
    old = desk.signer()
    if old.key_id != key_id:
        return _renew(desk, old, (), revoke={key_id: reason})
    key = _new_key(desk.folder)
    signers = (_signer_of(old.party, key),)
    return _renew(desk, old, signers, add=[key.public_raw], revoke={key_id: reason})


def change_party(desk: OpenDesk, *, name: str | None = None, address: str | None = None) -> Party:
    """Give the party another name or address, in a new version of its document."""
    return _renew(desk, desk.signer(), (), name=name, address=address)


def add_party(
    desk: OpenDesk, versions: Iterable[Document], *, confirmed: Iterable[str] = ()
) -> PartyHistory:
    """Take in what another party says of itself, all versions in order.

    ``confirmed`` are ids of parties of a similar name that a person told apart from it.
    """
    return desk.store.take_parties(versions, desk.clock(), confirmed=frozenset(confirmed))


def fetch_party(desk: OpenDesk, place: str) -> tuple[Document, ...]:
    """Return the versions that a party tells of itself: a file, a folder of a desk, or an address.

    Raises InputError where there is nothing that can be used.
    """
    if place.startswith(("https://", "http://")):
        address = checked_address(place, allow_local=desk.allow_local)
        reply = send("GET", address + PARTY_PATH, allow_local=desk.allow_local,
                     bytes_max=VERSIONS_BYTES_MAX)  # fmt: skip
        if not reply.is_good:
            raise InputError(
                f"{address} does not tell who it is: {reply.note or reply.status}",
                hint="check the address, and whether its server runs",
            )
        return _versions_in(reply.body)
    path = Path(place.removeprefix(FILE_SCHEME))
    if path.is_dir():
        other = open_desk(path)
        return tuple(each.document for each in other.history.versions)
    try:
        return _versions_in(path.read_bytes()[: VERSIONS_BYTES_MAX + 1])
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _versions_in(raw: bytes) -> tuple[Document, ...]:
    """Read one party document, a list of them, or the answer of a server."""
    value = read_json(raw, bytes_max=VERSIONS_BYTES_MAX)
    if isinstance(value, dict) and "versions" in value:
        value = value["versions"]
    versions = value if isinstance(value, list) else [value]
    if not versions or not all(isinstance(each, dict) for each in versions):
        raise InputError("expected the documents of a party, got other JSON")
    return tuple(versions)


def _renew(desk: OpenDesk, old: Signer, new: tuple[Signer, ...], **changes: Any) -> Party:
    at = max(desk.clock(), desk.party.made_at)
    document = party_document(renewed(desk.party, at, **changes))
    for signer in (old, *new):
        document = signed(document, signer)
    return desk.store.take_parties([document], desk.clock()).latest


def _new_key(folder: Path) -> SigningKey:
    """Make a key in the folder, under its own id once it is whole."""
    fresh = folder / "keys" / f"new-{secrets.token_hex(8)}.pem"
    key = load_or_make_key(fresh)
    try:
        os.rename(fresh, key_path(folder, key.key_id))
    except OSError as error:
        raise StorageError(f"cannot write a key in {folder}: {error.strerror}") from error
    return key


def _signer_of(party_id: str, key: SigningKey) -> Signer:
    return Signer(party_id, key.public_raw, key.private.sign)
