"""A pack of cleared works (`tercet/works@1`): drawings as they are, and what each one shows.

A ZIP file with `works.json`, `clearance.json` and `works/SHA256.svg` for each entry. A drawing is
read only when needed, and compared with its digest each time. The index is signed by who put the
pack together; the clearance by who cleared the works.
"""

from __future__ import annotations

import base64
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.core.limits import XML_BYTES_MAX
from tercet.studio.scenes.sprite import Kind

WORKS_TYPE = "tercet/works@1"
INDEX_NAME = "works.json"
CLEARANCE_NAME = "clearance.json"
CLEARANCE_TYPE = "tercet/clearance@1"
INDEX_BYTES_MAX = 64 * 1024 * 1024
_WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP knows: the same works, the same file


@dataclass(frozen=True, slots=True)
class Work:
    """A drawing: ``work`` is the SHA-256 of its file; the rest is as in a `Sprite`."""

    work: str
    title: str
    owner: str
    licence: str
    noun: str
    kind: Kind
    faces: int


@dataclass(frozen=True, slots=True, eq=False)
class WorksPack:
    """An opened pack. ``digest`` is SHA-256 of its index, which names every work's digest.

    ``clearance`` is the SHA-256 of the signed clearance whose cleared rows these works are, and
    ``key_id`` names who says so: the signature has been checked. ``is_cleared`` tells whether the
    clearance itself is in the pack and holds: without it, anybody may have written that digest.
    """

    path: Path
    digest: str
    clearance: str
    key_id: str
    works: tuple[Work, ...]
    is_cleared: bool = False

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The nouns that can be shown, with what they are to a scene."""
        return {work.noun: work.kind for work in reversed(self.works)}

    def of_noun(self, noun: str) -> tuple[Work, ...]:
        """Return the works of a noun, in the order of their digests."""
        found = (work for work in self.works if work.noun == noun)
        return tuple(sorted(found, key=lambda work: work.work))

    def raw(self, work: Work) -> bytes:
        """Return the bytes of a drawing. Raises IntegrityError if they are not the cleared ones."""
        raw = _member(self.path, _name(work.work), XML_BYTES_MAX)
        if sha256_hex(raw) != work.work:
            raise IntegrityError(
                f"{self.path}: expected {work.work}, got a drawing with another digest",
                hint="get the pack of works again",
            )
        return raw


def write_works(
    path: Path,
    works: Iterable[Work],
    raw_of: Callable[[Work], bytes],
    *,
    clearance: bytes,
    sign: Callable[[bytes], Mapping[str, str]],
) -> str:
    """Write a pack and return its digest; the same works and key give the same bytes.

    ``raw_of`` gives the bytes of a work, which must have passed the training gate, ``clearance``
    is the signed clearance they passed by, and ``sign`` gives the signature of a message.
    Raises IntegrityError where bytes and digest do not agree.
    """
    listed = sorted(works, key=lambda work: (work.noun, work.work))
    document: dict[str, Any] = {
        "type": WORKS_TYPE,
        "clearance": sha256_hex(clearance),
        "works": [asdict(work) for work in listed],
    }
    signed = document | {"signature": dict(sign(canonical_json(document)))}
    index = canonical_json(signed)
    with zipfile.ZipFile(path, "w") as pack:
        _write(pack, INDEX_NAME, index)
        _write(pack, CLEARANCE_NAME, clearance)
        for work in listed:
            raw = raw_of(work)
            if sha256_hex(raw) != work.work:
                raise IntegrityError(f"expected the bytes of {work.work}, got others")
            _write(pack, _name(work.work), raw)
    return sha256_hex(index)


def open_works(path: Path) -> WorksPack:
    """Return a pack with its index read; no drawing is.

    Raises InputError if there is no such file, IntegrityError if it is no whole pack or not as
    signed.
    """
    if not path.is_file():
        raise InputError(f"there is no pack of works at {path}", hint="make one with `tercet pack`")
    raw = _member(path, INDEX_NAME, INDEX_BYTES_MAX)
    try:
        index = json.loads(raw)
        if index["type"] != WORKS_TYPE:
            raise ValueError(f"expected type {WORKS_TYPE}, got {index['type']!r}")
        works = tuple(_work(entry) for entry in index["works"])
        key_id, digest = _signer(index), str(index["clearance"])
        is_cleared = _holds_clearance(path, digest, works)
        return WorksPack(path, sha256_hex(raw), digest, key_id, works, is_cleared)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            f"{path}: {INDEX_NAME} is not as written: {error!s:.120}",
            hint="get the pack of works again",
        ) from error


def _holds_clearance(path: Path, digest: str, works: tuple[Work, ...]) -> bool:
    """Tell whether the clearance is there. Raises ValueError for one that is not what it should be.

    It must be the very one that the index names, signed, and have let through as many works.
    """
    with zipfile.ZipFile(path) as pack:
        if CLEARANCE_NAME not in pack.namelist():
            return False
    raw = _member(path, CLEARANCE_NAME, INDEX_BYTES_MAX)
    document = json.loads(raw)
    if sha256_hex(raw) != digest or document["type"] != CLEARANCE_TYPE:
        raise ValueError(f"{CLEARANCE_NAME} is not the clearance that it names")
    _signer(document)
    if document["verdicts"]["cleared"] < len({work.work for work in works}):
        raise ValueError("it lists more works than the clearance lets through")
    return True


def _signer(index: Mapping[str, Any]) -> str:
    """Return the id of the key that signed a document. Raises ValueError if none did."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signature = index["signature"]
    unsigned = {key: value for key, value in index.items() if key != "signature"}
    public = base64.b64decode(signature["public_key"], validate=True)
    value = base64.b64decode(signature["value"], validate=True)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical_json(unsigned))
    except InvalidSignature as error:
        raise ValueError("the signature does not hold") from error
    return sha256_hex(public)[:16]


def _work(entry: Mapping[str, Any]) -> Work:
    texts = {key: str(entry[key]) for key in ("work", "title", "owner", "licence", "noun")}
    return Work(kind=Kind(entry["kind"]), faces=int(entry["faces"]), **texts)


def _name(digest: str) -> str:
    return f"works/{digest}.svg"


def _write(pack: zipfile.ZipFile, name: str, raw: bytes) -> None:
    entry = zipfile.ZipInfo(name, _WRITTEN_AT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    pack.writestr(entry, raw, compresslevel=9)


def _member(path: Path, name: str, bytes_max: int) -> bytes:
    """Return one file of a pack, never more than ``bytes_max`` of it."""
    try:
        with zipfile.ZipFile(path) as pack, pack.open(name) as file:
            raw = file.read(bytes_max + 1)
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise IntegrityError(
            f"{path}: {name} cannot be read: {error!s:.120}", hint="get the pack of works again"
        ) from error
    if len(raw) > bytes_max:
        raise IntegrityError(f"{path}: expected {name} of at most {bytes_max:,} bytes, got more")
    return raw
